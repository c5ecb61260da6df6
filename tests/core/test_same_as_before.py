"""With one location, no grouping and no flap detection, what is decided and who is notified is exactly what it was at commit f03e05c (oracle.py).

`Now` is the only part that follows the program: it feeds an event of the frozen vocabulary to today's machines and says what came of
it in plain values. Whatever else the program decides, it adds nothing to these and takes nothing away.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any, NamedTuple, Protocol

from hypothesis import event, given, settings
from hypothesis import strategies as st

from vigie.core import alert, events, incident
from vigie.core.alert import AlertState
from vigie.core.detection import DetectionPolicy
from vigie.core.incident import DetectionState
from vigie.core.model import Cause, Status
from vigie.core.notification import Circumstances
from vigie.testing.windows import Window, WindowedPolicy

from . import oracle
from .histories import Case, cases, timely

MONITOR = "shop"


class Told(NamedTuple):
    """A notice that a decision asks for. `number` counts reminders from 1, and is 0 for every other reason."""

    reason: str
    channel: str
    number: int


class Decided(NamedTuple):
    """One decision. `what` is `suspected`, `cleared`, `opened`, `disclosed`, `reminded`, `acknowledged`, `recovered`, `closed`, or
    `quick` and `regular` where the pace of checking changes. `details` are its other values by name.
    """

    at: int
    what: str
    severity: str
    incident: str
    details: tuple[tuple[str, object], ...]
    told: tuple[Told, ...]


class Machine(Protocol):
    """Detection and notification of one monitor under one policy."""

    @property
    def wake_at(self) -> int | None:
        """When it wants to be woken, epoch ms."""

    @property
    def quick(self) -> bool:
        """Whether it wants to be checked at the quick pace."""

    def take(self, happened: oracle.Event) -> list[Decided]:
        """What an event makes it decide."""


# The adapter --------------------------------------------------------------------------------------------------------------------------


class Now:
    """Today's machines: an alert of its own for each incident, as the engine puts them together."""

    def __init__(self, policy: oracle.Policy) -> None:
        self._state = DetectionState(MONITOR)
        self._alerts: dict[str, AlertState] = {}
        self.use(policy)

    def use(self, policy: oracle.Policy) -> None:
        """Another policy holds from now on, as after a reload."""
        windows = tuple(Window(one.start, one.end) for one in policy.windows)
        self._detection = DetectionPolicy(policy.confirm, recover=policy.recover, flapping=False)
        self._notification = WindowedPolicy(policy.remind_ms, policy.to, policy.degraded_to, windows=windows)

    @property
    def wake_at(self) -> int | None:
        return min((one.wake_at for one in self._alerts.values() if one.wake_at is not None), default=None)

    @property
    def quick(self) -> bool:
        return self._state.quick

    def take(self, happened: oracle.Event) -> list[Decided]:
        move = _today(happened)
        if isinstance(move, events.Observed | events.Resolved):
            return self._detect(move)
        return [decided for known in self._outages_first() for decided in self._apply(known, move)]

    def _outages_first(self) -> list[AlertState]:
        return sorted(self._alerts.values(), key=lambda one: one.severity != "outage")

    def _detect(self, event: events.DetectionEvent) -> list[Decided]:
        before, open_before = self._state, list(self._alerts)
        self._state, decisions = incident.step(before, event, self._detection)
        found: list[Decided] = []
        for one in decisions:
            if isinstance(one, events.Opened):
                found += self._apply(AlertState(one.incident, one.severity, MONITOR), one)
            elif isinstance(one, events.Recovered | events.Closed):
                found += self._apply(self._alerts[one.incident], one)
            else:
                found.append(plain(one, ()))
        if self._state is not before and isinstance(event, events.Observed):
            for known in [self._alerts[name] for name in open_before if name in self._alerts]:
                found += self._apply(known, events.Woke(event.at))
        return found

    def _apply(self, known: AlertState, event: events.AlertEvent) -> list[Decided]:
        circumstances = Circumstances(self._notification.muted_until(event.at))
        after, decisions = alert.step(known, event, self._notification, circumstances=circumstances)
        self._alerts[after.id] = after
        if not after.is_open:
            del self._alerts[after.id]
        found: list[Decided] = []
        for one in decisions:
            told = [Told(str(notice.reason), notice.channel, notice.number) for notice in alert.notices(one, after)]
            found.append(self._plain(known, event, one, tuple(told)))
        return found

    @staticmethod
    def _plain(known: AlertState, event: events.AlertEvent, one: events.AlertDecision, told: tuple[Told, ...]) -> Decided:
        """Both machines' decisions joined: an opening says whether people are notified of it, an end whether they were."""
        match one:
            case events.Announced() | events.Withheld():
                assert isinstance(event, events.Opened)
                page = isinstance(one, events.Announced)
                details = (("cause", str(event.cause)), ("page", page), ("started_at", event.started_at))
                return Decided(event.at, "opened", known.severity, known.id, details, told)
            case events.Ended(announced=page):
                assert isinstance(event, events.Recovered | events.Closed)
                if isinstance(event, events.Recovered):
                    return Decided(event.at, "recovered", known.severity, known.id, (("page", page),), told)
                return Decided(event.at, "closed", known.severity, known.id, (("by", event.by), ("note", event.note), ("page", page)), told)
            case events.Disclosed():
                return Decided(one.at, "disclosed", known.severity, known.id, (), told)
            case events.Reminded():
                return Decided(one.at, "reminded", known.severity, known.id, (("number", one.number),), told)
            case events.AckRecorded():
                return Decided(one.at, "acknowledged", known.severity, known.id, (("by", one.by),), told)
            case _:
                raise AssertionError("nothing here groups incidents, escalates or is snoozed")


