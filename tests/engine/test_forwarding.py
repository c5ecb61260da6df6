"""What a server that stands by measures: who checks where, and how it comes, once and in order, to the one that evaluates."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from vigie.core.model import CheckResult, Monitor, Status
from vigie.engine.forwarding import SCHEMA, Forwarded, Forwarder, checks_here
from vigie.engine.ingest import Ingest
from vigie.errors import StoreError, StoreFault
from vigie.ports import Batch, ServerStatus
from vigie.testing.fakes import fake_monitor, fake_result
from vigie.testing.loop import VirtualClock
from vigie.testing.memory import MemoryStore

MONITORS = [fake_monitor("shop"), replace(fake_monitor("bank"), locations=("east",))]
NOW = 1_000_000


def server(name: str, location: str, *, seen_at: int = NOW, schema: int = SCHEMA) -> ServerStatus:
    return ServerStatus(name, "1.0.0", 0, seen_at, location=location, schema=schema)


@pytest.mark.parametrize(
    ("servers", "leader", "expected"),
    [
        ([server("a", "east"), server("b", "west")], "a", True),
        ([server("a", "west"), server("b", "west")], "a", False),  # who evaluates checks there
        ([server("a", "east"), server("b", "west"), server("c", "west")], "a", True),
        ([server("a", "east"), server("aa", "west"), server("b", "west")], "a", False),  # another one is before it
        ([server("a", "east"), server("aa", "west", seen_at=NOW - 1), server("b", "west")], "a", True),  # which is gone
        ([server("a", "east"), server("aa", "", seen_at=NOW), server("b", "west")], "a", True),  # which does not check
        ([server("a", "east", schema=SCHEMA - 1), server("b", "west")], "a", False),  # an older one would not take it in
        ([server("a", ""), server("b", "west")], "a", True),  # it leaves checking to others
        ([server("a", "east")], "a", True),  # before this one has said anything
        ([server("b", "west")], "", None),
        ([server("b", "west")], "gone", None),
        ([server("a", "east"), server("b", "west")], "b", None),
    ],
)
def test_one_server_of_a_location_checks_from_there(servers: list[ServerStatus], leader: str, expected: bool | None) -> None:
    assert checks_here("b", "west", servers, leader, NOW) is expected


class Pair:
    """A server that stands by at `west`, and what the one that evaluates takes in."""

    def __init__(self, store: MemoryStore, clock: VirtualClock) -> None:
        self.store, self.clock, self.taken = store, clock, list[CheckResult]()
        self.forwarder = Forwarder(store.fleet, store.ledger.next_run, clock, "west")
        self.ingest = Ingest(store.ledger, store.archive, clock, hold_ms=0)
        self.forwarded = Forwarded(store.fleet, clock, self.take, self.ingest.monitor)
        self.fault: Exception | None = None

    async def take(self, batch: Batch) -> None:
        if self.fault is not None:
            raise self.fault
        await self.ingest.take(batch)
        self.taken += batch.results

    @contextlib.asynccontextmanager
    async def at_work(self, monitors: list[Monitor] = MONITORS) -> AsyncIterator["Pair"]:
        await self.store.catalog.sync_monitors(monitors)
        await self.ingest.start(monitors)
        await self.ingest.configure(monitors)
        tasks = [asyncio.create_task(one.run()) for one in (self.forwarder, self.forwarded)]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def measure(self, status: Status = Status.UP, monitor: str = "shop", *, ahead: int = 0) -> CheckResult:
        found = replace(fake_result(monitor, status, self.clock.now() + ahead, 1), location="west")
        await self.forwarder.take(Batch("local", 7, 1, (found,)))
        return found

    def seen(self) -> list[tuple[int, Status]]:
        """What is on record of the shop from there: (instant, status)."""
        return [(one.at, one.status) for one in self.taken]


@pytest.mark.virtual
async def test_what_is_measured_elsewhere_is_taken_in_within_two_seconds() -> None:
    """A failure at once; its location stays."""

    clock = VirtualClock()
    async with Pair(MemoryStore(clock.now), clock).at_work() as pair:
        good = await pair.measure()
        await asyncio.sleep(1.6)
        bad = await pair.measure(Status.DOWN)
        await asyncio.sleep(0.6)
        assert pair.seen() == [(good.at, Status.UP), (bad.at, Status.DOWN)]
        assert {one.location for one in pair.taken} == {"west"}
        assert pair.ingest.state("shop").quick
        assert await pair.store.fleet.forwarded(9) == []


@pytest.mark.virtual
async def test_what_is_not_to_be_checked_there_is_left_out_and_nothing_is_later_than_now() -> None:
    clock = VirtualClock()
    async with Pair(MemoryStore(clock.now), clock).at_work() as pair:
        await pair.measure(monitor="bank")
        await pair.measure(monitor="nobody")
        await pair.measure(ahead=60_000)
        await asyncio.sleep(2)
        assert [(one.monitor, one.at <= clock.now()) for one in pair.taken] == [("shop", True)]


@pytest.mark.virtual
async def test_a_store_that_fails_costs_nothing_and_nothing_counts_twice(caplog: pytest.LogCaptureFixture) -> None:
    """While it is away everything waits; where nobody knows whether something was kept, it comes again, and counts once."""

    clock = VirtualClock()
    store = MemoryStore(clock.now)
    async with Pair(store, clock).at_work() as pair:
        forward, lost = store.fleet.forward, 3

        async def unsure(body: bytes) -> None:
            nonlocal lost
            await forward(body)
            if lost:
                lost -= 1
                raise StoreError(StoreFault.UNREACHABLE, "the connection broke", "")

        store.fleet.forward = unsure  # type: ignore[method-assign]
        found = [await pair.measure()]
        for _ in range(8):
            await asyncio.sleep(1)
            found.append(await pair.measure())
        await asyncio.sleep(3)
        known = await store.history.results("shop", 0, clock.now() + 1)
        assert sorted(one.at for one in known) == [one.at for one in found]

    assert sum(one.message.startswith("what this server measures cannot be forwarded") for one in caplog.records) == 1


@pytest.mark.virtual
async def test_who_begins_again_is_newer_than_who_checked_meanwhile() -> None:
    clock = VirtualClock()
    store = MemoryStore(clock.now)
    async with Pair(store, clock).at_work() as pair:
        first, other = pair.forwarder, Forwarder(store.fleet, store.ledger.next_run, clock, "west")
        for one in (first, other, first):
            one.begin()
            pair.forwarder = one
            await pair.measure()
            await one.forward()
            await asyncio.sleep(1)
        runs = [one.run for one in pair.taken]
        assert len(runs) == 3
        assert runs == sorted(set(runs))


@pytest.mark.virtual
async def test_what_cannot_be_taken_in_holds_up_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Bytes that are no batch; a batch that breaks whoever takes it. A store that fails keeps what waits."""

    clock = VirtualClock()
    store = MemoryStore(clock.now)
    async with Pair(store, clock).at_work() as pair:
        await store.fleet.forward(b"\xc1 no batch")
        pair.fault = RuntimeError("a fault of ours")
        await pair.measure()
        await asyncio.sleep(2)
        assert await store.fleet.forwarded(9) == []
        pair.fault = StoreError(StoreFault.UNREACHABLE, "away", "")
        good = await pair.measure()
        await asyncio.sleep(3)
        assert len(await store.fleet.forwarded(9)) == 1
        pair.fault = None
        await asyncio.sleep(1)
        assert pair.seen() == [(good.at, Status.UP)]

    assert sum("are lost" in one.message for one in caplog.records) == 2
