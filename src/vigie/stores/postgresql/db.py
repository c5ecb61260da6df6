"""One connection to a PostgreSQL server, for the threads of a store: plain statements, as `stores.kit.sql` writes them.

The driver is asynchronous and the work on a store is not: each connection has an event loop of its own, which runs within the thread that
asks. A connection that is lost is made anew by the next call; a transaction never goes on on another one.
"""

import asyncio
import contextlib
import hashlib
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import asyncpg
from asyncpg import exceptions as pg

from vigie.errors import StoreError, StoreFault
from vigie.net import system_ca_file
from vigie.stores.kit.sql.db import Row
from vigie.stores.kit.sql.tables import Table
from vigie.stores.postgresql import Config, partitions
from vigie.stores.postgresql.address import FILES
from vigie.stores.postgresql.dialect import Statement, translated, unfit
from vigie.stores.postgresql.errors import error_of, unsuitable

_T = TypeVar("_T")
Connection = Any  # asyncpg comes without types
_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, EOFError, ValueError)
_COPIED = 200  # rows from which on COPY is faster
_MARGIN = 5.0  # seconds after the server's time-out, for a server that does not answer any more
IDLE_MS = 5_000  # that a transaction may rest: whoever sleeps within one gives back what it holds
_GONE_SECONDS = 10  # without a sign of life from the other machine: a connection to it is over, here and there
_KEEPALIVE = {"IDLE": 4, "INTVL": 2, "CNT": 3}  # seconds, seconds, times: as good as _GONE_SECONDS where nothing is under way
_STATEMENTS = 1_000  # that are remembered
_ASK_AGAIN_SECONDS = (0.0, 0.3, 1.0, 2.0)
_TABLES = (
    "SELECT c.relname, array_agg(quote_ident(a.attname) ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '' AND a.attidentity <> 'a'), "
    "array_agg(quote_ident(a.attname) ORDER BY a.attnum) FILTER (WHERE a.attnum = ANY (i.indkey)) "
    "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary "
    "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition GROUP BY c.relname"
)


