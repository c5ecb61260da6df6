"""Recurrence rules: the same instants as python-dateutil finds, and no rule that takes long."""

from datetime import date, datetime, time
from time import process_time

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.planning import recurrence

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
START = datetime.fromisoformat("2024-01-31T02:30")
FIRST, LAST = date(2026, 12, 20), date(2028, 3, 2)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """A rule of which both say the same: python-dateutil wants each of `MO` and `2MO` to hold, and begins the first week in its middle."""
    frequency = draw(st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY")))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 5))}", f"WKST={draw(st.sampled_from(DAYS))}"]
    counted = frequency in ("MONTHLY", "YEARLY")
    numbers = {
        "BYMONTH": st.integers(1, 12),
        "BYMONTHDAY": st.integers(1, 31) | st.integers(-31, -1),
        "BYYEARDAY": st.integers(1, 366) | st.integers(-366, -1),
        "BYHOUR": st.integers(0, 23),
        "BYMINUTE": st.integers(0, 59),
        **({"BYWEEKNO": st.integers(1, 53)} if frequency == "YEARLY" else {}),
    }
    drawn = {
        name: draw(st.sets(numbers[name], min_size=1, max_size=8)) for name in draw(st.sets(st.sampled_from(sorted(numbers)), max_size=2))
    }
    parts += [f"{name}=" + ",".join(str(one) for one in values) for name, values in drawn.items()]
    if days := draw(st.sets(st.sampled_from(DAYS), max_size=4)):
        which = draw(st.sampled_from(("", "1", "2", "-1", "5", "-5"))) if counted else ""
        parts.append("BYDAY=" + ",".join(f"{which}{day}" for day in sorted(days)))
        if counted and draw(st.booleans()):
            parts.append(f"BYSETPOS={draw(st.sampled_from((1, 2, -1, -3)))}")
    return ";".join(parts)


@given(rules())
@settings(max_examples=40, deadline=None)
def test_a_rule_is_due_when_dateutil_says_so(rule: str) -> None:
    expected = rrulestr(f"{rule};UNTIL=20280302T235959", dtstart=START).between(
        datetime.combine(FIRST, time.min), datetime.combine(LAST, time.max), inc=True
    )

    assert list(recurrence.read(rule).days(START, FIRST, LAST)) == expected


@pytest.mark.parametrize(
    "rule", ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY", "FREQ=YEARLY;INTERVAL=99999"]
)
def test_a_rule_that_began_long_ago_or_never_comes_true_takes_no_longer(rule: str) -> None:
    started = process_time()

    found = list(recurrence.read(rule).days(datetime.fromisoformat("0001-01-01T02:00"), FIRST, LAST))

    assert len(found) == (439 if rule == "FREQ=DAILY" else 0)
    assert process_time() - started < 1


def test_a_weekday_and_one_of_the_month_are_alternatives() -> None:
    """RFC 5545 has a list; python-dateutil wants both to hold."""
    found = recurrence.read("FREQ=MONTHLY;BYDAY=1FR,MO").days(START, date(2026, 6, 1), date(2026, 6, 30))

    assert [one.day for one in found] == [1, 5, 8, 15, 22, 29]
