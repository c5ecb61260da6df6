"""Rotations: somebody is always on call, one person at a time, and hand-overs are at their hour whatever the clocks do."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.model import Monitor
from vigie.core.notification import Circumstances
from vigie.planning import wall
from vigie.planning.maintenance import Maintenance, MaintenanceSpan, StartedMaintenance, spans_of
from vigie.planning.plan import Plan, circumstances, reached
from vigie.planning.rotation import Override, Rotation, newest_handover
from vigie.planning.windows import Once

PARIS, LORD_HOWE, NEW_YORK = (ZoneInfo(name) for name in ("Europe/Paris", "Australia/Lord_Howe", "America/New_York"))
HOUR, DAY = 3_600_000, 86_400_000
WEEK = timedelta(weeks=1)


def local(text: str) -> datetime:
    """A time of the clock on the wall."""
    return datetime.fromisoformat(text)


def at(text: str, zone: ZoneInfo = PARIS) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def weekly(*people: str, overrides: tuple[Override, ...] = ()) -> Rotation:
    return Rotation("primary", people or ("anna", "bob"), WEEK, local("2026-01-05 09:00"), PARIS, overrides)


@pytest.mark.parametrize(
    ("now", "person"),
    [
        ("2026-01-05 08:59", "bob"),  # it has no beginning
        ("2026-01-05 09:00", "anna"),
        ("2026-01-12 08:59", "anna"),
        ("2026-01-12 09:00", "bob"),
        ("2026-03-30 08:59", "bob"),  # nine o'clock, also after the clocks went forward
        ("2026-03-30 09:00", "anna"),
        ("2026-10-26 08:59", "bob"),
        ("2026-10-26 09:00", "anna"),
        ("2025-12-29 09:00", "bob"),
        ("2025-12-22 09:00", "anna"),
    ],
)
def test_turns_change_by_the_clock_on_the_wall(now: str, person: str) -> None:
    assert weekly().on_call(at(now)) == person


def test_an_override_takes_part_of_a_turn() -> None:
    rotation = weekly(overrides=(Override(at("2026-01-07 18:00"), at("2026-01-08 09:00"), "eve"),))

    shifts = list(rotation.shifts(at("2026-01-06 00:00"), at("2026-01-13 00:00")))

    assert [(wall.shown(one.start, PARIS).strftime("%d %H"), one.person, one.override) for one in shifts] == [
        ("05 09", "anna", False),
        ("07 18", "eve", True),
        ("08 09", "anna", False),
        ("12 09", "bob", False),
    ]
    assert [
        newest_handover(rotation, at(now), 12 * HOUR) is not None for now in ("2026-01-07 17:59", "2026-01-07 18:00", "2026-01-08 06:01")
    ] == [False, True, False]
    found = newest_handover(rotation, at("2026-01-08 10:00"), 12 * HOUR)
    assert found is not None
    assert (found.leaves, found.takes, found.at, found.until) == ("eve", "anna", at("2026-01-08 09:00"), at("2026-01-12 09:00"))


def test_the_last_of_overrides_that_overlap_counts() -> None:
    rotation = weekly(overrides=(Override(0, 10, "eve"), Override(5, 15, "dan")))

    assert [rotation.on_call(one) for one in (4, 5, 14)] == ["eve", "dan", "dan"]


def test_who_takes_over_from_himself_hands_nothing_over() -> None:
    rotation = weekly("anna", "anna", "bob")

    shift = rotation.current(at("2026-01-13 00:00"))

    assert (shift.start, shift.end, shift.person) == (at("2026-01-05 09:00"), at("2026-01-19 09:00"), "anna")
    assert newest_handover(rotation, at("2026-01-12 09:30"), 12 * HOUR) is None
    assert newest_handover(weekly("anna"), at("2026-01-12 09:30"), 12 * HOUR) is None


ROTATIONS = st.builds(
    Rotation,
    st.just("primary"),
    st.lists(st.sampled_from(["anna", "bob", "eve"]), min_size=1, max_size=4).map(tuple),
    st.sampled_from([timedelta(hours=1), timedelta(hours=8), timedelta(days=1), WEEK, timedelta(days=10)]),
    st.datetimes(local("2026-01-01"), local("2026-12-01")).map(lambda one: one.replace(second=0, microsecond=0)),
    st.sampled_from([PARIS, LORD_HOWE, NEW_YORK, ZoneInfo("Asia/Kathmandu")]),
    st.lists(
        st.builds(lambda start, hours, who: Override(start, start + hours * HOUR, who), st.integers(at("2026-03-20 00:00"), at("2026-04-10 00:00")), st.integers(1, 60), st.sampled_from(["dan", "anna"])),
        max_size=3,
    ).map(tuple),
)  # fmt: skip


@settings(max_examples=100)
@given(ROTATIONS, st.integers(at("2026-03-20 00:00"), at("2026-04-10 00:00")), st.integers(1, 10 * 24))
def test_shifts_follow_each_other_without_gap_or_overlap(rotation: Rotation, start: int, hours: int) -> None:
    shifts = list(rotation.shifts(start, start + hours * HOUR))

    assert shifts[0].start <= start < shifts[0].end
    assert shifts[-1].end >= start + hours * HOUR
    assert all(one.start < one.end for one in shifts)
    assert all(one.end == other.start for one, other in pairwise(shifts))
    assert all(rotation.on_call(instant) == one.person for one in shifts for instant in (one.start, one.end - 1))
    assert rotation.current(start).person == rotation.on_call(start)


def test_what_the_calendar_says_is_one_value() -> None:
    shop = Monitor("shop", "Shop", "http", "", "", 60_000, 10_000, tags=("eu",))
    works = Maintenance("maintenance[0]", Once(10, 20), tags=("eu",))
    plan, people = Plan((works,)), (("anna", ("mail",)), ("bob", ("sms", "mail")))
    who = reached(people, (weekly(),), at("2026-01-05 09:00"))

    assert works.covers(shop)
    assert not Maintenance("x", Once(10, 20), monitors=("other",)).covers(shop)
    assert StartedMaintenance(3, 10, 20).planned() == Maintenance("m3", Once(10, 20))
    assert circumstances(plan, 15).muted_until == 20
    assert circumstances(plan, 20).muted_until is None
    assert circumstances(plan, 15, who).reached_by == {"anna": ("mail",), "bob": ("sms", "mail"), "primary": ("mail",)}
    assert (who.start, who.end) == (at("2026-01-05 09:00"), at("2026-01-12 09:00"))
    assert circumstances(Plan(), 15) == Circumstances()


def test_spans_of_maintenance_are_told_by_monitor() -> None:
    spans = [MaintenanceSpan("a", 0, 10), MaintenanceSpan("b", 5, 20, ("shop",))]

    assert spans_of(spans, "shop") == [(0, 10), (5, 20)]
    assert spans_of(spans, "other") == [(0, 10)]
