"""Every store keeps every law: the embedded one with and without threads and by either driver, and the one in memory."""

from pathlib import Path

import pytest

from vigie import plugins
from vigie.clock import SystemClock
from vigie.ports import Store
from vigie.stores import StoreDeps
from vigie.stores.sqlite.store import SqliteStore
from vigie.stores.sqlite.with_stdlib import StdlibDriver
from vigie.testing import memory
from vigie.testing.store_suite import LAWS, Opener


def opener(kind: str, folder: Path) -> Opener:
    kept = memory.build(memory.Config(), StoreDeps(SystemClock()))
    openers: dict[str, Opener] = {
        "memory": kept.reopen,
        "sqlite inline": lambda: SqliteStore(folder / "vigie.db", threads=False),
        "sqlite by the standard library": lambda: SqliteStore(folder / "vigie.db", driver=StdlibDriver),
    }
    return openers.get(kind) or (lambda: built(kind, folder))


def built(kind: str, folder: Path) -> Store:
    module = plugins.load("stores", kind)
    store: Store = module.build(module.Config(path=str(folder / "vigie.db")), StoreDeps(SystemClock()))
    return store


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("kind", [*plugins.kinds("stores"), "memory", "sqlite inline", "sqlite by the standard library"])
async def test_a_store_keeps_the_law(kind: str, law: str, tmp_path: Path) -> None:
    await LAWS[law](opener(kind, tmp_path))
