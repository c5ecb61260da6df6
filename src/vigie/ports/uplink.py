"""The port of an agent to the servers that it reports to."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from vigie.fleet.wire import Hello, Order, Welcome


class Uplink(Protocol):
    """One way to the servers. Each method raises UplinkError, which says whether it is worth trying again, and nothing else.

    Nobody calls `send` while another `send` is under way; `hello`, `orders` and `send` go side by side.
    """

    async def hello(self, hello: Hello) -> Welcome:
        """Introduce oneself, or say how one is."""

    def orders(self, epoch: int) -> AsyncIterator[Order]:
        """What this agent is to do, as it is decided: first all its work, unless `epoch` is that of the newest.

        Raises UplinkError once the link breaks.
        """

    async def send(self, batches: Sequence[tuple[int, bytes]]) -> None:
        """Hand over (shard, packed batch) in their order; returns when they are safe elsewhere, all of them.

        When it raises, some of them may be safe all the same: they are handed over again, which changes nothing. REFUSED concerns one of
        them or several.
        """

    async def close(self) -> None:
        """Hang up. Closing twice is harmless."""
