"""Work for agents behind NATS: a document a shard in a key-value bucket, written where it changed; what is to be done at once as a message.

Paces are messages too, and are kept in a document of the agent's, so that one that was away knows them when it comes back.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from vigie.buses.nats.bucket import Bucket
from vigie.errors import BusError, BusFault
from vigie.fleet import wire
from vigie.fleet.documents import PACES, STATE, paces_document, read_paces, read_shard, shard_document, state_document
from vigie.fleet.subjects import Sender, order_subject
from vigie.fleet.wire import CheckNow, Message, Pace, ShardWork, Work
from vigie.net.nats.connection import Connection

log = logging.getLogger("vigie.bus")

_GATHER_SECONDS: Final = 0.3


class NatsDispatch:
    """Implements BusDispatch, for whoever coordinates: it takes for granted that nobody else writes these documents meanwhile."""

    def __init__(self, connection: Connection, bucket: Bucket, location_of: Callable[[str], str | None]) -> None:
        self._connection, self._bucket, self._location_of = connection, bucket, location_of
        self._written: dict[Sender, dict[str, bytes]] = {}  # by part: what the bucket holds
        self._paces: dict[Sender, dict[str, int]] = {}
        self._locks: dict[Sender, asyncio.Lock] = {}
        self._saving: dict[Sender, asyncio.Task[None]] = {}

    async def work(self, agent: str, work: Work) -> None:
        """Write what changed; the document of the state comes last, and says that the others are there."""
        of = self._of(agent)
        async with self._lock(of):
            written = await self._known(of)
            fresh = {str(one.shard): shard_document(one) for one in work.shards}
            if work.whole:
                gone = [part for part, body in written.items() if part.isdecimal() and part not in fresh and _gives_work(body)]
                fresh |= {part: shard_document(ShardWork(int(part), 0, [], [])) for part in gone}
            changed = {part: body for part, body in fresh.items() if body != written.get(part)}
            await self._write(of, changed)
            if changed or state_document(work) != written.get(STATE):
                await self._write(of, {STATE: state_document(work)})

    async def pace(self, agent: str, monitor: str, every_ms: int | None) -> None:
        """Say it now, and keep it soon: failures come in crowds."""
        of = self._of(agent)
        await self._say(of, Pace(monitor, every_ms))
        async with self._lock(of):
            await self._known(of)
        if every_ms is None:
            self._paces[of].pop(monitor, None)
        else:
            self._paces[of][monitor] = every_ms
        if of not in self._saving:
            self._saving[of] = asyncio.create_task(self._save_paces(of))

    async def paces(self, agent: str, paces: Mapping[str, int]) -> None:
        """What it has besides is what whoever coordinated before had it do."""
        of = self._of(agent)
        async with self._lock(of):
            await self._known(of)
        for monitor in [one for one in self._paces[of] if one not in paces]:
            await self.pace(agent, monitor, None)
        for monitor, every_ms in paces.items():
            if self._paces[of].get(monitor) != every_ms:
                await self.pace(agent, monitor, every_ms)

    async def check_now(self, agent: str, monitor: str) -> None:
        """For an agent that listens now."""
        await self._say(self._of(agent), CheckNow(monitor))

    async def changed_by_others(self) -> set[str]:
        """What is known of their documents is forgotten."""
        changed = await self._bucket.changed_by_others()
        for of in changed:
            async with self._lock(of):
                self._written.pop(of, None)
        return {of.agent for of in changed}

    def _of(self, agent: str) -> Sender:
        location = self._location_of(agent)
        if location is None:
            raise BusError(BusFault.OTHER, f"nobody knows where the agent {agent!r} is", permanent=True)
        return Sender(location, agent)

    def _lock(self, of: Sender) -> asyncio.Lock:
        return self._locks.setdefault(of, asyncio.Lock())

    async def _known(self, of: Sender) -> dict[str, bytes]:
        """What the bucket holds of an agent, by part; it is read once."""
        if of not in self._written:
            found = await self._bucket.read(of)
            self._paces[of] = _paces(found.get(PACES))
            self._written[of] = found
        return self._written[of]

    async def _write(self, of: Sender, parts: dict[str, bytes]) -> None:
        try:
            await self._bucket.write(of, parts)
        except BusError:
            self._written.pop(of, None)  # some may be there, others not
            raise
        self._written[of] |= parts

    async def _save_paces(self, of: Sender) -> None:
        await asyncio.sleep(_GATHER_SECONDS)
        del self._saving[of]
        try:
            async with self._lock(of):
                await self._known(of)
                await self._write(of, {PACES: paces_document(self._paces[of])})
        except BusError as error:  # it was said; only an agent that comes back meanwhile does not know it
            log.warning("the paces of %s cannot be kept: %s", of[1], error)

    async def _say(self, of: Sender, order: Message) -> None:
        await self._connection.publish(order_subject(*of), wire.encode(order))


def _paces(body: bytes | None) -> dict[str, int]:
    try:
        return read_paces(body) if body else {}
    except ValueError:
        return {}


def _gives_work(body: bytes) -> bool:
    try:
        return bool(read_shard(body).specs)
    except ValueError:
        return True
