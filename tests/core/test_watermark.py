"""Backlogs of several locations: whoever is heard first, what is decided is what it would have been in time."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.detection import DetectionPolicy, PartialOutage, Severity
from vigie.core.events import IncidentDecision, Observed, Opened, Recovered
from vigie.core.incident import DetectionState, Phase, is_new, step
from vigie.core.model import Cause, Status
from vigie.core.watermark import MOST, PATIENCE_MS, patience_ms
from vigie.observation.locations import sightings

from .machines import SECOND

A, B, C = "amsterdam", "berlin", "cadiz"
UP, DOWN, UNKNOWN = Status.UP, Status.DOWN, Status.UNKNOWN
POLICY = DetectionPolicy(confirm=2, confirm_every_ms=2 * SECOND, recover=2, delay_ms=5 * SECOND, gap_ms=25 * SECOND)
T0 = 1_000_000_000
Seen = dict[str, Sequence[tuple[int, int]]]  # by location, when it fails, in seconds


def told(location: str, second: float, status: Status, heard: float | None = None) -> Observed:
    """A result at a second, heard in the same one or later."""
    at = T0 + round(second * SECOND)
    cause = {UP: None, DOWN: Cause.TCP_REFUSED, UNKNOWN: Cause.PROBE_NETWORK}[status]
    return Observed(
        at, 1, round(second * 1_000) + 1_000_000, status, cause, location, heard=at if heard is None else T0 + round(heard * SECOND)
    )


def checks(
    location: str, fails: Sequence[tuple[int, int]], start: int, end: int, every: int = 2, heard: float | None = None
) -> list[Observed]:
    """What a location says from one second to another."""
    shift = {A: 0.0, B: 0.3, C: 0.6}[location]
    return [
        told(location, one + shift, DOWN if any(a <= one + shift < b for a, b in fails) else UP, heard) for one in range(start, end, every)
    ]


def fed(events: Iterable[Observed], policy: DetectionPolicy = POLICY) -> tuple[DetectionState, list[IncidentDecision]]:
    state, found = DetectionState("shop"), list[IncidentDecision]()
    for one in events:
        state, decisions = step(state, one, policy)
        found += decisions
    return state, found


def incidents(found: Iterable[IncidentDecision]) -> list[tuple[str, str, float]]:
    """(opened or recovered, severity, second): since when, and when it was over."""
    return [
        (type(one).__name__, one.severity.value, ((one.started_at if isinstance(one, Opened) else one.at) - T0) / SECOND)
        for one in found
        if isinstance(one, Opened | Recovered)
    ]


def in_time(*places: list[Observed]) -> list[Observed]:
    return [replace(one, heard=one.at) for one in sorted((one for place in places for one in place), key=lambda one: one.at)]


CALM = in_time(checks(A, (), 0, 10), checks(B, (), 0, 10), checks(C, (), 0, 10))
OUTAGE = ((20, 40),)


def after_a_pause(order: Sequence[str], end: int = 60, outage: Sequence[tuple[int, int]] = OUTAGE) -> list[Observed]:
    """The server was away from 10 to `end`; then backlogs come, one location after the other."""
    backlogs = [one for place in order for one in checks(place, outage, 10, end, heard=end)]
    later = in_time(*(checks(place, outage, end, end + 30) for place in (A, B, C)))
    return [*CALM, *backlogs, *later]


ORDERS = [(A, B, C), (C, B, A), (B, A, C), (B, C, A)]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("end", [30, 60, 600])
def test_an_outage_that_all_saw_while_nobody_listened_is_one_outage(order: Sequence[str], end: int) -> None:
    state, found = fed(after_a_pause(order, end))

    assert [(what, severity) for what, severity, _ in incidents(found)] == [("Opened", "outage"), ("Recovered", "outage")]
    (_, _, began), (_, _, ended) = incidents(found)
    assert 20 <= began <= 22
    assert 40 <= ended <= 45
    assert state.held == ()


@pytest.mark.parametrize("order", ORDERS)
def test_what_is_decided_late_is_what_would_have_been_decided_in_time(order: Sequence[str]) -> None:
    late = after_a_pause(order)
    _, expected = fed(in_time(late))

    assert incidents(fed(late)[1]) == incidents(expected)


@pytest.mark.parametrize("order", ORDERS)
def test_an_outage_goes_on_while_one_backlog_of_its_end_is_heard(order: Sequence[str]) -> None:
    """It recovered in event time while the service was still down, because others were last heard before it failed."""
    before = in_time(*(checks(place, ((4, 70),), 0, 20) for place in (A, B, C)))
    backlogs = [one for place in order for one in checks(place, ((4, 70),), 20, 100, heard=100)]

    _, found = fed([*before, *backlogs])

    (opened, recovered) = incidents(found)
    assert opened[:2] == ("Opened", "outage")
    assert recovered[:2] == ("Recovered", "outage")
    assert recovered[2] >= 70


def test_a_partial_outage_of_the_past_is_one() -> None:
    backlogs = [one for place in (C, A, B) for one in checks(place, OUTAGE if place == C else (), 10, 60, heard=60)]

    _, found = fed([*CALM, *backlogs])

    assert {severity for _, severity, _ in incidents(found)} == {"degradation"}


def test_two_that_fell_silent_are_waited_for_as_long_as_they_could_need_if_they_lived() -> None:
    """What A sees alone may be an outage or a partial one; who does not say in time has no say."""
    cut, patience = in_time(checks(A, OUTAGE, 10, 60)), patience_ms(POLICY) // SECOND
    early, _ = fed([*CALM, *(one for one in cut if one.at < T0 + (20 + patience - 1) * SECOND)])
    assert early.held
    assert early.quick
    assert early.outage.phase is Phase.HEALTHY

    state, found = fed([*CALM, *cut])
    assert [(what, severity) for what, severity, _ in incidents(found)] == [("Opened", "outage"), ("Recovered", "outage")]
    assert {one.location for one in state.views if one.unresponsive} == {B, C}

    replays = [one for place in (B, C) for one in checks(place, OUTAGE, 10, 60, heard=60)]
    again, repeated = fed([*CALM, *cut, *replays])
    assert incidents(repeated) == incidents(found)
    assert not any(one.unresponsive for one in again.views)


def test_a_quorum_that_is_heard_waits_for_nobody() -> None:
    both = in_time(checks(A, ((20, 90),), 10, 60), checks(B, ((20, 90),), 10, 60))

    for known in range(len(both)):
        _, found = fed([*CALM, *both[: known + 1]])
        if [one for one in found if isinstance(one, Opened)]:
            break

    (opened,) = [one for one in found if isinstance(one, Opened)]
    assert (opened.severity, (opened.started_at - T0) // SECOND) == (Severity.OUTAGE, 20)
    assert both[known].at - T0 <= 25 * SECOND


def test_a_dead_location_delays_an_outage_by_its_patience_and_nothing_after_it() -> None:
    two = in_time(checks(A, (), 0, 16), checks(B, (), 0, 10))
    alone = in_time(checks(A, ((20, 60), (80, 120)), 16, 200))
    told: list[tuple[int, list[tuple[str, str, float]]]] = [
        (event.at, incidents(fed([*two, *alone[: number + 1]])[1][-1:])) for number, event in enumerate(alone)
    ]
    changes = [(at, one) for (_, before), (at, ones) in pairwise(told) if ones != before for one in ones]

    opened, recovered, again, over = [((at - T0) / SECOND, one) for at, one in changes]
    assert opened[1] == ("Opened", "outage", 20.0)
    assert 20 + patience_ms(POLICY) / SECOND - 1 <= opened[0] <= 20 + patience_ms(POLICY) / SECOND + 2
    assert [one[:2] for _, one in (recovered, again, over)] == [("Recovered", "outage"), ("Opened", "outage"), ("Recovered", "outage")]
    assert [at for at, _ in (recovered, again, over)] == [62, 82, 122], "the second check, as if there were nobody else"


def test_the_last_word_of_who_does_not_answer_makes_no_partial_outage() -> None:
    """It was good, and is not stale yet, while the outage goes on at the monitor's own pace."""
    two = in_time(checks(A, (), 0, 20), checks(B, (), 0, 20))

    state, found = fed([*two, *in_time(checks(A, ((20, 900),), 20, 180))])

    assert [what for what, _, _ in incidents(found)] == ["Opened"]
    assert state.outage.phase is Phase.OPEN
    assert [(one.location, one.silent) for one in sightings(state.views, POLICY.stale_ms)] == [(A, False), (B, True)]


