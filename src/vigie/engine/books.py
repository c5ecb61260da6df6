"""What holds between two events, and the draft of what a commit is about to make of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vigie.core.alert import AlertState
from vigie.core.correlation import Tie
from vigie.core.detection import Severity
from vigie.core.events import AlertEvent, Opened
from vigie.core.expiry import Known
from vigie.core.incident import DetectionState
from vigie.core.model import CheckResult, Incident, Monitor
from vigie.core.notification import Circumstances, NotificationPolicy
from vigie.engine.audience import Audience
from vigie.engine.neighbours import Neighbours
from vigie.observation.locations import later, views_of
from vigie.planning.plan import joint
from vigie.ports import TimelineEntry

CircumstancesAt = Callable[[Monitor, int], Circumstances]  # what the calendar says about a monitor at an instant


@dataclass(slots=True)
class Books:
    """What holds between two events: a state for each monitor, the open alerts and the open incidents by id.

    `by_tie` are the open alerts that a failure with this tie may be of, the newest last; `audiences` who is in charge of them. `settle`
    brings a state up to date before it is looked at, where results are noted elsewhere (steady.py).
    """

    states: dict[str, DetectionState] = field(default_factory=dict)
    alerts: dict[str, AlertState] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    neighbours: Neighbours = field(default_factory=Neighbours)
    audiences: dict[str, Audience] = field(default_factory=dict)
    by_tie: dict[Tie, tuple[str, ...]] = field(default_factory=dict)
    settle: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        """Index what was loaded."""
        for one in self.alerts.values():
            self._index(one.id, (), one.ties)

    def state(self, monitor: str) -> DetectionState:
        """The state of a monitor; a new one's when it was never seen."""
        if self.settle is not None:
            self.settle(monitor)
        return self.states.get(monitor) or DetectionState(monitor)

    def see(self, everywhere: Mapping[str, Sequence[CheckResult]]) -> None:
        """What several locations saw last, as a start finds it: the first that is heard must not be the whole vote.

        A monitor that rests has no row of what it heard, or an old one; the views of any other are those that its last verdict was made of.
        """
        for monitor, results in everywhere.items():
            state = self.state(monitor)
            known = {one.location: one for one in state.views}
            found = {one.location: one for one in views_of(results)}
            if state.resting:
                known = {name: later(one, found.get(name, one)) for name, one in known.items()}
            views = (*known.values(), *(one for name, one in found.items() if name not in known))
            self.states[monitor] = replace(state, views=tuple([replace(one, remembered=True) for one in views]))

    def not_after(self, now: int) -> None:
        """The clock was set back, or is behind that of whoever wrote what was loaded: no state waits for that time to come again."""
        for monitor in list(self.states):
            state = self.state(monitor)
            if (kept := not_after(state, now)) is not state:
                self.states[monitor] = kept

    def adopt(self, draft: "Draft") -> None:
        """Make a draft true, once it is on the disk."""
        self.states.update(draft.states)
        self.incidents.update(draft.incidents)
        self.audiences.update(draft.audiences)
        for one in draft.alerts.values():
            before = self.alerts.pop(one.id, None)
            self._index(one.id, before.ties if before is not None else (), one.ties if one.is_open else ())
            if one.is_open:
                self.alerts[one.id] = one
            else:
                self.audiences.pop(one.id, None)
        for closed in [one for one in draft.incidents.values() if one.closed_at is not None]:
            del self.incidents[closed.id]

    def _index(self, alert: str, before: Iterable[Tie], after: Iterable[Tie]) -> None:
        if before is after:
            return
        for tie in before:
            left = tuple(one for one in self.by_tie.get(tie, ()) if one != alert)
            if left:
                self.by_tie[tie] = left
            else:
                self.by_tie.pop(tie, None)
        for tie in after:
            self.by_tie[tie] = (*self.by_tie.get(tie, ()), alert)


