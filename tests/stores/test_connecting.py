"""How a PostgreSQL server is reached: which of several hosts, what holds for a session, and what becomes of a connection that died."""

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vigie.errors import StoreError, StoreFault
from vigie.ports import Commit
from vigie.stores.postgresql import Config, migrate, partitions
from vigie.stores.postgresql.db import PgDb
from vigie.stores.postgresql.store import PostgresqlStore
from vigie.testing.postgres_server import PostgresServer
from vigie.testing.store_suite.records import incident

PID = "SELECT pg_backend_pid()"


@pytest.fixture
def config(server: PostgresServer) -> Config:
    """A database with its tables."""
    made = Config.of(server.address(server.database()), Path())
    asyncio.run(PostgresqlStore(made).close())
    return made


def changed(config: Config, **changes: Any) -> Config:
    return msgspec.structs.replace(config, **changes)


@contextmanager
def silent() -> Iterator[tuple[str, int]]:
    """A machine that takes a connection and never says anything, as one does whose power is cut."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made.getsockname()


def end(server: PostgresServer, config: Config) -> None:
    """End every connection to a database, as a restart or a firewall does."""
    server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{config.database}'")


@pytest.mark.parametrize("patience", [None, 2.0])
def test_a_host_that_never_answers_leaves_time_for_the_next(config: Config, patience: float | None) -> None:
    with silent() as gone:
        several = changed(config, hosts=(gone, *config.hosts), connect_timeout=1)
        with closing(PgDb(several, patience=patience)) as db:
            assert db.fetch("SELECT 1") == [(1,)]


def test_of_several_hosts_each_is_said_why_it_will_not_do(server: PostgresServer, config: Config) -> None:
    server.run(f"ALTER DATABASE {config.database} SET default_transaction_read_only = on")
    with silent() as gone:
        several = changed(config, hosts=(gone, ("127.0.0.1", 1), *config.hosts), connect_timeout=1)
        with pytest.raises(StoreError) as raised:
            PostgresqlStore(several)
    assert raised.value.fault is StoreFault.UNREACHABLE
    for words in (f"{gone[1]} does not answer in time", "127.0.0.1:1 cannot be reached (Connection refused)", "takes no writes"):
        assert words in raised.value.message
    with pytest.raises(StoreError, match="none of the servers takes writes") as raised:
        PostgresqlStore(changed(config, hosts=config.hosts * 2))
    assert raised.value.fault is StoreFault.READ_ONLY


async def test_a_connection_to_a_server_that_takes_no_writes_any_more_is_given_up(server: PostgresServer, config: Config) -> None:
    """Behind one address another server may be the primary by now."""
    store = PostgresqlStore(config)
    alter = f"ALTER DATABASE {config.database} SET default_transaction_read_only ="
    server.run(f"{alter} on")
    end(server, config)
    with pytest.raises(StoreError) as raised:
        await store.ledger.commit(Commit(incidents=(incident(),)))
    assert raised.value.fault is StoreFault.READ_ONLY
    server.run(f"{alter} off")
    await store.ledger.commit(Commit(incidents=(incident(),)))
    assert [one.id for one in await store.archive.incidents()] == ["shop-1"]
    await store.close()


def test_a_read_on_a_connection_that_died_at_rest_is_made_on_another_one(server: PostgresServer, config: Config) -> None:
    with closing(PgDb(config)) as db:
        first = db.fetch(PID)
        end(server, config)
        assert db.fetch(PID) != first


def test_no_statement_of_a_transaction_runs_on_another_connection(config: Config) -> None:
    with closing(PgDb(config)) as db:
        with pytest.raises(StoreError, match="lost within"), db.transaction(durable=True):  # noqa: PT012 - much happens within it
            db.execute("INSERT INTO meta VALUES ('half', 1)")
            db._drop()
            db.execute("INSERT INTO meta VALUES ('other', 1)")
        assert db.fetch("SELECT name FROM meta WHERE name IN ('half', 'other')") == []


def test_who_reads_may_take_longer_between_two_reads_than_who_writes(config: Config) -> None:
    setting = "SELECT current_setting('idle_in_transaction_session_timeout')"
    with closing(PgDb(config)) as db:
        with db.transaction(durable=True):
            assert db.fetch(setting) == [("5s",)]
        with db.snapshot():
            assert db.fetch(setting) == [("1min",)]
        assert db.fetch(setting) == [("5s",)]


def test_what_a_role_has_set_does_not_change_how_vigie_works(server: PostgresServer, config: Config) -> None:
    for name, value in {"search_path": "elsewhere", "statement_timeout": "1", "default_transaction_isolation": "serializable"}.items():
        server.run(f"ALTER DATABASE {config.database} SET {name} = '{value}'")
    with closing(PgDb(config)) as db, db.transaction(durable=True):
        assert db.fetch("SELECT current_schema()::text, current_setting('transaction_isolation')") == [("vigie", "read committed")]
        assert db.fetch("SELECT current_setting('statement_timeout')") == [("30s",)]


def test_a_pooler_that_mixes_up_sessions_is_said(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PgDb, "session", lambda _: (7, 8))  # whatever connection asks, the same session answers
    with pytest.raises(StoreError, match="does not keep the session") as raised:
        PostgresqlStore(config)
    assert "pool_mode = session" in raised.value.fix
    sessions = iter([(7, 8), (9, 10), (7, 8)])
    monkeypatch.setattr(PgDb, "session", lambda _: next(sessions))
    asyncio.run(PostgresqlStore(config).close())


def test_a_migration_waits_for_a_long_read_without_keeping_others_from_the_table(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for file in migrate.MIGRATIONS.iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "9999_more.sql").write_text("ALTER TABLE blind ADD COLUMN more BIGINT;")
    monkeypatch.setattr(migrate, "_LOCK_SECONDS", 0.1)
    monkeypatch.setattr(migrate, "_REST_SECONDS", 0.1)
    with closing(PgDb(config)) as reader, closing(PgDb(config)) as other, ThreadPoolExecutor(1) as aside:
        with reader.snapshot():
            reader.fetch("SELECT 1 FROM blind")
            taken = aside.submit(_migrated, config, tmp_path)
            while "while somebody reads them" not in caplog.text:
                assert other.fetch("SELECT count(*) FROM blind") == [(0,)]
                assert not taken.done()
        assert taken.result(30) == 9999
        assert other.fetch("SELECT more FROM blind") == []


def _migrated(config: Config, folder: Path) -> int:
    with closing(PgDb(config)) as db:
        return migrate.migrate(db, config, folder)


def test_a_partition_that_gets_a_late_row_while_it_is_dropped_stays(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(PgDb(config)) as db, closing(PgDb(config)) as late:
        db.script("CREATE TABLE hot_7 PARTITION OF hot FOR VALUES FROM (604800000) TO (691200000)")
        script = PgDb.script

        def between(self: PgDb, sql: str) -> None:
            if sql.startswith("LOCK TABLE"):
                late.execute("INSERT INTO hot (base, count, body) VALUES (604800001, 1, ?)", (b"x",))
            script(self, sql)

        monkeypatch.setattr(PgDb, "script", between)
        partitions.keep(db)
        assert db.fetch("SELECT count(*) FROM hot_7") == [(1,)]
