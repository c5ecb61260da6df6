"""The state machine of incidents and their notices as it was at commit f03e05c (24 November 2026), before detection and notification were parted.

A frozen copy, never to be improved: `core/incident.py`, `core/events.py`, `core/policy.py` and `route` of `core/routing.py`, put
together without a change of behaviour. It imports nothing of Vigie, so that whatever becomes of those modules is compared with what
people have been told until then (test_same_as_before.py). Causes are plain texts here. Instants are epoch ms.
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class Status(StrEnum):
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    OUTAGE = "outage"
    DEGRADATION = "degradation"


class NoticeReason(StrEnum):
    OPENED = "opened"
    DISCLOSED = "disclosed"
    REMINDER = "reminder"
    RECOVERED = "recovered"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Notice:
    key: str
    incident: str
    monitor: str
    channel: str
    reason: NoticeReason
    at: int


@dataclass(frozen=True, slots=True)
class Observed:
    """A check concluded. `order` rises strictly for one monitor; an order already seen changes nothing."""

    at: int
    order: int
    status: Status
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Acked:
    """A person has seen the open incident: no more reminders."""

    at: int
    by: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """A person closed the open incident."""

    at: int
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Woke:
    """The instant that the state asked to be woken at has come (or any other: waking early or twice is harmless)."""

    at: int


@dataclass(frozen=True, slots=True)
class Stepped:
    """The wall clock jumped by `delta_ms` (a step or a suspended machine): waits are moved along, nothing else."""

    at: int
    delta_ms: int


Event = Observed | Acked | Resolved | Woke | Stepped


@dataclass(frozen=True, slots=True)
class Suspected:
    """The first failure after health: check again quickly, collect evidence."""

    severity: Severity
    at: int
    cause: str


@dataclass(frozen=True, slots=True)
class Cleared:
    """A suspicion came to nothing."""

    severity: Severity
    at: int


@dataclass(frozen=True, slots=True)
class Opened:
    """An incident is confirmed. `page` is False inside a maintenance window."""

    severity: Severity
    incident: str
    at: int
    started_at: int
    cause: str
    page: bool


@dataclass(frozen=True, slots=True)
class Disclosed:
    """The maintenance window is over and the incident it hid is still open: page now."""

    severity: Severity
    incident: str
    at: int


@dataclass(frozen=True, slots=True)
class Reminded:
    """Still open, still nobody acknowledged. `number` counts from 1."""

    severity: Severity
    incident: str
    at: int
    number: int


@dataclass(frozen=True, slots=True)
class AckRecorded:
    """The acknowledgement is on record."""

    severity: Severity
    incident: str
    at: int
    by: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """The service is back: the incident is closed. `page` is True when its opening was told."""

    severity: Severity
    incident: str
    at: int
    page: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """A person closed the incident. `page` is True when its opening was told."""

    severity: Severity
    incident: str
    at: int
    by: str
    note: str
    page: bool


Decision = Suspected | Cleared | Opened | Disclosed | Reminded | AckRecorded | Recovered | Closed


@dataclass(frozen=True, slots=True)
class Window:
    """A maintenance window: from `start` up to but not including `end`, epoch ms."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Policy:
    """How failures become an incident.

    `confirm` failures in a row open it, at the quick pace `confirm_every_ms` once the first is seen; `recover` good checks in
    a row close it; while it is open and nobody acknowledged it, `remind_ms` passes between reminders (0: never).
    `to` are the channels that are paged, `degraded_to` those that asked for degradations.
    """

    confirm: int = 3
    confirm_every_ms: int = 5_000
    recover: int = 2
    remind_ms: int = 14_400_000
    to: tuple[str, ...] = ()
    degraded_to: tuple[str, ...] = ()
    fallback: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()

    def muted_until(self, at: int) -> int | None:
        """The end of the maintenance window that holds `at`, or None; windows that touch or overlap count as one."""
        end: int | None = None
        for window in sorted(self.windows, key=lambda item: item.start):
            if window.start <= (at if end is None else end) < window.end:
                end = window.end
        return end


class Phase(StrEnum):
    """Where a track stands."""

    HEALTHY = "healthy"
    SUSPECTED = "suspected"
    OPEN = "open"
    RECOVERING = "recovering"


class Signal(StrEnum):
    """What a result means to one track."""

    BAD = "bad"
    GOOD = "good"


class Count(StrEnum):
    """Which threshold of the policy a rule counts towards."""

    CONFIRM = "confirm"
    RECOVER = "recover"


@dataclass(frozen=True, slots=True)
class Rule:
    """The next phase: `then`, or, when the rule counts and the count is full, `full`."""

    then: Phase
    counts: Count | None = None
    full: Phase | None = None


