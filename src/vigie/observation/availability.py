"""Availability from intervals: time-weighted, with what Vigie could not see, and planned work, left out of both sides of the fraction."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from vigie.core.detection import Severity
from vigie.core.model import Incident
from vigie.observation.visibility import Blind

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Availability:
    """Milliseconds of a period: `observed` is the period less what was unknown or planned; `down` lies within it."""

    observed_ms: int
    down_ms: int

    @property
    def ratio(self) -> float | None:
        """Share of the observed time that the service was available; None when nothing was observed."""
        return None if self.observed_ms == 0 else 1 - self.down_ms / self.observed_ms

    def budget_left_ms(self, objective: float) -> int:
        """Downtime still allowed by an objective such as 0.999; negative when it is spent."""
        return round(self.observed_ms * (1 - objective)) - self.down_ms


@dataclass(frozen=True, slots=True)
class AvailabilitySummary:
    """How one monitor stood in a period, in ms: `outages` were seen in it, `blind_ms` of it were not seen.

    `since` is when it was first watched, epoch ms, if that is within the period. `maintenance_ms` of it were planned work.
    """

    known: Availability
    outages: int
    longest_ms: int
    blind_ms: int
    since: int | None
    maintenance_ms: int = 0


def availability(start: int, end: int, down: Iterable[Span], unknown: Iterable[Span] = ()) -> Availability:
    """Availability over [start, end), epoch ms. Spans may overlap and stick out; unknown time wins over downtime."""
    blind = merged(clipped(unknown, start, end))
    out = merged(clipped(down, start, end))
    observed = (end - start) - length(blind)
    return Availability(observed, length(out) - length(common(out, blind)))


def of_incidents(
    start: int, end: int, incidents: Iterable[Incident], blind: Iterable[Blind], maintenance: Iterable[Span] = ()
) -> Availability:
    """Availability of one monitor over [start, end), epoch ms.

    From its incidents, the spans in which it could not be seen, and those of planned work, which count as little.

    Downtime counts from the first failed check on; a degradation is not downtime.
    """
    down = [(one.started_at, end if one.closed_at is None else one.closed_at) for one in incidents if one.severity is Severity.OUTAGE]
    return availability(start, end, down, [*((one.start, end if one.until is None else one.until) for one in blind), *maintenance])


def clipped(spans: Iterable[Span], start: int, end: int) -> list[Span]:
    """The parts inside [start, end)."""
    inside = ((max(a, start), min(b, end)) for a, b in spans)
    return [(a, b) for a, b in inside if a < b]


def merged(spans: Iterable[Span]) -> list[Span]:
    """Sorted, without overlaps."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def common(first: list[Span], second: list[Span]) -> list[Span]:
    """What two merged lists share."""
    found: list[Span] = []
    place = 0
    for start, end in first:
        while place < len(second) and second[place][1] <= start:
            place += 1
        other = place
        while other < len(second) and second[other][0] < end:
            found.append((max(start, second[other][0]), min(end, second[other][1])))
            other += 1
    return [(a, b) for a, b in found if a < b]


def length(spans: Iterable[Span]) -> int:
    """Total ms of merged spans."""
    return sum(end - start for start, end in spans)


class Spans:
    """Merged spans of which a part can be measured at once, however many there are."""

    def __init__(self, spans: Iterable[Span]) -> None:
        several = merged(spans)
        self._starts, self._ends = [start for start, _ in several], [end for _, end in several]
        self._before = [0, *accumulate(end - start for start, end in several)]

    def __bool__(self) -> bool:
        return bool(self._starts)

    def within(self, start: int, end: int) -> int:
        """How many ms of [start, end) they cover."""
        if start >= end:
            return 0
        first, last = bisect_right(self._starts, start), bisect_right(self._starts, end)
        if first == last and (not first or self._ends[first - 1] <= start):
            return 0
        return self._upto(last, end) - self._upto(first, start)

    def _upto(self, place: int, instant: int) -> int:
        """How many ms they cover before an instant, which lies after the beginnings of so many."""
        return self._before[place] - (max(self._ends[place - 1] - instant, 0) if place else 0)


@dataclass(frozen=True, slots=True)
class Unseen:
    """When one monitor could not be seen, when it was in maintenance, and either."""

    blind: Spans
    planned: Spans
    either: Spans

    @classmethod
    def of(cls, blind: Iterable[Span], planned: Iterable[Span]) -> "Unseen":
        """Of spans in any order."""
        first, second = list(blind), list(planned)
        return cls(Spans(first), Spans(second), Spans([*first, *second]))


def summary(start: int, end: int, outages: Iterable[Span], unseen: Unseen, since: int | None) -> AvailabilitySummary:
    """How one monitor stood over [start, end), epoch ms; `outages` are in the order of their beginnings and may stick out."""
    down = count = longest = 0
    reached = start
    for began, ended in outages:
        first, last = (max(start, began)), (min(end, ended))
        if first >= last:
            continue
        seen = last - first - unseen.either.within(first, last)
        if seen:
            count, longest = count + 1, (max(longest, seen))
        if first < reached:  # what two outages share counts once
            seen = last - reached - unseen.either.within(reached, last) if reached < last else 0
        down += seen
        reached = max(reached, last)
    observed = end - start - unseen.either.within(start, end)
    known = Availability(observed, down)
    return AvailabilitySummary(known, count, longest, unseen.blind.within(start, end), since, unseen.planned.within(start, end))
