"""Everything that is known of one watched monitor, by a store and by what was learnt of it."""

from collections.abc import Callable

from vigie.core.model import Monitor, Timings
from vigie.engine.queries.monitors import StoredMonitors
from vigie.learning.baseline import Baseline
from vigie.learning.season import LEARNING, MS, PHASES, total_ms, usual
from vigie.ports import Clock, Store
from vigie.queries.details import LOOK_BACK_MS, PINGS, MonitorDetails

_HOUR_MS = 3_600_000


class StoredDetails:
    """The DetailQueries port. `monitors` answers for the watched ones, `watched` gives one of them, `learnt` its baseline."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        monitors: StoredMonitors,
        watched: Callable[[str], Monitor | None],
        learnt: Callable[[str], Baseline | None] = lambda monitor: None,  # noqa: ARG005 - where nothing is learnt
    ) -> None:
        self._archive, self._inbox, self._clock = store.archive, store.inbox, clock
        self._monitors, self._watched, self._learnt = monitors, watched, learnt

    async def monitor(self, monitor: str) -> MonitorDetails | None:
        """One watched monitor."""
        found = self._watched(monitor)
        if found is None:
            return None
        now = self._clock.now()
        since = now - LOOK_BACK_MS
        return MonitorDetails(
            await self._monitors.one(found),
            self._usual(monitor, now),
            await self._archive.last_detail(monitor, good=True, before=now + 1),
            tuple(await self._inbox.pings(monitor, PINGS)),
            (await self._inbox.jobs()).get(monitor) if found.kind == "heartbeat" else None,
            tuple(one for one in await self._archive.blinds(since) if one.monitor in ("", monitor) and not one.location),
            tuple(one for one in await self._archive.maintained(since) if one.concerns(monitor)),
            (await self._archive.newest_everywhere([monitor])).get(monitor, ()),
        )

    def _usual(self, monitor: str, now: int) -> Timings | None:
        """What is usual at this hour, once two days were learnt from."""
        known = self._learnt(monitor)
        if known is None or known.season.hours < LEARNING:
            return None
        codes = usual(known.season, now // _HOUR_MS)
        return Timings(**{phase: MS[code] or None for phase, code in zip(PHASES, codes, strict=True)}, total=total_ms(codes))
