"""What a server that stands by measures at its location: it is forwarded, in the store, to the one that evaluates.

Laws
1. Of the servers of a location one checks from there: the one that evaluates, else the first by name of those that are heard.
2. Each time a server begins to check, its results have a new run: what another one measured there before is older, whatever its clock says.
3. A batch is forwarded whole or not at all, and again until it is safe; it counts once, by its run and sequence.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import msgspec

from vigie.core.model import CheckResult, Monitor, Status
from vigie.engine.trouble import Trouble
from vigie.errors import StoreError
from vigie.ports import Batch, Clock, Fleet, ServerStatus

log = logging.getLogger("vigie.fleet")

SCHEMA = 32  # of the store, from which on a server that evaluates takes in what is forwarded
_EVERY_SECONDS = 1.0
_AT_ONCE = 1_000  # results of a batch
_MAX_WAITING = 200_000  # results that wait while the store cannot be reached
_READ_SECONDS, _READ_AT_ONCE = 0.5, 50


def checks_here(name: str, location: str, servers: Sequence[ServerStatus], leader: str, since: int) -> bool | None:
    """Whether the server `name` is to check from `location` while it stands by (law 1); None while nobody knows who evaluates.

    `servers` heard before `since`, epoch ms, are not there.
    """
    lead = next((one for one in servers if one.name == leader), None)
    if lead is None or leader == name:
        return None
    here = {one.name for one in servers if one.location == location and one.seen_at >= since} | {name}
    return lead.schema >= SCHEMA and lead.location != location and name == min(here)


class Forwarder:
    """Takes what the prober of a server that stands by measured; `run` has it in the store within a second, a failure at once."""

    def __init__(self, fleet: Fleet, next_run: Callable[[], Awaitable[int]], clock: Clock, location: str) -> None:
        self._fleet, self._next_run, self._clock, self._agent = fleet, next_run, clock, f"servers@{location}"
        self._waiting = deque[CheckResult](maxlen=_MAX_WAITING)
        self._filled, self._urgent = asyncio.Event(), asyncio.Event()
        self._run = self._batches = self._results = 0
        self._pending: bytes | None = None
        self._lock = asyncio.Lock()

    def begin(self) -> None:
        """The server begins to check: law 2."""
        self._run = 0

    async def take(self, batch: Batch) -> None:
        """Keep it until it is forwarded; what is oldest is given up where that takes too long."""
        self._waiting.extend(batch.results)
        self._filled.set()
        if any(one.status is not Status.UP for one in batch.results):
            self._urgent.set()

    async def run(self) -> None:
        """For ever."""
        trouble = Trouble(log, "what this server measures cannot be forwarded", logging.WARNING)
        while True:
            await self._filled.wait()
            with trouble.noted():
                await self.forward()
            await self._pause()

    async def _pause(self) -> None:
        waits = asyncio.create_task(self._urgent.wait()), asyncio.create_task(self._clock.sleep(_EVERY_SECONDS))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()

    async def forward(self) -> None:
        """All that waits. Raises StoreError: then it waits on."""
        async with self._lock:
            self._urgent.clear()
            while self._pending is not None or self._waiting:
                if not self._run:
                    self._run, self._batches, self._results = await self._next_run(), 0, 0
                self._pending = self._pending or self._packed()
                await self._fleet.forward(self._pending)
                self._pending = None
            self._filled.clear()

    def _packed(self) -> bytes:
        """The oldest that wait, as a batch."""
        results = list[CheckResult]()
        while self._waiting and len(results) < _AT_ONCE:
            self._results += 1
            results.append(replace(self._waiting.popleft(), run=self._run, sequence=self._results))
        self._batches += 1
        return msgspec.msgpack.encode(Batch(self._agent, self._run, self._batches, tuple(results)))


class Forwarded:
    """Takes in, on the server that evaluates, what the others forwarded. `monitor` gives one that is watched, by its id."""

    def __init__(
        self, fleet: Fleet, clock: Clock, take: Callable[[Batch], Awaitable[None]], monitor: Callable[[str], Monitor | None]
    ) -> None:
        self._fleet, self._clock, self._take, self._monitor = fleet, clock, take, monitor

    async def run(self) -> None:
        """For ever."""
        trouble = Trouble(log, "what other servers measured cannot be read")
        while True:
            with trouble.noted():
                while await self.take() == _READ_AT_ONCE:
                    pass
            await self._clock.sleep(_READ_SECONDS)

    async def take(self) -> int:
        """Some of what waits; how many batches that was. Raises StoreError."""
        waiting = await self._fleet.forwarded(_READ_AT_ONCE)
        for _, body in waiting:
            await self._one(body)
        if waiting:
            await self._fleet.taken_in([number for number, _ in waiting])
        return len(waiting)

    async def _one(self, body: bytes) -> None:
        """Whatever is wrong with one is said, and holds up no other. Raises StoreError."""
        try:
            batch, now = msgspec.msgpack.decode(body, type=Batch), self._clock.now()
            results = [replace(one, at=min(one.at, now)) for one in batch.results if self._is_checked(one)]
            await self._take(replace(batch, results=tuple(results)))
        except StoreError:
            raise
        except Exception:  # it would come again for ever
            log.exception("results that another server measured are lost: they cannot be taken in")

    def _is_checked(self, one: CheckResult) -> bool:
        """Whether its location is to check it, by the configuration in force."""
        monitor = self._monitor(one.monitor)
        return monitor is not None and monitor.is_checked_from(one.location)
