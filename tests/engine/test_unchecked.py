"""Monitors that cannot be checked: one notice for one obstacle, over single cycles and restarts; and what expires, from a check to a message."""

from dataclasses import replace
from datetime import UTC

import pytest

from vigie.core.events import Acked
from vigie.core.model import Cause, CheckResult, Expiry, ExpiryKind, FaultScope, Monitor, Status
from vigie.core.subject import SubjectKind
from vigie.engine.availability import standings
from vigie.engine.ingest import Ingest
from vigie.engine.messages import Composer
from vigie.engine.queries.health import RunningHealth
from vigie.engine.self_monitor import SelfMonitor
from vigie.ports import Batch, OutboxState, RunMode
from vigie.report.facts import Message
from vigie.report.render import RenderContext
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor, policies
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NO_BROWSER = "Chromium is not installed on this machine"
POLICY = policies(confirm=2, recover=1, to=("mail",), remind_ms=4 * HOUR)


class Vigie:
    """Single cycles over one store: each is a process of its own."""

    def __init__(self, clock: VirtualClock, *monitors: Monitor, language: str = "en") -> None:
        self.store, self.clock, self.monitors, self.run, self.language = MemoryStore(), clock, monitors, 0, language

    async def cycle(self, *results: CheckResult, after_ms: int = 5 * MINUTE) -> list[Message]:
        """One cycle, a while after the one before: the messages that it sends."""
        await self.clock.sleep(after_ms / 1000)
        self.run += 1
        self.ingest = Ingest(self.store.ledger, self.store.archive, self.clock, hold_ms=0)
        ours = SelfMonitor(
            self.store.ledger, self.store.archive, self.ingest, self.clock, lambda: None, continuous=False, elapsed=self.clock.monotonic
        )
        self.ingest.listen_to_results(ours.on_transition)
        await self.ingest.start(self.monitors)
        await self.ingest.configure(self.monitors)
        ours.use(self.monitors, 2 * MINUTE, self.monitors)
        await ours.start()
        for number, result in enumerate(results, 1):
            named = replace(result, at=self.clock.now(), run=self.run, sequence=number)
            await self.ingest.take(Batch(result.monitor, self.run, number, (named,), RunMode.SINGLE))
        await self.ingest.wake(self.clock.now())
        return await self.sent()

    async def sent(self) -> list[Message]:
        """What waits is sent."""
        setting = RenderContext(self.language, UTC)
        known = {one.id: one for one in self.monitors}
        composer = Composer(self.store.archive, self.clock, setting, known, lambda one: self.ingest.state(one).expiries)
        found = []
        for row in await self.store.ledger.outbox(OutboxState.WAITING):
            found.append(await composer.compose(row.notice))
            self.store.data.rows[row.notice.key].state = OutboxState.DELIVERED
        return found


def own(monitor: str, message: str = NO_BROWSER, **figures: str) -> CheckResult:
    return CheckResult(monitor, 0, Status.UNKNOWN, Cause.PROBE_ERROR, message, figures=dict(figures))


def up(monitor: str, *expiries: Expiry) -> CheckResult:
    return CheckResult(monitor, 0, Status.UP, expiries=expiries)


async def test_one_notice_for_forty_monitors_without_a_browser_and_one_at_the_end(clock: VirtualClock) -> None:
    names = [f"page-{number}" for number in range(40)]
    vigie = Vigie(clock, *(fake_monitor(name, policy=POLICY) for name in names))
    assert await vigie.cycle(*(own(name) for name in names)) == []
    (opened,) = await vigie.cycle(*(own(name) for name in names))
    assert opened.headline == f"⚠️ Vigie cannot check 40 services: {NO_BROWSER}"
    assert sum(line.startswith("page-") for line in opened.lines) == 30
    assert "… +10" in opened.lines
    assert await vigie.cycle(*(own(name) for name in names)) == []
    incidents = await vigie.store.archive.incidents(open_only=True)
    assert {(one.subject, one.alert) for one in incidents} == {(SubjectKind.VIGIE, "page-0-1")}
    (over,) = await vigie.cycle(*(up(name) for name in names))
    assert over.headline == "🟢 Vigie can check 40 services again"
    assert await vigie.store.archive.incidents(open_only=True) == []


