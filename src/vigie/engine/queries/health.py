"""How Vigie itself is, by what its running parts know in memory and by the counters of its ledger."""

from collections import Counter
from collections.abc import Callable, Sequence

from vigie import __version__
from vigie.core.model import Monitor, Status
from vigie.core.subject import SubjectKind
from vigie.engine.ingest import Ingest
from vigie.engine.transition import Transition
from vigie.ports import Archive, Clock, Ledger
from vigie.queries import Health

# A monitor that gave no result for three of its intervals, and at least this long, means that Vigie has stalled.
_STALL_MS = 120_000


class RunningHealth:
    """The HealthQueries port of a running Vigie. `late_p99_ms` is how late its agent starts checks."""

    def __init__(
        self,
        ledger: Ledger,
        ingest: Ingest,
        clock: Clock,
        monitors: Callable[[], Sequence[Monitor]],
        late_p99_ms: Callable[[], int | None],
    ) -> None:
        self._ledger, self._ingest, self._clock, self._monitors, self._late_p99_ms = ledger, ingest, clock, monitors, late_p99_ms
        self._started_at = clock.now()
        self._newest: dict[str, Status] = {}

    async def start(self, archive: Archive) -> None:
        """Take over what was known before this start, once; results that came meanwhile are newer. Raises StoreError."""
        known = {monitor: one.status for monitor, one in (await archive.last_results()).items()}
        self._newest = known | self._newest

    async def on_transition(self, transition: Transition) -> None:
        """A result was taken in."""
        if transition.result is not None:
            several = len(transition.after.views) > 1
            self._newest[transition.monitor.id] = (several and transition.after.status) or transition.result.status

    async def health(self) -> Health:
        """In time that depends on the number of monitors alone, a single look-up in each of them."""
        now, last, watched = self._clock.now(), self._ingest.last_result_at, self._monitors()
        slowest = max((3 * one.every_ms for one in watched), default=0)
        incidents = self._ingest.incidents()
        troubled = {one.monitor for one in incidents if one.subject is SubjectKind.MONITOR}
        unchecked = {one.monitor for one in incidents if one.subject is SubjectKind.VIGIE}
        for gone in self._newest.keys() - {one.id for one in watched}:
            del self._newest[gone]
        return Health(
            version=__version__,
            started_at=self._started_at,
            now=now,
            last_result_at=last,
            notices=await self._ledger.counts(),
            monitors=Counter(self._newest.get(one.id) for one in watched),
            with_incident=sum(one.id in troubled for one in watched),
            stalled=now - max(last or 0, self._started_at) > max(_STALL_MS, slowest),
            late_p99_ms=self._late_p99_ms(),
            unchecked=tuple(one.name for one in watched if one.id in unchecked),
        )