class PgDb:
    """One connection, used by one thread at a time; it is made by the first call. Raises StoreError and nothing else.

    With `patience` a call takes no more than so many seconds, whatever is the case, and nothing that failed is tried again.
    """

    held, claimed = " FOR SHARE", " FOR UPDATE SKIP LOCKED"

    def __init__(self, config: Config, idle_ms: int = IDLE_MS, patience: float | None = None) -> None:
        self._config, self._idle_ms, self._patience, self._loop = config, idle_ms, patience, asyncio.new_event_loop()
        self._connection: Connection | None = None
        self._aside: ThreadPoolExecutor | None = None
        self._statements: dict[str, Statement] = {}
        self._tables: dict[str, Table] = {}
        self._within = self._lost = self._closed = False

    # Statements

    def fetch(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Every row of a query."""
        return self._run(lambda connection: self._fetch(connection, sql, values))

    async def _fetch(self, connection: Connection, sql: str, values: Sequence[Any]) -> list[Row]:
        statement = await self._translated(connection, sql)
        return [unfit(tuple(row.values())) for row in await connection.fetch(statement.sql, *statement.values(values))]

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """One statement; how many rows it changed."""
        return self._run(lambda connection: self._execute(connection, sql, values))

    async def _execute(self, connection: Connection, sql: str, values: Sequence[Any]) -> int:
        statement = await self._translated(connection, sql)
        said = await connection.execute(statement.sql, *statement.values(values))
        count = said.rpartition(" ")[2]
        return int(count) if count.isdecimal() else 0

    def bulk(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The same statement for every row; inside a transaction that fails, none."""
        if rows:
            self._run(lambda connection: self._bulk(connection, sql, rows))

    async def _bulk(self, connection: Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        statement = await self._translated(connection, sql)
        values = [statement.values(row) for row in rows]
        if statement.into is not None and len(rows) >= _COPIED:
            table, columns = statement.into
            await connection.copy_records_to_table(table, records=values, columns=columns)
        else:
            await connection.executemany(statement.sql, values)

    def script(self, sql: str) -> None:
        """Statements of PostgreSQL's own, as they are."""
        self._run(lambda connection: connection.execute(sql))

    async def _translated(self, connection: Connection, sql: str) -> Statement:
        known = self._statements.get(sql)
        if known is None:
            if sql.startswith("INSERT OR REPLACE") and not self._tables:
                self._tables = await self._known(connection)
            if len(self._statements) >= _STATEMENTS:
                self._statements.clear()
            known = self._statements[sql] = translated(sql, self._tables.__getitem__)
        return known

    def tables(self) -> dict[str, Table]:
        """The tables of the schema."""
        return self._run(self._known)

    async def _known(self, connection: Connection) -> dict[str, Table]:
        return {name: Table(tuple(columns), tuple(key or ())) for name, columns, key in await connection.fetch(_TABLES)}

    # Transactions

    @contextlib.contextmanager
    def transaction(self, *, durable: bool, alone: str | None = None) -> Iterator[None]:
        """All or nothing; `durable` means on the disk when this returns, else within a second. Of those `alone` by one name, one at a time.

        What was written when the connection was lost in the very moment of committing is found out.
        """
        begin = ["BEGIN"] if durable else ["BEGIN", "SET LOCAL synchronous_commit TO off"]
        if alone is not None:
            name = hashlib.sha256(f"{self._config.schema}.{alone}".encode()).digest()
            begin.append(f"SELECT pg_advisory_xact_lock({int.from_bytes(name[:8], signed=True)})")
        self._begin("; ".join(begin))
        try:
            yield
            self._commit(durable=durable)
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._within = self._lost = False

    def _begin(self, sql: str) -> None:
        try:
            self._run(lambda connection: connection.execute(sql))
        except StoreError as error:
            # The server may have restarted since the last call. Nothing was asked for yet, so that another connection does as well.
            timed_out = isinstance(error.__cause__, TimeoutError)
            if error.fault is not StoreFault.UNREACHABLE or self._connection is not None or timed_out:
                self._roll_back()
                raise
            self._run(lambda connection: connection.execute(sql))
        self._within = True

    def _commit(self, *, durable: bool) -> None:
        asked = "SELECT pg_current_xact_id_if_assigned()::text"
        number = self._run(lambda connection: connection.fetchval(asked)) if durable and self._patience is None else None
        try:
            self._run(lambda connection: connection.execute("COMMIT"))
        except StoreError as error:
            if error.fault is not StoreFault.UNREACHABLE or number is None or not self._did_commit(number):
                raise

    def _did_commit(self, number: str) -> bool:
        """Whether a transaction was committed whose answer was lost; False as well where nobody knows."""
        self._within = self._lost = False
        for seconds in _ASK_AGAIN_SECONDS:
            try:
                said = self._run(partial(self._asked, number=number, seconds=seconds))
            except StoreError:
                continue
            if said != "in progress":
                return said == "committed"
        return False

    async def _asked(self, connection: Connection, *, number: str, seconds: float) -> str | None:
        await asyncio.sleep(seconds)
        return str(await connection.fetchval("SELECT pg_xact_status($1::text::xid8)", number))

    def _roll_back(self) -> None:
        """A connection that cannot even do that is given up: the server rolls back by itself."""
        if self._connection is None or not self._connection.is_in_transaction():
            return
        try:
            self._run(lambda connection: connection.execute("ROLLBACK"))
        except StoreError:
            self._drop()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Several reads of one state of the database."""
        if self._within:
            yield
            return
        self._begin("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        try:
            yield
        finally:
            self._roll_back()
            self._within = self._lost = False

    # The connection

    def _run(self, work: Callable[[Connection], Awaitable[_T]]) -> _T:
        if self._closed:
            raise StoreError(StoreFault.OTHER, f"{self._config.shown} is closed")
        return self._here(self._do(work))

    def _here(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Within this thread, or beside it where it runs an event loop already: a short-lived program's."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._loop.run_until_complete(work)
        if self._aside is None:
            self._aside = ThreadPoolExecutor(1, "vigie-store-aside")
        return self._aside.submit(self._loop.run_until_complete, work).result()

    async def _do(self, work: Callable[[Connection], Awaitable[_T]]) -> _T:
        connection = None
        try:
            async with asyncio.timeout(self._patience):
                connection = await self._connected()
                return await work(connection)
        except _ERRORS as error:
            if connection is None or connection.is_closed() or isinstance(error, TimeoutError | OSError):
                self._lost = self._within
                self._drop()
                if isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError):
                    error = ConnectionError(str(error))
            raise self.error(error) from error

    async def _connected(self) -> Connection:
        if self._lost:
            raise ConnectionError("the connection was lost within this transaction")
        if self._connection is None or self._connection.is_closed():
            self._drop()
            self._connection = await self._connect()
        return self._connection

    async def _connect(self) -> Connection:
        one = self._config
        tls = _trusting(one.tls)
        if missing := [file for name, file in tls.items() if name in FILES and not Path(file).is_file()]:  # noqa: ASYNC240 - in a thread of its own
            raise unsuitable(one.shown, f"the file {missing[0]} does not exist", "correct sslrootcert, sslcert or sslkey of `store`")
        settings = {
            "application_name": one.application_name,
            "search_path": f'"{one.schema}"',
            "statement_timeout": str(round(min(one.statement_timeout, self._patience or one.statement_timeout) * 1000)),
            "idle_in_transaction_session_timeout": str(self._idle_ms),
            "tcp_user_timeout": str(_GONE_SECONDS * 1000),  # a machine that is cut off holds nothing that others wait for
            **{f"tcp_keepalives_{name}": str(_KEEPALIVE[key]) for name, key in (("idle", "IDLE"), ("interval", "INTVL"), ("count", "CNT"))},
        }
        made: Connection = await asyncpg.connect(
            f"postgresql://?{urlencode(tls)}" if tls else None,
            host=[host for host, _ in one.hosts],
            port=[port for _, port in one.hosts],
            user=one.user or None,
            password=one.password.reveal() or None,
            database=one.database,
            timeout=one.connect_timeout,
            command_timeout=one.statement_timeout + _MARGIN,
            server_settings=settings,
            target_session_attrs="read-write" if len(one.hosts) > 1 else "any",
        )
        _notice_its_end(made)
        await made.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=_number, format="text")
        return made

    def _drop(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            self._connection.terminate()
        self._connection = None
        self._tables = {}

    def error(self, error: BaseException) -> StoreError:
        """As a StoreError that says what to do."""
        one = self._config
        return error_of(error, one.shown, user=one.user, database=one.database, schema=one.schema, timeout=one.statement_timeout)

    # What differs from database to database

    def tidy(self) -> None:
        """Make partitions ahead, and drop those that are empty and over."""
        with contextlib.suppress(StoreError):  # whoever reads a table for long holds that up: it comes round again
            partitions.keep(self)

    def space(self) -> tuple[int, int | None]:
        """How many bytes the tables take; nobody but the server knows how many are free there."""
        ours = "relnamespace = current_schema()::regnamespace AND relkind = 'r'"
        return int(self.fetch(f"SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class WHERE {ours}")[0][0]), None

    def damaged(self, what: str) -> StoreError:
        """The error for a database that cannot be believed any more."""
        return StoreError(StoreFault.CORRUPT, f"{self._config.shown} is damaged: {what}", "see the server's log, and restore a backup")

    def close(self) -> None:
        """Close the connection. Closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        self._here(self._end())
        if self._aside is not None:
            self._aside.shutdown()
        self._loop.close()

    async def _end(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            try:
                await self._connection.close(timeout=_MARGIN)
            except (*_ERRORS, pg.PostgresError):
                self._connection.terminate()
        self._connection = None
        await asyncio.sleep(0)  # what the transport has left to do


def _notice_its_end(connection: Connection) -> None:
    """Have the system end a connection to a machine that is gone; otherwise that takes it a quarter of an hour."""
    sock = connection._transport.get_extra_info("socket")  # noqa: SLF001 - the driver has no setting for it
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wanted = {f"TCP_KEEP{key}": value for key, value in _KEEPALIVE.items()} | {"TCP_USER_TIMEOUT": _GONE_SECONDS * 1000}
    for name, value in wanted.items():
        if hasattr(socket, name):  # not on every system
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _number(text: str) -> int | float:
    """A sum or an average, which PostgreSQL counts in decimals."""
    return float(text) if "." in text or "N" in text else int(text)


def _trusting(tls: Mapping[str, str]) -> dict[str, str]:
    """The options with the authorities of this machine where `verify-full` names none, or `system`.

    `verify-ca` gets none: whoever has a certificate of a public authority, for whatever name, would be trusted.
    """
    named = tls.get("sslrootcert") or os.environ.get("PGSSLROOTCERT") or _own_authorities()
    if tls.get("sslmode") == "verify-full" and named in (None, "system") and (found := system_ca_file()) is not None:
        return {**tls, "sslrootcert": found}
    return dict(tls)


def _own_authorities() -> str | None:
    """Where libpq looks for them, if they are there."""
    with contextlib.suppress(RuntimeError):  # a user without a home
        path = Path.home() / ".postgresql" / "root.crt"
        return str(path) if path.is_file() else None
    return None
