"""State machine 2: an alert is one thread of notices about one or more incidents. It decides who is notified of them, and when.

Laws
1. Everything that notifies, withholds, reminds or ends is decided here, from values alone; what opens and closes incidents, elsewhere
   (incident.py). Every decision that notifies names its channels; a person or a rotation is resolved at that instant.
2. An alert opens with its first member and ends, once, when no member is open any more; then nothing changes it. An incident joins it
   once. It is as severe as the worst member that it ever had.
3. Its opening is announced once to each channel: when it opens, or after `group_wait_ms` where others may join, or (Disclosed) once
   neither maintenance nor quiet hours hold that concern it, or once the channel's delay is over. Its end is announced at once, to every
   channel that was notified of it, and only to those.
4. Whatever is confirmed outside maintenance and quiet hours is announced: what ends while it gathers, or what somebody acknowledges or
   snoozes then, is announced first, and so is a member that brought further channels and ends before they were notified of the opening.
   What they withheld and what ended before a channel's delay is not.
5. Until somebody acknowledges it, an alert that was announced is reminded of, at intervals that may grow, and each step of its
   escalation is taken once; in maintenance and quiet hours both wait for the end.
6. Whoever joins an announced alert is in a notice within a minute (Updated), of which there is at most one a minute; a reminder or the
   end of a snooze says it as well. Channels that only this member has are notified of the opening (Reached).
7. A snooze withholds everything but the end and openings at further channels. When it is over and the alert still open, that is one
   notice (SnoozeEnded), and reminders and the steps that are left count from there. An acknowledgement ends it.
8. Waking early, late, twice or never announces nothing twice; however long a sleep was, it yields one reminder.
9. A step of the clock moves the pending waits along and decides nothing. A snooze ends at its instant on the wall.
10. An alert about Vigie itself is of many monitors with one obstacle in common: who joins is announced with the others of the same hour,
   as a reminder; not once somebody has acknowledged it.
11. What flaps is announced as that, once; then only its end is, or that it lasts (Settled): it is an alert like any other from there on.

Long: the table below is the whole of laws 2 to 7 (docs/alert-states.md is drawn from it), and is read with what follows it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from vigie.core.correlation import Tie
from vigie.core.detection import Pattern, Severity
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
from vigie.core.members import NOBODY, Member, Members
from vigie.core.notification import Circumstances, EscalationStep, Notice, NoticeReason, NotificationPolicy, reached
from vigie.core.subject import SubjectKind

_UPDATE_MS = 60_000  # law 6
_GATHER_MS = 3_600_000  # law 10
_NONE = Circumstances()
_ALWAYS = -(2**63)
# The instants that a step of the clock moves.
_PENDING = ("grew_at", "settle_at", "remind_at", "gather_until", "noticed_at", "update_at", "escalate_from")


class Phase(StrEnum):
    """Where an alert is."""

    NEW = "new"
    GATHERING = "gathering"  # open, and it waits for others with the same cause
    WITHHELD = "withheld"  # open, and maintenance or quiet hours hide it
    WITHHELD_ACKED = "withheld_acked"  # the same, but somebody found it nevertheless
    FIRING = "firing"  # announced, nobody has acknowledged it
    ACKED = "acked"
    SNOOZED = "snoozed"  # announced, and nobody is to hear of it for some time
    ENDED = "ended"


class Signal(StrEnum):
    """What an event means to an alert, and then what its instant means."""

    OPENED = "opened"  # the first incident
    OPENED_AMONG_OTHERS = "opened, may be one of many"
    OPENED_WITHHELD = "opened in maintenance or quiet hours"
    JOINED = "joined"  # another incident
    ACKED = "acknowledged"
    SNOOZED = "snoozed"
    OVER = "no incident open"
    GATHERED = "wait for others over"
    GATHERED_WITHHELD = "wait for others over in maintenance or quiet hours"
    FREE = "nothing withholds it"
    SNOOZE_OVER = "snooze over"
    SETTLED = "flaps no longer"
    DUE = "reminder due"
    NEWS_DUE = "update due"
    CHANNEL_DUE = "further channel due"
    STEP_DUE = "escalation step due"


class Act(StrEnum):
    """What a rule decides."""

    ANNOUNCE = "announce"
    GATHER = "wait for others"
    WITHHOLD = "withhold"
    JOIN = "join"
    DISCLOSE = "disclose"
    SETTLE = "announce that it lasts"
    REACH = "notify the channel"
    UPDATE = "update"
    REMIND = "remind"
    ESCALATE = "escalate"
    RECORD_ACK = "record the acknowledgement"
    RECORD_SNOOZE = "record the snooze"
    RESUME = "resume"
    END = "end"


@dataclass(frozen=True, slots=True)
class Rule:
    """The next phase, and what is decided on the way."""

    then: Phase
    act: Act


TABLE: dict[tuple[Phase, Signal], Rule] = {
    (Phase.NEW, Signal.OPENED): Rule(Phase.FIRING, Act.ANNOUNCE),
    (Phase.NEW, Signal.OPENED_AMONG_OTHERS): Rule(Phase.GATHERING, Act.GATHER),
    (Phase.NEW, Signal.OPENED_WITHHELD): Rule(Phase.WITHHELD, Act.WITHHOLD),
    (Phase.GATHERING, Signal.JOINED): Rule(Phase.GATHERING, Act.JOIN),
    (Phase.GATHERING, Signal.GATHERED): Rule(Phase.FIRING, Act.ANNOUNCE),
    (Phase.GATHERING, Signal.GATHERED_WITHHELD): Rule(Phase.WITHHELD, Act.WITHHOLD),
    (Phase.WITHHELD, Signal.JOINED): Rule(Phase.WITHHELD, Act.JOIN),
    (Phase.WITHHELD, Signal.ACKED): Rule(Phase.WITHHELD_ACKED, Act.RECORD_ACK),
    (Phase.WITHHELD, Signal.SNOOZED): Rule(Phase.WITHHELD, Act.RECORD_SNOOZE),
    (Phase.WITHHELD, Signal.OVER): Rule(Phase.ENDED, Act.END),
    (Phase.WITHHELD, Signal.FREE): Rule(Phase.FIRING, Act.DISCLOSE),
    (Phase.WITHHELD_ACKED, Signal.JOINED): Rule(Phase.WITHHELD_ACKED, Act.JOIN),
    (Phase.WITHHELD_ACKED, Signal.SNOOZED): Rule(Phase.WITHHELD, Act.RECORD_SNOOZE),
    (Phase.WITHHELD_ACKED, Signal.OVER): Rule(Phase.ENDED, Act.END),
    (Phase.WITHHELD_ACKED, Signal.FREE): Rule(Phase.ACKED, Act.DISCLOSE),
    (Phase.FIRING, Signal.JOINED): Rule(Phase.FIRING, Act.JOIN),
    (Phase.FIRING, Signal.ACKED): Rule(Phase.ACKED, Act.RECORD_ACK),
    (Phase.FIRING, Signal.SNOOZED): Rule(Phase.SNOOZED, Act.RECORD_SNOOZE),
    (Phase.FIRING, Signal.OVER): Rule(Phase.ENDED, Act.END),
    (Phase.FIRING, Signal.SETTLED): Rule(Phase.FIRING, Act.SETTLE),
    (Phase.FIRING, Signal.DUE): Rule(Phase.FIRING, Act.REMIND),
    (Phase.FIRING, Signal.NEWS_DUE): Rule(Phase.FIRING, Act.UPDATE),
    (Phase.FIRING, Signal.CHANNEL_DUE): Rule(Phase.FIRING, Act.REACH),
    (Phase.FIRING, Signal.STEP_DUE): Rule(Phase.FIRING, Act.ESCALATE),
    (Phase.ACKED, Signal.JOINED): Rule(Phase.ACKED, Act.JOIN),
    (Phase.ACKED, Signal.SNOOZED): Rule(Phase.SNOOZED, Act.RECORD_SNOOZE),
    (Phase.ACKED, Signal.OVER): Rule(Phase.ENDED, Act.END),
    (Phase.ACKED, Signal.SETTLED): Rule(Phase.ACKED, Act.SETTLE),
    (Phase.ACKED, Signal.NEWS_DUE): Rule(Phase.ACKED, Act.UPDATE),
    (Phase.ACKED, Signal.CHANNEL_DUE): Rule(Phase.ACKED, Act.REACH),
    (Phase.SNOOZED, Signal.JOINED): Rule(Phase.SNOOZED, Act.JOIN),
    (Phase.SNOOZED, Signal.ACKED): Rule(Phase.ACKED, Act.RECORD_ACK),
    (Phase.SNOOZED, Signal.SNOOZED): Rule(Phase.SNOOZED, Act.RECORD_SNOOZE),
    (Phase.SNOOZED, Signal.OVER): Rule(Phase.ENDED, Act.END),
    (Phase.SNOOZED, Signal.SNOOZE_OVER): Rule(Phase.FIRING, Act.RESUME),
    (Phase.SNOOZED, Signal.CHANNEL_DUE): Rule(Phase.SNOOZED, Act.REACH),
}
# What the clock means, in this order: an opening before whatever follows it, and news last, because a reminder has them.
_CLOCK = (
    Signal.GATHERED, Signal.GATHERED_WITHHELD, Signal.FREE, Signal.SNOOZE_OVER, Signal.SETTLED,
    Signal.DUE, Signal.NEWS_DUE, Signal.CHANNEL_DUE, Signal.STEP_DUE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Awaited:
    """A name in the policy that is to be notified of the opening at `at`, epoch ms."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class AlertState:
    """All that must be remembered of one alert between two events. `wake_at` is when it wants a Woke; instants are epoch ms.

    `id` is the id of its first incident, `monitor` that incident's; `severity` is the worst of its members. `ties` are what another
    incident must have in common with it (correlation.py), `grew_at` is when the last one joined.

    `notified` are the channels that know of the opening (None: not recorded, in a state of an older version). Steps of the escalation
    count from `escalate_from`, `taken` names those that were taken. `quiet`: quiet hours withheld it.
    `flapping`: its services fail and recover all the time; `settle_at` is when that became an outage like others.
    """

    id: str
    severity: Severity
    monitor: str = ""
    subject: SubjectKind = SubjectKind.MONITOR
    phase: Phase = Phase.NEW
    members: Members = NOBODY
    ties: tuple[Tie, ...] = ()
    grew_at: int = 0
    acked_by: str | None = None
    reminders: int = 0
    remind_at: int | None = None
    wake_at: int | None = None
    gather_until: int | None = None
    noticed_at: int | None = None
    update_at: int | None = None
    updates: int = 0
    escalate_from: int | None = None
    taken: tuple[str, ...] = ()
    snoozed_until: int | None = None
    snoozes: int = 0
    notified: tuple[str, ...] | None = None
    awaited: tuple[Awaited, ...] = ()
    quiet: bool = False
    flapping: bool = False
    settle_at: int | None = None

    @property
    def announced(self) -> bool:
        """Whether people were notified of it and of its end not yet."""
        return self.phase in (Phase.FIRING, Phase.ACKED, Phase.SNOOZED)

    @property
    def is_open(self) -> bool:
        """Whether it has begun and not ended."""
        return self.phase not in (Phase.NEW, Phase.ENDED)

    def has_open(self, monitor: str) -> bool:
        """Whether an incident of this monitor is an open member."""
        return any(one.open and one.monitor == monitor for one in self.members)


