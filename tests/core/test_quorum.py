"""The laws of locations: by tables, by properties, and with detection on top."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.detection import DetectionPolicy, PartialOutage, Severity
from vigie.core.events import IncidentDecision, Observed, Opened, Recovered
from vigie.core.incident import DetectionState, step
from vigie.core.model import Cause, Status
from vigie.core.quorum import Verdict, View, Views, is_new, judge, merge
from vigie.observation.locations import Sighting, sightings

from .machines import CAUSES, DEGRADED, DOWN, SECOND, UNKNOWN, UP

A, B, C = "amsterdam", "berlin", "cadiz"
LETTERS = {"u": UP, "d": DOWN, "g": DEGRADED, "?": UNKNOWN}
STALE = 180


IGNORE, AS_DEGRADED, AS_DOWN = PartialOutage.IGNORE, PartialOutage.DEGRADED, PartialOutage.DOWN


def policy(quorum: int | None = None, confirm: int = 3, recover: int = 2, partial: PartialOutage = IGNORE) -> DetectionPolicy:
    return DetectionPolicy(confirm, recover=recover, quorum=quorum, stale_ms=STALE * SECOND, partial_outage=partial)


def view(location: str, status: Status, second: int = 1, sequence: int = 1, run: int = 1, cause: Cause | None = None) -> View:
    return View(location, run, sequence, second * SECOND, status, cause or CAUSES[status])


def views(letters: str, second: int = 1) -> Views:
    """One view a letter: `u`p, `d`own, de`g`raded, unknown (`?`)."""
    return tuple(view(f"location-{number}", LETTERS[letter], second) for number, letter in enumerate(letters))


def fed(results: Iterable[View], ours: DetectionPolicy) -> tuple[Views, list[Verdict]]:
    """What a subject's results lead to, in the order in which they arrive, as incident.step feeds them."""
    known: Views = ()
    found, last = list[Verdict](), None
    for one in results:
        if not is_new(known, one):
            continue
        known, verdict = merge(known, one, last, ours)
        if verdict is not None:
            found.append(verdict)
            last = verdict.status
    return known, found


def observed(one: View) -> Observed:
    return Observed(one.at, one.run, one.sequence, one.status, one.cause, one.location)


def detected(results: Iterable[View], ours: DetectionPolicy) -> tuple[DetectionState, list[IncidentDecision]]:
    state, found = DetectionState("shop"), list[IncidentDecision]()
    for one in results:
        state, decisions = step(state, observed(one), ours)
        found += decisions
    return state, found


def rounds(*letters: str, every: int = 5, first: int = 1) -> list[View]:
    """A string a round, a letter a location; all check `every` so many seconds, one after the other within a second."""
    return [
        View((A, B, C)[place], 1, number, (first + (number - 1) * every) * SECOND + place, LETTERS[letter], CAUSES[LETTERS[letter]])
        for number, one in enumerate(letters, 1)
        for place, letter in enumerate(one)
        if letter != " "
    ]


# Law 1 --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "sequence", "new"),
    [(2, 5, False), (2, 4, False), (1, 99, False), (2, 6, True), (3, 1, True), (3, 0, True), (0, 0, True), (0, 9, False)],
)
def test_a_result_is_new_by_the_numbers_of_its_own_location(run: int, sequence: int, new: bool) -> None:
    known = (view(A, UP, run=2, sequence=5), view(B, UP, run=7, sequence=7))

    assert is_new(known, view(A, DOWN, 99, sequence, run)) is new
    assert is_new(known, view(C, DOWN, 99, sequence, run))


def test_a_second_agent_with_a_lower_run_is_heard() -> None:
    """Where one order per monitor counted for all, its results vanished."""
    ours = policy(confirm=1)
    state, _ = detected([view(A, UP, run=9, sequence=500)], ours)

    state, _ = step(state, observed(view(B, DOWN, 2, run=1)), ours)
    state, decisions = step(state, observed(view(A, DOWN, 3, run=9, sequence=501)), ours)

    assert [type(one).__name__ for one in decisions] == ["Suspected", "Opened"]
    assert {(one.location, one.run, one.sequence) for one in state.views} == {(A, 9, 501), (B, 1, 1)}


