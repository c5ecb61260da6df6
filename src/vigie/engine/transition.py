"""What one event does to one monitor: both state machines in turn, on a draft of everything that is known, which a commit makes true."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vigie.core import alert, expiry, incident
from vigie.core.alert import AlertState
from vigie.core.detection import Severity
from vigie.core.events import (
    Acked,
    AckRecorded,
    AlertEvent,
    Closed,
    Decision,
    Disclosed,
    Escalated,
    Joined,
    Observed,
    Opened,
    Recovered,
    Reminded,
    Resolved,
    Snoozed,
    SnoozeEnded,
    SnoozeRecorded,
    Stepped,
    Suspected,
    Withheld,
    Woke,
)
from vigie.core.incident import DetectionState
from vigie.core.model import CheckResult, Expiry, Incident, Monitor
from vigie.core.notification import Circumstances, Notice, NoticeReason, NotificationPolicy, joint
from vigie.core.subject import SubjectKind
from vigie.core.unchecked import alike
from vigie.ports import TimelineEntry

CircumstancesAt = Callable[[Monitor, int], Circumstances]  # what the calendar says about a monitor at an instant
# Decisions about alerts that belong into the timeline of each member.
ON_RECORD = (Withheld, Joined, Disclosed, Reminded, Escalated, AckRecorded, SnoozeRecorded, SnoozeEnded)


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

    @property
    def matters(self) -> bool:
        """Whether its state needs a row. A resting one does not: its counters are nought and its views are overtaken by the next run's."""
        return bool(self.decisions) or bool(self.notices) or not (self.before.resting and self.after.resting)

    @property
    def is_worth_keeping(self) -> bool:
        """Whether its result is kept whole: at each change of verdict, or of what keeps Vigie from one, and on suspicion."""
        before, after = self.before, self.after
        if (before.status, before.cause) != (after.status, after.cause) or not alike(before.unchecked.reason, after.unchecked.reason):
            return True
        return any(isinstance(one, Opened | Suspected) for one in self.decisions)


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

    def __init__(self, books: Books, monitors: Mapping[str, Monitor], circumstances_at: CircumstancesAt) -> None:
        self._books, self.monitors, self.circumstances_at = books, monitors, circumstances_at
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
        names = [track.incident for track in (state.outage, state.degradation) if track.is_open]
        incidents = [self.incident(name) for name in (*names, state.unchecked.incident) if name]
        found = {one.alert: self.alert(one.alert) for one in incidents if one is not None}
        return [one for one in found.values() if one is not None and one.is_open]

    def obstructed(self, reason: str) -> AlertState | None:
        """The open alert about monitors that cannot be checked for this reason."""
        for one in {**self._books.alerts, **self.alerts}.values():
            if one.subject is SubjectKind.VIGIE and one.is_open:
                reasons = (self.state(member.monitor).unchecked.reason for member in one.members if member.open)
                if any(alike(reason, other) for other in reasons):
                    return one
        return None

    def expiries(self, *, but: str) -> list[expiry.Known]:
        """What is known of what runs out, by all monitors but one."""
        states = {**self._books.states, **self.states}.values()
        return [one.expiries for one in states if one.expiries and one.monitor != but and one.monitor in self.monitors]

    def policy(self, known: AlertState, event: AlertEvent, of: Monitor) -> NotificationPolicy:
        """Who is notified of an alert: of an obstacle, whoever is of any of its monitors; what runs out is announced by steps instead."""
        own = of.notification
        if known.subject is SubjectKind.VIGIE:
            return _joint([one.notification for one in self._concerned(known, of)])
        names = [one.incident for one in known.members] + ([event.incident] if isinstance(event, Opened) else [])
        rows = [self.incident(name) for name in names]
        if rows and all(row is not None and row.cause.expires and row.severity is Severity.DEGRADATION for row in rows):
            return replace(own, remind_ms=0, degraded_to=(), escalate=())
        return own

    def circumstances(self, known: AlertState, of: Monitor, at: int) -> Circumstances:
        """What the calendar says about an alert: of an obstacle, what it says about all of its monitors."""
        return joint(self.circumstances_at(one, at) for one in self._concerned(known, of))

    def _concerned(self, known: AlertState, of: Monitor) -> list[Monitor]:
        """The monitors whose policies an alert follows."""
        if known.subject is SubjectKind.MONITOR:
            return [of]
        members = dict.fromkeys((*(one.monitor for one in known.members), of.id))
        return [found for one in members if (found := of if one == of.id else self.monitors.get(one))]


