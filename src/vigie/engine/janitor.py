"""What is due without anybody calling: wake-ups, clock steps, and retention."""

import logging

from vigie.engine.ingest import Ingest
from vigie.errors import StoreError
from vigie.ports import Accounts, Archive, Clock, Inbox

log = logging.getLogger("vigie.janitor")

_TICK_SECONDS = 1.0
_PRUNE_SECONDS = 3_600.0


class Janitor:
    """Ticks once a second."""

    def __init__(self, inbox: Inbox, archive: Archive, accounts: Accounts, clock: Clock, ingest: Ingest) -> None:
        self._inbox, self._archive, self._accounts, self._clock, self._ingest = inbox, archive, accounts, clock, ingest
        self.ticked_at = clock.monotonic()

    async def run(self) -> None:
        """Keep house for ever."""
        pruned = self._clock.monotonic()
        while True:
            await self._clock.sleep(_TICK_SECONDS)
            self.ticked_at = self._clock.monotonic()
            try:
                # Before the wake-ups, which use the time with that step applied: a reminder must not come early because the clock jumped.
                now = await self._ingest.apply_clock_step()
                await apply_commands(self._inbox, self._ingest)
                await self._ingest.wake(now)
                if self.ticked_at - pruned > _PRUNE_SECONDS:
                    pruned = self.ticked_at
                    gone = await self._archive.prune(self._clock.now()) + await self._accounts.prune_accounts(self._clock.now())
                    log.info("retention: %d rows dropped", gone)
            except StoreError as error:
                log.error("housekeeping failed: %s. %s", error, error.fix)  # noqa: TRY400 - the trace says nothing more


async def apply_commands(inbox: Inbox, ingest: Ingest) -> None:
    """What people asked for in other processes; each is consumed by the commit that applies it. Raises StoreError."""
    for command in await inbox.commands():
        await ingest.handle(command.monitor, command.event, command.number)


async def apply_waiting(inbox: Inbox, ingest: Ingest) -> None:
    """At a start, before anything wakes: who acknowledged an alert while nobody was at work is not reminded of it."""
    try:
        await apply_commands(inbox, ingest)
    except StoreError as error:  # they stay in the inbox, and are tried again every second
        log.error("commands that waited could not be applied: %s. %s", error, error.fix)  # noqa: TRY400 - the trace says nothing more
