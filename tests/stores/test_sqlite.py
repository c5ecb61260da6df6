"""The embedded store: its port's laws, its errors, its durability under kill -9, its packed records."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.detection import Severity
from vigie.core.events import Acked, Opened
from vigie.core.incident import DetectionState, Phase, Track
from vigie.core.model import Cause, CheckResult, Incident, Monitor, Status, Timings
from vigie.core.notification import Notice, NoticeReason
from vigie.errors import StoreError, StoreFault
from vigie.fleet.packed import HEADER_SIZE, SIZE, pack, unpack
from vigie.observation.rollup import Resolution, Retention
from vigie.ports import Commit, Delivery, OutboxRow, OutboxState, StoredReport, TimelineEntry
from vigie.report.facts import Analysis, Bundle, Dropped
from vigie.stores.sqlite.db import Db
from vigie.stores.sqlite.migrate import migrate
from vigie.stores.sqlite.store import SqliteStore

MONITORS = [Monitor(name, name.upper(), "http", f"https://{name}.test/", name, 60_000, 10_000) for name in ("a", "b")]
INCIDENT = Incident("a-1", "a", Severity.OUTAGE, Cause.TCP_RESET, 1_000, 2_000, alert="a-1")
OPENED = Opened(Severity.OUTAGE, "a-1", 2_000, 1_000, Cause.TCP_RESET)


def notice(reason: NoticeReason = NoticeReason.OPENED, channel: str = "mail", at: int = 2_000) -> Notice:
    return Notice("a-1", "a", channel, reason, at)


def result(monitor: str = "a", at: int = 1_000, status: Status = Status.UP, cause: Cause | None = None) -> CheckResult:
    return CheckResult(monitor, at, status, cause, timings=Timings(1.5, 2.5, None, 3.5, 0.1, 7.6))


def opening(*rows: OutboxRow) -> Commit:
    return Commit(incidents=(INCIDENT,), timeline=(TimelineEntry("a-1", 2_000, OPENED),), outbox=rows)


@asynccontextmanager
async def opened(path: Path, *, threads: bool = True) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(path, threads=threads)
    try:
        await store.catalog.sync_monitors(MONITORS)
        yield store
    finally:
        await store.close()


@pytest.fixture(params=[True, False], ids=["threads", "inline"])
def store_at(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Awaitable[SqliteStore]]:
    def make() -> object:
        return opened(tmp_path / "vigie.db", threads=request.param)

    return make  # type: ignore[return-value]


async def test_everything_that_was_decided_is_there_after_a_restart(store_at: Callable[[], object]) -> None:
    state = DetectionState("a", ordinal=1, outage=Track(Phase.OPEN, incident="a-1"))
    async with store_at() as store:  # type: ignore[attr-defined]
        await store.ledger.commit(
            Commit(
                (result(),), (state,), (), (INCIDENT,), (TimelineEntry("a-1", 2_000, OPENED),), (OutboxRow(notice(), 5),), (("x", 3, 4),)
            )
        )
    async with store_at() as store:  # type: ignore[attr-defined]
        assert (await store.ledger.load()).states == {"a": state}
        assert await store.archive.incidents(open_only=True) == [INCIDENT]
        assert await store.archive.timeline("a-1") == [TimelineEntry("a-1", 2_000, OPENED)]
        assert await store.ledger.outbox(OutboxState.WAITING) == [OutboxRow(notice(), 5)]
        assert (await store.ledger.load()).cursors == {"x": (3, 4)}
        assert (await store.archive.last_results())["a"].timings == result().timings


async def test_plain_results_are_there_after_a_clean_end(store_at: Callable[[], object]) -> None:
    async with store_at() as store:  # type: ignore[attr-defined]
        await store.ledger.commit(
            Commit((result(at=5_000), result("b", 6_000, Status.DOWN, Cause.HTTP_STATUS)), details=(result("b", 6_000, Status.DOWN),))
        )
    async with store_at() as store:  # type: ignore[attr-defined]
        last = await store.archive.last_results()
        assert (last["a"].at, last["b"].status) == (5_000, Status.DOWN)
        assert await store.archive.last_detail("b", good=False, before=7_000) == result("b", 6_000, Status.DOWN)
        assert await store.archive.last_detail("b", good=False, before=6_000) is None


async def test_runs_are_counted(store_at: Callable[[], object]) -> None:
    async with store_at() as store:  # type: ignore[attr-defined]
        first = await store.ledger.next_run()
    async with store_at() as store:  # type: ignore[attr-defined]
        assert await store.ledger.next_run() > first


async def test_no_run_is_given_twice_after_a_backup_was_put_back(tmp_path: Path) -> None:
    path, backup, now = tmp_path / "vigie.db", tmp_path / "backup.db", 1_767_225_600_000
    given = list[int]()
    for _ in range(2):
        store = SqliteStore(path, threads=False, now=lambda: now)
        given += [await store.ledger.next_run() for _ in range(20)]
        await store.close()
        if not backup.exists():
            backup.write_bytes(path.read_bytes())
    path.write_bytes(backup.read_bytes())
    now += 60_000
    store = SqliteStore(path, threads=False, now=lambda: now)
    assert await store.ledger.next_run() > max(given)
    assert max(given) < 2**31
    await store.close()


async def test_a_claimed_row_is_nobody_elses_until_its_lease_ends(store_at: Callable[[], object]) -> None:
    async with store_at() as store:  # type: ignore[attr-defined]
        await store.ledger.commit(opening(OutboxRow(notice(), 100)))

        assert await store.ledger.claim(99, 1_000, 10) == []
        assert [row.notice.key for row in await store.ledger.claim(100, 1_000, 10)] == ["a-1:opened:mail"]
        assert await store.ledger.claim(500, 1_000, 10) == []
        assert await store.ledger.next_due() == 1_100
        assert len(await store.ledger.claim(1_100, 1_000, 10)) == 1


async def test_a_recovery_never_overtakes_its_opening_but_another_channel_may_go(store_at: Callable[[], object]) -> None:
    recovered = notice(NoticeReason.RECOVERED)
    elsewhere = notice(NoticeReason.RECOVERED, "slack")
    async with store_at() as store:  # type: ignore[attr-defined]
        await store.ledger.commit(opening(OutboxRow(notice(), 100), OutboxRow(recovered, 50), OutboxRow(elsewhere, 60)))

        assert [row.notice.key for row in await store.ledger.claim(70, 1_000, 10)] == [elsewhere.key]
        (row,) = await store.ledger.claim(100, 1_000, 10)
        await store.ledger.record(Delivery.of(row.notice, 101, 1, None, "ok", 3))
        assert recovered.key in [row.notice.key for row in await store.ledger.claim(200, 1_000, 10)]


async def test_a_delivered_key_is_never_queued_again(store_at: Callable[[], object]) -> None:
    async with store_at() as store:  # type: ignore[attr-defined]
        await store.ledger.commit(opening(OutboxRow(notice(), 0)))
        await store.ledger.claim(1, 10, 10)
        await store.ledger.record(Delivery.of(notice(), 2, 1, None, "ok", 3))
        await store.ledger.commit(opening(OutboxRow(notice(), 0)))

        assert await store.ledger.outbox(OutboxState.WAITING) == []


async def test_failures_are_rows_and_a_buried_notice_is_remembered(store_at: Callable[[], object]) -> None:
    async with store_at() as store:  # type: ignore[attr-defined]
        await store.ledger.commit(opening(OutboxRow(notice(), 0)))
        await store.ledger.claim(1, 10, 10)
        await store.ledger.record(Delivery.of(notice(), 2, 1, "timeout", "silence", 9), 50)
        assert await store.ledger.claim(49, 10, 10) == []
        (row,) = await store.ledger.claim(50, 10, 10)
        assert row.attempts == 1
        other = OutboxRow(notice(NoticeReason.UNDELIVERABLE, "slack"), 0)
        await store.ledger.record(Delivery.of(notice(), 51, 2, "rejected", "no", 9), None, [other])

        assert [row.notice.key for row in await store.ledger.outbox(OutboxState.UNDELIVERABLE)] == [notice().key]
        assert [row.notice.channel for row in await store.ledger.outbox(OutboxState.WAITING)] == ["slack"]
        assert [one.failure for one in await store.archive.deliveries("a-1")] == ["timeout", "rejected"]


REPORT = StoredReport("a-1", Bundle("a-1", 5, ()), Analysis("m", "en", ("A sentence.",), (Dropped("number", "x"),), "c", 3), None, 9)


async def test_a_report_wakes_the_page_that_waits_for_it(store_at: Callable[[], object]) -> None:
    follow_up = OutboxRow(notice(NoticeReason.REPORT), 10)
    async with store_at() as store:  # type: ignore[attr-defined]
        await store.ledger.commit(opening(OutboxRow(notice(), 9_000)))
        await store.ledger.save_report(REPORT, 10, [follow_up])

        assert [row.notice.reason for row in await store.ledger.claim(10, 10, 10)] == [NoticeReason.OPENED]
        assert [row.notice.reason for row in await store.ledger.outbox(OutboxState.WAITING)] == [NoticeReason.OPENED], (
            "joined, so nothing follows"
        )
        assert await store.archive.report("a-1") == REPORT


@pytest.mark.parametrize("sent", [True, False])
async def test_a_report_follows_the_page_that_could_not_wait(sent: bool, store_at: Callable[[], object]) -> None:
    follow_up = OutboxRow(notice(NoticeReason.REPORT), 10)
    async with store_at() as store:  # type: ignore[attr-defined]
        await store.ledger.commit(opening(OutboxRow(notice(), 0)))
        await store.ledger.claim(1, 1_000, 10)
        if sent:
            await store.ledger.record(Delivery.of(notice(), 2, 1, None, "ok", 3))
        await store.ledger.save_report(REPORT, 10, [follow_up])

        assert NoticeReason.REPORT in [row.notice.reason for row in await store.ledger.outbox(OutboxState.WAITING)]


async def test_a_commit_that_fails_leaves_the_command_that_it_would_have_applied(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "vigie.db", threads=False)
    await store.inbox.enqueue_command("a", Acked(5, "ann"))
    (command,) = await store.inbox.commands()
    store.ledger._worker.db.execute("CREATE TRIGGER broken BEFORE DELETE ON inbox BEGIN SELECT raise(ABORT, 'broken'); END")

    with pytest.raises(StoreError, match="broken"):
        await store.ledger.commit(Commit(incidents=(INCIDENT,), commands=(command.number,)))

    assert await store.archive.incidents() == []
    assert await store.inbox.commands() == [command]
    await store.close()


async def test_retention_drops_what_is_old(store_at: Callable[[], object]) -> None:
    day = 86_400_000
    async with store_at() as store:  # type: ignore[attr-defined]
        await store.ledger.commit(Commit((result(at=1_000),), incidents=(INCIDENT,)))
        await store.ledger.commit(Commit((result(at=31 * day),), incidents=(INCIDENT,)))
        while await store.history.compact(402 * day, Retention()):
            pass

        assert [one.at for one in await store.history.results("a", 0, 402 * day)] == [31 * day]
        days = await store.history.rollups(["a"], 0, 402 * day, Resolution.DAY)
        assert [one.start for one in days["a"]] == [0, 31 * day]


# Errors


def test_a_file_that_is_no_database_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "vigie.db"
    path.write_bytes(b"these are my holiday notes, not a database at all" * 100)

    with pytest.raises(StoreError) as raised:
        SqliteStore(path)

    assert raised.value.fault is StoreFault.CORRUPT
    assert "aside" in raised.value.fix
    assert path.read_bytes().startswith(b"these are my holiday notes")


def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    db = Db(tmp_path / "vigie.db")
    db.execute("PRAGMA user_version = 9999")
    db.close()

    with pytest.raises(StoreError, match="newer Vigie") as raised:
        SqliteStore(tmp_path / "vigie.db")

    assert raised.value.fault is StoreFault.NEWER


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may write everywhere, so it becomes nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_folder_is_said_to_be_so() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        with without_privileges(), pytest.raises(StoreError) as raised:
            SqliteStore(Path(folder) / "vigie.db")

    assert raised.value.fault is StoreFault.READ_ONLY


async def test_a_full_disk_loses_nothing_and_heals(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "vigie.db", threads=False)
    await store.catalog.sync_monitors(MONITORS)
    await store.ledger.commit(opening(OutboxRow(notice(), 0)))
    pages = store.ledger._worker.db.fetch("PRAGMA page_count")[0][0]
    store.ledger._worker.db.execute(f"PRAGMA max_page_count = {pages}")
    big = [Incident(f"b-{number}", "b", Severity.OUTAGE, Cause.TCP_RESET, 1, 2, note="x" * 900) for number in range(200)]

    with pytest.raises(StoreError) as raised:
        await store.ledger.commit(Commit(incidents=tuple(big)))
    assert raised.value.fault is StoreFault.FULL
    assert [one.id for one in await store.archive.incidents()] == ["a-1"]

    store.ledger._worker.db.execute("PRAGMA max_page_count = 100000")
    await store.ledger.commit(Commit(incidents=tuple(big)))
    assert len(await store.archive.incidents(limit=500)) == 201
    await store.close()


def test_migrations_are_taken_once_with_a_backup_first(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("CREATE TABLE one (x); INSERT INTO one VALUES (7);")
    db = Db(tmp_path / "my.db")
    assert migrate(db, tmp_path / "my.db", folder) == 1
    assert migrate(db, tmp_path / "my.db", folder) == 1
    assert not list(tmp_path.glob("*.backup-*"))

    (folder / "0002_second.sql").write_text("ALTER TABLE one ADD COLUMN y;")
    assert migrate(db, tmp_path / "my.db", folder) == 2
    db.close()
    with apsw.Connection(str(tmp_path / "my.db.backup-1")) as backup:
        assert list(backup.execute("SELECT * FROM one")) == [(7,)]


def test_a_migration_may_end_with_a_step_in_python(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("CREATE TABLE one (x);")
    (folder / "0001_first.py").write_text("def take(db):\n    db.execute('INSERT INTO one VALUES (?)', (7,))\n")
    (folder / "0002_alone.py").write_text("def take(db):\n    db.execute('INSERT INTO one VALUES (8)')\n    raise ValueError('no')\n")
    db = Db(tmp_path / "my.db")

    with pytest.raises(ValueError, match="no"):
        migrate(db, tmp_path / "my.db", folder)

    assert db.fetch("SELECT x FROM one") == [(7,)]
    assert db.fetch("PRAGMA user_version") == [(1,)]
    db.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("CREATE TABLE one (x); CREATE TABLE nonsense nonsense;")
    db = Db(tmp_path / "my.db")

    with pytest.raises(StoreError):
        migrate(db, tmp_path / "my.db", folder)
    assert db.fetch("SELECT count(*) FROM sqlite_master") == [(0,)]
    assert db.fetch("PRAGMA user_version") == [(0,)]
    db.close()


_WRITER = """
import asyncio, sys
from pathlib import Path
from vigie.core.model import Cause, Incident
from vigie.core.detection import Severity
from vigie.observation.rollup import Resolution, Retention
from vigie.ports import Commit
from vigie.stores.sqlite.store import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    number = 0
    while True:
        number += 1
        await store.ledger.commit(Commit(incidents=(Incident(f"a-{number}", "a", Severity.OUTAGE, Cause.TCP_RESET, 1, number),)))
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("count", [1, 17, 60])
def test_what_was_acknowledged_survives_kill_9(count: int, tmp_path: Path) -> None:
    path = tmp_path / "vigie.db"
    process = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(count)]
    process.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in process.stdout.read().split()]
    process.stdout.close()
    process.wait(10)

    async def read() -> set[str]:
        async with opened(path) as store:
            return {one.id for one in await store.archive.incidents(limit=100_000)}

    known = asyncio.run(read())
    assert {f"a-{number}" for number in acknowledged} <= known


