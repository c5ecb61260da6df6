"""What one event does to one monitor: both state machines in turn, on a draft of everything that is known, which a commit makes true."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from vigie.core import alert, incident
from vigie.core.alert import AlertState
from vigie.core.events import (
    Acked,
    AckRecorded,
    AlertEvent,
    Closed,
    Decision,
    Disclosed,
    Joined,
    Observed,
    Opened,
    Recovered,
    Reminded,
    Resolved,
    Stepped,
    Withheld,
    Woke,
)
from vigie.core.incident import DetectionState
from vigie.core.model import CheckResult, Incident, Monitor
from vigie.core.notification import Notice
from vigie.ports import TimelineEntry

ON_RECORD = (Withheld, Joined, Disclosed, Reminded, AckRecorded)  # decisions about alerts that belong into the timeline of each member


@dataclass(frozen=True, slots=True)
class Transition:
    """What one event did to one monitor; handed to listeners after the commit."""

    monitor: Monitor
    before: DetectionState
    after: DetectionState
    decisions: tuple[Decision, ...]
    result: CheckResult | None
    notices: tuple[Notice, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there is anything to be written."""
        return bool(self.decisions) or self.after is not self.before


@dataclass(slots=True)
class Books:
    """What holds between two events: a state for each monitor, the open alerts and the open incidents by id."""

    states: dict[str, DetectionState] = field(default_factory=dict)
    alerts: dict[str, AlertState] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)

    def state(self, monitor: str) -> DetectionState:
        """The state of a monitor; a new one's when it was never seen."""
        return self.states.get(monitor) or DetectionState(monitor)

    def adopt(self, draft: "Draft") -> None:
        """Make a draft true, once it is on the disk."""
        self.states.update(draft.states)
        self.alerts.update(draft.alerts)
        self.incidents.update(draft.incidents)
        for one in draft.alerts.values():
            if not one.is_open:
                del self.alerts[one.id]
        for closed in [one for one in draft.incidents.values() if one.closed_at is not None]:
            del self.incidents[closed.id]


class Draft:
    """What a commit is about to change, on top of the books."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self.states: dict[str, DetectionState] = {}
        self.alerts: dict[str, AlertState] = {}
        self.incidents: dict[str, Incident] = {}
        self.timeline: list[TimelineEntry] = []

    def state(self, monitor: str) -> DetectionState:
        """The state of a monitor as it will be."""
        return self.states.get(monitor) or self._books.state(monitor)

    def incident(self, identity: str) -> Incident | None:
        """An incident as it will be."""
        return self.incidents.get(identity) or self._books.incidents.get(identity)

    def alert(self, identity: str) -> AlertState | None:
        """An alert as it will be."""
        return self.alerts.get(identity) or self._books.alerts.get(identity)

    def alerts_of(self, state: DetectionState) -> list[AlertState]:
        """The open alerts that a monitor in this state has a member of."""
        incidents = [self.incident(track.incident) for track in (state.outage, state.degradation) if track.is_open]
        found = {one.alert: self.alert(one.alert) for one in incidents if one is not None}
        return [one for one in found.values() if one is not None and one.is_open]


class Move:
    """One event on its way through both machines. `end` gives the transition."""

    def __init__(self, draft: Draft, monitor: Monitor) -> None:
        self._draft, self._monitor = draft, monitor
        self._before = self._after = draft.state(monitor.id)
        self._decisions: list[Decision] = []
        self._notices: list[Notice] = []

    def observe(self, event: Observed) -> None:
        """A result: incidents first, then the alerts that they open or end, then those that go on."""
        self._detect(event)
        if self._before.resting or self._after is self._before:
            return
        for known in self._draft.alerts_of(self._before):
            if known.is_open:
                self._apply(known, Woke(event.at))

    def resolve(self, event: Resolved) -> None:
        """A person closes what is open."""
        self._detect(event)

    def notify(self, event: Acked | Woke | Stepped, alerts: Iterable[AlertState]) -> None:
        """What concerns alerts alone."""
        for known in alerts:
            self._apply(known, event)

    def end(self, result: CheckResult | None = None) -> Transition:
        """What came of it."""
        return Transition(self._monitor, self._before, self._after, tuple(self._decisions), result, tuple(self._notices))

    def _detect(self, event: Observed | Resolved) -> None:
        self._after, decisions = incident.step(self._before, event, self._monitor.detection)
        if self._after is not self._before:
            self._draft.states[self._monitor.id] = self._after
        for decision in decisions:
            self._decisions.append(decision)
            if isinstance(decision, Opened | Recovered | Closed):
                self._draft.timeline.append(TimelineEntry(decision.incident, decision.at, decision))
                self._book(decision)

    def _book(self, decision: Opened | Recovered | Closed) -> None:
        """The incident's row, and the alert that it is a member of: one of its own as long as nothing else groups it."""
        if isinstance(decision, Opened):
            of = decision.incident
            opened = Incident(
                of, self._monitor.id, decision.severity, decision.cause, decision.started_at, decision.at, alert=of
            )  # fmt: skip
            self._draft.incidents[opened.id] = opened
            self._apply(self._draft.alert(of) or AlertState(of, decision.severity, self._monitor.id), decision)
        elif (known := self._draft.incident(decision.incident)) is not None:
            self._draft.incidents[known.id] = _after(known, decision)
            if (thread := self._draft.alert(known.alert)) is not None:
                self._apply(thread, decision)

    def _apply(self, known: AlertState, event: AlertEvent) -> None:
        after, decisions = alert.step(known, event, self._monitor.notification, self._monitor.id)
        if after is known:
            return
        self._draft.alerts[after.id] = after
        for decision in decisions:
            self._decisions.append(decision)
            self._notices += alert.notices(decision, after, self._monitor.notification)
            for member in after.members:
                if isinstance(decision, ON_RECORD):
                    self._draft.timeline.append(TimelineEntry(member.incident, decision.at, decision))
                if isinstance(decision, AckRecorded) and (row := self._draft.incident(member.incident)) is not None:
                    self._draft.incidents[row.id] = replace(row, acked_by=decision.by)


def _after(known: Incident, decision: Recovered | Closed) -> Incident:
    closed = replace(known, closed_at=decision.at)
    return replace(closed, closed_by=decision.by, note=decision.note or None) if isinstance(decision, Closed) else closed
