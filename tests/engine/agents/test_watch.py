"""Agents that come, go silent and come back, on virtual time: notices once, nothing is down because of it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from vigie.core.model import FaultScope, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.engine.agents.assignments import Checks
from vigie.engine.agents.desk import AgentDesk
from vigie.engine.agents.watch import AgentWatch
from vigie.errors import UplinkError, UplinkFault
from vigie.fleet.shards import shard_of
from vigie.fleet.wire import Hello
from vigie.ports import Batch, Commit, EnrolledAgent, OutboxRow
from vigie.queries.agents import AgentState
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor, fake_spec
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
MONITORS = {"everywhere": ("home", "paris", "lyon"), "paris-only": ("paris",), "home-only": ("home",)}


@dataclass
class House:
    """A desk and its watch over a store, as a server has them; `restart` makes others over the same store."""

    clock: VirtualClock
    store: MemoryStore
    marked: list[Batch] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        async def accept(batches: Any) -> None: ...

        self.desk = AgentDesk(self.store.fleet, self.store.ledger, self.clock, accept, "1.0", "server")
        self.desk.use(Checks(lambda place: [fake_spec(name) for name, places in MONITORS.items() if place in places], "home"))
        self.watch = AgentWatch(
            self.desk.registry,
            self.desk.assignments,
            self.store.ledger,
            self.clock,
            self._record,
            self._take,
            lambda: None,
            lambda: ("mail",),
        )
        self.desk.on_tick(self.watch.tick)

    async def begin(self) -> None:
        await self.store.catalog.sync_monitors([fake_monitor(name) for name in MONITORS])
        await self.desk.start()

    async def _record(self, change: Commit, notices: Any) -> None:
        await self.store.ledger.commit(Commit(outbox=tuple(OutboxRow(one, self.clock.now()) for one in notices)))

    async def _take(self, batch: Batch) -> None:
        self.marked.append(batch)

    async def enroll(self, name: str, location: str) -> EnrolledAgent:
        made = await self.desk.enroll(name, location, "ann")
        assert made is not None
        self.tokens[name] = made.token
        return made.agent

    async def hello(self, agent: EnrolledAgent, spool: int = 0) -> int:
        return (await self.desk.hello(agent, Hello("", "", "1.0", spool, self.clock.now()), "192.0.2.7")).spool

    async def passes(self, seconds: float, **alive: tuple[EnrolledAgent, int]) -> None:
        """Time passes; those who are alive say so every fifteen seconds, and the desk looks every five."""
        for step in range(round(seconds / 5)):
            await self.clock.sleep(5)
            if step % 3 == 0:
                for agent, spool in alive.values():
                    await self.hello(agent, spool)
            await self.desk._try(anew=False)

    async def notices(self) -> list[Notice]:
        return [one.row.notice for one in await self.store.ledger.notices()]

    def state(self, name: str) -> AgentState:
        return self.desk.registry.state(name)

    def unknown(self) -> list[tuple[str, str]]:
        return [(one.monitor, one.location) for batch in self.marked for one in batch.results]


@pytest.fixture
def house(clock: VirtualClock) -> House:
    return House(clock, MemoryStore(clock.now))


async def test_a_silence_is_notified_once_with_its_end(house: House) -> None:
    """What only it checks is unknown; what others check stays as they see it."""
    await house.begin()
    paris = await house.enroll("paris-1", "paris")
    spool = await house.hello(paris)
    await house.passes(120, paris=(paris, spool))
    assert (house.state("paris-1"), await house.notices(), house.marked) == (AgentState.REPORTING, [], [])
    await house.passes(600)
    assert house.state("paris-1") is AgentState.SILENT
    (silent,) = await house.notices()
    assert (silent.reason, silent.channel, silent.number) == (NoticeReason.AGENT_SILENT, "mail", 1)
    assert house.unknown() == [("paris-only", "paris")]
    ((marked,),) = [batch.results for batch in house.marked]
    assert (marked.status, marked.scope, marked.run, marked.sequence) == (Status.UNKNOWN, FaultScope.AGENT, 0, 0)
    assert "paris-1 at paris is silent" in marked.message
    await house.passes(60, paris=(paris, spool))
    silent, heard = await house.notices()
    assert (heard.reason, heard.alert) == (NoticeReason.AGENT_HEARD, silent.alert)
    await house.passes(600, paris=(paris, spool))
    assert len(await house.notices()) == 2


async def test_a_silence_outlives_a_restart_of_the_server(house: House) -> None:
    await house.begin()
    paris = await house.enroll("paris-1", "paris")
    spool = await house.hello(paris)
    await house.passes(120)
    assert len(await house.notices()) == 1
    house.restart()
    await house.desk.start()
    await house.passes(300)
    assert len(await house.notices()) == 1
    await house.passes(30, paris=(paris, spool))
    assert [one.reason for one in await house.notices()] == [NoticeReason.AGENT_SILENT, NoticeReason.AGENT_HEARD]


async def test_a_server_that_was_away_waits_before_it_calls_anybody_silent(house: House) -> None:
    await house.begin()
    paris = await house.enroll("paris-1", "paris")
    spool = await house.hello(paris)
    await house.passes(20)
    await house.clock.sleep(300)  # the server itself is down
    house.restart()
    await house.desk.start()
    await house.passes(30)
    assert await house.notices() == []
    await house.passes(60, paris=(paris, spool))
    assert await house.notices() == []


async def test_a_step_of_the_clock_makes_nobody_silent(house: House) -> None:
    await house.begin()
    paris = await house.enroll("paris-1", "paris")
    spool = await house.hello(paris)
    await house.passes(60, paris=(paris, spool))
    house.clock.step(7_200_000)
    await house.passes(60, paris=(paris, spool))
    house.clock.step(-14_400_000)
    await house.passes(60, paris=(paris, spool))
    assert (house.state("paris-1"), await house.notices()) == (AgentState.REPORTING, [])


async def test_the_shards_of_a_silent_one_go_to_others_of_its_location(house: House) -> None:
    """So that its monitors are never unchecked; and it gets them back under new runs."""
    await house.begin()
    first, second = await house.enroll("paris-1", "paris"), await house.enroll("paris-2", "paris")
    one, two = await house.hello(first), await house.hello(second)
    runs = dict(house.desk.assignments.runs)
    assert {held.agent for held in runs.values()} == {"paris-1", "paris-2"}
    await house.passes(120, second=(second, two))
    assert {held.agent for held in house.desk.assignments.runs.values()} == {"paris-2"}
    assert (house.unknown(), [held.number for held in await house.notices()]) == ([], [0])
    await house.passes(60, first=(first, one), second=(second, two))
    back = house.desk.assignments.runs
    assert {key: held.agent for key, held in back.items()} == {key: held.agent for key, held in runs.items()}
    assert all(back[key].run > held.run for key, held in runs.items() if held.agent == "paris-1")
    assert all(back[key] == held for key, held in runs.items() if held.agent == "paris-2")


async def test_one_that_restarts_keeps_its_runs(house: House) -> None:
    await house.begin()
    paris = await house.enroll("paris-1", "paris")
    spool = await house.hello(paris)
    runs = dict(house.desk.assignments.runs)
    await house.passes(20)
    assert await house.hello(paris, spool) == spool
    assert house.desk.assignments.runs == runs
    fresh = await house.hello(paris)
    assert fresh > spool
    assert {(held.run > spool, held.spool) for held in house.desk.assignments.runs.values()} == {(True, fresh)}


async def test_of_a_revoked_agent_nothing_more_is_said(house: House) -> None:
    await house.begin()
    paris = await house.enroll("paris-1", "paris")
    await house.hello(paris)
    await house.passes(120)
    assert await house.desk.revoke("paris-1")
    assert await house.desk.by_token(house.tokens["paris-1"]) is None
    await house.passes(60)
    again = await house.enroll("paris-1", "paris")
    await house.hello(again)
    await house.passes(10)
    assert [one.reason for one in await house.notices()] == [NoticeReason.AGENT_SILENT]


async def test_who_has_no_agent_reads_nothing(house: House) -> None:
    """After the start the desk waits until somebody is enrolled, or knocks."""
    await house.begin()
    assert house.desk.assignments.runs == {}
    assert not house.desk._changed.is_set()
    await house.enroll("paris-1", "paris")
    assert house.desk._changed.is_set()


async def test_agents_that_another_process_enrolled_are_known_when_they_knock(house: House) -> None:
    await house.begin()
    other = House(house.clock, house.store)
    agent = await other.enroll("paris-1", "paris")
    assert await house.desk.by_token(other.tokens["paris-1"]) == agent
    assert house.desk._changed.is_set()
    await house.hello(agent)
    assert [one.agent.name for one in await house.desk.agents()] == ["paris-1"]
    await other.desk.revoke("paris-1")
    assert not await house.desk.is_still(agent)
    assert await house.desk.agents() == []


async def test_too_many_greetings_are_refused_for_now(house: House) -> None:
    await house.begin()
    paris = await house.enroll("paris-1", "paris")
    spool = await house.hello(paris)
    for _ in range(9):
        await house.hello(paris, spool)
    with pytest.raises(UplinkError) as raised:
        await house.hello(paris, spool)
    assert (raised.value.fault, raised.value.retry_after_ms) == (UplinkFault.BUSY, 1_000)


async def test_a_spool_that_nobody_numbered_is_refused(house: House) -> None:
    await house.begin()
    paris = await house.enroll("paris-1", "paris")
    await house.hello(paris)
    for spool in (10**6, 2**40, -1):
        with pytest.raises(UplinkError) as raised:
            await house.hello(paris, spool)
        assert raised.value.fault is UplinkFault.REFUSED


async def test_new_specs_are_told_by_shard(house: House) -> None:
    await house.begin()
    paris = await house.enroll("paris-1", "paris")
    await house.hello(paris)
    orders: Any = house.desk.orders(paris, 0)
    first = await anext(orders)
    assert {spec.monitor for one in first.shards for spec in one.specs} == {"everywhere", "paris-only"}
    house.desk.use(Checks(lambda place: [fake_spec("everywhere", every_ms=5_000)] if place == "paris" else [], "home"))
    await house.desk.settle()
    second = await anext(orders)
    changes = {one.shard: [(spec.monitor, spec.every_ms) for spec in one.specs] for one in second.shards}
    assert changes == {shard_of("everywhere"): [("everywhere", 5_000)], shard_of("paris-only"): []}
    await orders.aclose()


async def greet(house: House, agent: EnrolledAgent, spool: int, ahead: int) -> None:
    """A greeting of an agent whose clock is ahead of the true time."""
    await house.desk.hello(agent, Hello("", "", "1.0", spool, house.clock.now() + ahead), "192.0.2.7")


@pytest.mark.parametrize("delta_ms", [40_000, -40_000, 7_200_000, -7_200_000])
async def test_a_clock_that_was_set_is_known_with_the_next_greeting(house: House, delta_ms: int) -> None:
    await house.begin()
    paris = await house.enroll("paris-1", "paris")
    spool = await house.hello(paris)
    for ahead in (0, 0, delta_ms, delta_ms, 0):
        await house.clock.sleep(15)
        await greet(house, paris, spool, ahead)
        assert house.desk.registry.skew_ms("paris-1") == ahead


async def test_a_slow_link_makes_no_clock_wrong(house: House) -> None:
    await house.begin()
    paris = await house.enroll("paris-1", "paris")
    spool = await house.hello(paris)
    for slow in (-300, -8_000, 0, -14_000, -25_000):
        await house.clock.sleep(15)
        await greet(house, paris, spool, slow)
        assert house.desk.registry.skew_ms("paris-1") == 0


@pytest.mark.parametrize("delta_ms", [40_000, -40_000, 7_200_000, -7_200_000])
async def test_a_server_whose_own_clock_is_set_knows_at_once_what_that_makes_of_the_agents(house: House, delta_ms: int) -> None:
    await house.begin()
    paris = await house.enroll("paris-1", "paris")
    await house.hello(paris)
    house.clock.step(delta_ms)
    assert house.desk.registry.skew_ms("paris-1") == -delta_ms
    house.clock.step(-delta_ms)
    assert house.desk.registry.skew_ms("paris-1") == 0


async def test_what_a_server_with_a_wrong_clock_hears_is_right_for_the_others() -> None:
    """Both ask one store what time it is; the agent greets the one whose clock is two hours ahead, and its results come to the other one."""
    right, wrong = VirtualClock(), VirtualClock()
    store = MemoryStore(right.now)
    one, other = House(right, store), House(wrong, store)
    await one.begin()
    await other.begin()
    paris = await other.enroll("paris-1", "paris")
    wrong.step(7_200_000)
    await other.desk.hello(paris, Hello("", "", "1.0", 0, right.now()), "192.0.2.7")
    await one.desk._try(anew=False)
    assert abs(one.desk.registry.skew_ms("paris-1")) <= 1
    assert abs(other.desk.registry.skew_ms("paris-1") + 7_200_000) <= 1
    (view,) = one.desk.registry.views()
    assert view.status is not None
    assert abs(view.status.skew_ms) <= 1


async def test_an_agent_that_another_server_heard_first_is_not_silent(house: House) -> None:
    """However long this server has been there already."""
    await house.begin()
    paris = await house.enroll("paris-1", "paris")
    await house.passes(600)
    other = House(house.clock, house.store)
    other.tokens = house.tokens
    await other.desk.start()
    await other.hello(paris)
    await house.passes(15)
    assert (house.state("paris-1"), await house.notices()) == (AgentState.REPORTING, [])
    await house.passes(600)
    assert [one.reason for one in await house.notices()] == [NoticeReason.AGENT_SILENT]


async def test_agents_that_were_enrolled_before_a_start_are_looked_after(house: House) -> None:
    """Whether what goes on for ever begins before or after it was read who there is."""
    await house.begin()
    await house.hello(await house.enroll("paris-1", "paris"))
    house.restart()
    running = asyncio.create_task(house.desk.run())
    await house.clock.sleep(0)
    await house.desk.start()
    await house.clock.sleep(120)
    running.cancel()
    assert [one.reason for one in await house.notices()] == [NoticeReason.AGENT_SILENT]


async def test_a_server_that_was_started_again_takes_nothing_in_before_it_knows_the_agents_clock(house: House) -> None:
    """Whatever its former life found is against the clock that the machine had then."""
    await house.begin()
    paris = await house.enroll("paris-1", "paris")
    house.clock.step(-7_200_000)  # the machine began with a wrong clock
    welcome = await house.desk.hello(paris, Hello("", "", "1.0", 0, house.clock.now() + 7_200_000), "192.0.2.7")
    await house.desk.take(paris, b"")
    assert house.desk.registry.skew_ms("paris-1") == 7_200_000
    house.clock.step(7_200_000)
    house.restart()
    await house.begin()
    with pytest.raises(UplinkError) as raised:
        await house.desk.take(paris, b"")
    assert (raised.value.fault, raised.value.permanent) == (UplinkFault.BUSY, False)
    await house.hello(paris, welcome.spool)
    assert house.desk.registry.skew_ms("paris-1") == 0
    await house.desk.take(paris, b"")


async def test_a_server_that_was_away_for_hours_calls_nobody_silent_who_is_there(house: House) -> None:
    await house.begin()
    paris, lyon = await house.enroll("paris-1", "paris"), await house.enroll("lyon-1", "lyon")
    spool = await house.hello(paris)
    await house.hello(lyon)
    await house.clock.sleep(7_200)
    house.restart()
    await house.begin()
    await house.passes(40, paris=(paris, spool))
    assert await house.notices() == []
    assert house.unknown() == []
    await house.passes(20, paris=(paris, spool))
    assert [(one.reason, one.alert.partition("@")[0]) for one in await house.notices()] == [(NoticeReason.AGENT_SILENT, "agent-lyon-1")]
