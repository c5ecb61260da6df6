"""Results become decisions and rows, in one transaction; nobody is told before it."""

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from typing import Any

import pytest

from vigie.core.events import Acked, Closed, Ended, Opened, Recovered, Resolved
from vigie.core.incident import Phase
from vigie.core.model import CheckResult, Monitor, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.engine.ingest import Ingest
from vigie.engine.transition import Transition
from vigie.errors import StoreError, StoreFault
from vigie.ports import Batch, Commit, Delivery, OutboxState
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor, fake_result, policies
from vigie.testing.memory import MemoryStore
from vigie.testing.memory.ledger import MemoryLedger
from vigie.testing.windows import Window, one_off

pytestmark = pytest.mark.virtual
UP, DOWN, DEGRADED, UNKNOWN = Status.UP, Status.DOWN, Status.DEGRADED, Status.UNKNOWN

BASIC: dict[str, Any] = {"confirm": 2, "confirm_every_ms": 1_000, "recover": 2, "flapping": False, "to": ("mail",)}


class Failing:
    """A ledger whose commits fail `times` times; everything else goes to the real one."""

    def __init__(self, ledger: MemoryLedger, times: int) -> None:
        self._ledger, self.times = ledger, times

    def __getattr__(self, name: str) -> object:
        return getattr(self._ledger, name)

    async def commit(self, change: Commit) -> None:
        if self.times > 0:
            self.times -= 1
            raise StoreError(StoreFault.FULL, "the disk is full", "free some space")
        await self._ledger.commit(change)


@dataclass
class Intake:
    """An ingest over a store, what it told, and a counter for batches."""

    ingest: Ingest
    store: MemoryStore
    clock: VirtualClock
    turns: list[Transition]
    run: int = 1
    sequence: int = 0
    order: int = 0

    async def see(self, *statuses: Status, monitor: str = "shop") -> None:
        """One result a second."""
        for status in statuses:
            await self.clock.sleep(1)
            await self.ingest.take(self.batch(self.result(status, monitor)))

    def result(self, status: Status, monitor: str = "shop") -> CheckResult:
        self.order += 1
        return fake_result(monitor, status, self.clock.now(), (self.run << 32) + self.order)

    def batch(self, *results: CheckResult) -> Batch:
        self.sequence += 1
        return Batch("local", self.run, self.sequence, results)

    def decisions(self) -> list[str]:
        return [type(one).__name__ for turn in self.turns for one in turn.decisions]

    async def keys(self) -> list[str]:
        return [row.notice.key for row in await self.store.ledger.outbox(OutboxState.WAITING)]


async def desk(store: MemoryStore, clock: VirtualClock, *monitors: Monitor, hold_ms: int = 0, failures: int = 0) -> Intake:
    turns: list[Transition] = []

    async def hear(turn: Transition) -> None:
        turns.append(turn)

    through = Failing(store.ledger, failures) if failures else store.ledger
    ingest = Ingest(through, store.archive, clock, hold_ms=hold_ms, listeners=[hear], circumstances_at=one_off)  # type: ignore[arg-type]
    wanted = list(monitors) or [fake_monitor()]
    await store.catalog.sync_monitors(wanted)
    await ingest.start()
    await ingest.configure(wanted)
    return Intake(ingest, store, clock, turns)


