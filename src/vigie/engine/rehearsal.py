"""Results as they were recorded, through both state machines, under any policy: what would have been decided and notified.

It is what ingest does, without a store and without a clock: the same `Move` on the same kind of draft, so that the same history gives the
same notices. Nothing is invented between two recorded checks, and nothing is learnt.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from vigie.core import incident
from vigie.core.alert import AlertState
from vigie.core.events import Acked, Observed, Resolved, Woke
from vigie.core.incident import DetectionState
from vigie.core.model import CheckResult, Monitor
from vigie.engine.books import Books, CircumstancesAt, Draft
from vigie.engine.transition import Move, Transition


class Rehearsal:
    """One policy for each monitor, over a history that is given to it in the order of its instants."""

    def __init__(self, monitors: Iterable[Monitor], circumstances_at: CircumstancesAt) -> None:
        self.monitors: Mapping[str, Monitor] = {one.id: one for one in monitors}
        self._circumstances_at, self._books = circumstances_at, Books()
        self._books.neighbours.use(self.monitors.values())
        self._wake_at: int | None = None

    def take(self, result: CheckResult) -> list[Transition]:
        """What a result does, after every wake-up that was due before it. A repeated one does nothing."""
        found = self.until(result.at)
        monitor = self.monitors.get(result.monitor)
        if monitor is None:
            return found
        event = Observed(result.at, result.run, result.sequence, result.status, result.cause, result.location)
        if not incident.is_new(self._books.state(monitor.id), event):
            return found
        self._books.neighbours.learn(monitor, result)
        draft, move = self._move(monitor)
        move.observe(event, replace(result, expiries=()))
        return [*found, self._end(draft, move, result)]

    def say(self, monitor: str, event: Acked | Resolved) -> list[Transition]:
        """What a person's command does."""
        found, known = self.until(event.at), self.monitors.get(monitor)
        if known is None:
            return found
        draft, move = self._move(known)
        if isinstance(event, Resolved):
            move.resolve(event)
        else:
            move.notify(event, draft.alerts_of(draft.state(known.id)))
        return [*found, self._end(draft, move)]

    def until(self, at: int) -> list[Transition]:
        """Grant every wake-up that was asked for until an instant, each when it was asked for."""
        found = []
        while self._wake_at is not None and self._wake_at <= at:
            now = self._wake_at
            for known in [one for one in self._books.alerts.values() if one.wake_at is not None and one.wake_at <= now]:
                if (watched := self._of(known)) is not None:
                    draft, move = self._move(watched)
                    move.notify(Woke(now), [known])
                    found.append(self._end(draft, move))
            if self._wake_at == now:
                break  # nothing moved: whoever asks again for the same instant waits for the next event
        return found

    def states(self) -> list[DetectionState]:
        """The states of all monitors that were seen."""
        return list(self._books.states.values())

    def members(self, alert: str) -> list[str]:
        """The incidents of an open alert."""
        known = self._books.alerts.get(alert)
        return [] if known is None else [one.incident for one in known.members]

    def _of(self, known: AlertState) -> Monitor | None:
        names = dict.fromkeys((*(one.monitor for one in known.members if one.open), known.monitor))
        return next((found for one in names if (found := self.monitors.get(one)) is not None), None)

    def _move(self, monitor: Monitor) -> tuple[Draft, Move]:
        draft = Draft(self._books, self.monitors, self._circumstances_at)
        return draft, Move(draft, monitor)

    def _end(self, draft: Draft, move: Move, result: CheckResult | None = None) -> Transition:
        ended = move.end(result)
        self._books.adopt(draft)
        if draft.alerts:
            self._wake_at = min((one.wake_at for one in self._books.alerts.values() if one.wake_at is not None), default=None)
        return ended
