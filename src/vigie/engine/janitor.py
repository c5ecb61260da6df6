"""What is due without anybody calling: wake-ups, clock steps, and retention."""

import logging

from vigie.core.events import Acked, Resolved
from vigie.engine.alive import seen_through
from vigie.engine.ingest import Ingest
from vigie.errors import StoreError
from vigie.ports import Clock, Store

log = logging.getLogger("vigie.janitor")

_TICK_SECONDS = 1.0
_PRUNE_SECONDS = 3_600.0


class Janitor:
    """Ticks once a second."""

    def __init__(self, store: Store, clock: Clock, ingest: Ingest) -> None:
        self._store, self._clock, self._ingest = store, clock, ingest
        self._left: list[tuple[str, Acked | Resolved]] = []
        self.ticked_at = clock.monotonic()

    async def run(self) -> None:
        """Keep house for ever."""
        pruned = self._clock.monotonic()
        while True:
            await self._clock.sleep(_TICK_SECONDS)
            self.ticked_at = self._clock.monotonic()
            try:
                # Before the wake-ups, and they go by the time that was minded: a reminder must not come early because the clock jumped.
                now = await self._ingest.apply_clock_step()
                await seen_through(self._take_left())  # what was read there is in no other hands
                await self._ingest.wake(now)
                if self.ticked_at - pruned > _PRUNE_SECONDS:
                    pruned = self.ticked_at
                    gone = await self._store.prune(self._clock.now())
                    log.info("retention: %d rows dropped", gone)
            except StoreError as error:
                log.error("housekeeping failed: %s. %s", error, error.fix)  # noqa: TRY400 - the trace says nothing more

    async def _take_left(self) -> None:
        """What a person asked for by the command line; it is kept until it was taken in, should the store fail in between."""
        self._left.extend(await self._store.left())
        while self._left:
            monitor, event = self._left[0]
            await self._ingest.handle(monitor, event)
            del self._left[0]
