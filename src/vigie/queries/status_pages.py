"""Status pages: what the public sees of each, and what those who publish on them see besides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from vigie.report.public_page import PublicPage
from vigie.report.publication import Impact, Post, Subscriber
from vigie.report.status_page import StatusPage


@dataclass(frozen=True, slots=True)
class Draft:
    """What could be published about an alert, for a person to publish: made of certified facts about services of the page alone.

    `monitors` are their ids. `known` says what the report holds, for the person: it is private.
    """

    alert: str
    title: str
    text: str
    monitors: tuple[str, ...]
    impact: Impact
    start: int
    known: tuple[str, ...] = ()


class StatusPageQueries(Protocol):
    """The pages of the configuration in force. Those that read the store raise StoreError."""

    def pages(self) -> Sequence[StatusPage]:
        """All of them."""

    def page(self, name: str) -> StatusPage | None:
        """One by its name."""

    async def public(self, name: str) -> PublicPage | None:
        """What the public sees of it; None where there is no such page. It is kept, so that asking costs next to nothing.

        Where the store does not answer, what was seen before is shown.
        """

    async def posts(self, name: str) -> list[Post]:
        """Everything that was published, newest beginning first."""

    async def subscribers(self, name: str) -> list[Subscriber]:
        """Who follows it, oldest first."""

    async def drafts(self, name: str) -> tuple[Draft, ...]:
        """What could be published about open alerts of which nothing was published yet."""
