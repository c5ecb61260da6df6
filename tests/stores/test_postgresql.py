"""What is PostgreSQL's own: servers that are wrong, that restart and that are shared; versions, locks and TLS."""

import asyncio
import re
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import trustme

from vigie.core.notification import NoticeReason
from vigie.errors import StoreError, StoreFault, VigieError
from vigie.ports import Commit, Lease, OutboxState
from vigie.stores import postgresql
from vigie.stores.kit.sql.tables import Table
from vigie.stores.postgresql import Config, migrate
from vigie.stores.postgresql.db import PgDb
from vigie.stores.postgresql.dialect import fit, translated, unfit
from vigie.stores.postgresql.store import PostgresqlStore
from vigie.stores.sqlite.db import Db
from vigie.stores.sqlite.migrate import migrate as migrate_file
from vigie.testing.postgres_server import PostgresServer
from vigie.testing.servers import serving
from vigie.testing.store_suite.records import MONITORS, NOW, incident, result, row, sent

VERSIONS = len(list(migrate.MIGRATIONS.glob("*.sql")))


def config_of(server: PostgresServer, database: str, user: str = "postgres", **options: str) -> Config:
    return Config.of(server.address(database, user, **options), Path())


@pytest.fixture(scope="module")
def template(server: PostgresServer) -> str:
    """A database with its tables, to be copied."""
    name = server.database()
    asyncio.run(PostgresqlStore(config_of(server, name)).close())
    return name


@pytest.fixture
def config(server: PostgresServer, template: str) -> Config:
    return config_of(server, server.database(template))


@contextmanager
def connected(config: Config) -> Iterator[PgDb]:
    db = PgDb(config)
    try:
        yield db
    finally:
        db.close()


def fault_of(config: Config) -> StoreError:
    with pytest.raises(StoreError) as raised:
        PostgresqlStore(config)
    assert config.shown in raised.value.message
    assert raised.value.fix
    return raised.value


# The schema


