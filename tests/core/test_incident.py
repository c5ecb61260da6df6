"""The state machine's laws, by tables, by properties, and against a brute-force model."""

from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.detection import Severity
from vigie.core.events import (
    Acked,
    AckRecorded,
    Cleared,
    Closed,
    Decision,
    Disclosed,
    Event,
    Observed,
    Opened,
    Recovered,
    Reminded,
    Resolved,
    Stepped,
    Suspected,
    Woke,
)
from vigie.core.incident import TABLE, MonitorState, Phase, Policies, Signal, step
from vigie.core.model import Cause, Status
from vigie.core.notification import Window
from vigie.testing.fakes import policies

UP, DOWN, DEGRADED, UNKNOWN = Status.UP, Status.DOWN, Status.DEGRADED, Status.UNKNOWN
CAUSES = {UP: None, DOWN: Cause.TCP_REFUSED, DEGRADED: Cause.LATENCY_THRESHOLD, UNKNOWN: Cause.PROBE_NETWORK}
SECOND, HOUR = 1_000, 3_600_000


def observed(status: Status, order: int, at: int | None = None) -> Observed:
    return Observed(order * SECOND if at is None else at, order, status, CAUSES[status])


def run(statuses: list[Status], policy: Policies) -> tuple[MonitorState, list[Decision]]:
    found: list[Decision] = []
    state = MonitorState("shop")
    for order, status in enumerate(statuses, 1):
        state, decisions = step(state, observed(status, order), policy)
        found += decisions
    return state, found


def kinds(decisions: list[Decision]) -> list[str]:
    return [type(decision).__name__ for decision in decisions]


def test_the_table_says_something_for_every_phase_and_signal() -> None:
    assert set(TABLE) == {(phase, signal) for phase in Phase for signal in Signal}


def test_three_failures_open_one_incident_and_two_good_checks_close_it() -> None:
    _, decisions = run([UP, DOWN, DOWN, DOWN, DOWN, UP, UP, UP], policies(confirm=3, recover=2))

    assert kinds(decisions) == ["Suspected", "Opened", "Recovered"]


def test_one_blip_does_not_page() -> None:
    _, decisions = run([UP, DOWN, UP, DOWN, DOWN, UP], policies(confirm=3))

    assert kinds(decisions) == ["Suspected", "Cleared", "Suspected", "Cleared"]


def test_confirm_of_one_opens_at_once_and_the_start_is_the_first_failure() -> None:
    _, decisions = run([DOWN], policies(confirm=1))

    assert kinds(decisions) == ["Suspected", "Opened"]
    opened = decisions[1]
    assert isinstance(opened, Opened)
    assert (opened.incident, opened.started_at, opened.page) == ("shop-1", SECOND, True)


def test_a_relapse_while_recovering_keeps_the_same_incident() -> None:
    state, decisions = run([DOWN, DOWN, UP, DOWN, UP, UP], policies(confirm=2, recover=2))

    assert kinds(decisions) == ["Suspected", "Opened", "Recovered"]
    assert state.resting


def test_unknown_neither_counts_nor_resets() -> None:
    _, decisions = run([DOWN, UNKNOWN, DOWN, UNKNOWN, DOWN], policies(confirm=3))

    assert kinds(decisions) == ["Suspected", "Opened"]


def test_a_degradation_has_its_own_incident_and_an_outage_does_not_close_it() -> None:
    state, decisions = run([DEGRADED, DEGRADED, DOWN, DOWN], policies(confirm=2))

    assert [(type(one).__name__, one.severity) for one in decisions] == [
        ("Suspected", Severity.DEGRADATION),
        ("Opened", Severity.DEGRADATION),
        ("Suspected", Severity.OUTAGE),
        ("Opened", Severity.OUTAGE),
    ]
    assert state.degradation.incident != state.outage.incident


def test_a_degraded_answer_ends_an_outage() -> None:
    _, decisions = run([DOWN, DEGRADED, DEGRADED], policies(confirm=1, recover=2))

    assert Recovered in [type(one) for one in decisions if one.severity is Severity.OUTAGE]


