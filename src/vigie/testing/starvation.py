"""How long a busy machine kept this process from running: what a deadline in a test must not be blamed for."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

_BEAT = 0.005


@dataclass(slots=True)
class Starvation:
    """In seconds: `lost` while the loop wanted to run and the machine ran others, `held` the longest that our own work held the loop."""

    lost: float = 0.0
    held: float = 0.0

    def note(self, gap: float, worked: float) -> None:
        """The loop ran again `gap` later than it wanted to; this process computed for `worked` of it."""
        own = min(max(gap, 0.0), worked)
        self.lost += max(gap - own, 0.0)
        self.held = max(self.held, own)


@contextlib.asynccontextmanager
async def measured() -> AsyncIterator[Starvation]:
    """Measures what goes on inside. A call that blocks and computes nothing counts as lost: other tests have to find those."""
    found = Starvation()

    async def beat() -> None:
        now, worked = time.perf_counter(), time.process_time()
        while True:
            await asyncio.sleep(_BEAT)  # slow: from one measurement to the next
            before, worked_before, now, worked = now, worked, time.perf_counter(), time.process_time()
            found.note(now - before - _BEAT, worked - worked_before)

    beating = asyncio.create_task(beat())
    await asyncio.sleep(0)
    try:
        yield found
        await asyncio.sleep(2 * _BEAT)  # slow: a gap at the very end is seen by the beat after it
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
