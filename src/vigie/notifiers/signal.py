"""Signal by signal-cli-rest-api, a bridge that one runs oneself with a number of its own.

https://bbernhard.github.io/signal-cli-rest-api/#/Messages/post_v2_send: POST /v2/send with `number` (the sender), `recipients` (numbers,
usernames, or one group `group.…`) and `message`; 201 with the `timestamp` by which Signal knows the message. `edit_timestamp` replaces an
earlier one. Whatever signal-cli says is a 400 with `error`, also what passes, such as a lost connection to Signal; only what names a
receiver or a sender that is not registered needs a person.
"""

from typing import Annotated, Any

import msgspec

from vigie.errors import DeliveryError, DeliveryReason
from vigie.net import Secret, host_of
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import PERSON_RETRY_MS, WEB_ADDRESS, Answer, check_url, preload, reach  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.plain import plain
from vigie.notifiers.kit.provider import edits
from vigie.notifiers.kit.sending import ask, json_of, taken
from vigie.notifiers.kit.text import clean
from vigie.ports import Receipt
from vigie.report.facts import Message

ENVIRONMENT = {"url": "SIGNAL_URL", "number": "SIGNAL_NUMBER"}
REQUIRED = ("url", "number", "to")
_TEXT = 2_000  # longer ones become an attachment
_GROUP = "group."
_UNREGISTERED = ("unregistered user", "not registered", "invalid recipient", "no such group", "specified account does not exist")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """People or a group on Signal."""

    url: Annotated[
        Secret,
        msgspec.Meta(
            description="Address of the bridge (SIGNAL_URL), with a login where a proxy before it wants one.",
            examples=["http://signal.example.com:8080"],
            extra_json_schema=WEB_ADDRESS,
        ),
    ]
    number: Annotated[
        str, msgspec.Meta(description="Number that the bridge is registered with (SIGNAL_NUMBER).", examples=["+33612345678"])
    ]
    to: Annotated[
        list[str],
        msgspec.Meta(
            description="Numbers or usernames, or one group as the bridge names it.",
            examples=[["+33698765432"], ["group.aBc="]],
            min_length=1,
        ),
    ]

    def __post_init__(self) -> None:
        """Raise ValueError for what the bridge would refuse."""
        check_url(self.url)
        if not self.number:
            raise ValueError("`number` is empty")
        if len(self.to) > 1 and any(one.startswith(_GROUP) for one in self.to):
            raise ValueError("a group stands alone in `to`; make another channel for the others")

    def __repr__(self) -> str:
        return f"Signal by {host_of(self.url.reveal())}"


def build(config: Config, deps: NotifierDeps) -> "Signal":
    """The channel."""
    return Signal(config, deps)


class Signal:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps

    async def deliver(self, message: Message) -> Receipt:
        """Send it, or put it in the place of the first one of its thread."""
        message, config = clean(message), self._config
        body: dict[str, Any] = {"number": config.number, "recipients": config.to, "message": text(message), "text_mode": "normal"}
        replaced = int(message.reference) if edits(message) and message.reference.isdecimal() and message.reference.isascii() else None
        if replaced is not None:
            answer = await self._send({**body, "edit_timestamp": replaced})
            if answer.is_success:
                return Receipt(answer.words, message.reference)
        answer = await self._send(body)
        if answer.status == 400:
            raise _refused(answer, str(json_of(answer).get("error", "")))
        return Receipt(taken(self._deps, answer).words, str(json_of(answer).get("timestamp", "")))

    async def examine(self) -> str:
        """Reach the bridge; whether Signal takes its number shows only when something is sent."""
        return await reach(self._deps, self._config.url.reveal())

    async def _send(self, body: dict[str, Any]) -> Answer:
        return await ask(self._deps, self._config, f"{self._config.url.reveal().rstrip('/')}/v2/send", body)


def text(message: Message) -> str:
    """A clean message as Signal shows it."""
    return f"{message.headline}\n\n{plain(message, _TEXT - len(message.headline) - 2)}"


def _refused(answer: Answer, error: str) -> DeliveryError:
    words = f"{answer.where} could not send it ({answer.words})"
    if any(one in error.lower() for one in _UNREGISTERED):
        fix = "check `number` and `to`, and that the bridge is registered"
        return DeliveryError(DeliveryReason.RECIPIENT, words, fix=fix, permanent=True)
    return DeliveryError(DeliveryReason.SERVER, words, fix="read the log of the bridge", retry_after_ms=PERSON_RETRY_MS)
