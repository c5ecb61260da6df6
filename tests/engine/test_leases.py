"""Leases on virtual time: one holder, an end that is known without asking, a hand-over."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from vigie.engine.leases import LeaseKeeper
from vigie.errors import StoreError, StoreFault
from vigie.ports import Lease
from vigie.testing.loop import VirtualClock, run_virtual
from vigie.testing.memory import MemoryStore

NAME = "evaluator"
pytestmark = pytest.mark.virtual


class Cut:
    """A way to the store that can be cut off, or hang."""

    def __init__(self, store: MemoryStore) -> None:
        self._fleet, self.is_cut, self.hangs = store.fleet, False, False

    async def claim(self, name: str, holder: str, ttl_ms: int) -> Lease:
        await self._way()
        return await self._fleet.claim(name, holder, ttl_ms)

    async def release(self, name: str, holder: str) -> None:
        await self._way()
        await self._fleet.release(name, holder)

    async def _way(self) -> None:
        if self.hangs:
            await asyncio.get_running_loop().create_future()
        if self.is_cut:
            raise StoreError(StoreFault.UNREACHABLE, "no way")


class Candidate:
    """A server that wants the lease; `spans` are when it acted, in seconds, the last one open while it does."""

    def __init__(self, store: MemoryStore, clock: VirtualClock, name: str) -> None:
        self.way, self.clock, self.name = Cut(store), clock, name
        self.ahead = 0.0  # by how much this process's clock has gone on while it stood still
        self.keeper = LeaseKeeper(self.way, clock, name, lambda: clock.monotonic() + self.ahead)  # type: ignore[arg-type]  # it is asked for leases alone
        self.spans: list[list[float]] = []
        self.epochs: list[int] = []
        self.breaks = False
        self.task: asyncio.Task[None] | None = None

    async def act(self, lease: Lease) -> None:
        self.epochs.append(lease.epoch)
        self.spans.append([self.clock.monotonic()])
        try:
            if self.breaks:
                raise RuntimeError("broken")
            await asyncio.get_running_loop().create_future()
        finally:
            self.spans[-1].append(self.clock.monotonic())

    @property
    def acts(self) -> bool:
        return bool(self.spans) and len(self.spans[-1]) == 1

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Candidate"]:
        self.task = asyncio.create_task(self.keeper.hold(NAME, self.act))
        try:
            yield self
        finally:
            await self.stop()

    async def stop(self) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@contextlib.asynccontextmanager
async def two() -> AsyncIterator[tuple[Candidate, Candidate, VirtualClock]]:
    clock, store_clock = VirtualClock(), VirtualClock()
    store = MemoryStore(store_clock.now)
    one, other = Candidate(store, clock, "one"), Candidate(store, clock, "other")
    async with one.running():
        await asyncio.sleep(0.1)
        async with other.running():
            await asyncio.sleep(30)
            yield one, other, clock


def test_one_holds_it_and_renews_it() -> None:
    async def main() -> None:
        async with two() as (one, other, _):
            await asyncio.sleep(3_600)
            assert (one.acts, other.spans, one.epochs) == (True, [], [1])
            assert one.keeper.holds(NAME)
            assert not other.keeper.holds(NAME)

    run_virtual(main())


def test_who_stops_hands_it_over_at_once() -> None:
    async def main() -> None:
        async with two() as (one, other, clock):
            await one.stop()
            stopped = clock.monotonic()
            await asyncio.sleep(5)
            assert other.acts
            assert other.spans[0][0] - stopped <= 3.1
            assert other.epochs == [2]

    run_virtual(main())


def test_who_is_cut_off_acts_until_its_lease_ends_and_the_other_takes_over_within_fifteen_seconds() -> None:
    async def main() -> None:
        for hangs in (False, True):
            async with two() as (one, other, clock):
                one.way.is_cut, one.way.hangs = True, hangs
                cut = clock.monotonic()
                await asyncio.sleep(15)
                assert not one.acts
                assert other.acts
                assert one.spans[0][1] <= other.spans[0][0]  # never both, by what each knows
                assert 6.9 <= one.spans[0][1] - cut <= 10.1  # not before it ended
                assert other.spans[0][0] - cut <= 13.1
                one.way.is_cut = one.way.hangs = False

    run_virtual(main())


def test_a_store_that_is_away_for_a_moment_costs_nothing() -> None:
    async def main() -> None:
        async with two() as (one, other, _):
            for _ in range(5):
                one.way.is_cut = other.way.is_cut = True
                await asyncio.sleep(6)
                one.way.is_cut = other.way.is_cut = False
                await asyncio.sleep(6)
            assert one.acts
            assert (len(one.spans), other.spans) == (1, [])

    run_virtual(main())


def test_who_stood_still_knows_at_once_that_it_may_act_no_more() -> None:
    """Its own clock went on: it does not even ask, and the other has it under a new epoch."""

    async def main() -> None:
        async with two() as (one, other, _):
            one.way.hangs = True  # stands still: nothing of it reaches the store
            one.ahead += 60
            assert not one.keeper.holds(NAME)
            await asyncio.sleep(3.1)
            assert not one.acts
            one.way.hangs = False
            await asyncio.sleep(12)
            assert other.acts or one.acts
            assert not (other.acts and one.acts)
            assert max(one.epochs + other.epochs) == 2

    run_virtual(main())


def test_a_step_of_the_wall_clock_changes_nothing() -> None:
    async def main() -> None:
        async with two() as (one, other, clock):
            for step in (3_600_000, -86_400_000, 5_000):
                clock.step(step)
                await asyncio.sleep(20)
                assert one.acts
            assert (len(one.spans), other.spans) == (1, [])

    run_virtual(main())


def test_work_that_breaks_is_left_to_another_server() -> None:
    async def main() -> None:
        async with two() as (one, other, _):
            one.breaks = True
            await one.stop()
            one.task = asyncio.create_task(one.keeper.hold(NAME, one.act))
            await asyncio.sleep(30)
            assert other.acts
            assert not one.acts
            await other.stop()
            await asyncio.sleep(30)
            other.breaks = one.breaks = False
            await asyncio.sleep(10)
            assert one.acts  # it goes on trying

    run_virtual(main())