def test_a_repeated_or_late_result_changes_nothing() -> None:
    policy = policies(confirm=3)
    state, _ = run([DOWN, DOWN], policy)

    assert step(state, observed(DOWN, 2), policy) == (state, ())
    assert step(state, observed(UP, 1), policy) == (state, ())


def test_an_incident_in_maintenance_is_disclosed_once_when_the_window_ends() -> None:
    policy = policies(confirm=1, windows=(Window(0, 10 * SECOND),))
    state, decisions = step(MonitorState("shop"), observed(DOWN, 1), policy)
    opened = decisions[1]
    assert isinstance(opened, Opened)
    assert not opened.page
    assert state.wake_at == 10 * SECOND

    state, decisions = step(state, Woke(9 * SECOND), policy)
    assert decisions == ()
    state, decisions = step(state, Woke(10 * SECOND), policy)
    assert kinds(list(decisions)) == ["Disclosed"]
    _, decisions = step(state, Woke(11 * SECOND), policy)
    assert decisions == ()


def test_what_was_never_told_ends_untold() -> None:
    policy = policies(confirm=1, recover=1, windows=(Window(0, HOUR),))
    _, decisions = run([DOWN, UP], policy)

    recovered = decisions[-1]
    assert isinstance(recovered, Recovered)
    assert not recovered.page


def test_reminders_come_one_at_a_time_and_stop_with_an_acknowledgement() -> None:
    policy = policies(confirm=1, remind_ms=HOUR)
    state, _ = step(MonitorState("shop"), observed(DOWN, 1, 0), policy)
    assert state.wake_at == HOUR

    state, decisions = step(state, Woke(50 * HOUR), policy)
    assert decisions == (Reminded(Severity.OUTAGE, "shop-1", 50 * HOUR, 1),)
    state, decisions = step(state, Acked(50 * HOUR + 1, "ann"), policy)
    assert decisions == (AckRecorded(Severity.OUTAGE, "shop-1", 50 * HOUR + 1, "ann"),)
    _, decisions = step(state, Woke(99 * HOUR), policy)
    assert decisions == ()


def test_a_clock_step_moves_reminders_along_and_decides_nothing() -> None:
    policy = policies(confirm=1, remind_ms=HOUR)
    state, _ = step(MonitorState("shop"), observed(DOWN, 1, 0), policy)

    state, decisions = step(state, Stepped(5 * HOUR, 5 * HOUR), policy)

    assert decisions == ()
    assert state.wake_at == 6 * HOUR


def test_a_person_closes_it_and_a_new_one_needs_confirmation_again() -> None:
    policy = policies(confirm=2)
    state, _ = run([DOWN, DOWN], policy)

    state, decisions = step(state, Resolved(9 * SECOND, "ann", "cable"), policy)
    assert decisions == (Closed(Severity.OUTAGE, "shop-1", 9 * SECOND, "ann", "cable", page=True),)
    state, decisions = step(state, observed(DOWN, 10), policy)
    assert kinds(list(decisions)) == ["Suspected"]
    _, decisions = step(state, observed(DOWN, 11), policy)
    assert isinstance(decisions[0], Opened)
    assert decisions[0].incident == "shop-2"


def test_a_state_survives_the_store() -> None:
    state, _ = run([DEGRADED, DOWN, DOWN], policies(confirm=2))

    assert msgspec.json.decode(msgspec.json.encode(state), type=MonitorState) == state


STATUSES_OFTEN_DOWN = st.sampled_from([UP, DOWN, DOWN, DEGRADED, UNKNOWN])
STATUSES = st.sampled_from([UP, DOWN, DEGRADED, UNKNOWN])
POLICIES = st.builds(
    policies,
    confirm=st.integers(1, 4),
    recover=st.integers(1, 3),
    remind_ms=st.sampled_from([0, 5 * SECOND, HOUR]),
    windows=st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 30)).map(lambda w: Window(w[0] * SECOND, (w[0] + w[1]) * SECOND)), max_size=3
    ).map(tuple),
)


