"""Vigie's own sight: lost once, regained once, told once, if it was long enough."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.model import Cause
from vigie.observation.visibility import Blind, Decision, Event, Lasting, Lost, Regained, Seen, Silent, Stopped, Unseen, Visibility, step

MINUTE, HOUR = 60_000, 3_600_000
TELL = 2 * MINUTE
NETWORK, ERROR = Cause.PROBE_NETWORK, Cause.PROBE_ERROR


def run(*events: Event, sight: Visibility | None = None) -> tuple[Visibility, list[Decision]]:
    sight, found = sight or Visibility(), list[Decision]()
    for event in events:
        sight, decisions = step(sight, event, TELL)
        found += decisions
    return sight, found


def unseen(*minutes: float) -> list[Event]:
    return [Unseen(round(one * MINUTE), NETWORK) for one in minutes]


def test_a_span_is_from_the_first_check_that_could_not_see_to_the_first_that_could() -> None:
    _, found = run(Seen(0), *unseen(1, 2), Seen(150_000), Seen(200_000))
    first = Blind(1, MINUTE, NETWORK)
    assert found == [Lost(first), Regained(Blind(1, MINUTE, NETWORK, 150_000), announced=False)]


def test_one_that_lasts_is_an_incident_and_is_told_at_its_end() -> None:
    _, found = run(*unseen(1, 2, 3, 4, 5), Seen(6 * MINUTE))
    assert [type(one) for one in found] == [Lost, Lasting, Regained]
    assert found[1] == Lasting(Blind(1, MINUTE, NETWORK), 3 * MINUTE)
    assert found[-1] == Regained(Blind(1, MINUTE, NETWORK, 6 * MINUTE), announced=True)
    assert found[-1].span.incident == "vigie-1"


@pytest.mark.parametrize(("length", "told"), [(TELL - 1, False), (TELL, True)])
def test_only_what_lasted_is_told(length: int, told: bool) -> None:
    _, found = run(Unseen(0, NETWORK), Seen(length))
    assert found[-1] == Regained(Blind(1, 0, NETWORK, length), told)


def test_silence_is_a_span_as_soon_as_it_is_over() -> None:
    _, found = run(Silent(HOUR, 0))
    assert found == [Regained(Blind(1, 0, ERROR, HOUR), announced=True)]
    _, found = run(Silent(HOUR, 0, 5_000))
    assert found == [Regained(Blind(1, 0, ERROR, HOUR), announced=False)], "it was the clock that stepped"


def test_a_stop_that_was_asked_for_is_not_told() -> None:
    sight, found = run(Stopped(0))
    assert found == [Lost(Blind(1, 0, ERROR, quiet=True))]
    _, found = run(Seen(HOUR), sight=sight)
    assert found == [Regained(Blind(1, 0, ERROR, HOUR, quiet=True), announced=False)]


def test_who_is_started_again_and_cannot_see_is_blind_from_then_on() -> None:
    sight, _ = run(Stopped(0))
    _, found = run(*[Unseen(HOUR + one, NETWORK) for one in (0, MINUTE)], Seen(HOUR + 2 * MINUTE), sight=sight)
    assert [(type(one), one.span.start, one.span.number) for one in found] == [(Regained, 0, 1), (Lost, HOUR, 2), (Regained, HOUR, 2)]
    assert [one.announced for one in found if isinstance(one, Regained)] == [False, True]


def test_a_stop_while_blind_and_silence_while_blind_change_nothing() -> None:
    _, found = run(Unseen(0, NETWORK), Stopped(MINUTE), Silent(HOUR, MINUTE), Seen(2 * HOUR))
    assert found == [Lost(Blind(1, 0, NETWORK)), Regained(Blind(1, 0, NETWORK, 2 * HOUR), announced=True)]


def test_a_check_that_began_before_ends_nothing_but_a_clock_that_stepped_back_does() -> None:
    sight, found = run(Unseen(HOUR, NETWORK), Seen(HOUR - 10_000))
    assert sight.span is not None
    _, found = run(Seen(MINUTE), sight=sight)
    assert found == [Regained(Blind(1, HOUR, NETWORK, HOUR), announced=False)]


def test_a_clock_that_steps_forward_makes_a_short_span_no_longer() -> None:
    _, found = run(Unseen(0, ERROR), Unseen(HOUR, ERROR, 1_000), Seen(HOUR, 2_000))
    assert [type(one) for one in found] == [Lost, Regained]
    assert found[-1] == Regained(Blind(1, 0, ERROR, HOUR), announced=False)
    _, found = run(Unseen(HOUR, ERROR), Seen(HOUR + 5, TELL))
    assert found[-1] == Regained(Blind(1, HOUR, ERROR, HOUR + 5), announced=True), "nor one that steps back a long one shorter"


INSTANTS = st.integers(0, 10 * HOUR)
LASTED = st.one_of(st.none(), st.integers(0, HOUR))
EVENTS = st.lists(
    st.one_of(
        st.builds(Seen, INSTANTS, LASTED),
        st.builds(Unseen, INSTANTS, st.sampled_from([NETWORK, ERROR, Cause.PROBE_RESOLVER]), LASTED),
        st.builds(Silent, INSTANTS, INSTANTS, LASTED),
        st.builds(Stopped, INSTANTS),
    ),
    max_size=40,
)


@given(events=EVENTS)
def test_laws(events: list[Event]) -> None:
    sight, lost, over, lasting = Visibility(), dict[int, Blind](), dict[int, Regained](), set[int]()
    for event in events:
        sight, decisions = step(sight, event, TELL)
        for one in decisions:
            number = one.span.number
            if isinstance(one, Lost):
                assert number not in lost
                lost[number] = one.span
            elif isinstance(one, Lasting):
                assert number in lost.keys() - over.keys() - lasting, "while it lasts, once"
                lasting.add(number)
            else:
                assert number not in over, "over once"
                over[number] = one
                assert one.span.until is not None
                assert one.span.until >= one.span.start
        assert len(lost.keys() - over.keys()) == (sight.span is not None), "one at a time"
    assert sorted({*lost, *over}) == list(range(1, sight.number + 1)), "no number is given twice or left out"
    assert all(over[number].announced for number in lasting & over.keys()), "who was an incident is told"
    assert not any(one.announced for one in over.values() if one.span.quiet)
