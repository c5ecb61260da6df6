"""What the fuzz tests share: their seeds, and the deadline that every check keeps.

`VIGIE_FUZZ=500` runs each of them with 500 seeds instead of its few. A failure names its seed: `random.Random(seed)` makes the same again.
"""

import os
import time
from collections.abc import Awaitable
from typing import TypeVar

from vigie.testing.starvation import measured

LATE_S = 0.2
T = TypeVar("T")


def seeds(usual: int) -> range:
    """So many, or as many as `VIGIE_FUZZ` says."""
    return range(int(os.environ.get("VIGIE_FUZZ") or usual))


async def in_time(check: Awaitable[T], timeout_ms: int) -> T:
    """What the check finds; it ends at its deadline, or as much later as the machine ran others."""
    async with measured() as starved:
        started = time.perf_counter()
        found = await check
        took = time.perf_counter() - started
    late = took - starved.lost - timeout_ms / 1000
    assert late <= LATE_S, f"{late:.2f} s after its deadline, besides {starved.lost:.2f} s that the machine took"
    return found