Step = tuple[AlertState, tuple[AlertDecision, ...]]


@dataclass(frozen=True, slots=True)
class _Now:
    """What holds at the instant of an event."""

    at: int
    policy: NotificationPolicy
    circumstances: Circumstances

    def held_until(self, state: AlertState) -> int | None:
        """The end of what withholds notices of an alert."""
        quiet = self.circumstances.quiet_until if state.severity in self.policy.quiet_severities else None
        return max((one for one in (self.circumstances.muted_until, quiet) if one is not None), default=None)

    def reached(self, names: Iterable[str]) -> tuple[str, ...]:
        return reached(names, self.circumstances)

    def at_once(self, state: AlertState) -> tuple[str, ...]:
        """The channels that are notified of an opening without delay."""
        return self.reached(one for one in self.policy.channels(state.severity) if not self.policy.delay_ms(one))

    def audience(self, state: AlertState) -> tuple[str, ...]:
        """The channels of everybody who is in charge so far."""
        later = {one.name for one in state.awaited}
        names = [one for one in self.policy.channels(state.severity) if one not in later]
        return self.reached([*names, *(name for one in self.policy.steps(state.severity) if one.name in state.taken for name in one.to)])


def step(state: AlertState, event: AlertEvent, policy: NotificationPolicy, monitor: str = "", circumstances: Circumstances = _NONE) -> Step:
    """What an event makes of an alert, and what was decided. Total: every event is accepted in every state.

    `monitor` is whose incident opened, where the event is that one did; `circumstances` are those at the instant of the event.
    """
    now = _Now(event.at, policy, circumstances)
    if state.phase is Phase.ENDED or (isinstance(event, Stepped) and not state.is_open):
        return state, ()
    if isinstance(event, Stepped):
        return _waiting(_moved(state, event.delta_ms), now), ()
    if isinstance(event, Opened) and state.members.has(event.incident):
        event = Woke(event.at)  # a repetition: of what it says only the instant is new
    if state.announced and state.notified is None:
        state = replace(state, notified=now.audience(state))
    state, decisions = _membership(state, event, monitor), list[AlertDecision]()
    for signal in _meaning(state, event, now):
        state = _taken(state, signal, event, now, decisions)
    for signal in (*_CLOCK, *(Signal.STEP_DUE for _ in policy.escalate)):
        if _is_due(state, signal, now):
            state = _taken(state, signal, event, now, decisions)
    return _waiting(state, now), tuple(decisions)


