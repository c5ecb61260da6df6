"""The bus inside one process: a bounded queue; a full one makes the publisher wait."""

import asyncio
from collections.abc import AsyncIterator

from vigie.ports import Batch


class LocalBus:
    """Batches in the order they were published."""

    def __init__(self, capacity: int = 1_000) -> None:
        self._queue: asyncio.Queue[Batch | None] = asyncio.Queue(capacity)

    async def publish(self, batch: Batch) -> None:
        """Hand over; waits while the queue is full."""
        await self._queue.put(batch)

    async def batches(self) -> AsyncIterator[Batch]:
        """Until `close`, and then what was published before it."""
        while (batch := await self._queue.get()) is not None:
            yield batch

    async def close(self) -> None:
        """End the iteration once what waits is taken."""
        await self._queue.put(None)
