"""Slack by an incoming webhook, or by an app's bot: then what follows an opening answers it, and updates replace it.

Sources: docs.slack.dev (reference/block-kit/blocks; reference/methods/chat.postMessage and chat.update: `thread_ts`, `reply_broadcast`,
their errors; messaging/formatting-message-text: escaping and mentions; apis/web-api/rate-limits: `Retry-After`;
authentication/verifying-requests-from-slack; interactivity/handling-user-interaction: `block_actions` and `response_url`).
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import parse_qs

import msgspec

from vigie.core.notification import NoticeReason
from vigie.errors import DeliveryReason
from vigie.net import ADDRESS, SHOWN, Secret
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.buttons import ask, named, pressable, read_json, same, unlinked
from vigie.notifiers.kit.http import WEB_ADDRESS, preload  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.provider import Call, Channel, No, Provider, calls, check_ways, edits
from vigie.notifiers.kit.text import flat, some
from vigie.ports import Press
from vigie.report.facts import Link, Message

ENVIRONMENT = {"url": "SLACK_WEBHOOK", "token": "SLACK_BOT_TOKEN"}
_HEADER, _SECTION = 150, 2_900  # Slack's own bounds are 150 and 3,000
_LINE = 500  # escaping makes a character at most five, so a line always fits a section
_LINES, _ROWS = 12, 8  # no message of Vigie's own has more lines
_SECTIONS = 2  # of lines; about 13,000 characters of blocks are too many together
_WHOM = r"^((here|channel|everyone|[UWS][A-Z0-9]+)( |$))*$"


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Slack channel: `url`, or `token` and `channel`."""

    url: Annotated[
        Secret | None,
        msgspec.Meta(description="Incoming webhook (SLACK_WEBHOOK).", examples=["${SLACK_WEBHOOK}"], extra_json_schema=WEB_ADDRESS),
    ] = None
    token: Annotated[
        Secret | None,
        msgspec.Meta(description="Bot token of an app with the scope chat:write (SLACK_BOT_TOKEN).", examples=["${SLACK_BOT_TOKEN}"]),
    ] = None
    channel: Annotated[
        str, msgspec.Meta(extra=SHOWN, description="ID or name of the channel that the bot posts to.", examples=["C0123456789"])
    ] = ""
    mention: Annotated[
        str,
        msgspec.Meta(
            extra=SHOWN,
            description="Whom alerts ping: `here`, `channel`, IDs of users (U…) and groups (S…), separated by spaces.",
            pattern=_WHOM,
        ),
    ] = ""
    signing_secret: Annotated[
        Secret | None,
        msgspec.Meta(
            description="Signing secret of the app: alerts then have buttons that acknowledge, snooze and resolve. Needs `web.public_url`; "
            "in the app, Interactivity sends to `<public_url>/integrations/<name of this channel>`.",
            examples=["${SLACK_SIGNING_SECRET}"],
        ),
    ] = None
    api: Annotated[str, msgspec.Meta(description="Another Slack, such as GovSlack.", pattern=WEB_ADDRESS["pattern"], extra=ADDRESS)] = (
        "https://slack.com/api"
    )

    def __post_init__(self) -> None:
        """Raise ValueError unless one of the two ways is whole."""
        check_ways(self, "token")


def by_hook(config: Config, message: Message) -> Call:
    """The request of a webhook."""
    return Call(config.url.reveal() if config.url else "", _payload(config, message))


def by_bot(config: Config, message: Message) -> Call:
    """The request of a bot; the reference is `<channel's ID>/<ts>`. Answers are shown in the channel as well, but for a late report."""
    body, (channel, _, ts) = _payload(config, message), message.reference.partition("/")
    if edits(message):
        return _call(config, "chat.update", {**body, "channel": channel, "ts": ts})
    body |= {"channel": config.channel, "unfurl_links": False, "unfurl_media": False}
    if ts:
        body |= {"thread_ts": ts, "reply_broadcast": message.reason is not NoticeReason.REPORT}
    return _call(config, "chat.postMessage", body)


def _call(config: Config, method: str, body: dict[str, Any]) -> Call:
    headers = {"Authorization": f"Bearer {config.token.reveal()}"} if config.token else {}
    return Call(f"{config.api.rstrip('/')}/{method}", body, headers={**headers, "Content-Type": "application/json; charset=utf-8"})


def escaped(text: str) -> str:
    """At most 500 characters, with Slack's three special ones replaced (its own rule for text that is not markup)."""
    return flat(text, _LINE).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _payload(config: Config, message: Message) -> dict[str, Any]:
    return payload(message, config.mention, pressed=config.signing_secret is not None)