def _membership(state: AlertState, event: AlertEvent, monitor: str) -> AlertState:
    """Who is a member after the event, and how severe that makes it."""
    if isinstance(event, Opened):
        joined = Member(event.incident, monitor or state.monitor, severity=event.severity)
        worst = Severity.OUTAGE if Severity.OUTAGE in (state.severity, event.severity) else state.severity
        state = replace(state, flapping=event.pattern is Pattern.FLAPPING and (state.flapping or not state.members))
        return replace(state, members=state.members.with_one(joined), severity=worst, grew_at=event.at)
    if isinstance(event, Recovered | Closed):
        return replace(state, members=state.members.without(event.incident))
    if isinstance(event, Steadied) and state.flapping:
        known = state.phase in (Phase.FIRING, Phase.ACKED)
        return replace(state, flapping=known, settle_at=event.at if known else None)
    return state


def _meaning(state: AlertState, event: AlertEvent, now: _Now) -> tuple[Signal, ...]:
    """What the event means; before it, what it cannot wait for (law 4)."""
    withheld = now.held_until(state) is not None
    gathered = Signal.GATHERED_WITHHELD if withheld else Signal.GATHERED
    match event:
        case Opened() if state.phase is not Phase.NEW:
            return (Signal.JOINED,)
        case Opened() if withheld:
            return (Signal.OPENED_WITHHELD,)
        case Opened(shares=shares):
            return (Signal.OPENED_AMONG_OTHERS if shares and now.policy.group and now.policy.group_wait_ms else Signal.OPENED,)
        case Acked():
            return gathered, Signal.ACKED
        case Snoozed(at=at, until=until) if until > at and until != state.snoozed_until:
            return gathered, Signal.SNOOZED
        case Recovered() | Closed() if not state.members.open:
            return (gathered, *(() if withheld else (Signal.CHANNEL_DUE,)), Signal.OVER)
        case _:
            return ()


