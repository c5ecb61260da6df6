"""The laws of an alert with one member or several: by the table, by examples, by properties."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core import alert
from vigie.core.alert import TABLE, Act, AlertState, Phase, Rule, Signal, notices
from vigie.core.detection import Severity
from vigie.core.events import (
    Acked,
    AckRecorded,
    AlertDecision,
    AlertEvent,
    Announced,
    Closed,
    Disclosed,
    Ended,
    Escalated,
    Joined,
    Opened,
    Reached,
    Recovered,
    Reminded,
    Settled,
    Snoozed,
    SnoozeEnded,
    SnoozeRecorded,
    Steadied,
    Stepped,
    Updated,
    Withheld,
    Woke,
)
from vigie.core.members import Member, Members
from vigie.core.model import Cause
from vigie.core.notification import EscalationStep, NoticeReason
from vigie.stores.kit.records import decode, encode
from vigie.testing.windows import Window, WindowedPolicy

from .machines import HOUR, SECOND, WINDOWS, at, window

OUTAGE, DEGRADATION = Severity.OUTAGE, Severity.DEGRADATION
BOTH = ("mail", "chat")
INCIDENTS = ("shop-1", "blog-4", "mail-2")
NEVER, ALWAYS = (), (window(-1, 10 * 3_600),)


def new(severity: Severity = OUTAGE) -> AlertState:
    return AlertState("shop-1", severity, "shop")


def policy(
    remind: int = 0,
    windows: tuple[Window, ...] = (),
    *,
    wait: int = 10,
    escalate: tuple[int, ...] = (),
    delay: int = 0,
    backoff: int = 1,
) -> WindowedPolicy:
    """Reminders every so many seconds (0: never), a wait for others, steps of escalation, a delay of the channel `chat`."""
    return WindowedPolicy(
        remind * SECOND,
        ("mail", "chat"),
        ("chat",),
        windows=windows,
        group_wait_ms=wait * SECOND,
        escalate=tuple(EscalationStep(after * SECOND, (f"sms{number}",)) for number, after in enumerate(escalate, 1)),
        delays=(("chat", delay * SECOND),),
        remind_backoff=backoff,
    )


def step(state: AlertState, event: AlertEvent, ours: WindowedPolicy, monitor: str = "") -> alert.Step:
    """Where there are no other windows than those of the policy."""
    return alert.step(state, event, ours, monitor, at(ours, event.at))


def opened(second: int, incident: str = "shop-1", *, shares: bool = False, severity: Severity = OUTAGE) -> Opened:
    return Opened(severity, incident, second * SECOND, second * SECOND, Cause.TCP_REFUSED, shares=shares)


def recovered(second: int, incident: str = "shop-1") -> Recovered:
    return Recovered(OUTAGE, incident, second * SECOND)


def closed(second: int, incident: str = "shop-1", by: str = "ann") -> Closed:
    return Closed(OUTAGE, incident, second * SECOND, by, "")


def acked(second: int, by: str = "ann") -> Acked:
    return Acked(second * SECOND, by)


def snoozed(second: int, until: int, by: str = "ann") -> Snoozed:
    return Snoozed(second * SECOND, by, until * SECOND)


def woke(second: int) -> Woke:
    return Woke(second * SECOND)


def monitor_of(event: AlertEvent) -> str:
    return event.incident.rpartition("-")[0] if isinstance(event, Opened) else ""


def after(ours: WindowedPolicy, *events: AlertEvent) -> tuple[AlertState, list[AlertDecision]]:
    state, found = new(), list[AlertDecision]()
    for event in events:
        state, decisions = step(state, event, ours, monitor_of(event))
        found += decisions
    return state, found


def granted(ours: WindowedPolicy, log: Iterable[AlertEvent]) -> tuple[AlertState, list[tuple[AlertEvent, AlertDecision]]]:
    """With every wake-up that was asked for granted punctually, unless the clock steps over it."""
    state, found = new(), list[tuple[AlertEvent, AlertDecision]]()
    for event in log:
        while state.wake_at is not None and state.wake_at <= event.at and not isinstance(event, Stepped):
            due = Woke(state.wake_at)
            state, decisions = step(state, due, ours)
            found += [(due, one) for one in decisions]
            assert state.wake_at is None or state.wake_at > due.at, "a wake-up that was granted is asked for again"
        state, decisions = step(state, event, ours, monitor_of(event))
        found += [(event, one) for one in decisions]
    return state, found


def kinds(decisions: Iterable[AlertDecision]) -> list[str]:
    return [type(one).__name__ for one in decisions]


# The table ----------------------------------------------------------------------------------------------------------------------------

HISTORIES: dict[Phase, tuple[tuple[Window, ...], tuple[AlertEvent, ...]]] = {
    Phase.NEW: (NEVER, ()),
    Phase.GATHERING: (NEVER, (opened(1, shares=True),)),
    Phase.WITHHELD: (ALWAYS, (opened(1),)),
    Phase.WITHHELD_ACKED: (ALWAYS, (opened(1), acked(2))),
    Phase.FIRING: (NEVER, (opened(1),)),
    Phase.ACKED: (NEVER, (opened(1), acked(2))),
    Phase.SNOOZED: (NEVER, (opened(1), snoozed(2, 60))),
    Phase.ENDED: (NEVER, (opened(1), recovered(2))),
}
DECISIONS: dict[Act, type[AlertDecision] | None] = {
    Act.ANNOUNCE: Announced,
    Act.GATHER: None,
    Act.WITHHOLD: Withheld,
    Act.JOIN: Joined,
    Act.DISCLOSE: Disclosed,
    Act.SETTLE: Settled,
    Act.REACH: Reached,
    Act.UPDATE: Updated,
    Act.REMIND: Reminded,
    Act.ESCALATE: Escalated,
    Act.RECORD_ACK: AckRecorded,
    Act.RECORD_SNOOZE: SnoozeRecorded,
    Act.RESUME: SnoozeEnded,
    Act.END: Ended,
}
MEANINGS: dict[Signal, tuple[tuple[Window, ...], AlertEvent]] = {  # outside a window an event may mean that none holds, too
    Signal.OPENED: (NEVER, opened(9)),
    Signal.OPENED_AMONG_OTHERS: (NEVER, opened(9, shares=True)),
    Signal.OPENED_WITHHELD: (ALWAYS, opened(9)),
    Signal.JOINED: (ALWAYS, opened(9, "blog-4")),
    Signal.ACKED: (ALWAYS, acked(9)),
    Signal.SNOOZED: (ALWAYS, snoozed(9, 70)),
    Signal.OVER: (ALWAYS, recovered(9)),
    Signal.GATHERED: (NEVER, woke(11)),
    Signal.GATHERED_WITHHELD: (ALWAYS, woke(11)),
    Signal.FREE: (NEVER, woke(9)),
    Signal.SNOOZE_OVER: (NEVER, woke(60)),
    Signal.SETTLED: (NEVER, Steadied(OUTAGE, "shop-1", 9 * SECOND)),
    Signal.DUE: (NEVER, woke(55)),
    Signal.NEWS_DUE: (NEVER, woke(61)),
    Signal.CHANNEL_DUE: (NEVER, woke(31)),
    Signal.STEP_DUE: (NEVER, woke(41)),
}
NEVER_MEANT = {  # by how events are read, not by the table
    *((phase, signal) for phase in Phase if phase is not Phase.NEW for signal in Signal if signal.startswith("opened")),
    (Phase.NEW, Signal.JOINED),
}


def full(windows: tuple[Window, ...]) -> WindowedPolicy:
    """Everything at once: reminders every 50 s, a step of escalation after 40 s, a channel with a delay of 30 s."""
    return policy(50, windows, escalate=(40,), delay=30)


def reach(phase: Phase) -> AlertState:
    """An alert in this phase."""
    windows, events = HISTORIES[phase]
    return after(full(windows), *events)[0]


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_is_reached_by_events(phase: Phase) -> None:
    assert reach(phase).phase is phase


def test_every_phase_is_reached_by_the_table_every_open_one_can_end_and_none_leaves_the_end() -> None:
    reached = {Phase.NEW}
    for _ in Phase:
        reached |= {rule.then for (phase, _), rule in TABLE.items() if phase in reached}
    is_open = set(Phase) - {Phase.NEW, Phase.ENDED}

    assert reached == set(Phase)
    announced_first = {Phase.GATHERING}
    assert {
        phase for (phase, signal), rule in TABLE.items() if signal is Signal.OVER and rule.then is Phase.ENDED
    } == is_open - announced_first
    assert {phase for (phase, signal), rule in TABLE.items() if signal is Signal.JOINED and rule.then is phase} == is_open
    assert not [phase for phase, _ in TABLE if phase is Phase.ENDED]
    assert {rule.act for rule in TABLE.values()} == set(Act)
    assert {signal for _, signal in TABLE} == set(Signal)


def meant(phase: Phase, signal: Signal) -> tuple[AlertState, tuple[AlertDecision, ...]]:
    """What a signal does in a phase, in which a member joined meanwhile where an update is meant."""
    windows, event = MEANINGS[signal]
    state = reach(phase)
    if signal is Signal.SETTLED:
        state = replace(state, flapping=True)
    if signal is Signal.NEWS_DUE and state.is_open:
        state, _ = step(state, opened(3, "blog-4"), full(HISTORIES[phase][0]), "blog")
        state = replace(state, remind_at=None)
    return step(state, event, full(windows), monitor_of(event))


@pytest.mark.parametrize(("at", "rule"), TABLE.items(), ids=lambda one: "" if isinstance(one, Rule) else "-".join(map(str, one)))
def test_each_rule_decides_what_the_table_says(at: tuple[Phase, Signal], rule: Rule) -> None:
    phase, signal = at
    event, decided = MEANINGS[signal][1], DECISIONS[rule.act]

    state, decisions = meant(phase, signal)

    assert decided is None or decided in [type(one) for one in decisions]
    assert {(one.alert, one.at) for one in decisions} <= {("shop-1", event.at)}
    assert state.phase is rule.then


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("phase", Phase)
def test_what_the_table_does_not_say_does_not_happen(phase: Phase, signal: Signal) -> None:
    """But that a gathering alert is announced, or withheld, before a person's wish is recorded or it ends."""
    if (phase, signal) in TABLE or (phase, signal) in NEVER_MEANT:
        return
    acts = {rule.act for (_, known), rule in TABLE.items() if known is signal}
    if phase is Phase.GATHERING and signal in (Signal.ACKED, Signal.SNOOZED, Signal.OVER):
        acts = set()

    _, decisions = meant(phase, signal)

    assert not {DECISIONS[act] for act in acts} & {type(one) for one in decisions} - {Announced, Withheld}


