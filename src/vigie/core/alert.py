"""State machine 2: an alert is one thread of notices about one or more incidents. It decides who is notified of them, and when.

Laws
1. Everything that notifies, withholds, reminds or ends is decided here, from values alone; what opens and closes incidents, elsewhere
   (incident.py).
2. An alert opens with its first member and ends, once, when no member is open any more; then nothing changes it. An incident joins it
   once.
3. Its opening is announced once: when it opens, or (Disclosed) once no maintenance window holds any more. Its end is announced only
   if its opening was.
4. Until somebody acknowledges it, an alert that was announced is reminded of every `remind_ms`; in a window the reminder waits for the
   window's end.
5. Waking early, late, twice or never announces nothing twice; however long a sleep was, it yields one reminder.
6. A step of the clock moves the pending waits along and decides nothing.
7. An alert about Vigie itself is of many monitors with one obstacle in common: who joins is announced with the others of the same hour,
   as a reminder; not once somebody has acknowledged it.

The table below is the whole of laws 2 to 4; docs/alert-states.md is drawn from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

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
    Joined,
    Opened,
    Recovered,
    Reminded,
    Steadied,
    SteadyAnnounced,
    Stepped,
    Withheld,
    Woke,
)
from vigie.core.members import NOBODY, Member, Members
from vigie.core.notification import Circumstances, Notice, NoticeReason, NotificationPolicy
from vigie.core.subject import SubjectKind

_GATHER_MS = 3_600_000  # law 7
_NONE = Circumstances()


class Phase(StrEnum):
    """Where an alert is."""

    NEW = "new"
    WITHHELD = "withheld"  # open, and a maintenance window hides it
    WITHHELD_ACKED = "withheld_acked"  # the same, but somebody found it nevertheless
    FIRING = "firing"  # announced, nobody has acknowledged it
    ACKED = "acked"
    ENDED = "ended"


class Signal(StrEnum):
    """What an event means to an alert."""

    OPENED = "opened"  # the first incident, outside every window
    OPENED_IN_WINDOW = "opened in a window"
    JOINED = "joined"  # another incident
    ACKED = "acknowledged"
    STEADIED = "flaps no longer, fails all the time"
    FREE = "no window holds"
    DUE = "reminder due"
    OVER = "no incident open"


class Act(StrEnum):
    """What a rule decides."""

    ANNOUNCE = "announce"
    WITHHOLD = "withhold"
    JOIN = "join"
    DISCLOSE = "disclose"
    REMIND = "remind"
    RECORD_ACK = "record the acknowledgement"
    STEADY = "announce that it is steady"
    END = "end"


@dataclass(frozen=True, slots=True)
class Rule:
    """The next phase, and what is decided on the way."""

    then: Phase
    act: Act


TABLE: dict[tuple[Phase, Signal], Rule] = {
    (Phase.NEW, Signal.OPENED): Rule(Phase.FIRING, Act.ANNOUNCE),
    (Phase.NEW, Signal.OPENED_IN_WINDOW): Rule(Phase.WITHHELD, Act.WITHHOLD),
    (Phase.WITHHELD, Signal.JOINED): Rule(Phase.WITHHELD, Act.JOIN),
    (Phase.WITHHELD, Signal.ACKED): Rule(Phase.WITHHELD_ACKED, Act.RECORD_ACK),
    (Phase.WITHHELD, Signal.FREE): Rule(Phase.FIRING, Act.DISCLOSE),
    (Phase.WITHHELD, Signal.OVER): Rule(Phase.ENDED, Act.END),
    (Phase.WITHHELD_ACKED, Signal.JOINED): Rule(Phase.WITHHELD_ACKED, Act.JOIN),
    (Phase.WITHHELD_ACKED, Signal.FREE): Rule(Phase.ACKED, Act.DISCLOSE),
    (Phase.WITHHELD_ACKED, Signal.OVER): Rule(Phase.ENDED, Act.END),
    (Phase.FIRING, Signal.JOINED): Rule(Phase.FIRING, Act.JOIN),
    (Phase.FIRING, Signal.ACKED): Rule(Phase.ACKED, Act.RECORD_ACK),
    (Phase.FIRING, Signal.STEADIED): Rule(Phase.FIRING, Act.STEADY),
    (Phase.FIRING, Signal.DUE): Rule(Phase.FIRING, Act.REMIND),
    (Phase.FIRING, Signal.OVER): Rule(Phase.ENDED, Act.END),
    (Phase.ACKED, Signal.JOINED): Rule(Phase.ACKED, Act.JOIN),
    (Phase.ACKED, Signal.STEADIED): Rule(Phase.ACKED, Act.STEADY),
    (Phase.ACKED, Signal.OVER): Rule(Phase.ENDED, Act.END),
}


@dataclass(frozen=True, slots=True)
class AlertState:
    """All that must be remembered of one alert between two events. `wake_at` is when it wants a Woke, epoch ms.

    `id` is the id of its first incident, `monitor` that incident's; `severity` is the worst of its members. `ties` are what another
    incident must have in common with it (correlation.py), `grew_at` is when the last one joined, epoch ms.
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
    flapping: bool = False  # it is about services that go up and down, and nothing else

    @property
    def announced(self) -> bool:
        """Whether people were notified of it and of its end not yet."""
        return self.phase in (Phase.FIRING, Phase.ACKED)

    @property
    def is_open(self) -> bool:
        """Whether it has begun and not ended."""
        return self.phase not in (Phase.NEW, Phase.ENDED)

    def has_open(self, monitor: str) -> bool:
        """Whether an incident of this monitor is an open member."""
        return any(one.open and one.monitor == monitor for one in self.members)