def _is_due(state: AlertState, signal: Signal, now: _Now) -> bool:
    """Whether the instant means this: its time has come, and nothing withholds it."""
    due, withheld = _due_at(state, signal, now.policy), now.held_until(state) is not None
    return due is not None and due <= now.at and withheld == (signal is Signal.GATHERED_WITHHELD)


def _due_at(state: AlertState, signal: Signal, policy: NotificationPolicy) -> int | None:
    match signal:
        case Signal.GATHERED | Signal.GATHERED_WITHHELD:
            return state.gather_until
        case Signal.FREE:
            return _ALWAYS if state.snoozed_until is None else state.snoozed_until
        case Signal.SNOOZE_OVER:
            return state.snoozed_until
        case Signal.SETTLED:
            return state.settle_at
        case Signal.DUE:
            return state.remind_at
        case Signal.NEWS_DUE:
            return state.update_at
        case Signal.CHANNEL_DUE:
            return min((one.at for one in state.awaited), default=None)
        case _:
            left = None if state.flapping else _step_left(state, policy)
            return state.escalate_from + left.after_ms if left is not None and state.escalate_from is not None else None


def _step_left(state: AlertState, policy: NotificationPolicy) -> EscalationStep | None:
    """The next step to be taken. Steps are known by what they say, because a member that joins brings steps between those taken."""
    return next((one for one in policy.steps(state.severity) if one.name not in state.taken), None)