def test_a_duplicate_or_late_result_of_one_location_changes_nothing_and_takes_nothing_from_another() -> None:
    ours = policy()
    state, _ = detected(rounds("uuu", "udd"), ours)

    for one in rounds("uuu", "udd"):
        assert step(state, observed(one), ours) == (state, ())
        assert step(state, observed(replace(one, status=DOWN, at=one.at + 60 * SECOND)), ours) == (state, ())


def test_a_result_that_nobody_counts_is_taken_and_makes_no_earlier_one_new() -> None:
    known, _ = fed([view(A, UP, sequence=7), view(A, DOWN, 2, sequence=0, run=0)], policy())

    assert known == (view(A, DOWN, 2, sequence=7),)
    assert not is_new(known, view(A, UP, 3, sequence=7))


# Laws 2 and 3 -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letters", "quorum", "expected"),
    [
        ("u", None, UP),
        ("d", None, DOWN),
        ("ud", None, UP),  # a majority of two is both
        ("dd", None, DOWN),
        ("uud", None, UP),
        ("udd", None, DOWN),
        ("uudd", None, UP),
        ("uddd", None, DOWN),
        ("ugg", None, DEGRADED),
        ("ugd", None, DEGRADED),  # two are at least degraded, one is down
        ("udgg", None, DEGRADED),
        ("gdd", None, DOWN),
        ("uug", None, UP),
        ("uud", 1, DOWN),
        ("uug", 1, DEGRADED),
        ("ugd", 1, DOWN),
        ("udd", 3, UP),
        ("gdd", 3, DEGRADED),
        ("ddd", 3, DOWN),
        ("dd", 3, DOWN),  # at most all votes
        ("ud", 3, UP),
        ("d??", None, DOWN),  # only one sees anything
        ("d??", 2, DOWN),
        ("ud?", None, UP),
        ("dd?", 3, DOWN),
        ("g?", None, DEGRADED),
        ("u?", None, UP),
        ("??", None, UNKNOWN),
        ("?", 1, UNKNOWN),
        ("uud", 0, UP),  # as good as none: a majority
    ],
)
def test_what_locations_agree_on(letters: str, quorum: int | None, expected: Status) -> None:
    assert judge(views(letters), policy(quorum)).status is expected


@pytest.mark.parametrize(
    ("letters", "quorum", "degraded", "down"),
    [
        ("uud", None, DEGRADED, DOWN),
        ("ud", None, DEGRADED, DOWN),
        ("uuddd", 4, DEGRADED, DOWN),
        ("ud?", None, DEGRADED, DOWN),
        ("uug", None, UP, UP),  # nowhere down
        ("ugg", None, DEGRADED, DEGRADED),
        ("ugd", None, DEGRADED, DOWN),
        ("uugd", None, DEGRADED, DOWN),
        ("udd", None, DOWN, DOWN),
        ("d??", 2, DOWN, DOWN),  # all who can judge
        ("d", 2, DOWN, DOWN),
        ("uuu", None, UP, UP),
        ("??", None, UNKNOWN, UNKNOWN),
    ],
)
def test_what_it_is_that_fewer_than_the_quorum_see_is_for_the_policy(
    letters: str, quorum: int | None, degraded: Status, down: Status
) -> None:
    assert judge(views(letters), policy(quorum, partial=AS_DEGRADED)).status is degraded
    assert judge(views(letters), policy(quorum, partial=AS_DOWN)).status is down


def test_the_cause_of_a_partial_outage_is_what_is_seen_where_it_is_down() -> None:
    known = (view(A, DOWN, cause=Cause.TCP_REFUSED), view(B, DEGRADED, cause=Cause.LATENCY_THRESHOLD), view(C, UP), view("dublin", UP))
    assert judge(known, policy(partial=AS_DEGRADED)) == Verdict(DEGRADED, Cause.TCP_REFUSED)
    assert judge(known, policy(partial=AS_DOWN)) == Verdict(DOWN, Cause.TCP_REFUSED)


