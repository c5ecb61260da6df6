"""Random histories of one monitor with the policy that holds over them, in the frozen vocabulary of oracle.py.

`realistic` ones last hours: checks every minute or five seconds, spells of trouble, people who acknowledge and resolve, maintenance,
silences, restarts, clocks that step. `hasty` ones put everything within seconds of each other, `maintained` ones begin in a maintenance
window, `absurd` ones hold any instants, orders and durations whatever.
"""

from dataclasses import dataclass

from hypothesis import strategies as st

from .oracle import Acked, Event, Observed, Policy, Resolved, Status, Stepped, Window, Woke

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
CHANNELS = ("mail", "chat", "ops:sms")  # the name of a channel may hold a colon
CAUSES = ("tcp.refused", "http.status", "dns.nxdomain", "timeout.total", "latency.threshold", "probe.error")


@dataclass(frozen=True)
class Case:
    """What happened, and the policy."""

    history: tuple[Event, ...]
    policy: Policy


def _window(unit: int, span: int) -> st.SearchStrategy[tuple[int, int]]:
    """(start, length): some overlap or touch, some are empty or turned round, some last all the time."""
    some = st.tuples(st.integers(-2, span), st.integers(-1, span // 2))
    whole = st.just((-1, 3 * span))
    return st.one_of(some, some, some, whole).map(lambda one: (one[0] * unit, one[1] * unit))


_TO = st.sampled_from([("mail",), CHANNELS[:2], (), CHANNELS, CHANNELS[::-2]])
_WHY = st.sampled_from((*CAUSES, None))
_MINUTES, _SECONDS = (st.lists(_window(unit, span), max_size=3) for unit, span in ((10 * MINUTE, 12), (SECOND, 40)))


def _windows(start: int, drawn: list[tuple[int, int]]) -> tuple[Window, ...]:
    return tuple(Window(start + begin, start + begin + length) for begin, length in drawn)


def _cause(draw: st.DrawFn, status: Status) -> str | None:
    return None if status is Status.UP else draw(_WHY)


def _by_people(draw: st.DrawFn, at: int) -> Event:
    """What comes from elsewhere than a check."""
    kind = draw(st.sampled_from(["ack", "resolve", "woke"]))
    if kind == "woke":
        return Woke(at)
    by = draw(st.sampled_from(["ann", "bob", "vigie"]))
    return Acked(at, by) if kind == "ack" else Resolved(at, by, draw(st.sampled_from(["", "the disk was full"])))


@dataclass
class _Agent:
    """Counts the checks of one monitor. An order carries the number of the start in its upper half."""

    run: int = 1
    sequence: int = 0

    def next(self) -> int:
        self.sequence += 1
        return (self.run << 32) + self.sequence

    def restart(self) -> None:
        self.run, self.sequence = self.run + 1, 0


def _interruption(draw: st.DrawFn, at: int, agent: _Agent, last: Observed | None) -> tuple[int, list[Event]]:
    """Something that is no regular check, and when it is then."""
    kind = draw(st.sampled_from(["people", "people", "again", "late", "silence", "restart", "step", "uncounted"]))
    if kind == "people":
        return at, [_by_people(draw, at)]
    if kind == "silence":
        return at + draw(st.integers(1, 30)) * 10 * MINUTE, []
    if kind == "restart":
        agent.restart()
        return at + draw(st.integers(1, 120)) * SECOND, []
    if kind == "step":
        delta = draw(st.sampled_from([-2 * HOUR, -3 * SECOND, 3 * SECOND, HOUR, 9 * HOUR]))
        return at + delta, [Stepped(at + delta, delta)]
    status = draw(st.sampled_from(Status))
    if kind == "uncounted":  # a result that nobody counts has the order 0
        return at, [Observed(at, 0, status, _cause(draw, status))]
    if last is None:
        return at, []
    late = last if kind == "again" else Observed(at - MINUTE, last.order - 1, status, _cause(draw, status))
    return at, [late]


_SPELLS = st.sampled_from([Status.UP, Status.UP, Status.DOWN, Status.DOWN, Status.DEGRADED, Status.DEGRADED, Status.UNKNOWN])


@st.composite
def realistic(draw: st.DrawFn) -> Case:
    """Hours of a service."""
    policy = Policy(
        confirm=draw(st.integers(1, 4)),
        recover=draw(st.integers(1, 3)),
        remind_ms=draw(st.sampled_from([0, 10 * MINUTE, HOUR, 4 * HOUR])),
        to=draw(_TO),
        degraded_to=draw(_TO),
        windows=_windows(START, draw(_MINUTES)),
    )
    at, agent, history = START, _Agent(), list[Event]()
    last: Observed | None = None
    for _ in range(draw(st.integers(1, 10))):
        status = draw(_SPELLS)
        cause, every = _cause(draw, status), draw(st.sampled_from([5 * SECOND, MINUTE, MINUTE]))
        for _ in range(draw(st.integers(1, 5))):
            at += every
            last = Observed(at, agent.next(), status, cause)
            history.append(last)
        if draw(st.booleans()):
            at, between = _interruption(draw, at + draw(st.integers(0, 20)) * SECOND, agent, last)
            history += between
    return Case(tuple(history), policy)


@st.composite
def hasty(draw: st.DrawFn) -> Case:
    """Everything within seconds, so that windows, reminders and people fall onto one another."""
    policy = Policy(
        confirm=draw(st.sampled_from([1, 1, 2, 3])),
        recover=draw(st.sampled_from([1, 2, 3])),
        remind_ms=draw(st.sampled_from([0, SECOND, 3 * SECOND, 20 * SECOND])),
        to=draw(_TO),
        degraded_to=draw(_TO),
        windows=_windows(0, draw(_SECONDS)),
    )
    at, history = 0, list[Event]()
    for order in range(1, 1 + draw(st.integers(0, 30))):
        at += draw(st.integers(0, 5)) * SECOND
        kind = draw(st.sampled_from(["result"] * 6 + ["people", "people", "step"]))
        if kind == "people":
            history.append(_by_people(draw, at))
        elif kind == "step":
            delta = draw(st.sampled_from([-7, 7, 100])) * SECOND
            at += delta
            history.append(Stepped(at, delta))
        else:
            status, late = draw(st.sampled_from(Status)), draw(st.sampled_from([0, 0, 0, 0, 1, 3]))
            history.append(Observed(at, max(1, order - late), status, _cause(draw, status)))
    return Case(tuple(history), policy)


@st.composite
def maintained(draw: st.DrawFn) -> Case:
    """Trouble opens inside a maintenance window, people come, the window ends, and time goes on."""
    start, end = draw(st.sampled_from([(0, 20), (2, 20), (6, 12)]))
    policy = Policy(
        confirm=draw(st.integers(1, 2)),
        recover=draw(st.integers(1, 3)),
        remind_ms=draw(st.sampled_from([4, 9, 30])) * SECOND,
        to=draw(_TO),
        degraded_to=draw(_TO),
        windows=(Window(start * SECOND, end * SECOND),),
    )
    trouble = draw(st.sampled_from([Status.DOWN, Status.DEGRADED]))
    history: list[Event] = [Observed(at * SECOND, at, trouble, "tcp.refused") for at in (1, 3, 7, 8)]
    history += [_by_people(draw, at * SECOND) for at in (9, 11, 13) if draw(st.booleans())]
    for at in sorted(draw(st.lists(st.integers(14, 60), max_size=6))):
        status = draw(st.sampled_from([trouble, trouble, Status.UNKNOWN, Status.UP]))
        history.append(Observed(at * SECOND, at, status, _cause(draw, status)))
    return Case((*history, Woke(61 * SECOND)), policy)


_ANY = st.integers(-(2**62), 2**62)
_ANYBODY = st.text(max_size=5)
_ANY_EVENT: st.SearchStrategy[Event] = st.one_of(
    st.builds(Observed, _ANY, st.integers(-5, 50), st.sampled_from(Status), _WHY),
    st.builds(Acked, _ANY, _ANYBODY),
    st.builds(Resolved, _ANY, _ANYBODY, _ANYBODY),
    st.builds(Woke, _ANY),
    st.builds(Stepped, _ANY, _ANY),
)


@st.composite
def absurd(draw: st.DrawFn) -> Case:
    """Any instants and durations, in any order."""
    policy = Policy(
        confirm=draw(st.integers(-1, 5)),
        recover=draw(st.integers(-1, 5)),
        remind_ms=draw(st.just(0) | st.integers(1, 2**50)),
        to=draw(_TO),
        degraded_to=draw(_TO),
        windows=tuple(draw(st.lists(st.builds(Window, _ANY, _ANY), max_size=3))),
    )
    return Case(tuple(draw(st.lists(_ANY_EVENT, max_size=30))), policy)


def timely() -> st.SearchStrategy[Case]:
    """Histories in which a punctual engine can grant every wake-up: reminders are few between two events."""
    return st.one_of(realistic(), hasty(), maintained())


def cases() -> st.SearchStrategy[Case]:
    """Any history."""
    return st.one_of(realistic(), hasty(), maintained(), absurd())