def _taken(state: AlertState, signal: Signal, event: AlertEvent, now: _Now, decisions: list[AlertDecision]) -> AlertState:
    """The state after a signal; what was decided is added to the decisions."""
    rule = TABLE.get((state.phase, signal))
    if rule is None:
        return state
    decided = _decided(rule.act, state, event, now)
    if decided is None:
        return replace(state, phase=rule.then, gather_until=now.at + now.policy.group_wait_ms)
    if decided != Reached(now.at, state.id):  # whoever was awaited is notified already
        decisions.append(decided)
    return _entered(replace(state, phase=rule.then), decided, now)


def _decided(act: Act, state: AlertState, event: AlertEvent, now: _Now) -> AlertDecision | None:
    """What an act decides; waiting for others decides nothing yet."""
    at, of = now.at, state.id
    match act:
        case Act.ANNOUNCE:
            return Announced(at, of, now.at_once(state), flapping=state.flapping)
        case Act.GATHER:
            return None
        case Act.WITHHOLD:
            return Withheld(at, of, quiet=now.circumstances.muted_until is None)
        case Act.JOIN:
            return Joined(at, of, getattr(event, "incident", ""))
        case Act.DISCLOSE:
            return Disclosed(at, of, now.at_once(state), quiet=state.quiet)
        case Act.RECORD_ACK | Act.RECORD_SNOOZE:
            return _recorded(state, event, now)
        case Act.END:
            to = state.notified or () if state.announced else ()
            return Ended(at, state.announced, getattr(event, "by", None), of, to, flapping=state.flapping)
        case _:
            return _followed(act, state, now)


def _followed(act: Act, state: AlertState, now: _Now) -> AlertDecision:
    """What follows an announcement in time."""
    at, of, notified = now.at, state.id, state.notified or ()
    match act:
        case Act.SETTLE:
            return Settled(at, of, now.audience(state))
        case Act.REACH:
            ends = not state.members.open
            due = now.reached(one.name for one in state.awaited if one.at <= at or (ends and not now.policy.delay_ms(one.name)))
            return Reached(at, of, tuple(one for one in due if one not in notified))
        case Act.UPDATE:
            return Updated(at, state.updates + 1, of, tuple(one for one in now.audience(state) if one in notified))
        case Act.REMIND:
            return Reminded(at, state.reminders + 1, of, now.audience(state))
        case Act.ESCALATE:
            return Escalated(at, len(state.taken) + 1, of, now.reached(left.to if (left := _step_left(state, now.policy)) else ()))
        case _:
            return SnoozeEnded(at, state.snoozes, of, now.audience(state))


def _recorded(state: AlertState, event: AlertEvent, now: _Now) -> AlertDecision | None:
    """What a person asked for."""
    if isinstance(event, Snoozed):
        return SnoozeRecorded(now.at, event.by, event.until, state.id)
    shown = tuple(one for one in state.notified or () if one in now.policy.acked_to)
    return AckRecorded(now.at, event.by, state.id, state.snoozes, shown) if isinstance(event, Acked) else None


def _entered(state: AlertState, decided: AlertDecision, now: _Now) -> AlertState:
    """The state after a decision: who knows, what was counted, and what is due next."""
    at = now.at
    match decided:
        case Announced() | Disclosed():
            delayed = [(name, now.policy.delay_ms(name)) for name in now.policy.channels(state.severity)]
            awaited = tuple(Awaited(name, at + delay) for name, delay in delayed if delay)
            state = replace(state, gather_until=None, snoozed_until=None, escalate_from=at, awaited=awaited)
        case Joined():
            return _joined(state, now)
        case Withheld(quiet=quiet):
            return replace(state, gather_until=None, quiet=quiet)
        case Reached():
            return _knowing(replace(state, awaited=tuple(one for one in state.awaited if one.at > at)), decided.to)
        case Updated(number=number):
            return replace(state, updates=number, noticed_at=at, update_at=None)
        case Reminded(number=number):
            state = replace(state, reminders=number)
        case Escalated(to=to):
            due = _step_left(state, now.policy)
            return _knowing(replace(state, taken=(*state.taken, due.name)) if due is not None else state, to)
        case AckRecorded(by=by):
            return replace(state, acked_by=by, remind_at=None, snoozed_until=None)
        case SnoozeRecorded(until=until):
            return replace(state, snoozed_until=until, snoozes=state.snoozes + 1, remind_at=None)
        case SnoozeEnded() | Settled():
            flapping = state.flapping and isinstance(decided, SnoozeEnded)
            state = replace(state, snoozed_until=None, settle_at=None, escalate_from=at, flapping=flapping)
        case Ended():
            return replace(state, remind_at=None)
    wait = now.policy.remind_after_ms(state.reminders) if state.phase is Phase.FIRING and not state.flapping else 0
    state = replace(state, noticed_at=at, update_at=None, remind_at=at + wait if wait else None)
    return _knowing(state, decided.to)


