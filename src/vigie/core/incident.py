"""THE state machine of incidents.

Laws
1. Everything that opens, closes, tells or hushes an incident is decided here, from values alone.
2. A monitor has two tracks with the same table: on `outage` only `down` is bad, on `degradation` only `degraded` is bad;
   what a track cannot judge (`unknown`; on the degradation track also `down`) changes nothing on it.
3. An incident opens at the failure that makes `confirm` in a row, and closes at the good check that makes `recover` in a row.
4. It opens once and closes once: by recovery or by a person, never both.
5. Its opening is told once: when it opens, or (Disclosed) once no maintenance window holds any more. Its end is told only if its
   opening was.
6. A result whose `order` was already reached changes nothing, so replays, duplicates and late results are harmless.
7. Waking early, late, twice or never tells nothing twice; however long a sleep was, it yields one reminder.
8. A step of the clock moves the pending waits along and decides nothing.

The table below is the whole of law 3; docs/incident-states.md is drawn from it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from vigie.core.detection import DetectionPolicy, Severity
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
from vigie.core.model import Cause, Status
from vigie.core.notification import NotificationPolicy


@dataclass(frozen=True, slots=True)
class Policies:
    """Both policies of a monitor."""

    detection: DetectionPolicy
    notification: NotificationPolicy


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


_QUICK = (Phase.SUSPECTED, Phase.RECOVERING)


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
    cause: Cause | None = None
    at: int | None = None
    outage: Track = Track()
    degradation: Track = Track()
    wake_at: int | None = None

    @property
    def quick(self) -> bool:
        """Whether the quick pace is wanted: something is suspected, or seems to recover."""
        return self.outage.phase in _QUICK or self.degradation.phase in _QUICK

    @property
    def resting(self) -> bool:
        """Whether nothing is suspected or open."""
        return self.outage.phase is Phase.HEALTHY and self.degradation.phase is Phase.HEALTHY


Transition = tuple[Track, tuple[Decision, ...]]


def step(state: MonitorState, event: Event, policy: Policies) -> tuple[MonitorState, tuple[Decision, ...]]:
    """What an event makes of a state, and what was decided. Total: every event is accepted in every state."""
    if isinstance(event, Observed):
        return _observe(state, event, policy)
    transitions = [_turn(severity, track, event, policy) for severity, track in _tracks(state)]
    return _joined(state, transitions, event.at, policy)


def _observe(state: MonitorState, event: Observed, policy: Policies) -> tuple[MonitorState, tuple[Decision, ...]]:
    if event.order and event.order <= state.order:
        return state, ()
    seen = replace(state, order=max(state.order, event.order), status=event.status, cause=event.cause, at=event.at)
    if state.resting and event.status in (Status.UP, Status.UNKNOWN):
        return seen, ()
    transitions = []
    for severity, track in _tracks(seen):
        signal = _SIGNALS[severity].get(event.status)
        moved, decisions = (track, ()) if signal is None else _move(severity, track, signal, event, seen, policy)
        if moved.incident != track.incident:
            seen = replace(seen, ordinal=seen.ordinal + 1)
        told, more = _tell(severity, moved, event.at, policy)
        transitions.append((told, (*decisions, *more)))
    return _joined(seen, transitions, event.at, policy)


def _tracks(state: MonitorState) -> tuple[tuple[Severity, Track], tuple[Severity, Track]]:
    return (Severity.OUTAGE, state.outage), (Severity.DEGRADATION, state.degradation)


def _joined(state: MonitorState, transitions: list[Transition], at: int, policy: Policies) -> tuple[MonitorState, tuple[Decision, ...]]:
    (outage, first), (degradation, second) = transitions
    wakes = [wake for track in (outage, degradation) if (wake := _wake_at(track, at, policy)) is not None]
    joined = replace(state, outage=outage, degradation=degradation, wake_at=min(wakes, default=None))
    return joined, (*first, *second)


def _move(severity: Severity, track: Track, signal: Signal, event: Observed, state: MonitorState, policy: Policies) -> Transition:
    rule = TABLE[track.phase, signal]
    count = 0 if rule.counts is None else track.count + 1 if track.phase is rule.then else 1
    threshold = {Count.CONFIRM: policy.detection.confirm, Count.RECOVER: policy.detection.recover, None: 0}[rule.counts]
    phase = rule.full if rule.full is not None and count >= threshold else rule.then
    moved = replace(track, phase=phase, count=count)
    return _decide(severity, track, moved, event, state, policy)


def _decide(severity: Severity, track: Track, moved: Track, event: Observed, state: MonitorState, policy: Policies) -> Transition:
    cause = event.cause or Cause.PROBE_ERROR
    decisions: list[Decision] = []
    if track.phase is Phase.HEALTHY and moved.phase is not Phase.HEALTHY:
        moved = replace(moved, since=event.at)
        decisions.append(Suspected(severity, event.at, cause))
    if track.phase is Phase.SUSPECTED and moved.phase is Phase.HEALTHY:
        return replace(track, phase=Phase.HEALTHY, count=0), (Cleared(severity, event.at),)
    if track.is_open and not moved.is_open:
        return _rested(track), (Recovered(severity, track.incident, event.at, page=track.told),)
    if moved.is_open and not track.is_open:
        page = policy.notification.muted_until(event.at) is None
        remind_at = _remind_at(event.at, policy) if page else None
        incident = f"{state.monitor}-{state.ordinal + 1}"
        moved = replace(moved, incident=incident, count=0, told=page, acked=False, reminders=0, remind_at=remind_at)
        decisions.append(Opened(severity, incident, event.at, min(moved.since, event.at), cause, page))
    return moved, tuple(decisions)


def _turn(severity: Severity, track: Track, event: Acked | Resolved | Woke | Stepped, policy: Policies) -> Transition:
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


def _tell(severity: Severity, track: Track, at: int, policy: Policies) -> Transition:
    """Disclose what a maintenance window hid, or remind, if it is time and no window holds.

    Also while it seems to recover: should Vigie see nothing any more, nobody would ever hear of it.
    """
    if not track.is_open or policy.notification.muted_until(at) is not None:
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


def _remind_at(at: int, policy: Policies) -> int | None:
    return at + policy.notification.remind_ms if policy.notification.remind_ms else None


def _wake_at(track: Track, at: int, policy: Policies) -> int | None:
    if not track.is_open:
        return None
    wanted = track.remind_at if track.told else at
    if wanted is None:
        return None
    wanted = max(wanted, at)  # a reminder that a window overtook waits for that window's end
    return policy.notification.muted_until(wanted) or wanted