# One member ---------------------------------------------------------------------------------------------------------------------------


def test_what_a_window_withheld_is_disclosed_once_at_its_end() -> None:
    ours = policy(windows=(window(0, 10),))
    state, decisions = after(ours, opened(1))
    assert (decisions, state.wake_at) == ([Withheld(SECOND, "shop-1")], 10 * SECOND)

    state, decisions = after(ours, opened(1), woke(9), woke(10), woke(11))
    assert decisions[1:] == [Disclosed(10 * SECOND, "shop-1", BOTH)]
    assert state.wake_at is None


def test_what_was_never_announced_ends_unannounced() -> None:
    _, decisions = after(policy(windows=ALWAYS), opened(1), acked(2), recovered(3))

    assert decisions[-1] == Ended(3 * SECOND, announced=False, alert="shop-1")


def test_an_end_says_whether_a_person_closed_it() -> None:
    assert after(policy(), opened(1), closed(2, by="bob"))[1][-1] == Ended(2 * SECOND, announced=True, by="bob", alert="shop-1", to=BOTH)
    assert after(policy(), opened(1), recovered(2))[1][-1] == Ended(2 * SECOND, announced=True, alert="shop-1", to=BOTH)


def test_a_window_over_at_the_recovery_discloses_nothing_any_more() -> None:
    """It woke late: what recovered need not be announced first."""
    _, decisions = after(policy(windows=(window(0, 10),)), opened(1), recovered(12))

    assert decisions == [Withheld(SECOND, "shop-1"), Ended(12 * SECOND, announced=False, alert="shop-1")]


