"""What people publish on status pages, and how readers subscribe. Every method raises StoreError; `by` is who does it, never shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from vigie.report.publication import Impact, PostKind, Stage, Subscriber


@dataclass(frozen=True, slots=True)
class NewPost:
    """What is published first about something: `monitors` are ids of the page's, instants epoch ms."""

    kind: PostKind
    title: str
    monitors: Sequence[str]
    impact: Impact
    stage: Stage
    text: str
    start: int
    until: int | None = None
    next_update: int | None = None
    alert: str = ""


class StatusPageCommands(Protocol):
    """What people publish."""

    async def publish(self, page: str, post: NewPost, by: str, *, send: bool = True) -> str | None:
        """Publish it and, where `send`, have subscribers notified; its id, or None where there is no such page."""

    async def update(
        self, page: str, post: str, stage: Stage, text: str, by: str, *, next_update: int | None = None, send: bool = True
    ) -> bool:
        """Say how it goes on; False where there is no such post."""

    async def amend(self, page: str, post: str, number: int, text: str) -> bool:
        """Write an update anew, which sends nothing; False where there is none."""

    async def retract(self, page: str, post: str, number: int | None = None) -> bool:
        """Delete an update, or with the last one, or without a number, the whole post; False where there is none."""

    async def remove_subscriber(self, page: str, subscriber: str) -> bool:
        """Remove somebody; False where there is no such subscriber of this page."""


class Subscribed(StrEnum):
    """What came of a wish to subscribe. It never says whether an address was known."""

    ASKED = "asked"
    BAD_ADDRESS = "bad_address"
    TOO_MANY = "too_many"
    NOT_OFFERED = "not_offered"


class Subscriptions(Protocol):
    """What readers do. `client` is the address that they come from, which is counted and not kept."""

    async def subscribe(self, page: str, address: str, client: str) -> Subscribed:
        """Have one question sent to a mail address; nothing else is, until it is answered."""

    async def subscribe_webhook(self, page: str, url: str, client: str) -> tuple[Subscribed, str]:
        """The same for a web address that is not an internal one, with the key that signs its messages."""

    async def invited(self, page: str, subscriber: str, token: str) -> Subscriber | None:
        """Whose link it is; None for one that we did not make, or whose subscriber is gone."""

    async def confirm(self, subscriber: Subscriber) -> None:
        """Send them what is published from now on."""

    async def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget them."""
