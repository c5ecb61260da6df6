"""What comes by a bus is read once: whatever somebody put into the stream, the evaluator goes on with what is behind it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from tests.engine.agents.test_intake import FORGED

from vigie.core.model import CheckResult, Status, Timings
from vigie.engine.agents.assignments import Checks
from vigie.engine.agents.desk import AgentDesk
from vigie.engine.agents.over_bus import ADDRESS, OverBus
from vigie.engine.ingest import Ingest
from vigie.errors import BusError, BusFault
from vigie.fleet.batches import PackedBatch
from vigie.fleet.packing import Packer
from vigie.fleet.shards import shard_of
from vigie.fleet.wire import Hello
from vigie.ports import Group, Position
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor, fake_spec
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
NOW = 1_795_000_000_000
SHARD = shard_of("shop")


class Stream:
    """A bus that carries these groups, and ends."""

    name = "stream"

    def __init__(self, groups: Sequence[Sequence[PackedBatch]]) -> None:
        self._groups = groups

    async def open(self) -> None: ...

    def dispatch(self, _: object) -> Any:
        return None

    @asynccontextmanager
    async def answering(self, _: object) -> AsyncIterator[None]:
        yield

    async def groups(self, _: Position | None) -> AsyncIterator[Group[PackedBatch]]:
        for number, one in enumerate(self._groups, 1):
            yield Group(tuple(one), Position(self.name, 1, number))


class World:
    """A server that evaluates, with an agent that has work."""

    async def begin(self) -> None:
        self.clock, self.store = VirtualClock(NOW), MemoryStore(lambda: NOW)
        self.ingest = Ingest(
            self.store.ledger, self.store.archive, self.clock, hold_ms=0, routine_level=logging.DEBUG, fleet=self.store.fleet
        )
        monitors = [fake_monitor("shop")]
        await self.store.catalog.sync_monitors(monitors)
        await self.ingest.start(monitors)
        self.desk = AgentDesk(self.store.fleet, self.store.ledger, self.clock, self.ingest.take_packed, "1.0", "server")
        self.desk.use(Checks(lambda _: [fake_spec("shop")], "home"))
        await self.desk.start()
        enrolled = await self.desk.enroll("paris-1", "paris", "ann")
        assert enrolled is not None
        self.spool = (await self.desk.hello(enrolled.agent, Hello("paris-1", "paris", "1", 0, NOW), ADDRESS)).spool
        numbers, place = await self.store.fleet.monitor_numbers(), await self.store.fleet.location_number("paris")
        self.run = self.desk.assignments.runs_at("paris")[SHARD].run
        self.packer = Packer("paris-1", "paris", place)
        self.packer.use(numbers, {SHARD: self.run})

    def batch(self, sequence: int) -> PackedBatch:
        one = CheckResult(
            "shop", NOW - 60_000 + sequence, Status.UP, timings=Timings(total=9.0), location="paris", run=self.run, sequence=sequence
        )
        ((_, made),) = self.packer.pack([one])
        return msgspec.structs.replace(made, spool=self.spool, sequence=sequence)

    async def read(self, groups: Sequence[Sequence[PackedBatch]], ingest: Any = None) -> None:
        await OverBus(Stream(groups), self.desk, ingest or self.ingest, self.clock).run()  # type: ignore[arg-type]

    async def newest(self) -> int:
        found = await self.store.archive.newest("shop", "paris")
        return 0 if found is None else found.sequence


@pytest.mark.parametrize("kind", FORGED)
async def test_what_nobody_can_use_holds_nothing_up(kind: str) -> None:
    world = World()
    await world.begin()
    forged = msgspec.structs.replace(FORGED[kind](), spool=world.spool)
    raw = msgspec.structs.replace(world.batch(1), body=forged.body, base=forged.base, count=forged.count, whole=forged.whole)
    await world.read([[world.batch(2)], [forged, raw], [world.batch(4)], [raw, world.batch(5)]])
    assert await world.newest() == 5
    assert world.ingest.position("stream") == Position("stream", 1, 4)
    assert world.ingest.state("shop").status is Status.UP


async def test_a_spool_that_nobody_gave_does_not_make_the_rest_look_repeated() -> None:
    world = World()
    await world.begin()
    forged = msgspec.structs.replace(world.batch(1), spool=world.spool + 1)
    await world.read([[forged], [msgspec.structs.replace(forged, spool=2**63)], [world.batch(2)]])
    assert await world.newest() == 2


async def test_a_batch_that_breaks_the_evaluation_is_lost_alone(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    await world.begin()

    class Fragile:
        """Ingest, with a fault."""

        position = staticmethod(world.ingest.position)

        async def take_packed(self, batches: Sequence[PackedBatch], position: Position | None = None) -> None:
            if any(one.sequence == 2 for one in batches):
                raise TypeError("nobody thought of it")
            await world.ingest.take_packed(batches, position)

    await world.read([[world.batch(1), world.batch(2), world.batch(3)], [world.batch(4)]], Fragile())
    assert await world.newest() == 4
    assert world.ingest.position("stream") == Position("stream", 1, 2)
    assert "are lost" in caplog.text


class Away(Stream):
    """One that cannot be reached at first."""

    def __init__(self, groups: Sequence[Sequence[PackedBatch]], times: int) -> None:
        super().__init__(groups)
        self.left = times

    async def open(self) -> None:
        if self.left:
            self.left -= 1
            raise BusError(BusFault.UNREACHABLE, "connection refused", "is the server running?")


async def test_a_bus_that_is_away_at_the_start_is_asked_again_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    await world.begin()
    bus = Away([[world.batch(1)]], times=20)
    await OverBus(bus, world.desk, world.ingest, world.clock).run()  # type: ignore[arg-type]
    assert world.ingest.position("stream") == Position("stream", 1, 1)
    assert caplog.text.count("the bus cannot be used: connection refused") == 1
    assert "the bus works again" not in caplog.text  # it ended before that was certain
    assert "Traceback" not in caplog.text


class Refusing(Stream):
    """One that lets in, and then refuses what is needed, until it does not."""

    def __init__(self, times: int) -> None:
        super().__init__([])
        self.left = times
        self.ended = asyncio.Event()

    async def groups(self, _: Position | None) -> AsyncIterator[Group[PackedBatch]]:
        if self.left:
            self.left -= 1
            raise BusError(BusFault.RIGHTS, "the permissions do not allow it", "grant it", permanent=True)
        await self.ended.wait()
        none: tuple[Group[PackedBatch], ...] = ()
        for one in none:
            yield one


async def test_a_bus_that_lets_in_and_refuses_then_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    await world.begin()
    bus = Refusing(times=20)
    running = asyncio.create_task(OverBus(bus, world.desk, world.ingest, world.clock).run())  # type: ignore[arg-type]
    await world.clock.sleep(300)
    bus.ended.set()
    await running
    assert caplog.text.count("the bus cannot be used: the permissions do not allow it") == 1
    assert caplog.text.count("the bus works again") == 1
    assert caplog.text.rindex("works again") > caplog.text.index("cannot be used")