@given(
    statuses=st.lists(STATUSES, max_size=60),
    policy=POLICIES.map(lambda policy: Policies(policy.detection, replace(policy.notification, windows=()))),
)
def test_the_outage_track_agrees_with_a_brute_force_model(statuses: list[Status], policy: Policies) -> None:
    """The model: look back over the judged results only, as a person would with a list on paper."""
    expected, is_open, bad, good = [], False, 0, 0
    for status in statuses:
        if status is UNKNOWN:
            continue
        bad, good = (bad + 1, 0) if status is DOWN else (0, good + 1)
        if not is_open and bad == policy.detection.confirm:
            is_open, good = True, 0
            expected.append("Opened")
        elif is_open and good == policy.detection.recover:
            is_open, bad = False, 0
            expected.append("Recovered")

    _, decisions = run(statuses, policy)

    assert [
        kind for one in decisions if one.severity is Severity.OUTAGE and (kind := type(one).__name__) in ("Opened", "Recovered")
    ] == expected


def events(draw: st.DrawFn) -> list[Event]:
    """Results with duplicates and late ones, acknowledgements, closings, wakes and clock steps, at times that mostly rise."""
    found: list[Event] = []
    at = 0
    for order in range(1, 1 + draw(st.integers(0, 50))):
        at += draw(st.integers(-2, 5)) * SECOND
        late = max(1, order - draw(st.sampled_from([0, 0, 0, 1, 3])))
        results = STATUSES_OFTEN_DOWN.map(lambda status, at=at, late=late: observed(status, late, at))  # type: ignore[misc]
        others: st.SearchStrategy[Event] = st.sampled_from(
            [Acked(at, "ann"), Resolved(at, "ann"), Woke(at), Stepped(at, 7 * SECOND), Stepped(at, -7 * SECOND)]
        )
        found.append(draw(results | others))
    return found


@given(log=st.composite(events)(), policy=POLICIES)
def test_no_history_yields_two_pages_for_one_transition(log: list[Event], policy: Policies) -> None:
    state, told, ended, opened = MonitorState("shop"), [], [], []
    for event in log:
        state, decisions = step(state, event, policy)
        for one in decisions:
            if isinstance(one, Opened):
                opened.append(one.incident)
            if (isinstance(one, Opened) and one.page) or isinstance(one, Disclosed):
                told.append(one.incident)
            if isinstance(one, Recovered | Closed):
                assert one.incident in opened
                assert one.page == (one.incident in told)
                ended.append(one.incident)
            if isinstance(one, Reminded):
                assert one.incident in told
                assert one.incident not in ended
            if isinstance(one, Suspected | Cleared):
                assert one.severity in Severity
    assert len(opened) == len(set(opened))
    assert len(told) == len(set(told))
    assert len(ended) == len(set(ended))


@given(log=st.composite(events)(), policy=POLICIES)
def test_nobody_is_left_in_the_dark_once_the_windows_are_over(log: list[Event], policy: Policies) -> None:
    """Whatever happened: an incident that is open after the last window is told as soon as its own wake-up is granted."""
    state = MonitorState("shop")
    for event in log:
        state, _ = step(state, event, policy)
    if state.outage.phase is Phase.OPEN and not state.outage.told:
        assert state.wake_at is not None
        state, decisions = step(state, Woke(max(state.wake_at, 1_000 * SECOND)), policy)
        assert any(isinstance(one, Disclosed) for one in decisions)
        assert state.outage.told


@given(log=st.composite(events)(), policy=POLICIES, times=st.integers(1, 3))
def test_a_replayed_result_is_harmless(log: list[Event], policy: Policies, times: int) -> None:
    once = many = MonitorState("shop")
    for event in log:
        once, first = step(once, event, policy)
        repeated: list[Decision] = []
        for _ in range(times if isinstance(event, Observed) else 1):
            many, decisions = step(many, event, policy)
            repeated += decisions
        assert repeated == list(first)
    assert once == many