def test_both_stores_have_the_same_tables(config: Config, tmp_path: Path) -> None:
    file = Db(tmp_path / "vigie.db")
    migrate_file(file, tmp_path / "vigie.db")
    names = [name for (name,) in file.fetch("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    ours = {name: {column: kind for _, column, kind, *_ in file.fetch(f'PRAGMA table_info("{name}")')} for name in names}
    file.close()
    kinds = {"bigint": "INTEGER", "text": "TEXT", "bytea": "BLOB"}
    theirs: dict[str, dict[str, str]] = {}
    with connected(config) as db:
        sql = "SELECT table_name, column_name, data_type, collation_name FROM information_schema.columns WHERE table_schema = 'vigie'"
        for table, column, kind, collation in db.fetch(sql):
            if not re.search(r"_(default|\d+)$", table) and table != "schema_version" and column != "rowid":
                theirs.setdefault(table, {})[column] = kinds[kind]
                assert kind != "text" or collation == "C" or table == "outbox_count", f"{table}.{column} is not compared by its bytes"
    assert theirs == ours


async def test_servers_that_start_at_once_make_the_tables_once(server: PostgresServer) -> None:
    address = server.address(server.database())
    program = (
        "import asyncio, pathlib\nfrom vigie.stores.postgresql import Config\nfrom vigie.stores.postgresql.store import PostgresqlStore\n"
        f"asyncio.run(PostgresqlStore(Config.of({address!r}, pathlib.Path())).close())"
    )
    several = [await asyncio.create_subprocess_exec(sys.executable, "-c", program, stderr=asyncio.subprocess.PIPE) for _ in range(2)]
    for one in several:
        _, said = await one.communicate()
        assert one.returncode == 0, said.decode()
    with connected(Config.of(address, Path())) as db:
        assert db.fetch("SELECT count(*), max(version) FROM schema_version") == [(VERSIONS, migrate.newest())]


def test_an_older_program_goes_on_beside_a_newer_schema(config: Config) -> None:
    with connected(config) as db:
        db.execute("INSERT INTO schema_version (version, needs) VALUES (9000, 27)")
    asyncio.run(PostgresqlStore(config).close())
    with connected(config) as db:
        db.execute("INSERT INTO schema_version (version, needs) VALUES (9001, 9001)")
    error = fault_of(config)
    assert (error.fault, "schema 9001" in error.message) == (StoreFault.NEWER, True)


def test_definitions_are_read_without_making_tables(server: PostgresServer) -> None:
    config = config_of(server, server.database())
    assert postgresql.definitions(config) == []
    with connected(config) as db:
        assert db.fetch("SELECT 1 FROM pg_namespace WHERE nspname = 'vigie'") == []


def test_a_copy_is_made_by_its_own_tools(config: Config, tmp_path: Path) -> None:
    with pytest.raises(VigieError, match="not a file") as raised:
        postgresql.copy(config, tmp_path / "copy", print)
    assert f"pg_dump --format=custom --schema=vigie {config.database}" in raised.value.fix
    with pytest.raises(VigieError, match="not a copy"):
        postgresql.examine(tmp_path)


# Servers that are wrong


def test_one_that_is_not_there(server: PostgresServer) -> None:
    config = replaced(config_of(server, "vigie"), hosts=(("127.0.0.1", 1),))
    assert fault_of(config).fault is StoreFault.UNREACHABLE
    assert fault_of(replaced(config, hosts=(("nowhere.invalid", 5432),))).fault is StoreFault.UNREACHABLE


def replaced(config: Config, **changes: Any) -> Config:
    return Config(**{name: changes.get(name, getattr(config, name)) for name in config.__struct_fields__})


def test_one_that_never_answers(server: PostgresServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = replaced(config_of(server, "vigie"), hosts=(silent.getsockname(),), connect_timeout=1)
        error = fault_of(config)
    assert (error.fault, "in time" in error.message) == (StoreFault.UNREACHABLE, True)


def test_a_wrong_password_is_not_shown(server: PostgresServer, template: str) -> None:
    server.run("DROP ROLE IF EXISTS refused", "CREATE ROLE refused LOGIN PASSWORD 'other'")
    address = server.address(template, "refused").replace("refused@", "refused:geheim@")
    error = fault_of(Config.of(address, Path()))
    assert error.fault is StoreFault.AUTH
    assert "geheim" not in f"{error} {error.fix} {error!r} {error.__cause__!r}"


def test_a_database_that_is_not_there(server: PostgresServer) -> None:
    error = fault_of(config_of(server, "nobody"))
    assert (error.fault, "createdb --owner=postgres" in error.fix) == (StoreFault.UNSUITABLE, True)


def test_a_role_that_may_make_nothing(server: PostgresServer, template: str) -> None:
    server.run("DROP ROLE IF EXISTS stranger", "CREATE ROLE stranger LOGIN")
    error = fault_of(config_of(server, server.database(), "stranger"))
    assert (error.fault, 'CREATE SCHEMA vigie AUTHORIZATION "stranger"' in error.fix) == (StoreFault.READ_ONLY, True)
    assert fault_of(config_of(server, server.database(template), "stranger")).fault is StoreFault.READ_ONLY


def test_a_schema_that_somebody_made_for_it_is_enough(server: PostgresServer) -> None:
    name = server.database()
    server.run("DROP ROLE IF EXISTS plain", "CREATE ROLE plain LOGIN")
    server.run("CREATE SCHEMA vigie AUTHORIZATION plain", database=name)
    asyncio.run(PostgresqlStore(config_of(server, name, "plain")).close())


def test_another_encoding(server: PostgresServer) -> None:
    server.run("CREATE DATABASE ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    error = fault_of(config_of(server, "ascii"))
    assert (error.fault, "SQL_ASCII, not UTF8" in error.message) == (StoreFault.UNSUITABLE, True)


def test_an_old_version(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "OLDEST", 990_000)
    error = fault_of(config)
    assert (error.fault, "too old" in error.message) == (StoreFault.UNSUITABLE, True)


def test_one_that_takes_no_writes(server: PostgresServer, config: Config) -> None:
    server.run(f"ALTER DATABASE {config.database} SET default_transaction_read_only = on")
    error = fault_of(config)
    assert (error.fault, "default_transaction_read_only" in error.fix) == (StoreFault.READ_ONLY, True)


def test_one_that_takes_no_more_connections(server: PostgresServer, template: str) -> None:
    server.run("DROP ROLE IF EXISTS narrow", "CREATE ROLE narrow LOGIN CONNECTION LIMIT 0")
    error = fault_of(config_of(server, template, "narrow"))
    assert (error.fault, "?pool=" in error.fix) == (StoreFault.BUSY, True)


async def test_a_full_disk_heals(server: PostgresServer, config: Config) -> None:
    store = PostgresqlStore(config)
    await store.catalog.sync_monitors(MONITORS)
    fails = "BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END"
    full = f"CREATE FUNCTION vigie.fill() RETURNS trigger LANGUAGE plpgsql AS $$ {fails} $$"
    server.run(full, "CREATE TRIGGER fill BEFORE INSERT ON vigie.incident EXECUTE FUNCTION vigie.fill()", database=config.database)
    with pytest.raises(StoreError) as raised:
        await store.ledger.commit(Commit((result(),), incidents=(incident(),)))
    assert raised.value.fault is StoreFault.FULL
    server.run("DROP TRIGGER fill ON vigie.incident", database=config.database)
    await store.ledger.commit(Commit((result(),), incidents=(incident(),)))
    assert [one.id for one in await store.archive.incidents()] == ["shop-1"]
    await store.close()


def test_a_statement_that_takes_too_long(config: Config) -> None:
    with connected(replaced(config, statement_timeout=1)) as db:
        with pytest.raises(StoreError) as raised:
            db.fetch("SELECT pg_sleep(30)")
        assert (raised.value.fault, "longer than 1 s" in raised.value.message) == (StoreFault.BUSY, True)
        assert db.fetch("SELECT 1") == [(1,)]


# Restarts


async def test_the_next_call_after_a_restart_works(server: PostgresServer, config: Config) -> None:
    store = PostgresqlStore(config)
    await store.catalog.sync_monitors(MONITORS)
    await store.ledger.commit(Commit((result(),), incidents=(incident(),), outbox=(row(),)))
    server.kill()
    for call in (store.archive.incidents, store.ledger.counts, lambda: store.ledger.commit(Commit(incidents=(incident(2),)))):
        with pytest.raises(StoreError) as raised:
            await call()
        assert raised.value.fault is StoreFault.UNREACHABLE
    server.start()
    await store.ledger.commit(Commit(incidents=(incident(2),)))
    assert {one.id for one in await store.archive.incidents()} == {"shop-1", "shop-2"}
    assert (await store.ledger.counts()).waiting == 1
    await store.close()


def test_a_transaction_never_goes_on_on_another_connection(server: PostgresServer, config: Config) -> None:
    with connected(config) as db:
        with pytest.raises(StoreError, match="lost"), db.transaction(durable=True):  # noqa: PT012 - much happens within it
            db.execute("INSERT INTO meta VALUES ('half', 1)")
            server.kill()
            server.start()
            with pytest.raises(StoreError):
                db.execute("INSERT INTO meta VALUES ('other', 1)")
            db.execute("INSERT INTO meta VALUES ('third', 1)")
        assert db.fetch("SELECT name FROM meta WHERE name IN ('half', 'other', 'third')") == []
        with db.transaction(durable=True):
            db.execute("INSERT INTO meta VALUES ('whole', 1)")
        assert db.fetch("SELECT value FROM meta WHERE name = 'whole'") == [(1,)]


def test_a_connection_that_died_at_rest_costs_no_transaction(server: PostgresServer, config: Config) -> None:
    with connected(config) as db:
        assert db.fetch("SELECT 1") == [(1,)]
        server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{config.database}'")
        with db.transaction(durable=True):
            db.execute("INSERT INTO meta VALUES ('whole', 1)")
        assert db.fetch("SELECT value FROM meta WHERE name = 'whole'") == [(1,)]


@pytest.mark.parametrize("did", [True, False])
def test_what_became_of_a_commit_whose_answer_was_lost_is_found_out(config: Config, monkeypatch: pytest.MonkeyPatch, *, did: bool) -> None:
    execute = asyncpg.Connection.execute

    async def cut(self: Any, sql: str, *values: Any) -> Any:
        if sql == "COMMIT":
            monkeypatch.undo()
            if did:
                await execute(self, sql)
            self.terminate()
            raise ConnectionResetError("cut off")
        return await execute(self, sql, *values)

    with connected(config) as db:
        db.fetch("SELECT 1")
        monkeypatch.setattr(asyncpg.Connection, "execute", cut)
        if did:
            with db.transaction(durable=True):
                db.execute("INSERT INTO meta VALUES ('whole', 1)")
        else:
            with pytest.raises(StoreError, match="cut off"), db.transaction(durable=True):
                db.execute("INSERT INTO meta VALUES ('whole', 1)")
        assert bool(db.fetch("SELECT value FROM meta WHERE name = 'whole'")) is did


def test_who_sleeps_within_a_transaction_gives_back_what_it_holds(config: Config) -> None:
    with closing(PgDb(config, idle_ms=200)) as sleeper, connected(config) as other:
        with pytest.raises(StoreError) as raised, sleeper.transaction(durable=True, alone="history"):  # noqa: PT012 - two transactions
            sleeper.execute("INSERT INTO meta VALUES ('half', 1)")
            with other.transaction(durable=True, alone="history"):  # waits until the server ends the sleeper's
                other.execute("INSERT INTO meta VALUES ('half', 2)")
        assert raised.value.fault is StoreFault.UNREACHABLE
        assert other.fetch("SELECT value FROM meta WHERE name = 'half'") == [(2,)]


# Several servers


async def test_no_notice_is_claimed_twice_and_none_overtakes(config: Config) -> None:
    stores = [PostgresqlStore(config) for _ in range(3)]
    alerts = [f"shop-{number}" for number in range(40)]
    reasons = (NoticeReason.OPENED, NoticeReason.RECOVERED)
    rows = [row(reason, NOW + place, of=alert) for alert in alerts for place, reason in enumerate(reasons)]
    await stores[0].ledger.commit(Commit(outbox=tuple(rows)))
    seen: list[str] = []

    async def work(store: PostgresqlStore) -> None:
        while claimed := await store.ledger.claim(NOW + 10, 60_000, 3):
            for one in claimed:
                seen.append(one.notice.key)
                await store.ledger.record(sent(one, NOW + 10))

    await asyncio.gather(*(work(one) for one in stores))
    await work(stores[0])  # what was not the first of its thread when the others looked for the last time
    assert sorted(seen) == sorted(one.notice.key for one in rows)
    for alert in alerts:
        own = [key for key in seen if key.startswith(f"{alert}:")]
        assert own == sorted(own, key=lambda key: "recovered" in key), own
    assert len(await stores[1].ledger.outbox(OutboxState.DELIVERED)) == len(rows)
    for one in stores:
        await one.close()


async def test_a_commit_of_who_leads_no_longer_is_refused(config: Config) -> None:
    old, new = PostgresqlStore(config), PostgresqlStore(config)
    first = await old.fleet.claim("evaluator", "a", 60_000)
    old.ledger.fence(first)
    await old.ledger.commit(Commit(incidents=(incident(),)))
    await old.fleet.release("evaluator", "a")
    second = await new.fleet.claim("evaluator", "b", 60_000)
    assert (second.holder, second.epoch) == ("b", first.epoch + 1)
    with pytest.raises(StoreError) as raised:
        await old.ledger.commit(Commit(incidents=(incident(2),)))
    assert raised.value.fault is StoreFault.FENCED
    new.ledger.fence(second)
    await new.ledger.commit(Commit(incidents=(incident(3),)))
    assert {one.id for one in await new.archive.incidents()} == {"shop-1", "shop-3"}
    await old.close()
    await new.close()


def test_a_lease_waits_for_the_commit_that_is_under_way_under_it(config: Config) -> None:
    """Who leads no longer cannot commit after the new one has read what there is."""
    started, order = threading.Event(), list[str]()

    def take() -> Lease:
        store = PostgresqlStore(config)
        started.set()
        lease = asyncio.run(store.fleet.claim("evaluator", "b", 60_000))
        order.append("claimed")
        asyncio.run(store.close())
        return lease

    with connected(config) as db, ThreadPoolExecutor(1) as aside:
        db.execute("INSERT INTO lease (name, holder, epoch, until) VALUES ('evaluator', 'a', 1, 0)")
        with db.transaction(durable=True):
            assert db.fetch(f"SELECT holder FROM lease WHERE name = 'evaluator'{db.held}") == [("a",)]
            taken = aside.submit(take)
            assert started.wait(20)
            with connected(config) as look:
                waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                while not look.fetch(waiting):
                    assert not taken.done()
            db.execute("INSERT INTO meta VALUES ('decided', 1)")
            order.append("committed")
        assert (taken.result(20).epoch, order) == (2, ["committed", "claimed"])


async def test_locations_have_one_number_whoever_meets_them_first(config: Config) -> None:
    stores = [PostgresqlStore(config) for _ in range(3)]
    names = [f"place-{number}" for number in range(12)]
    found = await asyncio.gather(*(one.fleet.location_number(name) for name in names for one in stores))
    by_name = {name: set(found[place * 3 : place * 3 + 3]) for place, name in enumerate(names)}
    assert all(len(numbers) == 1 for numbers in by_name.values())
    assert {number for numbers in by_name.values() for number in numbers} == set(range(1, 13))
    for one in stores:
        await one.close()


async def test_who_takes_over_knows_what_the_others_added(config: Config) -> None:
    first, second = PostgresqlStore(config), PostgresqlStore(config)
    await first.catalog.sync_monitors(MONITORS)
    await first.fleet.location_number("paris")
    await second.ledger.load()
    await second.ledger.commit(Commit((replace(result(), location="paris"),), incidents=(incident(),)))
    assert [one.location for one in await first.history.results("shop", NOW - 1, NOW + 1)] == ["paris"]
    await first.close()
    await second.close()


async def test_few_connections_are_enough(server: PostgresServer, config: Config) -> None:
    store = PostgresqlStore(replaced(config, pool=2, application_name="two"))
    await store.catalog.sync_monitors(MONITORS)
    await asyncio.gather(store.archive.incidents(), store.ledger.counts(), store.history.size(), store.ledger.next_run())
    assert server.run("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'two'") == [(2,)]
    await store.close()
    assert server.run("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'two'") == [(0,)]


def test_a_program_with_an_event_loop_of_its_own(config: Config) -> None:
    async def program() -> bool:
        store = PostgresqlStore(config)
        try:
            return await store.accounts.any_user()
        finally:
            await store.close()

    assert asyncio.run(program()) is False


# Partitions


def test_partitions_are_made_ahead_and_dropped_when_they_are_empty_and_over(config: Config) -> None:
    names = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE 'hot_%' ORDER BY 1"
    with connected(config) as db:
        today = int(db.fetch("SELECT floor(extract(epoch FROM clock_timestamp()) / 86400)::bigint")[0][0])
        ahead = [*(f"hot_{today + day}" for day in range(3)), "hot_default"]
        assert [name for (name,) in db.fetch(names)] == ahead
        day = 86_400_000
        for old in (today - 9, today - 8):
            db.script(f"CREATE TABLE hot_{old} PARTITION OF hot FOR VALUES FROM ({old * day}) TO ({(old + 1) * day})")
        db.execute("INSERT INTO hot (base, count, body) VALUES (?, 1, ?)", ((today - 8) * day, b"x"))
        db.tidy()
        assert [name for (name,) in db.fetch(names)] == sorted([f"hot_{today - 8}", *ahead])
        db.execute("DELETE FROM hot")
        db.tidy()
        assert [name for (name,) in db.fetch(names)] == ahead


# The dialect

TABLES = {"pair": Table(("a", "b", "c"), ("a", "b")), "user": Table(("id", "name"), ("id",)), "key": Table(("a", "b"), ("a", "b"))}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("SELECT ?1, ?, ?1", "SELECT $1, $2, $1"),
        ("INSERT OR IGNORE INTO pair (a) VALUES (?)", "INSERT INTO pair (a) VALUES ($1) ON CONFLICT DO NOTHING"),
        (
            "INSERT OR REPLACE INTO pair VALUES (?, ?, ?)",
            "INSERT INTO pair (a, b, c) VALUES ($1, $2, $3) ON CONFLICT (a, b) DO UPDATE SET c = excluded.c",
        ),
        (
            'INSERT OR REPLACE INTO "user" VALUES (?, ?)',
            'INSERT INTO "user" (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name',
        ),
        (
            "INSERT OR REPLACE INTO key (a, b) SELECT a, b FROM pair",
            "INSERT INTO key (a, b) SELECT a, b FROM pair ON CONFLICT (a, b) DO NOTHING",
        ),
        ("SELECT a FROM pair WHERE a IN (SELECT value FROM json_each(?)) AND b = ?", "SELECT a FROM pair WHERE a = ANY ($1) AND b = $2"),
        ("SELECT a WHERE a NOT IN (SELECT value FROM json_each(?2))", "SELECT a WHERE a <> ALL ($2)"),
        ("SELECT b FROM json_each(?) AS one", "SELECT b FROM unnest($1::bigint[]) AS one(value)"),
        ("SELECT min(max(a, b)), max(a), min(a, (b))", "SELECT min(greatest(a, b)), max(a), least(a, (b))"),
        ("SELECT ifnull(max(a), 0)", "SELECT coalesce(max(a), 0)"),
    ],
)
def test_statements_are_written_as_the_server_takes_them(ours: str, theirs: str) -> None:
    assert translated(ours, TABLES.__getitem__).sql == theirs


@pytest.mark.parametrize("text", ["plain", "\0", "a\0b\0", "\U000ffffd", "\U000ffffd0", "\U000ffffd1\0", "é\0", "\U0001f4a9"])
def test_text_comes_back_as_it_was(text: str) -> None:
    kept = fit(text)
    assert "\0" not in kept
    assert unfit((1, kept, None)) == (1, text, None)


def test_many_rows_are_copied_as_one_by_one(config: Config) -> None:
    rows = [("m\0\ud800", number, 1, b"\0") for number in range(300)]
    with connected(config) as db:
        with db.transaction(durable=True):
            db.bulk("INSERT INTO detail (monitor, at, good, body) VALUES (?, ?, ?, ?)", rows)
        assert db.fetch("SELECT count(*), min(monitor), sum(at), avg(good) FROM detail") == [(300, "m\0?", 44_850, 1.0)]


# TLS


class Front:
    """Speaks TLS for a server that cannot: after the client's request, as PostgreSQL does. Whoever shows no certificate is hung up on if `strict`."""

    def __init__(self, server: PostgresServer, authority: trustme.CA, *, strict: bool = False) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self._context)
        if strict:
            authority.configure_trust(self._context)
            self._context.verify_mode = ssl.CERT_REQUIRED
        self._port, self.taken = server.port, 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readexactly(8) != bytes.fromhex("0000000804d2162f"):  # no TLS is asked for
            return
        writer.write(b"S")
        await writer.start_tls(self._context)
        self.taken += 1
        their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            await asyncio.wait(
                [asyncio.ensure_future(pumped(reader, their_writer)), asyncio.ensure_future(pumped(their_reader, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            their_writer.close()


async def pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, ssl.SSLError):
        while data := await reader.read(65_536):
            writer.write(data)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def certificates(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    trustme.CA().cert_pem.write_to_path(str(folder / "other.pem"))
    mine = authority.issue_cert("vigie@vigie.test")
    mine.cert_chain_pems[0].write_to_path(str(folder / "mine.pem"))
    mine.private_key_pem.write_to_path(str(folder / "mine.key"))
    return folder


def asked(port: int, options: str, folder: Path) -> list[tuple[Any, ...]]:
    with connected(Config.of(f"postgresql://postgres@127.0.0.1:{port}/postgres?{options}", folder)) as db:
        return db.fetch("SELECT 1")


@pytest.mark.parametrize("mode", ["prefer", "require", "verify-ca&sslrootcert=ca.pem", "verify-full&sslrootcert=ca.pem"])
async def test_a_server_is_reached_over_tls(server: PostgresServer, authority: trustme.CA, certificates: Path, mode: str) -> None:
    front = Front(server, authority)
    async with serving(front) as port:
        assert await asyncio.to_thread(asked, port, f"sslmode={mode}", certificates) == [(1,)]
    assert front.taken == 1


@pytest.mark.parametrize(
    "options",
    ["sslmode=verify-full&sslrootcert=other.pem", "sslmode=verify-ca&sslrootcert=other.pem", "sslmode=verify-full&sslrootcert=none.pem"],
)
async def test_one_that_is_not_trusted_is_not_used(server: PostgresServer, authority: trustme.CA, certificates: Path, options: str) -> None:
    async with serving(Front(server, authority)) as port:
        with pytest.raises(StoreError) as raised:
            await asyncio.to_thread(asked, port, options, certificates)
    assert raised.value.fault is StoreFault.UNSUITABLE
    assert "sslrootcert" in raised.value.fix


@pytest.mark.parametrize("options", ["sslmode=verify-full", "sslmode=verify-full&sslrootcert=system"])
async def test_verify_full_trusts_the_authorities_of_this_machine_where_none_is_named(
    server: PostgresServer, authority: trustme.CA, certificates: Path, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(certificates))
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    async with serving(Front(server, authority)) as port:
        assert await asyncio.to_thread(asked, port, options, certificates) == [(1,)]
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "other.pem"))
        with pytest.raises(StoreError, match="not trusted"):
            await asyncio.to_thread(asked, port, options, certificates)


@pytest.mark.parametrize("options", ["sslmode=verify-ca", "sslmode=verify-ca&sslrootcert=system"])
def test_verify_ca_needs_an_authority_of_its_own(
    server: PostgresServer, certificates: Path, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(certificates))
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    with pytest.raises(StoreError) as raised:
        asked(server.port, options, certificates)
    assert raised.value.fault is StoreFault.UNSUITABLE
    assert "sslrootcert" in raised.value.fix


def test_one_without_tls_is_not_used_where_it_is_asked_for(server: PostgresServer, certificates: Path) -> None:
    with pytest.raises(StoreError, match=r"TLS|SSL"):
        asked(server.port, "sslmode=require", certificates)


async def test_a_certificate_is_shown_where_the_server_wants_one(server: PostgresServer, authority: trustme.CA, certificates: Path) -> None:
    ours = "sslmode=verify-full&sslrootcert=ca.pem"
    async with serving(Front(server, authority, strict=True)) as port:
        with pytest.raises(StoreError):
            await asyncio.to_thread(asked, port, ours, certificates)
        assert await asyncio.to_thread(asked, port, f"{ours}&sslcert=mine.pem&sslkey=mine.key", certificates) == [(1,)]
