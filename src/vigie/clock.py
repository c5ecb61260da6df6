"""The real clocks; the only place that asks the operating system for the time."""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path


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


class SteadyClock(SystemClock):
    """A clock that nobody sets: epoch ms by what the wall clock said once, at `zero` of `elapsed` seconds, and by what has passed since.

    What is measured by it has the order and the distances that it really had, whatever becomes of the wall clock; how far it is off is for
    others to find out.
    """

    def __init__(self, zero: int, elapsed: Callable[[], float]) -> None:
        self._zero, self._elapsed = zero, elapsed

    def now(self) -> int:
        """Epoch ms; never steps, and goes on while the machine sleeps."""
        return self._zero + round(self._elapsed() * 1000)


def boot() -> str:
    """What tells this start of the machine from every other one, as far as the system has such a thing; else empty."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def elapsed() -> float | None:
    """Seconds that never step, a suspended machine's sleep included; None where the system does not tell.

    That is CLOCK_BOOTTIME on Linux (clock_gettime(2)), CLOCK_MONOTONIC on macOS (clock_gettime(3)), and the tick count of Windows.
    """
    if sys.platform == "win32":
        return time.monotonic()
    number = getattr(time, "CLOCK_MONOTONIC" if sys.platform == "darwin" else "CLOCK_BOOTTIME", None)
    return None if number is None else time.clock_gettime(number)