# Packed records

PHASE = st.none() | st.floats(0, 1_600_000, allow_nan=False)
RESULTS = st.builds(
    CheckResult,
    monitor=st.sampled_from(["a", "b"]),
    at=st.integers(1_700_000_000_000, 1_700_000_000_000 + 3_600_000),
    status=st.sampled_from(list(Status)),
    cause=st.none() | st.sampled_from(list(Cause)),
    timings=st.builds(Timings, PHASE, PHASE, PHASE, PHASE, PHASE, PHASE),
    location=st.sampled_from(["local", "paris"]),
    run=st.sampled_from([0, 7, 2**32 - 1]),
    sequence=st.integers(0, 70_000) | st.integers(0, 2**48 - 1),
)
LOCATIONS = {"local": 0, "paris": 65_535}
NAMES = {number: name for name, number in LOCATIONS.items()}


@given(st.lists(RESULTS, max_size=20))
def test_packed_results_read_back_within_a_twentieth_of_a_millisecond(results: list[CheckResult]) -> None:
    base, count, blob = pack(results, {"a": 1, "b": 4_000_000_000}, LOCATIONS)

    segments = {_segment(one) for one in results}
    assert len(blob) == 1 + SIZE * len(results) + HEADER_SIZE * len(segments)
    found = unpack(base, blob, {1: "a", 4_000_000_000: "b"}, NAMES)
    assert count == len(found) == len(results)
    ordered = [[one for one in found if _segment(one) == segment] for segment in segments]
    expected = [[one for one in results if _segment(one) == segment] for segment in segments]
    for before, after in zip(chain(*expected), chain(*ordered), strict=True):
        assert (before.run, before.sequence) == (after.run, after.sequence)
        assert (before.monitor, before.at, before.status, before.cause) == (after.monitor, after.at, after.status, after.cause)
        for phase in ("dns", "connect", "tls", "first_byte", "transfer", "total"):
            old, new = getattr(before.timings, phase), getattr(after.timings, phase)
            assert (old is None) == (new is None)
            assert old is None or abs(old - new) <= 0.0501


