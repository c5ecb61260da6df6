"""Failures between good checks: confirmed by time, by rate, and of a service that goes up and down.

Checks come as the engine makes them: regularly, and at the quick pace while the state asks for it.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, cycle, islice, pairwise, repeat

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vigie.core import intermittent
from vigie.core.detection import DetectionPolicy, Pattern, Rate, Severity
from vigie.core.events import IncidentDecision, Observed, Opened, Recovered, Resolved, Steadied, Suspected
from vigie.core.incident import DetectionState, Phase, step
from vigie.core.model import Status

from .machines import CAUSES, DOWN, SECOND, UNKNOWN, UP, seen

MINUTE, HOUR = 60_000, 3_600_000
OUTAGE = Severity.OUTAGE
DEFAULT = DetectionPolicy()
RATE = DetectionPolicy(rate=Rate(3, 10), flapping=False)

Answers = Callable[[int], Status]  # how the service is at an instant, epoch ms


def watched(ours: DetectionPolicy, answers: Answers, until: int, *, every: int = MINUTE) -> tuple[DetectionState, list[IncidentDecision]]:
    """A service checked until an instant as `vigie serve` does it."""
    state, found, at, number = DetectionState("shop"), list[IncidentDecision](), 0, 0
    while at <= until:
        number += 1
        status = answers(at)
        state, decisions = step(state, Observed(at, 1, number, status, CAUSES[status]), ours)
        found += decisions
        at += min(ours.confirm_every_ms, every) if state.quick else every
    return state, found


def by_turns(ours: DetectionPolicy, statuses: Iterable[Status], *, every: int = MINUTE) -> tuple[DetectionState, list[IncidentDecision]]:
    """A service whose checks find these, one after the other, whenever they are made."""
    state, found, at = DetectionState("shop"), list[IncidentDecision](), 0
    for number, status in enumerate(statuses, 1):
        state, decisions = step(state, Observed(at, 1, number, status, CAUSES[status]), ours)
        found += decisions
        at += min(ours.confirm_every_ms, every) if state.quick else every
    return state, found


def up_and_down(down_ms: int, up_ms: int) -> Answers:
    """Down first, then up, over and over."""
    return lambda at: DOWN if at % (down_ms + up_ms) < down_ms else UP


def told(found: Iterable[IncidentDecision]) -> list[str]:
    """What people would be notified of."""
    words = list[str]()
    patterns = dict[str, Pattern]()
    for one in found:
        if isinstance(one, Opened):
            patterns[one.incident] = one.pattern
            words.append("flapping" if one.pattern is Pattern.FLAPPING else "opened")
        elif isinstance(one, Steadied):
            patterns[one.incident] = Pattern.STEADY
            words.append("steady")
        elif isinstance(one, Recovered):
            words.append("stable" if patterns.get(one.incident) is Pattern.FLAPPING else "recovered")
    return words


# By time ------------------------------------------------------------------------------------------------------------------------------


def test_confirmed_by_time_it_opens_once_every_check_has_failed_for_so_long() -> None:
    ours = DetectionPolicy(2, confirm_ms=2 * MINUTE)
    _, found = watched(ours, lambda at: UP if at < MINUTE else DOWN, 10 * MINUTE)

    opened = next(one for one in found if isinstance(one, Opened))
    assert (opened.started_at, opened.at, opened.failures) == (MINUTE, 3 * MINUTE, 25)


def test_a_good_check_begins_the_time_anew() -> None:
    ours = DetectionPolicy(2, confirm_ms=60 * SECOND, flapping=False)
    _, found = by_turns(ours, [*repeat(DOWN, 11), UP, *repeat(DOWN, 20)])

    assert [one.at - one.started_at for one in found if isinstance(one, Opened)] == [60 * SECOND]


def test_a_span_needs_two_checks_however_far_apart_they_are() -> None:
    ours = DetectionPolicy(2, confirm_ms=2 * MINUTE)
    state, found = by_turns(ours, [DOWN], every=HOUR)
    assert (state.outage.phase, told(found)) == (Phase.SUSPECTED, [])

    late = Observed(9 * HOUR, 1, 2, DOWN, CAUSES[DOWN])
    assert told(step(state, late, ours)[1]) == ["opened"]


def test_what_vigie_could_not_see_does_not_break_a_span() -> None:
    ours = DetectionPolicy(2, confirm_ms=10 * SECOND, confirm_every_ms=5 * SECOND)
    assert told(by_turns(ours, [DOWN, UNKNOWN, DOWN])[1]) == ["opened"]


def test_recovered_by_time_it_closes_once_every_check_has_been_good_for_so_long() -> None:
    ours = DetectionPolicy(1, recover=2, recover_ms=5 * MINUTE)
    _, found = watched(ours, lambda at: DOWN if at < 3 * MINUTE or 6 * MINUTE <= at < 7 * MINUTE else UP, 20 * MINUTE)

    assert told(found) == ["opened", "recovered"]
    assert next(one.at for one in found if isinstance(one, Recovered)) == 12 * MINUTE


def test_a_clock_that_is_set_back_delays_a_span_and_breaks_nothing() -> None:
    ours = DetectionPolicy(2, confirm_ms=10 * SECOND)
    state = DetectionState("shop")
    for number, second in enumerate([100, 40, 45], 1):
        state, found = step(state, seen(DOWN, second, number), ours)
        assert told(found) == []
    assert told(step(state, seen(DOWN, 115, 9), ours)[1]) == ["opened"]


@pytest.mark.parametrize(
    ("ours", "expected"),
    [(DetectionPolicy(4), 4), (DetectionPolicy(2, confirm_ms=2 * MINUTE), 25), (DetectionPolicy(2, 0, confirm_ms=SECOND), 1_001)],
)
def test_how_many_failures_are_expected_at_the_quick_pace(ours: DetectionPolicy, expected: int) -> None:
    assert ours.expected_failures == expected


# By rate ------------------------------------------------------------------------------------------------------------------------------


def test_failures_between_good_checks_open_an_incident_by_rate_and_say_so() -> None:
    _, found = by_turns(RATE, [DOWN, UP, UP, DOWN, UP, UP, DOWN])

    assert [(one.pattern, one.failures) for one in found if isinstance(one, Opened)] == [(Pattern.SPREAD, 3)]


def test_failures_further_apart_than_the_rate_do_not() -> None:
    assert told(by_turns(RATE, islice(cycle([DOWN, UP, UP, UP, UP]), 100))[1]) == []


def test_an_incident_of_the_rate_stays_open_while_failures_go_on_and_closes_when_half_are_left() -> None:
    story = [*islice(cycle([DOWN, UP, UP]), 60), *repeat(UP, 10)]
    state, found = by_turns(RATE, story)

    assert told(found) == ["opened", "recovered"]
    assert state.outage.phase is Phase.HEALTHY


def test_a_failure_after_it_closed_does_not_open_it_again_at_once() -> None:
    story = [DOWN, UP, UP, DOWN, UP, UP, DOWN, *repeat(UP, 9), DOWN, UP, UP]
    assert told(by_turns(RATE, story)[1]) == ["opened", "recovered"]


def test_failures_in_a_row_are_an_ordinary_outage_and_recover_as_one() -> None:
    _, found = by_turns(RATE, [DOWN, DOWN, DOWN, UP, UP])

    assert told(found) == ["opened", "recovered"]
    assert next(one for one in found if isinstance(one, Opened)).pattern is Pattern.STEADY


def test_a_policy_that_loses_its_rate_closes_what_the_rate_opened_as_any_other() -> None:
    state, _ = by_turns(RATE, [DOWN, UP, UP, DOWN, UP, UP, DOWN])
    found = list[IncidentDecision]()
    for number in (20, 21):
        state, decisions = step(state, seen(UP, 9_000 + number, number), DetectionPolicy(flapping=False))
        found += decisions
    assert told(found) == ["recovered"]


# Flapping -----------------------------------------------------------------------------------------------------------------------------


def test_a_service_that_fails_every_other_check_is_notified_of_once() -> None:
    _, found = by_turns(DEFAULT, islice(cycle([DOWN, UP]), 300))

    assert told(found) == ["flapping"]
    assert next(one.at for one in found if isinstance(one, Opened)) <= 5 * MINUTE


def test_without_flap_detection_it_stays_a_series_of_suspicions() -> None:
    assert told(by_turns(DetectionPolicy(flapping=False), islice(cycle([DOWN, UP]), 300))[1]) == []


@pytest.mark.parametrize("every", [10 * SECOND, MINUTE])
@pytest.mark.parametrize(("down", "up"), [(2, 3), (5, 5), (10, 10), (3, 25)])
def test_a_service_that_goes_up_and_down_is_notified_of_as_flapping_once(down: int, up: int, every: int) -> None:
    """Two ordinary outages first, then one notice however long it goes on, then one that it is stable."""
    answers, last = up_and_down(down * MINUTE, up * MINUTE), 12 * HOUR
    _, found = watched(DEFAULT, lambda at: answers(at) if at < last else UP, last + 4 * HOUR, every=every)

    words = told(found)
    assert words[-2:] == ["flapping", "stable"]
    assert words[:-2] in ([], ["opened", "recovered"], ["opened", "recovered"] * 2)


@pytest.mark.parametrize("first", [[DOWN] * 5, [DOWN, UP, DOWN, DOWN, DOWN, UP, DOWN]], ids=["plain", "ragged"])
def test_an_outage_that_recovers_and_fails_once_more_is_not_flapping(first: list[Status]) -> None:
    story = chain(first, repeat(UP, 4), [DOWN] * 5, repeat(UP, 30))
    assert told(by_turns(DEFAULT, story)[1]) == ["opened", "recovered"] * 2


@pytest.mark.parametrize("blips", [1, 2, 3])
def test_some_failed_checks_that_a_recheck_clears_are_not_flapping(blips: int) -> None:
    story = [*islice(cycle([DOWN, UP, UP, UP]), 4 * blips), *repeat(UP, 60)]
    assert told(by_turns(DEFAULT, story)[1]) == []


def test_a_failed_check_an_hour_is_not_flapping_for_ever() -> None:
    assert told(watched(DEFAULT, lambda at: DOWN if at % HOUR == 0 else UP, 48 * HOUR)[1]) == []


def test_three_outages_a_day_are_three_outages() -> None:
    assert told(watched(DEFAULT, up_and_down(20 * MINUTE, 8 * HOUR), 24 * HOUR)[1]) == ["opened", "recovered"] * 3


def test_a_flapping_service_that_fails_for_good_is_notified_of_as_down() -> None:
    story = [*islice(cycle([DOWN, UP]), 40), *repeat(DOWN, 60), *repeat(UP, 3)]
    state, found = by_turns(DEFAULT, story)

    assert told(found) == ["flapping", "steady", "recovered"]
    assert state.outage.phase is Phase.HEALTHY


def test_while_it_flaps_it_is_checked_at_the_regular_pace() -> None:
    state, _ = by_turns(DEFAULT, islice(cycle([DOWN, UP]), 40))

    assert (state.outage.phase, state.outage.pattern, state.quick) == (Phase.RECOVERING, Pattern.FLAPPING, False)


def test_a_person_ends_it_and_what_was_remembered() -> None:
    state, _ = by_turns(DEFAULT, islice(cycle([DOWN, UP]), 40))
    state, _ = step(state, Resolved(3 * HOUR, "ann"), DEFAULT)

    assert state.resting
    assert told(step(state, seen(DOWN, 20_000, 99), DEFAULT)[1]) == []


def test_a_service_that_was_stable_again_begins_with_a_clean_slate() -> None:
    story = [*islice(cycle([DOWN, UP]), 40), *repeat(UP, 40), DOWN, DOWN, DOWN, UP, UP]
    assert told(by_turns(DEFAULT, story)[1]) == ["flapping", "stable", "opened", "recovered"]


@pytest.mark.parametrize("confirm", [1, 3])
def test_of_a_service_that_is_checked_once_an_hour_each_confirmed_outage_is_notified_of(confirm: int) -> None:
    """A few notices a day are no storm, and each is news."""
    ours = DetectionPolicy(confirm)
    _, found = watched(ours, up_and_down(3 * HOUR, 3 * HOUR), 26 * HOUR, every=HOUR)

    assert told(found) == ["opened", "recovered"] * 4 + ["opened"]


# Over runs ----------------------------------------------------------------------------------------------------------------------------


def test_a_state_is_read_as_it_was_written_between_any_two_checks() -> None:
    """As `vigie once` does it: everything that it needs is in the store."""
    state, found = DetectionState("shop"), list[IncidentDecision]()
    for number, status in enumerate([*islice(cycle([DOWN, UP]), 40), *repeat(UP, 40)], 1):
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=DetectionState)
        state, decisions = step(state, Observed(number * MINUTE, number, 1, status, CAUSES[status]), DEFAULT)
        found += decisions
    assert told(found) == ["flapping", "stable"]
    assert state.resting


def test_what_is_remembered_is_small() -> None:
    state, _ = by_turns(DEFAULT, islice(cycle([DOWN, UP]), 500))

    assert state.outage.history < 1 << 21
    assert len(state.outage.past) <= 2


# Properties ---------------------------------------------------------------------------------------------------------------------------

SPELLS = st.lists(st.tuples(st.sampled_from([UP, UP, DOWN, DOWN, UNKNOWN]), st.integers(1, 12)), max_size=30)
RATES = st.none() | st.integers(2, 8).flatmap(lambda failures: st.builds(Rate, st.just(failures), st.integers(failures + 1, 20)))
POLICIES = st.builds(
    DetectionPolicy,
    confirm=st.integers(1, 4),
    recover=st.integers(1, 3),
    confirm_ms=st.sampled_from([0, 10 * SECOND, 2 * MINUTE]),
    recover_ms=st.sampled_from([0, 10 * SECOND, 5 * MINUTE]),
    rate=RATES,
    flapping=st.booleans(),
)


def spelt(spells: Iterable[tuple[Status, int]]) -> Iterator[Status]:
    return chain.from_iterable(repeat(status, times) for status, times in spells)


@given(spells=SPELLS, ours=POLICIES)
def test_between_flapping_and_its_end_nothing_is_notified(spells: list[tuple[Status, int]], ours: DetectionPolicy) -> None:
    words = told(by_turns(ours, spelt(spells))[1])

    for first, then in pairwise(words):
        assert then in {"opened": ("recovered",), "flapping": ("steady", "stable"), "steady": ("recovered",)}.get(
            first, ("opened", "flapping")
        )


@given(spells=SPELLS, ours=POLICIES)
def test_an_incident_opens_at_a_failure_and_closes_at_a_good_check(spells: list[tuple[Status, int]], ours: DetectionPolicy) -> None:
    state = DetectionState("shop")
    for number, status in enumerate(spelt(spells), 1):
        state, decisions = step(state, seen(status, number), ours)
        if any(isinstance(one, Opened | Suspected | Steadied) for one in decisions):
            assert status is DOWN
        if any(isinstance(one, Recovered) for one in decisions):
            assert status is UP


@pytest.mark.timeout(240)  # hundreds of thousands of checks: a minute on a busy machine
@given(down=st.integers(1, 40), up=st.integers(1, 40), every=st.sampled_from([15 * SECOND, MINUTE]))
def test_no_rhythm_makes_it_flap_and_be_stable_by_turns(down: int, up: int, every: int) -> None:
    """Law 5 of intermittent.py."""
    words = told(watched(DEFAULT, up_and_down(down * MINUTE, up * MINUTE), 14 * HOUR, every=every)[1])

    assert words.count("flapping") <= 1
    assert "stable" not in words or down >= 30


@given(spells=SPELLS, confirm=st.integers(1, 4), recover=st.integers(1, 3))
def test_it_changes_nothing_about_outages_that_neither_flap_nor_have_a_rate(
    spells: list[tuple[Status, int]], confirm: int, recover: int
) -> None:
    watching = by_turns(DetectionPolicy(confirm, recover=recover), spelt(spells))[1]
    assume("flapping" not in told(watching))

    assert watching == by_turns(DetectionPolicy(confirm, recover=recover, flapping=False), spelt(spells))[1]


@given(spells=SPELLS, ours=POLICIES)
def test_once_all_is_well_for_long_enough_nothing_is_open(spells: list[tuple[Status, int]], ours: DetectionPolicy) -> None:
    state, found = by_turns(ours, chain(spelt(spells), repeat(UP, 120)))

    assert state.resting
    assert len([one for one in found if isinstance(one, Opened)]) == len([one for one in found if isinstance(one, Recovered)])


@given(history=st.integers(0, (1 << 21) - 1), bad=st.booleans())
def test_a_history_is_remembered_as_far_as_it_is_asked_for(history: int, bad: bool) -> None:
    after = intermittent.remembered(history, DEFAULT, bad=bad)

    assert after < 1 << 21
    assert after & 1 == bad
    assert intermittent.remembered(history, DetectionPolicy(flapping=False), bad=bad) == 0