def _today(happened: oracle.Event) -> events.DetectionEvent | events.Acked | events.Woke | events.Stepped:
    """The same event in today's words."""
    match happened:
        case oracle.Observed(at, order, status, cause):
            return events.Observed(at, order >> 32, order & 0xFFFFFFFF, Status(status), None if cause is None else Cause(cause))
        case oracle.Acked(at, by):
            return events.Acked(at, by)
        case oracle.Resolved(at, by, note):
            return events.Resolved(at, by, note)
        case oracle.Woke(at):
            return events.Woke(at)
        case oracle.Stepped(at, delta_ms):
            return events.Stepped(at, delta_ms)


# What never changes -------------------------------------------------------------------------------------------------------------------


class Before:
    """The frozen machine."""

    def __init__(self, policy: oracle.Policy) -> None:
        self._policy, self._state = policy, oracle.MonitorState(MONITOR)

    def use(self, policy: oracle.Policy) -> None:
        """Another policy holds from now on."""
        self._policy = policy

    @property
    def wake_at(self) -> int | None:
        return self._state.wake_at

    @property
    def quick(self) -> bool:
        return self._state.quick

    def take(self, happened: oracle.Event) -> list[Decided]:
        self._state, decisions = oracle.step(self._state, happened, self._policy)
        return [plain(one, oracle.route(one, MONITOR, self._policy)) for one in decisions]


_WHAT = {"ackrecorded": "acknowledged"}


def plain(decision: Any, notices: Iterable[Any]) -> Decided:
    """A decision of the frozen shape (a class a kind, its fields by name) and its notices in plain values."""
    name, number = type(decision).__name__.lower(), getattr(decision, "number", 0)
    known = {one.name: getattr(decision, one.name) for one in fields(decision)}
    at, severity, incident = known.pop("at"), str(known.pop("severity")), known.pop("incident", "")
    details = tuple((key, str(value) if isinstance(value, str) else value) for key, value in sorted(known.items()))
    told = tuple(Told(str(one.reason), one.channel, number) for one in notices)
    return Decided(at, _WHAT.get(name, name), severity, incident, details, told)


def decide(machine: Machine, history: Iterable[oracle.Event], *, punctual: bool = False) -> list[Decided]:
    """What a machine decides over a history. `punctual`: every wake-up that it asked for is granted first, when it asked for it.

    The two severities of one event are independent of each other: what is decided about outages stands first.
    """
    found, quick = list[Decided](), False
    for happened in history:
        # A clock that stepped makes no wake-up due: what waits is moved along first.
        while punctual and not isinstance(happened, oracle.Stepped) and machine.wake_at is not None and machine.wake_at <= happened.at:
            woken_at = machine.wake_at
            found += machine.take(oracle.Woke(woken_at))
            assert machine.wake_at is None or machine.wake_at > woken_at, "a wake-up that was granted is asked for again"
        found += sorted(machine.take(happened), key=lambda one: one.severity != "outage")
        if machine.quick != quick:
            quick = machine.quick
            found.append(Decided(happened.at, "quick" if quick else "regular", "", "", (), ()))
    return found


