"""History on its way to chunks: nothing is lost and nothing counts twice, wherever it is interrupted."""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from vigie.errors import StoreError, StoreFault
from vigie.observation.rollup import Resolution, Retention, Rollup
from vigie.ports import Commit
from vigie.stores.sqlite.db import Db
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing.store_suite.history import HOUR, checks, compacted
from vigie.testing.store_suite.records import DAY, MONITORS, NOW

KEEP = Retention()
LATER = NOW + 4 * DAY
BOTH = [one.id for one in MONITORS]


async def filled(path: Path, hours: int = 30) -> list[dict[str, list[Rollup]]]:
    """A database with results of two monitors from two locations; what they come to."""
    store = SqliteStore(path, threads=False)
    await store.catalog.sync_monitors(MONITORS)
    several = [checks(hours * 6), checks(hours * 6, monitor="api"), checks(hours * 6, monitor="api", location="paris")]
    for together in zip(*several, strict=True):
        await store.ledger.commit(Commit(together))
        await store.ledger._flush()
    found = await come_to(store)
    await store.close()
    return found


async def come_to(store: SqliteStore) -> list[dict[str, list[Rollup]]]:
    return [await store.history.rollups(BOTH, NOW, LATER, resolution) for resolution in Resolution]


@pytest.mark.parametrize("seed", range(6))
async def test_wherever_it_breaks_off_every_result_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    path, chance = tmp_path / "vigie.db", Random(seed)
    expected, real, left = await filled(path), Db.execute, [10**9]

    def execute(db: Db, sql: str, values: Sequence[object] = ()) -> int:
        left[0] -= 1
        if left[0] == 0 and sql != "ROLLBACK":
            raise StoreError(StoreFault.OTHER, "interrupted")
        return real(db, sql, values)

    monkeypatch.setattr(Db, "execute", execute)
    broken = 0
    for _ in range(60):
        store = SqliteStore(path, threads=False)
        left[0] = chance.randrange(1, 600 if broken else 150)
        try:
            await compacted(store, LATER)
        except StoreError:
            broken += 1
        left[0] = 10**9
        assert await come_to(store) == expected
        done = store.ledger._worker.db.fetch("SELECT (SELECT count(*) FROM hot), (SELECT count(*) FROM hour_chunk)")[0] == (1, 0)
        await store.close()
        if done:
            break
    assert done
    assert broken


CHILD = """
import asyncio, sys
from pathlib import Path
from vigie.stores.sqlite.store import SqliteStore
from vigie.observation.rollup import Retention

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    print("begun", flush=True)
    while await store.history.compact(int(sys.argv[2]), Retention()):
        pass
    print("done", flush=True)

asyncio.run(main())
"""


def killed(path: Path, after: float) -> None:
    """Have another process compact, and kill it so many seconds after it began."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path), str(LATER)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"begun\n"
    time.sleep(after)  # slow: the instant of the kill is what is tried out
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


async def test_a_kill_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    path, chance = tmp_path / "vigie.db", Random(2)
    expected = await filled(path)
    for _ in range(4):
        killed(path, chance.random() * 0.05)
        store = SqliteStore(path, threads=False)
        assert await come_to(store) == expected
        await store.close()
    store = SqliteStore(path, threads=False)
    await compacted(store, LATER)
    assert await come_to(store) == expected
    await store.close()


async def test_what_is_asked_while_it_goes_on_never_changes(tmp_path: Path) -> None:
    expected = await filled(tmp_path / "vigie.db")
    store = SqliteStore(tmp_path / "vigie.db")
    results = await store.history.results("shop", NOW, LATER)
    bites = 1
    while await store.history.compact(LATER, KEEP):
        assert await come_to(store) == expected, bites
        assert await store.history.results("shop", NOW, LATER) == results, bites
        bites += 1
    assert bites > 4
    await store.close()


async def test_rows_that_went_never_give_their_number_to_new_ones(tmp_path: Path) -> None:
    """Else what comes next would count as gone."""
    store = SqliteStore(tmp_path / "vigie.db", threads=False)
    await store.catalog.sync_monitors(MONITORS)
    for part in (checks(6), checks(6, NOW + DAY), checks(6, NOW + 2 * DAY)):
        await store.ledger.commit(Commit(tuple(part)))
        await store.ledger._flush()
        await compacted(store, part[-1].at + 3 * HOUR)
        days = (await store.history.rollups(["shop"], NOW, LATER, Resolution.DAY))["shop"]
        assert days[-1].start == part[0].at
    await store.close()


async def test_a_clock_that_jumps_moves_nothing_out_of_sight(tmp_path: Path) -> None:
    """A week ahead and back again: what was taken in meanwhile lies where it was dated, and what follows is compacted all the same."""
    store = SqliteStore(tmp_path / "vigie.db", threads=False)
    await store.catalog.sync_monitors(MONITORS)
    usual = checks(30)
    ahead = [one for one in checks(40) if one.sequence > 36]
    for one in [*usual[:12], *ahead, *usual[12:]]:
        jumped = one if one not in ahead else type(one)(one.monitor, one.at + 7 * DAY, one.status, one.cause, run=3, sequence=one.sequence)
        await store.ledger.commit(Commit((jumped,)))
        await store.ledger._flush()
    await compacted(store, NOW + 6 * HOUR)
    assert store.ledger._worker.db.fetch("SELECT count(*) FROM hot") == [(1,)]
    hours = (await store.history.rollups(["shop"], NOW, NOW + 9 * DAY, Resolution.HOUR))["shop"]
    assert [one.count + one.excluded for one in hours] == [6, 6, 6, 6, 6, 4]
    assert hours[-1].start >= NOW + 7 * DAY
    await store.close()


async def test_retention_thins_and_drops(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "vigie.db", threads=False)
    await store.catalog.sync_monitors(MONITORS)
    await store.ledger.commit(Commit(tuple(checks(144))))
    await store.ledger._flush()
    keep = Retention(2 * DAY, 5 * DAY, 3 * DAY)
    before = await store.history.rollups(BOTH, NOW, LATER, Resolution.DAY)
    await compacted(store, NOW + DAY + 3 * HOUR, keep)
    whole = await store.history.results("shop", NOW, LATER)
    assert whole[0].timings.dns == 1.0
    await compacted(store, NOW + 3 * DAY + HOUR, keep)
    thin = await store.history.results("shop", NOW, LATER)
    assert [(one.at, one.status, one.cause, one.timings.total) for one in thin] == [
        (one.at, one.status, one.cause, one.timings.total) for one in whole
    ]
    assert {one.timings.dns for one in thin} == {None}
    late = checks(3, NOW + HOUR + 7)
    assert await store.history.take_in([*late, *whole], NOW + 3 * DAY + HOUR, keep) == 3
    assert await store.history.take_in([*late, *whole], NOW + 3 * DAY + HOUR, keep) == 0
    await compacted(store, NOW + 7 * DAY, keep)
    assert await store.history.results("shop", NOW, LATER) == []
    assert (await store.history.rollups(BOTH, NOW, LATER, Resolution.HOUR))["shop"] == []
    (day,) = (await store.history.rollups(BOTH, NOW, LATER, Resolution.DAY))["shop"]
    assert day.count == before["shop"][0].count + 3
    await store.close()