def test_while_nobody_is_heard_it_may_be_us_who_do_not_listen() -> None:
    """The server stands still for a minute after the first failure; then A is heard a moment before B, which finds the service well."""
    two = in_time(checks(A, (), 0, 20), checks(B, (), 0, 10))
    first, then = told(A, 20, DOWN), [told(A, second, DOWN, heard=80) for second in range(76, 80)]
    state, found = fed([*two, first, *then])
    assert state.held
    assert found == []

    state, found = fed(
        [*two, first, *then, *checks(B, (), 12, 80, heard=80.2), *in_time(checks(A, ((20, 900),), 80, 90), checks(B, (), 80, 90))]
    )
    assert {severity for _, severity, _ in incidents(found)} == {"degradation"}


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    """A failure waits for B, and the clock goes back by an hour: what is heard then is not awaited for that hour."""
    two = in_time(checks(A, (), 4_000, 4_020), checks(B, (), 4_000, 4_010))
    later = [
        replace(one, sequence=one.sequence + 9_000_000)
        for one in in_time(checks(A, ((0, 900),), 420, 440), checks(B, ((0, 900),), 420, 440))
    ]

    state, found = fed([*two, told(A, 4_020, DOWN), *later])

    assert [(what, severity) for what, severity, _ in incidents(found)] == [("Opened", "outage")]
    assert state.held == ()
    assert max(one.since for one in state.views) <= T0 + 4_020 * SECOND