def _segment(one: CheckResult) -> tuple[str, int, int]:
    return one.location, one.run, one.sequence >> 16


def test_of_one_location_the_order_is_kept_whatever_the_runs() -> None:
    results = [replace(result(at=1_000 + n), run=run, sequence=n) for n, run in enumerate([5, 5, 6, 6])]
    base, _, blob = pack(results, {"a": 1}, LOCATIONS)
    assert [(one.run, one.sequence) for one in unpack(base, blob, {1: "a"}, NAMES)] == [(5, 0), (5, 1), (6, 2), (6, 3)]


def test_more_results_of_one_run_than_a_header_counts_are_all_there() -> None:
    many = [replace(result(), run=1, sequence=3)] * 70_000
    base, count, blob = pack(many, {"a": 1}, LOCATIONS)
    assert count == len(unpack(base, blob, {1: "a"}, NAMES)) == 70_000
    assert len(blob) == 1 + 2 * HEADER_SIZE + SIZE * 70_000


@pytest.mark.parametrize(("run", "sequence"), [(-1, -1), (2**40, 2**60)])
def test_numbers_that_no_header_holds_keep_no_result_from_the_disk(run: int, sequence: int) -> None:
    base, count, blob = pack([replace(result(), run=run, sequence=sequence)], {"a": 1}, LOCATIONS)
    assert count == len(unpack(base, blob, {1: "a"}, NAMES)) == 1


