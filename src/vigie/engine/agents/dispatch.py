"""How orders reach agents: the port, and the hub in memory behind the streams that agents keep open over HTTPS."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from vigie.fleet.wire import CheckNow, Order, Pace, ShardWork, Work

_STREAMS = 2  # that one agent may have open: the one that it lost may not have ended yet
_WAITING = 20_000  # orders that a stream may hold; one that takes none of them ends, and begins anew with all there is


class Dispatch(Protocol):
    """Whoever brings orders to agents. What cannot be brought now is known when the agent comes back."""

    async def work(self, agent: str, work: Work) -> None:
        """These shards are as they are here from now on."""

    async def pace(self, agent: str, monitor: str, every_ms: int | None) -> None:
        """Check faster, or as usual again."""

    async def check_now(self, agent: str, monitor: str) -> None:
        """Check once, out of turn; nobody who is not there now."""


@dataclass(slots=True)
class _Held:
    """What one agent is to do, and its streams."""

    shards: dict[int, ShardWork] = field(default_factory=dict)
    epoch: int = 0
    control: list[str] = field(default_factory=list)
    second_resolver: str | None = None
    paces: dict[str, int] = field(default_factory=dict)
    unpaced: dict[str, None] = field(default_factory=dict)  # at their own interval again, which the agent may not know yet
    streams: list[asyncio.Queue[Order | None]] = field(default_factory=list)

    def give(self, order: Order) -> None:
        """To every stream; one that is full ends."""
        for queue in list(self.streams):
            if queue.qsize() >= _WAITING:
                self.end(queue)
            else:
                queue.put_nowait(order)

    def end(self, queue: "asyncio.Queue[Order | None]") -> None:
        """Have a stream end once it has given what waits."""
        self.streams.remove(queue)
        queue.put_nowait(None)


class Hub:
    """The Dispatch port in memory."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._also: list[Dispatch] = []
        self._closed = False

    def pass_on(self, dispatch: Dispatch) -> None:
        """Have another one given everything as well."""
        self._also.append(dispatch)

    def whole(self, agent: str) -> tuple[Work, dict[str, int]] | None:
        """All that an agent is to do, and its paces; None where it was told nothing yet."""
        held = self._held.get(agent)
        if held is None or not held.epoch:
            return None
        return Work(held.epoch, list(held.shards.values()), True, held.control, held.second_resolver), dict(held.paces)

    async def work(self, agent: str, work: Work) -> None:
        """Keep it, and pass it on."""
        held = self._held.setdefault(agent, _Held())
        if work.whole:
            held.shards.clear()
        for one in work.shards:
            if one.specs:
                held.shards[one.shard] = one
            else:
                held.shards.pop(one.shard, None)
        held.epoch, held.control, held.second_resolver = work.epoch, work.control, work.second_resolver
        known = {spec.monitor for one in held.shards.values() for spec in one.specs}
        held.paces = {monitor: every_ms for monitor, every_ms in held.paces.items() if monitor in known}
        held.unpaced = {monitor: None for monitor in held.unpaced if monitor in known}
        held.give(work)
        for other in self._also:
            await other.work(agent, work)

    async def pace(self, agent: str, monitor: str, every_ms: int | None) -> None:
        """Keep it, and pass it on."""
        held = self._held.setdefault(agent, _Held())
        if every_ms is None:
            if held.paces.pop(monitor, None) is not None and not held.streams:
                held.unpaced[monitor] = None
        else:
            held.paces[monitor] = every_ms
            held.unpaced.pop(monitor, None)
        held.give(Pace(monitor, every_ms))
        for one in self._also:
            await one.pace(agent, monitor, every_ms)

    async def check_now(self, agent: str, monitor: str) -> None:
        """Pass it on."""
        if (held := self._held.get(agent)) is not None:
            held.give(CheckNow(monitor))
        for one in self._also:
            await one.check_now(agent, monitor)

    def forget(self, agent: str) -> None:
        """It is let in no longer: its streams end."""
        held = self._held.pop(agent, _Held())
        for queue in list(held.streams):
            held.end(queue)

    def close(self) -> None:
        """Nobody is given anything here any more: every stream ends, so that its agent asks again, and finds who gives orders now."""
        self._closed = True
        for agent in list(self._held):
            self.forget(agent)

    async def orders(self, agent: str, epoch: int) -> AsyncIterator[Order]:
        """What this agent is to do: first all of it, unless `epoch` is that of the newest, and then what changes.

        Ends when it must begin anew.
        """
        if self._closed:
            return
        held = self._held.setdefault(agent, _Held())
        while len(held.streams) >= _STREAMS:
            held.end(held.streams[0])
        queue = asyncio.Queue[Order | None]()
        if held.epoch not in (0, epoch):
            queue.put_nowait(Work(held.epoch, list(held.shards.values()), True, held.control, held.second_resolver))
        for monitor in held.unpaced:
            queue.put_nowait(Pace(monitor, None))
        for monitor, every_ms in held.paces.items():
            queue.put_nowait(Pace(monitor, every_ms))
        held.unpaced.clear()
        held.streams.append(queue)
        try:
            while (order := await queue.get()) is not None:
                yield order
        finally:
            if queue in held.streams:
                held.streams.remove(queue)
