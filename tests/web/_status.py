"""Status pages over a store in memory, behind the whole application: what is published, and letters kept in a list."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from tests.web._made import Snapshot, _Made, health_of

from vigie.core.detection import Severity
from vigie.core.model import Cause, CheckResult, Incident, Monitor, Status
from vigie.engine.commands.status_pages import Publishing, Subscribing
from vigie.engine.letters import Letters
from vigie.engine.queries.status_pages import StoredStatusPages
from vigie.planning.maintenance import Maintenance
from vigie.ports import Commit
from vigie.report.letters import Mail
from vigie.report.status_page import Component, Section, StatusPage
from vigie.report.subscriptions import SubscriptionLinks
from vigie.testing.memory import MemoryStore
from vigie.web.app import build
from vigie.web.hosts import Hosts
from vigie.web.site import Commands, Site

NOW = 1_764_400_000_000
HOUR = 3_600_000


class StoppedClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.at / 1000

    async def sleep(self, seconds: float) -> None:
        self.at += round(seconds * 1000)


@dataclass
class Post:
    """A postman who keeps everything; `failing` is what he raises."""

    mails: list[tuple[str, Mail, str]] = field(default_factory=list)
    hooks: list[tuple[str, str, bytes]] = field(default_factory=list)
    failing: Exception | None = None

    async def mail(self, channel: str, mail: Mail, key: str) -> None:
        if self.failing is not None:
            raise self.failing
        self.mails.append((channel, mail, key))

    async def webhook(self, url: str, secret: str, key: str, body: bytes) -> None:
        assert key
        if self.failing is not None:
            raise self.failing
        self.hooks.append((url, secret, body))


def page(**more: Any) -> StatusPage:
    """A public page with two services."""
    usual: dict[str, Any] = {
        "name": "public",
        "title": "Maison Lumen",
        "path": "/status/public",
        "sections": (Section("", (Component("db-7", "Checkout", "checkout"), Component("web", "Shop", "shop"))),),
        "url": "https://vigie.example.com/status/public",
        "mail": "mail",
    }
    return StatusPage(**{**usual, **more})


def monitor(name: str) -> Monitor:
    """A monitor of which nothing should be seen."""
    return Monitor(name, f"{name} internal", "http", f"https://{name}.intern.example/", f"{name}.intern.example", 60_000, 10_000)


class Rig:
    """The application, and what is behind it."""

    def __init__(self, pages: Sequence[StatusPage], monitors: Sequence[Monitor] = (), planned: Sequence[Maintenance] = ()) -> None:
        self.pages, self.clock, self.store, self.post = list(pages), StoppedClock(), MemoryStore(), Post()
        self.monitors = list(monitors) or [monitor("db-7"), monitor("web")]
        publications, links = self.store.catalog.publications, SubscriptionLinks(b"k" * 32)
        self.queries = StoredStatusPages(
            self.store.archive, publications, self.clock, lambda: self.pages, lambda: self.monitors, lambda: planned
        )
        self.letters = Letters(publications, self.queries, self.clock, lambda: links, lambda: self.post)
        self.desk = Publishing(publications, self.queries, self.clock, self.letters.wake)
        self.readers = Subscribing(publications, self.queries.page, self.clock, lambda: links, self.letters.wake)
        made: Any = _Made(Snapshot((), (), health_of([], NOW), "en"))
        self.site = site = Site(
            made,
            made,
            made.setting,
            status_pages=self.queries,
            subscriptions=self.readers,
            commands=Commands(status_pages=self.desk),
        )
        self.app = build(site, Hosts(["vigie.example.com"]))

    def client(self, host: str = "127.0.0.1") -> httpx.AsyncClient:
        """Whoever asks; a browser on this machine."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=f"http://{host}")

    async def watched(self, *incidents: Incident) -> None:
        """Each monitor was checked a day ago and now, and these incidents are on record."""
        results = tuple(CheckResult(one.id, at, Status.UP, None) for one in self.monitors for at in (NOW - 24 * HOUR, NOW))
        await self.store.catalog.sync_monitors(self.monitors)
        await self.store.ledger.commit(Commit(results=results, details=results, incidents=incidents))

    async def send(self) -> None:
        """Everything that is due."""
        while await self.letters.send_due():
            pass


def incident(name: str = "db-7", start: int = NOW - HOUR, end: int | None = None, **more: Any) -> Incident:
    """An outage."""
    return Incident(f"{name}-1", name, Severity.OUTAGE, Cause.TCP_REFUSED, start, start + 5_000, end, alert=f"{name}-1", **more)
