"""A fleet small enough for the core alone: locations that check at their own pace, fall silent, are cut off, and hand over their spools."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from vigie.core.detection import DetectionPolicy
from vigie.core.events import IncidentDecision, Observed, Opened, Recovered
from vigie.core.incident import DetectionState, step
from vigie.core.model import Cause, Status

T0 = 1_000_000_000
CHECK_MS, TRANSIT_MS, LAG_MS, TIMEOUT_MS = 200, 300, 700, 10_000
_CAUSES = {Status.UP: None, Status.DOWN: Cause.TCP_REFUSED, Status.DEGRADED: Cause.LATENCY_THRESHOLD, Status.UNKNOWN: Cause.PROBE_NETWORK}


def policy_of(every_ms: int, **more: object) -> DetectionPolicy:
    """As a configuration makes it of an interval."""
    made = DetectionPolicy(
        stale_ms=max(180_000, 2 * every_ms + TIMEOUT_MS + 60_000), delay_ms=TIMEOUT_MS + 5_000, gap_ms=every_ms + TIMEOUT_MS + 15_000
    )
    return replace(made, **more)  # type: ignore[arg-type]


@dataclass
class Place:
    """A location. It is cut off within `cuts`, [from, to) in ms; `to` None: it is dead from then on. `sees` is what it finds at an instant."""

    name: str
    sees: Callable[[int], Status]
    cuts: Sequence[tuple[int, int | None]] = ()
    phase_ms: int = 0
    due: int = 0
    every_ms: int = 0
    sequence: int = 0
    spool: list[Observed] = field(default_factory=list)

    def is_linked(self, at: int) -> bool:
        """Whether what it says gets through."""
        return not any(start <= at and (end is None or at < end) for start, end in self.cuts)


class Made(NamedTuple):
    """A decision, and when it was made, in ms."""

    at: int
    decision: IncidentDecision


@dataclass
class Fleet:
    """Locations and one that decides, which is not there within `away`, [from, to) in ms; then each hands over its spool, in their order."""

    places: Sequence[Place]
    policy: DetectionPolicy
    every_ms: int
    away: tuple[int, int] = (-1, -1)
    state: DetectionState = field(default_factory=lambda: DetectionState("shop"))
    made: list[Made] = field(default_factory=list)
    _queue: list[tuple[int, int, str, Place, tuple[Observed, ...]]] = field(default_factory=list)
    _count: int = 0

    def run(self, until_ms: int) -> list[Made]:
        """All that is decided from 0 to `until_ms`."""
        for number, one in enumerate(self.places):
            one.every_ms = self.every_ms
            self._plan(one, one.phase_ms)
            for end in (self.away[1] + number * LAG_MS, *(end for _, end in one.cuts if end is not None)):
                self._push(end + TRANSIT_MS, "back", one)
        while self._queue and self._queue[0][0] <= until_ms:
            now, _, what, place, results = heapq.heappop(self._queue)
            if what == "check" and place.due == now:
                self._check(place, now)
            elif what == "hear":
                self._hear(place, now, results)
            elif what == "back" and self._is_heard(place, now):
                self._pace(place, now)
                backlog, place.spool = place.spool, []
                self._hear(place, now, backlog)
        return self.made

    def _push(self, at: int, what: str, place: Place, results: Iterable[Observed] = ()) -> None:
        self._count += 1
        heapq.heappush(self._queue, (at, self._count, what, place, tuple(results)))

    def _plan(self, place: Place, at: int) -> None:
        place.due = at
        self._push(at, "check", place)

    def _check(self, place: Place, now: int) -> None:
        place.sequence += 1
        status = place.sees(now)
        result = Observed(T0 + now, 1, place.sequence, status, _CAUSES[status], place.name)
        self._push(now + CHECK_MS + TRANSIT_MS, "hear", place, (result,))
        self._plan(place, now + place.every_ms)

    def _hear(self, place: Place, now: int, results: Sequence[Observed]) -> None:
        if place.spool or not self._is_heard(place, now):
            place.spool += results
            return
        before = self.state.quick
        for one in results:
            self.state, decisions = step(self.state, replace(one, heard=T0 + now), self.policy)
            self.made += [Made(now, decision) for decision in decisions]
        if self.state.quick is not before:
            for other in self.places:
                self._pace(other, now)

    def _is_heard(self, place: Place, now: int) -> bool:
        return place.is_linked(now) and not self.away[0] <= now < self.away[1]

    def _pace(self, place: Place, now: int) -> None:
        every_ms = min(self.policy.confirm_every_ms, self.every_ms) if self.state.quick else self.every_ms
        if self._is_heard(place, now) and every_ms != place.every_ms:
            place.every_ms = every_ms
            self._plan(place, now + TRANSIT_MS + every_ms)


def transitions(made: Iterable[Made]) -> Iterator[tuple[str, str, int, int]]:
    """(opened or recovered, severity, since when or when it was over, when it was decided): instants in ms."""
    for at, one in made:
        if isinstance(one, Opened | Recovered):
            yield type(one).__name__, one.severity.value, (one.started_at if isinstance(one, Opened) else one.at) - T0, at
