"""Several locations, end to end: an agent in each, one bus, one ingest, a real store; what people are notified of is what most of them see."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from vigie.core.model import Status
from vigie.engine.prober import LocalAgent
from vigie.observation.check_spec import CheckSpec
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel, FakeProbe, FakeVigie, fake_monitor, policies

pytestmark = pytest.mark.virtual
UP, DOWN = Status.UP, Status.DOWN
EVERY = 10_000
HOUR = 3_600
SHOP = fake_monitor(every_ms=EVERY, policy=policies(confirm=2, confirm_every_ms=5_000, recover=2, to=("mail",)))
Seen = Callable[[int], Status]


class World:
    """Vigie with an agent of its own at `local`, and agents elsewhere whose runs are lower than its own."""

    def __init__(self, path: Path, clock: VirtualClock, *, life: int = 1, **elsewhere: Seen) -> None:
        self.clock, self.elsewhere, self._life = clock, elsewhere, life
        self.store = SqliteStore(path / "vigie.db", threads=False, monotonic=clock.monotonic)
        self.mail = FakeChannel(clock)
        self.here: Seen = lambda _: UP
        self.vigie = FakeVigie(self.store, clock, [SHOP], self._seen_here, {"mail": self.mail})
        self._agents: list[LocalAgent] = []

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator["World"]:
        """All agents probe for the length of a block."""
        for _ in range(3):  # the runs of the other agents are lower than that of the local one
            await self.store.ledger.next_run()
        async with self.vigie.at_work():
            for name, seen in self.elsewhere.items():
                await self._join(name, seen)
            yield self
            for agent in self._agents:
                await agent.stop()

    async def _join(self, location: str, seen: Seen) -> None:
        probe = FakeProbe(self.clock, seen)
        agent = LocalAgent(name=location, run=self._life, clock=self.clock, publish=self.vigie.bus.publish, build=lambda _: probe)
        await agent.assign([replace(CheckSpec.of(SHOP, {}), location=location)])
        agent.start()
        self._agents.append(agent)

    def _seen_here(self, at: int) -> Status:
        return self.here(at)

    @property
    def reasons(self) -> list[str]:
        """What was notified, in order."""
        return [str(message.reason) for _, message in self.mail.told]


def down_between(clock: VirtualClock, start: int, end: int) -> Seen:
    """Down from `start` to `end`, seconds from now."""
    now = clock.now()
    return lambda at: DOWN if now + start * 1_000 <= at < now + end * 1_000 else UP


async def test_an_outage_that_one_of_three_sees_notifies_nobody(tmp_path: Path, clock: VirtualClock) -> None:
    async with World(tmp_path, clock, paris=down_between(clock, 60, 600), lyon=lambda _: UP).at_work() as world:
        await clock.sleep(900)

    assert world.reasons == []


async def test_an_outage_that_two_of_three_see_is_one_incident_and_its_end_another_notice(tmp_path: Path, clock: VirtualClock) -> None:
    outage = down_between(clock, 60, 600)
    async with World(tmp_path, clock, paris=outage, lyon=outage).at_work() as world:
        await clock.sleep(300)
        assert world.reasons == ["opened"]
        assert [one.cause for one in await world.store.archive.incidents(open_only=True)] == ["tcp.refused"]
        await clock.sleep(600)
        assert world.reasons == ["opened", "recovered"]


async def test_a_location_that_falls_silent_has_no_vote_and_is_never_down(tmp_path: Path, clock: VirtualClock) -> None:
    """Of the two that are left, one that sees an outage is no majority; when both do, it is one."""
    outage = down_between(clock, 600, 1_200)
    world = World(tmp_path, clock, paris=lambda _: UP, lyon=outage)
    async with world.at_work():
        await clock.sleep(300)
        await world._agents[0].stop()
        await clock.sleep(600)
        assert world.reasons == []
        world.here = outage
        await clock.sleep(120)
        assert world.reasons == ["opened"]


async def test_results_are_packed_with_their_location_and_are_the_same_after_a_restart(tmp_path: Path, clock: VirtualClock) -> None:
    outage = down_between(clock, 60, 2 * HOUR)
    async with World(tmp_path, clock, paris=outage, lyon=outage).at_work() as first:
        await clock.sleep(300)
        assert first.reasons == ["opened"]
    store = SqliteStore(tmp_path / "vigie.db", threads=False, monotonic=clock.monotonic)
    state = (await store.ledger.load()).states["shop"]
    await store.close()
    assert {one.location: one.status for one in state.views} == {"local": UP, "paris": DOWN, "lyon": DOWN}
    assert {one.run for one in state.views if one.location != "local"} == {1}

    async with World(tmp_path, clock, life=2, paris=outage, lyon=outage).at_work() as second:
        await clock.sleep(300)
        assert second.reasons == [], "what is open stays open, and nobody is notified again"
