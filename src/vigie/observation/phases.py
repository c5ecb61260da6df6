"""The chart of phases: what the checks of one monitor come to in equal steps."""

import itertools
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TypeVar

from vigie.core.model import Timings
from vigie.observation.rollup import DEGRADED, DOWN, NO_LATENCY, UNKNOWN, UP, Rollup, Span

_T = TypeVar("_T")
_NOTHING = Timings()


@dataclass(frozen=True, slots=True)
class PhasePoint:
    """One point of the chart of phases: the checks of [start, start + step), the medians of the good ones by phase, their percentiles.

    `count` are those that say something of the service, `failed` those of them that found it down. `timings` has None for what never
    happened in it; the percentiles, in ms, are None where no check was good.
    """

    start: int
    count: int
    failed: int
    timings: Timings
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


def bounds(start: int, end: int, points: int) -> list[int]:
    """The instants at which steps begin, and the end."""
    return [start + (end - start) * number // points for number in range(points + 1)]


def points_of(
    instants: Sequence[int], statuses: Sequence[int], phases: Sequence[Sequence[int]], edges: Sequence[int], excluded: Sequence[Span] = ()
) -> list[PhasePoint]:
    """The points between `edges` of checks in the order of their instants.

    Statuses are by position; for each of the six phases of `Timings` the tenths of a millisecond, NO_LATENCY where it did not happen.
    """
    if excluded and instants and any(begin <= instants[-1] and end > instants[0] for begin, end in excluded):
        kept = [place for place, at in enumerate(instants) if not any(begin <= at < end for begin, end in excluded)]
        instants, statuses = [instants[one] for one in kept], [statuses[one] for one in kept]
        phases = [[values[one] for one in kept] for values in phases]
    places = [bisect_left(instants, edge) for edge in edges]
    spans = itertools.pairwise(places)
    return [
        _point(start, statuses[first:last], [one[first:last] for one in phases]) for start, (first, last) in zip(edges, spans, strict=False)
    ]


def _point(start: int, statuses: Sequence[int], phases: Sequence[Sequence[int]]) -> PhasePoint:
    codes = list(statuses)
    if not codes:
        return PhasePoint(start, 0, 0, _NOTHING)
    unknown, failed = codes.count(UNKNOWN), codes.count(DOWN)
    if unknown or failed:
        good = [place for place, code in enumerate(codes) if code in (UP, DEGRADED)]
        phases = [_chosen(one, good) for one in phases]
    ordered = [_measured(one) for one in phases]
    totals = ordered[-1]
    timings = Timings(*[_at(one, 0.5) for one in ordered])
    return PhasePoint(start, len(codes) - unknown, failed, timings, _at(totals, 0.5), _at(totals, 0.95), _at(totals, 0.99))


def _chosen(values: Sequence[int], places: Sequence[int]) -> Sequence[int]:
    if len(places) > 1:
        chosen: tuple[int, ...] = itemgetter(*places)(values)
        return chosen
    return [values[place] for place in places]


def _measured(values: Sequence[int]) -> list[int]:
    """In rising order, without what was not measured, which is larger than anything that was."""
    ordered = sorted(values)
    return ordered[: bisect_left(ordered, NO_LATENCY)] if ordered and ordered[-1] == NO_LATENCY else ordered


def _at(ordered: Sequence[int], part: float) -> float | None:
    """The value that a part of all lies below, in ms: that of the rank part * (n - 1), rounded down."""
    return ordered[int(part * (len(ordered) - 1))] / 10 if ordered else None


def points_of_rollups(
    found: Mapping[int, Sequence[_T]], edges: Sequence[int], rollup: Callable[[int, list[_T]], Rollup]
) -> list[PhasePoint]:
    """The points between `edges` of what makes up the roll-ups that begin at each instant; `rollup` makes one of several such parts.

    Each counts where it begins, with the total alone.
    """
    starts = sorted(found)
    places = [bisect_left(starts, edge) for edge in edges]
    points = []
    for edge, first, last in zip(edges, places, places[1:], strict=False):
        parts = [part for start in starts[first:last] for part in found[start]]
        points.append(_of_rollup(edge, rollup(edge, parts)) if parts else PhasePoint(edge, 0, 0, _NOTHING))
    return points


def _of_rollup(start: int, one: Rollup) -> PhasePoint:
    return PhasePoint(start, one.count, one.down, Timings(total=one.p50), one.p50, one.p95, one.p99)
