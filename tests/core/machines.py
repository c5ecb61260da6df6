"""Both machines put together as the engine does it, and random histories for them.

By default each incident has an alert of its own. `grouped`: an incident joins the alert that is open, whatever monitor it is of.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import strategies as st

from vigie.core import alert, incident
from vigie.core.alert import AlertState
from vigie.core.detection import DetectionPolicy
from vigie.core.events import Acked, AlertEvent, Closed, Decision, Observed, Opened, Recovered, Resolved, Steadied, Stepped, Woke
from vigie.core.incident import DetectionState
from vigie.core.model import Cause, Status
from vigie.core.notification import Circumstances, Notice
from vigie.testing.windows import Window, WindowedPolicy

UP, DOWN, DEGRADED, UNKNOWN = Status.UP, Status.DOWN, Status.DEGRADED, Status.UNKNOWN
CAUSES = {UP: None, DOWN: Cause.TCP_REFUSED, DEGRADED: Cause.LATENCY_THRESHOLD, UNKNOWN: Cause.PROBE_NETWORK}
SECOND, HOUR = 1_000, 3_600_000
MONITOR = "shop"

Event = Observed | Resolved | Acked | Woke | Stepped


class Policies(NamedTuple):
    """Both policies."""

    detection: DetectionPolicy
    notification: WindowedPolicy


def policies(
    confirm: int = 3, recover: int = 2, remind_ms: int = 14_400_000, windows: tuple[Window, ...] = (), to: tuple[str, ...] = ("mail",)
) -> Policies:
    """Both policies; outages and degradations go to the same channels."""
    return Policies(DetectionPolicy(confirm, recover=recover), WindowedPolicy(remind_ms, to, to, windows=windows))


def at(policy: WindowedPolicy, instant: int) -> Circumstances:
    """What holds at an instant where there are no other windows than those of the policy."""
    return Circumstances(policy.muted_until(instant))


def window(start: int, end: int) -> Window:
    """A maintenance window, in seconds."""
    return Window(start * SECOND, end * SECOND)


def seen(status: Status, second: int, sequence: int | None = None) -> Observed:
    """A result of the first run; its sequence is the second unless given."""
    return Observed(second * SECOND, 1, second if sequence is None else sequence, status, CAUSES[status])


class Made(NamedTuple):
    """A decision, the event that led to it, and the alert as it is then (None: it is about incidents)."""

    event: Event
    decision: Decision
    alert: AlertState | None
    notices: tuple[Notice, ...]


@dataclass
class Machines:
    """Both machines over any number of monitors. `alerts` holds those that ended, too."""

    policy: Policies
    grouped: bool = False
    states: dict[str, DetectionState] = field(default_factory=dict)
    alerts: dict[str, AlertState] = field(default_factory=dict)
    alert_of: dict[str, str] = field(default_factory=dict)  # by incident

    @property
    def open(self) -> list[AlertState]:
        """The open alerts."""
        return [one for one in self.alerts.values() if one.is_open]

    @property
    def wake_at(self) -> int | None:
        """When the first of the alerts wants to be woken."""
        return min((one.wake_at for one in self.open if one.wake_at is not None), default=None)

    def state(self, monitor: str = MONITOR) -> DetectionState:
        """The state of a monitor."""
        return self.states.get(monitor, DetectionState(monitor))

    def snapshot(self) -> object:
        """All that is known, to be compared."""
        return dict(self.states), dict(self.alerts), dict(self.alert_of)

    def take(self, event: Event, monitor: str = MONITOR) -> list[Made]:
        """What an event makes them decide."""
        if isinstance(event, Observed | Resolved):
            return self._detect(event, monitor)
        concerned = [one for one in self.open if not isinstance(event, Acked) or one.has_open(monitor)]
        return [made for one in concerned for made in self._apply(one, event, event, monitor)]

    def _detect(self, event: Observed | Resolved, monitor: str) -> list[Made]:
        before, found = self.state(monitor), list[Made]()
        concerned = [one.id for one in self.open if one.has_open(monitor)]
        after, decisions = incident.step(before, event, self.policy.detection)
        self.states[monitor] = after
        for decision in decisions:
            found.append(Made(event, decision, None, ()))
            if isinstance(decision, Opened | Steadied | Recovered | Closed):
                found += self._apply(self._thread(decision, monitor), decision, event, monitor)
        if isinstance(event, Observed) and after is not before:
            for one in [self.alerts[name] for name in concerned if self.alerts[name].is_open]:
                found += self._apply(one, Woke(event.at), event, monitor)
        return found

    def _thread(self, decision: Opened | Steadied | Recovered | Closed, monitor: str) -> AlertState:
        """The alert that an incident belongs to."""
        if not isinstance(decision, Opened):
            return self.alerts[self.alert_of[decision.incident]]
        known = self.open[0] if self.grouped and self.open else AlertState(decision.incident, decision.severity, monitor)
        self.alert_of[decision.incident] = known.id
        return known

    def _apply(self, known: AlertState, event: AlertEvent, cause: Event, monitor: str) -> list[Made]:
        after, decisions = alert.step(known, event, self.policy.notification, monitor, at(self.policy.notification, event.at))
        self.alerts[after.id] = after
        return [Made(cause, one, after, alert.notices(one, after)) for one in decisions]


class Happening(NamedTuple):
    """An event and the monitor that it is about."""

    event: Event
    monitor: str = MONITOR


def after(policy: Policies, *events: Event, grouped: bool = False) -> tuple[Machines, list[Decision]]:
    """The machines after events of one monitor, and all that was decided."""
    machines, found = Machines(policy, grouped), list[Decision]()
    for event in events:
        found += [one.decision for one in machines.take(event)]
    return machines, found


def granted(policy: Policies, log: Iterable[Happening], *, grouped: bool = False) -> tuple[Machines, list[Made]]:
    """Run a log as a punctual engine does: before each event, every wake-up that was asked for until then."""
    machines, found = Machines(policy, grouped), list[Made]()
    for event, monitor in log:
        while machines.wake_at is not None and machines.wake_at <= event.at and not isinstance(event, Stepped):
            due = Woke(machines.wake_at)
            found += machines.take(due)
            assert machines.wake_at is None or machines.wake_at > due.at, "a wake-up that was granted is asked for again"
        found += machines.take(event, monitor)
    return machines, found


STATUSES = st.sampled_from([UP, UP, DOWN, DOWN, DEGRADED, UNKNOWN])
WINDOWS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda one: window(one[0], one[0] + one[1])), max_size=4)
POLICIES = st.builds(
    policies,
    confirm=st.sampled_from([1, 1, 2, 3]),
    recover=st.sampled_from([1, 2, 3, 3]),
    remind_ms=st.sampled_from([0, SECOND, 3 * SECOND, 20 * SECOND, HOUR]),
    windows=WINDOWS.map(tuple),
    to=st.sampled_from([("mail",), ("mail", "chat")]),
)


def _event(draw: st.DrawFn, at: int, number: int, kind: str) -> Event:
    if kind == "ack":
        return Acked(at, draw(st.sampled_from(["ann", "bob"])))
    if kind == "resolve":
        return Resolved(at, "ann")
    if kind == "wake":
        return Woke(at)
    late, status = draw(st.sampled_from([0, 0, 0, 0, 1, 3])), draw(STATUSES)
    return Observed(at, 1, max(1, number - late), status, CAUSES[status])


@st.composite
def logs(draw: st.DrawFn, *, steps: bool = True, backwards: bool = False, monitors: int = 1) -> list[Happening]:
    """Results (some repeated or late), people and spurious wake-ups at instants that rise, but for steps of the clock.

    `backwards`: now and then an instant lies before the last, with no step that would explain it.
    """
    found: list[Happening] = []
    at = 0
    for number in range(1, 1 + draw(st.integers(0, 30))):
        at += draw(st.integers(-2 if backwards else 0, 5)) * SECOND
        monitor = f"{MONITOR}{draw(st.integers(1, monitors))}" if monitors > 1 else MONITOR
        kind = draw(st.sampled_from(["result"] * 8 + ["ack", "resolve", "wake", "step"]))
        if kind == "step":
            if not steps:
                continue
            delta = draw(st.sampled_from([-7, 7, 100])) * SECOND
            at += delta
            found.append(Happening(Stepped(at, delta), monitor))
        else:
            found.append(Happening(_event(draw, at, number, kind), monitor))
    return found
