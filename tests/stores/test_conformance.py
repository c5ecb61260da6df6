"""Every store keeps every law: the embedded one with and without threads and by either driver, and the one in memory."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.stores.conftest import SERVERS

from vigie import plugins
from vigie.clock import SystemClock
from vigie.ports import Store
from vigie.stores import StoreDeps
from vigie.stores.postgresql import Config, build
from vigie.stores.postgresql.store import PostgresqlStore
from vigie.stores.sqlite.store import SqliteStore
from vigie.stores.sqlite.with_stdlib import StdlibDriver
from vigie.testing import memory
from vigie.testing.postgres_server import PostgresServer
from vigie.testing.store_suite import LAWS, Opener

# An older server differs in its SQL, its locks and its plans, not in what rows mean: of each side what asks most of them.
ON_OLDER = (
    "decisions_outlive_a_restart",
    "nobody_claims_what_another_holds",
    "many_commits_at_once_are_all_there",
    "hostile_text_is_kept",
    "alerts_are_listed_newest_first",
    "each_location_has_a_newest_result",
    "every_result_counts_once_in_its_hour_and_day",
    "compaction_hides_nothing_from_the_others",
    "a_new_configuration_is_one_commit",
    "of_many_who_claim_a_lease_one_gets_it",
    "who_is_fenced_commits_nothing",
    "servers_are_known_for_a_day",
)
ON_SERVERS = [(server, law) for number, server in enumerate(SERVERS) for law in (ON_OLDER if number else LAWS)]


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


@pytest.fixture(scope="module")
def address(request: pytest.FixtureRequest, postgres_servers: Callable[[str], PostgresServer]) -> Callable[[], str]:
    """Gives the address of a database whose tables are as they are made."""
    server = postgres_servers(request.param)
    name = server.database()
    asyncio.run(PostgresqlStore(Config.of(server.address(name), Path())).close())
    server.remember(name)

    def emptied() -> str:
        server.restore(name)
        return server.address(name)

    return emptied


@pytest.mark.parametrize(("address", "law"), ON_SERVERS, indirect=["address"], scope="module")  # else a database is made for each
async def test_a_server_keeps_the_law(law: str, address: Callable[[], str]) -> None:
    config = Config.of(address(), Path())
    await LAWS[law](lambda: build(config, StoreDeps(SystemClock())))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("kind", ["sqlite", "memory", "sqlite inline", "sqlite by the standard library"])
async def test_a_store_keeps_the_law(kind: str, law: str, tmp_path: Path) -> None:
    await LAWS[law](opener(kind, tmp_path))