def test_reminders_come_one_at_a_time_and_stop_with_an_acknowledgement() -> None:
    ours = policy(3_600)
    state, _ = after(ours, opened(0))
    assert state.wake_at == HOUR

    state, decisions = step(state, Woke(50 * HOUR), ours)
    assert decisions == (Reminded(50 * HOUR, 1, "shop-1", BOTH),)
    assert state.wake_at == 51 * HOUR
    state, decisions = step(state, Acked(50 * HOUR + 1, "ann"), ours)
    assert decisions == (AckRecorded(50 * HOUR + 1, "ann", "shop-1"),)
    assert state.wake_at is None
    assert step(state, Woke(99 * HOUR), ours) == (state, ())


def test_one_found_during_maintenance_is_disclosed_without_reminders() -> None:
    state, decisions = after(policy(5, (window(0, 10),)), opened(1), acked(2, "bob"), woke(10), woke(99))

    assert decisions[1:] == [AckRecorded(2 * SECOND, "bob", "shop-1"), Disclosed(10 * SECOND, "shop-1", BOTH)]
    assert (state.phase, state.acked_by, state.wake_at) == (Phase.ACKED, "bob", None)


def test_an_acknowledgement_that_comes_before_the_wake_up_leads_to_the_disclosure_at_once() -> None:
    _, decisions = after(policy(windows=(window(0, 10),)), opened(1), acked(12))

    assert decisions[1:] == [AckRecorded(12 * SECOND, "ann", "shop-1"), Disclosed(12 * SECOND, "shop-1", BOTH)]