def kinds(found: Iterable[Decided]) -> set[tuple[object, ...]]:
    """What sorts of decisions and notices there are among these."""
    seen, acknowledged = set[tuple[object, ...]](), set[str]()
    for one in found:
        if one.what == "acknowledged":
            acknowledged.add(one.incident)
        if one.what in ("disclosed", "recovered") and one.incident in acknowledged:
            seen.add((one.what, one.severity, "after it was acknowledged"))
        paged = dict(one.details).get("page")
        seen.add((one.what, one.severity) if paged is None else (one.what, one.severity, paged))
        seen |= {("told", told.reason, one.severity) for told in one.told}
        seen |= {("told again", one.severity) for told in one.told if told.number > 1}
    return seen


@settings(max_examples=300)
@given(case=cases())
def test_whatever_happens_the_same_is_decided_and_the_same_people_are_notified(case: Case) -> None:
    expected = decide(Before(case.policy), case.history)
    for kind in kinds(expected):
        event(" ".join(map(str, kind)))

    assert decide(Now(case.policy), case.history) == expected


@settings(max_examples=300)
@given(case=timely())
def test_with_every_wake_up_granted_the_same_is_decided_at_the_same_instants(case: Case) -> None:
    assert decide(Now(case.policy), case.history, punctual=True) == decide(Before(case.policy), case.history, punctual=True)


@settings(max_examples=100)
@given(case=timely(), later=timely().map(lambda one: one.policy), cut=st.integers(0, 40))
def test_a_policy_that_changes_meanwhile_holds_from_the_next_event_on(case: Case, later: oracle.Policy, cut: int) -> None:
    """A reload: what was open under one policy goes on under another. The channels stay: those that were notified hear of the end now."""
    later = replace(later, to=case.policy.to, degraded_to=case.policy.degraded_to)
    now, before = Now(case.policy), Before(case.policy)
    first, then = case.history[:cut], case.history[cut:]
    assert decide(now, first) == decide(before, first)
    now.use(later)
    before.use(later)
    assert decide(now, then) == decide(before, then)


BOTH = ("outage", "degradation")
EVERY_KIND = {
    ("quick", ""),
    ("regular", ""),
    *((what, severity) for what in ("suspected", "cleared", "disclosed", "reminded", "acknowledged") for severity in BOTH),
    *((what, severity, page) for what in ("opened", "recovered", "closed") for severity in BOTH for page in (True, False)),
    *(("told", str(reason), severity) for reason in oracle.NoticeReason for severity in BOTH),
    *(("told again", severity) for severity in BOTH),
    *((what, severity, "after it was acknowledged") for what in ("disclosed", "recovered") for severity in BOTH),
}


def test_the_histories_reach_every_decision_and_every_notice() -> None:
    """Else the comparison above would say less than it seems to."""
    reached = Counter[tuple[object, ...]]()

    @settings(max_examples=400, derandomize=True, database=None)
    @given(case=timely())
    def collect(case: Case) -> None:
        reached.update(kinds(decide(Before(case.policy), case.history, punctual=True)))

    collect()

    assert set(reached) == EVERY_KIND
    assert min(reached.values()) >= 3, reached


def test_a_machine_that_decides_otherwise_is_found_out() -> None:
    """The comparison itself: one reminder too few, one channel too many, one check too late."""
    rows = [oracle.Observed(second * 1_000, second, oracle.Status.DOWN, "tcp.refused") for second in range(1, 9)]
    policy = oracle.Policy(confirm=2, remind_ms=2_000, to=("mail",))
    expected = decide(Before(policy), rows)
    for other in (replace(policy, remind_ms=0), replace(policy, to=("mail", "chat")), replace(policy, confirm=3)):
        assert decide(Now(other), rows) != expected
    assert decide(Now(policy), rows) == expected
