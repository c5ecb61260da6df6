"""The real clock; the only place that asks the operating system for the time."""

import asyncio
import time


class SystemClock:
    """Implements Clock."""

    def now(self) -> int:
        """Epoch ms."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
