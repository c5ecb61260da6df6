"""The read side over either store: pages that miss nothing and repeat nothing, one incident whole, and a health that costs nothing."""

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.detection import Severity
from vigie.core.events import Opened
from vigie.core.model import Cause, Incident, Monitor, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.engine.ingest import Ingest
from vigie.engine.queries import StoredQueries
from vigie.engine.queries.health import RunningHealth
from vigie.errors import VigieError
from vigie.observation.heartbeat import Job, Ping, Signal
from vigie.ports import Batch, Commit, Delivery, OutboxCounts, OutboxRow, PingUpdate, Store, StoredReport, TimelineEntry
from vigie.queries import MAX_LIMIT, Health, MonitorState, Page, collected
from vigie.report.facts import Bundle
from vigie.report.history import Remark
from vigie.stores.sqlite.store import SqliteStore
from vigie.stores.sqlite.with_apsw import ApswDriver
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor, fake_result, policies
from vigie.testing.memory import MemoryStore

NOW = 1_767_225_600_000
HOUR = 3_600_000
KINDS = ["memory", "sqlite"]
POLICY = policies(confirm=1, recover=1, to=("mail",))


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return SqliteStore(tmp_path / "vigie.db", threads=False) if request.param == "sqlite" else MemoryStore()


@asynccontextmanager
async def opened(kind: str) -> AsyncIterator[Store]:
    """A fresh store for one example."""
    with tempfile.TemporaryDirectory() as folder:
        store: Store = SqliteStore(Path(folder) / "vigie.db", threads=False) if kind == "sqlite" else MemoryStore()
        try:
            yield store
        finally:
            await store.close()


def incident(number: int, monitor: str = "shop", at: int = NOW, closed_at: int | None = None) -> Incident:
    name = f"{monitor}-{number}"
    return Incident(name, monitor, Severity.OUTAGE, Cause.TCP_REFUSED, at, at, closed_at, alert=name)


# Pages

SPANS = st.tuples(st.integers(0, 4), st.booleans())  # opened at, still open: few instants, so that many are equal


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(known=st.lists(SPANS, max_size=12), added=st.lists(SPANS, max_size=4), limit=st.integers(1, 5), open_only=st.booleans())
def test_every_incident_comes_once_whatever_is_added_meanwhile(
    kind: str, known: list[tuple[int, bool]], added: list[tuple[int, bool]], limit: int, open_only: bool
) -> None:
    asyncio.run(_pages_of_incidents(kind, known, added, limit, open_only=open_only))


async def _pages_of_incidents(
    kind: str, known: list[tuple[int, bool]], added: list[tuple[int, bool]], limit: int, *, open_only: bool
) -> None:
    written = [incident(n, at=NOW + at, closed_at=None if is_open else NOW + 9) for n, (at, is_open) in enumerate([*known, *added])]
    first, later = written[: len(known)], iter(written[len(known) :])
    async with opened(kind) as store:
        await store.ledger.commit(Commit(incidents=tuple(first)))
        queries, expected = StoredQueries(store, list), await store.archive.incidents(open_only=open_only)
        pages: list[Page[Incident]] = [await queries.incidents.incidents(open_only=open_only, limit=limit)]
        while (cursor := pages[-1].next) is not None:
            touched = tuple(replace(one, acked_by="ann") for one in first)
            await store.ledger.commit(Commit(incidents=(*touched, *[one for one in [next(later, None)] if one is not None])))
            pages.append(await queries.incidents.incidents(open_only=open_only, cursor=cursor, limit=limit))
    there, seen = [one.id for one in expected], [one.id for page in pages for one in page.items]
    assert [one for one in seen if one in there] == there
    assert len(seen) == len(set(seen))
    assert all(len(page.items) == limit for page in pages[:-1])


@dataclass(frozen=True)
class Watched:
    """One monitor of an example."""

    status: Status | None
    outage: bool
    tagged: bool


