"""State machine 1: the verdicts on a subject open and close its incidents. Who is notified of them is decided elsewhere (alert.py).

Laws
1. What opens or closes an incident is decided here, from values alone.
2. A subject has two tracks with the same table: on `outage` only `down` is bad, on `degradation` only `degraded` is bad;
   what a track cannot judge (`unknown`; on the degradation track also `down`) changes nothing on it.
3. An incident opens at the failure that makes `confirm` in a row over at least `confirm_ms`, and closes at the good check that makes
   `recover` in a row over at least `recover_ms`. Failures between good checks open one too, and then it closes later: intermittent.py.
4. It opens once and closes once: by recovery or by a person, never both. While a service flaps, its incident stays open.
5. A result that is not newer than what its location is known to have seen changes nothing (quorum.py has the laws of locations).
6. A monitor that cannot be checked is an incident of Vigie itself, by laws of its own (unchecked.py), whatever the tracks are.
7. Where several locations judge, an outage has its head and its tail, in which some see it and others not yet or no longer. Neither is a
   degradation: what was suspected when a quorum saw the outage is dropped, and what is left of it is counted from its end on.

The table below is the whole of law 3; docs/incident-states.md is drawn from it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from vigie.core import intermittent, quorum, unchecked, watermark
from vigie.core.detection import DetectionPolicy, Pattern, Severity
from vigie.core.events import Cleared, Closed, DetectionEvent, IncidentDecision, Observed, Opened, Recovered, Resolved, Steadied, Suspected
from vigie.core.expiry import Known
from vigie.core.model import Cause, Status
from vigie.core.quorum import Verdict, View, Views
from vigie.core.unchecked import CHECKED, Unchecked
from vigie.core.watermark import Held


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


_FAILED = (Phase.SUSPECTED, Phase.OPEN)  # the newest verdict was bad


@dataclass(frozen=True, slots=True)
class Track:
    """One severity of one subject. `count` counts towards the rule's threshold; instants are epoch ms."""

    phase: Phase = Phase.HEALTHY
    count: int = 0
    since: int = 0  # the first failed check of the suspicion or incident
    incident: str = ""  # stays after its end, so that the next one is seen to be another
    turned: int = 0  # when it last went from good to bad or back
    history: int = 0  # what the last verdicts were: intermittent.py
    pattern: Pattern = Pattern.STEADY  # of the open incident
    past: tuple[int, ...] = ()  # when those before it began that recovered by themselves

    @property
    def is_open(self) -> bool:
        """Whether an incident is open on this track."""
        return self.phase in (Phase.OPEN, Phase.RECOVERING)

    @property
    def quick(self) -> bool:
        """Whether it wants the quick pace. Trouble that comes and goes is not over because a few quick checks are good."""
        return self.phase is Phase.SUSPECTED or (self.phase is Phase.RECOVERING and self.pattern is Pattern.STEADY)

    @property
    def resting(self) -> bool:
        """Whether nothing is suspected, open, or remembered of its last checks."""
        return self.phase is Phase.HEALTHY and not self.history


@dataclass(frozen=True, slots=True)
class DetectionState:
    """All that must be remembered of one monitor between two events. `status` and `cause` are the newest verdict, `at` its instant.

    `held` are results that wait for those of other locations: watermark.py.
    """

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
    held: Held = ()

    @property
    def quick(self) -> bool:
        """Whether the quick pace is wanted: something is suspected, seems to recover, or is said by one location and by no other yet."""
        return self.outage.quick or self.degradation.quick or bool(self.held)

    @property
    def resting(self) -> bool:
        """Whether nothing is suspected, open, or about to run out."""
        return self.outage.resting and self.degradation.resting and self.unchecked.since is None and not self.expiries and not self.held


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
    held = any(one.location == event.location and (one.run, one.sequence) >= (event.run, event.sequence) for one in state.held)
    return not (held and (event.run or event.sequence)) and quorum.is_new(state.views, _view(event))


