"""How long an alert waits for a location that fell silent, and that nothing is lost, invented or repeated when it comes back."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.model import Status
from vigie.core.watermark import patience_ms

from .places import CHECK_MS, TRANSIT_MS, Fleet, Place, policy_of, transitions

UP, DOWN = Status.UP, Status.DOWN
SECOND, MINUTE = 1_000, 60_000
NAMES = ("amsterdam", "berlin", "cadiz", "dublin", "espoo")
HEARD = CHECK_MS + TRANSIT_MS
FLEETS = [(2, None), (2, 1), (3, None), (3, 1), (5, None), (5, 2)]


def down_in(*spans: tuple[int, int]) -> Callable[[int], Status]:
    """Down within these, in ms."""
    return lambda at: DOWN if any(start <= at < end for start, end in spans) else UP


def places(number: int, outages: Sequence[tuple[int, int]], every_ms: int, cuts: dict[int, tuple[int, int | None]]) -> list[Place]:
    """So many locations that see the same, each with a phase of its own; `cuts` by number."""
    sees = down_in(*outages)
    return [
        Place(NAMES[one], sees, (cuts[one],) if one in cuts else (), phase_ms=(one + 1) * every_ms // (number + 1)) for one in range(number)
    ]


@pytest.mark.parametrize("every_ms", [10 * SECOND, 5 * MINUTE])
@pytest.mark.parametrize(("number", "quorum"), FLEETS)
@pytest.mark.parametrize("dead", [0, 1])
def test_who_died_one_second_before_an_outage_delays_it_by_its_patience_at_most(
    number: int, quorum: int | None, every_ms: int, dead: int
) -> None:
    policy, fails = policy_of(every_ms, quorum=quorum), 20 * MINUTE + 4_321
    fleet = Fleet(places(number, [(fails, 200 * MINUTE)], every_ms, {dead: (fails - SECOND, None)}), policy, every_ms)

    found = list(transitions(fleet.run(fails + 20 * MINUTE)))

    (opened,) = found
    first = first_check(fleet, fails, every_ms, but=dead)
    assert opened[:2] == ("Opened", "outage"), "neither a partial outage nor a recovery on the way"
    assert first <= opened[2] <= opened[3] <= first + HEARD + patience_ms(policy) + policy.confirm_every_ms


def first_check(fleet: Fleet, fails: int, every_ms: int, but: int) -> int:
    """When a location but one checks first at the instant `fails` or after it."""
    return min(fails + (one.phase_ms - fails) % every_ms for number, one in enumerate(fleet.places) if number != but)


CUTS = [20 * SECOND, MINUTE, 10 * MINUTE]


@pytest.mark.parametrize("every_ms", [10 * SECOND, 5 * MINUTE])
@pytest.mark.parametrize(("number", "quorum"), FLEETS)
@pytest.mark.parametrize("cut_ms", CUTS)
@pytest.mark.parametrize("lasts_ms", [45 * SECOND, 12 * MINUTE])
def test_an_outage_is_one_whoever_is_cut_off_meanwhile_and_hands_over_what_it_saw(
    number: int, quorum: int | None, every_ms: int, cut_ms: int, lasts_ms: int
) -> None:
    policy, fails = policy_of(every_ms, quorum=quorum), 2 * every_ms + 4_321
    ends, cut = fails + lasts_ms + (every_ms if lasts_ms < every_ms else 0), (fails - SECOND, fails - SECOND + cut_ms)
    for one in (0, number - 1):
        fleet = Fleet(places(number, [(fails, ends)], every_ms, {one: cut}), policy, every_ms)
        found = list(transitions(fleet.run(max(ends, cut[1]) + every_ms + 2 * MINUTE)))

        assert [one[:2] for one in found] == [("Opened", "outage"), ("Recovered", "outage")]
        assert found[0][3] <= first_check(fleet, fails, every_ms, but=one) + HEARD + patience_ms(policy) + policy.confirm_every_ms
        assert fleet.state.held == ()


@pytest.mark.parametrize("every_ms", [10 * SECOND, 5 * MINUTE])
@pytest.mark.parametrize(("number", "quorum"), FLEETS)
@pytest.mark.parametrize("cut_ms", CUTS)
def test_who_was_cut_off_and_saw_otherwise_repeats_nothing(number: int, quorum: int | None, every_ms: int, cut_ms: int) -> None:
    """The others were believed without it; from its return on it has its vote, and what that comes to is said once."""
    policy, fails = policy_of(every_ms, quorum=quorum), 2 * every_ms + 4_321
    ends, cut = fails + 15 * MINUTE, (fails - SECOND, fails - SECOND + cut_ms)
    some = places(number, [(fails, ends)], every_ms, {0: cut})
    some[0].sees = down_in()
    fleet = Fleet(some, policy, every_ms)

    found = [one[:2] for one in transitions(fleet.run(ends + 2 * every_ms + MINUTE))]

    assert len(set(found)) == len(found), "nothing twice"
    assert found
    assert {one for what, one in found if what == "Opened"} == {one for what, one in found if what == "Recovered"}
    needed = min(quorum or number // 2 + 1, number)
    if number - 1 >= needed:
        assert found == [("Opened", "outage"), ("Recovered", "outage")]


@st.composite
def fleets(draw: st.DrawFn, *, away: bool = False) -> tuple[Fleet, list[tuple[int, int]]]:
    """Locations that see the same; all but the last one may be cut off or die. And when the service is down, in ms."""
    every_ms, number = draw(st.sampled_from([10, 60, 300])) * SECOND, draw(st.integers(2, 5))
    outages, end = list[tuple[int, int]](), 2 * every_ms
    for _ in range(draw(st.integers(1, 3))):
        start = end + draw(st.integers(0, 20)) * 7 * SECOND + 8 * every_ms
        end = start + draw(st.integers(0, 20)) * 13 * SECOND + max(3 * every_ms, 3 * MINUTE)
        outages.append((start, end))
    cuts = dict[int, tuple[int, int | None]]()
    for one in range(number - 1):
        begin = draw(st.integers(0, end // SECOND)) * SECOND
        length = draw(st.sampled_from([None, 20, 60, 600]) | st.integers(1, 1_200))
        if draw(st.booleans()):
            cuts[one] = (begin, None if length is None else begin + length * SECOND)
    policy = policy_of(every_ms, quorum=draw(st.sampled_from([None, 1, 2])), confirm=draw(st.sampled_from([1, 2, 3])), flapping=False)
    gone = draw(st.integers(0, end // SECOND)) * SECOND
    lasts = draw(st.sampled_from([5, 15, 19, 30, 120, 400])) * SECOND
    return Fleet(places(number, outages, every_ms, cuts), policy, every_ms, (gone, gone + lasts) if away else (-1, -1)), outages


def run(fleet: Fleet, outages: list[tuple[int, int]]) -> list[tuple[str, str, int, int]]:
    """Long enough for every cut to have ended."""
    ends = [end for one in fleet.places for _, end in one.cuts if end is not None]
    return list(transitions(fleet.run(max(outages[-1][1], fleet.away[1], *ends, 0) + 3 * fleet.every_ms + 3 * MINUTE)))


@settings(max_examples=25, deadline=None)
@given(made=fleets())
def test_each_outage_is_announced_once_in_time_and_nothing_else_is(made: tuple[Fleet, list[tuple[int, int]]]) -> None:
    fleet, outages = made
    policy, silent = fleet.policy, sum(bool(one.cuts) for one in fleet.places)

    found = run(fleet, outages)

    assert [one[:2] for one in found] == [("Opened", "outage"), ("Recovered", "outage")] * len(outages)
    for (fails, ends), opened, recovered in zip(outages, found[::2], found[1::2], strict=True):
        longest = fleet.every_ms + HEARD + (silent + 1) * (patience_ms(policy) + policy.confirm_every_ms)
        assert fails <= opened[2] <= opened[3] <= fails + longest
        assert ends <= recovered[2]
        assert recovered[3] <= ends + longest


@settings(max_examples=25, deadline=None)
@given(made=fleets(away=True))
def test_nothing_is_lost_invented_or_repeated_where_nobody_listened_meanwhile(made: tuple[Fleet, list[tuple[int, int]]]) -> None:
    fleet, outages = made

    found = run(fleet, outages)

    assert [one[:2] for one in found] == [("Opened", "outage"), ("Recovered", "outage")] * len(outages)
    assert all(fails <= opened[2] <= ends for (fails, ends), opened in zip(outages, found[::2], strict=True))


@settings(max_examples=25, deadline=None)
@given(
    number=st.integers(2, 5),
    alone=st.integers(0, 4),
    every_ms=st.sampled_from([10 * SECOND, MINUTE]),
    confirm=st.integers(1, 3),
    gone=st.integers(60, 240),
    lasts=st.integers(1, 40),
    fails=st.integers(60, 240),
)
def test_what_one_of_several_sees_is_no_outage_because_the_others_are_heard_later(
    number: int, alone: int, every_ms: int, confirm: int, gone: int, lasts: int, fails: int
) -> None:
    """The server was away for a while, and hears their backlogs one after the other: nobody is given up who is just about to be heard."""
    some = places(number, [], every_ms, {})
    some[alone % number].sees = down_in((fails * SECOND, 600 * SECOND))
    fleet = Fleet(some, policy_of(every_ms, confirm=confirm), every_ms, (gone * SECOND, (gone + lasts) * SECOND))

    assert {severity for _, severity, _, _ in transitions(fleet.run(15 * MINUTE))} == {"degradation"}
