"""The port of an agent to the servers that it reports to."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from vigie.fleet.wire import Hello, Order, Welcome


class Uplink(Protocol):
    """One way to the servers. Each method raises UplinkError, which says whether it is worth trying again, and nothing else."""

    async def hello(self, hello: Hello) -> Welcome:
        """Introduce oneself, or say how one is."""

    def orders(self, epoch: int) -> AsyncIterator[Order]:
        """What this agent is to do, as it is decided: first all its work, unless `epoch` is that of the newest; until the link breaks."""

    async def send(self, batches: Sequence[tuple[int, bytes]]) -> None:
        """Hand over (shard, packed batch) in their order; returns when they are safe elsewhere."""

    async def close(self) -> None:
        """Hang up. Closing twice is harmless."""