Step = tuple[AlertState, tuple[AlertDecision, ...]]


def step(state: AlertState, event: AlertEvent, policy: NotificationPolicy, monitor: str = "", circumstances: Circumstances = _NONE) -> Step:
    """What an event makes of an alert, and what was decided. Total: every event is accepted in every state.

    `monitor` is whose incident opened, where the event is that one did; `circumstances` are those at the instant of the event.
    """
    if isinstance(event, Stepped) and state.is_open:
        moved = None if state.remind_at is None else state.remind_at + event.delta_ms
        return _waiting(replace(state, remind_at=moved, grew_at=state.grew_at + event.delta_ms), event.at, circumstances), ()
    if state.phase is Phase.ENDED or isinstance(event, Stepped):
        return state, ()
    if isinstance(event, Opened) and state.members.has(event.incident):
        event = Woke(event.at)  # a repetition: of what it says only the instant is new
    if isinstance(event, Steadied) and not state.flapping:
        event = Woke(event.at)  # nobody was notified that it flaps
    state = _membership(state, event, monitor)
    decisions: list[AlertDecision] = []
    for signal in _signals(state, event, circumstances):
        rule = TABLE.get((state.phase, signal))
        if rule is not None and (signal is not Signal.DUE or _is_due(state, event.at)):
            decided = _decided(rule.act, state, event)
            state = _entered(replace(state, phase=rule.then), decided, policy)
            decisions.append(decided)
    return _waiting(state, event.at, circumstances), tuple(decisions)


def _membership(state: AlertState, event: AlertEvent, monitor: str) -> AlertState:
    """Who is a member after the event."""
    if isinstance(event, Opened):
        joined = Member(event.incident, monitor or state.monitor, severity=event.severity)
        flapping = event.pattern is Pattern.FLAPPING and (state.flapping or state.phase is Phase.NEW)
        worst = Severity.OUTAGE if Severity.OUTAGE in (state.severity, event.severity) else state.severity
        return replace(state, members=state.members.with_one(joined), severity=worst, grew_at=event.at, flapping=flapping)
    if isinstance(event, Steadied):
        return replace(state, flapping=False)
    if isinstance(event, Recovered | Closed):
        return replace(state, members=state.members.without(event.incident))
    return state