TABLE: dict[tuple[Phase, Signal], Rule] = {
    (Phase.HEALTHY, Signal.GOOD): Rule(Phase.HEALTHY),
    (Phase.HEALTHY, Signal.BAD): Rule(Phase.SUSPECTED, Count.CONFIRM, Phase.OPEN),
    (Phase.SUSPECTED, Signal.GOOD): Rule(Phase.HEALTHY),
    (Phase.SUSPECTED, Signal.BAD): Rule(Phase.SUSPECTED, Count.CONFIRM, Phase.OPEN),
    (Phase.OPEN, Signal.GOOD): Rule(Phase.RECOVERING, Count.RECOVER, Phase.HEALTHY),
    (Phase.OPEN, Signal.BAD): Rule(Phase.OPEN),
    (Phase.RECOVERING, Signal.GOOD): Rule(Phase.RECOVERING, Count.RECOVER, Phase.HEALTHY),
    (Phase.RECOVERING, Signal.BAD): Rule(Phase.OPEN),
}

_SIGNALS: dict[Severity, dict[Status, Signal]] = {
    Severity.OUTAGE: {Status.DOWN: Signal.BAD, Status.UP: Signal.GOOD, Status.DEGRADED: Signal.GOOD},
    Severity.DEGRADATION: {Status.DEGRADED: Signal.BAD, Status.UP: Signal.GOOD},
}


@dataclass(frozen=True, slots=True)
class Track:
    """One severity of one monitor. `count` counts towards the rule's threshold; instants are epoch ms."""

    phase: Phase = Phase.HEALTHY
    count: int = 0
    since: int = 0  # the first failed check of the suspicion or incident
    incident: str = ""
    told: bool = False
    acked: bool = False
    reminders: int = 0
    remind_at: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether an incident is open on this track."""
        return self.phase in (Phase.OPEN, Phase.RECOVERING)


@dataclass(frozen=True, slots=True)
class MonitorState:
    """All that must be remembered of one monitor between two events. `wake_at` is when it wants a Woke, epoch ms."""

    monitor: str
    order: int = 0
    ordinal: int = 0
    status: Status | None = None
    cause: str | None = None
    at: int | None = None
    outage: Track = Track()
    degradation: Track = Track()
    wake_at: int | None = None

    @property
    def quick(self) -> bool:
        """Whether the quick pace is wanted: something is suspected, or seems to recover."""
        return any(track.phase in (Phase.SUSPECTED, Phase.RECOVERING) for track in (self.outage, self.degradation))

    @property
    def resting(self) -> bool:
        """Whether nothing is suspected or open."""
        return self.outage.phase is Phase.HEALTHY and self.degradation.phase is Phase.HEALTHY


Turn = tuple[Track, tuple[Decision, ...]]


def step(state: MonitorState, event: Event, policy: Policy) -> tuple[MonitorState, tuple[Decision, ...]]:
    """What an event makes of a state, and what was decided. Total: every event is accepted in every state."""
    if isinstance(event, Observed):
        return _observe(state, event, policy)
    turns = [_turn(severity, track, event, policy) for severity, track in _tracks(state)]
    return _joined(state, turns, event.at, policy)


def _observe(state: MonitorState, event: Observed, policy: Policy) -> tuple[MonitorState, tuple[Decision, ...]]:
    if event.order and event.order <= state.order:
        return state, ()
    seen = replace(state, order=max(state.order, event.order), status=event.status, cause=event.cause, at=event.at)
    if state.resting and event.status in (Status.UP, Status.UNKNOWN):
        return seen, ()
    turns = []
    for severity, track in _tracks(seen):
        signal = _SIGNALS[severity].get(event.status)
        moved, decisions = (track, ()) if signal is None else _move(severity, track, signal, event, seen, policy)
        if moved.incident != track.incident:
            seen = replace(seen, ordinal=seen.ordinal + 1)
        told, more = _tell(severity, moved, event.at, policy)
        turns.append((told, (*decisions, *more)))
    return _joined(seen, turns, event.at, policy)


def _tracks(state: MonitorState) -> tuple[tuple[Severity, Track], tuple[Severity, Track]]:
    return (Severity.OUTAGE, state.outage), (Severity.DEGRADATION, state.degradation)


def _joined(state: MonitorState, turns: list[Turn], at: int, policy: Policy) -> tuple[MonitorState, tuple[Decision, ...]]:
    (outage, first), (degradation, second) = turns
    wakes = [wake for track in (outage, degradation) if (wake := _wake_at(track, at, policy)) is not None]
    joined = replace(state, outage=outage, degradation=degradation, wake_at=min(wakes, default=None))
    return joined, (*first, *second)


def _move(severity: Severity, track: Track, signal: Signal, event: Observed, state: MonitorState, policy: Policy) -> Turn:
    rule = TABLE[track.phase, signal]
    count = 0 if rule.counts is None else track.count + 1 if track.phase is rule.then else 1
    threshold = {Count.CONFIRM: policy.confirm, Count.RECOVER: policy.recover, None: 0}[rule.counts]
    phase = rule.full if rule.full is not None and count >= threshold else rule.then
    moved = replace(track, phase=phase, count=count)
    return _decide(severity, track, moved, event, state, policy)


def _decide(severity: Severity, track: Track, moved: Track, event: Observed, state: MonitorState, policy: Policy) -> Turn:
    cause = event.cause or "probe.error"
    decisions: list[Decision] = []
    if track.phase is Phase.HEALTHY and moved.phase is not Phase.HEALTHY:
        moved = replace(moved, since=event.at)
        decisions.append(Suspected(severity, event.at, cause))
    if track.phase is Phase.SUSPECTED and moved.phase is Phase.HEALTHY:
        return replace(track, phase=Phase.HEALTHY, count=0), (Cleared(severity, event.at),)
    if track.is_open and not moved.is_open:
        return _rested(track), (Recovered(severity, track.incident, event.at, page=track.told),)
    if moved.is_open and not track.is_open:
        page = policy.muted_until(event.at) is None
        remind_at = _remind_at(event.at, policy) if page else None
        incident = f"{state.monitor}-{state.ordinal + 1}"
        moved = replace(moved, incident=incident, count=0, told=page, acked=False, reminders=0, remind_at=remind_at)
        decisions.append(Opened(severity, incident, event.at, min(moved.since, event.at), cause, page))
    return moved, tuple(decisions)


def _turn(severity: Severity, track: Track, event: Acked | Resolved | Woke | Stepped, policy: Policy) -> Turn:
    """What an event other than a result makes of one track."""
    if isinstance(event, Stepped):
        moved = track.remind_at is not None
        return (replace(track, remind_at=(track.remind_at or 0) + event.delta_ms) if moved else track), ()
    if not track.is_open:
        return track, ()
    if isinstance(event, Acked) and not track.acked:
        told, more = _tell(severity, replace(track, acked=True, remind_at=None), event.at, policy)
        return told, (AckRecorded(severity, track.incident, event.at, event.by), *more)
    if isinstance(event, Resolved):
        return _rested(track), (Closed(severity, track.incident, event.at, event.by, event.note, page=track.told),)
    return _tell(severity, track, event.at, policy)


def _tell(severity: Severity, track: Track, at: int, policy: Policy) -> Turn:
    """Disclose what a maintenance window hid, or remind, if it is time and no window holds.

    Also while it seems to recover: should Vigie see nothing any more, nobody would ever hear of it.
    """
    if not track.is_open or policy.muted_until(at) is not None:
        return track, ()
    if not track.told:
        remind_at = None if track.acked else _remind_at(at, policy)
        return replace(track, told=True, remind_at=remind_at), (Disclosed(severity, track.incident, at),)
    if track.remind_at is None or at < track.remind_at:
        return track, ()
    number = track.reminders + 1
    reminded = replace(track, reminders=number, remind_at=_remind_at(at, policy))
    return reminded, (Reminded(severity, track.incident, at, number),)


def _rested(track: Track) -> Track:
    """After an incident: healthy; the incident's name stays, so that the next one is seen to be another."""
    return Track(incident=track.incident)


