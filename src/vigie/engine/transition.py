"""What one event does to one monitor: both state machines in turn, on a draft of everything that is known, which a commit makes true."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from vigie.core import alert, correlation, incident
from vigie.core.alert import AlertState
from vigie.core.correlation import Tie
from vigie.core.detection import Pattern
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
    Steadied,
    Stepped,
    Suspected,
    Withheld,
    Woke,
)
from vigie.core.incident import DetectionState
from vigie.core.model import CheckResult, Expiry, FaultScope, Incident, Monitor, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.core.subject import SubjectKind
from vigie.core.unchecked import alike
from vigie.engine import grouping
from vigie.engine.books import Draft
from vigie.observation import expiry
from vigie.ports import TimelineEntry
from vigie.text.messages import REMOVED

_REASON = 300
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
        """Whether its result is kept whole: at each change of verdict, or of what keeps Vigie from one, and on suspicion.

        So is the first failure that waits for other locations: what comes of it is decided later, and with another result.
        """
        before, after = self.before, self.after
        if after.held and not before.held and self.result is not None and self.result.status in (Status.DOWN, Status.DEGRADED):
            return True
        if (before.status, before.cause) != (after.status, after.cause) or not alike(before.unchecked.reason, after.unchecked.reason):
            return True
        return any(isinstance(one, Opened | Suspected) for one in self.decisions)


class Move:
    """One event on its way through both machines. `end` gives the transition."""

    def __init__(self, draft: Draft, monitor: Monitor) -> None:
        self._draft, self._monitor = draft, monitor
        self._before = self._after = draft.state(monitor.id)
        self._decisions: list[Decision] = []
        self._notices: list[Notice] = []
        self._result: CheckResult | None = None

    def observe(self, event: Observed, result: CheckResult) -> None:
        """A result: incidents first, then the alerts that they open or end, then those that go on; and what it saw running out."""
        self._result = result
        self._detect(event)
        self._expire(result.expiries, event.at)
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
            ties = self._ties(decision) if isinstance(decision, Opened) else ()
            made = replace(decision, shares=self._shares(decision, ties)) if isinstance(decision, Opened) else decision
            self._decisions.append(made)
            if isinstance(made, Opened | Steadied | Recovered | Closed):
                self._draft.timeline.append(TimelineEntry(made.incident, made.at, made))
                self._book(made, ties)

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

    def _book(self, decision: Opened | Steadied | Recovered | Closed, ties: tuple[Tie, ...]) -> None:
        """The incident's row, and the alert that it is a member of."""
        if isinstance(decision, Opened):
            of = decision.incident
            thread = grouping.alert_of(self._draft, self._monitor, decision, ties)
            opened = Incident(
                of, self._monitor.id, decision.severity, decision.cause, decision.started_at, decision.at,
                acked_by=thread.acked_by, subject=decision.subject, alert=thread.id, failures=decision.failures, pattern=decision.pattern,
            )  # fmt: skip
            self._draft.incidents[opened.id] = opened
            self._apply(thread, decision)
        elif (known := self._draft.incident(decision.incident)) is not None:
            self._draft.incidents[known.id] = _after(known, decision)
            if (concerned := self._draft.alert(known.alert)) is not None:
                self._apply(concerned, decision)

    def _ties(self, decision: Opened) -> tuple[Tie, ...]:
        if decision.subject is SubjectKind.VIGIE:
            return (correlation.obstacle(self._after.unchecked.reason),)
        return grouping.ties_of(self._draft, self._monitor, decision, self._result)

    def _shares(self, decision: Opened, ties: tuple[Tie, ...]) -> bool:
        """Whether others may fail for the same reason, so that they are waited for."""
        own = decision.subject is not SubjectKind.MONITOR or decision.cause.expires
        return not own and self._draft.neighbours.shares(self._monitor.id, ties)

    def _apply(self, known: AlertState, event: AlertEvent) -> None:
        policy = self._draft.policy(known, event, self._monitor)
        circumstances = self._draft.circumstances(known, self._monitor, event.at)
        after, decisions = alert.step(known, event, policy, self._monitor.id, circumstances)
        if after is known:
            return
        self._draft.put(after)
        for decision in decisions:
            self._decisions.append(decision)
            self._notices += alert.notices(decision, after)
            if isinstance(decision, ON_RECORD):
                of = decision.incident if isinstance(decision, Joined) else after.id
                self._draft.timeline.append(TimelineEntry(of, decision.at, decision))
            if isinstance(decision, AckRecorded):
                rows = [self._draft.incident(one.incident) for one in after.members if one.open]
                self._draft.incidents.update((row.id, replace(row, acked_by=decision.by)) for row in rows if row is not None)


def _after(known: Incident, decision: Steadied | Recovered | Closed) -> Incident:
    if isinstance(decision, Steadied):
        return replace(known, pattern=Pattern.STEADY)
    closed = replace(known, closed_at=max(decision.at, known.started_at))  # a clock that was set back makes no incident of negative length
    return replace(closed, closed_by=decision.by, note=decision.note or None) if isinstance(decision, Closed) else closed


def obstacle(result: CheckResult) -> str:
    """Why this monitor alone could not be checked; empty where it was, or where no other could be checked either."""
    own = result.status is Status.UNKNOWN and result.fault is FaultScope.MONITOR
    return result.message[:_REASON] or str(result.cause) if own else ""


def resolved(draft: Draft, monitor: Monitor, now: int) -> Transition:
    """The end of the incidents of a monitor that is watched no longer."""
    move = Move(draft, monitor)
    move.resolve(Resolved(now, "vigie", REMOVED))
    return move.end()


def woken(draft: Draft, monitor: Monitor, now: int) -> Transition:
    """What a new policy makes of a monitor about which something is known."""
    move = Move(draft, monitor)
    move.notify(Woke(now), draft.alerts_of(draft.state(monitor.id)))
    return move.end()