async def test_an_outage_is_opened_told_and_closed_exactly_once(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    await ours.see(UP, DOWN, DOWN, DOWN, DOWN, UP, UP, UP)
    assert ours.decisions() == ["Suspected", "Opened", "Announced", "Recovered", "Ended"]
    assert await ours.keys() == ["shop-1:opened:mail", "shop-1:recovered:mail"]
    incident = (await store.archive.incidents())[0]
    assert incident.opened_at - incident.started_at == 1_000
    assert incident.closed_at is not None
    assert [type(entry.decision) for entry in await store.archive.timeline("shop-1")] == [Opened, Recovered]


async def test_a_blip_tells_nobody(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    await ours.see(UP, DOWN, UP, UP, DOWN, UP)
    assert ours.decisions() == ["Suspected", "Cleared"] * 2
    assert await ours.keys() == []


async def test_vigies_own_faults_accuse_nobody(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    await ours.see(UP, *[UNKNOWN] * 20)
    assert ours.decisions() == []
    assert ours.ingest.state("shop").status is UNKNOWN


async def test_a_batch_that_comes_twice_changes_nothing(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    await ours.see(UP)
    batch = ours.batch(ours.result(DOWN))
    for _ in range(3):
        await ours.ingest.take(batch)
    assert ours.ingest.state("shop").outage.count == 1


async def test_the_same_results_in_another_batch_change_nothing(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    down = ours.result(DOWN)
    for _ in range(3):
        await ours.ingest.take(ours.batch(down))
    assert ours.ingest.state("shop").outage.count == 1


async def test_a_restart_knows_what_was_taken_in(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    await ours.see(DOWN, DOWN)
    again = await desk(store, clock)
    again.order = ours.order
    await again.ingest.take(Batch("local", 1, ours.sequence, (ours.result(DOWN),)))
    assert again.turns == []
    again.run = 2
    await again.see(DOWN, UP, UP)
    assert again.decisions() == ["Recovered", "Ended"]


async def test_results_of_monitors_that_nobody_watches_are_let_go(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    await ours.see(DOWN, DOWN, DOWN, monitor="stranger")
    assert await ours.keys() == []


async def test_opening_notices_wait_for_the_report_and_others_do_not(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock, hold_ms=2_000)
    await ours.see(DOWN, DOWN)
    opened_at = clock.now()
    await ours.see(UP, UP)
    rows = {row.notice.reason: row for row in await store.ledger.outbox(OutboxState.WAITING)}
    assert rows[NoticeReason.OPENED].due_at == opened_at + 2_000
    assert rows[NoticeReason.RECOVERED].due_at == clock.now()


async def test_a_store_that_fails_makes_results_wait_and_accuses_nobody(
    store: MemoryStore, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    ours = await desk(store, clock, failures=4)
    before = clock.now()
    await ours.see(DOWN)
    assert clock.now() - before >= 8_000
    assert ours.ingest.state("shop").outage.phase is Phase.SUSPECTED
    await ours.see(DOWN)
    assert await ours.keys() == ["shop-1:opened:mail"]
    assert caplog.text.count("the disk is full") == 4
    assert "free some space" in caplog.text


async def test_nothing_is_told_and_no_state_moves_before_the_commit(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock, failures=3)
    taking = asyncio.create_task(ours.see(DOWN))
    await clock.sleep(2)
    assert ours.turns == []
    assert ours.ingest.state("shop").outage.phase is Phase.HEALTHY
    await taking
    assert ours.decisions() == ["Suspected"]


async def test_a_vigie_that_stops_does_not_wait_for_a_failing_store(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock, failures=1_000)
    taking = asyncio.create_task(ours.see(DOWN))
    await clock.sleep(30)
    ours.ingest.stop()
    with pytest.raises(StoreError):
        await taking


async def test_an_event_that_cannot_be_committed_changes_nothing(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    await ours.see(DOWN, DOWN)
    ours.ingest._ledger = Failing(store.ledger, 1)  # type: ignore[assignment]
    with pytest.raises(StoreError):
        await ours.ingest.handle("shop", Acked(clock.now(), "ana"))
    assert [one.acked_by for one in ours.ingest.alerts()] == [None]
    await ours.ingest.handle("shop", Acked(clock.now(), "ana"))
    assert (await store.archive.incidents())[0].acked_by == "ana"


async def test_a_listener_that_breaks_keeps_nothing_from_the_others(
    store: MemoryStore, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    ours = await desk(store, clock)
    heard = list[Transition]()

    async def broken(turn: Transition) -> None:
        raise RuntimeError("deaf")

    async def fine(turn: Transition) -> None:
        heard.append(turn)

    ours.ingest.listen(broken)
    ours.ingest.listen(fine)
    await ours.see(DOWN, DOWN)
    assert len(heard) == 2
    assert "deaf" in caplog.text


async def test_a_listener_whose_store_fails_is_one_line_in_the_log(
    store: MemoryStore, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def full(_: Transition) -> None:
        raise StoreError(StoreFault.FULL, "the disk is full", "free some space")

    ours = await desk(store, clock)
    ours.ingest.listen_to_results(full)
    with caplog.at_level(logging.ERROR):
        await ours.see(UP)

    assert caplog.messages == ["shop: a listener failed: the disk is full"]
    assert "Traceback" not in caplog.text


async def test_everybody_who_listens_to_results_hears_every_one(store: MemoryStore, clock: VirtualClock) -> None:
    ours, heard = await desk(store, clock), list[Transition]()

    async def hear(turn: Transition) -> None:
        heard.append(turn)

    ours.ingest.listen_to_results(hear)
    await ours.see(UP, UP, DOWN)
    assert [turn.result.status for turn in heard if turn.result] == [UP, UP, DOWN]
    assert len(ours.turns) == 1


async def test_a_person_closes_an_incident_and_its_people_are_told(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    await ours.see(DOWN, DOWN)
    decisions = await ours.ingest.handle("shop", Resolved(clock.now(), "ana", "a cable"))
    assert [type(one) for one in decisions] == [Closed, Ended]
    incident = (await store.archive.incidents())[0]
    assert (incident.closed_by, incident.note) == ("ana", "a cable")
    assert await ours.keys() == ["shop-1:opened:mail", "shop-1:closed:mail"]


async def test_an_acknowledged_incident_is_not_reminded_of(store: MemoryStore, clock: VirtualClock) -> None:
    policy = policies(**BASIC, remind_ms=60_000)
    ours = await desk(store, clock, fake_monitor(policy=policy))
    await ours.see(DOWN, DOWN)
    await clock.sleep(61)
    await ours.ingest.wake(clock.now())
    await ours.ingest.wake(clock.now())
    assert await ours.keys() == ["shop-1:opened:mail", "shop-1:reminder:1:mail"]
    await ours.ingest.handle("shop", Acked(clock.now(), "ana"))
    await clock.sleep(3_600)
    await ours.ingest.wake(clock.now())
    assert len(await ours.keys()) == 2


async def test_a_clock_step_moves_reminders_along_and_tells_nobody(store: MemoryStore, clock: VirtualClock) -> None:
    policy = policies(**BASIC, remind_ms=60_000)
    ours = await desk(store, clock, fake_monitor(policy=policy))
    await ours.see(DOWN, DOWN)
    clock.step(86_400_000)
    await ours.ingest.apply_clock_step()
    await ours.ingest.wake(clock.now())
    assert await ours.keys() == ["shop-1:opened:mail"]
    await clock.sleep(60)
    await ours.ingest.wake(clock.now())
    assert await ours.keys() == ["shop-1:opened:mail", "shop-1:reminder:1:mail"]


@pytest.mark.parametrize("status", [DOWN, UP, UNKNOWN])
async def test_a_result_that_comes_before_the_step_was_noticed_reminds_nobody(
    store: MemoryStore, clock: VirtualClock, status: Status
) -> None:
    """A laptop that wakes up: the first results are there before the housekeeping has looked at the clock."""
    policy = policies(**BASIC | {"recover": 5}, remind_ms=600_000)
    ours = await desk(store, clock, fake_monitor(policy=policy))
    await ours.see(DOWN, DOWN)
    clock.step(86_400_000)
    await ours.see(status)
    await ours.ingest.apply_clock_step()
    await ours.ingest.wake(clock.now())
    assert await ours.keys() == ["shop-1:opened:mail"]
    await clock.sleep(600)
    await ours.ingest.wake(clock.now())
    assert await ours.keys() == ["shop-1:opened:mail", "shop-1:reminder:1:mail"]


async def test_what_a_maintenance_window_hid_is_disclosed_once_when_it_ends(store: MemoryStore, clock: VirtualClock) -> None:
    window = Window(clock.now(), clock.now() + 60_000)
    policy = policies(**BASIC, windows=(window,))
    ours = await desk(store, clock, fake_monitor(policy=policy))
    await ours.see(DOWN, DOWN, DOWN)
    assert await ours.keys() == []
    await clock.sleep(60)
    await ours.ingest.wake(clock.now())
    await ours.see(DOWN)
    assert await ours.keys() == ["shop-1:disclosed:mail"]


async def test_a_degradation_goes_to_those_who_asked_for_it_only(store: MemoryStore, clock: VirtualClock) -> None:
    asked = policies(confirm=2, recover=1, to=("mail",), degraded_to=("chat",))
    ours = await desk(store, clock, fake_monitor("asked", policy=asked), fake_monitor("not"))
    for _ in range(3):
        await ours.see(DEGRADED, monitor="asked")
        await ours.see(DEGRADED, monitor="not")
    assert await ours.keys() == ["asked-1:opened:chat"]


async def test_a_removed_monitors_incident_is_closed_by_vigie_and_told(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock, fake_monitor("a"), fake_monitor("b"))
    await ours.see(DOWN, DOWN, monitor="a")
    await ours.ingest.configure([fake_monitor("b")])
    incident = (await store.archive.incidents())[0]
    assert incident.closed_by == "vigie"
    assert await ours.keys() == ["a-1:opened:mail", "a-1:closed:mail"]


async def test_a_monitor_removed_while_vigie_was_away_is_closed_and_told_to_those_who_were_paged(
    store: MemoryStore, clock: VirtualClock
) -> None:
    ours = await desk(store, clock, fake_monitor("a", policy=policies(confirm=1, to=("mail", "chat"))))
    await ours.see(DOWN, monitor="a")
    await store.ledger.record(Delivery.of(Notice("a-1", "a", "mail", NoticeReason.OPENED, clock.now()), clock.now(), 1, None, "250", 5))
    again = await desk(store, clock, fake_monitor("b"))
    assert (await store.archive.incidents(open_only=True)) == []
    assert set(await again.keys()) == {"a-1:opened:chat", "a-1:closed:mail", "a-1:closed:chat"}
    assert again.ingest.monitor("a") is None
    third = await desk(store, clock, fake_monitor("a", policy=policies(confirm=1, to=("mail",))))
    third.run = 2
    await third.see(DOWN, monitor="a")
    assert (await store.archive.incidents(open_only=True))[0].id == "a-2"


async def test_a_reload_with_a_maintenance_window_hushes_what_is_not_told_yet(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    await ours.see(DOWN)
    policy = policies(**BASIC, windows=(Window(clock.now(), clock.now() + 60_000),))
    await ours.ingest.configure([fake_monitor(policy=policy)])
    await ours.see(DOWN, UP, UP)
    assert await ours.keys() == []
    assert len(await store.archive.incidents()) == 1


async def test_whole_results_are_kept_around_each_change(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    await ours.see(UP, UP, DOWN, DOWN, DOWN, UP, UP)
    end = clock.now() + 1
    bad = await store.archive.last_detail("shop", good=False, before=end)
    good = await store.archive.last_detail("shop", good=True, before=end)
    assert bad is not None
    assert bad.message == "as scripted"
    assert good is not None
    assert good.at > bad.at


@pytest.mark.parametrize(("level", "good", "bad"), [(logging.INFO, 4, 5), (logging.DEBUG, 1, 2)])
async def test_a_check_that_found_nothing_new_is_logged_as_asked(
    store: MemoryStore, clock: VirtualClock, caplog: pytest.LogCaptureFixture, level: int, good: int, bad: int
) -> None:
    caplog.set_level("INFO")
    ours = await desk(store, clock)
    ours.ingest.log_routine(level)
    await ours.see(UP, UP, UP, DOWN, DOWN, DOWN, DOWN, DOWN, UP)
    assert caplog.text.count("shop: up") == good
    assert caplog.text.count("shop: down") == bad


async def test_the_log_names_every_check_verdict_and_decision(
    store: MemoryStore, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    ours = await desk(store, clock)
    await ours.see(UP, DOWN, DOWN, UP, UP)
    assert "shop: up" in caplog.text
    assert "shop: down [tcp.refused]: as scripted" in caplog.text
    assert "shop: opened shop-1" in caplog.text
    assert "shop: recovered shop-1" in caplog.text


async def test_a_good_result_of_a_resting_monitor_costs_little(store: MemoryStore, clock: VirtualClock) -> None:
    monitors = [fake_monitor(f"m{number}") for number in range(256)]
    ours = await desk(store, clock, *monitors)
    batches = [ours.batch(*(ours.result(UP, one.id) for one in monitors)) for _ in range(40)]
    fastest = 1e9
    for batch in batches:
        started = time.process_time()
        await ours.ingest.take(batch)
        fastest = min(fastest, time.process_time() - started)
    print(f"{fastest / 256 * 1e6:.1f} µs a result")  # noqa: T201 - a figure for whoever runs it with -s
    assert fastest / 256 < 60e-6


def _at(result: CheckResult, address: str) -> CheckResult:
    return replace(result, address=address, addresses=(address,))


async def test_a_failure_is_compared_with_the_last_good_check_not_with_the_one_that_began_the_good_time() -> None:
    store, clock = MemoryStore(), VirtualClock()
    intake = await desk(store, clock, fake_monitor())
    seen = []
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2"):  # it moved long before it failed
        await clock.sleep(3_600)
        seen.append(_at(intake.result(UP), address))
        await intake.ingest.take(intake.batch(seen[-1]))
    await intake.see(DOWN, DOWN)
    [opened] = [one for turn in intake.turns for one in turn.decisions if isinstance(one, Opened)]
    assert await store.archive.last_detail("shop", good=True, before=opened.started_at) == seen[-1]


async def test_the_last_good_check_is_known_where_it_came_in_the_very_batch_of_the_failure() -> None:
    store, clock = MemoryStore(), VirtualClock()
    intake = await desk(store, clock, fake_monitor())
    await intake.see(UP)
    await clock.sleep(60)
    moved, failed = _at(intake.result(UP), "192.0.2.2"), intake.result(DOWN)
    await intake.ingest.take(intake.batch(moved, replace(failed, at=failed.at + 1)))
    assert await store.archive.last_detail("shop", good=True, before=failed.at + 1) == moved


@pytest.mark.parametrize(("before", "after"), [(UP, DEGRADED), (DEGRADED, DOWN), (UP, UNKNOWN)])
async def test_the_last_good_check_is_kept_once_at_each_change_of_verdict(before: Status, after: Status) -> None:
    store, clock = MemoryStore(), VirtualClock()
    intake = await desk(store, clock, fake_monitor())
    await intake.see(before, before, before, after, after)
    kept = [one for commit in store.data.commits for one in commit.details if one.is_good and one.status is before]
    assert kept[-1].sequence == kept[0].sequence + 2
    assert len({one.sequence for one in kept}) == len(kept)


async def test_an_archive_that_cannot_be_read_costs_the_comparison_not_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    store, clock = MemoryStore(), VirtualClock()
    intake = await desk(store, clock, fake_monitor())
    await intake.see(UP)

    async def newest(monitor: str, location: str) -> CheckResult | None:
        raise StoreError(StoreFault.OTHER, f"{monitor} {location}: the disk cannot be read")

    monkeypatch.setattr(store.archive, "newest", newest)
    await intake.see(DOWN, DOWN)
    assert "Opened" in intake.decisions()
