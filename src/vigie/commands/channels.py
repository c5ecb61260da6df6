"""What people try of channels."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ChannelTested:
    """What became of a marked test notice: the provider's answer, or why it was not taken (`failure`, with a `fix`)."""

    answer: str
    failure: str = ""
    fix: str = ""


class ChannelCommands(Protocol):
    """As `vigie notify test` and `vigie outbox`."""

    async def test(self, channel: str) -> ChannelTested | None:
        """Send a marked test notice; None where there is no such channel."""

    async def retry(self, key: str) -> bool:
        """Have an unsent notice tried at once; False where no unsent notice has this key. Raises StoreError."""

    async def drop(self, key: str, by: str) -> bool:
        """Give an unsent notice up for good; False where no unsent notice has this key. Raises StoreError."""
