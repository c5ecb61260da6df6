"""The laws that need both machines and time that passes: wake-ups are granted, and what people were notified of is counted.

Each holds for alerts of one incident and for alerts that hold all that is open at a time.
"""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.alert import AlertState
from vigie.core.detection import Severity
from vigie.core.events import (
    Acked,
    AckRecorded,
    Announced,
    Closed,
    Disclosed,
    Ended,
    Joined,
    Observed,
    Opened,
    Recovered,
    Reminded,
    Resolved,
    Stepped,
    Woke,
)
from vigie.core.incident import DetectionState, Phase, Track
from vigie.core.model import Status
from vigie.core.notification import NoticeReason
from vigie.stores.kit.records import decode, encode

from .machines import (
    DEGRADED,
    DOWN,
    HOUR,
    POLICIES,
    SECOND,
    UNKNOWN,
    UP,
    Event,
    Happening,
    Machines,
    Policies,
    after,
    granted,
    logs,
    policies,
    seen,
    window,
)

OUTAGE, DEGRADATION = Severity.OUTAGE, Severity.DEGRADATION
GROUPED = pytest.mark.parametrize("grouped", [False, True], ids=["alone", "grouped"])
FEW = settings(max_examples=60)  # of each of the two


def tracks(state: DetectionState) -> tuple[Track, Track]:
    return state.outage, state.degradation


def open_incidents(machines: Machines) -> set[str]:
    return {track.incident for state in machines.states.values() for track in tracks(state) if track.is_open}


# Examples -----------------------------------------------------------------------------------------------------------------------------


@GROUPED
def test_what_a_window_hid_is_disclosed_at_its_end_even_while_it_seems_to_recover(grouped: bool) -> None:
    """Else nobody would hear of an incident that stays open because Vigie sees nothing any more."""
    policy = policies(confirm=1, recover=3, windows=(window(0, 10),))
    machines, _ = after(policy, seen(DOWN, 1), seen(UP, 2), grouped=grouped)
    assert (machines.state().outage.phase, machines.wake_at) == (Phase.RECOVERING, 10 * SECOND)

    assert [one.decision for one in machines.take(Woke(10 * SECOND))] == [Disclosed(10 * SECOND, "shop-1", ("mail",))]
    assert machines.take(Woke(11 * SECOND)) == []


@GROUPED
def test_an_incident_that_only_seems_to_recover_is_still_reminded_of(grouped: bool) -> None:
    policy = policies(confirm=1, recover=3, remind_ms=10 * SECOND)
    machines, _ = after(policy, seen(DOWN, 1), seen(UP, 2), seen(UNKNOWN, 3), grouped=grouped)
    assert machines.wake_at == 11 * SECOND

    assert [one.decision for one in machines.take(Woke(11 * SECOND))] == [Reminded(11 * SECOND, 1, "shop-1", ("mail",))]


@pytest.mark.parametrize("now", [11, 15, 19])
def test_a_reminder_that_a_window_overtook_waits_for_its_end_also_where_results_come_in_it(now: int) -> None:
    policy = policies(confirm=1, remind_ms=9 * SECOND, windows=(window(11, 20),))
    machines, _ = after(policy, seen(DOWN, 1), seen(UNKNOWN, now))
    assert (machines.alerts["shop-1"].remind_at, machines.wake_at) == (10 * SECOND, 20 * SECOND)

    assert [one.decision for one in machines.take(Woke(20 * SECOND))] == [Reminded(20 * SECOND, 1, "shop-1", ("mail",))]


def test_a_result_wakes_the_alert_that_it_is_about() -> None:
    """Nobody need wait for the timer: what is due when a result comes is due."""
    _, found = after(policies(confirm=1, remind_ms=5 * SECOND, windows=(window(0, 10),)), seen(DOWN, 1), seen(DOWN, 12), seen(UNKNOWN, 17))

    assert found[-2:] == [Disclosed(12 * SECOND, "shop-1", ("mail",)), Reminded(17 * SECOND, 1, "shop-1", ("mail",))]


def test_a_repeated_result_wakes_nothing() -> None:
    machines, _ = after(policies(confirm=1, windows=(window(0, 10),)), seen(DOWN, 1))

    assert machines.take(seen(DOWN, 12, sequence=1)) == []


def test_an_acknowledgement_and_a_resolution_reach_both_open_incidents_outage_first() -> None:
    machines, _ = after(policies(confirm=1), seen(DEGRADED, 1), seen(DOWN, 2))

    acked, again = machines.take(Acked(3 * SECOND, "ann")), machines.take(Acked(4 * SECOND, "bob"))
    closed = [one.decision for one in machines.take(Resolved(5 * SECOND, "ann", "done"))]

    assert {one.decision for one in acked} == {AckRecorded(3 * SECOND, "ann", "shop-1"), AckRecorded(3 * SECOND, "ann", "shop-2")}
    assert again == []
    assert [one.severity for one in closed if isinstance(one, Closed)] == [OUTAGE, DEGRADATION]
    assert [one.alert for one in closed if isinstance(one, Ended)] == ["shop-2", "shop-1"]
    assert machines.state().resting
    assert machines.wake_at is None


