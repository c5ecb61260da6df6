"""Gotify, one's own server for notifications: one message of an application.

https://gotify.net/api-docs#/message/createMessage: POST /message with `title`, `message`, `priority` and `extras`, the application's token
in the header X-Gotify-Key; the answer is the message with its `id`. Android makes a sound from priority 4 on, and stays on the screen from
8 on (https://github.com/gotify/android#message-priorities). Errors are JSON: `error`, `errorCode`, `errorDescription`.
"""

from typing import Annotated, Any

import msgspec

from vigie.net import Secret, host_of
from vigie.notifiers.kit.http import WEB_ADDRESS, check_url, preload  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.plain import plain
from vigie.notifiers.kit.provider import Call, Provider
from vigie.notifiers.kit.text import Tone, flat, tone
from vigie.report.facts import Message

ENVIRONMENT = {"url": "GOTIFY_URL", "token": "GOTIFY_TOKEN"}
REQUIRED = ("url", "token")
_TITLE, _TEXT = 250, 16_000
_SILENT, _DEFAULT = 2, 5
_FOLLOWING = ("report", "updated", "acknowledged", "availability")  # nothing to wake anybody for


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An application of a Gotify server."""

    url: Annotated[
        Secret,
        msgspec.Meta(
            description="Address of the server (GOTIFY_URL).", examples=["https://push.example.com"], extra_json_schema=WEB_ADDRESS
        ),
    ]
    token: Annotated[Secret, msgspec.Meta(description="Token of the application (GOTIFY_TOKEN).", examples=["${GOTIFY_TOKEN}"])]
    priority: Annotated[int, msgspec.Meta(description="Of outages, 0 to 10.", ge=0, le=10)] = 8
    degraded_priority: Annotated[int, msgspec.Meta(description="Of degradations.", ge=0, le=10)] = 6

    def __post_init__(self) -> None:
        """Raise ValueError for what is not a web address, or an empty token."""
        check_url(self.url)
        if not self.token:
            raise ValueError("`token` is empty")

    def __repr__(self) -> str:
        return f"Gotify at {host_of(self.url.reveal())}"


def _call(config: Config, message: Message) -> Call:
    extras: dict[str, Any] = {"client::display": {"contentType": "text/plain"}}
    if message.links:
        extras["client::notification"] = {"click": {"url": message.links[0].url}}
    body = {
        "title": flat(message.headline, _TITLE),
        "message": plain(message, _TEXT),
        "priority": _priority(config, message),
        "extras": extras,
    }
    return Call(f"{config.url.reveal().rstrip('/')}/message", body, headers={"X-Gotify-Key": config.token.reveal()})


def _priority(config: Config, message: Message) -> int:
    if message.reason in _FOLLOWING:
        return _SILENT
    return {Tone.BAD: config.priority, Tone.WARNING: config.degraded_priority}.get(tone(message), _DEFAULT)


build = Provider(
    _call,
    code=lambda answer: f"{answer.get('errorCode', '')} {answer['error']}" if "error" in answer else "",
).build
