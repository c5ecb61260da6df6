"""Who is notified when: waiting for others, delays, escalation, snoozes, quiet hours, reminders further apart; examples and properties."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core import alert
from vigie.core.alert import AlertState, Phase, notices
from vigie.core.detection import Pattern, Severity
from vigie.core.events import Acked, AlertDecision, AlertEvent, Closed, Opened, Recovered, Snoozed, Steadied, Stepped, Woke
from vigie.core.model import Cause
from vigie.core.notification import Circumstances, EscalationStep, Notice, NoticeReason, NotificationPolicy
from vigie.testing.windows import Window, WindowedPolicy

SECOND, MINUTE = 1_000, 60_000
OUTAGE, DEGRADATION = Severity.OUTAGE, Severity.DEGRADATION
OPENINGS = (NoticeReason.OPENED, NoticeReason.DISCLOSED, NoticeReason.QUIET_OVER, NoticeReason.FLAPPING)
BASIC = NotificationPolicy(remind_ms=0, to=("mail",), degraded_to=("mail",))


@dataclass(frozen=True)
class Days:
    """What the calendar says: maintenance, quiet hours, and who is on call from which second on."""

    muted: tuple[Window, ...] = ()
    quiet: tuple[Window, ...] = ()
    duty: tuple[tuple[int, str], ...] = ((0, "anna"),)

    def at(self, instant: int) -> Circumstances:
        """What holds at an instant."""
        muted, quiet = (WindowedPolicy(windows=one).muted_until(instant) for one in (self.muted, self.quiet))
        on_call = [name for since, name in self.duty if since * SECOND <= instant]
        return Circumstances(muted, quiet, {"duty": tuple(on_call[-1:])})


def span(start: int, end: int) -> Window:
    return Window(start * SECOND, end * SECOND)


def opened(second: int, incident: str = "shop-1", severity: Severity = OUTAGE, **more: object) -> Opened:
    return replace(Opened(severity, incident, second * SECOND, second * SECOND, Cause.TCP_REFUSED), **more)  # type: ignore[arg-type]  # fields by name


def recovered(second: int, incident: str = "shop-1") -> Recovered:
    return Recovered(OUTAGE, incident, second * SECOND)


def acked(second: int) -> Acked:
    return Acked(second * SECOND, "ann")


def snoozed(second: int, until: int) -> Snoozed:
    return Snoozed(second * SECOND, "ann", until * SECOND)


class Run:
    """One alert and a punctual engine: before each event, every wake-up that was asked for until then."""

    def __init__(self, policy: NotificationPolicy, days: Days | None = None, severity: Severity = OUTAGE) -> None:
        self.policy, self.days = policy, days or Days()
        self.state = AlertState("shop-1", severity, "shop")
        self.decisions: list[AlertDecision] = []
        self.sent: list[Notice] = []

    def take(self, event: AlertEvent) -> None:
        """One event, and what came of it."""
        monitor = event.incident.rpartition("-")[0] if isinstance(event, Opened) else ""
        self.state, decisions = alert.step(self.state, event, self.policy, monitor, self.days.at(event.at))
        self.decisions += decisions
        self.sent += [notice for one in decisions for notice in notices(one, self.state)]

    def run(self, *events: AlertEvent, until: int | None = None) -> "Run":
        """Events in order, and then the wake-ups until this second."""
        for event in (*events, *([] if until is None else [Woke(until * SECOND)])):
            while self.state.wake_at is not None and self.state.wake_at <= event.at and not isinstance(event, Stepped):
                due = self.state.wake_at
                self.take(Woke(due))
                assert self.state.wake_at is None or self.state.wake_at > due, "a wake-up that was granted is asked for again"
            self.take(event)
        return self

    @property
    def told(self) -> list[str]:
        """The notices as `second reason channel`."""
        return [f"{one.at // SECOND} {one.reason}{one.number or ''} {one.channel}" for one in self.sent]


def run(policy: NotificationPolicy, *events: AlertEvent, until: int | None = None, days: Days | None = None) -> list[str]:
    return Run(policy, days).run(*events, until=until).told


# Waiting for others, and updates --------------------------------------------------------------------------------------------------------


def test_a_storm_is_one_opening_and_one_recovery() -> None:
    names = [f"m{number}-1" for number in range(500)]
    storm = [opened(0, one, shares=True) for one in names]

    assert run(BASIC, *storm, *(recovered(300, one) for one in names)) == ["10 opened mail", "300 recovered mail"]


def test_a_lone_service_does_not_wait_and_neither_does_anybody_where_grouping_is_off() -> None:
    assert run(BASIC, opened(0)) == ["0 opened mail"]
    assert run(replace(BASIC, group=False), opened(0, shares=True)) == ["0 opened mail"]
    assert run(replace(BASIC, group_wait_ms=0), opened(0, shares=True)) == ["0 opened mail"]


def test_who_joins_later_is_in_an_update_at_most_one_a_minute() -> None:
    later = [opened(second, f"m{second}-1") for second in (20, 30, 75, 200)]

    assert run(BASIC, opened(0, shares=True), *later, until=900) == [
        "10 opened mail",
        "70 updated1 mail",
        "130 updated2 mail",
        "210 updated3 mail",
    ]


@pytest.mark.parametrize(("event", "reason"), [(recovered(3), "recovered"), (Closed(OUTAGE, "shop-1", 3 * SECOND, "ann", ""), "closed")])
def test_what_ends_while_it_waits_is_announced_and_ended(event: AlertEvent, reason: str) -> None:
    assert run(BASIC, opened(0, shares=True), event, until=99) == ["3 opened mail", f"3 {reason} mail"]


def test_an_acknowledgement_or_a_snooze_ends_the_wait() -> None:
    assert run(BASIC, opened(0, shares=True), acked(3), until=99) == ["3 opened mail"]
    assert run(BASIC, opened(0, shares=True), snoozed(3, 60), until=99) == ["3 opened mail", "60 snooze_ended1 mail"]


def test_maintenance_that_begins_while_it_waits_withholds_it() -> None:
    days = Days(muted=(span(5, 50),))

    assert run(BASIC, opened(0, shares=True), until=99, days=days) == ["50 disclosed mail"]
    assert run(BASIC, opened(0, shares=True), recovered(7), until=99, days=days) == []


# Further channels -----------------------------------------------------------------------------------------------------------------------


def test_a_delayed_channel_is_notified_only_of_what_lasts_and_of_its_end() -> None:
    policy = replace(BASIC, to=("mail", "phone"), delays=(("phone", 300 * SECOND),))

    assert run(policy, opened(0), recovered(299)) == ["0 opened mail", "299 recovered mail"]
    assert run(policy, opened(0), recovered(301)) == ["0 opened mail", "300 opened phone", "301 recovered mail", "301 recovered phone"]
    assert run(policy, opened(0), acked(9), until=301)[1:] == ["300 opened phone"]


def test_the_channels_of_a_member_that_joins_are_notified_of_the_opening() -> None:
    one = Run(BASIC).run(opened(0), until=100)
    one.policy = replace(BASIC, to=("mail", "shop-team"))  # what the members have together from now on

    assert one.run(opened(100, "blog-4"), recovered(200), recovered(201, "blog-4")).told == [
        "0 opened mail", "110 updated1 mail", "110 opened shop-team", "201 recovered mail", "201 recovered shop-team",
    ]  # fmt: skip


def test_an_outage_that_joins_a_degradation_is_notified_as_one() -> None:
    policy = NotificationPolicy(remind_ms=0, to=("phone",))

    assert Run(policy, severity=DEGRADATION).run(opened(0, severity=DEGRADATION), opened(5, "shop-2"), until=99).told == ["15 opened phone"]


@pytest.mark.parametrize(
    "policy", [NotificationPolicy(remind_ms=0, to=("phone",)), NotificationPolicy(to=("phone",), degraded_to=("phone",))]
)
def test_an_outage_that_joins_a_degradation_and_ends_at_once_is_announced(policy: NotificationPolicy) -> None:
    events: list[AlertEvent] = [opened(0, severity=DEGRADATION), opened(5, "shop-2"), recovered(6, "shop-2"), recovered(6)]

    told = Run(policy, severity=DEGRADATION).run(*events, until=99).told
    assert told == [f"{0 if policy.degraded_to else 6} opened phone", "6 recovered phone"]


def test_neither_delay_nor_maintenance_is_cut_short_by_the_end_of_an_outage_that_joined() -> None:
    policy = NotificationPolicy(remind_ms=0, to=("phone",))
    events: list[AlertEvent] = [opened(0, severity=DEGRADATION), opened(5, "shop-2"), recovered(8, "shop-2"), recovered(8)]

    assert Run(replace(policy, delays=(("phone", MINUTE),)), severity=DEGRADATION).run(*events, until=99).told == []
    assert Run(policy, Days(muted=(span(6, 50),)), DEGRADATION).run(*events, until=99).told == []


def test_a_rotation_is_whoever_is_on_call_and_the_end_reaches_all_who_were_notified() -> None:
    policy = replace(BASIC, to=("duty",), remind_ms=60 * SECOND)

    assert run(policy, opened(0), recovered(130), days=Days(duty=((0, "anna"), (90, "bob")))) == [
        "0 opened anna", "60 reminder1 anna", "120 reminder2 bob", "130 recovered anna", "130 recovered bob",
    ]  # fmt: skip


# Escalation -----------------------------------------------------------------------------------------------------------------------------

STEPS = replace(BASIC, escalate=(EscalationStep(60 * SECOND, ("phone",)), EscalationStep(120 * SECOND, ("boss",))))


def test_each_step_is_taken_once_while_nobody_acknowledges_and_all_hear_of_the_end() -> None:
    assert run(STEPS, opened(0), recovered(500)) == [
        "0 opened mail", "60 escalated1 phone", "120 escalated2 boss", "500 recovered mail", "500 recovered phone", "500 recovered boss",
    ]  # fmt: skip
    assert run(STEPS, opened(0), acked(90), until=500) == ["0 opened mail", "60 escalated1 phone"]


def test_a_step_that_is_due_in_maintenance_waits_for_its_end_and_a_long_sleep_takes_each_once() -> None:
    assert run(STEPS, opened(0), until=300, days=Days(muted=(span(50, 200),)))[1:] == ["200 escalated1 phone", "200 escalated2 boss"]
    late = Run(STEPS)
    late.take(opened(0))
    late.take(Woke(9_999 * SECOND))
    late.take(Woke(9_999 * SECOND))
    assert late.told[1:] == ["9999 escalated1 phone", "9999 escalated2 boss"]


def test_steps_that_a_member_brings_between_those_taken_are_taken_and_no_step_twice() -> None:
    """The joint policy of an alert grows, and an outage has other steps than the degradation that it began as."""
    sooner, later = EscalationStep(60 * SECOND, ("lead",)), EscalationStep(600 * SECOND, ("boss",))
    one = Run(replace(BASIC, escalate=(later,))).run(opened(0), until=700)
    one.policy = replace(BASIC, escalate=(sooner, later))
    one.run(opened(701, "m2-1"), recovered(2_000), recovered(2_000, "m2-1"))
    assert [said for said in one.told if "escalated" in said] == ["600 escalated1 boss", "701 escalated2 lead"]

    steps = EscalationStep(300 * SECOND, ("phone",)), EscalationStep(600 * SECOND, ("day",), (DEGRADATION,))
    worse = Run(replace(BASIC, escalate=steps), severity=DEGRADATION).run(opened(0, severity=DEGRADATION), until=650)
    worse.run(opened(700, "shop-2"), until=900)
    assert [said for said in worse.told if "escalated" in said] == ["600 escalated1 day", "700 escalated2 phone"]


def test_a_degradation_is_escalated_only_by_steps_that_say_so() -> None:
    alone = replace(STEPS, escalate=(*STEPS.escalate, EscalationStep(180 * SECOND, ("day",), (DEGRADATION,))))

    found = Run(alone, severity=DEGRADATION).run(opened(0, severity=DEGRADATION), until=500).told

    assert found == ["0 opened mail", "180 escalated1 day"]
    assert Run(replace(alone, degraded_to=()), severity=DEGRADATION).run(opened(0, severity=DEGRADATION), until=500).told == []


# Snooze ---------------------------------------------------------------------------------------------------------------------------------


def test_a_snooze_silences_reminders_and_steps_and_then_everything_goes_on_from_its_end() -> None:
    policy = replace(STEPS, remind_ms=50 * SECOND)

    assert run(policy, opened(0), snoozed(10, 300), until=361) == [
        "0 opened mail", "300 snooze_ended1 mail", "350 reminder1 mail", "360 escalated1 phone",
    ]  # fmt: skip
    assert run(policy, opened(0), snoozed(10, 300), recovered(20)) == ["0 opened mail", "20 recovered mail"]
    assert run(policy, opened(0), snoozed(10, 300), acked(20), until=999) == ["0 opened mail"]


def test_a_snooze_can_be_prolonged_and_one_that_is_over_means_nothing() -> None:
    assert run(BASIC, opened(0), snoozed(10, 100), snoozed(50, 200), until=300) == ["0 opened mail", "200 snooze_ended2 mail"]
    assert run(BASIC, opened(0), snoozed(10, 9), until=300) == ["0 opened mail"]


def test_a_snooze_ends_on_the_wall_whatever_the_clock_did() -> None:
    one = Run(BASIC).run(opened(0), snoozed(10, 100))
    one.take(Stepped(60 * SECOND, 50 * SECOND))

    assert one.run(until=150).told == ["0 opened mail", "100 snooze_ended1 mail"]


# Quiet hours, reminders, flapping -------------------------------------------------------------------------------------------------------


def test_quiet_hours_withhold_degradations_and_let_outages_through() -> None:
    days = Days(quiet=(span(0, 100),))

    assert run(BASIC, opened(1), days=days) == ["1 opened mail"]
    assert Run(BASIC, days, DEGRADATION).run(opened(1, severity=DEGRADATION), until=200).told == ["100 quiet_over mail"]
    assert Run(BASIC, days, DEGRADATION).run(opened(1, severity=DEGRADATION), recovered(99), until=200).told == []
    both = replace(BASIC, quiet_severities=(OUTAGE, DEGRADATION))
    assert run(both, opened(1), until=200, days=days) == ["100 quiet_over mail"]


def test_reminders_come_further_apart_up_to_a_day() -> None:
    hour = 3_600
    policy = replace(BASIC, remind_ms=4 * hour * SECOND, remind_backoff=2)

    assert [one.split()[0] for one in run(policy, opened(0), until=80 * hour)[1:]] == [str(one * hour) for one in (4, 12, 28, 52, 76)]


def test_what_flaps_is_announced_as_that_and_nothing_is_said_until_it_is_stable() -> None:
    policy = replace(STEPS, remind_ms=50 * SECOND)
    flapping = opened(0, pattern=Pattern.FLAPPING)

    assert run(policy, flapping, recovered(900)) == ["0 flapping mail", "900 stable mail"]
    assert run(policy, flapping, Steadied(OUTAGE, "shop-1", 900 * SECOND), recovered(955)) == [
        "0 flapping mail", "900 steady mail", "950 reminder1 mail", "955 recovered mail",
    ]  # fmt: skip


def test_an_alert_of_an_older_version_ends_where_it_was_announced() -> None:
    one = Run(replace(BASIC, to=("mail", "chat")))
    one.take(opened(0))
    one.state, one.sent = replace(one.state, notified=None, escalate_from=None, noticed_at=None), []

    assert one.run(opened(20, "blog-4"), recovered(25), recovered(25, "blog-4")).told == ["25 recovered mail", "25 recovered chat"]


# Properties -----------------------------------------------------------------------------------------------------------------------------

SPANS = st.lists(st.tuples(st.integers(0, 250), st.integers(1, 60)).map(lambda one: span(one[0], one[0] + one[1])), max_size=3).map(tuple)
DAYS = st.builds(Days, SPANS, SPANS, st.sampled_from([((0, "anna"),), ((0, "anna"), (90, "bob"), (180, "anna"))]))
POLICIES = st.builds(
    NotificationPolicy,
    remind_ms=st.sampled_from([0, 20 * SECOND, 70 * SECOND]),
    to=st.sampled_from([("mail",), ("mail", "chat"), ("duty", "mail")]),
    degraded_to=st.sampled_from([(), ("chat",)]),
    remind_backoff=st.sampled_from([1, 3]),
    escalate=st.sampled_from([(), STEPS.escalate, (EscalationStep(5 * SECOND, ("mail", "duty"), (OUTAGE, DEGRADATION)),)]),
    delays=st.sampled_from([(), (("chat", 30 * SECOND), ("duty", 10 * SECOND))]),
    quiet_severities=st.sampled_from([(), (DEGRADATION,), (OUTAGE, DEGRADATION)]),
    group_wait_ms=st.sampled_from([0, 10 * SECOND]),
    acked_to=st.sampled_from([(), ("mail",)]),
)
NAMES = ("shop-1", "blog-4", "mail-2")


@st.composite
def logs(draw: st.DrawFn) -> list[AlertEvent]:
    """Incidents, people and wake-ups at seconds that rise."""
    at, found = 0, [opened(0, shares=draw(st.booleans()), severity=draw(st.sampled_from(Severity)))]
    events: list[AlertEvent] = list(found)
    for _ in range(draw(st.integers(0, 14))):
        at += draw(st.sampled_from([0, 1, 5, 12, 40]))
        kind, name = (
            draw(st.sampled_from(["open", "open", "recover", "recover", "ack", "snooze", "wake", "steady"])),
            draw(st.sampled_from(NAMES)),
        )
        if kind == "open":
            pattern = draw(st.sampled_from([Pattern.STEADY, Pattern.FLAPPING]))
            events.append(opened(at, name, draw(st.sampled_from(Severity)), shares=True, pattern=pattern))
        elif kind == "recover":
            events.append(recovered(at, name))
        elif kind == "ack":
            events.append(acked(at))
        elif kind == "snooze":
            events.append(snoozed(at, at + draw(st.sampled_from([1, 30, 100]))))
        elif kind == "steady":
            events.append(Steadied(OUTAGE, name, at * SECOND))
        else:
            events.append(Woke(at * SECOND))
    return events


def finished(log: Iterable[AlertEvent], policy: NotificationPolicy, days: Days) -> Run:
    """With everything that is due until long after the last event."""
    severity = next(one.severity for one in log if isinstance(one, Opened))
    return Run(policy, days, severity).run(*log, until=2_000)


@settings(max_examples=200)
@given(log=logs(), policy=POLICIES, days=DAYS)
def test_no_notice_is_sent_twice_and_each_channel_has_its_opening_first_and_its_end_last(
    log: list[AlertEvent], policy: NotificationPolicy, days: Days
) -> None:
    found = finished(log, policy, days)
    assert not [key for key, count in Counter(one.key for one in found.sent).items() if count > 1]
    for channel in {one.channel for one in found.sent}:
        reasons = [one.reason for one in found.sent if one.channel == channel]
        assert sum(one in OPENINGS for one in reasons) <= 1
        assert all(one not in OPENINGS for one in reasons[1:]) or reasons[0] in (NoticeReason.ESCALATED, NoticeReason.REMINDER)
        ends = [one for one in reasons if one in (NoticeReason.RECOVERED, NoticeReason.CLOSED, NoticeReason.STABLE)]
        assert ends == ([reasons[-1]] if found.state.phase is Phase.ENDED else [])
    assert [one.at for one in found.sent] == sorted(one.at for one in found.sent)


@settings(max_examples=200)
@given(log=logs(), policy=POLICIES, days=DAYS)
def test_nothing_but_an_end_is_sent_in_maintenance_or_in_quiet_hours_that_concern_it(
    log: list[AlertEvent], policy: NotificationPolicy, days: Days
) -> None:
    for one in finished(log, policy, days).sent:
        if one.reason not in (NoticeReason.RECOVERED, NoticeReason.CLOSED, NoticeReason.STABLE, NoticeReason.ACKNOWLEDGED):
            assert days.at(one.at).muted_until is None
            assert days.at(one.at).quiet_until is None or len(policy.quiet_severities) < len(Severity)


@settings(max_examples=200)
@given(log=logs(), policy=POLICIES, days=DAYS)
def test_what_is_still_open_in_the_end_is_known_to_everybody_in_charge(
    log: list[AlertEvent], policy: NotificationPolicy, days: Days
) -> None:
    found = finished(log, policy, days)
    names = [one for one in policy.channels(found.state.severity) if one != "duty"]
    if found.state.is_open:
        assert found.state.announced
        assert set(names) <= {one.channel for one in found.sent}
        assert found.state.update_at is None
        assert found.state.awaited == ()


@settings(max_examples=100)
@given(log=logs(), policy=POLICIES, days=DAYS)
def test_whatever_was_confirmed_and_never_withheld_was_announced(log: list[AlertEvent], policy: NotificationPolicy, days: Days) -> None:
    """Not even what ended within the wait for others is lost."""
    found = finished(log, policy, Days(duty=days.duty))
    without_delay = {one for one in policy.channels(found.state.severity) if one != "duty" and not policy.delay_ms(one)}

    assert without_delay <= {one.channel for one in found.sent}


@settings(max_examples=100)
@given(log=logs(), policy=POLICIES, days=DAYS, data=st.data())
def test_waking_at_any_other_time_too_changes_nothing(
    log: list[AlertEvent], policy: NotificationPolicy, days: Days, data: st.DataObject
) -> None:
    more = [Woke(data.draw(st.integers(0, 400)) * SECOND) for _ in range(4)]

    assert finished(sorted([*log, *more], key=lambda one: one.at), policy, days).decisions == finished(log, policy, days).decisions


@settings(max_examples=100)
@given(log=logs(), policy=POLICIES, late=st.integers(0, 3_000))
def test_however_long_a_sleep_was_each_channel_has_one_reminder_at_most(
    log: list[AlertEvent], policy: NotificationPolicy, late: int
) -> None:
    one = Run(policy)
    for event in log:
        one.take(event)
    one.sent = []
    one.take(Woke(log[-1].at + late * SECOND))

    reasons = Counter((notice.channel, notice.reason, notice.number) for notice in one.sent)
    assert set(reasons.values()) <= {1}
    assert sum(notice.reason is NoticeReason.REMINDER for notice in one.sent) <= len({notice.channel for notice in one.sent})
    before = one.state
    one.take(Woke(log[-1].at + late * SECOND))
    assert one.state == before
