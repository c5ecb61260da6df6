"""The laws of counting: outages and blips, what is false, what is missed, and the `confirm` that is suggested."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.detection import DetectionPolicy
from vigie.core.events import Observed, Opened
from vigie.core.incident import DetectionState, step
from vigie.core.model import Cause, Status
from vigie.observation.assessment import Assessment, Spell, smallest

SECOND, BLIP = 1_000, 60_000
UP, DOWN, UNKNOWN = Status.UP, Status.DOWN, Status.UNKNOWN


def assessed(statuses: list[Status], policy: DetectionPolicy, *, every: int = 10 * SECOND, announce: bool = True) -> Assessment:
    """One service whose checks find these, ten seconds apart."""
    state, found, at = DetectionState("shop"), Assessment(BLIP), 0
    for number, status in enumerate(statuses, 1):
        at = number * every
        before = state
        cause = Cause.TCP_REFUSED if status is DOWN else None
        state, decisions = step(before, Observed(at, 1, number, status, cause), policy)
        found.take(before, state, decisions, at)
        for one in decisions:
            if announce and isinstance(one, Opened):
                found.announced(one.incident, one.at)
    found.end([state], at)
    return found


PLAIN = DetectionPolicy(2, recover=2, flapping=False)


@pytest.mark.parametrize(
    ("statuses", "outages", "blips"),
    [
        ([UP, DOWN, UP, UP], 0, 1),
        ([DOWN] * 6 + [UP, UP], 1, 0),
        ([DOWN] * 5 + [UP, UP], 0, 1),
        ([DOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, DOWN, UP, UP], 1, 0),
        ([UNKNOWN] * 9, 0, 0),
        ([UP] + [DOWN] * 8, 1, 0),
        ([UP, DOWN, DOWN], 0, 1),
    ],
)
def test_law_1_trouble_lasts_from_the_first_failure_to_the_first_good_check(statuses: list[Status], outages: int, blips: int) -> None:
    found = assessed(statuses, PLAIN)

    assert (found.outages, found.blips) == (outages, blips)


def test_law_2_a_notice_of_a_blip_is_false_and_one_that_was_not_sent_is_not() -> None:
    blip = [UP, DOWN, DOWN, UP, UP, UP]

    assert assessed(blip, PLAIN).false == [Spell("shop", 20 * SECOND, 20 * SECOND, 10 * SECOND)]
    assert assessed(blip, DetectionPolicy(3, flapping=False)).false == []
    assert assessed(blip, PLAIN, announce=False).false == []


def test_law_2_an_incident_that_good_checks_do_not_close_is_about_all_of_its_trouble() -> None:
    assert assessed([DOWN, DOWN, UP, DOWN, UP, DOWN, UP, DOWN, UP, UP], PLAIN).false == []


def test_law_3_an_outage_without_an_incident_is_missed() -> None:
    outage = [UP] + [DOWN] * 9 + [UP, UP]

    assert assessed(outage, DetectionPolicy(20, flapping=False)).missed == [Spell("shop", 20 * SECOND, 90 * SECOND)]
    assert assessed(outage, PLAIN).missed == []
    assert assessed(outage, PLAIN, announce=False).missed == []  # withheld, not missed


def test_law_4_minutes_to_notify_count_from_the_first_failure() -> None:
    found = assessed([UP] + [DOWN] * 9 + [UP] * 3 + [DOWN] * 9 + [UP] * 3, PLAIN)

    assert (found.delays_ms, found.median_ms, found.longest_ms) == ([10 * SECOND] * 2, 10 * SECOND, 10 * SECOND)
    assert (Assessment(BLIP).median_ms, Assessment(BLIP).longest_ms) == (None, None)


def tried(statuses: list[Status]) -> dict[int, Assessment]:
    return {confirm: assessed(statuses, DetectionPolicy(confirm, flapping=False)) for confirm in range(1, 11)}


def test_the_smallest_confirm_silences_every_blip_and_misses_no_outage() -> None:
    story = [DOWN, DOWN, DOWN, UP, UP, UP] * 2 + [DOWN] * 12 + [UP] * 3

    assert smallest(tried(story), assessed(story, DetectionPolicy(1, flapping=False))) == 4


def test_none_is_suggested_where_each_would_delay_an_outage_by_more_than_a_minute() -> None:
    story = [UP, DOWN, DOWN, UP, UP] + [DOWN] * 12 + [UP] * 3
    slow = {confirm: assessed(story, DetectionPolicy(confirm, flapping=False), every=50 * SECOND) for confirm in range(1, 11)}
    for one in slow.values():
        one.false.extend([Spell("shop", 0, 1)] if len(one.notified) and (one.longest_ms or 0) < 100 * SECOND else [])

    assert smallest(slow, assessed(story, DetectionPolicy(1, flapping=False), every=50 * SECOND)) is None


@given(statuses=st.lists(st.sampled_from([UP, UP, DOWN, DOWN, UNKNOWN]), max_size=60), confirm=st.integers(1, 6))
def test_every_outage_is_missed_or_known_and_nothing_false_is_an_outage(statuses: list[Status], confirm: int) -> None:
    found = assessed(statuses, DetectionPolicy(confirm, flapping=False))

    assert len(found.missed) + len(found.notified) <= found.outages
    assert all(one.lasted_ms < BLIP for one in found.false)
    assert all(one.lasted_ms >= BLIP for one in (*found.missed, *found.notified))
    assert found.of("shop").false == found.false
    assert found.of("blog").false == []