def _knowing(state: AlertState, channels: tuple[str, ...]) -> AlertState:
    """With the channels that were notified of it."""
    return replace(state, notified=tuple(dict.fromkeys((*(state.notified or ()), *channels))))


def _joined(state: AlertState, now: _Now) -> AlertState:
    """With the instants at which those who know of it hear of a member that joined, and those who do not, of all of it."""
    if not state.announced:
        return state
    if state.subject is SubjectKind.VIGIE:
        soonest = now.at + _GATHER_MS
        due = soonest if state.remind_at is None else min(state.remind_at, soonest)
        return replace(state, remind_at=due) if state.phase is Phase.FIRING else state
    soon = now.at + now.policy.group_wait_ms
    update_at = max(soon, soon if state.noticed_at is None else state.noticed_at + _UPDATE_MS) if state.notified else None
    known = {one.name for one in state.awaited}
    new = [
        one for one in now.policy.channels(state.severity) if one not in known and not set(now.reached([one])) <= set(state.notified or ())
    ]
    awaited = (*state.awaited, *(Awaited(one, max(soon, now.at + now.policy.delay_ms(one))) for one in new))
    return replace(state, update_at=update_at if state.update_at is None else state.update_at, awaited=awaited)


def _moved(state: AlertState, delta: int) -> AlertState:
    """With everything that waits moved along."""
    moved: dict[str, Any] = {name: at + delta for name in _PENDING if (at := getattr(state, name)) is not None}
    return replace(state, **moved, awaited=tuple(replace(one, at=one.at + delta) for one in state.awaited))


def _waiting(state: AlertState, now: _Now) -> AlertState:
    """With the instant at which it wants to be woken."""
    dues = [_due_at(state, signal, now.policy) for signal in _CLOCK if (state.phase, signal) in TABLE]
    wanted = min((one for one in dues if one is not None), default=None)
    if wanted is not None:
        held = None if state.phase is Phase.GATHERING else now.held_until(state)
        wanted = max(wanted, now.at, now.at if held is None else held)  # what is withheld waits for the end of that
    return state if state.wake_at == wanted else replace(state, wake_at=wanted)


_REASONS: dict[type[AlertDecision], NoticeReason] = {
    Announced: NoticeReason.OPENED,
    Reached: NoticeReason.OPENED,
    Disclosed: NoticeReason.DISCLOSED,
    Settled: NoticeReason.STEADY,
    Updated: NoticeReason.UPDATED,
    Reminded: NoticeReason.REMINDER,
    Escalated: NoticeReason.ESCALATED,
    AckRecorded: NoticeReason.ACKNOWLEDGED,
    SnoozeEnded: NoticeReason.SNOOZE_ENDED,
}


def notices(decision: AlertDecision, state: AlertState) -> tuple[Notice, ...]:
    """The notices that a decision asks for, one a channel; none for what nobody is notified of."""
    number = decision.step if isinstance(decision, Escalated) else getattr(decision, "number", 0)
    reason, channels = _reason(decision), getattr(decision, "to", ())
    return tuple(Notice(state.id, state.monitor, channel, reason, decision.at, number, subject=state.subject) for channel in channels)


def _reason(decision: AlertDecision) -> NoticeReason:
    match decision:
        case Ended(by=str()):
            return NoticeReason.CLOSED
        case Ended(flapping=True):
            return NoticeReason.STABLE
        case Announced(flapping=True):
            return NoticeReason.FLAPPING
        case Disclosed(quiet=True):
            return NoticeReason.QUIET_OVER
        case _:
            return _REASONS.get(type(decision), NoticeReason.RECOVERED)