WATCHED = st.builds(Watched, st.sampled_from([None, *Status]), st.booleans(), st.booleans())


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(
    st.lists(WATCHED, max_size=12), st.integers(1, 5), st.sampled_from([None, *MonitorState]), st.sampled_from([None, "shop"]), st.randoms()
)
def test_every_monitor_comes_once_and_a_filter_only_leaves_out(
    kind: str, watched: list[Watched], limit: int, state: MonitorState | None, tag: str | None, random: object
) -> None:
    monitors = [replace(fake_monitor(f"m{n}"), tags=("shop",) if one.tagged else ()) for n, one in enumerate(watched)]
    random.shuffle(monitors)  # type: ignore[attr-defined]
    asyncio.run(_pages_of_monitors(kind, watched, monitors, limit, state, tag))


async def _pages_of_monitors(
    kind: str, watched: list[Watched], monitors: list[Monitor], limit: int, state: MonitorState | None, tag: str | None
) -> None:
    async with opened(kind) as store:
        await store.catalog.sync_monitors(monitors)
        results = [fake_result(f"m{n}", one.status, NOW) for n, one in enumerate(watched) if one.status is not None]
        trouble = [incident(1, f"m{n}") for n, one in enumerate(watched) if one.outage]
        await store.ledger.commit(Commit(tuple(results), incidents=tuple(trouble)))
        queries = StoredQueries(store, lambda: monitors)
        whole = (await queries.monitors.monitors()).items
        pages = [await queries.monitors.monitors(state=state, tag=tag, limit=limit)]
        while (cursor := pages[-1].next) is not None:
            pages.append(await queries.monitors.monitors(state=state, tag=tag, cursor=cursor, limit=limit))
    assert [one.monitor for one in whole] == sorted(monitors, key=lambda one: one.id)
    known = {f"m{n}": one for n, one in enumerate(watched)}
    assert all((one.status, one.incident is not None) == (known[one.monitor.id].status, known[one.monitor.id].outage) for one in whole)
    seen = [one for page in pages for one in page.items]
    assert seen == [one for one in whole if state in (None, one.state) and (tag is None or tag in one.monitor.tags)]
    assert all(len(page.items) == limit for page in pages[:-1])


async def test_the_next_page_of_monitors_goes_on_after_one_that_went(store: Store) -> None:
    monitors = [fake_monitor(name) for name in ("a", "b", "c", "d")]
    queries = StoredQueries(store, lambda: monitors)
    first = await queries.monitors.monitors(limit=2)
    del monitors[1]
    monitors.append(fake_monitor("bb"))

    rest = await queries.monitors.monitors(cursor=first.next, limit=2)

    assert [one.monitor.id for one in (*first.items, *rest.items)] == ["a", "b", "bb", "c"]


async def test_an_outage_comes_before_a_degradation_of_the_same_monitor(store: Store) -> None:
    slow = replace(incident(9), severity=Severity.DEGRADATION)
    for order in ((incident(1), slow), (replace(slow, id="shop-2"), incident(3))):
        await store.ledger.commit(Commit(incidents=order))
        page = await StoredQueries(store, lambda: [fake_monitor()]).monitors.monitors()
        (one,) = page.items
        assert one.incident is not None
        assert one.incident.severity is Severity.OUTAGE
        assert one.incidents[-1].severity is Severity.DEGRADATION


async def test_a_list_that_is_longer_than_a_page_is_collected_up_to_a_count(store: Store) -> None:
    await store.ledger.commit(Commit(incidents=tuple(incident(n, at=NOW + n) for n in range(MAX_LIMIT + 20))))
    queries = StoredQueries(store, list)

    for count, wanted in ((None, MAX_LIMIT + 20), (3, 3), (MAX_LIMIT + 1, MAX_LIMIT + 1), (9_999, MAX_LIMIT + 20)):
        found = await collected(lambda cursor, limit: queries.incidents.incidents(cursor=cursor, limit=limit), count)
        assert [one.id for one in found] == [f"shop-{MAX_LIMIT + 19 - n}" for n in range(wanted)]


