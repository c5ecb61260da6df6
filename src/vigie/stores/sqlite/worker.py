"""The threads of a store: one writes, another one reads on a connection of its own, and the event loop waits for neither.

A third one gives the few answers that cost next to nothing, so that they never wait behind a long read, and a fourth one reads for
housekeeping. Each begins with the first such read.
"""

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
        self._writer = ThreadPoolExecutor(1, "vigie-store") if threads else None
        self._reader = _Reader(self._connect, "vigie-store-read") if threads else None
        self._quick_reader = _Reader(self._connect, "vigie-store-quick") if threads else None
        self._side_reader = _Reader(self._connect, "vigie-store-side") if threads else None
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
        return work(self.db) if self._reader is None else await self._reader.read(work)

    async def read_now(self, work: Callable[[Db], _T]) -> _T:
        """The same for what costs next to nothing: it waits for no other read."""
        self.check_open()
        return work(self.db) if self._quick_reader is None else await self._quick_reader.read(work)

    async def read_aside(self, work: Callable[[Db], _T]) -> _T:
        """The same for housekeeping, which no other read waits for."""
        self.check_open()
        return work(self.db) if self._side_reader is None else await self._side_reader.read(work)

    def _connect(self) -> Db:
        return Db(self._path, self._driver)

    def check_open(self) -> None:
        """Raise StoreError once it is closed."""
        if self._closed:
            raise StoreError(StoreFault.OTHER, f"{self._path} is closed")

    async def close(self) -> None:
        """Close the connections; no work is taken any more."""
        self._closed = True
        try:
            for reader in (self._reader, self._quick_reader, self._side_reader):
                if reader is not None:
                    await reader.close()
        finally:
            if self._writer is None:
                self.db.close()
            else:
                await asyncio.get_running_loop().run_in_executor(self._writer, self.db.close)
                self._writer.shutdown()


class _Reader:
    """A thread that reads on a connection of its own; both begin with the first read."""

    def __init__(self, connect: Callable[[], Db], name: str) -> None:
        self._connect, self._thread = connect, ThreadPoolExecutor(1, name)
        self._db: Db | None = None
        self._used = False

    async def read(self, work: Callable[[Db], _T]) -> _T:
        self._used = True
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(self._connected()))

    def _connected(self) -> Db:
        if self._db is None:
            self._db = self._connect()
        return self._db

    async def close(self) -> None:
        if self._used:
            await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self._db.close() if self._db else None)
        self._thread.shutdown()
