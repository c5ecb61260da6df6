"""One connection to a PostgreSQL server, for the threads of a store: plain statements, as `stores.kit.sql` writes them.

The driver is asynchronous and the work on a store is not: each connection has an event loop of its own, which runs within the thread that
asks. A connection that is lost is made anew by the next call; a transaction never goes on on another one.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import asyncpg

from vigie.errors import StoreError, StoreFault
from vigie.stores.kit.sql.db import Row
from vigie.stores.kit.sql.tables import Table
from vigie.stores.postgresql import Config, partitions
from vigie.stores.postgresql.connecting import MARGIN, Connection, Connector, timeline_of
from vigie.stores.postgresql.dialect import Statement, translated, unfit
from vigie.stores.postgresql.errors import OVER, error_of

_T = TypeVar("_T")
_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, EOFError, ValueError)
_COPIED = 200  # rows from which on COPY is faster
IDLE_MS = 5_000  # that a transaction may rest: whoever sleeps within one gives back what it holds
_READ_IDLE_MS = 60_000  # the same for one that only reads, and holds up nobody: what it read may take long to work through
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

    With `patience` a try takes no more than so many seconds, whatever is the case.
    """

    held, claimed = " FOR SHARE", " FOR UPDATE SKIP LOCKED"

    def __init__(self, config: Config, idle_ms: int = IDLE_MS, patience: float | None = None) -> None:
        self._config, self._patience, self._loop = config, patience, asyncio.new_event_loop()
        self._connector = Connector(config, idle_ms, patience)
        self._connection: Connection | None = None
        self._timeline: str | None = None
        self._aside: ThreadPoolExecutor | None = None
        self._statements: dict[str, Statement] = {}
        self._tables: dict[str, Table] = {}
        self._within = self._closed = False

    # Statements

    def fetch(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Every row of a query. Outside a transaction it only reads: it is asked again where the connection died while it rested."""
        run = self._run if self._within else self._run_anew
        return run(lambda connection: self._fetch(connection, sql, values))

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
            self._within = False

    def _begin(self, sql: str) -> None:
        try:
            self._run_anew(lambda connection: connection.execute(sql))
        except StoreError:
            self._roll_back()
            raise
        self._within = True

    def _commit(self, *, durable: bool) -> None:
        asked = "SELECT pg_current_xact_id_if_assigned()::text"
        number = self._run(lambda connection: connection.fetchval(asked)) if durable and self._patience is None else None
        timeline = self._timeline
        try:
            self._run(lambda connection: connection.execute("COMMIT"))
        except StoreError as error:
            if error.fault is not StoreFault.UNREACHABLE or number is None or not self._did_commit(number, timeline):
                raise

    def _did_commit(self, number: str, timeline: str | None) -> bool:
        """Whether a transaction was committed whose answer was lost; False as well where nobody knows.

        A standby that was promoted meanwhile may have given its number to another one.
        """
        self._within = False
        for seconds in _ASK_AGAIN_SECONDS:
            try:
                said = self._run(partial(self._asked, number=number, seconds=seconds))
            except StoreError:
                continue
            if said != "in progress":
                return said == "committed" and self._timeline == timeline
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
        settle = f"SET LOCAL idle_in_transaction_session_timeout TO {_READ_IDLE_MS}"
        self._begin(f"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; {settle}")
        try:
            yield
        finally:
            self._roll_back()
            self._within = False

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

    def _run_anew(self, work: Callable[[Connection], Awaitable[_T]]) -> _T:
        """Once more on another connection where the one that was there had died: nothing was asked for on it yet, or nothing changed."""
        rested = self._connection is not None
        try:
            return self._run(work)
        except StoreError as error:
            dead = error.fault is StoreFault.UNREACHABLE and self._connection is None and not isinstance(error.__cause__, TimeoutError)
            if not (rested and dead):
                raise
        return self._run(work)

    async def _do(self, work: Callable[[Connection], Awaitable[_T]]) -> _T:
        connection = None
        try:
            async with asyncio.timeout(self._patience):
                connection = await self._connected()
                return await work(connection)
        except _ERRORS as error:
            if connection is None or connection.is_closed() or isinstance(error, OVER):
                self._drop()
                if isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError):
                    error = ConnectionError(str(error))
            raise self.error(error) from error

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            if self._within:
                raise ConnectionError("the connection was lost within this transaction")
            self._drop()
            made = await self._connector.connect()
            self._timeline = await timeline_of(made) if self._patience is None else None
            self._connection = made
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            self._connection.terminate()
        self._connection = None
        self._tables = {}

    def error(self, error: BaseException) -> StoreError:
        """As a StoreError that says what to do."""
        one = self._config
        return error_of(error, one.shown, user=one.role, database=one.database, schema=one.schema, timeout=one.statement_timeout)

    def session(self) -> tuple[int, int]:
        """The number of the session as it was announced, and as the server calls it: a pooler in between announces one of its own."""
        return self._run(_numbers)

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
                await self._connection.close(timeout=MARGIN)
            except _ERRORS:
                self._connection.terminate()
        self._connection = None
        await asyncio.sleep(0)  # what the transport has left to do


async def _numbers(connection: Connection) -> tuple[int, int]:
    return connection.get_server_pid(), int(await connection.fetchval("SELECT pg_backend_pid()"))