def test_disclosure_starts_the_wait_for_the_first_reminder() -> None:
    state, _ = after(policy(5, (window(0, 10),)), opened(1), woke(12))

    assert state.wake_at == 17 * SECOND


@pytest.mark.parametrize("now", [11, 15, 19])
def test_a_reminder_that_a_window_overtook_waits_for_its_end_and_no_wake_up_comes_before(now: int) -> None:
    ours = policy(9, (window(11, 20),))
    state, decisions = after(ours, opened(1), woke(now))
    assert decisions[1:] == []
    assert (state.remind_at, state.wake_at) == (10 * SECOND, 20 * SECOND)

    assert step(state, woke(20), ours)[1] == (Reminded(20 * SECOND, 1, "shop-1", BOTH),)


def test_a_reminder_that_falls_into_a_window_comes_at_its_end_and_the_next_counts_from_there() -> None:
    state, found = granted(policy(5, (window(4, 30),)), [opened(1), woke(36)])

    assert [one for _, one in found[1:]] == [Reminded(30 * SECOND, 1, "shop-1", BOTH), Reminded(35 * SECOND, 2, "shop-1", BOTH)]
    assert state.wake_at == 40 * SECOND


def test_a_clock_step_moves_reminders_along_and_decides_nothing() -> None:
    ours = policy(3_600)
    state, _ = after(ours, opened(0))

    state, decisions = step(state, Stepped(5 * HOUR, 5 * HOUR), ours)

    assert decisions == ()
    assert state.wake_at == 6 * HOUR


@pytest.mark.parametrize("event", [acked(9), woke(9), Stepped(9 * SECOND, -1), recovered(9), closed(9)])
@pytest.mark.parametrize("phase", [Phase.NEW, Phase.ENDED])
def test_an_alert_that_is_not_open_only_opens(phase: Phase, event: AlertEvent) -> None:
    state = reach(phase)

    assert step(state, event, policy(1)) == (state, ())


@pytest.mark.parametrize(("severity", "channels"), [(OUTAGE, ["mail", "chat"]), (DEGRADATION, ["chat"])])
def test_the_channels_are_those_of_its_severity(severity: Severity, channels: list[str]) -> None:
    state, decisions = step(new(severity), opened(1, severity=severity), policy())

    assert [(one.channel, one.reason) for one in notices(decisions[0], state)] == [(one, NoticeReason.OPENED) for one in channels]


# Several members ----------------------------------------------------------------------------------------------------------------------


def test_it_opens_once_others_join_and_it_ends_with_the_last() -> None:
    state, decisions = after(
        policy(), opened(1), opened(2, "blog-4"), recovered(3), opened(4, "mail-2"), closed(5, "mail-2"), recovered(6, "blog-4")
    )

    assert decisions == [
        Announced(SECOND, "shop-1", BOTH),
        Joined(2 * SECOND, "shop-1", "blog-4"),
        Joined(4 * SECOND, "shop-1", "mail-2"),
        Ended(6 * SECOND, announced=True, alert="shop-1", to=BOTH),
    ]
    assert state.members == (
        Member("shop-1", "shop", open=False),
        Member("blog-4", "blog", open=False),
        Member("mail-2", "mail", open=False),
    )
    assert (state.id, state.monitor, state.severity) == ("shop-1", "shop", OUTAGE)