@pytest.mark.parametrize(("age", "expected"), [(0, DOWN), (STALE, DOWN), (STALE + 1, UP)])
def test_a_silent_location_votes_for_so_long_and_no_longer(age: int, expected: Status) -> None:
    known = (view(A, DOWN, 1_000 - age), view(B, DOWN, 1_000 - age), view(C, UP, 1_000))

    assert judge(known, policy()).status is expected


def test_without_a_vote_the_newest_one_says_why() -> None:
    known = (
        view(A, UNKNOWN, 9, cause=Cause.PROBE_RESOLVER),
        view(B, UNKNOWN, 8, cause=Cause.PROBE_NETWORK),
        view(C, UP, 9 - STALE - 1),
    )

    assert judge(known, policy()) == Verdict(UNKNOWN, Cause.PROBE_RESOLVER)


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        ({A: Cause.TCP_RESET, B: Cause.HTTP_STATUS, C: Cause.HTTP_STATUS}, Cause.HTTP_STATUS),
        ({A: Cause.TCP_RESET, B: Cause.HTTP_STATUS, C: Cause.DNS_TIMEOUT}, Cause.TCP_RESET),
        ({C: Cause.DNS_TIMEOUT, B: Cause.HTTP_STATUS}, Cause.HTTP_STATUS),
    ],
)
def test_the_cause_is_what_most_saw_or_else_the_first_by_name(causes: dict[str, Cause], expected: Cause) -> None:
    for order in itertools.permutations(causes):
        known = tuple(view(location, DOWN, cause=causes[location]) for location in order)
        assert judge(known, policy()) == Verdict(DOWN, expected)


def test_the_cause_of_a_degradation_is_that_of_the_degraded_even_where_one_is_down() -> None:
    assert judge(views("ugd"), policy()) == Verdict(DEGRADED, Cause.LATENCY_THRESHOLD)


# Law 5 --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("confirm", [1, 2, 3])
def test_confirm_counts_rounds_of_three_locations(confirm: int) -> None:
    ours = policy(confirm=confirm, recover=confirm)
    up, down = ["uuu"] * 2, ["ddd"]

    assert not any(isinstance(one, Opened) for one in detected(rounds(*up, *down * (confirm - 1)), ours)[1])
    _, found = detected(rounds(*up, *down * confirm, *["uuu"] * (confirm - 1)), ours)
    assert [type(one).__name__ for one in found] == ["Suspected", "Opened"]
    assert isinstance(detected(rounds(*up, *down * confirm, *["uuu"] * confirm), ours)[1][-1], Recovered)


def test_a_verdict_that_changes_is_heard_at_once_and_the_next_of_the_same_in_the_next_round() -> None:
    results = rounds("uuu", "ddd", "ddd")
    known: Views = ()
    last, verdicts = None, list[Status | None]()
    for one in results:
        known, verdict = merge(known, one, last, policy())
        last = verdict.status if verdict else last
        verdicts.append(verdict.status if verdict else None)

    # Round 1: the first; round 2: the second that is down makes two of three; round 3: the second location is heard again.
    assert verdicts == [UP, None, None, None, DOWN, None, None, DOWN, None]


@pytest.mark.parametrize("third", [UNKNOWN, UP])
def test_who_sees_otherwise_or_cannot_judge_confirms_nothing(third: Status) -> None:
    """One bad check each from two of three is one round, however often the third is heard."""
    results = [view("paris", DOWN), view("lyon", DOWN), *(view("nantes", third, number, number) for number in range(1, 9))]

    assert [type(one).__name__ for one in detected(results, policy(confirm=3))[1]] == ["Suspected"]


def test_a_location_that_never_answers_holds_up_nothing() -> None:
    _, found = detected(rounds("uuu", "dd ", "dd ", "dd "), policy(confirm=3))

    assert [type(one).__name__ for one in found] == ["Suspected", "Opened"]


# Detection on top ---------------------------------------------------------------------------------------------------------------------


