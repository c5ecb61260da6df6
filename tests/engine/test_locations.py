"""Several locations, end to end: an agent in each, one bus, one ingest, a real store; what people are notified of is what most of them see."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from vigie.core.detection import PartialOutage
from vigie.core.model import Cause, CheckResult, Monitor, Status, Timings
from vigie.engine.availability import standings
from vigie.engine.baselines import Baselines
from vigie.engine.prober import LocalAgent
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Batch
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel, FakeProbe, FakeVigie, fake_monitor, policies

pytestmark = pytest.mark.virtual
UP, DOWN, UNKNOWN = Status.UP, Status.DOWN, Status.UNKNOWN
EVERY = 10_000
HOUR = 3_600
SHOP = fake_monitor(every_ms=EVERY, policy=policies(confirm=2, confirm_every_ms=5_000, recover=2, to=("mail",)))
Seen = Callable[[int], Status]


class World:
    """Vigie with an agent of its own at `local`, and agents elsewhere whose runs are lower than its own."""

    def __init__(self, path: Path, clock: VirtualClock, *, life: int = 1, watched: Monitor = SHOP, **elsewhere: Seen) -> None:
        self.clock, self.elsewhere, self._life, self._watched = clock, elsewhere, life, watched
        self.store = SqliteStore(path / "vigie.db", threads=False, monotonic=clock.monotonic)
        self.mail = FakeChannel(clock)
        self.here: Seen = lambda _: UP
        self.vigie = FakeVigie(self.store, clock, [watched], self._seen_here, {"mail": self.mail})
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
        await agent.assign([replace(CheckSpec.of(self._watched, {}), location=location)])
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


ALERTED = fake_monitor(
    every_ms=EVERY,
    policy=policies(confirm=2, confirm_every_ms=5_000, recover=2, to=("mail",), degraded_to=("mail",), delay_ms=5_000, gap_ms=30_000),
)


async def test_an_outage_seen_from_one_place_alone_is_a_degradation_that_names_it(tmp_path: Path, clock: VirtualClock) -> None:
    world = World(tmp_path, clock, watched=ALERTED, paris=down_between(clock, 60, 600), lyon=lambda _: UP)
    async with world.at_work():
        await clock.sleep(300)
        (incident,) = await world.store.archive.incidents(open_only=True)
        assert (incident.severity.value, incident.cause) == ("degradation", "tcp.refused")
        await clock.sleep(600)

    opened, recovered = [message for _, message in world.mail.told]
    assert opened.headline.endswith(", paris)")
    assert any(line.startswith("Fails from paris (since ") and "works from local and lyon" in line for line in opened.lines)
    assert any(line.startswith("Works again from paris (since ") and "never failed from local and lyon" in line for line in recovered.lines)


async def test_whoever_ignores_partial_outages_is_notified_of_none(tmp_path: Path, clock: VirtualClock) -> None:
    ours = replace(ALERTED, detection=replace(ALERTED.detection, partial_outage=PartialOutage.IGNORE))
    async with World(tmp_path, clock, watched=ours, paris=down_between(clock, 60, 600), lyon=lambda _: UP).at_work() as world:
        await clock.sleep(900)

    assert world.reasons == []


async def test_places_recover_in_turn_and_the_rest_is_a_degradation(tmp_path: Path, clock: VirtualClock) -> None:
    """One of three fails, then two; one of them is well again, and later the other. The outage is an alert of its own."""
    world = World(tmp_path, clock, watched=ALERTED, paris=down_between(clock, 60, 400), lyon=down_between(clock, 120, 800))
    async with world.at_work():
        await clock.sleep(1_000)

    told = [(str(message.reason), message.severity.value) for _, message in world.mail.told]
    assert told[0] == ("opened", "degradation")  # the first place that fails is alone for a moment
    assert ("opened", "outage") in told
    assert told.count(("recovered", "outage")) == 1
    assert told[-1] == ("recovered", "degradation")
    ended = next(message for _, message in world.mail.told if (str(message.reason), message.severity.value) == ("recovered", "outage"))
    assert any("still fails from lyon" in line for line in ended.lines)


async def test_a_location_that_is_enrolled_later_has_a_vote_from_its_first_result(tmp_path: Path, clock: VirtualClock) -> None:
    world = World(tmp_path, clock, watched=ALERTED)
    world.here = down_between(clock, 300, 900)
    async with world.at_work():
        await clock.sleep(200)
        await world._join("paris", lambda _: UP)
        await world._join("lyon", lambda _: UP)
        await clock.sleep(200)
        (incident,) = await world.store.archive.incidents(open_only=True)
        assert incident.severity.value == "degradation"


async def test_a_location_that_checks_it_no_longer_has_no_vote_at_once(tmp_path: Path, clock: VirtualClock) -> None:
    world = World(tmp_path, clock, watched=ALERTED, paris=down_between(clock, 60, 9_000), lyon=down_between(clock, 60, 9_000))
    async with world.at_work():
        await clock.sleep(300)
        for agent in world._agents:
            await agent.stop()
        await world.vigie.ingest.configure([replace(ALERTED, locations=("local",))])
        await clock.sleep(30)
        assert [one.location for one in world.vigie.ingest.state("shop").views] == ["local"]
        assert await world.store.archive.incidents(open_only=True) == []


async def test_after_a_restart_the_first_location_that_is_heard_is_not_the_whole_vote(tmp_path: Path, clock: VirtualClock) -> None:
    ours = replace(ALERTED, detection=replace(ALERTED.detection, confirm=1, partial_outage=PartialOutage.IGNORE))
    async with World(tmp_path, clock, watched=ours, paris=lambda _: UP, lyon=lambda _: UP).at_work():
        await clock.sleep(60)
    again = World(tmp_path, clock, watched=ours, life=2)  # the other agents are not heard yet
    again.here = lambda _: DOWN
    async with again.at_work():
        await clock.sleep(60)
        assert {one.location for one in again.vigie.ingest.state("shop").views} == {"local", "paris", "lyon"}
        assert again.reasons == []


async def test_after_a_start_a_location_was_heard_when_it_was_heard_last_not_when_something_was_decided_last(
    tmp_path: Path, clock: VirtualClock
) -> None:
    """A monitor that rests has a row from the end of its last incident, with views that are hours old by now."""
    ours = replace(ALERTED, detection=replace(ALERTED.detection, confirm=1, partial_outage=PartialOutage.IGNORE))
    outage = down_between(clock, 60, 120)
    first = World(tmp_path, clock, watched=ours, paris=outage, lyon=outage)
    first.here = outage
    async with first.at_work():
        await clock.sleep(HOUR)
        assert first.reasons == ["opened", "recovered"]
    again = World(tmp_path, clock, watched=ours, life=9)  # the other agents are not heard yet
    again.here = lambda _: DOWN
    async with again.at_work():
        await clock.sleep(60)
        assert again.reasons == []


async def test_a_location_that_cannot_see_has_no_vote_and_the_others_go_on(tmp_path: Path, clock: VirtualClock) -> None:
    """Its own span is kept with its name, the service's availability is what the others saw, and people are told which place it was."""
    start = clock.now()

    def blind(at: int) -> Status:
        return UNKNOWN if start + 100_000 <= at < start + 500_000 else UP

    world = World(tmp_path, clock, watched=ALERTED, paris=blind, lyon=down_between(clock, 200, 400))
    world.here = down_between(clock, 200, 400)
    async with world.at_work():
        await clock.sleep(900)
        spans = [one for one in await world.store.archive.blinds(0) if not one.quiet]
        assert [(one.location, one.monitor, one.cause) for one in spans] == [("paris", "", "probe.network")]
        (summary,) = (await standings(world.store.archive, start, clock.now())).values()
        assert summary.blind_ms == 0
        assert 190_000 <= summary.known.down_ms <= 230_000

    told = {str(message.reason): message for _, message in world.mail.told}
    assert {"opened", "recovered", "blind"} <= told.keys()
    assert told["blind"].headline.startswith("🙈 Nothing could be checked from paris, from ")
    assert "That location had no vote meanwhile; services were judged by the others." in told["blind"].lines