def test_an_acknowledgement_covers_all_members_and_those_that_join_later() -> None:
    state, decisions = after(policy(5), opened(1), opened(2, "blog-4"), acked(3, "bob"), opened(4, "mail-2"), woke(99), acked(100, "ann"))

    assert kinds(decisions) == ["Announced", "Joined", "AckRecorded", "Joined", "Updated"]
    assert (state.phase, state.acked_by, state.wake_at) == (Phase.ACKED, "bob", None)


def test_a_monitor_that_recovers_and_fails_again_joins_as_another_incident() -> None:
    state, decisions = after(policy(), opened(1), opened(2, "blog-4"), recovered(3), opened(4, "shop-2"), recovered(5, "blog-4"))

    assert kinds(decisions) == ["Announced", "Joined", "Joined"]
    assert state.is_open
    assert state.has_open("shop")
    assert not state.has_open("blog")
    assert step(state, recovered(6, "shop-2"), policy())[1] == (Ended(6 * SECOND, announced=True, alert="shop-1", to=BOTH),)


def test_a_member_that_joins_after_the_window_discloses_what_was_withheld() -> None:
    _, decisions = after(policy(windows=(window(0, 10),)), opened(1), opened(12, "blog-4"))

    assert decisions[1:] == [Joined(12 * SECOND, "shop-1", "blog-4"), Disclosed(12 * SECOND, "shop-1", BOTH)]


@pytest.mark.parametrize("phase", [Phase.WITHHELD, Phase.FIRING, Phase.ACKED, Phase.WITHHELD_ACKED])
def test_an_opening_that_is_repeated_joins_nothing(phase: Phase) -> None:
    state = reach(phase)
    ours = policy(50, HISTORIES[phase][0])

    assert step(state, opened(3), ours, "shop") == (state, ())


def test_what_ended_takes_no_member_any_more() -> None:
    """Else an incident would be open in an alert that nobody is reminded of."""
    state = reach(Phase.ENDED)

    assert step(state, opened(9, "blog-4"), policy(), "blog") == (state, ())
    assert step(state, opened(9), policy(), "shop") == (state, ())


# Properties ---------------------------------------------------------------------------------------------------------------------------

POLICIES = st.builds(policy, st.sampled_from([0, 1, 3, 20, 3_600]), WINDOWS.map(tuple))
_KINDS = ["open"] * 5 + ["recover"] * 4 + ["close", "ack", "wake", "wake", "step"]


@st.composite
def logs(draw: st.DrawFn, *, steps: bool = True, shortest: int = 0) -> list[AlertEvent]:
    """Incidents that open and end (some twice, some without the other), people, wake-ups and, if wanted, steps of the clock."""
    found: list[AlertEvent] = []
    at = 0
    for _ in range(draw(st.integers(shortest, 25))):
        at += draw(st.integers(0, 6))
        kind, incident = draw(st.sampled_from(_KINDS)), draw(st.sampled_from(INCIDENTS if found else INCIDENTS[:1]))
        if kind == "open":
            found.append(opened(at, incident))
        elif kind == "recover":
            found.append(recovered(at, incident))
        elif kind == "close":
            found.append(closed(at, incident))
        elif kind == "ack":
            found.append(acked(at, draw(st.sampled_from(["ann", "bob"]))))
        elif kind == "step" and steps:
            delta = draw(st.sampled_from([-7, 7, 100]))
            at += delta
            found.append(Stepped(at * SECOND, delta * SECOND))
        else:
            found.append(woke(at))
    return found


@given(log=logs(), ours=POLICIES)
def test_law_2_it_is_open_exactly_while_a_member_is_and_opens_and_ends_once(log: list[AlertEvent], ours: WindowedPolicy) -> None:
    state, found = new(), list[AlertDecision]()
    for event in log:
        state, decisions = step(state, event, ours, monitor_of(event))
        found += decisions
        assert state.is_open == any(one.open for one in state.members)
        assert (state.phase is Phase.NEW) == (not state.members)
        assert len({one.incident for one in state.members}) == len(state.members)
    begun = [one for one in found if isinstance(one, Announced | Withheld)]
    ended = [one for one in found if isinstance(one, Ended)]
    assert len(begun) == bool(state.members)
    assert len(ended) == (state.phase is Phase.ENDED)
    assert not begun or found[0] is begun[0]
    assert not ended or found[-1] is ended[0]
    assert sum(isinstance(one, Joined) for one in found) == max(0, len(state.members) - 1)