def _remind_at(at: int, policy: Policy) -> int | None:
    return at + policy.remind_ms if policy.remind_ms else None


def _wake_at(track: Track, at: int, policy: Policy) -> int | None:
    if not track.is_open:
        return None
    wanted = track.remind_at if track.told else at
    if wanted is None:
        return None
    wanted = max(wanted, at)  # a reminder that a window overtook waits for that window's end
    return policy.muted_until(wanted) or wanted


def route(decision: Decision, monitor: str, policy: Policy) -> tuple[Notice, ...]:
    """The notices that a decision asks for, one a channel; none for what nobody is told."""
    told = _reason(decision)
    if told is None:
        return ()
    reason, suffix = told
    incident = decision.incident  # type: ignore[union-attr]  # a decision with a reason has an incident
    channels = policy.to if decision.severity is Severity.OUTAGE else policy.degraded_to
    return tuple(Notice(f"{incident}:{reason}{suffix}:{channel}", incident, monitor, channel, reason, decision.at) for channel in channels)


def _reason(decision: Decision) -> tuple[NoticeReason, str] | None:
    match decision:
        case Opened(page=True):
            return NoticeReason.OPENED, ""
        case Disclosed():
            return NoticeReason.DISCLOSED, ""
        case Reminded(number=number):
            return NoticeReason.REMINDER, f":{number}"
        case Recovered(page=True):
            return NoticeReason.RECOVERED, ""
        case Closed(page=True):
            return NoticeReason.CLOSED, ""
        case _:
            return None