def test_the_outage_of_a_degraded_monitor_joins_its_alert_where_incidents_are_grouped() -> None:
    machines, found = after(policies(confirm=1, recover=1), seen(DEGRADED, 1), seen(DOWN, 2), seen(UP, 3), grouped=True)

    assert [type(one).__name__ for one in found] == [
        "Suspected",
        "Opened",
        "Announced",
        "Suspected",
        "Opened",
        "Joined",
        "Recovered",
        "Recovered",
        "Ended",
    ]
    assert [one.incident for one in machines.alerts["shop-1"].members] == ["shop-1", "shop-2"]


@GROUPED
@pytest.mark.parametrize("event", [Acked(9 * SECOND, "ann"), Resolved(9 * SECOND, "ann"), Woke(9 * SECOND), Stepped(9 * SECOND, -1)])
@pytest.mark.parametrize("statuses", [[], [UP], [DOWN], [UNKNOWN], [DOWN, DOWN, DOWN, UP, UP]])
def test_without_an_open_incident_nothing_but_a_result_does_anything(event: Event, statuses: list[Status], grouped: bool) -> None:
    policy = policies(confirm=3, recover=2)
    machines, _ = after(policy, *(seen(status, second) for second, status in enumerate(statuses, 1)), grouped=grouped)
    before = machines.state(), dict(machines.alerts)

    assert machines.take(event) == []
    assert (machines.state(), machines.alerts) == before


# Properties ---------------------------------------------------------------------------------------------------------------------------


@GROUPED
@FEW
@given(log=logs(monitors=3, backwards=True), policy=POLICIES)
def test_every_open_incident_is_the_open_member_of_one_open_alert(grouped: bool, log: list[Happening], policy: Policies) -> None:
    machines = Machines(policy, grouped)
    for event, monitor in log:
        machines.take(event, monitor)
        members = [one.incident for known in machines.open for one in known.members if one.open]
        assert sorted(members) == sorted(open_incidents(machines))
        assert len(machines.open) <= (1 if grouped else len(members))


@GROUPED
@FEW
@given(log=logs(monitors=2, backwards=True), policy=POLICIES)
def test_no_history_yields_two_notices_for_one_transition(grouped: bool, log: list[Happening], policy: Policies) -> None:
    """Not even where clocks run backwards and wake-ups come when they like."""
    machines, begun, announced, ended, keys = Machines(policy, grouped), Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for event, monitor in log:
        for made in machines.take(event, monitor):
            one = made.decision
            keys.update(notice.key for notice in made.notices)
            if isinstance(one, Opened):
                begun[one.incident] += 1
            elif isinstance(one, Recovered | Closed):
                assert begun[one.incident]
                ended[one.incident] += 1
            elif isinstance(one, Announced | Disclosed):
                assert not ended[f"alert {one.alert}"]
                announced[one.alert] += 1
            elif isinstance(one, Ended):
                assert one.announced == bool(announced[one.alert])
                ended[f"alert {one.alert}"] += 1
            elif isinstance(one, Reminded):
                assert announced[one.alert]
                assert not ended[f"alert {one.alert}"]
    assert set(begun.values()) | set(announced.values()) | set(ended.values()) | set(keys.values()) <= {1}


@GROUPED
@FEW
@given(log=logs(backwards=True), policy=POLICIES)
def test_nobody_is_left_in_the_dark_once_the_windows_are_over(grouped: bool, log: list[Happening], policy: Policies) -> None:
    """Whatever happened: what is open after the last window is disclosed as soon as its own wake-up is granted."""
    machines = Machines(policy, grouped)
    for event, monitor in log:
        machines.take(event, monitor)
    dark = [one for one in machines.open if not one.announced]
    found = machines.take(Woke(max([1_000 * SECOND, *(one.wake_at or 0 for one in dark)])))

    assert all(one.wake_at is not None for one in dark)
    assert [one.decision.alert for one in found if isinstance(one.decision, Disclosed)] == [one.id for one in dark]
    assert all(one.announced for one in machines.open)


@GROUPED
@settings(max_examples=150)
@given(log=logs(monitors=2), policy=POLICIES)
def test_what_is_open_outside_every_window_has_been_announced(grouped: bool, log: list[Happening], policy: Policies) -> None:
    """From here on Vigie sees nothing: only the wake-ups that the alerts themselves ask for are left to bring it out."""
    machines, _ = granted(policy, log, grouped=grouped)
    for _ in range(10):
        if machines.wake_at is not None and not all(one.announced for one in machines.open):
            machines.take(Woke(machines.wake_at))

    assert all(one.announced for one in machines.open)