@given(log=logs(), ours=POLICIES)
def test_law_3_its_opening_is_announced_once_never_in_a_window_and_no_end_without_it(log: list[AlertEvent], ours: WindowedPolicy) -> None:
    _, found = granted(ours, log)
    announced = [one for _, one in found if isinstance(one, Announced | Disclosed)]

    assert len(announced) <= 1
    assert all(ours.muted_until(one.at) is None for one in announced)
    assert all(one.announced == bool(announced) for _, one in found if isinstance(one, Ended))


@settings(max_examples=300)
@given(log=logs(), ours=POLICIES)
def test_law_3_what_is_open_outside_every_window_has_been_announced(log: list[AlertEvent], ours: WindowedPolicy) -> None:
    """From here on nothing happens: only the wake-ups that it asks for itself are left to bring it out."""
    state, _ = granted(ours, log)
    for _ in range(10):
        if state.is_open and not state.announced:
            assert state.wake_at is not None
            state, _ = step(state, Woke(state.wake_at), ours)

    assert state.announced == state.is_open


@given(log=logs(), ours=POLICIES)
def test_law_3_a_window_withholds_and_its_absence_announces_at_once(log: list[AlertEvent], ours: WindowedPolicy) -> None:
    state = new()
    for event in log:
        state, decisions = step(state, event, ours, monitor_of(event))
        free = ours.muted_until(event.at) is None
        for one in decisions:
            assert not isinstance(one, Withheld) or not free
            assert not isinstance(one, Announced | Disclosed | Reminded) or free
        assert not state.is_open or state.announced or not free or isinstance(event, Stepped)


@given(log=logs(steps=False), ours=POLICIES)
def test_law_5_reminders_are_numbered_spaced_punctual_and_silent_for_the_acknowledged_and_in_windows(
    log: list[AlertEvent], ours: WindowedPolicy
) -> None:
    last, number, is_acked = 0, 0, False
    for _, one in granted(ours, log)[1]:
        is_acked = is_acked or isinstance(one, AckRecorded)
        if isinstance(one, Reminded):
            number += 1
            due = last + ours.remind_ms
            assert one.number == number
            assert one.at == (ours.muted_until(due) or due)
            assert ours.remind_ms > 0
            assert not is_acked
        if isinstance(one, Announced | Disclosed | Reminded):
            last = one.at


@given(log=logs(), ours=POLICIES, until=st.integers(0, 400))
def test_law_5_until_somebody_acknowledges_it_the_next_reminder_is_always_due(
    log: list[AlertEvent], ours: WindowedPolicy, until: int
) -> None:
    state, found = granted(ours, [*log, woke(until)])

    assert (state.remind_at is not None) == (state.phase is Phase.FIRING and ours.remind_ms > 0)
    assert state.reminders == sum(isinstance(one, Reminded) for _, one in found)


@given(log=logs(), ours=POLICIES)
def test_law_5_the_first_acknowledgement_counts_and_is_recorded_once(log: list[AlertEvent], ours: WindowedPolicy) -> None:
    state, found = after(ours, *log)
    recorded = [one.by for one in found if isinstance(one, AckRecorded)]

    assert recorded == ([state.acked_by] if state.acked_by else [])
    if any(isinstance(one, Acked) for one in log) and state.is_open:
        first = next(at for at, one in enumerate(log) if isinstance(one, Opened))
        later = [one.by for one in log[first:] if isinstance(one, Acked)]
        assert recorded == later[:1]


@given(log=logs(), ours=POLICIES, times=st.integers(2, 3))
def test_law_8_whatever_is_repeated_decides_nothing_twice(log: list[AlertEvent], ours: WindowedPolicy, times: int) -> None:
    once = many = new()
    for event in log:
        once, first = step(once, event, ours, monitor_of(event))
        for time in range(1 if isinstance(event, Stepped) else times):
            many, decisions = step(many, event, ours, monitor_of(event))
            assert decisions == (first if time == 0 else ())
        assert many == once


@given(log=logs(), ours=POLICIES, late=st.integers(0, 1_000))
def test_law_8_however_long_a_sleep_was_it_yields_at_most_one_reminder_or_disclosure(
    log: list[AlertEvent], ours: WindowedPolicy, late: int
) -> None:
    state, _ = after(ours, *log)
    due = state.wake_at
    at = (due or 0) + late * SECOND

    state, decisions = step(state, Woke(at), ours)

    assert len(decisions) == (due is not None and ours.muted_until(at) is None)
    assert step(state, Woke(at), ours) == (state, ())


