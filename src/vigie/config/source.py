"""The configuration of a file as it changes: the one source there is so far."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from vigie.config.desired import Desired

log = logging.getLogger("vigie.config")

_WATCH_SECONDS = 2.0

Stamp = tuple[tuple[int, int, int], ...]


class FileSource:
    """Implements DesiredSource. `load` reads file, `.env` and environment; `first` is what it said at the start."""

    def __init__(self, load: Callable[[], Desired], first: Desired) -> None:
        self._load, self._newest = load, first
        self._stamp = self._stamp_now()
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Have it read anew, whether or not it changed."""
        self._asked.set()

    async def changed(self) -> None:
        """Wait until the file or its `.env` is another one than was last read, or somebody asks."""
        while not self._asked.is_set():
            if self._stamp_now() != self._stamp:
                log.info("the configuration changed")
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_WATCH_SECONDS):
                    await self._asked.wait()

    async def read(self) -> Desired:
        """The configuration as it stands now. Raises ConfigError with every fault, VigieError when it cannot be read."""
        self._asked.clear()
        self._stamp = self._stamp_now()  # before it is read: what changes meanwhile is read again
        self._newest = await asyncio.to_thread(self._load)
        return self._newest

    def _stamp_now(self) -> Stamp:
        """What changes when the file or its `.env` does."""
        found = []
        for path in (self._newest.file, self._newest.base / ".env"):
            with contextlib.suppress(OSError):
                if path is not None:
                    status = path.stat()
                    found.append((status.st_mtime_ns, status.st_size, status.st_ino))
        return tuple(found)
