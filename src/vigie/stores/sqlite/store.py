"""The embedded store: its sides over one file."""

import time
from collections.abc import Callable
from pathlib import Path

from vigie.stores.sqlite.accounts import SqliteAccounts
from vigie.stores.sqlite.archive import SqliteArchive
from vigie.stores.sqlite.cache import Cache
from vigie.stores.sqlite.catalog import SqliteCatalog, monitor_numbers
from vigie.stores.sqlite.commit import location_numbers
from vigie.stores.sqlite.db import Driver
from vigie.stores.sqlite.history import SqliteHistory
from vigie.stores.sqlite.inbox import SqliteInbox
from vigie.stores.sqlite.ledger import SqliteLedger
from vigie.stores.sqlite.with_apsw import ApswDriver
from vigie.stores.sqlite.worker import Worker


class SqliteStore:
    """The Store port over one file. `threads=False` runs every statement in the caller's thread, for short-lived programs.

    Raises StoreError when the file cannot be opened, made or migrated.
    """

    def __init__(
        self, path: Path, *, threads: bool = True, driver: type[Driver] = ApswDriver, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        worker = Worker(path, threads=threads, driver=driver)
        cache = Cache(monitor_numbers(worker.db), location_numbers(worker.db))
        self.ledger, self.archive = SqliteLedger(worker, cache, monotonic), SqliteArchive(worker, cache)
        self.history = SqliteHistory(worker)
        self.inbox, self.catalog = SqliteInbox(worker), SqliteCatalog(worker, cache)
        self.accounts = SqliteAccounts(worker)

    async def close(self) -> None:
        """Commit what waits and close. Closing twice is harmless."""
        await self.ledger.close()
