"""Two servers on one store, on virtual time: one decides, the other follows, acts by the inbox, and takes over; whatever stands still."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from vigie.core.events import Acked
from vigie.core.model import Monitor, Status
from vigie.core.subject import SubjectKind
from vigie.engine.commands.alerts import AlertDesk
from vigie.engine.following import Follower
from vigie.engine.ingest import Ingest
from vigie.engine.janitor import Janitor
from vigie.engine.planner import Planner
from vigie.engine.transition import Transition
from vigie.errors import StoreError, StoreFault, VigieError
from vigie.planning.maintenance import StartedMaintenance
from vigie.planning.plan import Planned
from vigie.ports import Batch
from vigie.testing.fakes import fake_monitor, fake_result
from vigie.testing.loop import VirtualClock, run_virtual
from vigie.testing.memory import MemoryStore

MONITORS = [fake_monitor("shop"), fake_monitor("bank")]
DOWN, UP = Status.DOWN, Status.UP
pytestmark = pytest.mark.virtual


class Evaluating:
    """The deciding part of a server, under a lease."""

    def __init__(self, store: MemoryStore, clock: VirtualClock, name: str = "one") -> None:
        self.store, self.clock, self.name, self.sequence, self.run = store, clock, name, 0, 0
        self.ingest = Ingest(store.ledger, store.archive, clock, hold_ms=0)
        self.janitor = Janitor(store.inbox, store.archive, store.accounts, clock, self.ingest)

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator["Evaluating"]:
        self.store.ledger.fence(await self.store.fleet.claim("evaluator", self.name, 10_000))
        await self.store.catalog.sync_monitors(MONITORS)
        await self.ingest.start(MONITORS)
        await self.ingest.configure(MONITORS)
        self.run = await self.store.ledger.next_run()
        task = asyncio.create_task(self.janitor.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def find(self, monitor: str, *found: Status) -> None:
        for status in found:
            await asyncio.sleep(1)
            self.sequence += 1
            result = replace(fake_result(monitor, status, self.clock.now(), self.sequence), run=self.run)
            await self.ingest.take(Batch(f"agent-{self.name}", self.run, self.sequence, (result,)))


class Standing:
    """The following part of one."""

    def __init__(self, store: MemoryStore, clock: VirtualClock, monitors: Callable[[], list[Monitor]] = lambda: MONITORS) -> None:
        self.store, self.shown, self.changed, self.read = store, list[Transition](), list[set[str]](), 0
        self.planner = Planner(store.catalog, store.archive, clock)
        self.planner.use(Planned(tuple(MONITORS)))
        self.ingest = Ingest(store.ledger, store.archive, clock, hold_ms=0)
        self.ingest.listen_to_results(self.note)
        self.follower = Follower(self.ingest, store.archive, store.inbox, self.planner, clock, monitors, self.changed.append, self.was_read)
        self.desk = AlertDesk(store, self.follower, clock)

    async def note(self, transition: Transition) -> None:
        self.shown.append(transition)

    async def was_read(self) -> None:
        self.read += 1

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator["Standing"]:
        await self.follower.start()
        task = asyncio.create_task(self.follower.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def two() -> AsyncIterator[tuple[Evaluating, Standing, VirtualClock]]:
    clock = VirtualClock()
    store = MemoryStore(clock.now)
    async with Evaluating(store, clock).at_work() as one, Standing(store.beside(), clock).at_work() as other:
        yield one, other, clock


def test_what_is_decided_elsewhere_is_known_here_within_seconds() -> None:
    async def main() -> None:
        async with two() as (one, other, _):
            await one.find("shop", UP, DOWN, DOWN)
            await asyncio.sleep(2.1)
            (incident,) = other.follower.incidents()
            assert incident.monitor == "shop"
            assert [alert.id for alert in other.follower.alerts()] == [incident.alert]
            assert other.changed[-1] == {"shop"}
            assert [one.result.status for one in other.shown if one.result is not None][-1] is DOWN
            assert other.ingest.last_result_at == one.ingest.last_result_at
            await one.find("shop", UP, UP)
            await asyncio.sleep(2.1)
            assert other.follower.incidents() == []
            assert len({one.result.at for one in other.shown if one.result is not None}) == len(other.shown)  # each once

    run_virtual(main())


def test_following_writes_nothing() -> None:
    async def main() -> None:
        async with two() as (one, other, _):
            await one.find("shop", DOWN, DOWN)
            before = len(one.store.commits)
            await asyncio.sleep(60)
            assert len(one.store.commits) == before
            assert other.follower.incidents()

    run_virtual(main())


def test_a_slow_reading_puts_off_no_other_for_long() -> None:
    """The first takes eight seconds, as at a start on a busy machine; what is decided after it is known here as soon as ever."""

    async def main() -> None:
        clock = VirtualClock()
        store = MemoryStore(clock.now)
        async with Evaluating(store, clock).at_work() as one:
            other = Standing(store.beside(), clock)
            refresh, slow = other.planner.refresh, [8.0, 8.0]

            async def slowly() -> bool:
                await asyncio.sleep(slow.pop() if slow else 0)
                return await refresh()

            other.planner.refresh = slowly  # type: ignore[method-assign]
            async with other.at_work():
                await asyncio.sleep(19)
                for status in (DOWN, UP):
                    await one.find("shop", status, status)
                    await asyncio.sleep(2.1)
                    assert bool(other.follower.incidents()) is (status is DOWN)
                assert other.read > 3

    run_virtual(main())


def test_who_acts_where_nothing_is_decided_is_answered_once_it_is_committed() -> None:
    async def main() -> None:
        async with two() as (one, other, clock):
            await one.find("shop", DOWN, DOWN)
            await asyncio.sleep(2)
            (alert,) = other.follower.alerts()
            assert str(await other.desk.acknowledge(alert.id, "ann")) == "done"
            (known,) = other.follower.alerts()
            assert (known.acked_by, one.ingest.alerts()[0].acked_by) == ("ann", "ann")
            assert str(await other.desk.acknowledge(alert.id, "ben")) == "already"
            assert str(await other.desk.snooze(alert.id, "ann", clock.now() + 600_000)) == "done"
            assert str(await other.desk.resolve(alert.id, "ann", "restarted")) == "done"
            await asyncio.sleep(3)
            assert (other.follower.incidents(), one.ingest.incidents()) == ([], [])

    run_virtual(main())


def test_an_act_that_no_server_takes_is_kept_and_the_person_hears_so() -> None:
    async def main() -> None:
        clock = VirtualClock()
        store = MemoryStore(clock.now)
        async with Evaluating(store, clock).at_work() as one:
            await one.find("shop", DOWN, DOWN)
        async with Standing(store.beside(), clock).at_work() as other:
            with pytest.raises(VigieError, match="no server has taken it yet"):
                await other.follower.handle("shop", Acked(clock.now(), "ann"))
        async with Evaluating(store.beside(), clock, "two").at_work() as after:
            await asyncio.sleep(2)
            assert after.ingest.alerts()[0].acked_by == "ann"

    run_virtual(main())


def test_planned_work_that_began_elsewhere_holds_here() -> None:
    async def main() -> None:
        async with two() as (one, other, clock):
            begun = StartedMaintenance(0, clock.now(), clock.now() + 600_000, ("shop",), (), "work", "ann")
            await one.store.catalog.start_maintenance(begun)
            await asyncio.sleep(2)
            assert other.planner.maintenance_of(MONITORS[0]) is not None
            assert other.planner.maintenance_of(MONITORS[1]) is None

    run_virtual(main())


def test_a_store_that_fails_is_read_again() -> None:
    async def main() -> None:
        async with two() as (one, other, _):
            one.store.broken = StoreError(StoreFault.UNREACHABLE, "away")
            await asyncio.sleep(5)
            one.store.broken = None
            await one.find("shop", DOWN, DOWN)
            await asyncio.sleep(2.1)
            assert other.follower.incidents()

    run_virtual(main())


def test_of_two_that_think_they_decide_one_is_refused_and_nothing_comes_twice() -> None:
    """The first stood still while its lease ended; both see the same failure, and one of them alone commits it."""

    async def main() -> None:
        clock = VirtualClock()
        store = MemoryStore(clock.now)
        async with Evaluating(store, clock).at_work() as one:
            await one.find("shop", UP, DOWN)
            await asyncio.sleep(11)  # it stands still
            async with Evaluating(store.beside(), clock, "two").at_work() as two:
                await two.find("shop", DOWN, DOWN)
                with pytest.raises(StoreError) as refused:
                    await one.find("shop", DOWN, DOWN)
                assert refused.value.fault is StoreFault.FENCED
                rows = await store.ledger.notices()
                assert len({row.row.notice.key for row in rows}) == len(rows) == 1
                assert {incident.id for incident in await store.archive.incidents()} == {two.ingest.incidents()[0].id}

    run_virtual(main())


def test_who_takes_over_goes_on_where_the_other_was() -> None:
    """A failure that was being confirmed is confirmed by one more check, and the incident that was open ends."""

    async def main() -> None:
        clock = VirtualClock()
        store = MemoryStore(clock.now)
        async with Evaluating(store, clock).at_work() as one:
            await one.find("shop", DOWN, DOWN)
            await one.find("bank", UP, DOWN)
        await store.fleet.release("evaluator", "one")
        async with Evaluating(store.beside(), clock, "two").at_work() as two:
            await two.find("bank", DOWN)
            assert {incident.monitor for incident in two.ingest.incidents() if incident.subject is SubjectKind.MONITOR} == {"shop", "bank"}
            await two.find("shop", UP, UP)
            assert [incident.monitor for incident in two.ingest.incidents()] == ["bank"]

    run_virtual(main())
