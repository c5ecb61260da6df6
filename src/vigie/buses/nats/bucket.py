"""The bucket of work: documents of agents, read and written, and compared with what was written now and then.

Whoever may publish to a stream can have JetStream's answer written to any subject of the account, those of the bucket among them
(NATS holds no client to its permissions there), and administrators delete buckets. Neither may leave an agent without its work.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from secrets import token_hex
from typing import Any, Final

from vigie.buses.nats import topology
from vigie.errors import BusError
from vigie.fleet.batches import MAX_BYTES
from vigie.fleet.subjects import WORK, WORK_STREAM, Sender, owner_of, work_subject, work_subjects
from vigie.net.nats.connection import Connection
from vigie.net.nats.encoding import unpacked
from vigie.net.nats.publisher import Outgoing, Publisher
from vigie.net.nats.pull import Pull, Received

log = logging.getLogger("vigie.bus")

_MAX_DOCUMENT: Final = 16 * MAX_BYTES
_MAX_SAID: Final = 10


class Bucket:
    """For whoever coordinates: it takes for granted that whoever else writes here is wrong. Each method raises BusError."""

    def __init__(self, connection: Connection, prepare: Callable[[], Awaitable[None]]) -> None:
        self._connection, self._prepare = connection, prepare
        self._publisher = Publisher(connection, WORK_STREAM)
        self._owners = set[Sender]()  # whose documents were read
        self._before: topology.StreamState | None = None  # when it was looked at last; since then:
        self._own, self._unsure = set[int](), set[Sender]()  # what was written, and for whom it is not known how much
        self._writes = self._under_way = 0

    async def read(self, of: Sender) -> dict[str, bytes]:
        """The documents of an agent, by part."""
        self._owners.add(of)
        found: dict[str, bytes] = {}
        for one in await self._all({"deliver_policy": "last_per_subject", "filter_subject": work_subjects(*of)}):
            try:
                body = unpacked(one.message.headers, one.message.data, _MAX_DOCUMENT)
            except ValueError:
                body = b""  # it is written anew
            found[one.message.subject.rpartition(".")[2]] = body
        return found

    async def write(self, of: Sender, parts: Mapping[str, bytes]) -> None:
        """Documents of an agent. Some may be there, others not, where this fails."""
        self._writes += 1
        self._under_way += 1
        try:
            self._own.update(await self._publisher.send([Outgoing(work_subject(*of, part), "", body) for part, body in parts.items()]))
        except BusError:
            self._unsure.add(of)
            raise
        finally:
            self._under_way -= 1

    async def changed_by_others(self) -> set[Sender]:
        """Whose documents are not (any more) what was read and written here. A bucket that is gone is made."""
        writes, before = self._writes, self._before
        now = await self._state()
        if self._under_way or writes != self._writes:  # what is there is changing: it is looked at the next time
            return set()
        own, unsure = self._own, self._unsure
        self._before, self._own, self._unsure = now, set(), set()
        if before is None:
            return set()
        if now.incarnation != before.incarnation or now.messages < before.messages:
            log.error("documents of the bucket %s were deleted: they are written again", WORK)
            return set(self._owners)
        if now.last - before.last == len(own):
            return set()
        return await self._written_since(before.last, own, unsure)

    async def _state(self) -> topology.StreamState:
        try:
            return await topology.state(self._connection, WORK_STREAM)
        except BusError as error:
            if not topology.is_missing(error):
                raise
        await self._prepare()
        return await topology.state(self._connection, WORK_STREAM)

    async def _written_since(self, sequence: int, own: set[int], unsure: set[Sender]) -> set[Sender]:
        """Who else's documents are new: what they say does not matter."""
        found = set[Sender]()
        for one in await self._all({"deliver_policy": "by_start_sequence", "opt_start_seq": sequence + 1, "headers_only": True}):
            if one.sequence not in own:
                with contextlib.suppress(ValueError):
                    found.add(owner_of(one.message.subject))
        if others := sorted(one.agent for one in found - unsure):
            log.error("somebody else wrote what %s is to check: it is written again", ", ".join(others[:_MAX_SAID]))
        return found & self._owners

    async def _all(self, config: Mapping[str, Any]) -> list[Received]:
        """What a consumer gives, to its end."""
        pull = Pull(self._connection, WORK_STREAM, f"vigie-{token_hex(8)}", config)
        found: list[Received] = []
        try:
            left = await pull.begin()
            while left:
                found += await pull.next()
                left = found[-1].pending
        finally:
            await pull.end()
            await pull.forget()
        return found