async def test_what_is_no_cursor_or_limit_is_refused_with_the_fix(store: Store) -> None:
    await store.ledger.commit(Commit(incidents=(incident(1), incident(2))))
    queries = StoredQueries(store, lambda: [fake_monitor(name) for name in ("a", "b")])
    of_monitors = (await queries.monitors.monitors(limit=1)).next
    of_incidents = (await queries.incidents.incidents(limit=1)).next
    assert of_monitors is not None
    assert of_incidents is not None
    for cursor in ("", "x", "é", "////", "=", of_monitors, of_incidents + "=", of_incidents[:-1], "a" * 10_000, "\ud800"):
        with pytest.raises(VigieError, match="is not a cursor of this list") as raised:
            await queries.incidents.incidents(cursor=cursor)
        assert "without a cursor" in raised.value.fix
    with pytest.raises(VigieError, match="is not a cursor of this list"):
        await queries.monitors.monitors(cursor=of_incidents)
    for limit in (0, -1, MAX_LIMIT + 1):
        for ask in (queries.monitors.monitors, queries.incidents.incidents):
            with pytest.raises(VigieError, match="a page cannot hold"):
                await ask(limit=limit)
    with pytest.raises(VigieError, match="a page cannot hold"):
        await queries.availability.availability(["a"] * (MAX_LIMIT + 1), 0, 1)


async def test_a_cursor_of_an_incident_that_is_not_on_record_is_refused(store: Store) -> None:
    other = MemoryStore()
    await other.ledger.commit(Commit(incidents=(incident(1), incident(2))))
    cursor = (await StoredQueries(other, list).incidents.incidents(limit=1)).next

    with pytest.raises(VigieError, match="is not a cursor of this list"):
        await StoredQueries(store, list).incidents.incidents(cursor=cursor)


# One incident, notices, availability


async def test_an_incident_comes_with_everything_on_record_of_it_and_nothing_of_others(store: Store) -> None:
    ours, other = incident(1, at=NOW + 10), incident(2, at=NOW + 90)
    entry = TimelineEntry("shop-1", NOW + 10, Opened(Severity.OUTAGE, "shop-1", NOW + 10, NOW + 10, Cause.TCP_REFUSED))
    sent, waiting = (OutboxRow(Notice("shop-1", "shop", channel, NoticeReason.OPENED, NOW + 10), NOW + 10) for channel in ("mail", "chat"))
    others = OutboxRow(Notice("shop-2", "shop", "mail", NoticeReason.OPENED, NOW + 90), NOW + 90)
    before, within = (fake_result("shop", Status.DOWN, at) for at in (NOW + 9, NOW + 11))
    await store.catalog.sync_monitors([fake_monitor()])
    await store.ledger.commit(Commit(incidents=(ours, other), timeline=(entry,), outbox=(sent, waiting, others), details=(before, within)))
    delivery = Delivery.of(sent.notice, NOW + 20, 1, None, "250 taken", 12)
    await store.ledger.record(delivery)
    report = StoredReport("shop-1", Bundle("shop-1", NOW, ()), None, None, NOW)
    await store.ledger.save_report(report, NOW + 30, ())
    remarks = [Remark(of, NOW, "ann", True, "cable", "") for of in ("shop-1", "shop-2")]
    for one in remarks:
        await store.catalog.save_remark(one)
    pings = [Ping(NOW + n, Signal.SUCCESS) for n in range(7)]
    await store.inbox.record_pings([PingUpdate(Job("shop", NOW, ""), one) for one in pings])
    queries = StoredQueries(store, list)

    found = await queries.incidents.incident("shop-1")

    assert found is not None
    assert (found.incident, found.timeline, found.report) == (ours, (entry,), report)
    assert (found.deliveries, found.waiting, found.remarks) == ((delivery,), (waiting,), (remarks[0],))
    assert (found.failure, found.pings) == (within, tuple(reversed(pings[2:])))
    later = await queries.incidents.incident("shop-2")
    assert later is not None
    assert (later.failure, later.deliveries, later.timeline) == (None, (), ())
    assert await queries.incidents.incident("shop-3") is None
    assert await queries.notices.counts() == OutboxCounts(2, 0)


