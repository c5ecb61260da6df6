"""The threads of a store: one writes, another one reads on a connection of its own, and the event loop waits for neither."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from vigie.errors import StoreError, StoreFault
from vigie.stores.sqlite.db import Db, Driver
from vigie.stores.sqlite.migrate import migrate

_T = TypeVar("_T")


class Worker:
    """Runs work over the database at `path`. `threads=False` runs it in the caller's thread, for short-lived programs.

    Raises StoreError when the file cannot be opened, made or migrated, and for every call after `close`.
    """

    def __init__(self, path: Path, *, threads: bool, driver: type[Driver]) -> None:
        self._path, self._driver = path, driver
        self.db = self._open()
        self._reading: Db | None = None
        self._writer = ThreadPoolExecutor(1, "vigie-store") if threads else None
        self._reader = ThreadPoolExecutor(1, "vigie-store-read") if threads else None
        self._closed = False

    def _open(self) -> Db:
        db = Db(self._path, self._driver)
        try:
            migrate(db, self._path)
            db.quick_check()
        except BaseException:
            db.close()
            raise
        return db

    async def run(self, work: Callable[[Db], _T]) -> _T:
        """Do the work on the writer's thread, in the order of the calls."""
        self.check_open()
        if self._writer is None:
            return work(self.db)
        return await asyncio.get_running_loop().run_in_executor(self._writer, work, self.db)

    async def read(self, work: Callable[[Db], _T]) -> _T:
        """Do the work on the reader's thread and connection: it sees every write that has returned, and holds up none."""
        self.check_open()
        if self._reader is None:
            return work(self.db)
        return await asyncio.get_running_loop().run_in_executor(self._reader, lambda: work(self._reading_db()))

    def _reading_db(self) -> Db:
        if self._reading is None:
            self._reading = Db(self._path, self._driver)
        return self._reading

    def check_open(self) -> None:
        """Raise StoreError once it is closed."""
        if self._closed:
            raise StoreError(StoreFault.OTHER, f"{self._path} is closed")

    async def close(self) -> None:
        """Close both connections; no work is taken any more."""
        self._closed = True
        loop = asyncio.get_running_loop()
        try:
            if self._reader is not None:
                await loop.run_in_executor(self._reader, lambda: self._reading.close() if self._reading else None)
                self._reader.shutdown()
        finally:
            if self._writer is None:
                self.db.close()
            else:
                await loop.run_in_executor(self._writer, self.db.close)
                self._writer.shutdown()
