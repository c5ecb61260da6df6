"""What the suites write into a store, and the store that is opened for a law."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from vigie.core.detection import Severity
from vigie.core.model import Cause, Certificate, CheckResult, HttpFacts, Incident, Monitor, Status, Timings, TlsFacts
from vigie.core.notification import Notice, NoticeReason
from vigie.ports import Delivery, OutboxRow, Store, StoredReport
from vigie.report.facts import Analysis, Bundle, Dropped, Evidence, Fact, FactKind

Opener = Callable[[], Store]
Law = Callable[[Opener], Awaitable[None]]

NOW = 1_767_225_600_000
DAY = 86_400_000
MONITORS = tuple(Monitor(name, name.upper(), "http", f"https://{name}.test/", name, 60_000, 10_000) for name in ("shop", "api"))


def result(monitor: str = "shop", at: int = NOW, status: Status = Status.UP, order: int = 1) -> CheckResult:
    """A whole result, with every kind of detail."""
    bad = status is not Status.UP
    certificate = Certificate("CN=shop.test", "CN=authority", NOW, NOW + DAY, "EC 256", "sha256", ("shop.test",), "00ff")
    return CheckResult(
        monitor, at, status, Cause.HTTP_STATUS if bad else None, "status 503" if bad else "", Timings(1.2, 3.4, None, 50.6, 0.7, 61.8),
        {"status": 503, "limit": 2.5, "text": "é", "seen": True}, "192.0.2.7", ("192.0.2.7", "2001:db8::7"),
        HttpFacts(503 if bad else 200, "1.1", 1, 4_096, "text/html", {"server": "nginx"}, ("https://shop.test/b",), "Shop"),
        TlsFacts("TLSv1.3", "CN=authority", "CN=shop.test", NOW + DAY, 1, (certificate,)), ("renew soon",), "local", 1, order,
    )  # fmt: skip


def incident(number: int = 1, monitor: str = "shop", at: int = NOW) -> Incident:
    """An open incident."""
    name = f"{monitor}-{number}"
    return Incident(name, monitor, Severity.OUTAGE, Cause.HTTP_STATUS, at - 10_000, at, alert=name)


def row(reason: NoticeReason = NoticeReason.OPENED, due_at: int = NOW, *, channel: str = "mail", of: str = "shop-1") -> OutboxRow:
    """A notice that must be told."""
    return OutboxRow(Notice(of, of.partition("-")[0], channel, reason, NOW), due_at)


def sent(one: OutboxRow, at: int = NOW, failure: str | None = None) -> Delivery:
    """An attempt at a notice."""
    return Delivery.of(one.notice, at, one.attempts + 1, failure, "250 queued", 12)


def report(made_at: int = NOW, sentence: str = "The server answers 503.") -> StoredReport:
    """A report with evidence and analysis."""
    evidence = Evidence(
        FactKind.HTTP, "status", 503, "Le statut est 503.", "The status is 503.", NOW, "check", renderings=("503",), bad=True
    )
    analysis = Analysis("llama3", "en", (sentence,), (Dropped("number", "It took 9 s."),), "http.status", 1_200)
    return StoredReport("shop-1", Bundle("shop-1", NOW, (Fact("F1", evidence),)), analysis, None, made_at)


@asynccontextmanager
async def opened(opener: Opener) -> AsyncIterator[Store]:
    """The store, with the monitors it watches, closed at the end."""
    store = opener()
    try:
        await store.catalog.sync_monitors(MONITORS)
        yield store
    finally:
        await store.close()


def keys(rows: list[OutboxRow]) -> list[str]:
    """The keys of rows."""
    return [one.notice.key for one in rows]
