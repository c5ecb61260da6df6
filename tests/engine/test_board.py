"""The board: states as results and decisions change them, in memory that follows the watched monitors alone. On virtual time."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from vigie.core.model import Cause, CheckResult, Expiry, ExpiryKind, HttpFacts, Monitor, Status, Timings, TlsFacts
from vigie.engine.board import LiveBoard, natural, slim
from vigie.engine.ingest import Ingest
from vigie.engine.live import LiveHub
from vigie.engine.past import Pasts
from vigie.planning.maintenance import InMaintenance
from vigie.ports import Batch
from vigie.queries import MonitorState
from vigie.queries.live import ChangeKind
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor
from vigie.testing.memory import MemoryStore

DAY = 86_400_000
pytestmark = pytest.mark.virtual


@dataclass
class Rig:
    """A board over an ingest, told of every transition as a server tells it."""

    store: MemoryStore
    clock: VirtualClock
    watched: list[Monitor]
    planned: dict[str, InMaintenance] = field(default_factory=dict)
    taken: int = 0

    async def start(self) -> "Rig":
        self.hub = LiveHub(self.clock)
        self.ingest = Ingest(self.store.ledger, self.store.archive, self.clock, hold_ms=0)
        self.pasts = Pasts(None, self.store.archive, self.clock)
        self.board = LiveBoard(self.ingest, self.clock, self.hub, lambda: self.watched, lambda one: self.planned.get(one.id), self.pasts)
        self.ingest.listen_to_results(self.board.on_transition)
        await self.store.catalog.sync_monitors(self.watched)
        await self.ingest.start(self.watched)
        await self.ingest.configure(self.watched)
        await self.board.start(self.store.archive)
        self.drain()
        return self

    async def take(self, *results: CheckResult) -> None:
        self.taken += 1
        await self.ingest.take(Batch("local", 1, self.taken, tuple(replace(one, run=1, sequence=self.taken) for one in results)))

    def result(self, name: str, status: Status = Status.UP, **more: Any) -> CheckResult:
        cause = None if status is Status.UP else Cause.TCP_REFUSED
        return CheckResult(name, self.clock.now(), status, cause, **more)

    async def fail(self, name: str, times: int = 6) -> None:
        for _ in range(times):
            await self.clock.sleep(30)
            await self.take(self.result(name, Status.DOWN))

    def states(self) -> dict[str, MonitorState]:
        return {one.id: one.state for one in self.board.rows()}

    def drain(self) -> list[tuple[ChangeKind, str]]:
        """What readers are given."""
        before = self.hub.number
        self.hub.flush()
        return [(one.kind, one.subject) for one in self.hub._ring if one.number > before]


async def rig(store: MemoryStore, clock: VirtualClock, names: Sequence[str] = ("atlas", "shop")) -> Rig:
    return await Rig(store, clock, [fake_monitor(one) for one in names]).start()


async def test_from_the_first_failed_check_to_an_alert_and_back(store: MemoryStore, clock: VirtualClock) -> None:
    made = await rig(store, clock)
    assert set(made.states().values()) == {MonitorState.NONE}

    await made.take(made.result("shop"))
    assert made.states() == {"atlas": MonitorState.NONE, "shop": MonitorState.UP}
    await made.fail("shop", 1)
    began = clock.now()
    assert made.states()["shop"] is MonitorState.SUSPECTED
    await made.fail("shop")
    assert made.states()["shop"] is MonitorState.DOWN
    assert [one.monitors for one in made.board.alerts()] == [("shop",)]
    row = made.board.row("shop")
    assert row is not None
    assert row.since == began

    for _ in range(20):
        await clock.sleep(30)
        await made.take(made.result("shop"))
    assert made.states()["shop"] is MonitorState.UP
    assert made.board.open_alerts == 0


async def test_readers_hear_of_what_changed_and_of_the_alert(store: MemoryStore, clock: VirtualClock) -> None:
    made = await rig(store, clock)
    await made.take(made.result("shop"))
    assert made.drain() == [(ChangeKind.STATE, "shop")]
    await clock.sleep(30)
    await made.take(made.result("shop"))
    assert made.drain() == [(ChangeKind.RESULT, "shop")]
    version = made.board.version
    await made.fail("shop")
    kinds = made.drain()
    assert (ChangeKind.STATE, "shop") in kinds
    assert ChangeKind.ALERT in {kind for kind, _ in kinds}
    assert made.board.version > version
    assert made.drain() == []


async def test_monitors_that_are_gone_are_forgotten_with_all_that_was_held_of_them(store: MemoryStore, clock: VirtualClock) -> None:
    made = await rig(store, clock, [f"m{number}" for number in range(50)])
    ends = Expiry("x:443", ExpiryKind.CERTIFICATE, "x", clock.now() + DAY, clock.now())
    for one in made.watched:
        await made.take(made.result(one.id, expiries=(ends,)))
    made.watched = [*made.watched[:2], fake_monitor("new")]
    made.board.configure()

    assert list(made.states()) == ["m0", "m1", "new"]
    assert made.states()["m0"] is MonitorState.UP  # what stays keeps its state
    assert made.board.row("m7") is None
    assert set(made.board._ends) == {"m0", "m1"}
    assert len(made.board._dirty) == 0
    await made.board.on_transition(_late(made, "m7"))
    assert list(made.states()) == ["m0", "m1", "new"]


def _late(made: Rig, name: str) -> Any:
    """A result of a monitor that is not watched any more."""

    class Turn:
        monitor = fake_monitor(name)
        decisions = notices = ()
        result = made.result(name)

    return Turn()


async def test_a_row_holds_nothing_large(store: MemoryStore, clock: VirtualClock) -> None:
    made = await rig(store, clock)
    large = made.result(
        "shop",
        message="x" * 5_000,
        http=HttpFacts(200, "2", headers={"server": "y" * 5_000}),
        tls=TlsFacts("TLSv1.3"),
        timings=Timings(1, 2, 3, 4, 5, 15),
    )
    await made.take(large)
    row = made.board.row("shop")
    assert row is not None
    kept = row.view.result
    assert kept is not None
    assert kept == slim(large)
    assert (kept.http, kept.tls, len(kept.message)) == (None, None, 200)
    assert (kept.timings.total, kept.timings.tls) == (15, None)


async def test_what_runs_out_first_is_known_and_a_failed_check_does_not_forget_it(store: MemoryStore, clock: VirtualClock) -> None:
    made = await rig(store, clock)
    assert made.board.next_expiry() is None
    late = Expiry("shop:443", ExpiryKind.CERTIFICATE, "shop", clock.now() + 9 * DAY, clock.now())
    domain = Expiry("shop.test", ExpiryKind.DOMAIN, "shop.test", clock.now() + 5 * DAY, clock.now())
    await made.take(
        made.result("shop", expiries=(late, domain)), made.result("atlas", tls=TlsFacts("TLSv1.3", expires_at=clock.now() + 7 * DAY))
    )
    assert made.board.next_expiry() == domain
    await made.fail("shop", 1)
    assert made.board.next_expiry() == domain
    await made.take(made.result("shop", expiries=(late,)))
    found = made.board.next_expiry()
    assert found is not None
    assert (found.kind, found.ends_at) == (ExpiryKind.CERTIFICATE, late.ends_at - 2 * DAY)


async def test_what_was_known_before_this_start_is_taken_over_and_newer_results_win(store: MemoryStore, clock: VirtualClock) -> None:
    first = await rig(store, clock)
    await first.take(first.result("shop"))
    await first.fail("atlas")

    again = await rig(store, clock)
    assert again.states() == {"atlas": MonitorState.DOWN, "shop": MonitorState.UP}
    assert again.board.open_alerts == 1
    row = again.board.row("shop")
    assert row is not None
    assert row.since is None  # nothing tells since when


async def test_planned_work_begins_and_ends_by_the_clock(store: MemoryStore, clock: VirtualClock) -> None:
    made = await rig(store, clock)
    await made.take(made.result("shop"))
    made.drain()
    made.planned["shop"] = InMaintenance(clock.now() + DAY, "moving")
    made.board._replan("shop")
    assert made.states()["shop"] is MonitorState.MAINTENANCE
    assert made.drain() == [(ChangeKind.STATE, "shop")]
    del made.planned["shop"]
    made.board._replan("shop")
    assert made.states()["shop"] is MonitorState.UP


def test_names_are_sorted_as_people_count() -> None:
    assert sorted(["Node 10", "node 2", "Node 2b", "Node 1"], key=natural) == ["Node 1", "node 2", "Node 2b", "Node 10"]