async def test_availability_is_of_the_monitors_that_were_asked_for(store: Store) -> None:
    seen = tuple(fake_result(name, Status.UP, NOW) for name in ("shop", "api", "nas"))
    down = incident(1, "shop", NOW + HOUR, NOW + 2 * HOUR)
    await store.ledger.commit(Commit(incidents=(down, incident(1, "nas", NOW)), details=seen))
    queries = StoredQueries(store, list)

    found = await queries.availability.availability(["shop", "api", "never"], NOW, NOW + 4 * HOUR)

    assert {name: one.known.ratio for name, one in found.items()} == {"shop": 0.75, "api": 1.0}
    assert await queries.availability.availability([], NOW, NOW + HOUR) == {}


# Health


@dataclass
class Running:
    """An ingest on a store, and the health of both."""

    store: Store
    clock: VirtualClock
    monitors: list[Monitor]
    late: int | None = None
    sequence: int = 0

    def __post_init__(self) -> None:
        self.ingest = Ingest(self.store.ledger, self.store.archive, self.clock, hold_ms=0)
        self.reader = RunningHealth(self.store.ledger, self.ingest, self.clock, lambda: self.monitors, lambda: self.late)
        self.ingest.listen_to_results(self.reader.on_transition)

    async def start(self) -> "Running":
        await self.store.catalog.sync_monitors(self.monitors)
        await self.ingest.start()
        await self.ingest.configure(self.monitors)
        await self.reader.start(self.store.archive)
        return self

    async def see(self, monitor: str, status: Status) -> None:
        self.sequence += 1
        result = replace(fake_result(monitor, status, self.clock.now()), run=2, sequence=self.sequence)
        await self.ingest.take(Batch("local", 2, self.sequence, (result,)))

    async def health(self) -> Health:
        return await self.reader.health()


def counts(health: Health) -> dict[Status | None, int]:
    return {status: count for status, count in health.monitors.items() if count}


@pytest.mark.virtual
async def test_health_counts_what_is_watched_from_before_the_start_on(store: Store) -> None:
    clock = VirtualClock()
    await store.catalog.sync_monitors([fake_monitor(name) for name in ("shop", "api", "gone")])
    await store.ledger.commit(Commit(tuple(fake_result(name, Status.UNKNOWN, clock.now() - 9) for name in ("shop", "gone"))))
    running = await Running(store, clock, [fake_monitor(name, policy=POLICY) for name in ("shop", "api")], late=7).start()
    assert counts(await running.health()) == {Status.UNKNOWN: 1, None: 1}

    await running.see("shop", Status.DOWN)
    await running.see("api", Status.UP)
    found = await running.health()
    assert (counts(found), found.with_incident, found.notices) == ({Status.DOWN: 1, Status.UP: 1}, 1, OutboxCounts(1, 0))
    assert (found.last_result_at, found.late_p99_ms, found.ok) == (clock.now(), 7, True)

    await running.see("shop", Status.UP)
    assert (await running.health()).with_incident == 0
    running.monitors = [fake_monitor("api"), fake_monitor("new")]
    assert counts(await running.health()) == {Status.UP: 1, None: 1}
    running.monitors = [fake_monitor("shop")]
    assert counts(await running.health()) == {None: 1}, "what was once watched is not remembered"


@pytest.mark.virtual
async def test_a_vigie_without_results_has_stalled_after_three_intervals_or_two_minutes() -> None:
    clock = VirtualClock()
    running = await Running(MemoryStore(), clock, [fake_monitor(every_ms=60_000)]).start()
    await clock.sleep(179)
    assert (await running.health()).ok
    await clock.sleep(2)
    assert not (await running.health()).ok
    await running.see("shop", Status.UP)
    assert (await running.health()).ok
    running.monitors = [fake_monitor(every_ms=1_000)]
    await clock.sleep(119)
    assert (await running.health()).ok
    await clock.sleep(2)
    assert not (await running.health()).ok


