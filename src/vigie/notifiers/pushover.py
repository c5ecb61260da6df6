"""Pushover: a notification on the phones of a user or a group; of an outage, if asked for, again and again until somebody acknowledges it.

https://pushover.net/api: `message` has at most 1,024 characters, `title` 250, `url` 512, `url_title` 100; an answer with `status` 1 is a
yes, a 4xx says in `errors` what is wrong and must not be repeated, 429 is a used-up quota, 5xx may be repeated after five seconds.
https://pushover.net/api#priority: priority 2 is repeated every `retry` seconds (30 or more) for `expire` seconds (10,800 at most).
https://pushover.net/api/receipts#cancel_by_tag: what repeats is stopped by the `tags` that it was sent with.
"""

from typing import Annotated, Any

import msgspec

from vigie.core.detection import Severity
from vigie.errors import DeliveryError
from vigie.net import Secret, host_of
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import WEB_ADDRESS, check_url, preload, reach  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.paging import Action, action, incident_key
from vigie.notifiers.kit.plain import plain
from vigie.notifiers.kit.sending import json_of, send
from vigie.notifiers.kit.text import Tone, clean, flat, tone
from vigie.planning.duration import Duration
from vigie.ports import Receipt
from vigie.report.facts import Message

ENVIRONMENT = {"user": "PUSHOVER_USER", "token": "PUSHOVER_TOKEN"}
REQUIRED = ("user", "token")
_TITLE, _TEXT, _URL, _URL_TITLE, _TAG = 250, 1_024, 512, 100, 100
_QUIET, _NORMAL, _HIGH, _EMERGENCY = -1, 0, 1, 2
_CALLS = ("opened", "flapping", "disclosed", "quiet_over", "reminder", "escalated", "snooze_ended")
_FOLLOWING = ("report", "updated", "acknowledged", "availability")  # nothing to wake anybody for


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user or a group of Pushover."""

    user: Annotated[Secret, msgspec.Meta(description="Key of the user or group (PUSHOVER_USER).", examples=["${PUSHOVER_USER}"])]
    token: Annotated[Secret, msgspec.Meta(description="Token of the application (PUSHOVER_TOKEN).", examples=["${PUSHOVER_TOKEN}"])]
    emergency: Annotated[
        bool, msgspec.Meta(description="Repeat the notice of an outage until somebody acknowledges it on the phone, or it is over.")
    ] = False
    retry: Annotated[Duration, msgspec.Meta(description="Between repetitions of an emergency, 30s or more.")] = msgspec.field(
        default_factory=lambda: Duration(60_000)
    )
    expire: Annotated[Duration, msgspec.Meta(description="When an emergency gives up repeating, 3h at most.")] = msgspec.field(
        default_factory=lambda: Duration(3_600_000)
    )
    device: Annotated[str | None, msgspec.Meta(description="One device alone, by its name.")] = None
    sound: Annotated[str | None, msgspec.Meta(description="Sound of outages; the user's own if not set.", examples=["siren"])] = None
    url: Annotated[str, msgspec.Meta(description="Address of the API.", extra_json_schema=WEB_ADDRESS)] = "https://api.pushover.net"

    def __post_init__(self) -> None:
        """Raise ValueError for what Pushover would refuse."""
        check_url(Secret(self.url))
        if not self.user or not self.token:
            raise ValueError("`user` and `token` must not be empty")
        if self.retry < 30_000:
            raise ValueError("`retry` must be 30s or more")
        if not 0 < self.expire <= 10_800_000:
            raise ValueError("`expire` must be above 0 and at most 3h")

    @property
    def wants_acks(self) -> bool:
        """Whether an acknowledgement is of use to it: an emergency goes on until it hears of one."""
        return self.emergency

    def __repr__(self) -> str:
        return f"Pushover by {host_of(self.url)}"


def build(config: Config, deps: NotifierDeps) -> "Pushover":
    """The channel."""
    return Pushover(config, deps)


class Pushover:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps

    async def deliver(self, message: Message) -> Receipt:
        """Stop what repeats once it is over or acknowledged, then say what there is to say."""
        message = clean(message)
        if self._config.emergency and action(message) in (Action.CLOSE, Action.ACKNOWLEDGE):
            await self._stop(incident_key(message, _TAG))
        answer = await self._post("messages.json", self.parameters(message))
        return Receipt(answer)

    async def examine(self) -> str:
        """Ask whether the user and the token are known (https://pushover.net/api#validate)."""
        await self._post("users/validate.json", {})
        return f"{host_of(self._config.url)} knows the user (`vigie notify test` sends)"

    def parameters(self, message: Message) -> dict[str, Any]:
        """The form of a clean message, without the login."""
        priority = self._priority(message)
        found: dict[str, Any] = {
            "title": flat(message.headline, _TITLE),
            "message": plain(message, _TEXT),
            "priority": priority,
            "timestamp": message.at // 1000,
        }
        if message.links and len(message.links[0].url) <= _URL:
            found |= {"url": message.links[0].url, "url_title": flat(message.links[0].label, _URL_TITLE)}
        if priority == _EMERGENCY:
            found |= {"retry": self._config.retry // 1000, "expire": self._config.expire // 1000, "tags": incident_key(message, _TAG)}
        if self._config.device is not None:
            found["device"] = self._config.device
        if self._config.sound is not None and priority >= _HIGH:
            found["sound"] = self._config.sound
        return found

    def _priority(self, message: Message) -> int:
        if message.reason in _FOLLOWING:
            return _QUIET
        if tone(message) is not Tone.BAD or message.severity is not Severity.OUTAGE:
            return _NORMAL
        return _EMERGENCY if self._config.emergency and message.reason in _CALLS and not message.ended else _HIGH

    async def _stop(self, tag: str) -> None:
        """Where nothing repeats any more there is nothing to stop, and the news must get through."""
        try:
            await self._post(f"receipts/cancel_by_tag/{tag}.json", {})
        except DeliveryError as error:
            if not error.permanent:
                raise

    async def _post(self, path: str, parameters: dict[str, Any]) -> str:
        config = self._config
        login = {"token": config.token.reveal()}
        if not path.startswith("receipts/"):
            login["user"] = config.user.reveal()
        answer = await send(self._deps, config, f"{config.url.rstrip('/')}/1/{path}", {**login, **parameters}, form=True)
        receipt = json_of(answer).get("receipt")
        return f"{answer.words}; receipt {receipt}" if receipt else answer.words
