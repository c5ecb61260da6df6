"""When somebody takes over from somebody else, both are notified: once, over restarts and single cycles too."""

import logging
from collections.abc import Callable

from vigie.core.notification import Notice, NoticeReason
from vigie.core.subject import VIGIE_ID, SubjectKind
from vigie.engine.ingest import Ingest
from vigie.engine.planner import Planner
from vigie.engine.trouble import Trouble
from vigie.planning.rotation import Handover, newest_handover
from vigie.ports import Archive, Clock, Commit, Ledger, OutboxState
from vigie.report.handover import thread

log = logging.getLogger("vigie.handovers")

_TICK_SECONDS = 2.0
_LATE_MS = 12 * 3_600_000  # a machine that was off at a hand-over still tells of it, but not of one that everybody knows by now


class Handovers:
    """Notifies of the newest hand-over of each rotation. `wake` wakes the outbox.

    That one was announced is the rows of its notices, which stay in the store after delivery: nothing else could disagree.
    """

    def __init__(self, ledger: Ledger, archive: Archive, ingest: Ingest, planner: Planner, clock: Clock, wake: Callable[[], None]) -> None:
        self._ledger, self._archive, self._ingest, self._planner, self._clock = ledger, archive, ingest, planner, clock
        self._wake = wake
        self._settled: set[Handover] = set()

    async def run(self) -> None:
        """Look for ever whether somebody takes over."""
        trouble = Trouble(log, "a hand-over could not be queued")
        while True:
            await self._clock.sleep(_TICK_SECONDS)
            with trouble.noted():
                await self.tick()

    async def tick(self) -> None:
        """Queue the notices of hand-overs that nobody was notified of yet. Raises StoreError."""
        now = self._clock.now()
        newest = [newest_handover(one, now, _LATE_MS) for one in self._planner.rotations if one.handover]
        current = {one for one in newest if one is not None}
        for one in sorted(current - self._settled, key=lambda one: one.rotation):
            if not await self._announced(one):
                await self._ingest.record(Commit(), [_notice(one, person, now) for person in (one.takes, one.leaves)])
                log.info("%s is on call (%s) in place of %s", one.takes, one.rotation, one.leaves)
                self._wake()
        self._settled = current

    async def _announced(self, handover: Handover) -> bool:
        """Whether anybody was notified or is to be."""
        about = thread(handover)
        waiting = any(row.notice.alert == about for row in await self._ledger.outbox(OutboxState.WAITING))
        return waiting or bool(await self._archive.deliveries(about))


def _notice(handover: Handover, person: str, now: int) -> Notice:
    return Notice(thread(handover), VIGIE_ID, person, NoticeReason.HANDOVER, now, subject=SubjectKind.VIGIE)
