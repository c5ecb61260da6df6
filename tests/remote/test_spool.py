"""The spool over a real file: kills, full disks, damage, bounds, days of backlog."""

import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.remote.conftest import WELCOME, spec_of, work_of

from vigie.core.model import Cause, CheckResult, Status
from vigie.engine.remote.spool import Bounds, Spool
from vigie.errors import StoreError, StoreFault
from vigie.fleet import packed
from vigie.fleet.batches import PackedBatch, decode
from vigie.fleet.wire import Work
from vigie.net import Secret
from vigie.ports import Identity
from vigie.stores.sqlite.spool import SqliteSpool
from vigie.testing import VirtualClock

IDENTITY = Identity("paris-1", "paris", 4, 99)
NUMBERS, LOCATIONS, NAMES = {"shop": 1}, {"paris": 4}, {1: "shop"}


class Numbers:
    """Counts the checks of a test."""

    def __init__(self) -> None:
        self.last = 0

    def batch(self, shard: int = 3, count: int = 1, status: Status = Status.UP) -> tuple[int, PackedBatch]:
        results = []
        for _ in range(count):
            self.last += 1
            cause = Cause.TCP_REFUSED if status is Status.DOWN else None
            results.append(CheckResult("shop", 1_767_225_600_000 + self.last, status, cause, location="paris", run=1, sequence=self.last))
        base, found, body = packed.pack(results, NUMBERS, LOCATIONS)
        return shard, PackedBatch("paris-1", "paris", shard, 0, 0, base, found, body, tuple(results) if status is Status.DOWN else ())


@contextlib.asynccontextmanager
async def opened(
    path: Path, bounds: Bounds | None = None, keep_seconds: float = 0.0, *, threads: bool = True
) -> AsyncIterator[tuple[Spool, VirtualClock]]:
    clock = VirtualClock()
    spool = Spool(SqliteSpool(path, threads=threads), clock, bounds or Bounds(), keep_seconds)
    await spool.open()
    if spool.identity is None:
        await spool.adopt(IDENTITY)
    try:
        yield spool, clock
    finally:
        await spool.close()


async def handed(spool: Spool, most: int = 10**9) -> list[PackedBatch]:
    """The next ones, handed over."""
    async with spool.next(most) as picked:
        await spool.handed_over(picked)
        return [decode(one.body) for one in picked]


async def everything(spool: Spool) -> None:
    """All of it, handed over."""
    while await handed(spool, 100_000):
        pass


def numbers_of(batches: list[PackedBatch]) -> list[int]:
    return [one.sequence for batch in batches for one in packed.unpack(batch.base, batch.body, NAMES, {4: "paris"})]


async def test_what_was_added_is_there_after_a_kill_and_goes_once_it_is_handed_over(tmp_path: Path) -> None:
    made, path = Numbers(), tmp_path / "spool.db"
    spool = Spool(SqliteSpool(path), VirtualClock(), Bounds())
    await spool.open()
    await spool.adopt(IDENTITY)
    await spool.add([made.batch(), made.batch(7, status=Status.DOWN)])
    first = [spool.number() for _ in range(3)]
    again = Spool(SqliteSpool(path), VirtualClock(), Bounds())  # as if the first had been killed
    await again.open()
    assert again.identity == IDENTITY
    assert not {again.number() for _ in range(3)} & set(first)
    await again.add([made.batch()])
    found = await handed(again)
    assert [(one.shard, one.spool) for one in found] == [(7, 99), (3, 99), (3, 99)]
    assert found[1].sequence < found[2].sequence
    assert await handed(again) == []
    assert (again.backlog.batches, again.backlog.size) == (0, 0)
    await again.close()
    assert {entry.stat().st_mode & 0o077 for entry in os.scandir(tmp_path)} == {0}
    async with opened(path) as (third, _):
        assert await handed(third) == []
    await spool.close()


