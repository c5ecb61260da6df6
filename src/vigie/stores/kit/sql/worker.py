"""The threads of a store: one writes, another one reads on a connection of its own, and the event loop waits for neither.

A third one gives the few answers that cost next to nothing, so that they never wait behind a long read, and a fourth one reads for
housekeeping. Each begins with the first such read.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from vigie.errors import StoreError, StoreFault
from vigie.stores.kit.sql.db import Db

_T = TypeVar("_T")


class Worker:
    """Runs work over a database, called `name`. `threads=False` runs it in the caller's thread, for short-lived programs.

    `db` is open; `connect` makes further connections, `readers` at most (3: one of each kind), each within the thread that uses it.
    Raises StoreError for every call after `close`.
    """

    def __init__(self, db: Db, connect: Callable[[], Db], name: str, *, threads: bool, readers: int = 3) -> None:
        self.db, self._connect, self._name = db, connect, name
        self._writer = ThreadPoolExecutor(1, "vigie-store") if threads else None
        self._reader = _Reader(self._connect, "vigie-store-read") if threads else None
        self._side_reader = _Reader(self._connect, "vigie-store-side") if threads and readers > 1 else self._reader
        self._quick_reader = _Reader(self._connect, "vigie-store-quick") if threads and readers > 2 else self._reader
        self._closed = False

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

    def check_open(self) -> None:
        """Raise StoreError once it is closed."""
        if self._closed:
            raise StoreError(StoreFault.OTHER, f"{self._name} is closed")

    async def close(self) -> None:
        """Close the connections; no work is taken any more."""
        self._closed = True
        try:
            for reader in dict.fromkeys((self._reader, self._quick_reader, self._side_reader)):
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
