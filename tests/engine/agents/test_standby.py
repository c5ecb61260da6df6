"""Two servers on one store, and an agent that asks either: who stands by says so, and refuses nothing by what it has not read yet."""

from collections.abc import Sequence

import msgspec
import pytest

from vigie.core.model import CheckResult, Status, Timings
from vigie.engine.agents.assignments import Checks
from vigie.engine.agents.desk import AgentDesk
from vigie.engine.leases import ALONE, Duty
from vigie.errors import UplinkError, UplinkFault, VigieError
from vigie.fleet.batches import PackedBatch, encode
from vigie.fleet.packing import Packer
from vigie.fleet.shards import shard_of
from vigie.fleet.wire import Hello, Order, Work
from vigie.ports import EnrolledAgent, ServerStatus
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor, fake_spec
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
SHARD = shard_of("shop")
STANDBY = Duty(evaluates=False, leader=lambda: "http://10.0.0.5:8080")


class Pair:
    """Two servers' desks over one store, and an agent that is enrolled."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.store = clock, MemoryStore(clock.now)
        self.taken: list[PackedBatch] = []

    async def begin(self) -> EnrolledAgent:
        await self.store.catalog.sync_monitors([fake_monitor("shop")])
        self.first, self.second = await self.desk("a"), await self.desk("b", STANDBY)
        made = await self.first.enroll("paris-1", "paris", "ann")
        assert made is not None
        assert await self.second.by_token(made.token) == made.agent
        return made.agent

    async def desk(self, name: str, duty: Duty = ALONE) -> AgentDesk:
        async def accept(batches: Sequence[PackedBatch]) -> None:
            self.taken += batches

        made = AgentDesk(self.store.fleet, self.store.ledger, self.clock, accept, "1.0", name, duty)
        made.use(Checks(lambda _: [fake_spec("shop")], "home"))
        await made.start()
        return made

    async def body(self, spool: int, sequence: int, run: int) -> bytes:
        """A request with one batch of one result."""
        packer = Packer("paris-1", "paris", await self.store.fleet.location_number("paris"))
        packer.use(await self.store.fleet.monitor_numbers(), {SHARD: run})
        one = CheckResult("shop", self.clock.now(), Status.UP, timings=Timings(total=9.0), location="paris", run=run, sequence=sequence)
        ((_, made),) = packer.pack([one])
        blob = encode(msgspec.structs.replace(made, spool=spool, sequence=sequence))
        return len(blob).to_bytes(4, "little") + blob


def hello(clock: VirtualClock, spool: int = 0) -> Hello:
    return Hello("", "", "1.0", spool, clock.now())


async def fault_of(work: object) -> UplinkFault:
    with pytest.raises(UplinkError) as raised:
        await work  # type: ignore[misc]  # whatever the test gives
    return raised.value.fault


async def test_who_stands_by_says_so_and_looks_at_nothing(clock: VirtualClock) -> None:
    """What it would refuse by what it knows may be good: an agent gives up what is refused."""
    pair = Pair(clock)
    agent = await pair.begin()
    there, here = await pair.first.hello(agent, hello(clock), "x"), await pair.second.hello(agent, hello(clock), "x")
    assert (there.evaluates, there.takes, here.evaluates, here.takes) == (True, True, False, False)
    with pytest.raises(UplinkError, match=r"stands by for http://10\.0\.0\.5:8080") as raised:
        await pair.second.take(agent, b"noise")
    assert (raised.value.fault, raised.value.permanent) == (UplinkFault.STANDBY, False)
    with pytest.raises(UplinkError) as raised:
        pair.second.orders(agent, 0)
    assert raised.value.fault is UplinkFault.STANDBY


async def test_with_a_bus_who_stands_by_takes_what_it_can_relay(clock: VirtualClock) -> None:
    pair = Pair(clock)
    agent = await pair.begin()
    relayed: list[bytes] = []

    async def relay(blobs: Sequence[bytes]) -> None:
        relayed.extend(blobs)

    pair.second.relay = relay
    welcome = await pair.second.hello(agent, hello(clock), "x")
    assert (welcome.evaluates, welcome.takes) == (False, True)
    await pair.first._try(anew=False)  # who holds the lease of the coordinator gives the agent its shards
    run = pair.first.assignments.runs_at("paris")[SHARD].run
    await pair.second.take(agent, await pair.body(welcome.spool, 1, run))
    assert (len(relayed), pair.taken) == (1, [])
    await pair.second._try(anew=False)
    orders = pair.second.orders(agent, 0)
    assert isinstance(await anext(orders), Work)
    await orders.aclose()  # type: ignore[attr-defined]


async def test_what_another_server_decided_lately_is_read_before_anything_is_refused(clock: VirtualClock) -> None:
    """The other one heard the agent with a new spool and gave it its shards anew; this one takes over before its next look."""
    pair = Pair(clock)
    agent = await pair.begin()
    first = await pair.first.hello(agent, hello(clock), "x")
    await clock.sleep(40)  # the lease of the coordinator ends
    fresh = await pair.second.hello(agent, hello(clock), "x")  # the agent has begun with a new spool, and was sent here
    assert fresh.spool > first.spool
    run = pair.second.assignments.runs_at("paris")[SHARD].run
    assert run > pair.first.assignments.runs_at("paris")[SHARD].run
    await pair.first.take(agent, await pair.body(fresh.spool, 1, run))
    assert [one.sequence for one in pair.taken] == [1]


async def test_what_is_refused_for_good_is_looked_up_within_bounds(clock: VirtualClock) -> None:
    """Whoever hands in rubbish for ever does not have the store read for ever."""
    pair = Pair(clock)
    agent = await pair.begin()
    welcome = await pair.first.hello(agent, hello(clock), "x")
    faults = [await fault_of(pair.first.take(agent, await pair.body(welcome.spool + 1, one, 1))) for one in range(1, 150)]
    assert (faults[0], faults[-1]) == (UplinkFault.REFUSED, UplinkFault.BUSY)
    run = pair.first.assignments.runs_at("paris")[SHARD].run
    await pair.first.take(agent, await pair.body(welcome.spool, 500, run))
    assert [one.sequence for one in pair.taken] == [500]


async def test_streams_end_with_the_duty_of_their_server(clock: VirtualClock) -> None:
    """An agent that listened on would never hear again what to do: who gives orders now is another object."""
    pair = Pair(clock)
    agent = await pair.begin()
    welcome = await pair.first.hello(agent, hello(clock), "x")
    heard: list[Order] = []
    orders = pair.first.orders(agent, 0)
    heard.append(await anext(orders))
    pair.first.close()
    assert [one async for one in orders] == []
    with pytest.raises(UplinkError, match="stands by for another one") as raised:
        pair.first.orders(agent, 0)
    assert raised.value.fault is UplinkFault.STANDBY
    assert await fault_of(pair.first.take(agent, b"")) is UplinkFault.STANDBY
    assert not (await pair.first.hello(agent, hello(clock, welcome.spool), "x")).evaluates


async def test_no_agent_is_let_in_where_a_server_checks(clock: VirtualClock) -> None:
    """Both would check the same; a server that is gone is none."""
    pair = Pair(clock)
    await pair.begin()
    await pair.store.fleet.report_server(ServerStatus("b", "1.0", 0, clock.now(), location="east"))
    for location in ("home", "east"):
        with pytest.raises(VigieError, match="checks from there"):
            await pair.first.enroll("other-1", location, "ann")
    await clock.sleep(20)
    assert await pair.first.enroll("other-1", "east", "ann") is not None