@GROUPED
@FEW
@given(log=logs(monitors=2), policy=POLICIES)
def test_every_opening_and_every_end_is_announced_once_and_no_end_without_its_opening(
    grouped: bool, log: list[Happening], policy: Policies
) -> None:
    opening, end = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for made in granted(policy, log, grouped=grouped)[1]:
        for one in made.notices:
            if one.reason in (NoticeReason.OPENED, NoticeReason.DISCLOSED):
                assert not end[one.alert, one.channel]
                opening[one.alert, one.channel] += 1
            elif one.reason in (NoticeReason.RECOVERED, NoticeReason.CLOSED):
                end[one.alert, one.channel] += 1
        if isinstance(made.decision, Ended):
            assert made.decision.announced == bool(made.notices)

    assert set(opening.values()) | set(end.values()) <= {1}
    assert set(end) <= set(opening)


@GROUPED
@FEW
@given(log=logs(steps=False, monitors=2), policy=POLICIES)
def test_reminders_are_numbered_spaced_and_silent_for_the_acknowledged_and_in_windows(
    grouped: bool, log: list[Happening], policy: Policies
) -> None:
    last, numbers, acked = dict[str, int](), Counter[str](), set[str]()
    for made in granted(policy, log, grouped=grouped)[1]:
        one = made.decision
        if isinstance(one, AckRecorded):
            acked.add(one.alert)
        if isinstance(one, Reminded):
            numbers[one.alert] += 1
            assert one.number == numbers[one.alert]
            assert one.at - last[one.alert] >= policy.notification.remind_ms > 0
            assert one.alert not in acked
            assert policy.notification.muted_until(one.at) is None
        if isinstance(one, Announced | Disclosed | Reminded):
            last[one.alert] = one.at


@GROUPED
@FEW
@given(log=logs(monitors=2), policy=POLICIES)
def test_a_wake_up_lies_ahead_after_the_window_that_holds_and_is_for_something_open(
    grouped: bool, log: list[Happening], policy: Policies
) -> None:
    """Else an engine that sleeps until then would spin."""
    machines = Machines(policy, grouped)
    for event, monitor in log:
        concerned, before = [one.id for one in machines.open if one.has_open(monitor)], machines.state(monitor)
        machines.take(event, monitor)
        taken = isinstance(event, Woke) or (isinstance(event, Observed) and machines.state(monitor) is not before)
        for known in machines.alerts.values():
            assert known.wake_at is None or known.is_open
            if taken and (isinstance(event, Woke) or known.id in concerned):
                assert known.wake_at is None or known.wake_at > event.at
                assert known.wake_at is None or known.wake_at >= (policy.notification.muted_until(event.at) or event.at)


@GROUPED
@FEW
@given(log=logs(monitors=2, backwards=True), policy=POLICIES, times=st.integers(1, 3))
def test_a_replayed_result_is_harmless(grouped: bool, log: list[Happening], policy: Policies, times: int) -> None:
    once, many = Machines(policy, grouped), Machines(policy, grouped)
    for event, monitor in log:
        first = once.take(event, monitor)
        repeated = [made for _ in range(times if isinstance(event, Observed) else 1) for made in many.take(event, monitor)]
        assert repeated == first
    assert many.snapshot() == once.snapshot()


@GROUPED
@FEW
@given(log=logs(monitors=2), policy=POLICIES)
def test_the_same_log_gives_the_same_state_and_replaying_its_results_gives_nothing(
    grouped: bool, log: list[Happening], policy: Policies
) -> None:
    machines, found = granted(policy, log, grouped=grouped)
    again, same = granted(policy, log, grouped=grouped)
    assert (again.snapshot(), same) == (machines.snapshot(), found)

    for event, monitor in log:
        if isinstance(event, Observed):
            assert machines.take(event, monitor) == []
    assert machines.snapshot() == again.snapshot()


@FEW
@given(log=logs(monitors=3), policy=POLICIES)
def test_grouping_changes_no_incident(log: list[Happening], policy: Policies) -> None:
    """Detection knows nothing of alerts."""
    alone, grouped = granted(policy, log), granted(policy, log, grouped=True)

    assert alone[0].states == grouped[0].states
    assert [one.decision for one in alone[1] if one.alert is None] == [one.decision for one in grouped[1] if one.alert is None]


@FEW
@given(log=logs(monitors=3), policy=POLICIES)
def test_grouped_incidents_are_announced_once_for_all(log: list[Happening], policy: Policies) -> None:
    alone, grouped = granted(policy, log), granted(policy, log, grouped=True)
    incidents = sum(isinstance(one.decision, Opened) for one in grouped[1])

    assert len(grouped[0].alerts) + sum(isinstance(one.decision, Joined) for one in grouped[1]) == incidents == len(alone[0].alerts)
    for known in grouped[0].alerts.values():
        openings = [
            notice for one in grouped[1] for notice in one.notices if notice.alert == known.id and notice.reason is NoticeReason.OPENED
        ]
        assert len(openings) <= len(policy.notification.to)


@GROUPED
@FEW
@given(log=logs(monitors=2), policy=POLICIES)
def test_every_state_survives_the_store(grouped: bool, log: list[Happening], policy: Policies) -> None:
    machines, _ = granted(policy, [*log, Happening(Woke(HOUR))], grouped=grouped)

    for kind, found in ((DetectionState, machines.states), (AlertState, machines.alerts)):
        for state in found.values():
            assert decode(encode(state), kind) == state