# As version 1 packed them: monitor 1 at 5 ms after the base, `down`, tcp.reset, HTTP 503, total 61.8 ms; then monitor 2, `up`.
VERSION_1 = bytes.fromhex(
    "01"
    "01000000 05000000 02 07 f701 ffffff ffffff ffffff ffffff ffffff 6a0200 00 0000"
    "02000000 00000000 00 ff 0000 ffffff ffffff ffffff ffffff ffffff ffffff 00 0000"
)


def test_what_version_1_packed_is_read_as_before() -> None:
    first, second = unpack(1_000, VERSION_1, {1: "a", 2: "b"}, NAMES)
    assert (first.monitor, first.at, first.status, first.cause) == ("a", 1_005, Status.DOWN, Cause.TCP_RESET)
    assert (first.http and first.http.status, first.timings.total) == (503, 61.8)
    assert (second.monitor, second.at, second.status, second.timings) == ("b", 1_000, Status.UP, Timings())
    assert {(one.location, one.run, one.sequence) for one in (first, second)} == {("local", 0, 0)}


@pytest.mark.parametrize(
    ("blob", "words"),
    [
        (b"\x09" + b"\0" * SIZE, "version 9"),
        (b"", "version none"),
        (b"\1" + b"\0" * 30, "cut off"),
        (b"\2" + b"\0" * 5, "cut off"),
        (b"\2" + bytes(10) + b"\2\0" + bytes(SIZE), "cut off"),
        (b"\2" + bytes(10) + b"\1\0" + bytes(8) + b"\x63" + bytes(SIZE - 9), "unknown status 99"),
    ],
)
def test_what_cannot_be_read_is_refused(blob: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        unpack(0, blob, {}, NAMES)