def payload(message: Message, mention: str = "", *, pressed: bool = False) -> dict[str, Any]:
    """The JSON of a clean message; its actions are buttons where the app hears of a press, else links."""
    pressed = pressed and pressable(message)
    message = unlinked(message) if pressed else message
    whom = " ".join(map(_mentioned, mention.split())) if calls(message) else ""
    header = flat(message.headline, _HEADER)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": header, "emoji": True}}]
    lines, more = some(message.lines, _LINES)
    blocks += _section([whom])
    blocks += _sections([*map(escaped, lines), more])
    if message.analysis is not None:
        blocks += _section([f"_{escaped(message.analysis_label)}_", *map(escaped, message.analysis.sentences)])
    rows, more = some(message.rows, _ROWS)
    blocks += _section([*(f"`{escaped(row.id)}` {escaped(row.value)}" for row in rows), more])
    blocks += _section([" · ".join(map(_link, message.links))])
    blocks += [{"type": "actions", "elements": [_button(link) for link in message.actions]}] if pressed else []
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": escaped(message.footer)}]})
    return {"text": f"{whom} {escaped(message.headline)}".strip(), "blocks": blocks}


def _mentioned(name: str) -> str:
    return f"<!{name}>" if name.islower() else f"<!subteam^{name}>" if name.startswith("S") else f"<@{name}>"


def _button(link: Link) -> dict[str, Any]:
    action = link.token.partition(":")[0]
    return {"type": "button", "action_id": action, "value": link.token, "text": {"type": "plain_text", "text": flat(link.label, 75)}}


def _link(link: Link) -> str:
    return f"<{link.url.replace('&', '&amp;')}|{escaped(link.label)}>"


def _sections(lines: Sequence[str]) -> list[dict[str, Any]]:
    """Sections of all lines, or of those that fit whole in two."""
    found: list[dict[str, Any]] = []
    rest = [line for line in lines if line]
    while rest and len(found) < _SECTIONS:
        found += _section(rest)
        shown = found[-1]["text"]["text"].count("\n") + 1
        rest = rest[shown:]
    return found


def _section(lines: Iterable[str]) -> list[dict[str, Any]]:
    """One section of the lines that fit whole; none for nothing."""
    text = ""
    for line in filter(None, lines):
        if len(text) + len(line) >= _SECTION:
            break
        text += f"\n{line}" if text else line
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text}}] if text else []


_AUTH = No(DeliveryReason.AUTH, "set the bot token that the app's page shows (xoxb-…)")
_HOOK = Provider(by_hook, answers=False)
_BOT = Provider(
    by_bot,
    reference=lambda data: f"{data['channel']}/{data['ts']}",
    room=lambda config: f"{config.api} {config.channel}",
    code=lambda data: "" if data.get("ok") is True or not data else str(data.get("error") or "unknown_error"),
    means={
        **dict.fromkeys(
            ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"), _AUTH
        ),
        "missing_scope": No(DeliveryReason.AUTH, "give the app the scope chat:write and install it again"),
        "channel_not_found": No(DeliveryReason.RECIPIENT, "check `channel`; a private one needs the bot in it (/invite)"),
        "not_in_channel": No(DeliveryReason.RECIPIENT, "invite the bot to the channel (/invite)"),
        "is_archived": No(DeliveryReason.RECIPIENT, "the channel is archived: set another `channel`"),
        "restricted_action": No(DeliveryReason.RECIPIENT, "let the bot post in the channel"),
        **dict.fromkeys(("ratelimited", "rate_limited"), No(DeliveryReason.RATE_LIMIT)),
        **dict.fromkeys(("internal_error", "fatal_error", "service_unavailable", "request_timeout"), No(DeliveryReason.SERVER)),
    },
    probe=lambda config: _call(config, "auth.test", {}),
)


def build(config: Config, deps: NotifierDeps) -> Channel:
    """The channel."""
    return (_BOT if config.channel else _HOOK).build(config, deps)


_OLD_SECONDS = 300  # Slack's own advice against replays


class SlackButtons:
    """Implements ButtonSource: presses come where the app's page says."""

    def __init__(self, config: Config, deps: NotifierDeps, signing_secret: Secret) -> None:
        self._config, self._deps, self._secret = config, deps, signing_secret

    def read(self, headers: Mapping[str, str], body: bytes, now: int) -> Press | None:
        """The press in a request that Slack signed within the last five minutes."""
        stamp, given = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12 and abs(now // 1000 - int(stamp)) <= _OLD_SECONDS):
            return None
        right = hmac.new(self._secret.reveal().encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        if not same(f"v0={right}", given):
            return None
        said = read_json(parse_qs(body.decode("utf-8", "replace"), max_num_fields=5).get("payload", [""])[0])
        try:
            user, token, reply = said["user"], said["actions"][0]["value"], said["response_url"]
            return Press(str(token), named(user.get("name"), user.get("username"), user.get("id")), str(reply))
        except (LookupError, TypeError, AttributeError):
            return None

    async def confirm(self, press: Press, text: str) -> None:
        """Say it in the channel."""
        body = {"response_type": "in_channel", "replace_original": False, "text": escaped(text)}
        await ask(self._deps, self._config, Call(press.reply, body))

    async def register(self, _url: str) -> str:
        """The app's page says where presses go."""
        return ""


def buttons(config: Config, deps: NotifierDeps, _secret: str) -> SlackButtons | None:
    """Who reads presses, where the app's signing secret is known."""
    return None if config.signing_secret is None else SlackButtons(config, deps, config.signing_secret)
