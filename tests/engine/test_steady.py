"""Packed batches lead to exactly what their results would lead to, one by one."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigie.core.incident import DetectionState
from vigie.core.model import Cause, CheckResult, HttpFacts, Monitor, PageFacts, Sensitivity, Status, Timings
from vigie.engine.baselines import baseline_key
from vigie.engine.board import LiveBoard
from vigie.engine.ingest import Ingest
from vigie.engine.live import LiveHub
from vigie.engine.past import Pasts
from vigie.engine.refreshing import Refresher
from vigie.engine.steady import Plain
from vigie.engine.transition import Transition
from vigie.fleet.batches import PackedBatch
from vigie.fleet.packing import Packer, Place, expand
from vigie.fleet.shards import shard_of
from vigie.learning.baseline import Baseline, judge
from vigie.ports import Batch, Position, Store
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing import VirtualClock, run_virtual
from vigie.testing.fakes import fake_monitor, policies
from vigie.testing.memory import MemoryStore

NOW = 1_767_225_600_000
MINUTE = 60_000
POLICY = policies(confirm=2, confirm_every_ms=1_000, recover=2, to=("mail",), stale_ms=150_000, delay_ms=5_000, gap_ms=90_000)
MONITORS = tuple(
    replace(fake_monitor(name, policy=POLICY, host="same.example" if name != "blog" else ""), baseline=sense)
    for name, sense in (("shop", Sensitivity.HIGH), ("mail", Sensitivity.OFF), ("blog", Sensitivity.HIGH), ("api", Sensitivity.NORMAL))
)
LOCATIONS = ("paris", "oslo", "rome")
FACTS = {"address": "192.0.2.7", "addresses": ("192.0.2.7",), "http": HttpFacts(200, "2", type="text/html")}


def learnt() -> Baseline:
    """Three weeks and more of about 20 ms."""
    known = Baseline()
    for turn in range(24 * 24 * 12):
        at = NOW - (24 * 24 * 12 - turn) * 5 * MINUTE
        _, known = judge(CheckResult("shop", at, Status.UP, timings=Timings(total=20.0 + turn % 3)), known, Sensitivity.HIGH)
    return known


LEARNT = learnt()

KINDS = {
    "down": {"status": Status.DOWN, "cause": Cause.HTTP_STATUS, "message": "HTTP 503"},
    "degraded": {"status": Status.DEGRADED, "cause": Cause.LATENCY_THRESHOLD},
    "unknown": {"status": Status.UNKNOWN, "cause": Cause.PROBE_ERROR, "message": "no such file"},
    "slow": {"timings": Timings(total=400.0)},
    "untimed": {"timings": Timings()},
    "other": {"http": HttpFacts(204, "2")},
    "page": {"page": PageFacts("d", 5)},
}
deviation = st.tuples(
    st.sampled_from(MONITORS), st.sampled_from(LOCATIONS), st.sampled_from([*KINDS, "down", "down", "skip", "again", "late"])
)
turn = st.tuples(
    st.sampled_from([1_000, MINUTE, MINUTE, MINUTE, 5 * MINUTE, 59 * MINUTE]),
    st.lists(deviation, max_size=3),
    st.integers(1, 4),  # how long that lasts
    st.sampled_from(["", "", "", "", "restart", "replay", "moved", "policy"]),
)


@dataclass
class Side:
    """One way to take the same batches in."""

    store: Store
    clock: VirtualClock
    ingest: Ingest = field(init=False)
    decided: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    plain: int = 0

    @property
    def each(self) -> bool:
        """As a listener that has no wish."""
        return False

    async def on_plain(self, plain: Plain) -> None:
        """Count."""
        self.plain += plain.count
        assert len(plain.monitors) == plain.count

    async def begin(self, monitors: Sequence[Monitor]) -> None:
        """Start, or start again after the process died."""
        await self.store.catalog.sync_monitors(monitors)
        self.ingest = Ingest(
            self.store.ledger,
            self.store.archive,
            self.clock,
            hold_ms=2_000,
            listeners=[self._hear],
            routine_level=0,
            fleet=self.store.fleet,
        )
        self.ingest.listen_to_results(self._ignore, self)
        self.monitors = monitors
        pasts = Pasts(None, self.store.archive, self.clock)
        self.board = LiveBoard(self.ingest, self.clock, LiveHub(self.clock), lambda: self.monitors, lambda _: None, pasts)
        self.refresher = Refresher(self.ingest, self.store.archive, self.clock, self.board)
        self.ingest.listen_to_results(self.board.on_transition, self.refresher)
        await self.ingest.start(monitors)
        await self.configure(monitors)
        await self.board.start(self.store.archive)

    async def configure(self, monitors: Sequence[Monitor]) -> None:
        """As a server does."""
        self.monitors = monitors
        await self.ingest.configure(monitors)
        self.board.configure()

    async def _hear(self, transition: Transition) -> None:
        if transition.decisions:
            self.decided.append((transition.monitor.id, transition.decisions))

    async def _ignore(self, _: Transition) -> None:
        pass


class World:
    """Agents in three locations, and two servers that get the same."""

    def __init__(self, plain: Side, quick: Side) -> None:
        self.plain, self.quick = plain, quick
        self.at, self.run, self.counts = NOW, 7, Counter[str]()
        self.known: dict[Place, CheckResult] = {}
        self.spooled: list[PackedBatch] = []
        self.sent: list[PackedBatch] = []
        self.late: list[CheckResult] = []
        self.was_late = False
        self.lasting: list[tuple[int, tuple[Monitor, str, str]]] = []
        self.monitors: tuple[Monitor, ...] = MONITORS

    async def begin(self) -> None:
        """Both servers, and a packer for each location."""
        for side in (self.plain, self.quick):
            await side.begin(self.monitors)
        fleet = self.quick.store.fleet
        self.numbers = await fleet.monitor_numbers()
        self.ids = {number: name for name, number in self.numbers.items()}
        self.packers = {place: Packer(f"probe-{place}", place, await fleet.location_number(place)) for place in LOCATIONS}
        for place in LOCATIONS:
            assert await self.plain.store.fleet.location_number(place) == await fleet.location_number(place)
        self.assign()

    def assign(self) -> None:
        """Shards with the run of now."""
        for packer in self.packers.values():
            packer.use(self.numbers, {shard_of(name): self.run for name in self.numbers})

    def check(self, monitor: Monitor, place: str) -> CheckResult:
        """A check that finds everything well."""
        self.counts[place] += 1
        offset = self.counts[place] * 37 % 50 + 50 * LOCATIONS.index(place)
        return replace(
            CheckResult(monitor.id, self.at + offset, Status.UP, message="HTTP 200", timings=Timings(2.0, 3.0, None, 10.0, None, 20.0 + offset % 50 / 10)),
            location=place, run=self.run, sequence=65_500 + self.counts[place], **FACTS,  # type: ignore[arg-type]
        )  # fmt: skip

    def measure(self, wanted: Sequence[tuple[Monitor, str, str]]) -> None:
        """One round of checks, packed into the spool."""
        for place in LOCATIONS:
            results = []
            for monitor in self.monitors:
                one = self.check(monitor, place)
                for kind in [kind for of, where, kind in wanted if of.id == monitor.id and where == place]:
                    one = replace(one, **KINDS.get(kind, {}))  # type: ignore[arg-type]
                    if kind == "late":
                        self.late.append(one)
                        self.was_late = True
                    results += [one] * (kind == "again")
                    if kind in ("late", "skip"):
                        break
                else:
                    results.append(one)
            if self.late and not wanted:
                results += [each for each in self.late if each.location == place]
                self.late = [each for each in self.late if each.location != place]
            for shard, batch in self.packers[place].pack(results):
                self.counts[f"{place}#{shard}"] += 1
                self.spooled.append(replace_batch(batch, 3, self.counts[f"{place}#{shard}"]))

    async def deliver(self, together: int) -> None:
        """Everything that is spooled, to both."""
        for start in range(0, len(self.spooled), together):
            part = self.spooled[start : start + together]
            await self.quick.ingest.take_packed(part, Position("stream", 1, len(self.sent) + start + 1))
            for one in part:
                results = tuple(expand(one, self.ids, self.known))
                await self.plain.ingest.take(Batch(f"{one.agent}#{one.shard}", one.spool, one.sequence, results))
        self.sent += self.spooled
        self.spooled = []

    async def happen(self, what: str) -> None:
        """What happens to servers and agents now and then."""
        if what == "restart":
            for side in (self.plain, self.quick):
                await side.begin(self.monitors)
        elif what == "replay":
            self.spooled = self.sent[-20:]
            self.sent = self.sent[:-20]
            await self.deliver(7)
        elif what == "moved":
            self.run += 1
            self.assign()
        elif what == "policy":
            self.monitors = tuple(replace(one, detection=replace(one.detection, confirm=3)) for one in self.monitors)
            for side in (self.plain, self.quick):
                await side.configure(self.monitors)

    async def live(self, history: Sequence[tuple[int, list[tuple[Monitor, str, str]], int, str]], together: int) -> None:
        """All of it."""
        await self.begin()
        for gap, wanted, lasts, event in history:
            self.lasting += [(lasts, one) for one in wanted]
            for _ in range(lasts):
                self.at += gap
                self.measure([one for _, one in self.lasting])
                self.lasting = [(left - 1, one) for left, one in self.lasting if left > 1]
                if self.counts["rounds"] % 3:  # spools of some length, too
                    await self.deliver(together)
                self.counts["rounds"] += 1
            await self.happen(event)
            await self.quick.refresher.refresh()
        await self.deliver(together)
        await self.quick.refresher.refresh()


def replace_batch(batch: PackedBatch, spool: int, sequence: int) -> PackedBatch:
    """As it is in a spool."""
    return PackedBatch(
        batch.agent, batch.location, batch.shard, spool, sequence, batch.base, batch.count, batch.body, batch.whole
    )  # fmt: skip


def essence(state: DetectionState) -> DetectionState:
    """What decides anything. While nothing is suspected and several locations agree that all is well, the round under way never will."""
    views = tuple(sorted(state.views, key=lambda one: one.location))
    if state.resting and state.status is Status.UP and len(views) > 1:
        return replace(state, at=0, views=tuple(replace(one, counted=True) for one in views))
    return replace(state, views=views)


def packed(one: CheckResult) -> tuple[object, ...]:
    """As much of a result as is kept of each."""
    times = one.timings
    phases = (times.dns, times.connect, times.tls, times.first_byte, times.transfer, times.total)
    return one.monitor, one.location, one.run, one.sequence, one.at, one.status, one.cause, tuple(p and round(p, 1) for p in phases)


def shown(side: Side) -> Mapping[str, tuple[object, ...]]:
    """What the board shows of each monitor."""
    found = dict[str, tuple[object, ...]]()
    for row in side.board.rows():
        view, one = row.view, row.view.result
        result = None if one is None else (one.at, one.status, one.cause, one.timings.total and round(one.timings.total, 1))
        found[row.id] = (row.state, result, view.verdict, view.seen, view.incidents)
    return found


async def compare(world: World) -> None:
    """States, decisions, what is shown, and all that the stores hold."""
    one, other = world.plain, world.quick
    assert shown(other) == shown(one)
    for monitor in MONITORS:
        assert essence(other.ingest.state(monitor.id)) == essence(one.ingest.state(monitor.id))
        for place in LOCATIONS:
            assert other.ingest._baselines.of(monitor.id, place) == one.ingest._baselines.of(monitor.id, place)
    assert other.decided == one.decided
    assert {each.id: each for each in other.ingest.alerts()} == {each.id: each for each in one.ingest.alerts()}
    assert {each.id: each for each in other.ingest.incidents()} == {each.id: each for each in one.ingest.incidents()}
    # of the last one that was taken: with late ones among them it is another one in a group than one by one
    assert world.was_late or other.ingest.last_result_at == one.ingest.last_result_at
    first, second = one.store, other.store
    known, found = await first.ledger.load(), await second.ledger.load()
    assert {key: at for key, at in found.cursors.items() if not key.startswith("stream")} == known.cursors
    assert {key: essence(each) for key, each in found.states.items()} == {key: essence(each) for key, each in known.states.items()}
    assert (found.alerts, found.incidents, found.baselines) == (known.alerts, known.incidents, known.baselines)
    # not when they are due: what opens and is announced in one go has its report begun only then
    found_rows, rows = [[(each.row.notice, each.state) for each in await store.ledger.notices()] for store in (second, first)]
    assert found_rows == rows
    assert await second.archive.incidents() == await first.archive.incidents()
    for each in await first.archive.incidents():
        assert await second.archive.timeline(each.id) == await first.archive.timeline(each.id)
    for monitor in MONITORS:
        for place in LOCATIONS:
            latest, expected = await second.archive.newest(monitor.id, place), await first.archive.newest(monitor.id, place)
            assert (latest is None) is (expected is None)
            if latest is not None and expected is not None:
                assert packed(latest) == packed(expected), (monitor.id, place)
                assert (latest.http, latest.addresses) == (expected.http, expected.addresses)
                assert latest.message in (expected.message, "")
        for good in (True, False):
            assert await second.archive.last_detail(monitor.id, good=good, before=2**60) == await first.archive.last_detail(
                monitor.id, good=good, before=2**60
            )


async def kept(store: Store) -> Counter[tuple[object, ...]]:
    """Every result that a store holds, as often as it holds it."""
    found, after = Counter[tuple[object, ...]](), 0
    while True:
        results, after = await store.archive.recorded(0, after)
        found.update(packed(one) for one in results)
        if not results and (not after or isinstance(store, SqliteStore)):
            return found
        if not after:
            return found


def world_of(make: Callable[[str], Store], clock: VirtualClock) -> World:
    """Two servers with the same baselines."""
    return World(Side(make("plain"), clock), Side(make("quick"), clock))


def memory(_: str) -> Store:
    """A store with what three weeks taught."""
    store = MemoryStore(lambda: NOW)
    store.data.baselines.update((baseline_key(name, place), LEARNT) for name in ("shop", "api") for place in LOCATIONS)
    return store


@given(st.lists(turn, min_size=1, max_size=8), st.integers(1, 9))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_comes_packed_decides_and_leaves_what_single_results_would(
    history: list[tuple[int, list[tuple[Monitor, str, str]], int, str]], together: int
) -> None:
    async def both() -> None:
        world = world_of(memory, VirtualClock(NOW))
        await world.live(history, together)
        await compare(world)
        stores = [side.store for side in (world.plain, world.quick) if isinstance(side.store, MemoryStore)]
        one, other = (Counter(packed(each) for commit in store.data.commits for each in store.data.results_of(commit)) for store in stores)
        assert other == one

    run_virtual(both())


CALM: list[tuple[int, list[tuple[Monitor, str, str]], int, str]] = [(MINUTE, [], 4, "")] * 3
STORM = [(MINUTE, [(MONITORS[0], place, "down") for place in LOCATIONS], 3, ""), (MINUTE, [], 4, "replay")]


@pytest.mark.parametrize("seed", range(3))
def test_a_database_holds_the_same(seed: int, tmp_path: Path) -> None:
    async def both() -> None:
        clock = VirtualClock(NOW)
        world = world_of(lambda name: SqliteStore(tmp_path / f"{name}.db", threads=False, monotonic=clock.monotonic), clock)
        await world.live([*CALM, *STORM, (MINUTE, [(MONITORS[seed], "oslo", "again")], 2, "restart"), *CALM], 1 + 2 * seed)
        await clock.sleep(3)
        await compare(world)
        assert world.quick.plain > world.counts["rounds"] * 3, "most results are not even looked at"
        assert await kept(world.quick.store) == await kept(world.plain.store)
        for store in (world.plain.store, world.quick.store):
            await store.ledger.close()
        again = [SqliteStore(tmp_path / f"{name}.db", threads=False) for name in ("plain", "quick")]
        first, second = [{name: packed(one) for name, one in (await store.archive.last_results()).items()} for store in again]
        assert first == second
        for store in again:
            await store.close()

    run_virtual(both())
