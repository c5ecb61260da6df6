"""What is due without anybody calling: wake-ups, clock steps, retention, and history on its way to chunks and roll-ups."""

import logging
from collections.abc import Callable

from vigie.engine.ingest import Ingest
from vigie.engine.trouble import Trouble
from vigie.errors import StoreError
from vigie.observation.rollup import Retention
from vigie.ports import Accounts, Archive, Clock, History, Inbox

log = logging.getLogger("vigie.janitor")

_TICK_SECONDS = 1.0
_PRUNE_SECONDS = 3_600.0
_BITE_SECONDS = 0.05  # between two bites of compaction, so that it takes a small part of a core
_LOOK_SECONDS = 30.0


class Janitor:
    """Ticks once a second. `prunes`: retention is its task, too."""

    def __init__(self, inbox: Inbox, archive: Archive, accounts: Accounts, clock: Clock, ingest: Ingest, *, prunes: bool = True) -> None:
        self._prunes = prunes
        self._inbox, self._archive, self._accounts, self._clock, self._ingest = inbox, archive, accounts, clock, ingest
        self.ticked_at = clock.monotonic()

    async def run(self) -> None:
        """Keep house for ever."""
        pruned, trouble = self._clock.monotonic(), Trouble(log, "housekeeping failed")
        while True:
            await self._clock.sleep(_TICK_SECONDS)
            self.ticked_at = self._clock.monotonic()
            with trouble.noted():
                # Before the wake-ups, which use the time with that step applied: a reminder must not come early because the clock jumped.
                now = await self._ingest.apply_clock_step()
                await apply_commands(self._inbox, self._ingest)
                await self._ingest.wake(now)
                if self._prunes and self.ticked_at - pruned > _PRUNE_SECONDS:
                    pruned = self.ticked_at
                    await _prune(self._archive, self._accounts, self._clock)


async def _prune(archive: Archive, accounts: Accounts, clock: Clock) -> None:
    gone = await archive.prune(clock.now()) + await accounts.prune_accounts(clock.now())
    log.info("retention: %d rows dropped", gone)


async def keep_retention(archive: Archive, accounts: Accounts, clock: Clock) -> None:
    """Drop for ever, once an hour, what is not kept any longer: for the one of several servers whose task that is."""
    trouble = Trouble(log, "retention failed")
    while True:
        await clock.sleep(_PRUNE_SECONDS)
        with trouble.noted():
            await _prune(archive, accounts, clock)


async def keep_history(history: History, clock: Clock, keep: Callable[[], Retention]) -> None:
    """Bring history into its tiers for ever, a bite at a time. `keep` is how long what is kept, by the configuration in force."""
    trouble = Trouble(log, "history could not be compacted")
    while True:
        more = False
        with trouble.noted():
            more = await history.compact(clock.now(), keep())
        await clock.sleep(_BITE_SECONDS if more else _LOOK_SECONDS)


async def compact_for(history: History, clock: Clock, keep: Retention, seconds: float) -> None:
    """For a program that soon ends: as much as can be done within `seconds`. Raises StoreError."""
    end = clock.monotonic() + seconds
    while clock.monotonic() < end and await history.compact(clock.now(), keep):
        pass


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