@given(log=logs(steps=False), ours=POLICIES, data=st.data())
def test_law_8_waking_early_changes_nothing(log: list[AlertEvent], ours: WindowedPolicy, data: st.DataObject) -> None:
    """Punctual wake-ups with spurious ones in between decide what the punctual ones decide alone."""
    spurious = [Woke(data.draw(st.integers(one.at, then.at))) for one, then in pairwise(log)]
    more = sorted([*log, *spurious], key=lambda one: one.at)

    assert [one for _, one in granted(ours, more)[1]] == [one for _, one in granted(ours, log)[1]]


@settings(max_examples=300)
@given(log=logs(), ours=POLICIES)
def test_law_8_a_wake_up_lies_ahead_after_the_window_that_holds_and_is_for_something_open(
    log: list[AlertEvent], ours: WindowedPolicy
) -> None:
    """Else an engine that sleeps until then would spin."""
    state = new()
    for event in log:
        state, _ = step(state, event, ours, monitor_of(event))
        assert state.wake_at is None or state.is_open
        assert state.wake_at is None or state.wake_at >= (ours.muted_until(event.at) or event.at)
        assert state.wake_at is None or isinstance(event, Stepped) or state.wake_at > event.at


@given(log=logs(), ours=POLICIES, at=st.integers(-(2**40), 2**40), delta=st.integers(-(2**40), 2**40))
def test_law_9_a_step_of_the_clock_decides_nothing_and_moves_the_wait(
    log: list[AlertEvent], ours: WindowedPolicy, at: int, delta: int
) -> None:
    before, _ = after(ours, *log)

    state, decisions = step(before, Stepped(at, delta), ours)

    assert decisions == ()
    assert state.remind_at == (None if before.remind_at is None else before.remind_at + delta)
    assert replace(step(state, Stepped(at, -delta), ours)[0], wake_at=None) == replace(before, wake_at=None)


def moved(event: AlertEvent, delta: int) -> AlertEvent:
    return replace(event, at=event.at + delta)


@given(log=logs(shortest=4), remind=st.sampled_from([0, 1, 3, 20]), cut=st.integers(0, 25), seconds=st.integers(-100, 100))
def test_law_9_after_a_step_everything_happens_as_without_it(log: list[AlertEvent], remind: int, cut: int, seconds: int) -> None:
    """Where no window, which is of the wall clock, has a say."""
    ours, delta = policy(remind), seconds * SECOND
    first, then = log[:cut], log[cut:]
    now = max([one.at for one in first], default=0)
    stepped = [*first, Stepped(now + delta, delta), *(moved(one, delta) for one in then)]

    without = [one for _, one in granted(ours, [*first, Stepped(now, 0), *then])[1]]
    found = [one for _, one in granted(ours, stepped)[1]]

    assert kinds(found) == kinds(without)
    assert all(one.at - other.at in (0, delta) for one, other in zip(found, without, strict=True))


@given(log=logs(), ours=POLICIES, order=st.permutations(INCIDENTS))
def test_members_end_in_any_order_and_the_last_one_ends_it(log: list[AlertEvent], ours: WindowedPolicy, order: list[str]) -> None:
    state, _ = after(ours, *log)
    second = max([one.at for one in log], default=0) // SECOND + 1
    remaining = {one.incident for one in state.members if one.open}
    for incident in order:
        was_open = bool(remaining)
        remaining.discard(incident)
        state, decisions = step(state, recovered(second, incident), ours)
        assert any(isinstance(one, Ended) for one in decisions) == (was_open and not remaining)
    assert not state.is_open


@given(order=st.permutations(INCIDENTS), back=st.permutations(INCIDENTS), ours=POLICIES, second=st.integers(0, 60))
def test_the_order_of_what_happens_at_one_instant_decides_nothing_else(
    order: list[str], back: list[str], ours: WindowedPolicy, second: int
) -> None:
    """But for whose name the alert bears, which is given here."""

    def run(names: list[str], ends: list[str]) -> tuple[AlertState, list[str]]:
        state, found = after(ours, *(opened(second, one) for one in names), *(recovered(second + 9, one) for one in ends))
        return replace(state, members=Members(sorted(state.members, key=lambda one: one.incident))), kinds(found)

    assert run(order, back) == run(list(INCIDENTS), list(INCIDENTS))