async def test_time_in_which_no_location_could_see_is_left_out(tmp_path: Path, clock: VirtualClock) -> None:
    start = clock.now()

    def blind(at: int) -> Status:
        return UNKNOWN if start + 100_000 <= at < start + 500_000 else UP

    world = World(tmp_path, clock, watched=ALERTED, paris=blind, lyon=blind)
    world.here = blind
    async with world.at_work():
        await clock.sleep(900)
        (summary,) = (await standings(world.store.archive, start, clock.now())).values()
        assert 370_000 <= summary.blind_ms <= 430_000
        assert summary.known.down_ms == 0


async def test_a_far_location_is_not_slow_by_the_measure_of_a_near_one(clock: VirtualClock) -> None:
    """Twenty times as long from there is usual there."""
    baselines, step = Baselines(), 300_000

    def judged(number: int, place: str, total: float) -> Status:
        timings = Timings(first_byte=total * 0.9, transfer=total * 0.1, total=total)
        one = CheckResult("shop", clock.now() + number * step, UP, timings=timings, location=place, run=1, sequence=number)
        return baselines.judge(SHOP, one).status

    for number in range(3 * 24 * 12):
        assert {judged(number, "local", 20.0 + number % 5), judged(number, "sydney", 400.0 + number % 50)} == {UP}
    later = range(3 * 24 * 12, 3 * 24 * 12 + 30)
    assert {judged(number, "sydney", 420.0) for number in later} == {UP}
    assert Status.DEGRADED in {judged(number, "local", 420.0) for number in later}
    assert {key for key, _ in baselines.unwritten()} == {"shop", "shop@sydney"}