def is_settled(state: DetectionState) -> bool:
    """Whether one more result that is `up` and nothing else, of a location that was heard, decides nothing and leaves it settled.

    It changes when a location was last heard, and nothing more.
    """
    return state.resting and state.status is Status.UP and state.cause is None and quorum.are_settled(state.views)


def _view(event: Observed) -> View:
    return View(event.location, event.run, event.sequence, event.at, event.status, event.cause, unbroken=event.first)


def _observe(state: DetectionState, event: Observed, policy: DetectionPolicy) -> Step:
    if not is_new(state, event):
        return state, ()
    if not watermark.concerns(state.views, state.held, event, policy):
        return _conclude(state, event, policy, None)
    if event.status is Status.UP and event.cause is None and is_settled(state):
        return _conclude(state, event, policy, frozenset())
    place, held = watermark.queued(state.held, event)
    decided = list[IncidentDecision]()
    state = replace(state, held=())
    while held:
        since = min((one.turned for one in (state.outage, state.degradation) if one.quick), default=None)
        turn = watermark.next_turn(state.views, held, place, event.heard, policy, state.status, since)
        if turn is None:
            break
        for one in held[: turn.index]:
            state = replace(state, views=quorum.heard(state.views, _view(one), policy))
        first, held, place = held[turn.index], held[turn.index + 1 :], max(place - turn.index - 1, 0)
        state = replace(state, views=watermark.marked(state.views, turn.unresponsive))
        if watermark.is_history(state.views, first, policy):
            state = replace(state, views=quorum.heard(state.views, _view(first), policy))
            continue
        state, decisions = _conclude(state, first, policy, turn.mute)
        decided += decisions
    return replace(state, held=held) if held else state, tuple(decided)


def _conclude(state: DetectionState, event: Observed, policy: DetectionPolicy, mute: frozenset[str] | None) -> Step:
    """What a result comes to whose turn it is; `mute` as for `quorum.judge`."""
    known = state.views
    if len(known) > 1 and is_settled(state):  # no round is under way that would ever count
        known = tuple(one if one.counted else replace(one, counted=True) for one in known)
    views, verdict = quorum.merge(known, _view(event), state.status, policy, mute)
    if verdict is None:
        return replace(state, views=views), ()
    status, cause, at = verdict.status, verdict.cause, event.at
    if verdict.since is not None and status is not state.status:
        at = max(at, verdict.since)
    if state.resting and status in (Status.UP, Status.UNKNOWN) and not event.obstacle:
        return DetectionState(state.monitor, state.ordinal, status, cause, event.at, state.outage, state.degradation, views), ()
    seen = replace(state, views=views, status=status, cause=cause, at=event.at)
    checked, decided = unchecked.step(state.unchecked, event, status, f"{state.monitor}-{state.ordinal + 1}", policy)
    opened = checked.incident != state.unchecked.incident and bool(checked.incident)
    seen = replace(seen, unchecked=checked, ordinal=state.ordinal + opened)
    after, first = _judge(seen, Severity.OUTAGE, at, verdict, policy)
    if len(views) > 1 and (seen.outage.is_open or status is Status.DOWN) and not seen.degradation.is_open:
        return replace(after, degradation=_put_off(after.degradation)), (*decided, *first)
    after, second = _judge(after, Severity.DEGRADATION, at, verdict, policy)
    return after, (*decided, *first, *second)


def _put_off(track: Track) -> Track:
    """Law 7: as if nothing had been suspected."""
    if track.phase is not Phase.SUSPECTED:
        return track
    return replace(track, phase=Phase.HEALTHY, count=0, history=track.history >> track.count)


def _judge(state: DetectionState, severity: Severity, at: int, verdict: Verdict, policy: DetectionPolicy) -> Step:
    """What a verdict does to one track."""
    track = state.outage if severity is Severity.OUTAGE else state.degradation
    signal = _SIGNALS[severity].get(verdict.status)
    if signal is None:
        return state, ()
    moved, decisions = _decide(severity, track, _moved(track, signal, at, policy), at, verdict, state)
    ordinal = state.ordinal + (moved.incident != track.incident)
    if severity is Severity.OUTAGE:
        return replace(state, ordinal=ordinal, outage=moved), decisions
    return replace(state, ordinal=ordinal, degradation=moved), decisions


