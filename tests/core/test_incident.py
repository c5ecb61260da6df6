"""The laws of detection: by tables, by properties, and against a list on paper."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core import quorum
from vigie.core.detection import DetectionPolicy, Rate, Severity
from vigie.core.events import Cleared, Closed, DetectionEvent, IncidentDecision, Observed, Opened, Recovered, Resolved, Suspected
from vigie.core.incident import TABLE, DetectionState, Phase, Signal, Track, is_new, step
from vigie.core.model import Cause, Status

from .machines import CAUSES, DEGRADED, DOWN, SECOND, UNKNOWN, UP, seen

OUTAGE, DEGRADATION = Severity.OUTAGE, Severity.DEGRADATION
POLICIES = st.builds(DetectionPolicy, confirm=st.integers(1, 4), recover=st.integers(1, 3), flapping=st.just(False))
STATUSES = st.sampled_from([UP, DOWN, DOWN, DEGRADED, UNKNOWN])


def policy(confirm: int = 3, recover: int = 2) -> DetectionPolicy:
    return DetectionPolicy(confirm, recover=recover, flapping=False)  # intermittent trouble has a file of its own


def after(ours: DetectionPolicy, *events: DetectionEvent) -> tuple[DetectionState, list[IncidentDecision]]:
    state, found = DetectionState("shop"), list[IncidentDecision]()
    for event in events:
        state, decisions = step(state, event, ours)
        found += decisions
    return state, found


def run(statuses: list[Status], ours: DetectionPolicy) -> tuple[DetectionState, list[IncidentDecision]]:
    return after(ours, *(seen(status, second) for second, status in enumerate(statuses, 1)))


def kinds(decisions: list[IncidentDecision]) -> list[str]:
    return [type(decision).__name__ for decision in decisions]


# Examples -----------------------------------------------------------------------------------------------------------------------------


def test_the_table_says_something_for_every_phase_and_signal() -> None:
    assert set(TABLE) == {(phase, signal) for phase in Phase for signal in Signal}


def test_every_phase_is_reached_and_left() -> None:
    reached = {Phase.HEALTHY}
    for _ in Phase:
        reached |= {to for (phase, _), rule in TABLE.items() if phase in reached for to in (rule.then, rule.full) if to is not None}
    left = {phase for (phase, _), rule in TABLE.items() if rule.then is not phase or rule.full is not None}

    assert reached == left == set(Phase)


@pytest.mark.parametrize(
    ("statuses", "confirm", "recover", "expected"),
    [
        ([UP, DOWN, DOWN, DOWN, DOWN, UP, UP, UP], 3, 2, ["Suspected", "Opened", "Recovered"]),
        ([UP, DOWN, UP, DOWN, DOWN, UP], 3, 2, ["Suspected", "Cleared", "Suspected", "Cleared"]),
        ([DOWN], 1, 2, ["Suspected", "Opened"]),
        ([DOWN, DOWN, UP, DOWN, UP, UP], 2, 2, ["Suspected", "Opened", "Recovered"]),
        ([DOWN, UNKNOWN, DOWN, UNKNOWN, DOWN], 3, 2, ["Suspected", "Opened"]),
        ([DOWN, UP, UNKNOWN, UP], 1, 2, ["Suspected", "Opened", "Recovered"]),
        ([UNKNOWN, UNKNOWN, UP, UNKNOWN], 1, 1, []),
    ],
    ids=["outage", "blips", "confirm of one", "relapse while recovering", "unknown while suspected", "unknown while recovering", "nothing"],
)
def test_what_opens_and_closes(statuses: list[Status], confirm: int, recover: int, expected: list[str]) -> None:
    assert kinds(run(statuses, policy(confirm, recover))[1]) == expected


def test_an_incident_starts_at_the_first_failure_and_opens_at_the_one_that_confirms_it() -> None:
    _, decisions = run([UP, DOWN, UNKNOWN, DOWN], policy(confirm=2))

    assert decisions == [
        Suspected(OUTAGE, 2 * SECOND, Cause.TCP_REFUSED),
        Opened(OUTAGE, "shop-1", 4 * SECOND, 2 * SECOND, Cause.TCP_REFUSED, failures=2),
    ]


def test_a_failure_without_a_cause_is_booked_on_vigie() -> None:
    _, decisions = after(policy(confirm=1), Observed(SECOND, 1, 1, DOWN))

    assert decisions[-1] == Opened(OUTAGE, "shop-1", SECOND, SECOND, Cause.PROBE_ERROR, failures=1)


def test_a_degradation_has_its_own_incident_and_an_outage_does_not_close_it() -> None:
    state, decisions = run([DEGRADED, DEGRADED, DOWN, DOWN], policy(confirm=2))

    assert [(type(one).__name__, one.severity) for one in decisions] == [
        ("Suspected", DEGRADATION),
        ("Opened", DEGRADATION),
        ("Suspected", OUTAGE),
        ("Opened", OUTAGE),
    ]
    assert (state.degradation.incident, state.outage.incident, state.ordinal) == ("shop-1", "shop-2", 2)
    assert state.degradation.is_open
    assert state.outage.is_open


def test_a_degraded_answer_ends_an_outage() -> None:
    _, decisions = run([DOWN, DEGRADED, DEGRADED], policy(confirm=1, recover=2))

    assert Recovered(OUTAGE, "shop-1", 3 * SECOND) in decisions


@pytest.mark.parametrize(
    ("statuses", "quick", "resting"),
    [
        ([], False, True),
        ([UP], False, True),
        ([UNKNOWN], False, True),
        ([DOWN], True, False),
        ([DEGRADED], True, False),
        ([DOWN, DOWN], False, False),
        ([DOWN, DOWN, UP], True, False),
        ([DOWN, DOWN, UP, UP], False, True),
    ],
)
def test_the_pace_is_quick_while_something_is_suspected_or_seems_to_recover(statuses: list[Status], quick: bool, resting: bool) -> None:
    state, _ = run(statuses, policy(confirm=2, recover=2))

    assert (state.quick, state.resting) == (quick, resting)


def test_a_repeated_or_late_result_changes_nothing() -> None:
    ours = policy(confirm=3)
    state, _ = run([DOWN, DOWN], ours)

    for event in (seen(DOWN, 2), seen(UP, 1), seen(UP, 9, sequence=2)):
        assert step(state, event, ours) == (state, ())
        assert not is_new(state, event)
    assert is_new(state, seen(UP, 1, sequence=3))


def test_a_result_that_nobody_counted_is_always_taken_and_loses_no_count() -> None:
    """Nor does it make an earlier one new again."""
    uncounted = [Observed(second * SECOND, 0, 0, DOWN, Cause.TCP_REFUSED) for second in (8, 9)]
    state, found = after(policy(confirm=3), seen(DOWN, 7), *uncounted)

    assert isinstance(found[-1], Opened)
    assert [(one.run, one.sequence) for one in state.views] == [(1, 7)]
    assert not is_new(state, seen(UP, 7))


def test_a_person_closes_it_and_a_new_one_needs_confirmation_again() -> None:
    ours = policy(confirm=2)
    state, _ = run([DOWN, DOWN], ours)

    state, decisions = step(state, Resolved(9 * SECOND, "ann", "cable"), ours)
    assert decisions == (Closed(OUTAGE, "shop-1", 9 * SECOND, "ann", "cable"),)
    state, decisions = step(state, seen(DOWN, 10), ours)
    assert kinds(list(decisions)) == ["Suspected"]
    _, decisions = step(state, seen(DOWN, 11), ours)
    assert decisions == (Opened(OUTAGE, "shop-2", 11 * SECOND, 10 * SECOND, Cause.TCP_REFUSED, failures=2),)


def test_a_resolution_reaches_both_open_incidents_outage_first() -> None:
    ours = policy(confirm=1)
    state, _ = run([DEGRADED, DOWN], ours)

    state, decisions = step(state, Resolved(5 * SECOND, "ann", "done"), ours)

    assert decisions == (Closed(OUTAGE, "shop-2", 5 * SECOND, "ann", "done"), Closed(DEGRADATION, "shop-1", 5 * SECOND, "ann", "done"))
    assert state.resting
    assert step(state, Resolved(6 * SECOND, "bob"), ours) == (state, ())


@pytest.mark.parametrize("statuses", [[], [UP], [DOWN], [UNKNOWN], [DEGRADED, DOWN]])
def test_without_an_open_incident_a_resolution_does_nothing(statuses: list[Status]) -> None:
    """A suspicion stays one: nobody can resolve what is not open."""
    state, _ = run(statuses, policy(confirm=3))

    assert step(state, Resolved(9 * SECOND, "ann"), policy(confirm=3)) == (state, ())


# Properties ---------------------------------------------------------------------------------------------------------------------------


def on_paper(severity: Severity, statuses: list[Status], ours: DetectionPolicy) -> list[str]:
    """Look back over the judged results only, as a person would."""
    ignored, bad_one = ((UNKNOWN,), DOWN) if severity is OUTAGE else ((UNKNOWN, DOWN), DEGRADED)
    found, is_open, bad, good = list[str](), False, 0, 0
    for status in statuses:
        if status in ignored:
            continue
        bad, good = (bad + 1, 0) if status is bad_one else (0, good + 1)
        if not is_open and bad == ours.confirm:
            is_open, good = True, 0
            found.append("Opened")
        elif is_open and good == ours.recover:
            is_open, bad = False, 0
            found.append("Recovered")
    return found


@pytest.mark.parametrize("severity", Severity)
@given(statuses=st.lists(STATUSES, max_size=60), ours=POLICIES)
def test_each_track_agrees_with_a_list_on_paper(severity: Severity, statuses: list[Status], ours: DetectionPolicy) -> None:
    _, decisions = run(statuses, ours)

    decided = [type(one).__name__ for one in decisions if isinstance(one, Opened | Recovered) and one.severity is severity]
    assert decided == on_paper(severity, statuses, ours)


@given(statuses=st.lists(STATUSES, max_size=60), ours=POLICIES)
def test_the_tracks_know_nothing_of_each_other(statuses: list[Status], ours: DetectionPolicy) -> None:
    """What a track cannot judge might as well not have been seen; only the numbers of incidents are common."""

    def of(severity: Severity, seen_statuses: list[Status]) -> list[tuple[str, int]]:
        rows = enumerate(seen_statuses, 1)
        judged = [(second, one) for second, one in rows if one is not UNKNOWN and not (severity is DEGRADATION and one is DOWN)]
        if severity is OUTAGE:
            judged = [(second, UP if one is DEGRADED else one) for second, one in judged]
        _, found = after(ours, *(seen(status, second) for second, status in judged))
        return [(type(one).__name__, one.at) for one in found if one.severity is severity]

    _, decisions = run(statuses, ours)
    for severity in Severity:
        assert [(type(one).__name__, one.at) for one in decisions if one.severity is severity] == of(severity, statuses)


@st.composite
def logs(draw: st.DrawFn) -> list[DetectionEvent]:
    """Results, some repeated or late, and people who close, at instants that mostly rise."""
    found: list[DetectionEvent] = []
    at = 0
    for number in range(1, 1 + draw(st.integers(0, 50))):
        at += draw(st.integers(-2, 5)) * SECOND
        if draw(st.integers(0, 7)) == 0:
            found.append(Resolved(at, "ann", "done"))
        else:
            status = draw(STATUSES)
            found.append(Observed(at, 1, max(1, number - draw(st.sampled_from([0, 0, 0, 1, 3]))), status, CAUSES[status]))
    return found


@given(log=logs(), ours=POLICIES)
def test_an_incident_opens_once_closes_once_and_one_of_a_track_at_a_time(log: list[DetectionEvent], ours: DetectionPolicy) -> None:
    ever, is_open = list[str](), dict[Severity, str]()
    for one in after(ours, *log)[1]:
        if isinstance(one, Opened):
            assert one.severity not in is_open
            is_open[one.severity] = one.incident
            ever.append(one.incident)
        elif isinstance(one, Recovered | Closed):
            assert is_open.pop(one.severity) == one.incident
    assert ever == [f"shop-{number}" for number in range(1, len(ever) + 1)]


@given(log=logs(), ours=POLICIES)
def test_a_suspicion_ends_by_an_incident_or_by_nothing(log: list[DetectionEvent], ours: DetectionPolicy) -> None:
    suspected = dict[Severity, int]()
    for one in after(ours, *log)[1]:
        if isinstance(one, Suspected):
            assert one.severity not in suspected
            suspected[one.severity] = one.at
        elif isinstance(one, Cleared):
            suspected.pop(one.severity)
        elif isinstance(one, Opened):
            assert one.started_at == min(suspected.pop(one.severity), one.at)


@given(log=logs(), ours=POLICIES)
def test_an_incident_is_open_exactly_while_its_track_says_so(log: list[DetectionEvent], ours: DetectionPolicy) -> None:
    state, is_open = DetectionState("shop"), dict[Severity, str]()
    for event in log:
        state, decisions = step(state, event, ours)
        for one in decisions:
            if isinstance(one, Opened):
                is_open[one.severity] = one.incident
            elif isinstance(one, Recovered | Closed):
                del is_open[one.severity]
        tracks = {OUTAGE: state.outage, DEGRADATION: state.degradation}
        assert {severity: track.incident for severity, track in tracks.items() if track.is_open} == is_open


@given(log=logs(), ours=POLICIES)
def test_replaying_its_results_changes_nothing(log: list[DetectionEvent], ours: DetectionPolicy) -> None:
    state, _ = after(ours, *log)

    for event in log:
        if isinstance(event, Observed):
            assert step(state, event, ours) == (state, ())


@given(log=logs(), ours=POLICIES, first=st.integers(1, 4), cut=st.integers(0, 50))
def test_a_policy_that_changes_holds_from_the_next_result_on(
    log: list[DetectionEvent], ours: DetectionPolicy, first: int, cut: int
) -> None:
    """A count that is full already under a smaller threshold opens at the next failure, not before."""
    state, _ = after(policy(first, recover=1), *log[:cut])
    for event in log[cut:]:
        before = state
        state, decisions = step(state, event, ours)
        for one in decisions:
            if isinstance(one, Opened):
                track = before.outage if one.severity is OUTAGE else before.degradation
                assert track.count + 1 >= ours.confirm


INSTANTS = st.integers(-(2**62), 2**62)
ANY_EVENT: st.SearchStrategy[DetectionEvent] = st.one_of(
    st.builds(
        Observed,
        INSTANTS,
        st.integers(-5, 5),
        st.integers(-5, 50),
        st.sampled_from(Status),
        st.none() | st.sampled_from(Cause),
        st.sampled_from(["local", "paris", ""]),
    ),
    st.builds(Resolved, INSTANTS, st.text(max_size=5), st.text(max_size=5)),
)
ANY_POLICY = st.builds(
    DetectionPolicy,
    confirm=st.integers(-1, 4),
    recover=st.integers(-1, 3),
    quorum=st.none() | st.integers(0, 4),
    stale_ms=st.sampled_from([0, SECOND, 2**61]),
    confirm_ms=st.sampled_from([0, 0, SECOND, 2**50]),
    recover_ms=st.sampled_from([0, 0, SECOND, 2**50]),
    rate=st.none() | st.builds(Rate, st.integers(2, 60), st.integers(2, 60)),
    flapping=st.booleans(),
)


@given(log=st.lists(ANY_EVENT, max_size=30), ours=ANY_POLICY)
def test_a_step_is_total_and_no_incident_begins_after_it_opened(log: list[DetectionEvent], ours: DetectionPolicy) -> None:
    state, decisions = after(ours, *log)

    assert all(one.started_at <= one.at for one in decisions if isinstance(one, Opened))
    assert after(ours, *log) == (state, decisions)


# Records ------------------------------------------------------------------------------------------------------------------------------


@given(log=st.lists(ANY_EVENT, max_size=20), ours=ANY_POLICY)
def test_every_state_survives_the_store_as_json_and_as_msgpack(log: list[DetectionEvent], ours: DetectionPolicy) -> None:
    state, _ = after(ours, *log)

    assert msgspec.json.decode(msgspec.json.encode(state), type=DetectionState) == state
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=DetectionState) == state


def test_a_state_of_the_version_before_alerts_is_read_and_goes_on_where_it_was() -> None:
    """What it said about notices (told, acked, reminders, wake_at) is an alert's now, and its `order` a location's."""
    track = {"phase": "recovering", "count": 1, "since": 5_000, "incident": "shop-2", "told": True, "acked": True, "reminders": 3}
    other = {"phase": "healthy", "count": 0, "since": 0, "incident": "shop-1", "told": False, "acked": False, "reminders": 0}
    record = {
        "monitor": "shop",
        "order": (3 << 32) + 17,
        "ordinal": 2,
        "status": "up",
        "cause": None,
        "at": 9_000,
        "outage": {**track, "remind_at": 12_000},
        "degradation": {**other, "remind_at": None},
        "wake_at": 12_000,
    }

    state = msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=DetectionState)

    assert state == DetectionState(
        "shop", 2, UP, None, 9_000, Track(Phase.RECOVERING, 1, 5_000, "shop-2"), Track(Phase.HEALTHY, 0, 0, "shop-1")
    )
    assert state.views == ()
    state, decisions = step(state, Observed(10_000, 4, 1, UP), policy(recover=2))
    assert decisions == (Recovered(OUTAGE, "shop-2", 10_000),)
    assert state.views == (quorum.View("local", 4, 1, 10_000, UP),)
