"""The store of several servers: its sides over one database."""

import time
from collections.abc import Callable

from vigie.stores.kit.sql.accounts import SqlAccounts
from vigie.stores.kit.sql.archive import SqlArchive
from vigie.stores.kit.sql.cache import Cache
from vigie.stores.kit.sql.catalog import SqlCatalog, monitor_numbers
from vigie.stores.kit.sql.db import Db
from vigie.stores.kit.sql.fleet import SqlFleet
from vigie.stores.kit.sql.history import SqlHistory
from vigie.stores.kit.sql.inbox import SqlInbox
from vigie.stores.kit.sql.ledger import SqlLedger
from vigie.stores.kit.sql.locations import location_numbers
from vigie.stores.kit.sql.worker import Worker
from vigie.stores.postgresql import Config
from vigie.stores.postgresql.db import PgDb
from vigie.stores.postgresql.migrate import migrate, newest

_PATIENCE = 2.0  # seconds that a lease waits for an answer: some of them in the time that it lasts


class PostgresqlStore:
    """The Store port over one database. Raises StoreError when it cannot be reached, made or migrated."""

    def __init__(self, config: Config, *, monotonic: Callable[[], float] = time.monotonic, prompt: bool = False) -> None:
        if prompt:  # its tables are known to be there, and nothing but leases is asked for
            worker = Worker(_prompt(config), lambda: _prompt(config), config.shown, threads=True, readers=1)
            cache = Cache({}, {})
        else:
            worker = Worker(_opened(config), lambda: PgDb(config), config.shown, threads=True, readers=config.pool - 1)
            cache = Cache(monitor_numbers(worker.db), location_numbers(worker.db))
        self.ledger, self.archive = SqlLedger(worker, cache, monotonic, _now), SqlArchive(worker, cache)
        self.history = SqlHistory(worker)
        self.inbox, self.catalog = SqlInbox(worker), SqlCatalog(worker, cache)
        self.accounts = SqlAccounts(worker)
        self.fleet = SqlFleet(worker, _now, newest())

    async def close(self) -> None:
        """Commit what waits and close. Closing twice is harmless."""
        await self.ledger.close()


def _now(db: Db) -> int:
    """By the clock of the database, which all servers have in common."""
    return int(db.fetch("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint")[0][0])


def _prompt(config: Config) -> PgDb:
    return PgDb(config, idle_ms=round(_PATIENCE * 1000), patience=_PATIENCE)


def _opened(config: Config) -> PgDb:
    db = PgDb(config)
    try:
        migrate(db, config)
    except BaseException:
        db.close()
        raise
    return db