EXTRA = ("blog-4", "mail-2")


@given(log=logs(steps=False), ours=POLICIES, data=st.data())
def test_further_members_change_nothing_while_the_first_is_open(log: list[AlertEvent], ours: WindowedPolicy, data: st.DataObject) -> None:
    """They join and leave, and what is announced, reminded of, acknowledged and ended stays the same at the same instants."""
    meanwhile: list[AlertEvent] = [one for one in log if not isinstance(one, Opened | Recovered | Closed)]
    last = max([one.at // SECOND for one in meanwhile], default=0) + 5
    alone = sorted([opened(0), *meanwhile, recovered(last)], key=lambda one: one.at)
    joining = data.draw(st.lists(st.tuples(st.integers(0, last - 1), st.sampled_from(EXTRA), st.booleans()), max_size=8))
    others: list[AlertEvent] = [opened(at, one) if opens else recovered(at, one) for at, one, opens in joining]
    others += [recovered(last - 1, one) for one in EXTRA]
    # A stable sort: at one instant the first member opens before the others, and ends after them.
    mixed = [alone[0], *sorted([*alone[1:-1], *others], key=lambda one: one.at), alone[-1]]

    with_them = [one for _, one in granted(ours, mixed)[1] if not isinstance(one, Joined | Updated)]

    assert with_them == [one for _, one in granted(ours, alone)[1]]


@given(log=logs(), ours=POLICIES)
def test_notices_go_to_each_channel_once_and_none_bears_the_key_of_another(log: list[AlertEvent], ours: WindowedPolicy) -> None:
    state, keys, reasons = new(), Counter[str](), Counter[NoticeReason]()
    for event in log:
        state, decisions = step(state, event, ours, monitor_of(event))
        for one in decisions:
            found = notices(one, state)
            keys.update(notice.key for notice in found)
            reasons.update({notice.reason for notice in found})
            assert [notice.channel for notice in found] in ([], ["mail", "chat"])
            assert {(notice.alert, notice.monitor, notice.at) for notice in found} <= {("shop-1", "shop", one.at)}
    assert set(keys.values()) <= {1}
    assert reasons[NoticeReason.OPENED] + reasons[NoticeReason.DISCLOSED] <= 1
    assert reasons[NoticeReason.RECOVERED] + reasons[NoticeReason.CLOSED] <= reasons[NoticeReason.OPENED] + reasons[NoticeReason.DISCLOSED]


INSTANTS = st.integers(-(2**62), 2**62)
NAMES = st.sampled_from(["", *INCIDENTS])
ANY_EVENT: st.SearchStrategy[AlertEvent] = st.one_of(
    st.builds(Opened, st.sampled_from(Severity), NAMES, INSTANTS, INSTANTS, st.sampled_from(Cause), st.booleans()),
    st.builds(Recovered, st.sampled_from(Severity), NAMES, INSTANTS),
    st.builds(Closed, st.sampled_from(Severity), NAMES, INSTANTS, st.text(max_size=3), st.text(max_size=3)),
    st.builds(Acked, INSTANTS, st.text(max_size=3)),
    st.builds(Woke, INSTANTS),
    st.builds(Stepped, INSTANTS, INSTANTS),
)
ANY_POLICY = st.builds(
    WindowedPolicy,
    st.integers(0, 2**40),
    st.just(("mail",)),
    windows=st.lists(st.builds(Window, INSTANTS, INSTANTS), max_size=3).map(tuple),
)


@given(log=st.lists(ANY_EVENT, max_size=30), ours=ANY_POLICY)
def test_a_step_is_total(log: list[AlertEvent], ours: WindowedPolicy) -> None:
    state, decisions = after(ours, *log)

    assert after(ours, *log) == (state, decisions)
    assert state.is_open == any(one.open for one in state.members)
    for one in decisions:
        assert one.alert == "shop-1"
        assert {notice.channel for notice in notices(one, state)} <= {"mail"}


@given(log=logs(), ours=POLICIES)
def test_every_state_survives_the_store(log: list[AlertEvent], ours: WindowedPolicy) -> None:
    state, _ = after(ours, *log)

    assert decode(encode(state), AlertState) == state