def test_an_outage_seen_from_one_of_three_opens_nothing() -> None:
    state, found = detected(rounds(*["uuu"], *["uud"] * 20), policy())

    assert found == []
    assert (state.status, state.resting, state.quick) == (UP, True, False)


def test_an_outage_seen_from_two_of_three_opens_one_incident_and_it_recovers_likewise() -> None:
    """It is over where two of three see so, whatever the third goes on to say."""
    state, found = detected(rounds("uuu", *["udd"] * 5, *["uud"] * 5), policy())

    assert [type(one).__name__ for one in found] == ["Suspected", "Opened", "Recovered"]
    assert {one.severity for one in found} == {Severity.OUTAGE}
    assert state.resting
    assert {one.location: one.status for one in state.views} == {A: UP, B: UP, C: DOWN}


def test_one_of_two_that_recovers_ends_it_where_both_had_to_agree() -> None:
    _, found = detected(rounds("uu", *["dd"] * 3, *["ud"] * 2), policy())

    assert [type(one).__name__ for one in found] == ["Suspected", "Opened", "Recovered"]


def test_an_outage_goes_on_while_those_who_saw_it_are_blind() -> None:
    state, found = detected(rounds("uuu", *["ddd"] * 3, *["???"] * 9), policy())

    assert [type(one).__name__ for one in found] == ["Suspected", "Opened"]
    assert (state.status, state.outage.is_open) == (UNKNOWN, True)


def test_with_a_quorum_of_one_the_first_location_that_sees_it_opens_it() -> None:
    _, found = detected(rounds("uuu", *["uud"] * 3), policy(quorum=1))

    assert [type(one).__name__ for one in found] == ["Suspected", "Opened"]


def test_a_location_that_went_away_is_forgotten_by_the_vote() -> None:
    """C said `down` and is gone; alone, B is a vote of one in two until C is stale, and then one in one."""
    ours = policy(confirm=1)
    results = [view(B, UP, 1), view(C, DOWN, 2), *(view(B, DOWN, second, second) for second in (2 + STALE, 3 + STALE))]
    assert [type(one).__name__ for one in detected(results[:2], ours)[1]] == []
    assert isinstance(detected(results[:3], ours)[1][-1], Opened)

    recovered = [*results, *(view(B, UP, second, second) for second in (4 + STALE, 5 + STALE))]
    assert isinstance(detected(recovered, ours)[1][-1], Recovered)


def test_a_partial_outage_opens_a_degradation_that_becomes_an_outage_once_a_quorum_sees_it() -> None:
    state, found = detected(rounds("uuu", *["uud"] * 3, *["udd"] * 3, *["uuu"] * 3), policy(partial=AS_DEGRADED))

    assert [(type(one).__name__, one.severity.value) for one in found] == [
        ("Suspected", "degradation"), ("Opened", "degradation"), ("Suspected", "outage"), ("Opened", "outage"),
        ("Recovered", "outage"), ("Recovered", "degradation"),
    ]  # fmt: skip
    assert state.resting


def test_an_outage_of_which_one_location_is_left_is_over_and_goes_on_as_a_degradation() -> None:
    """What is left is confirmed by rounds of its own: neither the outage's head nor its tail is one of them."""
    for tail in (3, 4):
        _, found = detected(rounds("uuu", *["udd"] * 3, *["uud"] * tail), policy(partial=AS_DEGRADED))
        assert [one.severity for one in found if isinstance(one, Opened)] == [Severity.OUTAGE]
    state, found = detected(rounds("uuu", *["udd"] * 3, *["uud"] * 5), policy(partial=AS_DEGRADED))

    opened = [one for one in found if isinstance(one, Opened)]
    (recovered,) = [one for one in found if isinstance(one, Recovered)]
    assert [one.severity for one in opened] == [Severity.OUTAGE, Severity.DEGRADATION]
    assert [(one.location, one.fails) for one in sightings(recovered.views, policy().stale_ms)] == [(A, False), (B, False), (C, True)]
    assert state.degradation.is_open
    assert opened[1].started_at > recovered.at
    assert opened[1].failures == 3


