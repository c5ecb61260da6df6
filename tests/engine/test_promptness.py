"""How soon an outage is announced while a location is dead or cut off: the whole engine, an agent in each location, on virtual time."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from vigie.core.model import Monitor, Status
from vigie.core.quorum import Views
from vigie.core.watermark import patience_ms
from vigie.engine.prober import LocalAgent
from vigie.engine.transition import Transition
from vigie.observation.check_spec import CheckSpec
from vigie.observation.locations import sightings
from vigie.ports import Batch
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel, FakeProbe, FakeVigie, fake_monitor, policies
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
UP, DOWN = Status.UP, Status.DOWN
NAMES = ("local", "lyon", "nice", "oslo", "paris")
TRANSIT_SECONDS = 0.2


@dataclass
class Link:
    """What lies between an agent and its server. While it is cut, the agent keeps what it measured."""

    vigie: FakeVigie
    cut: bool = False
    spool: list[Batch] = field(default_factory=list)
    agent: LocalAgent | None = None

    async def publish(self, batch: Batch) -> None:
        """Hand a batch over, or keep it."""
        if self.cut or self.spool:
            self.spool.append(batch)
            return
        await self.vigie.clock.sleep(TRANSIT_SECONDS)
        await self.vigie.bus.publish(batch)

    async def mend(self) -> None:
        """Hand over what was kept, in its order, and hear what was ordered meanwhile."""
        self.cut = False
        while self.spool:
            await self.vigie.bus.publish(self.spool[0])
            del self.spool[0]
        for state in self.vigie.ingest.states():
            await self.pace(state.monitor, quick=state.quick)

    async def pace(self, monitor: str, *, quick: bool) -> None:
        """An order, which does not get through a cut."""
        watched = self.vigie.ingest.monitor(monitor)
        if self.agent is not None and watched is not None and not self.cut:
            await self.agent.pace(monitor, min(watched.detection.confirm_every_ms, watched.every_ms) if quick else None)


class World:
    """So many locations, of which the first is the server's own; the service is down from `fails`, epoch ms, until `ends`."""

    def __init__(self, clock: VirtualClock, watched: Monitor, number: int) -> None:
        self.clock, self.watched = clock, watched
        self.fails = self.ends = 2**62
        self.store = MemoryStore()
        self.mail = FakeChannel(clock)
        self.vigie = FakeVigie(self.store, clock, [watched], self._seen, {"mail": self.mail})
        self.links = {name: Link(self.vigie) for name in NAMES[1:number]}

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator["World"]:
        """All agents probe for the length of a block."""
        self.vigie.ingest.listen(self._pace)
        async with self.vigie.at_work():
            for name, link in self.links.items():
                agent = LocalAgent(
                    name=name, run=1, clock=self.clock, publish=link.publish, build=lambda _: FakeProbe(self.clock, self._seen)
                )
                await agent.assign([CheckSpec.of(self.watched, {}, location=name)])
                agent.start()
                link.agent = agent
            yield self
            for link in self.links.values():
                link.cut = False
                if link.agent is not None:
                    await link.agent.stop()

    async def fail_in(self, seconds: float, lasts: float = 9_999_999) -> None:
        """The service fails in so many seconds; wait for it."""
        self.fails = self.clock.now() + round(seconds * 1_000)
        self.ends = self.fails + round(lasts * 1_000)
        await self.clock.sleep(seconds)

    async def until_told(self, count: int, seconds: float = 900) -> float:
        """Wait until so many notices were sent; seconds since the service failed."""
        for _ in range(round(seconds * 4)):
            if len(self.mail.told) >= count:
                return (self.mail.told[count - 1][0] - self.fails) / 1_000
            await self.clock.sleep(0.25)
        pytest.fail(f"{self.told} within {seconds} s")

    @property
    def told(self) -> list[tuple[str, str]]:
        """What was notified, in order."""
        return [(str(message.reason), message.severity.value) for _, message in self.mail.told]

    @property
    def views(self) -> Views:
        return self.vigie.ingest.state(self.watched.id).views

    async def _pace(self, turn: Transition) -> None:
        if turn.before.quick != turn.after.quick:
            for link in self.links.values():
                await link.pace(turn.monitor.id, quick=turn.after.quick)

    def _seen(self, at: int) -> Status:
        return DOWN if self.fails <= at < self.ends else UP


