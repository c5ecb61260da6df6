"""One server after another in one process: standing by, evaluating while the lease is held, standing by again.

Laws
1. There is always one that pages are served from. A new one is shown once it has started, and only then is the old one ended.
2. A lost lease has the server that evaluated decide nothing more at once, before anything else is done.
3. What it was sending is sent to its end: its claims are its own, whoever evaluates now.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from vigie.config import Desired
from vigie.engine.alive import seen_through
from vigie.engine.leases import Duty
from vigie.errors import VigieError
from vigie.ports import Clock, Lease
from vigie.server import Server

log = logging.getLogger("vigie.fleet")

_AGAIN_SECONDS = 1.0


class Terms:
    """`make` makes a server for a duty and a configuration, `show` has the pages served from it.

    `reach` raises VigieError while the store cannot be reached, and `standing_by` is the duty of who does not evaluate.
    """

    def __init__(
        self,
        settings: Desired,
        make: Callable[[Duty, Desired], Server],
        show: Callable[[Server], None],
        reach: Callable[[], Awaitable[None]],
        standing_by: Duty,
        clock: Clock,
    ) -> None:
        self._make, self._show, self._reach, self._clock = make, show, reach, clock
        self._standing_by = standing_by
        self._ending: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._said = ""  # why this server cannot stand by
        self.server = make(self._standing_by, settings)

    async def start(self) -> None:
        """Stand by. Raises VigieError."""
        await self.server.start()
        self._show(self.server)
        log.info("this server stands by")

    async def evaluate(self, lease: Lease) -> None:
        """Until cancelled. Raises VigieError where it cannot be begun."""
        before, fresh = self.server, self._make(replace(self._standing_by, evaluates=True, lease=lease), self.server.settings)
        try:
            await fresh.start()
        except BaseException:
            fresh.halt()
            self._end(fresh)
            raise
        if self._stopping:  # meanwhile: what is stopped is the one before
            fresh.halt()
            self._end(fresh)
            return
        self._put(fresh)
        before.halt()
        self._end(before)
        log.info("this server evaluates now (epoch %d)", lease.epoch)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            if not self._stopping:
                fresh.halt()
                await seen_through(self._stand_by(fresh))

    async def _stand_by(self, before: Server) -> None:
        """In place of one that evaluated, however long the store cannot be reached."""
        while (fresh := await self._begun()) is None:
            await self._clock.sleep(_AGAIN_SECONDS)
        self._said = ""
        self._put(fresh)
        self._end(before)
        log.info("this server stands by")

    async def _begun(self) -> Server | None:
        """One that stands by; None while it cannot."""
        fresh: Server | None = None
        try:
            await self._reach()  # making one waits for the store, and nothing else is done meanwhile
            fresh = self._make(self._standing_by, self.server.settings)
            await fresh.start()
        except VigieError as error:
            if str(error) != self._said:
                log.warning("this server cannot stand by yet: %s", error)
            self._said = str(error)
            if fresh is not None:
                fresh.halt()
                self._end(fresh)
            return None
        return fresh

    def _put(self, fresh: Server) -> None:
        self.server = fresh
        self._show(fresh)

    def _end(self, server: Server) -> None:
        task = asyncio.create_task(server.retire())
        self._ending.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a server's former duty could not be ended in order", exc_info=error)

    def stop(self) -> Server:
        """No more changes of duty; the server that is to be stopped."""
        self._stopping = True
        return self.server

    async def close(self, seconds: float) -> None:
        """Wait for former ones to end."""
        if self._ending:
            _, late = await asyncio.wait(self._ending, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