async def test_who_comes_later_is_announced_with_the_others_of_an_hour(clock: VirtualClock) -> None:
    names = ["a", "b", "c"]
    vigie = Vigie(clock, *(fake_monitor(name, policy=POLICY) for name in names))
    await vigie.cycle(own("a"), up("b"), up("c"))
    assert len(await vigie.cycle(own("a"), own("b"), own("c"))) == 1
    assert await vigie.cycle(own("a"), own("b"), own("c")) == []
    (again,) = await vigie.cycle(own("a"), own("b"), own("c"), after_ms=HOUR)
    assert again.headline == f"⚠️ Vigie still cannot check 3 services: {NO_BROWSER}"
    assert await vigie.cycle(own("a"), own("b"), own("c"), after_ms=HOUR) == []


async def test_different_obstacles_have_threads_of_their_own(clock: VirtualClock) -> None:
    vigie = Vigie(clock, fake_monitor("a", policy=POLICY), fake_monitor("b", policy=POLICY))
    await vigie.cycle(own("a"), own("b", "another"))
    found = await vigie.cycle(own("a"), own("b", "another"))
    assert [one.thread for one in found] == ["a-1", "b-1"]


async def test_an_acknowledgement_ends_the_reminders(clock: VirtualClock) -> None:
    vigie = Vigie(clock, fake_monitor("a", policy=POLICY))
    await vigie.cycle(own("a"))
    await vigie.cycle(own("a"))
    assert len(await vigie.cycle(own("a"), after_ms=4 * HOUR)) == 1
    await vigie.ingest.handle("a", Acked(clock.now(), "zoe"))
    assert await vigie.cycle(own("a"), after_ms=9 * HOUR) == []


async def test_what_keeps_vigie_from_everything_is_told_by_its_own_notice_alone(clock: VirtualClock) -> None:
    vigie = Vigie(clock, fake_monitor("a", policy=POLICY))
    network = CheckResult("a", 0, Status.UNKNOWN, Cause.PROBE_NETWORK, "no way out")
    asleep = replace(own("a"), scope=FaultScope.MACHINE)
    for result in (network, network, asleep, asleep):
        assert await vigie.cycle(result) == []
    assert all(one.monitor == "vigie" for one in await vigie.store.archive.incidents())


async def test_the_time_is_left_out_of_availability_over_single_cycles(clock: VirtualClock) -> None:
    vigie = Vigie(clock, fake_monitor("a", policy=POLICY))
    await vigie.cycle(up("a"))
    start = clock.now()
    for _ in range(6):
        await vigie.cycle(own("a"))
    meanwhile = (await standings(vigie.store.archive, start, clock.now()))["a"]
    await vigie.cycle(up("a"))
    await vigie.cycle(up("a"))
    after = (await standings(vigie.store.archive, start, clock.now()))["a"]
    assert meanwhile.blind_ms == 25 * MINUTE
    assert (after.blind_ms, after.known.down_ms, after.outages) == (30 * MINUTE, 0, 0)


async def test_a_monitor_that_is_removed_meanwhile_is_closed(clock: VirtualClock) -> None:
    vigie = Vigie(clock, fake_monitor("a", policy=POLICY), fake_monitor("b", policy=POLICY))
    await vigie.cycle(own("a"), up("b"))
    await vigie.cycle(own("a"), up("b"))
    vigie.monitors = vigie.monitors[1:]
    await vigie.cycle(up("b"))
    (incident,) = await vigie.store.archive.incidents()
    assert incident.closed_by == "vigie"


async def test_the_reason_is_said_in_the_reader_s_language(clock: VirtualClock) -> None:
    vigie = Vigie(clock, fake_monitor("a", policy=POLICY), language="fr")
    why = {"obstacle": "ca_file", "file": "/etc/ca.pem", "why": "No such file or directory"}
    await vigie.cycle(own("a", "the file …", **why))
    (opened,) = await vigie.cycle(own("a", "the file …", **why))
    assert opened.headline.startswith("⚠️ Vigie ne peut pas contrôler a : le fichier des autorités de confiance /etc/ca.pem est inutil")
    assert "/etc/ca.pem est inutilisable (No such file or directory)." in opened.lines[0]


