"""Recurrence rules (RFC 5545 §3.3.10) of days and longer, by the clock on the wall.

Each period (day, week, month or year) is looked at by itself, so that what a rule costs depends neither on how long ago it began nor on
whether it ever comes true. `COUNT` and `UNTIL` are not supported.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import product
from math import prod

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_MOST_A_DAY = 96  # beginnings: one each quarter of an hour
_NUMBERS = {
    "BYMONTH": (1, 12, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYSETPOS": (1, 366, True),
    "BYHOUR": (0, 23, False),
    "BYMINUTE": (0, 59, False),
    "BYSECOND": (0, 59, False),
}  # the least, the greatest, and whether it may be counted from the end
_WEEKDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_INTEGER = re.compile(r"[+-]?[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was read. `weekdays` are (0, weekday) or (which one of its month or year, weekday); Monday is 0."""

    frequency: str
    interval: int
    week_starts: int
    weekdays: tuple[tuple[int, int], ...]
    numbers: dict[str, tuple[int, ...]]

    def days(self, start: datetime, first: date, last: date) -> Iterator[datetime]:
        """When it is due on the days from `first` to `last`, counted from `start`, in order."""
        since, begins = max(first, start.date()), self._period(start.date())
        periods = dict.fromkeys(self._period(since + timedelta(days=number)) for number in range((last - since).days + 1))
        for period in periods:
            if (period - begins) % self.interval:
                continue
            for due in self._due(period, start):
                if due >= start and first <= due.date() <= last:
                    yield due

    def _due(self, period: int, start: datetime) -> list[datetime]:
        clock = self._clock(start)
        found = [datetime.combine(day, at) for day in self._days_of(period) if self._holds(day, start) for at in clock]
        places = self.numbers.get("BYSETPOS")
        if places is None:
            return found
        picked = {found[place - 1 if place > 0 else place] for place in places if abs(place) <= len(found)}
        return sorted(picked)

    def _clock(self, start: datetime) -> list[time]:
        parts = (("BYHOUR", start.hour), ("BYMINUTE", start.minute), ("BYSECOND", start.second))
        hours, minutes, seconds = (sorted(set(self.numbers.get(name, (own,)))) for name, own in parts)
        return [time(*one) for one in product(hours, minutes, seconds)]

    def _period(self, day: date) -> int:
        match self.frequency:
            case "DAILY":
                return day.toordinal()
            case "WEEKLY":
                return (day.toordinal() - 1 - self.week_starts) // 7
            case "MONTHLY":
                return day.year * 12 + day.month - 1
            case _:
                return day.year

    def _days_of(self, period: int) -> list[date]:
        match self.frequency:
            case "DAILY":
                first, count = date.fromordinal(period), 1
            case "WEEKLY":
                first, count = date.fromordinal(max(period * 7 + 1 + self.week_starts, 1)), 7
            case "MONTHLY":
                first, count = date(period // 12, period % 12 + 1, 1), _month_length(period // 12, period % 12 + 1)
            case _:
                first, count = date(period, 1, 1), _year_length(period)
        return [
            date.fromordinal(first.toordinal() + number) for number in range(count) if first.toordinal() + number <= date.max.toordinal()
        ]

    def _holds(self, day: date, start: datetime) -> bool:
        months, month_days, weekdays = self.numbers.get("BYMONTH"), self.numbers.get("BYMONTHDAY"), self.weekdays
        if not (month_days or weekdays or self.numbers.keys() & {"BYYEARDAY", "BYWEEKNO"}):  # what is not said is that of the beginning
            if self.frequency in ("MONTHLY", "YEARLY"):
                month_days = (start.day,)
            if self.frequency == "YEARLY":
                months = months or (start.month,)
            if self.frequency == "WEEKLY":
                weekdays = ((0, start.weekday()),)
        return (
            (months is None or day.month in months)
            and (month_days is None or _is_one(day.day, _month_length(day.year, day.month), month_days))
            and _is_one(day.timetuple().tm_yday, _year_length(day.year), self.numbers.get("BYYEARDAY"))
            and ("BYWEEKNO" not in self.numbers or _is_one(*_week(day, self.week_starts), self.numbers["BYWEEKNO"]))
            and (not weekdays or any(self._is_weekday(day, *one) for one in weekdays))
        )

    def _is_weekday(self, day: date, which: int, weekday: int) -> bool:
        if day.weekday() != weekday or not which:
            return day.weekday() == weekday
        of_year = self.frequency == "YEARLY" and "BYMONTH" not in self.numbers
        number, count = (day.timetuple().tm_yday, _year_length(day.year)) if of_year else (day.day, _month_length(day.year, day.month))
        return which in ((number - 1) // 7 + 1, -((count - number) // 7 + 1))


def _is_one(number: int, count: int, wanted: tuple[int, ...] | None) -> bool:
    """Whether the `number`-th of `count`, also counted from the end, is one of those wanted."""
    return wanted is None or number in wanted or number - count - 1 in wanted


def _month_length(year: int, month: int) -> int:
    return 31 if month == 12 else (date(year, month + 1, 1) - date(year, month, 1)).days


def _year_length(year: int) -> int:
    return (date(year, 12, 31) - date(year, 1, 1)).days + 1


def _week(day: date, starts: int) -> tuple[int, int]:
    """The number of a day's week in the year that has most of its days, and how many weeks that year has."""
    middle = day + timedelta(days=3 - (day.weekday() - starts) % 7)
    number, left = (middle.timetuple().tm_yday - 1) // 7 + 1, (_year_length(middle.year) - middle.timetuple().tm_yday) // 7
    return number, number + left


@lru_cache(maxsize=1_000)
def read(text: str) -> Rule:
    """Read a rule. Raises ValueError for what is not one, or is not supported."""
    parts = [part.partition("=")[::2] for part in text.upper().split(";")]
    said = dict(parts)
    if "FREQ" not in said or len(said) < len(parts):
        raise ValueError(f"{text!r} is not a recurrence rule")
    if said["FREQ"] not in _FREQUENCIES:
        raise ValueError(f"FREQ={said['FREQ']} is not one of {', '.join(_FREQUENCIES)}")
    if bound := said.keys() & {"UNTIL", "COUNT"}:
        raise ValueError(f"{min(bound)} cannot be used in a rule")
    if unknown := said.keys() - {"FREQ", "INTERVAL", "WKST", "BYDAY", *_NUMBERS}:
        raise ValueError(f"{min(unknown)!r} is not a part of a recurrence rule")
    numbers = {name: _numbers(name, value) for name, value in said.items() if name in _NUMBERS}
    interval = said.get("INTERVAL", "1")
    if not _INTEGER.fullmatch(interval) or int(interval) < 1:
        raise ValueError(f"INTERVAL={interval} is not a number above 0, so that this is not a recurrence rule")
    if said.get("WKST", "MO") not in _DAYS:
        raise ValueError(f"WKST={said['WKST']} is not a weekday in a recurrence rule")
    found = Rule(said["FREQ"], int(interval), _DAYS.index(said.get("WKST", "MO")), _weekdays(said), numbers)
    _check_together(text, found)
    return found


def _check_together(text: str, rule: Rule) -> None:
    """Raise ValueError for parts that do not go together."""
    if "BYWEEKNO" in rule.numbers and rule.frequency != "YEARLY":
        raise ValueError("BYWEEKNO needs FREQ=YEARLY")
    if "BYSETPOS" in rule.numbers and not (rule.weekdays or len(rule.numbers) > 1):
        raise ValueError(f"BYSETPOS has nothing to choose from, so that {text!r} is not a recurrence rule")
    if prod(len(set(rule.numbers.get(name, (0,)))) for name in ("BYHOUR", "BYMINUTE", "BYSECOND")) > _MOST_A_DAY:
        raise ValueError(f"the rule begins more than {_MOST_A_DAY} times a day")


def _numbers(name: str, text: str) -> tuple[int, ...]:
    least, most, backwards = _NUMBERS[name]
    found = [int(one) if _INTEGER.fullmatch(one) else -1_000 for one in text.split(",")]
    for one in found:
        if not (least <= one <= most or (backwards and least <= -one <= most)):
            raise ValueError(f"{name}={text[:50]} is not from {least} to {most}, so that this is not a recurrence rule")
    return tuple(found)


def _weekdays(said: dict[str, str]) -> tuple[tuple[int, int], ...]:
    found = []
    for one in said["BYDAY"].split(",") if "BYDAY" in said else ():
        known = _WEEKDAY.fullmatch(one)
        which = int(known[1] or 0) if known is not None else 99
        if known is None or abs(which) > 53 or (known[1] is not None and (not which or said["FREQ"] not in ("MONTHLY", "YEARLY"))):
            raise ValueError(f"BYDAY={said['BYDAY'][:50]} is not a list of weekdays for this recurrence rule")
        found.append((which, _DAYS.index(known[2])))
    return tuple(found)