class Move:
    """One event on its way through both machines. `end` gives the transition."""

    def __init__(self, draft: Draft, monitor: Monitor) -> None:
        self._draft, self._monitor = draft, monitor
        self._before = self._after = draft.state(monitor.id)
        self._decisions: list[Decision] = []
        self._notices: list[Notice] = []

    def observe(self, event: Observed, expiries: Sequence[Expiry] = ()) -> None:
        """A result: incidents first, then the alerts that they open or end, then those that go on; and what it saw running out."""
        self._detect(event)
        self._expire(expiries, event.at)
        if self._before.resting or self._after is self._before:
            return
        for known in self._draft.alerts_of(self._before):
            if known.is_open:
                self._apply(known, Woke(event.at))

    def resolve(self, event: Resolved) -> None:
        """A person closes what is open."""
        self._detect(event)

    def notify(self, event: Acked | Snoozed | Woke | Stepped, alerts: Iterable[AlertState]) -> None:
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

    def _expire(self, seen: Sequence[Expiry], at: int) -> None:
        """What runs out, and whom that is announced to."""
        policy = self._monitor.notification
        muted = self._draft.circumstances_at(self._monitor, at).muted_until is not None
        known, due = expiry.step(self._after.expiries, seen, at, policy.expiry_steps_ms, muted=muted)
        if known is self._after.expiries or known == self._after.expiries:
            return
        self._after = replace(self._after, expiries=known)
        self._draft.states[self._monitor.id] = self._after
        for one in due:
            if one.renewed and expiry.is_elsewhere(one.warned, self._draft.expiries(but=self._monitor.id)):
                continue
            reason = NoticeReason.RENEWED if one.renewed else NoticeReason.EXPIRING
            thread = one.warned.thread
            self._notices += [Notice(thread, self._monitor.id, to, reason, at, one.number) for to in policy.expiry_to]

    def _book(self, decision: Opened | Recovered | Closed) -> None:
        """The incident's row, and the alert that it is a member of: one of its own as long as nothing else groups it."""
        if isinstance(decision, Opened):
            of = decision.incident
            thread = self._thread(decision)
            opened = Incident(
                of, self._monitor.id, decision.severity, decision.cause, decision.started_at, decision.at,
                subject=decision.subject, alert=thread.id,
            )  # fmt: skip
            self._draft.incidents[opened.id] = opened
            self._apply(thread, decision)
        elif (known := self._draft.incident(decision.incident)) is not None:
            self._draft.incidents[known.id] = _after(known, decision)
            if (concerned := self._draft.alert(known.alert)) is not None:
                self._apply(concerned, decision)

    def _thread(self, decision: Opened) -> AlertState:
        """The alert that an incident becomes a member of."""
        of, vigie = decision.incident, decision.subject is SubjectKind.VIGIE
        known = (vigie and self._draft.obstructed(self._after.unchecked.reason)) or self._draft.alert(of)
        return known or AlertState(of, decision.severity, self._monitor.id, decision.subject)

    def _apply(self, known: AlertState, event: AlertEvent) -> None:
        policy = self._draft.policy(known, event, self._monitor)
        circumstances = self._draft.circumstances(known, self._monitor, event.at)
        after, decisions = alert.step(known, event, policy, self._monitor.id, circumstances)
        if after is known:
            return
        self._draft.alerts[after.id] = after
        for decision in decisions:
            self._decisions.append(decision)
            self._notices += alert.notices(decision, after)
            for member in after.members:
                if isinstance(decision, ON_RECORD):
                    self._draft.timeline.append(TimelineEntry(member.incident, decision.at, decision))
                if isinstance(decision, AckRecorded) and (row := self._draft.incident(member.incident)) is not None:
                    self._draft.incidents[row.id] = replace(row, acked_by=decision.by)


def one_off(monitor: Monitor, at: int) -> Circumstances:
    """The calendar of the maintenance windows in the policy itself."""
    return Circumstances(monitor.notification.muted_until(at))


def _joint(policies: Sequence[NotificationPolicy]) -> NotificationPolicy:
    """Whoever is notified by any of these, reminded at the shortest interval."""
    remind = min((one.remind_ms for one in policies if one.remind_ms), default=0)
    to, fallback = (tuple(dict.fromkeys(name for one in policies for name in names(one))) for names in (_to, _fallback))
    return NotificationPolicy(remind, to, to, fallback)


def _to(policy: NotificationPolicy) -> tuple[str, ...]:
    return policy.to


def _fallback(policy: NotificationPolicy) -> tuple[str, ...]:
    return policy.fallback


def _after(known: Incident, decision: Recovered | Closed) -> Incident:
    closed = replace(known, closed_at=decision.at)
    return replace(closed, closed_by=decision.by, note=decision.note or None) if isinstance(decision, Closed) else closed