@pytest.mark.parametrize("delay_ms", [0, 15_000])
@pytest.mark.parametrize("delta_ms", [40_000, -40_000, 7_200_000, -7_200_000])
async def test_a_clock_that_is_set_hides_no_outage_from_those_who_are_left(
    tmp_path: Path, clock: VirtualClock, delta_ms: int, delay_ms: int
) -> None:
    """One location was heard last by the old time and is silent since; what the others see decides, and the same when it is set back."""
    detection = replace(SHOP.detection, delay_ms=delay_ms, gap_ms=30_000, flapping=False)
    broken, watched = [UP], replace(SHOP, detection=detection)
    world = World(tmp_path, clock, watched=watched, paris=lambda _: UP, lyon=lambda _: broken[0])
    world.here = lambda _: broken[0]
    async with world.at_work():
        await clock.sleep(300)
        await world._agents[0].stop()
        for before, within in ((delta_ms, -delta_ms), (0, delta_ms), (-delta_ms, 0)):
            clock.step(before)
            await clock.sleep(60)
            broken[0], told = DOWN, len(world.reasons)
            await clock.sleep(120)
            assert world.reasons[told:] == ["opened"]
            clock.step(within)
            await clock.sleep(60)
            broken[0] = UP
            await clock.sleep(120)
            assert world.reasons[told:] == ["opened", "recovered"]
        rows = await world.store.archive.incidents()
        assert len(rows) == 3
        assert all(one.closed_at is not None and one.started_at <= one.closed_at for one in rows)


async def test_a_result_of_a_time_that_has_not_come_holds_up_nothing(tmp_path: Path, clock: VirtualClock) -> None:
    """A check was under way when the clock was set back; what its location says afterwards is not put off until that time comes again."""
    watched = replace(SHOP, detection=replace(SHOP.detection, delay_ms=15_000, gap_ms=30_000, quorum=2))
    world = World(tmp_path, clock, watched=watched, paris=down_between(clock, 120, 600), lyon=lambda _: UP)
    async with world.at_work():

        async def nice(number: int, status: Status, ahead: int = 0) -> None:
            one = CheckResult("shop", clock.now() + ahead, status, Cause.TCP_REFUSED, location="nice", run=1, sequence=number)
            await world.vigie.bus.publish(Batch("nice", 1, number, (one,)))

        await nice(1, DOWN)
        await clock.sleep(60)
        await nice(2, UNKNOWN, 7_200_000)
        for number in range(3, 40):
            await clock.sleep(5)
            await nice(number, DOWN)
        assert world.reasons == ["opened"]


@pytest.mark.parametrize("delay_ms", [0, 15_000])
async def test_a_start_with_an_earlier_clock_hides_no_outage(tmp_path: Path, clock: VirtualClock, delay_ms: int) -> None:
    """Whoever judged before had a clock that was two hours ahead; paris was heard last by that clock, and is silent."""
    watched = replace(SHOP, detection=replace(SHOP.detection, delay_ms=delay_ms, gap_ms=30_000))
    async with World(tmp_path, clock, watched=watched, paris=lambda _: UP, lyon=down_between(clock, 200, 9_000)).at_work():
        await clock.sleep(300)  # lyon alone sees it: the monitor does not rest, and its state is on record
    clock.step(-7_200_000)
    second = World(tmp_path, clock, life=2, watched=watched, lyon=lambda _: DOWN)
    second.here = lambda _: DOWN
    async with second.at_work():
        await clock.sleep(120)
        assert second.reasons[-1:] == ["opened"]