def _signals(state: AlertState, event: AlertEvent, circumstances: Circumstances) -> Iterator[Signal]:
    """What the event means, and then what the instant means: a window that is over, a reminder that is due."""
    free = circumstances.muted_until is None
    if isinstance(event, Opened):
        yield Signal.JOINED if state.phase is not Phase.NEW else Signal.OPENED if free else Signal.OPENED_IN_WINDOW
    elif isinstance(event, Acked):
        yield Signal.ACKED
    elif isinstance(event, Steadied):
        yield Signal.STEADIED
    elif isinstance(event, Recovered | Closed) and not state.members.open:
        yield Signal.OVER
    if free:
        yield Signal.FREE
        yield Signal.DUE


def _is_due(state: AlertState, at: int) -> bool:
    return state.remind_at is not None and at >= state.remind_at


def _decided(act: Act, state: AlertState, event: AlertEvent) -> AlertDecision:
    at = event.at
    match act:
        case Act.ANNOUNCE:
            return Announced(at, state.id)
        case Act.WITHHOLD:
            return Withheld(at, state.id)
        case Act.JOIN:
            return Joined(at, state.id, getattr(event, "incident", ""))
        case Act.DISCLOSE:
            return Disclosed(at, state.id)
        case Act.REMIND:
            return Reminded(at, state.reminders + 1, state.id)
        case Act.RECORD_ACK:
            return AckRecorded(at, getattr(event, "by", ""), state.id)
        case Act.STEADY:
            return SteadyAnnounced(at, state.id)
        case Act.END:
            return Ended(at, state.announced, getattr(event, "by", None), state.id)


def _entered(state: AlertState, decided: AlertDecision, policy: NotificationPolicy) -> AlertState:
    """The state after a decision: what was counted, and when the next reminder is due."""
    if isinstance(decided, Joined) and state.subject is SubjectKind.VIGIE and state.phase is Phase.FIRING:
        return replace(state, remind_at=min(state.remind_at or decided.at + _GATHER_MS, decided.at + _GATHER_MS))
    if isinstance(decided, Joined | Withheld):
        return state
    reminds = policy.remind_ms and state.phase is Phase.FIRING and not state.flapping
    remind_at = decided.at + policy.remind_ms if reminds else None
    acked_by = decided.by if isinstance(decided, AckRecorded) else state.acked_by
    number = decided.number if isinstance(decided, Reminded) else state.reminders
    return replace(state, remind_at=remind_at, acked_by=acked_by, reminders=number)


def _waiting(state: AlertState, at: int, circumstances: Circumstances) -> AlertState:
    """With the instant at which it wants to be woken."""
    wanted = None if not state.is_open else state.remind_at if state.announced else at
    if wanted is not None:
        wanted = max(wanted, at, circumstances.muted_until or at)  # a reminder that a window overtook waits for that window's end
    return state if state.wake_at == wanted else replace(state, wake_at=wanted)


_FLAPPING = {
    NoticeReason.OPENED: NoticeReason.FLAPPING,
    NoticeReason.DISCLOSED: NoticeReason.FLAPPING,
    NoticeReason.RECOVERED: NoticeReason.STABLE,
}


def notices(decision: AlertDecision, state: AlertState, policy: NotificationPolicy) -> tuple[Notice, ...]:
    """The notices that a decision asks for, one a channel; none for what nobody is notified of."""
    match decision:
        case Announced():
            reason = NoticeReason.OPENED
        case Disclosed():
            reason = NoticeReason.DISCLOSED
        case Reminded():
            reason = NoticeReason.REMINDER
        case SteadyAnnounced():
            reason = NoticeReason.STEADY
        case Ended(announced=True, by=by):
            reason = NoticeReason.RECOVERED if by is None else NoticeReason.CLOSED
        case _:
            return ()
    if state.flapping:
        reason = _FLAPPING.get(reason, reason)
    number = decision.number if isinstance(decision, Reminded) else 0
    channels = policy.channels(state.severity)
    return tuple(Notice(state.id, state.monitor, channel, reason, decision.at, number, subject=state.subject) for channel in channels)