def test_who_does_not_come_back_has_no_vote_about_what_it_did_not_see() -> None:
    """A minute after the backlog of one was heard it is judged alone, not with what the others said before."""
    backlog = checks(A, OUTAGE, 10, 60, heard=60)
    alone = in_time(checks(A, OUTAGE, 60, 60 + PATIENCE_MS // SECOND + 10))

    state, found = fed([*CALM, *backlog])
    assert incidents(found) == []
    assert state.held
    state, found = fed([*CALM, *backlog, *alone])
    assert [(what, severity) for what, severity, _ in incidents(found)] == [("Opened", "outage"), ("Recovered", "outage")]
    assert state.held == ()

    late = [one for place in (B, C) for one in checks(place, (), 10, 130, heard=140)]
    assert incidents(fed([*CALM, *backlog, *alone, *late])[1]) == incidents(found), "that is history by then"


def test_a_location_that_was_not_looking_says_nothing_about_meanwhile() -> None:
    """The server's own location is away with it, and is heard again before the backlog of the other is."""
    two = in_time(checks(A, (), 0, 10), checks(B, (), 0, 10))
    back = [told(A, 60, UP), *checks(B, OUTAGE, 10, 60, heard=61), *in_time(checks(A, (), 62, 80), checks(B, (), 62, 80))]

    _, found = fed([*two, *back])

    assert [(what, severity) for what, severity, _ in incidents(found)] == [("Opened", "outage"), ("Recovered", "outage")]


def test_good_results_of_a_good_service_wait_for_nobody() -> None:
    state, found = fed([*CALM, *checks(A, (), 10, 600, heard=600)])

    assert (state.held, found) == ((), [])
    assert next(one.at for one in state.views if one.location == A) == T0 + 598 * SECOND


def test_no_more_than_so_many_wait() -> None:
    state, _ = fed([*CALM, *checks(A, ((0, 9_000),), 10, 10 + 2 * (MOST + 50), heard=3_000)])

    assert len(state.held) <= MOST


def test_what_waits_is_known_and_taken_once() -> None:
    backlog = checks(A, OUTAGE, 10, 60, heard=60)
    state, _ = fed([*CALM, *backlog])

    for one in backlog:
        assert not is_new(state, one)
        assert step(state, one, POLICY) == (state, ())


PLACES = st.permutations([A, B, C])
TIMES = st.lists(st.integers(6, 50), min_size=2, max_size=6, unique=True).map(sorted)


@settings(max_examples=40, deadline=None)
@given(order=PLACES, times=TIMES, minority=st.none() | st.sampled_from([A, B, C]), partial=st.sampled_from(PartialOutage))
def test_whatever_the_order_of_backlogs_the_same_is_decided(
    order: Sequence[str], times: list[int], minority: str | None, partial: PartialOutage
) -> None:
    """Of whoever fails, and of three who all come back: as if each result had been heard when it was measured."""
    policy = replace(POLICY, partial_outage=partial)
    spans = [(a * 2, b * 2) for a, b in pairwise(times)][::2]
    fails = {place: spans if minority in (None, place) else () for place in (A, B, C)}
    backlogs = {place: checks(place, fails[place], 10, 110, heard=110) for place in (A, B, C)}
    in_turn = [one for place in order for one in backlogs[place]]
    together = sorted((one for ones in backlogs.values() for one in ones), key=lambda one: one.at)

    state, found = fed([*CALM, *in_turn], policy)

    assert incidents(found) == incidents(fed([*CALM, *together], policy)[1])
    assert len(state.views) == 3