def watched(every: int, quorum: int | None = None, confirm: int = 3) -> Monitor:
    """A monitor with the delays that a configuration gives one with a time-out of ten seconds."""
    every_ms = every * 1_000
    policy = policies(
        confirm=confirm, confirm_every_ms=5_000, recover=2, to=("mail",), degraded_to=("mail",), quorum=quorum,
        stale_ms=max(180_000, 2 * every_ms + 70_000), delay_ms=15_000, gap_ms=every_ms + 25_000,
    )  # fmt: skip
    return fake_monitor(every_ms=every_ms, policy=policy)


@pytest.mark.parametrize("every", [10, 300])
@pytest.mark.parametrize(("number", "quorum"), [(2, None), (2, 1), (2, 2), (3, None), (3, 1), (3, 2), (5, None)])
async def test_a_location_that_dies_one_second_before_an_outage(clock: VirtualClock, every: int, number: int, quorum: int | None) -> None:
    """The first check of one that lives comes within the interval; then it takes one that lives `patience_ms` at most to be heard."""
    async with World(clock, watched(every, quorum), number).at_work() as world:
        await clock.sleep(2.5 * every)
        world.links["lyon"].cut = True
        await world.fail_in(1)
        seconds = await world.until_told(1)
        assert seconds <= every + patience_ms(world.watched.detection) / 1_000 + 5 + 1
        await clock.sleep(every + 60)
        assert world.told == [("opened", "outage")]


async def test_seconds_to_the_notice_with_one_of_two_dead(clock: VirtualClock) -> None:
    """The figures of docs/locations.md, whenever within the interval of ten seconds the service fails."""
    found = list[float]()
    for late in range(10):
        async with World(clock, watched(10), 2).at_work() as world:
            await clock.sleep(60 + late)
            world.links["lyon"].cut = True
            await world.fail_in(1)
            found.append(await world.until_told(1))
    assert min(found) >= 20
    assert max(found) <= 31
    assert sum(found) / len(found) <= 26


@pytest.mark.parametrize("cut", [20, 60, 600])
@pytest.mark.parametrize("every", [10, 300])
@pytest.mark.parametrize(("number", "quorum"), [(2, None), (3, None), (3, 1), (5, None)])
async def test_one_that_was_cut_off_and_hands_its_spool_over_changes_nothing(
    clock: VirtualClock, number: int, quorum: int | None, every: int, cut: int
) -> None:
    """Whether the outage ends before it is back, or after."""
    for lasts in (max(2.5 * every, 60), cut + 30 + every):
        async with World(clock, watched(every, quorum), number).at_work() as world:
            await clock.sleep(2.5 * every)
            world.links["lyon"].cut = True
            await world.fail_in(1, lasts)
            await clock.sleep(cut - 1)
            await world.links["lyon"].mend()
            await clock.sleep(max(lasts - cut, 0) + 2 * every + 60)
            assert world.told == [("opened", "outage"), ("recovered", "outage")]
            incidents = await world.store.archive.incidents()
            assert [(one.severity.value, one.closed_at is not None) for one in incidents] == [("outage", True)]
            assert world.vigie.ingest.state(world.watched.id).held == ()


async def test_nobody_is_said_to_see_well_what_failed_after_it_was_heard_last(clock: VirtualClock) -> None:
    """Two of three are enough, so the third is not awaited; that it found the service well was before."""
    async with World(clock, watched(10), 3).at_work() as world:
        await clock.sleep(60)
        world.links["lyon"].cut = True
        await world.fail_in(1)
        assert await world.until_told(1) <= 22
        (_, message) = world.mail.told[0]
        assert any("Fails from local" in line and "no recent result from lyon" in line for line in message.lines)


async def test_what_is_said_of_who_does_not_answer(clock: VirtualClock) -> None:
    """It was heard ten seconds before, and found the service well: that is not what it sees now."""
    async with World(clock, watched(10), 2).at_work() as world:
        await clock.sleep(60)
        world.links["lyon"].cut = True
        await world.fail_in(1)
        await world.until_told(1)
        (_, message) = world.mail.told[0]
        assert any("Fails from local" in line and "no recent result from lyon" in line for line in message.lines)
        assert not any("works from lyon" in line for line in message.lines)
        assert "Observed: connection refused [F1, F2]." in message.lines, "the check that was decided later is known whole"

        await world.links["lyon"].mend()
        await clock.sleep(30)
        assert {one.location: one.fails for one in sightings(world.views, 180_000)} == {"local": True, "lyon": True}
        assert world.told == [("opened", "outage")]
