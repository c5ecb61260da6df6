"""Loaded by Python itself in every process of a part (PYTHONPATH): its wall clock is ahead by what a file says, as if somebody had set it.

The clock that never steps is left alone, as by a real step. What asks for the time in C is not stepped (`datetime.now`, SQLite's `now`,
the validity of certificates): Vigie decides by none of it.
"""

import mmap
import os
import time
from pathlib import Path


def _step(file: Path) -> None:
    real = time.time_ns
    with file.open("rb") as opened:
        ahead = mmap.mmap(opened.fileno(), 8, access=mmap.ACCESS_READ)

    def time_ns() -> int:
        return real() + int.from_bytes(ahead[:8], "little", signed=True) * 1_000_000

    time.time_ns = time_ns
    time.time = lambda: time_ns() / 1e9


if "VIGIE_CHAOS_CLOCK" in os.environ:
    _step(Path(os.environ["VIGIE_CHAOS_CLOCK"]))
