"""The ports of a channel: what delivers messages, and what brings the presses of their buttons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from vigie.report.facts import Message


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a channel says of a message that it handed over. `answer` is the provider's, in one line.

    `reference` is what the provider calls the message, at most 500 characters, where that is of use: a later message of its thread
    can then answer it or replace it (`Message.reference`).
    """

    answer: str
    reference: str = ""


class Notifier(Protocol):
    """One channel."""

    async def deliver(self, message: Message) -> Receipt:
        """Hand the message over; raise DeliveryError."""

    async def examine(self) -> str:
        """Try the login without sending and return one line for `vigie doctor`; raise DeliveryError."""


@dataclass(frozen=True, slots=True)
class Press:
    """A button under a message that somebody pressed. `token` is what it carried, `by` what the chat calls that person.

    `reply` is what the chat needs to be answered.
    """

    token: str
    by: str
    reply: str = ""


class ButtonSource(Protocol):
    """A chat whose messages have buttons: what it sends when one is pressed. Its module's `buttons(config, deps, secret)` builds it."""

    def read(self, headers: Mapping[str, str], body: bytes, now: int) -> Press | None:
        """The press in a request (names of headers in lower case); None for what the chat did not send, or not now (epoch ms)."""

    async def confirm(self, press: Press, text: str) -> None:
        """Tell whoever pressed what came of it; raise DeliveryError."""

    async def register(self, url: str) -> str:
        """Have the chat send presses to this URL; one line about it, empty where people set that up there. Raise DeliveryError."""
