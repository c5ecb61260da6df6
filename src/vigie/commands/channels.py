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
    """As `vigie notify test`."""

    async def test(self, channel: str) -> ChannelTested | None:
        """Send a marked test notice; None where there is no such channel."""
