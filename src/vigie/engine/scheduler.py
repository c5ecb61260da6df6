"""The due-heap: which monitor is next, on a clock that never steps; quick pace while something is suspected."""

import heapq
from dataclasses import dataclass

from vigie.core.schedule import next_due
from vigie.ports import Assignment

_SOON_MS = 10_000
_SPREAD_MS = 5  # at most 200 first looks a second


@dataclass(slots=True)
class _Entry:
    """One monitor's place in the schedule. `turn` tells a heap item that was overtaken from the valid one."""

    every_ms: int
    quick_ms: int | None = None
    turn: int = 0


class Scheduler:
    """Says who is due. Instants are ms on one steady scale: monotonic time plus a constant that puts it where the wall clock was."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._heap: list[tuple[int, int, str]] = []

    def assign(self, assignments: list[Assignment], now: int) -> None:
        """Schedule exactly these; who stays with the same interval keeps his place, and a quick pace stays quick."""
        wanted = {assignment.monitor.id: assignment.monitor.every_ms for assignment in assignments}
        for gone in self._entries.keys() - wanted.keys():
            del self._entries[gone]
        # A newcomer is looked at soon, but thousands of them are not looked at all at once.
        soon = max(_SOON_MS, len(wanted.keys() - self._entries.keys()) * _SPREAD_MS)
        for monitor, every_ms in wanted.items():
            entry = self._entries.get(monitor)
            if entry is None:
                self._entries[monitor] = _Entry(every_ms)
                self._push(monitor, min(next_due(monitor, every_ms, now), next_due(monitor, min(every_ms, soon), now)))
            elif entry.every_ms != every_ms:
                entry.every_ms = every_ms
                self._push(monitor, self._next(monitor, entry, now))

    def pace(self, monitor: str, quick_ms: int | None, now: int) -> None:
        """Check every `quick_ms` from now on, or at the monitor's own pace again when None."""
        entry = self._entries.get(monitor)
        if entry is None or entry.quick_ms == quick_ms:
            return
        entry.quick_ms = quick_ms
        self._push(monitor, self._next(monitor, entry, now))

    def pop(self, now: int) -> list[tuple[str, int]]:
        """(monitor, due instant) of everyone who is due, each put back for his next turn."""
        due = []
        while self._heap and self._heap[0][0] <= now:
            at, turn, monitor = heapq.heappop(self._heap)
            entry = self._entries.get(monitor)
            if entry is not None and entry.turn == turn:
                due.append((monitor, at))
                self._push(monitor, self._next(monitor, entry, now))
        return due

    def next_at(self) -> int | None:
        """When somebody is due; None when nobody is watched. May be early by an overtaken item."""
        return self._heap[0][0] if self._heap else None

    @staticmethod
    def _next(monitor: str, entry: _Entry, now: int) -> int:
        return now + entry.quick_ms if entry.quick_ms is not None else next_due(monitor, entry.every_ms, now)

    def _push(self, monitor: str, at: int) -> None:
        entry = self._entries[monitor]
        entry.turn += 1
        heapq.heappush(self._heap, (at, entry.turn, monitor))
