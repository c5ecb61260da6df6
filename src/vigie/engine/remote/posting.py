"""Hands over what waits in the spool: once a second, a failure at once, a long backlog no faster than it may.

A backlog must neither fill the link that checks are measured over, nor this machine's memory, nor the server's: about a megabyte is on
its way at a time, one after the other, and a second apart.
"""

import asyncio
import logging
from collections.abc import Sequence

from vigie.engine.remote.link import LinkLog, wait_ms
from vigie.engine.remote.spool import Picked, Spool
from vigie.errors import UplinkError, UplinkFault
from vigie.ports import Clock, Uplink

log = logging.getLogger("vigie.uplink")

_AT_ONCE = 1024 * 1024  # bytes as they are kept
_EVERY_SECONDS = 1.0
_REFUSALS_SAID = 600.0  # seconds between two lines of the log about batches that were refused


class Poster:
    """One for each agent. `key` spreads its tries apart from those of others."""

    def __init__(self, uplink: Uplink, spool: Spool, clock: Clock, link: LinkLog, key: str) -> None:
        self._uplink, self._spool, self._clock, self._link, self._key = uplink, spool, clock, link, key
        self._refused, self._refused_said_at = 0, float("-inf")
        self._failed = False

    async def run(self) -> None:
        """For ever. A damaged spool is StoreError(CORRUPT)."""
        attempt = 0
        while True:
            await self._spool.filled.wait()
            try:
                await self.post()
            except UplinkError as error:
                attempt += 1
                self._failed = True
                self._link.failed("batches", error)
                await self._link.pause(wait_ms(error, attempt, self._key) / 1000)
                continue
            attempt = 0
            self._link.worked("batches")
            await self._pause()

    async def _pause(self) -> None:
        """A second, unless there is a failure to be told."""
        self._spool.urgent.clear()
        urgent = asyncio.create_task(self._spool.urgent.wait())
        pause = asyncio.create_task(self._clock.sleep(_EVERY_SECONDS))
        try:
            await asyncio.wait((urgent, pause), return_when=asyncio.FIRST_COMPLETED)
        finally:
            urgent.cancel()
            pause.cancel()

    async def post(self) -> bool:
        """Hand over what is next; whether there was anything. Raises UplinkError."""
        if self._failed:
            self._spool.again()
            self._failed = False
        async with self._spool.next(_AT_ONCE) as batches:
            await self._send(batches)
        return bool(batches)

    async def drain(self, seconds: float) -> None:
        """Hand over everything, as far as that is possible in so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                while await self.post():
                    pass
        except (UplinkError, TimeoutError):
            log.info("what is not handed over yet is kept until the next start")

    async def _send(self, batches: Sequence[Picked]) -> None:
        """One that is refused must hold up no other: it is found by halves, and given up."""
        if not batches:
            return
        try:
            await self._uplink.send([(one.shard, one.body) for one in batches])
        except UplinkError as error:
            if error.fault is not UplinkFault.REFUSED:
                raise
            if len(batches) == 1:
                await self._spool.refused(batches[0])
                self._say_refused(error)
                return
            middle = len(batches) // 2
            await self._send(batches[:middle])
            await self._send(batches[middle:])
            return
        await self._spool.handed_over(batches)

    def _say_refused(self, error: UplinkError) -> None:
        self._refused += 1
        now = self._clock.monotonic()
        if now - self._refused_said_at >= _REFUSALS_SAID:
            log.error("%s. It is given up, the others go on (given up so far: %d). Fix: %s", error.message, self._refused, error.fix)
            self._refused_said_at = now
