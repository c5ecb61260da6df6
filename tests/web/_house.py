"""A house of services as pages see it: alerts, reports, notices and checks in a store in memory, and the site over it."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import Any, TypeVar

from starlette.types import ASGIApp

from vigie.clock import SystemClock
from vigie.core.detection import DetectionPolicy
from vigie.core.events import Acked
from vigie.core.model import Cause, Certificate, CheckResult, HttpFacts, Monitor, Status, Timings, TlsFacts
from vigie.core.notification import NotificationPolicy
from vigie.engine.commands.alerts import AlertDesk
from vigie.engine.ingest import Ingest
from vigie.engine.messages import Composer
from vigie.engine.queries import StoredQueries
from vigie.engine.queries.alerts import StoredAlerts
from vigie.engine.queries.details import StoredDetails
from vigie.ports import Batch, Delivery, OutboxCounts, StoredReport
from vigie.queries import Health
from vigie.report import measured
from vigie.report.facts import Analysis, Bundle, Dropped, Evidence, FactKind
from vigie.report.history import Remark
from vigie.report.render import RenderContext
from vigie.testing.memory import MemoryStore
from vigie.web.app import build
from vigie.web.site import Commands, Site

T = TypeVar("T")
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
ADDRESS = "203.0.113.24"
NAMES = ("Checkout", "Card payments", "Cart API", "Customer account", "Storefront", "Gift cards", "Returns portal", "Wish lists",
         "Invoices", "3-D Secure callback", "PayPal return", "Product feed")  # fmt: skip


class Pulse:
    """The health of a Vigie that works."""

    def __init__(self, clock: SystemClock, count: int) -> None:
        self._clock, self._count = clock, count

    async def health(self) -> Health:
        now = self._clock.now()
        return Health("1.0", now - DAY, now, now - 1_000, OutboxCounts(0, 0), {Status.UP: self._count}, 1, stalled=False, late_p99_ms=38)


@dataclass
class House:
    """The store and what works on it."""

    store: MemoryStore
    clock: SystemClock
    monitors: list[Monitor]
    language: str = "en"
    zone: tzinfo = UTC
    batches: int = 0

    def __post_init__(self) -> None:
        self.ingest = Ingest(self.store.ledger, self.store.archive, self.clock, hold_ms=0)
        self.composer = Composer(self.store.archive, self.clock, self.setting(), {one.id: one for one in self.monitors})
        self.extra: dict[str, Any] = {}

    async def take(self, results: list[CheckResult]) -> None:
        """As a prober would hand them over."""
        self.batches += 1
        await self.ingest.take(Batch("local", 1, self.batches, tuple(results)))

    def setting(self) -> RenderContext:
        return RenderContext(self.language, self.zone)

    def site(self) -> Site:
        queries = StoredQueries(self.store, lambda: self.monitors)
        alerts = StoredAlerts(self.store, self.composer, self.ingest.alerts)
        commands = Commands(alerts=AlertDesk(self.store, self.ingest, self.clock), monitors=self.extra.pop("desk", None))
        details = StoredDetails(
            self.store, self.clock, queries.monitors, lambda name: next((one for one in self.monitors if one.id == name), None)
        )
        return Site(
            queries, Pulse(self.clock, len(self.monitors)), self.setting, alerts=alerts, details=details, commands=commands, **self.extra
        )

    def app(self) -> ASGIApp:
        return build(self.site())


class Desk:
    """Checks at once; every check finds what is said here."""

    def __init__(self, result: CheckResult, sentences: tuple[str, ...] = ("Port 22 answers.",)) -> None:
        self.result, self.sentences, self.asked = result, sentences, list[str]()

    async def check_now(self, monitor: str) -> CheckResult | None:
        self.asked.append(monitor)
        return replace(self.result, monitor=monitor)

    async def diagnose(self, monitor: str) -> tuple[str, ...] | None:
        self.asked.append(monitor)
        return self.sentences


def monitor(name: str, **values: Any) -> Monitor:
    slug = "".join(one if one.isalnum() else "-" for one in name.lower())[:60]
    host = values.pop("host", f"{slug}.lumen.example")
    found = Monitor(
        slug,
        name,
        "http",
        f"https://{host}/health",
        host,
        30_000,
        5_000,
        DetectionPolicy(confirm=3, recover=2, flapping=False),
        NotificationPolicy(to=("ops-alerts", "anna-mail", "sms")),
        ("shop", "tier-1"),
    )
    return replace(found, **values)


def refused(of: Monitor, at: int, order: int = 1) -> CheckResult:
    return CheckResult(
        of.id, at, Status.DOWN, Cause.TCP_REFUSED, f"connection refused by {ADDRESS} port 443", Timings(4.2, 0.6, total=4.8),
        {"address": ADDRESS, "port": 443}, ADDRESS, (ADDRESS,), run=1, sequence=order,
    )  # fmt: skip


def well(of: Monitor, at: int, order: int = 1, total: float = 182.0) -> CheckResult:
    certificates = (
        Certificate(f"CN={of.host}", "CN=R11, O=Let's Encrypt", at - 29 * DAY, at + 61 * DAY, "EC 256", "ecdsa-with-SHA384", (of.host,)),
        Certificate("CN=R11,O=Let's Encrypt,C=US", "CN=ISRG Root X1", at - DAY, at + 103 * DAY, "RSA 2048", "sha256"),
    )
    return CheckResult(
        of.id, at, Status.UP, None, "", Timings(6, 12, 25, total - 66, 23, total), {}, ADDRESS, (ADDRESS,), HttpFacts(200, "2", headers={"server": "nginx"}),
        TlsFacts("TLSv1.3", "CN=R11", f"CN={of.host}", at + 61 * DAY, 61, certificates), run=1, sequence=order,
    )  # fmt: skip


def evidence(now: int) -> list[Evidence]:
    def one(kind: FactKind, name: str, value: Any, en: str, fr: str, *, bad: bool | None) -> Evidence:
        return Evidence(kind, name, value, fr, en, now, "diagnostics", bad=bad)

    return [
        one(FactKind.TCP, f"address.{ADDRESS}", ADDRESS, f"{ADDRESS} refuses the connection on port 443.", f"{ADDRESS} refuse la connexion sur le port 443.", bad=True),
        one(FactKind.TCP, "other_port", 22, f"Port 22 of {ADDRESS} accepts a connection in 2 ms.", f"Le port 22 de {ADDRESS} accepte une connexion en 2 ms.", bad=False),
        one(FactKind.DNS, "resolver.second", "same", "The second resolver gives the same addresses.", "Le second résolveur donne les mêmes adresses.", bad=False),
        one(FactKind.CONTROL, "link", "fine", "Vigie's own link is fine: 3 of 3 control targets answer.", "La connexion de Vigie fonctionne : 3 cibles sur 3 répondent.", bad=False),
        one(FactKind.SIBLINGS, "siblings.address", 12, f"All 12 services at {ADDRESS} fail.", f"Les 12 services sur {ADDRESS} échouent.", bad=True),
        one(FactKind.HISTORY, "similar", 1, "1 similar incident in 90 days; the last one lasted 7 min 40 s.", "1 incident semblable en 90 jours ; le dernier a duré 7 min 40 s.", bad=None),
    ]  # fmt: skip


async def house(names: tuple[str, ...] = NAMES, *, language: str = "en", minutes: int = 6, model: bool = True, over: bool = False) -> House:
    """Services behind one address that refuse connections since a few minutes: one alert with its report and notices."""
    store, clock = MemoryStore(), SystemClock()
    watched = [monitor(name) for name in names]
    made = House(store, clock, watched, language)
    now = clock.now()
    start = now - minutes * MINUTE
    await store.catalog.sync_monitors(watched)
    await made.ingest.start(watched)
    await made.ingest.configure(watched)
    first = f"{watched[0].id}-1"
    await made.take([well(one, start - 30_000, 1) for one in watched])
    for check in range(3):
        await made.take([refused(one, start + number * 500 + check * 5_000, 2 + check) for number, one in enumerate(watched)])
    await made.ingest.wake(now, everything=True)  # others were waited for
    rows = [one.row for one in await store.ledger.notices(alert=first)]
    for row in rows:
        failed = {"anna-mail": ("timeout", "451 4.7.1 try again later"), "sms": ("server", "503 from the provider")}.get(row.notice.channel)
        if failed is not None:
            await store.ledger.record(Delivery.of(row.notice, start + 13_000, 1, *failed, 40), now + 60_000)
        if row.notice.channel != "sms":
            late = 31_400 if failed else 1_400
            await store.ledger.record(Delivery.of(row.notice, start + 10_000 + late, 2 if failed else 1, None, "250 queued", 40))
    if over:
        await made.ingest.handle(watched[0].id, Acked(start + 90_000, "Marc Aubry"))
        for check in range(3):
            await made.take([well(one, now - 60_000 + number * 500 + check * 5_000, 9 + check) for number, one in enumerate(watched)])
    incident = await store.archive.incident(first)
    assert incident is not None
    subject = await made.composer.subject(incident)
    bundle = measured.bundle(subject, evidence(now), start + 20_000, UTC)
    await store.ledger.save_report(
        StoredReport(
            first, bundle, analysis(bundle, language) if model else None, None if model else "no model is configured", start + 26_000
        ),
        now,
        (),
    )
    await store.catalog.save_remark(Remark(first, now - 60_000, "Anna Keller", None, "", "HAProxy did not survive its last reload"))
    return made


def analysis(bundle: Bundle, language: str = "en") -> Analysis:
    """What a model wrote about it, certified; one sentence was not."""
    by_name = {fact.evidence.name: fact for fact in bundle.facts}
    names = ("cause", f"address.{ADDRESS}", "other_port", "resolver.second", "link")
    chosen = [by_name[name] for name in names if name in by_name]
    sentences = tuple(one.evidence.sentence(language) for one in chosen)
    dropped = (Dropped("cause", "The proxy crashed because the host ran out of memory."),)
    return Analysis("llama3", language, sentences, dropped, "host_down", 13_000, cited=tuple((one.id,) for one in chosen))


def ran(work: Coroutine[Any, Any, T]) -> T:
    """What it gives, on a loop and thread of its own: a browser's tests have a loop that is running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def made(**values: Any) -> House:
    """The same from a test without a loop."""
    return ran(house(**values))
