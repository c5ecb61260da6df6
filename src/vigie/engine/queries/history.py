"""What was measured, by what a store has on record."""

from collections.abc import Callable, Sequence

from vigie.core.model import CheckResult
from vigie.engine.availability import several
from vigie.engine.queries.paging import check_limit, key_of, page_of, unknown
from vigie.errors import VigieError
from vigie.observation.availability import Availability, AvailabilitySummary
from vigie.observation.phases import PhasePoint, bounds
from vigie.observation.rollup import DAY_MS, Resolution, Retention, Rollup
from vigie.ports import Archive, History, ResultKey
from vigie.queries import MAX_LIMIT, Page
from vigie.queries.history import StorageSize

_KIND = "result"
_MAX_POINTS = 500
_NOT_WATCHED = AvailabilitySummary(Availability(0, 0), 0, 0, 0, None)


class StoredHistory:
    """The HistoryQueries port. `keep` is how long what is kept, by the configuration in force."""

    def __init__(self, history: History, archive: Archive, keep: Callable[[], Retention]) -> None:
        self._history, self._archive, self._keep = history, archive, keep

    async def rollups(
        self, monitors: Sequence[str], start: int, end: int, resolution: Resolution, location: str | None = None
    ) -> dict[str, list[Rollup]]:
        """The hours or days that begin within [start, end)."""
        if not monitors:
            return {}
        check_limit(len(monitors))
        return await self._history.rollups(monitors, start, end, resolution, location)

    async def phases(self, monitor: str, start: int, end: int, points: int, location: str | None = None) -> list[PhasePoint]:
        """The span in equal steps."""
        _check_points(points, start, end)
        edges, span, keep = bounds(start, end, points), end - start, self._keep()
        if span <= keep.raw_ms:
            return await self._history.phases(monitor, edges, None, location)
        by_day = span > keep.hourly_ms or span // points >= DAY_MS
        return await self._history.phases(monitor, edges, Resolution.DAY if by_day else Resolution.HOUR, location)

    async def results(
        self, monitor: str, start: int, end: int, *, location: str | None = None, cursor: str | None = None, limit: int = MAX_LIMIT
    ) -> Page[CheckResult]:
        """Newest first."""
        check_limit(limit)
        before = None if cursor is None else _key(cursor)
        found = await self._history.results(monitor, start, end, location=location, before=before, limit=limit + 1)
        return page_of(found, limit, _KIND, lambda one: f"{one.at}|{one.run}|{one.sequence}|{one.location}")

    async def uptimes(self, monitors: Sequence[str], now: int, spans_ms: Sequence[int]) -> dict[str, tuple[AvailabilitySummary, ...]]:
        """How available each was in the spans that end now."""
        if not monitors or not spans_ms:
            return {}
        check_limit(len(monitors))
        found = await several(self._archive, [(now - span, now) for span in spans_ms], monitors)
        return {monitor: tuple(one or _NOT_WATCHED for one in each) for monitor, each in found.items()}

    async def sparklines(self, monitors: Sequence[str], now: int, points: int = 48, span_ms: int = DAY_MS) -> dict[str, list[float | None]]:
        """The median latency in equal steps that end now."""
        if not monitors:
            return {}
        check_limit(len(monitors))
        _check_points(points, now - span_ms, now)
        return await self._history.sparklines(monitors, bounds(now - span_ms, now, points))

    async def size(self) -> StorageSize:
        """How much history takes."""
        found, keep = await self._history.size(), self._keep()
        total = sum(found.parts.values())
        rolled = None if found.hourly_day is None or found.daily_day is None else found.hourly_day + found.daily_day
        per_day = None if found.whole_day is None or rolled is None else found.whole_day + rolled
        settled = None
        if found.whole_day is not None and found.hourly_day is not None and found.daily_day is not None:
            raw, totals, hourly = (ms / DAY_MS for ms in (keep.raw_ms, keep.totals_ms, keep.hourly_ms))
            thin = found.whole_day * _THIN_SHARE if found.thin_day is None else found.thin_day
            growing = found.whole_day * raw + thin * max(totals - raw, 0) + found.hourly_day * hourly + found.daily_day * totals
            settled = round(growing) + found.parts.get("recent", 0) + found.parts.get("other", 0)
        kept = 0 if found.oldest is None or found.newest is None else max((found.newest - found.oldest) // DAY_MS, 0)
        return StorageSize(total, found.parts, per_day, kept, settled, found.free)


_THIN_SHARE = 0.3  # of a whole day, before there is a thin one


def _key(cursor: str) -> ResultKey:
    """Where a page goes on. Raises VigieError for a cursor that no page gave."""
    at, _, rest = key_of(cursor, _KIND).partition("|")
    run, _, rest = rest.partition("|")
    sequence, colon, location = rest.partition("|")
    if not colon or not all(one.isascii() and one.isdecimal() for one in (at, run, sequence)):
        raise unknown(cursor)
    return int(at), location, int(run), int(sequence)


def _check_points(points: int, start: int, end: int) -> None:
    """Raise VigieError for a chart that cannot be drawn."""
    if not 1 <= points <= _MAX_POINTS:
        raise VigieError(f"a chart cannot have {points} points", f"ask for 1 to {_MAX_POINTS}")
    if end - start < points:
        raise VigieError("the span of a chart is too short or ends before it begins", "ask for a longer one")
