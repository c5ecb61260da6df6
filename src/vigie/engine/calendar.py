"""When a week or month is over, how available everything was in it is put into the outbox: once, over restarts and single cycles too."""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, tzinfo

from vigie.core.model import Monitor
from vigie.core.notification import Notice, NoticeReason
from vigie.core.subject import VIGIE_ID, SubjectKind
from vigie.engine.ingest import Ingest
from vigie.engine.steady import Plain
from vigie.engine.transition import Transition
from vigie.engine.trouble import Trouble
from vigie.planning.period import Every, Period, newest
from vigie.ports import Archive, Clock, Commit, Ledger, OutboxState
from vigie.report.availability import thread

log = logging.getLogger("vigie.calendar")

_TICK_SECONDS = 2.0


class Calendar:
    """Tells the newest whole period only. `wake` wakes the outbox.

    That a period was announced is the rows of its notices, which stay in the store after delivery: nothing else could disagree.
    """

    def __init__(self, ledger: Ledger, archive: Archive, ingest: Ingest, clock: Clock, wake: Callable[[], None]) -> None:
        self._ledger, self._archive, self._ingest, self._clock, self._wake = ledger, archive, ingest, clock, wake
        self._every: Every | None = None
        self._channels: tuple[str, ...] = ()
        self._zone: tzinfo = UTC
        self._monitors: frozenset[str] = frozenset()
        self._settled: Period | None = None
        self._heard = False

    def use(self, monitors: Iterable[Monitor], every: Every | None, channels: tuple[str, ...], zone: tzinfo) -> None:
        """What is watched, how often it is told (None: never), to whom, and whose midnights count."""
        self._monitors = frozenset(one.id for one in monitors)
        self._every, self._channels, self._zone = every, channels, zone
        self._settled = None

    async def on_transition(self, transition: Transition) -> None:
        """A result was taken in, and whoever keeps what Vigie could not see has heard it: a silence up to now is on record."""
        self._heard = self._heard or transition.result is not None

    @property
    def each(self) -> bool:
        """One result says as much as the other."""
        return False

    async def on_plain(self, _: Plain) -> None:
        """Results were taken in."""
        self._heard = True

    async def run(self) -> None:
        """Look for ever whether something is to be told."""
        trouble = Trouble(log, "the availability report could not be queued")
        while True:
            await self._clock.sleep(_TICK_SECONDS)
            if self._heard:
                with trouble.noted():
                    await self.tick()

    async def tick(self) -> None:
        """Queue the notices of the newest whole period, unless that was done or nothing was watched in it. Raises StoreError."""
        if self._every is None:
            return
        now = self._clock.now()
        period = newest(now, self._every, self._zone)
        if period == self._settled:
            return
        if not await self._announced(period) and await self._watched(period):
            await self._ingest.record(Commit(), [self._notice(period, channel, now) for channel in self._channels])
            log.info("the availability report for %s is queued", period.name)
            self._wake()
        self._settled = period

    async def _announced(self, period: Period) -> bool:
        """Whether any channel was told or is to be: one that is new in the configuration begins with the next period."""
        waiting = any(row.notice.alert == thread(period) for row in await self._ledger.outbox(OutboxState.WAITING))
        return waiting or bool(await self._archive.deliveries(thread(period)))

    async def _watched(self, period: Period) -> bool:
        since = await self._archive.watched_since()
        return any(since[one] < period.end for one in self._monitors & since.keys())

    @staticmethod
    def _notice(period: Period, channel: str, now: int) -> Notice:
        reason, about = NoticeReason.AVAILABILITY, thread(period)
        return Notice(about, VIGIE_ID, channel, reason, now, subject=SubjectKind.VIGIE)
