"""Which monitor is due next, on a clock that never steps: a heap, with a faster pace while a failure is being confirmed."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from vigie.observation.check_spec import CheckSpec
from vigie.planning.schedule import next_due, next_on_grid, phase_ms

_SOON_MS = 10_000
_SPREAD_MS = 5  # at most 200 first checks a second
_AHEAD_MS = 20  # a check may start this much early, so that one wake-up of the loop serves several


@dataclass(slots=True)
class _Entry:
    """One monitor's place in the schedule. A heap item whose `generation` is not this one is stale."""

    every_ms: int
    phase: int
    quick_ms: int | None = None
    generation: int = 0


class Scheduler:
    """Says which monitors are due. Instants are ms on one steady scale: monotonic time plus the wall clock's offset at the start."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._heap: list[tuple[int, int, str]] = []

    def assign(self, specs: Iterable[CheckSpec], now: int) -> None:
        """Schedule exactly these; a monitor whose interval is unchanged keeps its phase, and a faster pace stays in force."""
        wanted = {spec.monitor: spec.every_ms for spec in specs}
        for gone in self._entries.keys() - wanted.keys():
            del self._entries[gone]
        # A new monitor is checked soon, but thousands of new ones are not all checked at once.
        soon = max(_SOON_MS, len(wanted.keys() - self._entries.keys()) * _SPREAD_MS)
        for monitor, every_ms in wanted.items():
            entry = self._entries.get(monitor)
            if entry is None:
                self._entries[monitor] = _Entry(every_ms, phase_ms(monitor, every_ms))
                self._push(monitor, min(next_due(monitor, every_ms, now), next_due(monitor, min(every_ms, soon), now)))
            elif entry.every_ms != every_ms:
                entry.every_ms, entry.phase = every_ms, phase_ms(monitor, every_ms)
                self._push(monitor, _next(entry, now))

    def pace(self, monitor: str, quick_ms: int | None, now: int) -> None:
        """Check every `quick_ms` from now on, or at the monitor's own interval again if None."""
        entry = self._entries.get(monitor)
        if entry is None or entry.quick_ms == quick_ms:
            return
        entry.quick_ms = quick_ms
        self._push(monitor, _next(entry, now))

    def pop(self, now: int) -> list[tuple[str, int]]:
        """(monitor, due instant) of every monitor that is due, and then of those due soon after; each is scheduled again."""
        due = []
        until = now + _AHEAD_MS if self._heap and self._heap[0][0] <= now else now
        while self._heap and self._heap[0][0] <= until:
            at, generation, monitor = heapq.heappop(self._heap)
            entry = self._entries.get(monitor)
            if entry is not None and entry.generation == generation:
                due.append((monitor, at))
                self._push(monitor, _next(entry, max(at, now)))
        return due

    def next_at(self) -> int | None:
        """When the next monitor is due; None if there are none. A stale item may make it too early."""
        return self._heap[0][0] if self._heap else None

    def _push(self, monitor: str, at: int) -> None:
        entry = self._entries[monitor]
        entry.generation += 1
        heapq.heappush(self._heap, (at, entry.generation, monitor))


def _next(entry: _Entry, now: int) -> int:
    return now + entry.quick_ms if entry.quick_ms is not None else next_on_grid(entry.phase, entry.every_ms, now)
