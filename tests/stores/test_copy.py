"""A store copied to one of another kind, and back: with the databases of an earlier version, which hold something of everything."""

import json
from pathlib import Path
from typing import Any

import apsw
import pytest
from tests.stores import as_plain
from tests.stores.old import holds, names, read
from tests.stores.test_old_databases import _said as said_of
from typer.testing import CliRunner

from vigie.cli.store import app
from vigie.errors import AlreadyRunning, StoreError, StoreFault, VigieError
from vigie.ports import Commit, ServerStatus
from vigie.state import State
from vigie.stores.kit.sql.tables import Tables
from vigie.stores.postgresql import Config
from vigie.stores.postgresql.store import PostgresqlStore
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing.postgres_server import PostgresServer
from vigie.testing.store_suite.records import MONITORS, NOW, incident, result
from vigie.transfer import copy_store

FIRST = 50  # rows of the first batch


def quiet(table: str, what: str, done: int, whole: int) -> None:
    """No terminal."""


@pytest.fixture
def address(server: PostgresServer) -> str:
    return server.address(server.database())


def rows_of(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, but for the counters that a database keeps of itself."""
    connection = apsw.Connection(str(path))
    tables = [
        str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    ]
    found = {name: sorted(connection.execute(f'SELECT * FROM "{name}"'), key=repr) for name in tables}
    connection.close()
    return found


async def filled(path: Path) -> SqliteStore:
    store = SqliteStore(path, threads=False)
    await store.catalog.sync_monitors(MONITORS)
    found = tuple(result(at=NOW + number, order=number) for number in range(1, 400))
    await store.ledger.commit(Commit(found, incidents=(incident(), incident(2)), details=found))
    return store


@pytest.mark.parametrize("name", names())
async def test_all_that_it_holds_is_read_as_before_there_and_back(name: str, address: str, tmp_path: Path) -> None:
    old = read(name)
    source = old.restore(tmp_path / "vigie.db")

    made = copy_store("vigie.db", address, tmp_path, quiet)
    copy_store(address, "back.db", tmp_path, quiet)

    assert sum(made.rows.values()) > 50
    assert rows_of(tmp_path / "back.db") == rows_of(source)
    store = PostgresqlStore(Config.of(address, tmp_path))
    found = await as_plain.everything(store, old.said["left_at"], [one["id"] for one in old.said["monitors"]], old.said["models"])
    await store.close()
    assert json.loads(json.dumps(found)) == said_of(old.said)
    assert await holds(tmp_path / "back.db", old.said) == said_of(old.said)


async def test_what_comes_after_a_copy_has_the_next_numbers(address: str, tmp_path: Path) -> None:
    await (await filled(tmp_path / "vigie.db")).close()
    copy_store("vigie.db", address, tmp_path, quiet)
    store = PostgresqlStore(Config.of(address, tmp_path))
    await store.ledger.load()
    later = result(at=NOW + 1_000, order=1_000)
    await store.ledger.commit(Commit((later,), incidents=(incident(3),), details=(later,)))
    assert [one.id for one in await store.archive.incidents()] == ["shop-3", "shop-2", "shop-1"]
    assert await store.fleet.location_number("paris") == 1
    await store.close()


async def test_what_is_there_is_replaced_when_that_is_asked_for(address: str, tmp_path: Path) -> None:
    await (await filled(tmp_path / "vigie.db")).close()
    copy_store("vigie.db", address, tmp_path, quiet)
    for target in (address, "vigie.db"):
        with pytest.raises(VigieError, match=r"not empty|both") as raised:
            copy_store("vigie.db", target, tmp_path, quiet)
        assert raised.value.fix
    copy_store("vigie.db", address, tmp_path, quiet, replace=True)
    copy_store(address, "back.db", tmp_path, quiet)
    assert rows_of(tmp_path / "back.db") == rows_of(tmp_path / "vigie.db")


async def test_one_that_was_interrupted_goes_on(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await (await filled(tmp_path / "vigie.db")).close()
    write, written = Tables.write, list[str]()

    def stumbling(self: Tables, name: str, *rest: Any) -> None:
        if name == "detail" and "detail" in written:
            raise KeyboardInterrupt
        written.append(name)
        write(self, name, *rest)

    monkeypatch.setattr(Tables, "write", stumbling)
    with pytest.raises(KeyboardInterrupt):
        copy_store("vigie.db", address, tmp_path, quiet)
    monkeypatch.undo()
    store = PostgresqlStore(Config.of(address, tmp_path))
    with pytest.raises(StoreError, match="not finished") as raised:
        await store.ledger.load()
    assert raised.value.fault is StoreFault.UNSUITABLE
    await store.close()
    with pytest.raises(VigieError, match="not finished"):
        copy_store(address, "back.db", tmp_path, quiet)

    again = list[tuple[str, int]]()

    def noted(self: Tables, name: str, columns: Any, rows: Any) -> None:
        again.append((name, len(rows)))
        write(self, name, columns, rows)

    monkeypatch.setattr(Tables, "write", noted)
    made = copy_store("vigie.db", address, tmp_path, quiet)
    assert made.rows["detail"] == 399
    assert sum(count for name, count in again if name == "detail") == 399 - FIRST
    copy_store(address, "back.db", tmp_path, quiet)
    assert rows_of(tmp_path / "back.db") == rows_of(tmp_path / "vigie.db")


async def test_a_difference_is_found(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await (await filled(tmp_path / "vigie.db")).close()
    write = Tables.write

    def forgetful(self: Tables, name: str, columns: Any, rows: Any) -> None:
        write(self, name, columns, rows[1:] if name == "incident" else rows)

    monkeypatch.setattr(Tables, "write", forgetful)
    with pytest.raises(VigieError, match="the table incident is not the same on both sides"):
        copy_store("vigie.db", address, tmp_path, quiet)


async def test_nothing_is_copied_while_somebody_is_at_work(address: str, tmp_path: Path) -> None:
    await (await filled(tmp_path / "vigie.db")).close()
    with State(tmp_path / "elsewhere", tmp_path / "vigie.db").locked(), pytest.raises(AlreadyRunning):
        copy_store("vigie.db", address, tmp_path, quiet)
    copy_store("vigie.db", address, tmp_path, quiet)
    store = PostgresqlStore(Config.of(address, tmp_path))
    await store.fleet.report_server(ServerStatus("one", "2.0", NOW, 9_999_999_999_999))
    await store.close()
    with pytest.raises(AlreadyRunning, match="one is at work"):
        copy_store(address, "back.db", tmp_path, quiet)


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("none.db", "sqlite:///other.db", "there is no database at"),
        ("mysql://a/b", "other.db", "no store is called 'mysql'"),
        ("postgresql://u:geheim@127.0.0.1:1/vigie", "other.db", "cannot be reached"),
        ("vigie.db", "postgresql://u:geheim@h/", "the name of its database"),
    ],
)
async def test_what_cannot_be_is_said(source: str, target: str, words: str, tmp_path: Path) -> None:
    await (await filled(tmp_path / "vigie.db")).close()
    with pytest.raises(VigieError, match=words) as raised:
        copy_store(source, target, tmp_path, quiet)
    assert "geheim" not in str(raised.value)
    assert raised.value.fix


async def test_the_command_says_what_it_did(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await (await filled(tmp_path / "vigie.db")).close()
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, ["copy", "vigie.db", address])
    assert said.exit_code == 0, said.output
    assert "tables, the same as in" in said.output
    assert "store:" in said.output
