"""Discord by a webhook: an embed, replaced in place when an alert grows; in a forum every alert has a post of its own.

Sources: docs.discord.com/developers/resources/webhook (Execute and Edit Webhook: `wait`, `thread_id`, `thread_name`),
…/resources/message (embed limits; 6,000 characters in all; allowed mentions), …/topics/rate-limits (`retry_after`, seconds),
…/topics/opcodes-and-status-codes (JSON error codes). A webhook cannot answer a message of a text channel.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from vigie.errors import DeliveryReason
from vigie.net import SHOWN, Secret
from vigie.notifiers.kit.http import WEB_ADDRESS, check_url, preload  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.markup import Markup, fitted, markdown_link, of_markdown, written
from vigie.notifiers.kit.provider import Call, No, Provider, calls, edits
from vigie.notifiers.kit.text import Tone, flat, tone, units
from vigie.report.facts import Message

ENVIRONMENT = {"url": "DISCORD_WEBHOOK"}
_TITLE, _TEXT, _THREAD = 256, 4_096, 100
_COLOURS = {Tone.BAD: 0xD93F3F, Tone.WARNING: 0xE8912D, Tone.GOOD: 0x2EA043, Tone.NEUTRAL: 0x8B949E}
_MARKUP = Markup(of_markdown, quiet="*{}*", id="**{}**", link=markdown_link)
_WHOM = r"^((everyone|here|(role:)?\d+)( |$))*$"


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Discord channel."""

    url: Annotated[
        Secret, msgspec.Meta(description="Webhook (DISCORD_WEBHOOK).", examples=["${DISCORD_WEBHOOK}"], extra_json_schema=WEB_ADDRESS)
    ]
    thread: Annotated[str, msgspec.Meta(extra=SHOWN, description="ID of a thread of the channel, to post there.", pattern=r"^\d*$")] = ""
    forum: Annotated[bool, msgspec.Meta(description="Whether the channel is a forum: every alert gets a post of its own.")] = False
    mention: Annotated[
        str,
        msgspec.Meta(
            extra=SHOWN, description="Whom alerts ping: `everyone`, `here`, IDs of users, `role:ID`, separated by spaces.", pattern=_WHOM
        ),
    ] = ""

    def __post_init__(self) -> None:
        """Raise ValueError for what is not a web address."""
        check_url(self.url)


def call(config: Config, message: Message) -> Call:
    """The request. What the provider calls a message is `<its channel or thread>/<its ID>`."""
    base, _, query = config.url.reveal().partition("?")
    place, _, name = message.reference.partition("/")
    thread = config.thread or (place if config.forum else "")
    body, queries = payload(config, message), "&".join(filter(None, (query, thread and f"thread_id={thread}")))
    if edits(message):
        return Call(f"{base}/messages/{name}?{queries}", body, "PATCH")
    return Call(
        f"{base}?wait=true&{queries}", body if thread or not config.forum else {**body, "thread_name": flat(message.headline, _THREAD)}
    )


def payload(config: Config, message: Message) -> dict[str, Any]:
    """The JSON of a clean message."""
    embed = {
        "title": fitted(message.headline, of_markdown, _TITLE, units),
        "description": written(message, _MARKUP, _TEXT, units),
        "color": _COLOURS[tone(message)],
        "timestamp": datetime.fromtimestamp(message.at / 1000, UTC).isoformat(),
    }
    whom = config.mention.split() if calls(message) else []
    roles, users = [one[5:] for one in whom if one.startswith("role:")], [one for one in whom if one.isdigit()]
    everybody = [f"@{one}" for one in whom if one.isalpha()]
    pinged = " ".join([*everybody, *(f"<@&{one}>" for one in roles), *(f"<@{one}>" for one in users)])
    allowed = {"parse": ["everyone"] if everybody else [], "roles": roles, "users": users}
    return {"embeds": [embed], "allowed_mentions": allowed, **({"content": pinged} if pinged else {})}


build = Provider(
    call,
    reference=lambda data: f"{data['channel_id']}/{data['id']}",
    room=lambda config: config.url.reveal(),
    code=lambda data: str(data.get("code", "")),
    seconds=lambda data: data.get("retry_after"),
    means={
        "10003": No(DeliveryReason.RECIPIENT, "the thread or channel is gone: set `thread` anew, or make a new webhook"),
        "10015": No(DeliveryReason.RECIPIENT, "the webhook is gone: make a new one and set `url`"),
        "50027": No(DeliveryReason.AUTH, "the token in `url` is wrong: copy the webhook's URL again"),
        "220001": No(DeliveryReason.CONFIG, "the channel is a forum: set `forum: true`, or a `thread`"),
        "220003": No(DeliveryReason.CONFIG, "the channel is not a forum: leave `forum` out"),
    },
    probe=lambda config: Call(config.url.reveal(), method="GET"),
).build
