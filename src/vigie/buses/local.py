"""The bus inside one process: a bounded queue; a full one makes the publisher wait."""

import asyncio
from collections.abc import AsyncIterator

from vigie.ports import Batch, Group, Position


class LocalBus:
    """Implements Bus: batches in the order they were published. It keeps nothing, so that there is no position in it."""

    def __init__(self, capacity: int = 1_000) -> None:
        self._queue: asyncio.Queue[Batch | None] = asyncio.Queue(capacity)
        self._closed = False

    async def publish(self, batch: Batch) -> None:
        """Hand over; waits while the queue is full."""
        await self._queue.put(batch)

    async def groups(self, after: Position | None = None) -> AsyncIterator[Group[Batch]]:  # noqa: ARG002 - a part of the port
        """One by one, until `close`, and then what was published before it."""
        while (batch := await self._queue.get()) is not None:
            yield Group((batch,))

    async def close(self) -> None:
        """End the iteration once what waits is taken."""
        if not self._closed:
            self._closed = True
            await self._queue.put(None)
