"""Weeks and months: when each is told, how long it was where the clocks change, and how it is named at the turn of a year."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from vigie.planning.period import Every, named, newest

PARIS, LORD_HOWE, AUCKLAND, SANTIAGO = (
    ZoneInfo(name) for name in ("Europe/Paris", "Australia/Lord_Howe", "Pacific/Auckland", "America/Santiago")
)
WEEKLY, MONTHLY = Every.WEEKLY, Every.MONTHLY
HOUR = 3_600_000


def at(text: str, zone: ZoneInfo = PARIS) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "every", "zone", "name", "hours"),
    [
        ("2026-11-23 07:59:59", WEEKLY, PARIS, "2026-W46", 168),
        ("2026-11-23 08:00", WEEKLY, PARIS, "2026-W47", 168),
        ("2026-11-29 23:59", WEEKLY, PARIS, "2026-W47", 168),
        ("2026-11-30 07:59", WEEKLY, PARIS, "2026-W47", 168),
        ("2026-12-01 07:59", MONTHLY, PARIS, "2026-M10", 745),  # the clocks went back on the 25th
        ("2026-12-01 08:00", MONTHLY, PARIS, "2026-M11", 720),
        ("2026-03-30 08:00", WEEKLY, PARIS, "2026-W13", 167),  # and forward on the 29th of March
        ("2026-10-26 08:00", WEEKLY, PARIS, "2026-W43", 169),
        ("2026-04-06 08:00", WEEKLY, LORD_HOWE, "2026-W14", 168.5),  # by half an hour
        ("2026-09-07 08:00", WEEKLY, SANTIAGO, "2026-W36", 167),  # a Sunday that begins at one o'clock
        ("2026-01-01 08:00", MONTHLY, PARIS, "2025-M12", 744),
        ("2026-01-01 07:00", MONTHLY, PARIS, "2025-M11", 720),
        ("2024-03-01 08:00", MONTHLY, PARIS, "2024-M02", 696),  # a leap year
        ("2026-12-28 08:00", WEEKLY, PARIS, "2026-W52", 168),
        ("2027-01-04 08:00", WEEKLY, PARIS, "2026-W53", 168),  # 53 weeks
        ("2026-01-05 08:00", WEEKLY, PARIS, "2026-W01", 168),  # begins in 2025
        ("2027-01-11 08:00", WEEKLY, AUCKLAND, "2027-W01", 168),
    ],
)
def test_what_is_told_when(now: str, every: Every, zone: ZoneInfo, name: str, hours: float) -> None:
    found = newest(at(now, zone), every, zone)
    assert (found.name, (found.end - found.start) / HOUR) == (name, hours)


@pytest.mark.parametrize("every", list(Every))
def test_periods_follow_each_other_without_a_gap_and_are_found_by_their_names(every: Every) -> None:
    before = newest(at("2024-01-15 12:00"), every, PARIS)
    for day in range(1, 1_200):
        now = at("2024-01-15 12:00") + day * 24 * HOUR
        found = newest(now, every, PARIS)
        assert found.end <= now
        assert found == before or found.start == before.end
        assert named(found.name, PARIS) == found
        before = found


def test_the_zone_decides_what_day_it_is() -> None:
    monday = round(datetime(2026, 11, 22, 20, tzinfo=UTC).timestamp() * 1000)
    assert newest(monday, WEEKLY, AUCKLAND).name == "2026-W47"
    assert newest(monday, WEEKLY, PARIS).name == "2026-W46"


@pytest.mark.parametrize("name", ["", "2026", "2026-W54", "2026-M13", "2026-11", "shop-7", "2026-Mx"])
def test_what_names_no_period_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        named(name, PARIS)
