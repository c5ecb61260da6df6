"""What is usual, held beside ingest: judged before a decision, written now and then, there again after a restart."""

from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

import pytest

from vigie.core.detection import Severity
from vigie.core.events import Resolved
from vigie.core.model import Cause, CheckResult, Monitor, PageFacts, Sensitivity, Status, Timings
from vigie.core.notification import NoticeReason
from vigie.engine.baselines import Baselines
from vigie.engine.ingest import Ingest
from vigie.engine.messages import Composer
from vigie.engine.transition import Transition
from vigie.learning.baseline import Baseline
from vigie.ports import Batch, OutboxState, Store
from vigie.report.render import RenderContext
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor, fake_result, policies
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = 1_767_225_600_000
SHOP = fake_monitor(policy=policies(confirm=2, recover=2, to=("mail",), degraded_to=("chat",)))
PAGE = PageFacts("d", 9_000, 300, "t", "text/html", ("main", "nav"), ("cdn.example",))


def quick(at: int, ms: float = 100.0, order: int = 0, address: str | None = None, page: PageFacts | None = None) -> CheckResult:
    return CheckResult(
        "shop",
        at,
        Status.UP,
        timings=Timings(first_byte=ms * 0.9, transfer=ms * 0.1, total=ms),
        run=order >> 32,
        sequence=order & 0xFFFFFFFF,
        address=address,
        page=page,
    )


@dataclass
class Intake:
    """An ingest over a store, fed with results of a monitor a few minutes apart."""

    ingest: Ingest
    turns: list[Transition]
    at: int = START
    order: int = 0

    async def see(self, count: int, ms: float = 100.0, step: int = 5 * MINUTE, page: PageFacts | None = None) -> list[Status]:
        found = []
        for _ in range(count):
            self.order += 1
            result = quick(self.at, ms, (1 << 32) + self.order, page=page)
            await self.ingest.take(Batch("local", 1, self.order, (result,)))
            found.append(self.ingest.state("shop").status or Status.UNKNOWN)
            self.at += step
        return found

    def decisions(self) -> list[str]:
        return [type(one).__name__ for turn in self.turns for one in turn.decisions]


async def desk(store: Store, clock: VirtualClock, monitor: Monitor = SHOP) -> Intake:
    turns: list[Transition] = []

    async def hear(turn: Transition) -> None:
        turns.append(turn)

    ingest = Ingest(store.ledger, store.archive, clock, hold_ms=0, listeners=[hear])
    await store.catalog.sync_monitors([monitor])
    await ingest.start()
    await ingest.configure([monitor])
    return Intake(ingest, turns)


