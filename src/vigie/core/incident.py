"""State machine 1: the verdicts on a subject open and close its incidents. Who is notified of them is decided elsewhere (alert.py).

Laws
1. What opens or closes an incident is decided here, from values alone.
2. A subject has two tracks with the same table: on `outage` only `down` is bad, on `degradation` only `degraded` is bad;
   what a track cannot judge (`unknown`; on the degradation track also `down`) changes nothing on it.
3. An incident opens at the failure that makes `confirm` in a row, and closes at the good check that makes `recover` in a row.
4. It opens once and closes once: by recovery or by a person, never both.
5. A result that is not newer than what its location is known to have seen changes nothing (quorum.py has the laws of locations).
6. A monitor that cannot be checked is an incident of Vigie itself, by laws of its own (unchecked.py), whatever the tracks are.

The table below is the whole of law 3; docs/incident-states.md is drawn from it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from vigie.core import quorum, unchecked
from vigie.core.detection import DetectionPolicy, Severity
from vigie.core.events import Cleared, Closed, DetectionEvent, IncidentDecision, Observed, Opened, Recovered, Resolved, Suspected
from vigie.core.expiry import Known
from vigie.core.model import Cause, Status
from vigie.core.quorum import Verdict, View, Views
from vigie.core.unchecked import CHECKED, Unchecked


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
    """One severity of one subject. `count` counts towards the rule's threshold; instants are epoch ms."""

    phase: Phase = Phase.HEALTHY
    count: int = 0
    since: int = 0  # the first failed check of the suspicion or incident
    incident: str = ""  # stays after its end, so that the next one is seen to be another

    @property
    def is_open(self) -> bool:
        """Whether an incident is open on this track."""
        return self.phase in (Phase.OPEN, Phase.RECOVERING)


@dataclass(frozen=True, slots=True)
class DetectionState:
    """All that must be remembered of one monitor between two events. `status` and `cause` are the newest verdict, `at` its instant."""

    monitor: str
    ordinal: int = 0
    status: Status | None = None
    cause: Cause | None = None
    at: int | None = None
    outage: Track = Track()
    degradation: Track = Track()
    views: Views = ()
    unchecked: Unchecked = CHECKED
    expiries: Known = ()  # what was announced of what runs out: expiry.py

    @property
    def quick(self) -> bool:
        """Whether the quick pace is wanted: something is suspected, or seems to recover."""
        return self.outage.phase in _QUICK or self.degradation.phase in _QUICK

    @property
    def resting(self) -> bool:
        """Whether nothing is suspected, open, or about to run out."""
        healthy = self.outage.phase is Phase.HEALTHY and self.degradation.phase is Phase.HEALTHY
        return healthy and self.unchecked.since is None and not self.expiries


TrackStep = tuple[Track, tuple[IncidentDecision, ...]]
Step = tuple[DetectionState, tuple[IncidentDecision, ...]]


def step(state: DetectionState, event: DetectionEvent, policy: DetectionPolicy) -> Step:
    """What an event makes of a state, and what was decided. Total: every event is accepted in every state."""
    if isinstance(event, Observed):
        return _observe(state, event, policy)
    outage, first = _close(Severity.OUTAGE, state.outage, event)
    degradation, second = _close(Severity.DEGRADATION, state.degradation, event)
    checked, third = unchecked.step(state.unchecked, event, None, "", policy)
    return replace(state, outage=outage, degradation=degradation, unchecked=checked), (*first, *second, *third)


def is_new(state: DetectionState, event: Observed) -> bool:
    """Whether a result says something that is not known yet (law 5)."""
    return quorum.is_new(state.views, _view(event))


def _view(event: Observed) -> View:
    return View(event.location, event.run, event.sequence, event.at, event.status, event.cause)


def _observe(state: DetectionState, event: Observed, policy: DetectionPolicy) -> Step:
    view = _view(event)
    if not quorum.is_new(state.views, view):
        return state, ()
    views, verdict = quorum.merge(state.views, view, state.status, policy)
    if verdict is None:
        return replace(state, views=views), ()
    status, cause = verdict.status, verdict.cause
    if state.resting and status in (Status.UP, Status.UNKNOWN) and not event.obstacle:
        return DetectionState(state.monitor, state.ordinal, status, cause, event.at, state.outage, state.degradation, views), ()
    seen = replace(state, views=views, status=status, cause=cause, at=event.at)
    checked, decided = unchecked.step(state.unchecked, event, status, f"{state.monitor}-{state.ordinal + 1}", policy)
    opened = checked.incident != state.unchecked.incident and bool(checked.incident)
    seen = replace(seen, unchecked=checked, ordinal=state.ordinal + opened)
    seen, first = _judge(seen, Severity.OUTAGE, event.at, verdict, policy)
    seen, second = _judge(seen, Severity.DEGRADATION, event.at, verdict, policy)
    return seen, (*decided, *first, *second)


def _judge(state: DetectionState, severity: Severity, at: int, verdict: Verdict, policy: DetectionPolicy) -> Step:
    """What a verdict does to one track."""
    track = state.outage if severity is Severity.OUTAGE else state.degradation
    signal = _SIGNALS[severity].get(verdict.status)
    if signal is None:
        return state, ()
    moved, decisions = _decide(severity, track, _moved(track, signal, policy), at, verdict, state)
    ordinal = state.ordinal + (moved.incident != track.incident)
    if severity is Severity.OUTAGE:
        return replace(state, ordinal=ordinal, outage=moved), decisions
    return replace(state, ordinal=ordinal, degradation=moved), decisions


def _moved(track: Track, signal: Signal, policy: DetectionPolicy) -> Track:
    rule = TABLE[track.phase, signal]
    count = 0 if rule.counts is None else track.count + 1 if track.phase is rule.then else 1
    threshold = {Count.CONFIRM: policy.confirm, Count.RECOVER: policy.recover, None: 0}[rule.counts]
    phase = rule.full if rule.full is not None and count >= threshold else rule.then
    return replace(track, phase=phase, count=count)


def _decide(severity: Severity, track: Track, moved: Track, at: int, verdict: Verdict, state: DetectionState) -> TrackStep:
    cause = verdict.cause or Cause.PROBE_ERROR
    decisions: list[IncidentDecision] = []
    if track.phase is Phase.HEALTHY and moved.phase is not Phase.HEALTHY:
        moved = replace(moved, since=at)
        decisions.append(Suspected(severity, at, cause))
    if track.phase is Phase.SUSPECTED and moved.phase is Phase.HEALTHY:
        return replace(track, phase=Phase.HEALTHY, count=0), (Cleared(severity, at),)
    if track.is_open and not moved.is_open:
        return Track(incident=track.incident), (Recovered(severity, track.incident, at),)
    if moved.is_open and not track.is_open:
        incident = f"{state.monitor}-{state.ordinal + 1}"
        moved = replace(moved, incident=incident, count=0)
        decisions.append(Opened(severity, incident, at, min(moved.since, at), cause))
    return moved, tuple(decisions)


def _close(severity: Severity, track: Track, event: Resolved) -> TrackStep:
    """A person closes what is open on one track."""
    if not track.is_open:
        return track, ()
    return Track(incident=track.incident), (Closed(severity, track.incident, event.at, event.by, event.note),)