@pytest.mark.parametrize("confirm", [1, 2, 3])
def test_what_some_see_before_and_after_an_outage_is_no_degradation(confirm: int) -> None:
    """Of two locations, which never see it in the same instant."""
    story = rounds("uu", *["dd"] * 4, *["uu"] * 4)

    _, found = detected(story, policy(confirm=confirm, recover=2, partial=AS_DEGRADED))

    told = [(type(one).__name__, one.severity) for one in found if isinstance(one, Opened | Recovered)]
    first = [("Opened", Severity.DEGRADATION)] if confirm == 1 else []
    assert told[: len(first) + 1] == [*first, ("Opened", Severity.OUTAGE)]
    assert [one for one in told if one[0] == "Opened"][len(first) + 1 :] == []


def test_outages_that_begin_in_one_place_never_make_a_degradation_that_comes_and_goes() -> None:
    story = rounds("uu", *(["dd"] * 3 + ["uu"] * 3) * 3)

    _, found = detected(story, policy(confirm=2, recover=2, partial=AS_DEGRADED))

    assert {one.severity for one in found if isinstance(one, Opened)} == {Severity.OUTAGE}


# Law 7 --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_outage_begins_when_a_quorum_sees_it_whatever_is_heard_first(order: tuple[int, int]) -> None:
    """One place fails three seconds before the others, and what it saw may be heard after they were."""
    ours = policy(confirm=2)
    calm = [view(A, UP, 1), view(B, UP, 1), view(C, UP, 1)]
    early, real = view(A, DOWN, 53, 2), view(B, DOWN, 56, 2)
    heard = [(early, real)[place] for place in order]

    _, found = detected([*calm, *heard, view(B, DOWN, 58, 3), view(B, DOWN, 60, 4)], ours)

    (opened,) = [one for one in found if isinstance(one, Opened)]
    assert opened.started_at == 56 * SECOND


def test_an_outage_ends_when_a_quorum_sees_that_whatever_is_heard_first() -> None:
    ours = policy(confirm=1, recover=1)
    down = [view(A, DOWN, 1), view(B, DOWN, 1), view(C, DOWN, 1)]

    _, found = detected([*down, view(B, UP, 60, 2), view(C, UP, 57, 2)], ours)

    (recovered,) = [one for one in found if isinstance(one, Recovered)]
    assert recovered.at == 60 * SECOND


# What each location saw -----------------------------------------------------------------------------------------------------------------


def test_an_incident_says_from_where_it_fails_since_when_and_from_where_not() -> None:
    _, found = detected(rounds("uuu", "uud", "udd", "udd", "udd"), policy())

    (opened,) = [one for one in found if isinstance(one, Opened)]
    seen = sightings(opened.views, policy().stale_ms)
    assert seen == (
        Sighting(A, UP, None, 1 * SECOND, 21 * SECOND),
        Sighting(B, DOWN, CAUSES[DOWN], 11 * SECOND + 1, 21 * SECOND + 1),
        Sighting(C, DOWN, CAUSES[DOWN], 6 * SECOND + 2, 16 * SECOND + 2),
    )
    assert [(one.location, one.works) for one in seen if not one.fails] == [(A, True)]


