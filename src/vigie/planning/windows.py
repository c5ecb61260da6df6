"""Windows of time: one span, or spans that come again by the days of the week or by a rule of RFC 5545.

A recurring window begins by the clock on the wall (`wall.py`) and lasts as long as it is said to: two hours are two hours, also when the
clocks change meanwhile. Spans are [start, end) in epoch ms, durations in ms.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from vigie.planning import recurrence, wall

Span = tuple[int, int]

_DAY_MS = 86_400_000
_BLOCK_MS = 32 * _DAY_MS  # beginnings are looked for, and remembered, so many days at a time
_REMEMBERED = 50_000  # blocks; some hundred bytes each
_FARTHEST_MS = 40 * _DAY_MS  # spans without a gap are followed so far: whoever needs more asks again then


@dataclass(frozen=True, slots=True)
class Once:
    """One span."""

    start: int
    end: int

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """The span, if it has anything in common with [start, end)."""
        if self.start < end and start < self.end:
            yield self.start, self.end


@dataclass(frozen=True, slots=True)
class Weekly:
    """A time of day on some days of every week, Monday is 0."""

    days: tuple[int, ...]
    at: time

    def times(self, first: date, last: date) -> Iterator[datetime]:
        """When it is due by the clock on the wall, on the days from `first` to `last`."""
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            if day.weekday() in self.days:
                yield datetime.combine(day, self.at)


@dataclass(frozen=True, slots=True)
class ByRule:
    """A recurrence rule (RFC 5545 §3.3.10), counted from `start` by the clock on the wall."""

    rule: str
    start: datetime

    def __post_init__(self) -> None:
        """Raise ValueError for what is not such a rule."""
        recurrence.read(self.rule)

    def times(self, first: date, last: date) -> Iterator[datetime]:
        """When it is due by the clock on the wall, on the days from `first` to `last`."""
        return recurrence.read(self.rule).days(self.start, first, last)


@dataclass(frozen=True, slots=True)
class Recurring:
    """Spans of `length_ms` that begin at any of `rules` by the clock of `zone`; those alone that begin within [first, last), epoch ms."""

    rules: tuple[Weekly | ByRule, ...]
    length_ms: int
    zone: tzinfo
    first: int | None = None
    last: int | None = None

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """Those that have anything in common with [start, end), in their order."""
        earliest = start - self.length_ms
        for block in range(earliest // _BLOCK_MS, (end - 1) // _BLOCK_MS + 1):
            for begin in _beginnings(self, block):
                if earliest < begin < end:
                    yield begin, begin + self.length_ms


@lru_cache(maxsize=_REMEMBERED)
def _beginnings(window: Recurring, block: int) -> tuple[int, ...]:
    """When spans begin in a block of time, epoch ms."""
    start, end = block * _BLOCK_MS, (block + 1) * _BLOCK_MS
    least = start if window.first is None else max(start, window.first)
    most = end if window.last is None else min(end, window.last)
    if least >= most:
        return ()
    days = (wall.shown(least, window.zone) - timedelta(days=1)).date(), (wall.shown(most, window.zone) + timedelta(days=1)).date()
    found = {wall.begins(local, window.zone) for rule in window.rules for local in rule.times(*days)}
    return tuple(sorted(one for one in found if least <= one < most))


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The nights (or any other hours) in which some alerts wait, on `days`, Monday is 0.

    A night belongs to the day on which it begins. `until` is a time of the day after that when it is not later than `since`; it is
    24:00 where it is None. All the time in which the clock on the wall shows one of these hours is quiet.
    """

    since: time
    until: time | None
    days: tuple[int, ...]
    zone: tzinfo

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """Those that have anything in common with [start, end), in their order."""
        first, last = (wall.shown(start, self.zone) - timedelta(days=2)).date(), (wall.shown(end, self.zone) + timedelta(days=1)).date()
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            if day.weekday() in self.days:
                begin, finish = _night(self, day)
                if begin < end and start < finish and begin < finish:
                    yield begin, finish


@lru_cache(maxsize=_REMEMBERED)
def _night(quiet: QuietHours, day: date) -> Span:
    over = quiet.until is None or quiet.until <= quiet.since
    end = datetime.combine(day + timedelta(days=1) if over else day, quiet.until or time())
    return wall.begins(datetime.combine(day, quiet.since), quiet.zone), wall.ends(end, quiet.zone)


Window = Once | Recurring | QuietHours


def held_until(windows: Iterable[Window], at: int) -> int | None:
    """The end of what holds at an instant, epoch ms, or None. Spans that touch or overlap count as one, as far as forty days ahead."""
    several, end = list(windows), None
    while end is None or end - at < _FARTHEST_MS:
        reached = at if end is None else end
        later = max((finish for one in several for begin, finish in one.spans(reached, reached + 1) if begin <= reached), default=reached)
        if later <= reached:
            break
        end = later
    return end