class Draft:
    """What a commit is about to change, on top of the books. `anew`: the policies of `monitors` are not those of the books."""

    def __init__(self, books: Books, monitors: Mapping[str, Monitor], circumstances_at: CircumstancesAt, *, anew: bool = False) -> None:
        self._books, self.monitors, self.circumstances_at, self._anew = books, monitors, circumstances_at, anew
        self.states: dict[str, DetectionState] = {}
        self.alerts: dict[str, AlertState] = {}
        self.incidents: dict[str, Incident] = {}
        self.timeline: list[TimelineEntry] = []
        self.audiences: dict[str, Audience] = {}
        self._by_tie: dict[Tie, list[str]] = {}
        self._held: dict[str, Circumstances] = {}

    @property
    def neighbours(self) -> Neighbours:
        """Who else looks where."""
        return self._books.neighbours

    def state(self, monitor: str) -> DetectionState:
        """The state of a monitor as it will be."""
        return self.states.get(monitor) or self._books.state(monitor)

    def incident(self, identity: str) -> Incident | None:
        """An incident as it will be."""
        return self.incidents.get(identity) or self._books.incidents.get(identity)

    def alert(self, identity: str) -> AlertState | None:
        """An alert as it will be."""
        return self.alerts.get(identity) or self._books.alerts.get(identity)

    def put(self, alert: AlertState) -> None:
        """An alert as it will be from now on, found by its ties."""
        before = self.alert(alert.id)
        self.alerts[alert.id] = alert
        if before is None or before.ties is not alert.ties:
            for tie in alert.ties:
                self._by_tie.setdefault(tie, []).append(alert.id)

    def keep_locations(self, monitor: Monitor) -> None:
        """Forget what those saw that check it no longer."""
        state = self.state(monitor.id)
        if monitor.locations and any(one.location not in monitor.locations for one in state.views):
            views = tuple(one for one in state.views if one.location in monitor.locations)
            held = tuple(one for one in state.held if one.location in monitor.locations)
            self.states[monitor.id] = replace(state, views=views, held=held)

    def alerts_of(self, state: DetectionState) -> list[AlertState]:
        """The open alerts that a monitor in this state has a member of."""
        names = [track.incident for track in (state.outage, state.degradation) if track.is_open]
        incidents = [self.incident(name) for name in (*names, state.unchecked.incident) if name]
        found = {one.alert: self.alert(one.alert) for one in incidents if one is not None}
        return [one for one in found.values() if one is not None and one.is_open]

    def tied(self, tie: Tie) -> Iterator[AlertState]:
        """The open alerts with this tie, the newest first."""
        for name in dict.fromkeys((*reversed(self._by_tie.get(tie, ())), *reversed(self._books.by_tie.get(tie, ())))):
            found = self.alert(name)
            if found is not None and found.is_open:
                yield found

    def expiries(self, *, but: str) -> list[Known]:
        """What is known of what runs out, by all monitors but one."""
        states = {**self._books.states, **self.states}.values()
        return [one.expiries for one in states if one.expiries and one.monitor != but and one.monitor in self.monitors]

    def policy(self, known: AlertState, event: AlertEvent, of: Monitor) -> NotificationPolicy:
        """Who is notified of an alert: whoever is of any of its members; what runs out is announced by steps instead."""
        first = self.incident(known.id)
        if first is not None and first.cause.expires and first.severity is Severity.DEGRADATION:
            return replace(of.notification, remind_ms=0, degraded_to=(), escalate=())
        audience = self._audience(known)
        if isinstance(event, Opened):
            audience = audience.with_one(of.notification, event.severity, of.id)
        self.audiences[known.id] = audience
        return audience.policy

    def _audience(self, known: AlertState) -> Audience:
        found = self.audiences.get(known.id) or (None if self._anew else self._books.audiences.get(known.id))
        if found is not None:
            return found
        found = Audience(known.subject)
        for one in known.members:
            if (monitor := self.monitors.get(one.monitor)) is not None:
                found = found.with_one(monitor.notification, one.severity, monitor.id)
        return found

    def circumstances(self, known: AlertState, of: Monitor, at: int) -> Circumstances:
        """What the calendar says about an alert: it withholds only what it withholds for each of its open members."""
        own = self.circumstances_at(of, at)
        if len(known.members) <= 1 and all(one.monitor == of.id for one in known.members):
            return own
        held = self._held.get(known.id)
        if held is None or _is_over(held.muted_until, at) or _is_over(held.quiet_until, at):
            held = self._held[known.id] = self._of_members(known, own, at)
        return joint([own, held])

    def _of_members(self, known: AlertState, own: Circumstances, at: int) -> Circumstances:
        """For its open members; of a storm without maintenance the first one settles it."""
        found = own
        for one in known.members:
            if found.muted_until is None and found.quiet_until is None:
                break
            if one.open and (monitor := self.monitors.get(one.monitor)) is not None:
                found = joint([found, self.circumstances_at(monitor, at)])
        # A name in a policy means the same whichever of its monitors is asked.
        known_to = [self.monitors.get(one) for one in dict.fromkeys(self._audience(known).parties.values())]
        reached = [self.circumstances_at(one, at).reached_by for one in known_to if one is not None]
        return replace(found, reached_by={name: to for names in (*reached, own.reached_by) for name, to in names.items()})


def _is_over(end: int | None, at: int) -> bool:
    return end is not None and end <= at


def not_after(state: DetectionState, now: int) -> DetectionState:
    """Nothing waits for a time to come again after the clock was set back: what is later than `now`, epoch ms, was now."""
    tracks = (state.outage, state.degradation)
    instants = [state.at or 0, *(one.at for one in state.views), *(one.heard for one in state.held)]
    if max([*instants, *(max(one.since, one.turned) for one in tracks)]) <= now:
        return state
    outage, degradation = (
        # an end that seems to lie ahead is forgotten: taken for one of now, it would make the next incident flapping
        replace(one, since=min(one.since, now), turned=min(one.turned, now), past=tuple(at for at in one.past if at <= now))
        for one in tracks
    )
    since = state.unchecked.since
    return replace(
        state,
        at=None if state.at is None else min(state.at, now),
        outage=outage,
        degradation=degradation,
        views=tuple(replace(one, at=min(one.at, now), since=min(one.since, now), unbroken=min(one.unbroken, now)) for one in state.views),
        unchecked=replace(state.unchecked, since=None if since is None else min(since, now)),
        held=tuple(replace(one, at=min(one.at, now), heard=min(one.heard, now), first=min(one.first, now)) for one in state.held),
    )