class Traced(ApswDriver):
    """Notes the statements, the tables that they read, and how many steps of SQLite's machine they take."""

    statements: ClassVar[list[str]] = []
    tables: ClassVar[set[str]] = set()
    steps: ClassVar[list[int]] = [0]

    def __init__(self, path: Path, busy_ms: int) -> None:
        super().__init__(path, busy_ms)
        self._connection.authorizer = self._authorize
        self._connection.exec_trace = self._trace
        self._connection.set_progress_handler(self._step, 1)

    @classmethod
    def reset(cls) -> None:
        cls.statements.clear()
        cls.tables.clear()
        cls.steps[0] = 0

    def _authorize(self, operation: int, table: str | None, *_: object) -> int:
        if operation == apsw.SQLITE_READ and table:
            self.tables.add(table)
        return apsw.SQLITE_OK

    def _trace(self, _: object, sql: str, __: object) -> bool:
        self.statements.append(sql)
        return True

    def _step(self) -> bool:
        self.steps[0] += 1
        return False


async def _traced(folder: Path, rows: int) -> tuple[int, list[str], set[str]]:
    """What one answer costs where so many notices, deliveries, results and incidents are on record: steps, statements, tables."""
    with apsw.Connection(str(folder / "vigie.db")) as database:
        made = SqliteStore(folder / "vigie.db", threads=False)
        await made.close()
        series = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
        for sql in (
            (
                "INSERT INTO outbox (key, alert, monitor, channel, reason, at, due_at, state) "
                f"{series} SELECT 'k' || i, 'a' || i, 'shop', 'mail', 'opened', i, i, iif(i % 2, 'waiting', 'delivered') FROM n"
            ),
            f"INSERT INTO delivery (key, alert, channel, at, attempt, answer, duration_ms) {series} SELECT 'k' || i, 'a', 'mail', i, 1, '', 1 FROM n",
            (
                "INSERT INTO incident (id, monitor, severity, cause, started_at, opened_at, closed_at) "
                f"{series} SELECT 'shop-' || i, 'shop', 'outage', 'tcp.refused', i, i, i FROM n"
            ),
            f"INSERT INTO hot (base, count, body) {series} SELECT i, 0, x'' FROM n",
            f"INSERT INTO detail (monitor, at, good, body) {series} SELECT 'shop', i, 1, x'' FROM n",
        ):
            database.execute(sql)
    store = SqliteStore(folder / "vigie.db", driver=Traced)
    running = Running(store, VirtualClock(), [fake_monitor()])
    Traced.reset()
    health = await running.health()
    found = (Traced.steps[0], list(Traced.statements), set(Traced.tables))
    await store.close()
    assert health.notices == OutboxCounts((rows + 1) // 2, 0)
    return found


async def test_health_costs_the_same_however_much_is_stored(tmp_path: Path) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    for folder in (few, many):
        folder.mkdir()

    found, expected = await _traced(many, 100_000), await _traced(few, 10)

    assert found == expected
    steps, statements, tables = found
    assert (len(statements), tables) == (1, {"outbox_count"})
    assert steps > 0, "the counter counts"


async def test_health_does_not_wait_for_a_long_read(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "vigie.db")
    reads, go = threading.Event(), threading.Event()

    def read(_: object) -> None:
        reads.set()
        go.wait(30)

    busy = asyncio.create_task(store.archive._worker.read(read))
    await asyncio.to_thread(reads.wait, 30)
    health = await asyncio.wait_for(Running(store, VirtualClock(), [fake_monitor()]).health(), 20)
    assert health.notices == OutboxCounts(0, 0)
    assert not busy.done()
    go.set()
    await busy
    await store.close()