def _moved(track: Track, signal: Signal, at: int, policy: DetectionPolicy) -> Track:
    """The track after a verdict, with the pattern of its incident where one is open."""
    rule, bad = TABLE[track.phase, signal], signal is Signal.BAD
    count = 0 if rule.counts is None else track.count + 1 if track.phase is rule.then else 1
    turned = track.turned if (track.phase in _FAILED) is bad else at
    since = at if track.phase is Phase.HEALTHY and bad else track.since
    moved = replace(track, count=count, since=since, turned=turned, history=intermittent.remembered(track.history, policy, bad=bad))
    pattern = _confirmed(moved, at, policy) if rule.counts is Count.CONFIRM else None
    full = pattern is not None or (rule.counts is Count.RECOVER and _has_recovered(moved, at, policy))
    return replace(moved, phase=rule.full if full and rule.full is not None else rule.then, pattern=pattern or track.pattern)


def _confirmed(moved: Track, at: int, policy: DetectionPolicy) -> Pattern | None:
    """The pattern of the incident that opens now, if one does."""
    if moved.count >= policy.confirm and max(at - moved.turned, 0) >= policy.confirm_ms:
        found = Pattern.STEADY
    elif (found := intermittent.pattern(moved.history, policy)) is Pattern.STEADY:
        return None
    return Pattern.FLAPPING if intermittent.reopens(moved.past, moved.since, policy) else found


def _has_recovered(moved: Track, at: int, policy: DetectionPolicy) -> bool:
    """Whether the incident closes now."""
    lasted = max(at - moved.turned, 0)  # clocks step
    enough = moved.count >= policy.recover and lasted >= policy.recover_ms
    return enough and intermittent.may_close(moved.pattern, moved.history, moved.count, lasted, policy)


def _decide(severity: Severity, track: Track, moved: Track, at: int, verdict: Verdict, state: DetectionState) -> TrackStep:
    cause = verdict.cause or Cause.PROBE_ERROR
    views = state.views if len(state.views) > 1 else ()
    decisions: list[IncidentDecision] = []
    if track.phase is Phase.HEALTHY and moved.phase is not Phase.HEALTHY:
        decisions.append(Suspected(severity, at, cause))
    if track.phase is Phase.SUSPECTED and moved.phase is Phase.HEALTHY:
        return replace(moved, count=0), (Cleared(severity, at),)
    if track.is_open and not moved.is_open:
        past = () if track.pattern is Pattern.FLAPPING else (*track.past, track.since)[1 - intermittent.INCIDENTS :]
        return Track(incident=track.incident, past=past), (Recovered(severity, track.incident, at, views=views),)
    if moved.is_open and not track.is_open:
        incident = f"{state.monitor}-{state.ordinal + 1}"
        failed = intermittent.failures(moved.history) if moved.pattern is not Pattern.STEADY else moved.count
        moved = replace(moved, incident=incident, count=0)
        began = min(moved.since, at)
        decisions.append(Opened(severity, incident, at, began, cause, failures=failed, pattern=moved.pattern, views=views))
    elif moved.pattern is Pattern.FLAPPING and moved.phase is Phase.OPEN and intermittent.is_steady(moved.history, at - moved.turned):
        moved = replace(moved, pattern=Pattern.STEADY)
        decisions.append(Steadied(severity, moved.incident, at))
    return moved, tuple(decisions)


def _close(severity: Severity, track: Track, event: Resolved) -> TrackStep:
    """A person closes what is open on one track."""
    if not track.is_open:
        return track, ()
    return Track(incident=track.incident), (Closed(severity, track.incident, event.at, event.by, event.note),)
