"""The clocks."""

from typing import Protocol


class Clock(Protocol):
    """Two clocks that are never mixed: `now` tells the date, `monotonic` measures."""

    def now(self) -> int:
        """Epoch ms, wall clock; may step."""

    def monotonic(self) -> float:
        """Seconds that never go back; does not count suspension."""

    async def sleep(self, seconds: float) -> None:
        """Wait; virtual in tests."""
