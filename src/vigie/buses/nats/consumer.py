"""Reading the stream of results from a position, for as long as it takes: whatever breaks is begun anew behind what was taken in.

How far that is is kept by the store, in the commit of what became of the results.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from secrets import token_hex
from typing import Any, Final

from vigie.buses.nats import topology
from vigie.buses.nats.reading import Reader
from vigie.errors import BusError, BusFault
from vigie.fleet.batches import PackedBatch
from vigie.fleet.subjects import RESULTS
from vigie.net.nats.connection import Connection
from vigie.net.nats.pull import Pull, Received
from vigie.ports import Group, Position

log = logging.getLogger("vigie.bus")

_AGAIN_SECONDS: Final = 1.0
_ROOM_SECONDS: Final = 5.0
_QUIET_SECONDS: Final = 600.0
_FULL: Final = 0.8
_GROUP_BYTES: Final = 8 * 1024 * 1024  # unpacked: few bytes of a message may become many
_CLOCK_NS: Final = 600_000_000_000  # by how much the bus's clock may have gone back while it was down


class Consumer:
    """One reader, from its position to its end."""

    def __init__(self, connection: Connection, after: Position | None, prepare: Callable[[], Awaitable[None]]) -> None:
        self._connection, self._after, self._prepare = connection, after, prepare
        self._reader, self._closed = Reader(), False
        self._pull: Pull | None = None
        self._incarnation = 0
        self._read_to: int | None = None  # the sequence of the newest message that was given; None where that is not known yet
        self._rewound: Position | None = None  # behind which the stream is known to hold other messages than before
        self._noted: Position | None = None  # behind which it was said that something is lost
        self._said: dict[BusFault, float] = {}

    async def groups(self) -> AsyncGenerator[Group[PackedBatch], None]:
        """Until it is closed. A bus that breaks is waited for."""
        room = asyncio.create_task(self._keep_room())
        try:
            while not self._closed:
                try:
                    pull = await self._begin()
                    while received := await pull.next():
                        for group in self._grouped(received):
                            yield group
                            self._after = group.position
                        self._said.clear()
                except BusError as error:
                    if error.permanent:
                        raise
                    if not self._closed:
                        self._say(error)
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

    def _say(self, error: BusError) -> None:
        """Each kind of trouble once in a while, until it is over."""
        now = asyncio.get_running_loop().time()
        if now - self._said.get(error.fault, -_QUIET_SECONDS) >= _QUIET_SECONDS:
            self._said[error.fault] = now
            log.warning("reading results from the bus is interrupted: %s. %s", error, error.fix or "It is tried again")

    async def _begin(self) -> Pull:
        """A consumer that begins behind what was taken in."""
        await self._prepare()
        config = {"description": "evaluation", **await self._beginning()}
        self._pull = Pull(self._connection, RESULTS, f"vigie-{token_hex(8)}", config)
        if self._closed:
            self._pull.close()
        await self._pull.begin()
        return self._pull

    async def _beginning(self) -> dict[str, Any]:
        """Where to begin, as JetStream has it; whatever cannot be read any more is said loudly, once."""
        now, after = await topology.state(self._connection), self._after
        self._incarnation, first = now.incarnation, max(now.first, 1)
        if after is None:
            return self._from(first)
        if after.incarnation != now.incarnation:
            self._lost(after, f"the stream {RESULTS} was made anew: results that it held and that were not evaluated are lost")
            return self._from(first)
        if await self._is_other_than_before(after, now):
            self._rewound = after
            self._lost(after, f"the stream {RESULTS} lost its last messages, which were evaluated: look at the durability of the bus")
            return self._since(min(after.kept_at, now.last_at)) if after.kept_at and now.messages else self._from(first)
        if gone := max(first - after.sequence - 1, 0):
            self._lost(after, _gone(gone))
        return self._from(after.sequence + 1 + gone)

    def _lost(self, after: Position, what: str) -> None:
        if self._noted != after:
            log.error("%s", what)
        self._noted = after

    async def _is_other_than_before(self, after: Position, now: topology.StreamState) -> bool:
        """Whether the message up to which was read is not there any more, or is another one now: power was lost, or a backup put back."""
        if after.sequence > now.last:
            return True
        if not after.kept_at or after.sequence < now.first:
            return False
        kept_at = await topology.kept_at(self._connection, after.sequence)
        return kept_at is not None and kept_at != after.kept_at

    def _from(self, sequence: int) -> dict[str, Any]:
        self._read_to = sequence - 1
        return {"deliver_policy": "by_start_sequence", "opt_start_seq": sequence}

    def _since(self, at: int) -> dict[str, Any]:
        """What was kept then and later, and some of what came before, which is known when it comes again."""
        self._read_to = None
        return {"deliver_policy": "by_start_time", "opt_start_time": topology.stamp(at - _CLOCK_NS)}

    def _grouped(self, received: Sequence[Received]) -> Iterator[Group[PackedBatch]]:
        """What arrived, in groups that have room in memory."""
        before = received[0].sequence - 1 if self._read_to is None else self._read_to
        if gone := received[-1].sequence - before - len(received):
            log.error("%s", _gone(gone))
        batches, size = list[PackedBatch](), 0
        for one in received:
            batch, unpacked = self._reader.read(one.message)
            batches += [] if batch is None else [batch]
            size += unpacked
            self._read_to = one.sequence
            if size >= _GROUP_BYTES or one is received[-1]:
                yield Group(tuple(batches), Position(RESULTS, self._incarnation, one.sequence, one.time))
                batches, size = [], 0

    async def _keep_room(self) -> None:
        """A stream that is nearly full would make publishers wait although what it holds was evaluated: that is given up then."""
        while True:
            await asyncio.sleep(_ROOM_SECONDS)
            with contextlib.suppress(BusError):  # whoever reads finds out, and says so
                await self._make_room()

    async def _make_room(self) -> None:
        after, pull = self._after, self._pull
        if after is None or pull is None or after == self._rewound:
            return
        now, account = await topology.state(self._connection), await self._connection.api("INFO")
        most = account.get("limits", {}).get("max_storage", -1)
        full = now.bytes > now.max_bytes * _FULL > 0 or account.get("storage", 0) > most * _FULL > 0
        if full and now.incarnation == after.incarnation and now.first <= after.sequence and pull.is_current:
            log.info("the stream %s is nearly full: what was evaluated makes room", RESULTS)
            await self._connection.api(f"STREAM.PURGE.{RESULTS}", {"seq": after.sequence + 1})

    async def _leave(self) -> None:
        if (pull := self._pull) is not None:
            self._pull = None
            await pull.end()


def _gone(count: int) -> str:
    return f"{count} messages of the stream {RESULTS} are gone that were not evaluated: they expired, or were purged"
