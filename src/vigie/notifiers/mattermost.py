"""Mattermost by an incoming webhook, or by a bot: then what follows an opening answers it, and updates replace it.

Sources: developers.mattermost.com/integrate/webhooks/incoming (`text` in Markdown), /api-documentation (POST /posts, `root_id`;
PUT /posts/{id}/patch; errors with an `id`); a post has at most 16,383 characters. The server gives back the first post when the same
`pending_post_id` comes again within 30 seconds (server/channels/app/post.go, deduplicateCreatePost).
"""

from typing import Annotated

import msgspec

from vigie.errors import DeliveryReason
from vigie.net import ADDRESS, SHOWN, Secret
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import WEB_ADDRESS, preload  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.markup import Markup, markdown_link, of_markdown, written
from vigie.notifiers.kit.provider import Call, Channel, Json, No, Provider, calls, check_ways, edits
from vigie.notifiers.kit.text import token
from vigie.report.facts import Message

ENVIRONMENT = {"url": "MATTERMOST_WEBHOOK", "token": "MATTERMOST_TOKEN"}
_TEXT = 16_383
_MARKUP = Markup(of_markdown, headline="**{}**", quiet="*{}*", id="**{}**", link=markdown_link)
_WHOM = r"^(@[a-z0-9._-]+( |$))*$"


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Mattermost channel: `url`, or `server`, `token` and `channel`."""

    url: Annotated[
        Secret | None,
        msgspec.Meta(
            description="Incoming webhook (MATTERMOST_WEBHOOK).", examples=["${MATTERMOST_WEBHOOK}"], extra_json_schema=WEB_ADDRESS
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
    token: Annotated[
        Secret | None, msgspec.Meta(description="Access token of a bot (MATTERMOST_TOKEN).", examples=["${MATTERMOST_TOKEN}"])
    ] = None
    channel: Annotated[
        str, msgspec.Meta(extra=SHOWN, description="ID of the channel (Channel info).", examples=["4xp9fdt77pncbef59f4k1qe83o"])
    ] = ""
    mention: Annotated[
        str, msgspec.Meta(extra=SHOWN, description="Whom alerts ping: `@channel`, `@here`, @names, separated by spaces.", pattern=_WHOM)
    ] = ""

    def __post_init__(self) -> None:
        """Raise ValueError unless one of the two ways is whole."""
        check_ways(self, "server", "token")


def text(config: Config, message: Message) -> str:
    """The Markdown of a clean message."""
    whom = f"{config.mention}\n" if config.mention and calls(message) else ""
    return whom + written(message, _MARKUP, _TEXT - len(whom))


def by_hook(config: Config, message: Message) -> Call:
    """The request of a webhook."""
    return Call(config.url.reveal() if config.url else "", {"text": text(config, message)})


def by_bot(config: Config, message: Message) -> Call:
    """The request of a bot; the reference is the ID of the post."""
    if edits(message):
        return _call(config, f"posts/{message.reference}/patch", {"message": text(config, message)}, "PUT")
    body = {"channel_id": config.channel, "message": text(config, message), "root_id": message.reference}
    return _call(config, "posts", {**body, "pending_post_id": token(f"{message.since}:{message.key}", 60)})


def _call(config: Config, path: str, body: Json | None = None, method: str = "POST") -> Call:
    headers = {"Authorization": f"Bearer {config.token.reveal()}"} if config.token else {}
    return Call(f"{config.server.rstrip('/')}/api/v4/{path}", body, method, headers)


_HOOK = Provider(by_hook, answers=False)
_BOT = Provider(
    by_bot,
    reference=lambda data: str(data["id"]),
    room=lambda config: f"{config.server} {config.channel}",
    code=lambda data: str(data["id"]) if "status_code" in data else "",
    means={
        "session_expired": No(DeliveryReason.AUTH),
        "token": No(DeliveryReason.AUTH),
        "permissions": No(DeliveryReason.RECIPIENT, "add the bot to the team and to the channel, and check `channel`"),
        "can_not_post_to_deleted": No(DeliveryReason.RECIPIENT, "the channel is archived: set another `channel`"),
        "channel_id": No(DeliveryReason.RECIPIENT, "`channel` is the channel's ID, which Channel info shows"),
    },
    probe=lambda config: _call(config, f"channels/{config.channel}", method="GET"),
)


def build(config: Config, deps: NotifierDeps) -> Channel:
    """The channel."""
    return (_BOT if config.channel else _HOOK).build(config, deps)
