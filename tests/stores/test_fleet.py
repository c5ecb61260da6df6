"""Leases end by the clock that a store is given, and what waits for a disk keeps whose it is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vigie.core.model import CheckResult, Status
from vigie.ports import Commit, Lease, ServerStatus, Store
from vigie.stores.kit.sql.waiting import Waiting
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing.memory import MemoryStore

DAY = 86_400_000
Opened = Callable[[], Store]


class Hands:
    """A clock that is set by hand."""

    at = 1_767_225_600_000

    def now(self) -> int:
        return self.at


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_a_lease_ends_by_the_clock_of_the_store(kind: str, tmp_path: Path) -> None:
    clock = Hands()
    store: Store = MemoryStore(clock.now) if kind == "memory" else SqliteStore(tmp_path / "vigie.db", threads=False, now=clock.now)
    assert await store.fleet.claim("evaluator", "one", 15_000) == Lease("evaluator", "one", 1, 15_000)
    clock.at += 14_999
    assert await store.fleet.claim("evaluator", "two", 15_000) == Lease("evaluator", "one", 1, 1)
    assert await store.fleet.leases() == [Lease("evaluator", "one", 1, 1)]
    clock.at += 1
    assert await store.fleet.leases() == []
    assert await store.fleet.claim("evaluator", "two", 15_000) == Lease("evaluator", "two", 2, 15_000)
    await store.fleet.report_server(ServerStatus("one", "1", clock.at, clock.at))
    clock.at += DAY
    assert [one.name for one in await store.fleet.servers()] == ["one"]
    clock.at += 1
    assert await store.fleet.servers() == []
    await store.close()


def test_what_waits_for_a_full_disk_is_still_of_its_location() -> None:
    """A result that a disk did not take is told apart from others by the same numbers when it is written at last."""
    waiting, found = Waiting(), CheckResult("shop", 1_000, Status.UP, location="paris", run=7, sequence=9)
    waiting.put_back(Commit(results=(found,)))
    assert waiting.take().results == (found,)
