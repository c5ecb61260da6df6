"""The real clock; the only place that asks the operating system for the time."""

import asyncio
import sys
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


def elapsed() -> float | None:
    """Seconds that never step, a suspended machine's sleep included; None where the system does not tell.

    That is CLOCK_BOOTTIME on Linux (clock_gettime(2)), CLOCK_MONOTONIC on macOS (clock_gettime(3)), and the tick count of Windows.
    """
    if sys.platform == "win32":
        return time.monotonic()
    number = getattr(time, "CLOCK_MONOTONIC" if sys.platform == "darwin" else "CLOCK_BOOTTIME", None)
    return None if number is None else time.clock_gettime(number)
