"""The history in memory: every result is kept as it came, and counted whenever somebody asks."""

import itertools
from bisect import bisect_left
from collections.abc import Sequence
from statistics import median

from vigie.core.model import CheckResult, Status
from vigie.observation.availability import merged as merged_spans
from vigie.observation.phases import PhasePoint, points_of, points_of_rollups
from vigie.observation.rollup import DAY_MS, NO_LATENCY, Resolution, Retention, Rollup, Span, Tally, merged, split, tally_of
from vigie.ports import HistorySize, ResultKey
from vigie.testing.memory.data import Data

_STATUSES = tuple(Status)
_EVER = 2**63 - 1


def _key(one: CheckResult) -> ResultKey:
    return one.at, one.location, one.run, one.sequence


def _identity(one: CheckResult) -> tuple[str, int, int, int]:
    return one.location, one.run, one.sequence, 0 if one.run or one.sequence else one.at


def _tenths(ms: float | None) -> int:
    return NO_LATENCY if ms is None else int(ms * 10 + 0.5)


class MemoryHistory:
    """The History port without a disk."""

    def __init__(self, data: Data) -> None:
        self._data = data

    async def compact(self, now: int, keep: Retention) -> bool:  # noqa: ARG002 - memory has one tier
        """Nothing is due."""
        self._data.check()
        return False

    async def take_in(self, results: Sequence[CheckResult], now: int, keep: Retention) -> int:
        """Add results of whatever time; how many were new."""
        self._data.check()
        oldest, added = (now - keep.totals_ms) // DAY_MS * DAY_MS, 0
        known = {(one.monitor, *_identity(one)) for one in self._all()}
        for one in results:
            identity = (one.monitor, *_identity(one))
            if one.monitor in self._data.ever_watched and one.at >= oldest and identity not in known:
                known.add(identity)
                self._data.taken_in.append(one)
                added += 1
        return added

    async def rollups(
        self, monitors: Sequence[str], start: int, end: int, resolution: Resolution, location: str | None = None
    ) -> dict[str, list[Rollup]]:
        """The hours or days that begin within [start, end)."""
        self._data.check()
        ms = resolution.ms
        found = {}
        for monitor in monitors:
            tallies = self._tallies(monitor, resolution, location)
            found[monitor] = [one.rollup(number * ms) for number, one in sorted(tallies.items()) if start <= number * ms < end]
        return found

    async def phases(
        self, monitor: str, edges: Sequence[int], resolution: Resolution | None = None, location: str | None = None
    ) -> list[PhasePoint]:
        """A point for each step between `edges`."""
        self._data.check()
        if resolution is not None:
            tallies = self._tallies(monitor, resolution, location)
            parts = {number * resolution.ms: [one] for number, one in tallies.items() if edges[0] <= number * resolution.ms < edges[-1]}
            return points_of_rollups(parts, edges, lambda start, several: merged(several).rollup(start))
        found = [one for one in self._of(monitor, location) if edges[0] <= one.at < edges[-1]]
        timings = [
            [_tenths(getattr(one.timings, name)) for one in found] for name in ("dns", "connect", "tls", "first_byte", "transfer", "total")
        ]
        return points_of([one.at for one in found], [_STATUSES.index(one.status) for one in found], timings, edges, self._excluded(monitor))

    async def results(
        self, monitor: str, start: int, end: int, *, location: str | None = None, before: ResultKey | None = None, limit: int = 500
    ) -> list[CheckResult]:
        """Newest first."""
        self._data.check()
        whole = {(one.monitor, _key(one)): one for one in self._data.details}
        found = sorted((one for one in self._of(monitor, location) if start <= one.at < end), key=_key, reverse=True)
        return [whole.get((monitor, _key(one)), one) for one in found if before is None or _key(one) < before][:limit]

    async def sparklines(self, monitors: Sequence[str], edges: Sequence[int]) -> dict[str, list[float | None]]:
        """The median latency in each step between `edges`."""
        self._data.check()
        found = {}
        for monitor in monitors:
            good = [one for one in self._of(monitor, None) if one.is_good and one.timings.total is not None]
            places = [bisect_left([one.at for one in good], edge) for edge in edges]
            steps = [[_tenths(one.timings.total) for one in good[first:last]] for first, last in itertools.pairwise(places)]
            found[monitor] = [median(one) / 10 if one else None for one in steps]
        return found

    async def size(self) -> HistorySize:
        """Nothing is on a disk."""
        self._data.check()
        return HistorySize({})

    def _all(self) -> list[CheckResult]:
        return [*(one for commit in self._data.commits for one in self._data.results_of(commit)), *self._data.taken_in]

    def _of(self, monitor: str, location: str | None) -> list[CheckResult]:
        """Each result once, by instant."""
        ours = {_identity(one): one for one in reversed(self._all()) if one.monitor == monitor and location in (None, one.location)}
        return sorted(ours.values(), key=_key)

    def _tallies(self, monitor: str, resolution: Resolution, location: str | None) -> dict[int, Tally]:
        found = self._of(monitor, location)
        instants = [one.at for one in found]
        statuses, totals = [_STATUSES.index(one.status) for one in found], [_tenths(one.timings.total) for one in found]
        excluded = self._excluded(monitor)
        return {
            number: tally_of(instants[first:last], statuses[first:last], totals[first:last], excluded)
            for number, first, last in split(instants, resolution.ms)
        }

    def _excluded(self, monitor: str) -> list[Span]:
        blind = [
            (one.start, _EVER if one.until is None else one.until)
            for one in self._data.blind.values()
            if one.monitor in ("", monitor) and not one.location
        ]
        planned = [(one.start, one.end) for one in self._data.maintained.values() if one.concerns(monitor)]
        return merged_spans([*blind, *planned])