async def test_a_lasting_slowness_is_a_degradation_that_is_told_with_its_figures(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    await ours.see(12 * 24 * 8)
    assert ours.turns == []
    assert (await ours.see(9, 300.0))[4:] == [Status.UP, *[Status.DEGRADED] * 4]
    assert ours.decisions() == ["Suspected", "Opened", "Announced"]
    (row,) = await store.ledger.outbox(OutboxState.WAITING)
    message = await Composer(store.archive, clock, RenderContext("fr", UTC), {"shop": SHOP}).compose(row.notice)
    assert (row.notice.channel, message.severity) == ("chat", Severity.DEGRADATION)
    assert any("plus lent que d'habitude (premier octet : 270 ms au lieu de" in line for line in message.lines)
    await ours.see(8)
    assert ours.decisions() == ["Suspected", "Opened", "Announced", "Recovered", "Ended"]


async def test_a_notice_of_a_degradation_is_not_about_an_outage_of_long_ago(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    for order, status in enumerate((Status.DOWN, Status.UP, Status.DEGRADED, Status.DEGRADED), 1):
        at = START + order * MINUTE
        await ours.ingest.take(Batch("x", 1, order, (fake_result("shop", status, at, order),)))
    (row,) = await store.ledger.outbox(OutboxState.WAITING)
    message = await Composer(store.archive, clock, RenderContext("en", UTC), {"shop": SHOP}).compose(row.notice)
    assert "refused" not in " ".join(message.lines)


async def test_what_was_learnt_is_there_after_a_restart(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    await ours.see(12 * 24 * 8 + 5)
    learnt = dict(ours.ingest._baselines._known)
    await ours.ingest.close()
    await store.close()
    again = await desk(store.reopen(), clock)
    assert again.ingest._baselines._known == learnt
    again.at, again.order = ours.at, ours.order
    assert Status.DEGRADED in await again.see(8, 300.0)


async def test_it_is_written_once_an_hour_and_when_a_verdict_changed(clock: VirtualClock) -> None:
    store = MemoryStore()
    ours = await desk(store, clock)
    await ours.see(60 * 10, step=MINUTE)
    assert sum(bool(commit.baselines) for commit in store.commits) == 10
    await ours.see(60 * 24 * 8, step=MINUTE)
    store.commits.clear()
    await ours.see(20, 300.0, step=MINUTE)
    assert sum(bool(commit.baselines) for commit in store.commits) == 2
    assert ((await store.ledger.load()).baselines)["shop"].told
    await ours.ingest.close()
    store.commits.clear()
    await ours.ingest.close()
    assert store.commits == [], "what was written is not written again"


async def test_a_repeated_result_teaches_nothing(clock: VirtualClock) -> None:
    ours = await desk(MemoryStore(), clock)
    await ours.see(30)
    before = ours.ingest._baselines._known["shop"]
    repeated = quick(ours.at + HOUR, 900.0, order=(1 << 32) + 3)
    await ours.ingest.take(Batch("other", 1, 1, (repeated,)))
    assert ours.ingest._baselines._known["shop"] is before


async def test_a_monitor_may_do_without(clock: VirtualClock) -> None:
    ours = await desk(MemoryStore(), clock, replace(SHOP, baseline=Sensitivity.OFF))
    await ours.see(12 * 24 * 8)
    assert set(await ours.see(20, 900.0)) == {Status.UP}


async def test_a_person_who_closes_the_incident_accepts_the_new_normal(clock: VirtualClock) -> None:
    store = MemoryStore()
    ours = await desk(store, clock)
    await ours.see(12 * 24 * 8, page=PAGE)
    assert (await ours.see(9, 300.0))[-1] is Status.DEGRADED
    await ours.ingest.handle("shop", Resolved(ours.at, "ana"))
    assert set(await ours.see(30, 300.0)) == {Status.UP}
    await ours.see(3, 300.0, page=replace(PAGE, digest="e", scripts=("evil.example",)))
    assert ours.ingest.state("shop").cause is Cause.CONTENT_CHANGED
    await ours.ingest.handle("shop", Resolved(ours.at, "ana"))
    assert set(await ours.see(5, 300.0)) == {Status.UP}
    reasons = [row.notice.reason for row in await store.ledger.outbox(OutboxState.WAITING)]
    assert reasons == [NoticeReason.OPENED, NoticeReason.CLOSED] * 2


def crowd(count: int, days: int = 8, same_address: bool = False) -> tuple[Baselines, list[Monitor], int]:
    """So many monitors with a baseline each."""
    ours, monitors = Baselines(), [fake_monitor(f"m{number}") for number in range(count)]
    for number in range(12 * 24 * days):
        for monitor in monitors:
            address = "192.0.2.1" if same_address else f"192.0.2.{monitors.index(monitor)}"
            assert ours.judge(monitor, quick(START + number * 5 * MINUTE, address=address)).status is Status.UP
    return ours, monitors, START + days * DAY


def told(ours: Baselines, monitors: list[Monitor], at: int, slow: int, same_address: bool = False) -> int:
    """How many are called slow when so many of them are."""
    found: set[str] = set()
    for number in range(12):
        for index, monitor in enumerate(monitors):
            address = "192.0.2.1" if same_address else f"192.0.2.{index}"
            result = quick(at + number * 5 * MINUTE, 300.0 if index < slow else 100.0, address=address)
            if ours.judge(monitor, result).status is Status.DEGRADED:
                found.add(monitor.id)
    return len(found)


async def test_when_everything_is_slow_at_once_it_is_us(caplog: pytest.LogCaptureFixture) -> None:
    assert told(*crowd(8), slow=7) == 0
    assert caplog.text.count("no service is marked degraded") == 1


async def test_when_some_are_slow_it_is_them() -> None:
    assert told(*crowd(8), slow=3) == 3


async def test_many_services_at_one_address_are_one_address() -> None:
    ours, monitors, at = crowd(6, same_address=True)
    assert told(ours, monitors, at, slow=6, same_address=True) == 6


async def test_services_that_are_watched_no_more_do_not_count() -> None:
    ours, monitors, at = crowd(12)
    ours.keep({monitor.id for monitor in monitors[:5]})
    assert told(ours, monitors[:5], at, slow=4) == 0


async def test_a_baseline_that_cannot_be_read_is_learnt_anew(tmp_path: Path, clock: VirtualClock) -> None:
    store = SqliteStore(tmp_path / "vigie.db", threads=False)
    ours = await desk(store, clock)
    await ours.see(3)
    await ours.ingest.close()
    store.ledger._worker.db.execute("INSERT OR REPLACE INTO baseline VALUES ('broken', x'01ff'), ('newer', x'09')")
    found = (await store.ledger.load()).baselines
    assert set(found) == {"shop"}
    assert isinstance(found["shop"], Baseline)


def test_what_all_learn_at_the_turn_of_an_hour_is_not_written_all_at_once() -> None:
    monitors = [replace(fake_monitor(f"m{number}"), baseline=Sensitivity.NORMAL) for number in range(3_000)]
    known, hour = Baselines(), 1_767_225_600_000
    for at in (hour - 60_000, hour):
        for one in monitors:
            known.judge(one, CheckResult(one.id, at, Status.UP, timings=Timings(total=20.0)))
    written = list[str]()
    for second in range(1_800):
        part = [key for key, _ in known.due(hour + second * 1_000)]
        assert len(part) <= (100 if second == 0 else 2)
        assert not known.due(hour + second * 1_000 + 500)
        written += part
    assert sorted(written) == sorted(one.id for one in monitors)
