"""ntfy, the public one or one's own: a notification on every phone that follows the topic.

https://docs.ntfy.sh/publish/: published as JSON to the server's root; `message` up to 4,096 bytes (what is longer becomes a file),
priorities 1 to 5 (min, low, default, high, urgent), at most three actions. A message with the `sequence_id` of an earlier one replaces it
on the phone (since 2.16; older servers show another one). Errors are JSON with `code`, `http` and `error`; 429 is the rate limit.
"""

from typing import Annotated, Any

import msgspec

from vigie.errors import DeliveryReason
from vigie.net import Secret, host_of
from vigie.notifiers.kit.http import WEB_ADDRESS, check_url, preload  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.plain import plain
from vigie.notifiers.kit.provider import Call, No, Provider, edits
from vigie.notifiers.kit.text import Tone, flat, octets, tone
from vigie.report.facts import Message

ENVIRONMENT = {"url": "NTFY_TOPIC", "token": "NTFY_TOKEN"}
REQUIRED = ("url",)
_TITLE, _BYTES, _ACTIONS = 250, 4_000, 3
_TAGS = {Tone.BAD: "rotating_light", Tone.WARNING: "warning", Tone.GOOD: "white_check_mark", Tone.NEUTRAL: "information_source"}
_LOW, _DEFAULT = 2, 3
_FOLLOWING = ("report", "updated", "acknowledged", "availability")  # nothing to wake anybody for


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A topic of ntfy."""

    url: Annotated[
        Secret,
        msgspec.Meta(
            description="Address of the topic (NTFY_TOPIC). Whoever knows it can read along, unless the server has it protected.",
            examples=["https://ntfy.sh/${NTFY_NAME}"],
            extra_json_schema=WEB_ADDRESS,
        ),
    ]
    token: Annotated[
        Secret | None, msgspec.Meta(description="Access token of a protected topic (NTFY_TOKEN).", examples=["${NTFY_TOKEN}"])
    ] = None
    priority: Annotated[int, msgspec.Meta(description="Of outages, 1 (min) to 5 (urgent).", ge=1, le=5)] = 5
    degraded_priority: Annotated[int, msgspec.Meta(description="Of degradations.", ge=1, le=5)] = 4
    tags: Annotated[list[str], msgspec.Meta(description="Further tags; names of emoji are shown as such.", max_length=8)] = []

    def __post_init__(self) -> None:
        """Raise ValueError for what is not the address of a topic."""
        check_url(self.url)
        if not _parts(self.url.reveal())[1]:
            raise ValueError("`url` ends without the name of a topic; write https://ntfy.sh/your-topic")

    def __repr__(self) -> str:
        return f"ntfy by {host_of(self.url.reveal())}"


def _parts(url: str) -> tuple[str, str]:
    """The server and the topic."""
    scheme, _, rest = url.partition("://")
    server, _, topic = rest.rstrip("/").rpartition("/")
    return f"{scheme}://{server}/", topic if server else ""


def _call(config: Config, message: Message) -> Call:
    server, topic = _parts(config.url.reveal())
    mood = tone(message)
    body: dict[str, Any] = {
        "topic": topic,
        "title": flat(message.headline, _TITLE),
        "message": plain(message, _BYTES, octets),
        "priority": _priority(config, message, mood),
        "tags": [_TAGS[mood], *config.tags],
        "actions": [{"action": "view", "label": link.label, "url": link.url} for link in message.links[:_ACTIONS]],
    }
    if message.links:
        body["click"] = message.links[0].url
    if edits(message):
        body["sequence_id"] = message.reference
    return Call(server, body, headers={"Authorization": f"Bearer {config.token.reveal()}"} if config.token else {})


def _priority(config: Config, message: Message, mood: Tone) -> int:
    if message.reason in _FOLLOWING:
        return _LOW
    return {Tone.BAD: config.priority, Tone.WARNING: config.degraded_priority}.get(mood, _DEFAULT)


build = Provider(
    _call,
    reference=lambda answer: str(answer.get("id", "")),
    room=lambda config: config.url.reveal(),
    code=lambda answer: f"{answer.get('code', '')} {answer['error']}" if "error" in answer else "",
    means={
        "40101 ": No(DeliveryReason.AUTH, "check `token`"),
        "40301 ": No(DeliveryReason.AUTH, "check that the token may write to the topic"),
    },
).build
