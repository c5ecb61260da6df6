"""The embedded store: its sides over one file."""

import time
from collections.abc import Callable
from pathlib import Path

from vigie.stores.kit.sql.accounts import SqlAccounts
from vigie.stores.kit.sql.archive import SqlArchive
from vigie.stores.kit.sql.cache import Cache
from vigie.stores.kit.sql.catalog import SqlCatalog, monitor_numbers
from vigie.stores.kit.sql.fleet import SqlFleet
from vigie.stores.kit.sql.history import SqlHistory
from vigie.stores.kit.sql.inbox import SqlInbox
from vigie.stores.kit.sql.ledger import SqlLedger
from vigie.stores.kit.sql.locations import location_numbers
from vigie.stores.kit.sql.worker import Worker
from vigie.stores.sqlite.db import Db, Driver
from vigie.stores.sqlite.migrate import migrate, newest
from vigie.stores.sqlite.with_apsw import ApswDriver


class SqliteStore:
    """The Store port over one file. `threads=False` runs every statement in the caller's thread, for short-lived programs.

    Raises StoreError when the file cannot be opened, made or migrated.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: bool = True,
        driver: type[Driver] = ApswDriver,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        worker = Worker(_opened(path, driver), lambda: Db(path, driver), str(path), threads=threads)
        cache = Cache(monitor_numbers(worker.db), location_numbers(worker.db))
        self.ledger, self.archive = SqlLedger(worker, cache, monotonic, lambda _: now()), SqlArchive(worker, cache)
        self.history = SqlHistory(worker)
        self.inbox, self.catalog = SqlInbox(worker), SqlCatalog(worker, cache)
        self.accounts = SqlAccounts(worker)
        self.fleet = SqlFleet(worker, lambda _: now(), newest())

    async def close(self) -> None:
        """Commit what waits and close. Closing twice is harmless."""
        await self.ledger.close()


def _opened(path: Path, driver: type[Driver]) -> Db:
    db = Db(path, driver)
    try:
        migrate(db, path)
        db.quick_check()
    except BaseException:
        db.close()
        raise
    return db