def test_the_end_says_since_when_it_works_again_from_each() -> None:
    _, found = detected(rounds("uuu", *["ddd"] * 3, "udd", "uud", "uud", "uud"), policy())

    (recovered,) = [one for one in found if isinstance(one, Recovered)]
    assert [(one.location, one.status, one.since // SECOND) for one in sightings(recovered.views, policy().stale_ms)] == [
        (A, UP, 21),
        (B, UP, 26),
        (C, DOWN, 6),
    ]


def test_what_one_location_sees_alone_needs_no_list() -> None:
    _, found = detected([view(A, DOWN, number, number) for number in (1, 2, 3)], policy())

    assert [one.views for one in found if isinstance(one, Opened)] == [()]


def test_a_silent_location_is_listed_for_a_day() -> None:
    known = (view(A, DOWN, 1), view(B, UP, 1 + STALE + 1))
    assert [(one.location, one.silent, one.fails, one.works) for one in sightings(known, policy().stale_ms)] == [
        (A, True, False, False),
        (B, False, False, True),
    ]
    assert sightings((view(A, DOWN, 1), view(B, UP, 86_402)), policy().stale_ms) == ()


# Properties ---------------------------------------------------------------------------------------------------------------------------

STATUSES = st.sampled_from([UP, UP, DOWN, DOWN, DEGRADED, UNKNOWN])
LOCATIONS = (A, B, C, "dublin", "essen")
POLICIES = st.builds(policy, st.none() | st.integers(1, 5), st.integers(1, 3), st.integers(1, 3), st.sampled_from(PartialOutage))


class Numbered(NamedTuple):
    """The result of one location, before it has a name."""

    location: int
    status: Status
    second: int


@st.composite
def histories(draw: st.DrawFn, locations: int = 4) -> list[View]:
    """Results of several locations as they arrive, some twice, some late, some after a restart; each counts for itself."""
    found = list[View]()
    numbers, second = dict[str, tuple[int, int]](), 0
    for _ in range(draw(st.integers(0, 40))):
        second += draw(st.sampled_from([0, 1, 1, 5, 5, 60, 200]))
        location = LOCATIONS[draw(st.integers(0, locations - 1))]
        run, sequence = numbers.get(location, (draw(st.integers(1, 9)), 0))
        kind = draw(st.sampled_from(["new"] * 6 + ["again", "restart"]))
        if kind == "again" and found:
            found.append(draw(st.sampled_from(found)))
            continue
        numbers[location] = (run + 1, 1) if kind == "restart" else (run, sequence + 1)
        status = draw(STATUSES)
        found.append(View(location, *numbers[location], second * SECOND, status, CAUSES[status]))
    return found


@given(results=histories(locations=1), ours=POLICIES)
def test_law_6_of_one_location_every_new_result_is_a_verdict(results: list[View], ours: DetectionPolicy) -> None:
    fresh, newest = list[View](), (0, 0)
    for one in results:
        if (one.run, one.sequence) > newest:
            newest = (one.run, one.sequence)
            fresh.append(one)

    known, found = fed(results, ours)

    assert found == [Verdict(one.status, one.cause) for one in fresh]
    assert known == tuple(fresh[-1:])


@given(results=histories(locations=1), ours=POLICIES, name=st.text(max_size=9), quorum=st.none() | st.integers(1, 9))
def test_law_6_nor_do_its_name_or_a_quorum_matter(results: list[View], ours: DetectionPolicy, name: str, quorum: int | None) -> None:
    elsewhere = [replace(one, location=name) for one in results]

    for partial in PartialOutage:
        other = replace(ours, quorum=quorum, stale_ms=0, partial_outage=partial)
        assert detected(elsewhere, other)[1] == detected(results, ours)[1]
        assert sightings(detected(elsewhere, other)[0].views, 0) == ()


@given(results=histories(), ours=POLICIES)
def test_law_1_replaying_any_of_it_changes_nothing(results: list[View], ours: DetectionPolicy) -> None:
    state, _ = detected(results, ours)

    for one in results:
        assert step(state, observed(one), ours) == (state, ())


@given(results=histories(), ours=POLICIES)
def test_law_1_each_location_is_known_by_its_newest_result_alone(results: list[View], ours: DetectionPolicy) -> None:
    known, _ = fed(results, ours)

    newest = dict[str, View]()
    for one in results:
        if one.location not in newest or (one.run, one.sequence) > (newest[one.location].run, newest[one.location].sequence):
            newest[one.location] = one
    assert {one.location: replace(one, counted=True, since=0, unbroken=0) for one in known} == newest
    assert len(known) == len(newest)


@given(results=histories(), ours=POLICIES, shift=st.integers(0, 1_000))
def test_law_1_the_numbers_of_one_location_say_nothing_about_another(results: list[View], ours: DetectionPolicy, shift: int) -> None:
    renumbered = [replace(one, run=one.run + shift) if one.location == B else one for one in results]

    assert fed(renumbered, ours)[1] == fed(results, ours)[1]


VIEWS = st.lists(
    st.builds(Numbered, st.integers(0, 4), STATUSES, st.integers(0, 300)), min_size=1, max_size=5, unique_by=lambda one: one.location
)


def named(found: Sequence[Numbered], names: Sequence[str] = LOCATIONS) -> Views:
    return tuple(view(names[one.location], one.status, one.second) for one in found)


def counted(found: Sequence[Numbered], ours: DetectionPolicy) -> Status:
    """The verdict as a person would count it: a show of hands."""
    newest = max(one.second for one in found)
    hands = [one.status for one in found if one.status is not UNKNOWN and newest - one.second <= STALE]
    if not hands:
        return UNKNOWN
    needed = sum(1 for _ in hands) // 2 + 1 if ours.quorum is None else min(ours.quorum, len(hands))
    if hands.count(DOWN) >= needed or (DOWN in hands and ours.partial_outage is AS_DOWN):
        return DOWN
    partial = DOWN in hands and ours.partial_outage is AS_DEGRADED
    return DEGRADED if partial or hands.count(DOWN) + hands.count(DEGRADED) >= needed else UP


@given(found=VIEWS, ours=POLICIES)
def test_law_4_a_partial_outage_makes_no_better_verdict_and_only_where_somebody_sees_it_down(
    found: list[Numbered], ours: DetectionPolicy
) -> None:
    ignored, degraded, down = (judge(named(found), replace(ours, partial_outage=one)) for one in (IGNORE, AS_DEGRADED, AS_DOWN))

    assert BADNESS.index(ignored.status) <= BADNESS.index(degraded.status) <= BADNESS.index(down.status)
    assert down == judge(named(found), replace(ours, quorum=1, partial_outage=IGNORE)) or down.status is not DOWN
    newest = max(one.second for one in found)
    if not any(one.status is DOWN and newest - one.second <= STALE for one in found):
        assert ignored == degraded == down


@given(found=VIEWS, ours=POLICIES)
def test_law_3_the_verdict_is_a_show_of_hands(found: list[Numbered], ours: DetectionPolicy) -> None:
    assert judge(named(found), ours).status is counted(found, ours)


@given(found=VIEWS, ours=POLICIES, data=st.data())
def test_law_2_who_does_not_vote_might_as_well_not_be_there(found: list[Numbered], ours: DetectionPolicy, data: st.DataObject) -> None:
    newest = max(one.second for one in found)
    voting = [one for one in found if one.status is not UNKNOWN and newest - one.second <= STALE]
    others = [one for one in found if one not in voting]

    if voting:
        assert judge(named(voting), ours) == judge(named(found), ours)
        said = [one._replace(status=data.draw(STATUSES)) if newest - one.second > STALE else one for one in others]
        assert judge(named([*voting, *said]), ours) == judge(named(found), ours)
    else:
        assert judge(named(found), ours).status is UNKNOWN


@given(found=VIEWS, ours=POLICIES, data=st.data())
def test_law_3_neither_the_names_of_locations_nor_the_order_of_their_views_matter(
    found: list[Numbered], ours: DetectionPolicy, data: st.DataObject
) -> None:
    shuffled, renamed = data.draw(st.permutations(found)), data.draw(st.permutations(LOCATIONS))

    assert judge(named(shuffled), ours) == judge(named(found), ours)
    assert judge(named(found, renamed), ours) == judge(named(found), ours)


WORSE = {UP: DEGRADED, DEGRADED: DOWN, DOWN: DOWN, UNKNOWN: UNKNOWN}
BADNESS = [UNKNOWN, UP, DEGRADED, DOWN]


@given(found=VIEWS, ours=POLICIES, which=st.integers(0, 4))
def test_law_3_a_location_that_sees_worse_makes_no_better_verdict(found: list[Numbered], ours: DetectionPolicy, which: int) -> None:
    worse = [one._replace(status=WORSE[one.status]) if one.location == which else one for one in found]

    assert BADNESS.index(judge(named(worse), ours).status) >= BADNESS.index(judge(named(found), ours).status)


@given(found=VIEWS, quorum=st.integers(1, 4), partial=st.sampled_from(PartialOutage))
def test_law_3_a_greater_quorum_makes_no_worse_verdict(found: list[Numbered], quorum: int, partial: PartialOutage) -> None:
    lenient, strict = (judge(named(found), policy(one, partial=partial)).status for one in (quorum, quorum + 1))

    assert BADNESS.index(strict) <= BADNESS.index(lenient)


ROUNDS = st.lists(st.lists(st.sampled_from("udg"), min_size=3, max_size=3).map("".join), max_size=12)


@given(letters=ROUNDS, ours=POLICIES)
def test_law_5_every_verdict_is_what_the_views_say_and_no_two_of_a_kind_come_in_one_round(
    letters: list[str], ours: DetectionPolicy
) -> None:
    """Where all check at the same pace: as many verdicts of a kind in a row as there were rounds, at most."""
    known: Views = ()
    last: Status | None = None
    at = dict[Status, int]()  # the round of the newest verdict of a kind, until another comes
    for one in rounds(*letters):
        known, verdict = merge(known, one, last, ours)
        if verdict is None:
            assert judge(known, ours).status is last
            continue
        assert verdict == judge(known, ours)
        if verdict.status is last:
            assert one.sequence > at[verdict.status]
        last, at = verdict.status, {verdict.status: one.sequence}


@given(count=st.integers(1, 6), places=st.integers(2, 3), bad=st.sampled_from("dg"), ours=POLICIES, order=st.permutations([0, 1, 2]))
def test_law_5_n_rounds_that_agree_are_n_verdicts_whatever_the_order_of_arrival(
    count: int, places: int, bad: str, ours: DetectionPolicy, order: list[int]
) -> None:
    """Each round arrives in the same order of locations, which need not be that of the round before trouble."""
    before = rounds("u" * places)
    trouble = rounds(*[bad * places] * count, first=60)
    trouble = sorted(trouble, key=lambda one: (one.sequence, order[(A, B, C).index(one.location)]))
    numbered = [replace(one, sequence=one.sequence + 1) for one in trouble]

    _, found = fed([*before, *numbered], ours)

    assert sum(one.status is LETTERS[bad] for one in found) == count


@given(results=histories(), ours=POLICIES)
def test_a_verdict_that_changes_is_never_held_back(results: list[View], ours: DetectionPolicy) -> None:
    known: Views = ()
    last: Status | None = None
    for one in results:
        if is_new(known, one):
            known, verdict = merge(known, one, last, ours)
            last = verdict.status if verdict else last
            assert last is judge(known, ours).status or len(known) == 1


INSTANTS = st.integers(-(2**62), 2**62)
ANY_VIEW = st.builds(
    View,
    st.sampled_from([A, B, C, ""]),
    st.integers(-2, 5),
    st.integers(-2, 50),
    INSTANTS,
    st.sampled_from(Status),
    st.none() | st.sampled_from(Cause),
)
ANY_POLICY = st.builds(
    DetectionPolicy,
    quorum=st.none() | st.integers(-2, 9),
    stale_ms=st.sampled_from([0, SECOND, 2**63]),
    partial_outage=st.sampled_from(PartialOutage),
)


@given(results=st.lists(ANY_VIEW, max_size=30), ours=ANY_POLICY)
def test_merging_is_total_and_keeps_one_view_a_location(results: list[View], ours: DetectionPolicy) -> None:
    known, found = fed(results, ours)

    assert len({one.location for one in known}) == len(known)
    heard = {one.location for one in results if (one.run, one.sequence) >= (0, 0)}
    assert {one.location for one in known} == heard
    assert len(found) <= len(results)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(known), type=Views) == known
    assert msgspec.json.decode(msgspec.json.encode(known), type=Views) == known
