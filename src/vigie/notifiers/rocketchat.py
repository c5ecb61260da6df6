"""Rocket.Chat by an incoming webhook, or by an account: then what follows an opening answers it, and updates replace it.

Sources: docs.rocket.chat/docs/integrations (incoming webhooks), developer.rocket.chat/apidocs (chat.postMessage with `tmid`, chat.update),
and the server's own apps/meteor/app/api/server/v1/chat.ts for the words of its errors. A message has at most 5,000 characters
(Message_MaxAllowedSize).
"""

from typing import Annotated, Any

import msgspec

from vigie.errors import DeliveryReason
from vigie.net import ADDRESS, SHOWN, Secret
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import WEB_ADDRESS, preload  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.markup import Markup, markdown_link, of_markdown, written
from vigie.notifiers.kit.provider import Call, Channel, Json, No, Provider, calls, check_ways, edits
from vigie.report.facts import Message

ENVIRONMENT = {"url": "ROCKETCHAT_WEBHOOK", "token": "ROCKETCHAT_TOKEN", "user": "ROCKETCHAT_USER"}
_TEXT = 5_000
_MARKUP = Markup(of_markdown, headline="*{}*", quiet="_{}_", id="*{}*", link=markdown_link)
_WHOM = r"^(@[A-Za-z0-9._-]+( |$))*$"


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Rocket.Chat channel: `url`, or `server`, `user`, `token` and `channel`."""

    url: Annotated[
        Secret | None,
        msgspec.Meta(
            description="Incoming webhook (ROCKETCHAT_WEBHOOK).", examples=["${ROCKETCHAT_WEBHOOK}"], extra_json_schema=WEB_ADDRESS
        ),
    ] = None
    server: Annotated[
        str,
        msgspec.Meta(
            description="Address of the server.",
            examples=["https://chat.example.com"],
            pattern=rf"^$|{WEB_ADDRESS['pattern']}",
            extra=ADDRESS,
        ),
    ] = ""
    user: Annotated[str, msgspec.Meta(extra=SHOWN, description="ID of the account that the token belongs to (ROCKETCHAT_USER).")] = ""
    token: Annotated[
        Secret | None, msgspec.Meta(description="Its personal access token (ROCKETCHAT_TOKEN).", examples=["${ROCKETCHAT_TOKEN}"])
    ] = None
    channel: Annotated[str, msgspec.Meta(extra=SHOWN, description="ID of the room.", examples=["GENERAL"])] = ""
    mention: Annotated[
        str, msgspec.Meta(extra=SHOWN, description="Whom alerts ping: `@all`, `@here`, @names, separated by spaces.", pattern=_WHOM)
    ] = ""

    def __post_init__(self) -> None:
        """Raise ValueError unless one of the two ways is whole."""
        check_ways(self, "server", "user", "token")


def text(config: Config, message: Message) -> str:
    """The Markdown of a clean message."""
    whom = f"{config.mention}\n" if config.mention and calls(message) else ""
    return whom + written(message, _MARKUP, _TEXT - len(whom))


def by_hook(config: Config, message: Message) -> Call:
    """The request of a webhook."""
    return Call(config.url.reveal() if config.url else "", {"text": text(config, message)})


def by_account(config: Config, message: Message) -> Call:
    """The request of an account; the reference is the message's ID."""
    body = {"roomId": config.channel, "text": text(config, message)}
    if edits(message):
        return _call(config, "chat.update", {**body, "msgId": message.reference})
    return _call(config, "chat.postMessage", {**body, "tmid": message.reference} if message.reference else body)


def _call(config: Config, path: str, body: Json | None = None) -> Call:
    headers = {"X-User-Id": config.user, "X-Auth-Token": config.token.reveal() if config.token else ""}
    return Call(f"{config.server.rstrip('/')}/api/v1/{path}", body, "GET" if body is None else "POST", headers)


def _code(data: Json) -> str:
    """What the two forms of an error say: `{success: false, error}` and `{status: error, message}`."""
    if data.get("success", True) and data.get("status") != "error":
        return ""
    return f"{data.get('errorType', '')} {data.get('error') or data.get('message') or 'error'}"


def _seconds(data: Json) -> Any:
    """The wait of `You must wait 60 seconds before trying this endpoint again`."""
    words = str(data.get("error", "")).partition("must wait ")[2].split()
    return words[0] if words and words[0].isdigit() else None


_MEANS = {
    "too-many-requests": No(DeliveryReason.RATE_LIMIT),
    "logged in": No(DeliveryReason.AUTH, "check `user` and `token`: they belong together"),
    "nauthorized": No(DeliveryReason.AUTH, "check `user` and `token`: they belong together"),
    "invalid-channel": No(DeliveryReason.RECIPIENT, "check `channel`: the ID of a room that the account is a member of"),
    "room-not-found": No(DeliveryReason.RECIPIENT, "check `channel`: the ID of a room that the account is a member of"),
    "room-is-not-": No(DeliveryReason.RECIPIENT, "check `channel`: the room is archived or read-only"),
    "not-allowed": No(DeliveryReason.RECIPIENT, "let the account write in the room"),
    "nvalid integration": No(DeliveryReason.RECIPIENT, "the webhook is gone or turned off: set `url` anew"),
}
_HOOK = Provider(by_hook, code=_code, means=_MEANS, seconds=_seconds)
_ACCOUNT = Provider(
    by_account,
    reference=lambda data: str(data["message"]["_id"]),
    room=lambda config: f"{config.server} {config.channel}",
    code=_code,
    seconds=_seconds,
    means=_MEANS,
    probe=lambda config: _call(config, "me"),
)


def build(config: Config, deps: NotifierDeps) -> Channel:
    """The channel."""
    return (_ACCOUNT if config.channel else _HOOK).build(config, deps)