async def test_health_names_them(clock: VirtualClock) -> None:
    vigie = Vigie(clock, fake_monitor("a", policy=POLICY), fake_monitor("b", policy=POLICY))
    await vigie.cycle(own("a"), up("b"))
    await vigie.cycle(own("a"), up("b"))
    health = await RunningHealth(vigie.store.ledger, vigie.ingest, clock, lambda: vigie.monitors, lambda: None).health()
    assert (health.unchecked, health.with_incident) == (("a",), 0)


def cert(clock: VirtualClock, days: float, of: str = "shop.test:443") -> Expiry:
    end = 1_780_000_000_000 + round(days * DAY)
    return Expiry(of, ExpiryKind.CERTIFICATE, "*.shop.test", end, end - 14 * DAY, place="192.0.2.1")


async def test_a_certificate_of_many_monitors_is_announced_once_a_step_and_renewed_when_all_have_it(clock: VirtualClock) -> None:
    await clock.sleep((1_780_000_000_000 - 8 * DAY - clock.now()) / 1000)
    old, new = {one: cert(clock, 0, f"{one}.test:443") for one in "ab"}, {one: cert(clock, 80, f"{one}.test:443") for one in "ab"}
    vigie = Vigie(clock, fake_monitor("a", policy=POLICY), fake_monitor("b", policy=POLICY))
    (first,) = await vigie.cycle(up("a", old["a"]), up("b", old["b"]))
    assert first.headline == "🟠 a: certificate expires in 7 days"
    assert first.lines[0] == "The certificate for “*.shop.test” expires in 7 days, on 28 May 2026."
    assert "Services concerned: a, b." in first.lines
    for _ in range(3):
        assert await vigie.cycle(up("a", old["a"]), up("b", old["b"])) == []
    (second,) = await vigie.cycle(up("a", old["a"]), up("b", old["b"]), after_ms=2 * DAY)
    assert second.thread == first.thread
    for _ in range(3):
        assert await vigie.cycle(up("a", new["a"]), up("b", old["b"]), after_ms=15 * MINUTE) == []
    (renewed,) = await vigie.cycle(up("a", new["a"]), up("b", new["b"]), after_ms=15 * MINUTE)
    assert (renewed.headline, renewed.thread) == ("🟢 b: certificate renewed", first.thread)
    assert renewed.lines[0] == "The certificate for “*.shop.test” was renewed: the new one is valid until 16 August 2026."
    assert await vigie.cycle(up("a", new["a"]), up("b", new["b"]), after_ms=15 * MINUTE) == []


async def test_an_expiry_is_no_degradation_to_be_announced_or_reminded_of(clock: VirtualClock) -> None:
    """Who asked for degradations gets the steps in their place."""
    await clock.sleep((1_780_000_000_000 - 6 * DAY - clock.now()) / 1000)
    vigie = Vigie(clock, fake_monitor("a", policy=policies(confirm=1, recover=1, to=("mail",), degraded_to=("chat",), remind_ms=HOUR)))
    bad = replace(up("a", cert(clock, 0)), status=Status.DEGRADED, cause=Cause.TLS_EXPIRING, message="6 days")
    (first,) = await vigie.cycle(bad)
    assert first.key.endswith(":chat")
    assert await vigie.cycle(bad, after_ms=6 * HOUR) == []
    assert [one.cause for one in await vigie.store.archive.incidents(open_only=True)] == [Cause.TLS_EXPIRING]


async def test_a_slow_service_does_not_hide_that_its_certificate_expires(clock: VirtualClock) -> None:
    await clock.sleep((1_780_000_000_000 - 6 * DAY - clock.now()) / 1000)
    vigie = Vigie(clock, fake_monitor("a", policy=POLICY))
    slow = replace(up("a", cert(clock, 0)), status=Status.DEGRADED, cause=Cause.LATENCY_THRESHOLD, message="slow")
    assert [one.headline for one in await vigie.cycle(slow)] == ["🟠 a: certificate expires in 5 days"]
