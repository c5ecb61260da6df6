"""Matrix by an account: what follows an opening is in its thread, and updates replace it.

Source: spec.matrix.org, client-server API v1.11 and later: PUT …/send/m.room.message/{txnId} (the same transaction is one event),
m.room.message with formatted_body, m.thread (§11.13), m.replace (§11.12), m.mentions (§11.6: empty, so that no text notifies anybody),
errors (§ API standards: errcode, retry_after_ms). An event has at most 65,536 bytes, and an edit holds its text twice.
The room must not be encrypted.
"""

from typing import Annotated, Any
from urllib.parse import quote

import msgspec

from vigie.errors import DeliveryReason
from vigie.net import ADDRESS, SHOWN, Secret
from vigie.notifiers.kit.http import WEB_ADDRESS, preload  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.markup import Markup, html_link, of_html, written
from vigie.notifiers.kit.provider import Call, Json, No, Provider, calls, edits
from vigie.notifiers.kit.text import octets, token
from vigie.report.facts import Message

ENVIRONMENT = {"token": "MATRIX_TOKEN", "server": "MATRIX_SERVER", "room": "MATRIX_ROOM"}
_PLAIN_BYTES, _HTML_BYTES = 8_000, 16_000
_PLAIN = Markup(str, headline="{}", link=lambda url, label: f"{label}: {url}")
_HTML = Markup(of_html, headline="<strong>{}</strong>", quiet="<em>{}</em>", id="<strong>{}</strong>", link=html_link)
_WHOM = r"^((@room|@[^\s:]+:[^\s]+)( |$))*$"


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Matrix room."""

    server: Annotated[
        str,
        msgspec.Meta(
            description="Address of the homeserver (MATRIX_SERVER).",
            examples=["https://matrix.example.org"],
            pattern=WEB_ADDRESS["pattern"],
            extra=ADDRESS,
        ),
    ]
    token: Annotated[Secret, msgspec.Meta(description="Access token of the account (MATRIX_TOKEN).", examples=["${MATRIX_TOKEN}"])]
    room: Annotated[
        str,
        msgspec.Meta(
            extra=SHOWN, description="ID of the room, not encrypted (MATRIX_ROOM).", examples=["!abc:example.org"], pattern=r"^![!-~]+$"
        ),
    ]
    mention: Annotated[
        str, msgspec.Meta(extra=SHOWN, description="Whom alerts ping: `@room`, @user:server, separated by spaces.", pattern=_WHOM)
    ] = ""


def call(config: Config, message: Message) -> Call:
    """The request; the reference is the ID of the event."""
    content = _content(config, message)
    root = message.reference
    if edits(message):
        content = {
            **content,
            "body": f"* {content['body']}",
            "m.new_content": content,
            "m.relates_to": {"rel_type": "m.replace", "event_id": root},
        }
    elif root:
        relation = {"rel_type": "m.thread", "event_id": root, "is_falling_back": True, "m.in_reply_to": {"event_id": root}}
        content = {**content, "m.relates_to": relation}
    return _call(
        config, f"rooms/{quote(config.room, safe='')}/send/m.room.message/{token(f'{message.since}:{message.key}', 100)}", content, "PUT"
    )


def _content(config: Config, message: Message) -> dict[str, Any]:
    whom = config.mention.split() if calls(message) else []
    users = [one for one in whom if one != "@room"]
    mentions = ({"room": True} if "@room" in whom else {}) | ({"user_ids": users} if users else {})
    text, page = written(message, _PLAIN, _PLAIN_BYTES, octets), written(message, _HTML, _HTML_BYTES, octets).replace("\n", "<br>")
    names = " ".join(whom)
    return {
        "msgtype": "m.text",
        "body": f"{names}\n{text}".strip(),
        "format": "org.matrix.custom.html",
        "formatted_body": f"{names}<br>{page}" if names else page,
        "m.mentions": mentions,
    }


def _call(config: Config, path: str, body: Json | None = None, method: str = "GET") -> Call:
    return Call(f"{config.server.rstrip('/')}/_matrix/client/v3/{path}", body, method, {"Authorization": f"Bearer {config.token.reveal()}"})


build = Provider(
    call,
    reference=lambda data: str(data["event_id"]),
    room=lambda config: f"{config.server} {config.room}",
    code=lambda data: str(data.get("errcode", "")),
    seconds=lambda data: data["retry_after_ms"] / 1000 if "retry_after_ms" in data else None,
    means={
        "M_LIMIT_EXCEEDED": No(DeliveryReason.RATE_LIMIT),
        "M_FORBIDDEN": No(DeliveryReason.RECIPIENT, "invite the account to the room, have it join, and let it send messages"),
        "M_UNKNOWN_TOKEN": No(DeliveryReason.AUTH, "the access token is wrong or logged out: set a new one"),
        "M_MISSING_TOKEN": No(DeliveryReason.AUTH),
        "M_USER_DEACTIVATED": No(DeliveryReason.AUTH, "the account is deactivated: use another"),
        "M_UNRECOGNIZED": No(DeliveryReason.CONFIG, "`server` is not the address of a Matrix homeserver"),
    },
    probe=lambda config: _call(config, "account/whoami"),
    look=lambda config, event: _call(config, f"rooms/{quote(config.room, safe='')}/event/{quote(event, safe='')}"),
    gone=lambda data: "redacted_because" in data.get("unsigned", {}),
).build
