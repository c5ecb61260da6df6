"""The laws that need time to pass: every wake-up is granted, and what people were told is counted."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.detection import Severity
from vigie.core.events import Acked, Closed, Decision, Disclosed, Event, Observed, Opened, Recovered, Reminded, Resolved, Stepped, Woke
from vigie.core.incident import MonitorState, Phase, Policies, Track, step
from vigie.core.model import Cause, Status
from vigie.core.notification import Window
from vigie.testing.fakes import policies

UP, DOWN, DEGRADED, UNKNOWN = Status.UP, Status.DOWN, Status.DEGRADED, Status.UNKNOWN
SECOND = 1_000
OUTAGE, DEGRADATION = Severity.OUTAGE, Severity.DEGRADATION


def window(start: int, end: int) -> Window:
    return Window(start * SECOND, end * SECOND)


def seen(status: Status, second: int, order: int | None = None) -> Observed:
    return Observed(second * SECOND, second if order is None else order, status, None if status is UP else Cause.TCP_REFUSED)


def after(policy: Policies, *events: Event) -> tuple[MonitorState, list[Decision]]:
    state, found = MonitorState("shop"), list[Decision]()
    for event in events:
        state, decisions = step(state, event, policy)
        found += decisions
    return state, found


def granted(policy: Policies, log: list[Event]) -> tuple[MonitorState, list[tuple[Event, Decision]]]:
    """Run a log as a punctual engine does: before each event, every wake-up that was asked for until then."""
    state, found = MonitorState("shop"), list[tuple[Event, Decision]]()
    for event in log:
        due: list[Event] = []
        while state.wake_at is not None and state.wake_at <= event.at and not isinstance(event, Stepped):
            due = [Woke(state.wake_at)]
            state, decisions = step(state, due[0], policy)
            found += [(due[0], one) for one in decisions]
            assert state.wake_at is None or state.wake_at > due[0].at, "a wake-up that was granted is asked for again"
        state, decisions = step(state, event, policy)
        found += [(event, one) for one in decisions]
    return state, found


def tracks(state: MonitorState) -> tuple[Track, Track]:
    return state.outage, state.degradation


def test_what_a_window_hid_is_disclosed_at_its_end_even_while_it_seems_to_recover() -> None:
    """Else nobody would hear of an incident that stays open because Vigie sees nothing any more."""
    policy = policies(confirm=1, recover=3, windows=(window(0, 10),))
    state, _ = after(policy, seen(DOWN, 1), seen(UP, 2))
    assert (state.outage.phase, state.wake_at) == (Phase.RECOVERING, 10 * SECOND)

    state, decisions = step(state, Woke(10 * SECOND), policy)

    assert decisions == (Disclosed(OUTAGE, "shop-1", 10 * SECOND),)
    assert step(state, Woke(11 * SECOND), policy)[1] == ()


def test_an_incident_that_only_seems_to_recover_is_still_reminded_of() -> None:
    policy = policies(confirm=1, recover=3, remind_ms=10 * SECOND)
    state, _ = after(policy, seen(DOWN, 1), seen(UP, 2), seen(UNKNOWN, 3))
    assert state.wake_at == 11 * SECOND

    _, decisions = step(state, Woke(11 * SECOND), policy)

    assert decisions == (Reminded(OUTAGE, "shop-1", 11 * SECOND, 1),)


@pytest.mark.parametrize("now", [11, 15, 19])
def test_a_reminder_that_a_window_overtook_waits_for_its_end_and_no_wake_up_comes_before(now: int) -> None:
    policy = policies(confirm=1, remind_ms=9 * SECOND, windows=(window(11, 20),))
    state, _ = after(policy, seen(DOWN, 1), seen(UNKNOWN, now))
    assert state.outage.remind_at == 10 * SECOND
    assert state.wake_at == 20 * SECOND

    _, decisions = step(state, Woke(20 * SECOND), policy)

    assert decisions == (Reminded(OUTAGE, "shop-1", 20 * SECOND, 1),)


def test_a_reminder_that_falls_into_a_window_comes_at_its_end_and_the_next_counts_from_there() -> None:
    policy = policies(confirm=1, remind_ms=5 * SECOND, windows=(window(4, 30),))

    state, found = granted(policy, [seen(DOWN, 1), seen(DOWN, 36)])

    assert [(one.number, one.at) for _, one in found if isinstance(one, Reminded)] == [(1, 30 * SECOND), (2, 35 * SECOND)]
    assert state.wake_at == 40 * SECOND


def test_disclosure_starts_the_wait_for_the_first_reminder() -> None:
    policy = policies(confirm=1, remind_ms=5 * SECOND, windows=(window(0, 10),))

    state, _ = after(policy, seen(DOWN, 1), Woke(12 * SECOND))

    assert state.wake_at == 17 * SECOND


def test_an_acknowledgement_and_a_resolution_reach_both_open_incidents_outage_first() -> None:
    policy = policies(confirm=1)
    state, _ = after(policy, seen(DEGRADED, 1), seen(DOWN, 2))

    state, acked = step(state, Acked(3 * SECOND, "ann"), policy)
    again, nothing = step(state, Acked(4 * SECOND, "bob"), policy)
    ended, closed = step(state, Resolved(5 * SECOND, "ann", "done"), policy)

    assert [one.severity for one in acked] == [one.severity for one in closed] == [OUTAGE, DEGRADATION]
    assert (again, nothing) == (state, ())
    assert ended.resting
    assert ended.wake_at is None


@pytest.mark.parametrize("event", [Acked(9 * SECOND, "ann"), Resolved(9 * SECOND, "ann"), Woke(9 * SECOND), Stepped(9 * SECOND, -1)])
@pytest.mark.parametrize("statuses", [[], [UP], [DOWN], [UNKNOWN]])
def test_without_an_open_incident_nothing_but_a_result_does_anything(event: Event, statuses: list[Status]) -> None:
    policy = policies(confirm=3)
    state, _ = after(policy, *(seen(status, second) for second, status in enumerate(statuses, 1)))

    assert step(state, event, policy) == (state, ())


def test_a_result_that_nobody_counted_is_always_taken_and_loses_no_count() -> None:
    state, found = after(policies(confirm=3), seen(DOWN, 7), seen(DOWN, 8, order=0), seen(DOWN, 9, order=0))

    assert isinstance(found[-1], Opened)
    assert state.order == 7


STATUSES = st.sampled_from([UP, UP, DOWN, DOWN, DEGRADED, UNKNOWN])
WINDOWS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda one: window(one[0], one[0] + one[1])), max_size=4)
POLICIES = st.builds(
    policies,
    confirm=st.sampled_from([1, 1, 2, 3]),
    recover=st.sampled_from([1, 2, 3, 3]),
    remind_ms=st.sampled_from([0, SECOND, 3 * SECOND, 20 * SECOND]),
    windows=WINDOWS.map(tuple),
)


@st.composite
def logs(draw: st.DrawFn, *, steps: bool = True) -> list[Event]:
    """Results (some repeated or late), people and spurious wake-ups at instants that rise, but for steps of the clock."""
    found: list[Event] = []
    at = 0
    for order in range(1, 1 + draw(st.integers(0, 30))):
        at += draw(st.integers(0, 5)) * SECOND
        kind = draw(st.sampled_from(["result"] * 8 + ["ack", "resolve", "wake", "step"]))
        if kind == "step" and steps:
            delta = draw(st.sampled_from([-7, 7, 100])) * SECOND
            at += delta
            found.append(Stepped(at, delta))
        elif kind == "ack":
            found.append(Acked(at, "ann"))
        elif kind == "resolve":
            found.append(Resolved(at, "ann"))
        elif kind == "wake":
            found.append(Woke(at))
        else:
            late = draw(st.sampled_from([0, 0, 0, 0, 1, 3]))
            found.append(Observed(at, max(1, order - late), draw(STATUSES), Cause.TCP_REFUSED))
    return found


@given(log=logs(), policy=POLICIES)
def test_every_opening_and_every_end_is_told_once_and_no_end_without_its_opening(log: list[Event], policy: Policies) -> None:
    told, ended = Counter[str](), Counter[str]()
    for _, one in granted(policy, log)[1]:
        if isinstance(one, Disclosed) or (isinstance(one, Opened) and one.page):
            told[one.incident] += 1
            assert not ended[one.incident]
        elif isinstance(one, Recovered | Closed):
            ended[one.incident] += 1
            assert one.page == bool(told[one.incident])

    assert set(told.values()) | set(ended.values()) <= {1}


@settings(max_examples=400)
@given(log=logs(), policy=POLICIES)
def test_what_is_open_outside_every_window_has_been_told(log: list[Event], policy: Policies) -> None:
    """From here on Vigie sees nothing: only the wake-ups that the state itself asks for are left to bring it out."""
    state, _ = granted(policy, log)
    for _ in range(10):
        if state.wake_at is not None and any(track.is_open and not track.told for track in tracks(state)):
            state, _ = step(state, Woke(state.wake_at), policy)

    assert all(track.told for track in tracks(state) if track.is_open)


@given(log=logs(steps=False), policy=POLICIES)
def test_reminders_are_numbered_spaced_and_silent_for_the_acknowledged_and_in_windows(log: list[Event], policy: Policies) -> None:
    last, numbers, acked = dict[str, int](), Counter[str](), set[str]()
    for event, one in granted(policy, log)[1]:
        if isinstance(event, Acked) and not isinstance(one, Disclosed):
            acked.add(getattr(one, "incident", ""))
        if isinstance(one, Reminded):
            numbers[one.incident] += 1
            assert one.number == numbers[one.incident]
            assert one.at - last[one.incident] >= policy.notification.remind_ms > 0
            assert one.incident not in acked
            assert policy.notification.muted_until(one.at) is None
        if isinstance(one, Opened | Disclosed | Reminded):
            last[one.incident] = one.at


@settings(max_examples=300)
@given(log=logs(), policy=POLICIES)
def test_a_wake_up_lies_ahead_outside_every_window_and_is_for_something_open(log: list[Event], policy: Policies) -> None:
    """Else an engine that sleeps until then would spin."""
    state = MonitorState("shop")
    for event in log:
        before = state
        state, _ = step(state, event, policy)
        taken = isinstance(event, Woke) or (isinstance(event, Observed) and state is not before)
        assert not taken or state.wake_at is None or state.wake_at > event.at
        assert state.wake_at is None or policy.notification.muted_until(state.wake_at) is None
        assert state.wake_at is None or any(track.is_open for track in tracks(state))


@given(log=logs(), policy=POLICIES)
def test_the_same_log_gives_the_same_state_and_replaying_its_results_gives_nothing(log: list[Event], policy: Policies) -> None:
    state, decisions = after(policy, *log)
    assert after(policy, *log) == (state, decisions)

    for event in log:
        if isinstance(event, Observed):
            assert step(state, event, policy) == (state, ())


@given(statuses=st.lists(STATUSES, max_size=60), policy=POLICIES)
def test_the_degradation_track_agrees_with_a_list_on_paper(statuses: list[Status], policy: Policies) -> None:
    expected, is_open, bad, good = [], False, 0, 0
    for status in statuses:
        if status in (UNKNOWN, DOWN):
            continue
        bad, good = (bad + 1, 0) if status is DEGRADED else (0, good + 1)
        if not is_open and bad == policy.detection.confirm:
            is_open, good = True, 0
            expected.append("Opened")
        elif is_open and good == policy.detection.recover:
            is_open, bad = False, 0
            expected.append("Recovered")

    _, decisions = after(policy, *(seen(status, second) for second, status in enumerate(statuses, 1)))

    assert [type(one).__name__ for one in decisions if isinstance(one, Opened | Recovered) and one.severity is DEGRADATION] == expected


INSTANTS = st.integers(-(2**62), 2**62)
ANY_EVENT: st.SearchStrategy[Event] = st.one_of(
    st.builds(Observed, INSTANTS, st.integers(-5, 50), st.sampled_from(Status), st.none() | st.sampled_from(Cause)),
    st.builds(Acked, INSTANTS, st.text(max_size=5)),
    st.builds(Resolved, INSTANTS, st.text(max_size=5), st.text(max_size=5)),
    st.builds(Woke, INSTANTS),
    st.builds(Stepped, INSTANTS, INSTANTS),
)


@given(log=st.lists(ANY_EVENT, max_size=30), policy=POLICIES)
def test_a_step_is_total_and_no_incident_begins_after_it_opened(log: list[Event], policy: Policies) -> None:
    _, decisions = after(policy, *log)

    assert all(one.started_at <= one.at for one in decisions if isinstance(one, Opened))


@given(log=logs(), policy=POLICIES)
def test_every_state_survives_the_store_as_json_and_as_msgpack(log: list[Event], policy: Policies) -> None:
    state, _ = after(policy, *log)

    assert msgspec.json.decode(msgspec.json.encode(state), type=MonitorState) == state
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=MonitorState) == state