async def test_work_and_paces_come_back_with_their_secrets(tmp_path: Path) -> None:
    one = spec_of("shop", 80)
    one.options["key"] = Secret("s3cret")
    work = work_of([one, spec_of("api", 80)])
    async with opened(tmp_path / "spool.db") as (spool, _):
        await spool.keep_work(work, work)
        await spool.keep_pace("shop", 500)
        await spool.keep_pace("api", 500)
        await spool.keep_pace("api", None)
    async with opened(tmp_path / "spool.db") as (spool, _):
        assert spool.work == Work(7, sorted(work.shards, key=lambda shard: shard.shard), whole=True)
        assert spool.paces == {"shop": 500}
        gone = Work(8, [type(work.shards[0])(work.shards[0].shard, 41, [], [])], control=["192.0.2.1:443"], second_resolver="9.9.9.9")
        await spool.keep_work(gone, gone)
    async with opened(tmp_path / "spool.db") as (spool, _):
        assert spool.work == Work(8, [work.shards[1]], whole=True, control=["192.0.2.1:443"], second_resolver="9.9.9.9")


async def test_days_of_backlog_take_little_room_and_go_out_in_order(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = Numbers()
    async with opened(tmp_path / "spool.db") as (spool, _):
        for number in range(400):
            await spool.add([made.batch(shard) for shard in range(8)])
            if number in (150, 151):
                await spool.add([made.batch(5, status=Status.DOWN)])
        size = spool.backlog.size
        await spool.tidy()
        assert spool.backlog.size < size / 4
        assert spool.backlog.batches < 40
        assert spool.backlog.results == made.last
    async with opened(tmp_path / "spool.db") as (spool, _):
        await spool.add([made.batch(2)])
        found = []
        while some := await handed(spool, 2_000):
            found += some
        assert found[0].shard == 5  # where something failed
        assert sorted(numbers_of(found)) == list(range(1, made.last + 1))
        for shard in range(8):
            own = [one for one in found if one.shard == shard]
            assert numbers_of(own) == sorted(numbers_of(own))
            assert [one.sequence for one in own] == sorted({one.sequence for one in own})
    assert not caplog.records


async def test_a_full_spool_drops_good_results_first_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made, failures = Numbers(), set()
    async with opened(tmp_path / "spool.db", Bounds(size=30_000)) as (spool, _):
        for number in range(400):
            await spool.add([made.batch()])
            if number % 40 == 0:
                await spool.add([made.batch(status=Status.DOWN)])
                failures.add(made.last)
        await spool.tidy()
        assert spool.backlog.size <= 30_000
        assert "the spool is full" in caplog.text
        assert "good results" in caplog.text
        left = numbers_of(await handed(spool))
        assert failures < set(left)
        assert made.last in left
        assert left == sorted(left)


async def test_only_failures_left_go_at_last(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = Numbers()
    async with opened(tmp_path / "spool.db", Bounds(size=30_000)) as (spool, _):
        for _ in range(300):
            await spool.add([made.batch(status=Status.DOWN)])
        await spool.tidy()
        assert spool.backlog.size <= 30_000
        assert "failures among them" in caplog.text
        assert numbers_of(await handed(spool))[-1] == made.last


async def test_good_results_that_are_too_old_go_and_a_stepped_clock_takes_none(tmp_path: Path) -> None:
    made = Numbers()
    async with opened(tmp_path / "spool.db", Bounds(age_ms=86_400_000)) as (spool, clock):
        await spool.add([made.batch()])
        await spool.add([made.batch(status=Status.DOWN)])
        clock.step(2 * 86_400_000)
        await spool.add([made.batch()])
        await spool.tidy()
        assert numbers_of(await handed(spool)) == [2, 3]
        await spool.add([made.batch()])
        clock.step(20 * 365 * 86_400_000)
        await spool.tidy()
        assert numbers_of(await handed(spool)) == [4]


def limited(spool: Spool, pages: int) -> None:
    """The disk has room for so many pages of the database from now on, by SQLite's own limit: it says SQLITE_FULL."""
    file = spool._file
    assert isinstance(file, SqliteSpool)
    assert file._thread is not None
    file._thread.submit(lambda: file._db and file._db.fetch(f"PRAGMA max_page_count = {pages}")).result()


async def test_a_full_disk_costs_no_result_and_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = Numbers()
    async with opened(tmp_path / "spool.db") as (spool, _):
        await spool.add([made.batch()])
        limited(spool, 1)
        for _ in range(200):
            await spool.add([made.batch()])
        await spool.tidy()
        assert caplog.text.count("no space left") == 1
        assert "checks go on" in caplog.text
        assert numbers_of(await handed(spool)) == list(range(1, 202))  # handed over from memory
        for _ in range(200):
            await spool.add([made.batch()])
        limited(spool, 100_000)
        await spool.add([made.batch()])
        assert "the spool can be written again" in caplog.text
    async with opened(tmp_path / "spool.db") as (spool, _):
        assert numbers_of(await handed(spool)) == list(range(202, 403))


async def test_memory_is_bounded_while_the_disk_is_full(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Numbers()
    monkeypatch.setattr("vigie.engine.remote.spool._HELD_BYTES", 400_000)
    async with opened(tmp_path / "spool.db") as (spool, _):
        limited(spool, 1)
        await spool.add([made.batch(status=Status.DOWN)])
        for _ in range(60):
            await spool.add([made.batch(count=500)])
        assert spool.backlog.size < 420_000
        assert "were dropped" in caplog.text
        left = numbers_of(await handed(spool))
        assert left[0] == 1
        assert left[-1] == made.last


async def test_a_batch_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    made, path = Numbers(), tmp_path / "spool.db"
    async with opened(path) as (spool, _):
        await spool.add([made.batch(), made.batch(), made.batch()])
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM body WHERE sequence = (SELECT min(sequence) + 1 FROM body)")
    async with opened(path) as (spool, _):
        assert numbers_of(await handed(spool)) == [1, 3]
        assert spool.backlog.batches == 0


DAMAGE = [
    "UPDATE setting SET value = 'x' WHERE name = 'identity'",
    "UPDATE work SET body = x'00'",
    "UPDATE setting SET value = '{}' WHERE name = 'identity'",
]


@pytest.mark.parametrize("damage", DAMAGE)
async def test_what_cannot_be_read_is_moved_aside(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    path, work = tmp_path / "spool.db", work_of([spec_of("shop", 80)])
    async with opened(path) as (spool, _):
        await spool.keep_work(work, work)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(damage)
    spool = Spool(SqliteSpool(path), VirtualClock(), Bounds())
    await spool.open()
    assert spool.identity is None
    assert "spool.db.damaged-1" in caplog.text
    await spool.close()


async def test_a_newer_spool_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    async with opened(path):
        pass
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="newer Vigie") as found:
        await Spool(SqliteSpool(path), VirtualClock(), Bounds()).open()
    assert found.value.fault is StoreFault.NEWER
    assert path.exists()


async def test_damage_that_shows_later_is_the_end_of_this_spool(tmp_path: Path) -> None:
    made, path = Numbers(), tmp_path / "spool.db"
    async with opened(path) as (spool, _):
        await spool.add([made.batch(count=400) for _ in range(350)])
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : -4096] = b"\xa5" * (len(data) - len(data) // 2 - 4096)
    path.write_bytes(data)
    spool = Spool(SqliteSpool(path), VirtualClock(), Bounds())
    await spool.open()  # it is too large to be looked through
    with pytest.raises(StoreError) as found:
        await everything(spool)
    assert found.value.fault is StoreFault.CORRUPT
    assert (await spool._file.move_aside()).endswith("spool.db.damaged-1")
    await spool.close()


def test_the_welcome_of_these_tests_is_this_identity() -> None:
    assert Identity(WELCOME.agent, WELCOME.place, WELCOME.location, WELCOME.spool) == IDENTITY
