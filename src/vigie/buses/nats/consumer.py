"""Reading the stream of results from a position, for as long as it takes: whatever breaks is begun anew behind what was taken in.

How far that is is kept by the store, in the commit of what became of the results.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from secrets import token_hex
from typing import Final

from vigie.buses.nats import topology
from vigie.buses.nats.reading import Reader
from vigie.errors import BusError
from vigie.fleet.batches import PackedBatch
from vigie.fleet.subjects import RESULTS
from vigie.net.nats.connection import Connection
from vigie.net.nats.pull import Pull
from vigie.ports import Group, Position

log = logging.getLogger("vigie.bus")

_AGAIN_SECONDS: Final = 1.0
_ROOM_SECONDS: Final = 5.0
_FULL: Final = 0.8


class Consumer:
    """One reader. `pending` is how many messages were waiting behind the newest that it gave; `seen_at` when that was kept, epoch ms."""

    def __init__(self, connection: Connection, after: Position | None, prepare: Callable[[], Awaitable[None]]) -> None:
        self._connection, self._after, self._prepare = connection, after, prepare
        self._reader, self._closed = Reader(), False
        self._pull: Pull | None = None
        self.pending, self.seen_at = 0, 0
        self.position: Position | None = None  # taken in

    async def groups(self) -> AsyncGenerator[Group[PackedBatch], None]:
        """Until it is closed. A bus that breaks is waited for."""
        room = asyncio.create_task(self._keep_room())
        try:
            while not self._closed:
                try:
                    pull = await self._begin()
                    while (group := await self._next(pull)) is not None:
                        yield group
                        self.position = group.position
                except BusError as error:
                    if error.permanent:
                        raise
                    if not self._closed:
                        log.warning("reading results from the bus is interrupted: %s", error)
                        await asyncio.sleep(_AGAIN_SECONDS)
                await self._leave()
        finally:
            room.cancel()
            await self._leave()

    def close(self) -> None:
        """The groups end."""
        self._closed = True
        if self._pull is not None:
            self._pull.close()

    async def _begin(self) -> Pull:
        """A consumer that begins behind what was taken in."""
        await self._prepare()
        begin, incarnation = await self._beginning()
        self.position = Position(RESULTS, incarnation, begin - 1)
        config = {"description": "evaluation", "deliver_policy": "by_start_sequence", "opt_start_seq": begin}
        self._pull = Pull(self._connection, RESULTS, f"vigie-{token_hex(8)}", config)
        if self._closed:
            self._pull.close()
        await self._pull.begin()
        return self._pull

    async def _beginning(self) -> tuple[int, int]:
        """(sequence, incarnation) to begin at; whatever cannot be read any more is said loudly."""
        now = await topology.state(self._connection)
        after, first = self.position or self._after, max(now.first, 1)
        if after is None:
            return first, now.incarnation
        if after.incarnation != now.incarnation:
            log.error("the stream %s was made anew: results that it held and that were not evaluated are lost", RESULTS)
            return first, now.incarnation
        if after.sequence > now.last:
            lost = after.sequence - now.last
            log.error("the stream %s lost its last %d messages, which were evaluated: look at the durability of the bus", RESULTS, lost)
            return now.last + 1, now.incarnation
        if after.sequence + 1 < first:
            lost = first - after.sequence - 1
            log.error("%d messages of the stream %s are gone that were not evaluated: they expired, or were purged", lost, RESULTS)
            return first, now.incarnation
        return after.sequence + 1, now.incarnation

    async def _next(self, pull: Pull) -> Group[PackedBatch] | None:
        received = await pull.next()
        if not received:
            return None
        newest = received[-1]
        self.pending, self.seen_at = newest.pending + pull.unread, newest.time // 1_000_000
        batches = tuple([batch for one in received if (batch := self._reader.read(one.message)) is not None])
        incarnation = 0 if self.position is None else self.position.incarnation
        return Group(batches, Position(RESULTS, incarnation, newest.sequence))

    async def _keep_room(self) -> None:
        """A stream that is nearly full would make publishers wait although what it holds was evaluated: that is given up then."""
        while True:
            await asyncio.sleep(_ROOM_SECONDS)
            with contextlib.suppress(BusError):  # whoever reads finds out, and says so
                await self._make_room()

    async def _make_room(self) -> None:
        if (position := self.position) is None:
            return
        now, account = await topology.state(self._connection), await self._connection.api("INFO")
        most = account.get("limits", {}).get("max_storage", -1)
        full = now.bytes > now.max_bytes * _FULL > 0 or account.get("storage", 0) > most * _FULL > 0
        if full and now.incarnation == position.incarnation and now.first <= position.sequence:
            log.info("the stream %s is nearly full: what was evaluated makes room", RESULTS)
            await self._connection.api(f"STREAM.PURGE.{RESULTS}", {"seq": position.sequence + 1})

    async def _leave(self) -> None:
        if (pull := self._pull) is not None:
            self._pull = None
            await pull.end()
