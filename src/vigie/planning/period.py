"""Whole weeks and months of the calendar, and when it is time to tell how available everything was in them.

A week is that of ISO 8601: it begins on Monday and belongs to the year that has most of its days. Midnights are those of a zone, so that
a week in which the clocks change is an hour shorter or longer.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

_HOUR = timedelta(hours=8)  # of the day after a period: when people begin to read


class Every(StrEnum):
    """How often it is told."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Period:
    """One week or month: [start, end), epoch ms; `name` is `2026-W47` or `2026-M11`, `first` its first day."""

    every: Every
    name: str
    first: date
    start: int
    end: int


def newest(now: int, every: Every, zone: tzinfo) -> Period:
    """The newest period that is over and to be told at `now`, epoch ms: from eight o'clock on the day after it."""
    reached = (datetime.fromtimestamp(now / 1000, zone).replace(tzinfo=None) - _HOUR).date()
    return _around(_first(reached, every) - timedelta(days=1), every, zone)


def named(name: str, zone: tzinfo) -> Period:
    """The period of a name. Raises ValueError when there is no such period."""
    year, _, month = name.partition("-M")
    if month:
        return _around(date(int(year), int(month), 1), Every.MONTHLY, zone)
    return _around(date.fromisoformat(f"{name}-1"), Every.WEEKLY, zone)


def _first(day: date, every: Every) -> date:
    return day - timedelta(days=day.weekday()) if every is Every.WEEKLY else day.replace(day=1)


def _around(day: date, every: Every, zone: tzinfo) -> Period:
    first = _first(day, every)
    after = _first(first + timedelta(days=7 if every is Every.WEEKLY else 31), every)
    year, week, _ = first.isocalendar()
    name = f"{year}-W{week:02d}" if every is Every.WEEKLY else f"{first.year}-M{first.month:02d}"
    start, end = (round(datetime.combine(one, time(), zone).timestamp() * 1000) for one in (first, after))
    return Period(every, name, first, start, end)
