"""Windows and quiet hours: exact over the changes of the clocks in several zones, compared with a clock that is read minute by minute."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.planning import wall
from vigie.planning.maintenance import Maintenance
from vigie.planning.plan import Plan, circumstances, unchanged_until
from vigie.planning.windows import ByRule, Once, QuietHours, Recurring, Weekly, held_until

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "America/Santiago",
        "Pacific/Apia", "Pacific/Chatham", "UTC",
    )
]  # fmt: skip
PARIS, NEW_YORK, LORD_HOWE, KATHMANDU = ZONES[:4]
EVERY_DAY = tuple(range(7))


def local(text: str) -> datetime:
    """A time of the clock on the wall."""
    return datetime.fromisoformat(text)


def at(text: str, zone: ZoneInfo = PARIS, fold: int = 0) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp() * 1000)


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "local", "begins", "ends"),
    [
        (PARIS, "2026-06-01 02:30", "2026-06-01 00:30", "2026-06-01 00:30"),
        (PARIS, "2026-03-29 02:30", "2026-03-29 01:00", "2026-03-29 01:00"),  # does not come: the moment of the change
        (PARIS, "2026-03-29 02:00", "2026-03-29 01:00", "2026-03-29 01:00"),
        (PARIS, "2026-03-29 03:00", "2026-03-29 01:00", "2026-03-29 01:00"),
        (PARIS, "2026-10-25 02:30", "2026-10-25 00:30", "2026-10-25 01:30"),  # comes twice
        (PARIS, "2026-10-25 03:00", "2026-10-25 02:00", "2026-10-25 02:00"),
        (NEW_YORK, "2026-03-08 02:15", "2026-03-08 07:00", "2026-03-08 07:00"),
        (NEW_YORK, "2026-11-01 01:15", "2026-11-01 05:15", "2026-11-01 06:15"),
        (LORD_HOWE, "2026-10-04 02:10", "2026-10-03 15:30", "2026-10-03 15:30"),  # half an hour forward
        (LORD_HOWE, "2026-04-05 01:40", "2026-04-04 14:40", "2026-04-04 15:10"),  # and back
        (KATHMANDU, "2026-03-29 02:30", "2026-03-28 20:45", "2026-03-28 20:45"),
        (ZoneInfo("Pacific/Apia"), "2011-12-30 12:00", "2011-12-30 10:00", "2011-12-30 10:00"),  # a day that was left out
    ],
)
def test_a_time_that_is_skipped_is_the_change_and_one_that_comes_twice_begins_first_and_ends_last(
    zone: ZoneInfo, local: str, begins: str, ends: str
) -> None:
    assert wall.begins(datetime.fromisoformat(local), zone) == utc(begins)
    assert wall.ends(datetime.fromisoformat(local), zone) == utc(ends)


ANY_ZONE = st.sampled_from(ZONES)
# Whole minutes near a change of the clocks, or anywhere in two years.
CHANGES = [
    utc(day)
    for day in ("2026-03-29 01:00", "2026-10-25 01:00", "2026-03-08 07:00", "2026-11-01 06:00", "2026-10-03 15:30", "2026-04-04 15:00")
]
NEAR = st.builds(lambda change, minutes: change + minutes * MINUTE, st.sampled_from(CHANGES), st.integers(-3_000, 3_000))
INSTANT = NEAR | st.integers(utc("2025-01-01") // MINUTE, utc("2027-01-01") // MINUTE).map(lambda minute: minute * MINUTE)
TIME = st.builds(time, st.integers(0, 23), st.sampled_from([0, 10, 15, 30, 45, 59]))


@given(INSTANT, ANY_ZONE)
def test_the_readings_hold_the_instant_that_shows_the_time(instant: int, zone: ZoneInfo) -> None:
    local = wall.shown(instant, zone)

    assert wall.begins(local, zone) <= instant <= wall.ends(local, zone)
    assert wall.shown(wall.begins(local, zone), zone) == local == wall.shown(wall.ends(local, zone), zone)


@given(st.datetimes(local("2025-01-01"), local("2027-01-01")), st.timedeltas(timedelta(0), timedelta(days=2)), ANY_ZONE)
def test_a_later_time_of_the_wall_is_never_earlier(early: datetime, more: timedelta, zone: ZoneInfo) -> None:
    early, later = early.replace(microsecond=0), (early + more).replace(microsecond=0)

    assert wall.begins(early, zone) <= wall.begins(later, zone)
    assert wall.ends(early, zone) <= wall.ends(later, zone)


def _is_in(quiet: QuietHours, local: datetime) -> bool:
    """By the clock on the wall alone."""
    until, now = quiet.until or time(23, 59, 59, 999_999), local.time()
    if quiet.until is None or quiet.since < quiet.until:
        return local.weekday() in quiet.days and quiet.since <= now < until
    tonight, last_night = local.weekday() in quiet.days, (local - timedelta(days=1)).weekday() in quiet.days
    return (tonight and now >= quiet.since) or (last_night and now < quiet.until)


@settings(max_examples=300)
@given(INSTANT, ANY_ZONE, TIME, TIME | st.none(), st.sets(st.integers(0, 6), min_size=1))
def test_it_is_quiet_exactly_when_the_clock_shows_quiet_hours(
    instant: int, zone: ZoneInfo, since: time, until: time | None, days: set[int]
) -> None:
    if since == until:
        return
    quiet = QuietHours(since, until, tuple(sorted(days)), zone)
    local, end = wall.shown(instant, zone), held_until([quiet], instant)

    twice = any(
        wall.shown(instant + shift, zone).date() == local.date() and zone_offset(instant + shift, zone) != zone_offset(instant, zone)
        for shift in (-DAY, DAY, -2 * HOUR, 2 * HOUR)
    )
    if twice or _near_a_change(instant, zone):
        assert end is not None or not _is_in(
            quiet, local
        )  # what is quiet by the clock is quiet; where a time comes twice, so is what lies between
    else:
        assert (end is not None) == _is_in(quiet, local)
    if end is not None:
        assert end > instant
        assert held_until([quiet], end) is None or end - instant >= 40 * DAY


def zone_offset(instant: int, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(instant / 1000, zone).utcoffset()


def _near_a_change(instant: int, zone: ZoneInfo) -> bool:
    return len({zone_offset(instant + hours * HOUR, zone) for hours in range(-3, 4)}) > 1


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-28 21:59", None),
        ("2026-03-28 22:00", "2026-03-29 07:00"),  # a night of eight hours, Saturday's
        ("2026-03-29 06:59", "2026-03-29 07:00"),
        ("2026-03-29 07:00", None),
        ("2026-03-29 22:30", None),  # Sunday is not listed
        ("2026-03-30 06:30", None),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(now: str, until: str | None) -> None:
    quiet = QuietHours(time(22), time(7), (4, 5), PARIS)

    assert held_until([quiet], at(now)) == (None if until is None else at(until))


def test_a_weekend_of_whole_days_is_one_span() -> None:
    quiet = QuietHours(time(), None, (5, 6), PARIS)

    assert held_until([quiet], at("2026-10-24 10:00")) == at("2026-10-26 00:00")


@pytest.mark.parametrize(
    ("rule", "length", "zone", "around", "spans"),
    [
        (Weekly((6,), time(2)), 2 * HOUR, PARIS, "2026-03-29", [("2026-03-29 01:00", "2026-03-29 03:00")]),  # at three o'clock, for two whole hours
        (Weekly((6,), time(2, 30)), HOUR, PARIS, "2026-10-25", [("2026-10-25 00:30", "2026-10-25 01:30")]),  # at the first half past two
        (Weekly(EVERY_DAY, time(2, 15)), HOUR, LORD_HOWE, "2026-10-04", [("2026-10-03 15:30", "2026-10-03 16:30")]),
        (Weekly(EVERY_DAY, time(3)), HOUR, KATHMANDU, "2026-10-04", [("2026-10-03 21:15", "2026-10-03 22:15")]),
        (ByRule("FREQ=MONTHLY;BYDAY=-1SU;BYHOUR=2;BYMINUTE=30", local("2024-01-01")), HOUR, PARIS, "2026-03-29", [("2026-03-29 01:00", "2026-03-29 02:00")]),
        (ByRule("FREQ=WEEKLY;INTERVAL=2", local("2026-01-05 01:00")), HOUR, NEW_YORK, "2026-03-16", [("2026-03-16 05:00", "2026-03-16 06:00")]),
        (ByRule("FREQ=WEEKLY;INTERVAL=2", local("2026-01-05 01:00")), HOUR, NEW_YORK, "2026-03-09", []),
        (ByRule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", local("2024-01-01")), HOUR, PARIS, "2026-03-02", []),  # never
    ],
)  # fmt: skip
def test_a_window_begins_by_the_wall_and_lasts_as_said(
    rule: Weekly | ByRule, length: int, zone: ZoneInfo, around: str, spans: list[tuple[str, str]]
) -> None:
    start = wall.begins(datetime.fromisoformat(around), zone)

    found = list(Recurring((rule,), length, zone).spans(start, start + 20 * HOUR))

    assert found == [(utc(begin), utc(end)) for begin, end in spans]


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "every sunday",
        "FREQ=HOURLY",
        "FREQ=WEEKLY;COUNT=3",
        "FREQ=DAILY;UNTIL=20260101T000000",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=DAILY;BYHOUR=99;NONSENSE=1",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;BYMONTH=13",
        "FREQ=MONTHLY;BYDAY=99MO",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=MONTHLY;BYSETPOS=1",
        "FREQ=DAILY;WKST=XX",
        "FREQ=DAILY;BYHOUR=1,2;BYMINUTE=" + ",".join(str(one) for one in range(60)),
        "FREQ=DAILY\nRDATE:20240101",
    ],
)
def test_what_is_not_a_rule_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match=r"rule|FREQ"):
        ByRule(rule, local("2026-01-01"))


@given(INSTANT, st.integers(1, 40 * 24), ANY_ZONE, st.sets(st.integers(0, 6), min_size=1), TIME, st.integers(1, 30 * 24))
@settings(max_examples=150)
def test_spans_are_those_of_every_day_looked_at_by_itself(
    instant: int, hours: int, zone: ZoneInfo, days: set[int], due: time, length: int
) -> None:
    window = Recurring((Weekly(tuple(days), due),), length * HOUR, zone)
    end = instant + hours * HOUR

    first = wall.shown(instant, zone).date() - timedelta(days=length // 24 + 3)
    listed = [datetime.combine(first + timedelta(days=number), due) for number in range(length // 24 + hours // 24 + 8)]
    begins = [wall.begins(one, zone) for one in listed if one.weekday() in days]

    assert list(window.spans(instant, end)) == [(one, one + length * HOUR) for one in begins if one < end and one + length * HOUR > instant]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=8), st.integers(0, 90))
def test_what_touches_or_overlaps_holds_as_one(drawn: list[tuple[int, int]], now: int) -> None:
    windows = [Once(start, start + length) for start, length in drawn]

    held = [any(one.start <= instant < one.end for one in windows) for instant in range(200)]
    expected = None if not held[now] else held.index(False, now)

    assert held_until(windows, now) == expected


@given(NEAR, st.integers(0, 60), ANY_ZONE, TIME, st.integers(1, 30), TIME, TIME | st.none())
def test_nothing_changes_before_it_is_said_to(
    instant: int, minutes: int, zone: ZoneInfo, due: time, hours: int, since: time, until: time | None
) -> None:
    window = Recurring((Weekly((0, 3, 5, 6), due),), hours * HOUR // 4, zone)
    quiet = None if since == until else QuietHours(since, until, (2, 6), zone)
    plan = Plan((Maintenance("maintenance[0]", window),), quiet)

    end = unchanged_until(plan, instant)

    assert instant < end <= instant + HOUR
    later = min(instant + minutes * MINUTE, end - 1)
    assert circumstances(plan, later) == circumstances(plan, instant)


def test_the_bounds_of_a_recurring_window_are_those_of_its_beginnings() -> None:
    window = Recurring((Weekly(EVERY_DAY, time(23)),), 2 * HOUR, PARIS, at("2026-06-10 00:00"), at("2026-06-12 00:00"))

    found = [wall.shown(begin, PARIS).date() for begin, _ in window.spans(at("2026-06-01 00:00"), at("2026-07-01 00:00"))]

    assert found == [date(2026, 6, 10), date(2026, 6, 11)]
    assert held_until([window], at("2026-06-12 00:30")) == at("2026-06-12 01:00")  # what has begun goes on to its end


def test_what_holds_for_ever_is_followed_for_a_while() -> None:
    always = Recurring((Weekly(EVERY_DAY, time()),), 25 * HOUR, PARIS)

    end = held_until([always], at("2026-06-10 00:00"))

    assert end is not None
    assert 40 * DAY <= end - at("2026-06-10 00:00") < 42 * DAY
