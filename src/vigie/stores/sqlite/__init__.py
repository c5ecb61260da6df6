"""The embedded store: one SQLite file, one writer thread, commits grouped and made durable by what they carry.

What decided something (timeline, incidents, notices, deliveries) is fsynced before the call returns. Plain results and counters wait
up to a second and are written in one go: after a crash at most that second of measurements is missing, and no decision. At least one
commit in ten seconds is fsynced, whatever it carries.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from vigie.core.events import Acked, Resolved
from vigie.core.incident import MonitorState
from vigie.core.model import CheckResult, Incident, Monitor
from vigie.errors import StoreError
from vigie.ports import Commit, Delivery, OutboxRow, StoredReport, TimelineEntry
from vigie.stores.sqlite import queries
from vigie.stores.sqlite.db import Db, migrate

_T = TypeVar("_T")
GROUP_SECONDS = 1.0
FULL_SECONDS = 10.0


class SqliteStore:
    """The Store port over one file. `threads=False` runs every statement in the caller's thread, for short-lived programs."""

    def __init__(self, path: Path, *, threads: bool = True) -> None:
        self._path = path
        self._db = Db(path)
        migrate(self._db, path)
        self._writer = ThreadPoolExecutor(1, "vigie-store") if threads else None
        self._numbers = queries.monitor_numbers(self._db)
        self._last = queries.last_results(self._db)
        self._results: list[CheckResult] = []
        self._states: dict[str, MonitorState] = {}
        self._cursors: dict[str, tuple[int, int]] = {}
        self._details: list[CheckResult] = []
        self._flush_timer: asyncio.TimerHandle | None = None
        self._flushing: set[asyncio.Task[None]] = set()
        self._full_at = 0.0

    async def _run(self, work: Callable[[Db], _T]) -> _T:
        """Do the work on the writer's thread, in the order of the calls."""
        if self._writer is None:
            return work(self._db)
        return await asyncio.get_running_loop().run_in_executor(self._writer, work, self._db)

    async def sync_monitors(self, monitors: Sequence[Monitor]) -> None:
        """Make the stored monitors equal to these; history of the others stays."""
        self._numbers = await self._run(lambda db: queries.sync_monitors(db, monitors))
        known = {monitor.id for monitor in monitors}
        self._last = {monitor: result for monitor, result in self._last.items() if monitor in known}

    async def next_run(self) -> int:
        """A number larger than at any earlier start."""
        return await self._run(queries.next_run)

    async def load_states(self) -> dict[str, MonitorState]:
        """Every monitor's state by monitor id."""
        return {**await self._run(queries.load_states), **self._states}

    async def cursors(self) -> dict[str, tuple[int, int]]:
        """Agent -> (run, sequence) last taken in."""
        return {**await self._run(queries.cursors), **self._cursors}

    async def commit(self, change: Commit) -> None:
        """Write it whole; fsynced before it returns when it decided something, else within a second."""
        if change.timeline or change.incidents or change.outbox:
            waiting = self._take()
            await self._write(_merged(waiting, change), waiting, durable=True)
        else:
            self._wait(change)
            if self._flush_timer is None:
                self._flush_timer = asyncio.get_running_loop().call_later(GROUP_SECONDS, self._start_flush)
        self._last.update((result.monitor, result) for result in change.results)

    def _take(self) -> Commit:
        """What waits; nothing waits any more."""
        cursors = tuple((agent, run, sequence) for agent, (run, sequence) in self._cursors.items())
        taken = Commit(tuple(self._results), tuple(self._states.values()), cursors=cursors, details=tuple(self._details))
        self._results, self._states, self._cursors, self._details = [], {}, {}, []
        return taken

    def _wait(self, change: Commit) -> None:
        self._results.extend(change.results)
        self._states.update((state.monitor, state) for state in change.states)
        self._cursors.update((agent, (run, sequence)) for agent, run, sequence in change.cursors)
        self._details.extend(change.details)

    async def _write(self, change: Commit, waiting: Commit, *, durable: bool) -> None:
        """Write `change`; if that fails, what was `waiting` waits again and the rest is the caller's to bring again."""
        durable = durable or time.monotonic() - self._full_at > FULL_SECONDS
        numbers = self._numbers
        try:
            await self._run(lambda db: queries.write(db, change, numbers, durable=durable))
        except StoreError:
            newer = self._take()
            self._wait(_merged(waiting, newer))
            raise
        if durable:
            self._full_at = time.monotonic()

    def _start_flush(self) -> None:
        self._flush_timer = None
        task = asyncio.get_running_loop().create_task(self._flush())
        self._flushing.add(task)
        task.add_done_callback(self._flushing.discard)

    async def _flush(self) -> None:
        if self._results or self._states or self._cursors or self._details:
            try:
                taken = self._take()
                await self._write(taken, taken, durable=False)
            except StoreError:
                # A full disk heals; until then measurements wait in memory, the newest hour of them at most.
                del self._results[:-600_000]
                if self._flush_timer is None:
                    self._flush_timer = asyncio.get_running_loop().call_later(GROUP_SECONDS * 5, self._start_flush)

    async def claim(self, now: int, lease_ms: int, limit: int) -> list[OutboxRow]:
        """Due rows that nobody holds, oldest first; a later notice never overtakes an earlier one of its incident and channel."""
        return await self._run(lambda db: queries.claim(db, now, lease_ms, limit))

    async def next_due(self) -> int | None:
        """When the next row can be claimed; None when nothing waits."""
        return await self._run(queries.next_due)

    async def delivered(self, delivery: Delivery) -> None:
        """Record a success; the key stays, so that it is never sent again."""
        await self._run(lambda db: queries.delivered(db, delivery))

    async def failed(self, delivery: Delivery, retry_at: int | None, then: Sequence[OutboxRow] = ()) -> None:
        """Record a failure: try again at `retry_at`, or bury; `then` rows are added in the same transaction."""
        await self._run(lambda db: queries.failed(db, delivery, retry_at, then))

    async def save_report(self, report: StoredReport, now: int, follow_ups: Sequence[OutboxRow]) -> None:
        """Keep the report, and join it to the page or let it follow."""
        await self._run(lambda db: queries.save_report(db, report, now, follow_ups))

    async def report(self, incident: str) -> StoredReport | None:
        """The newest report of an incident."""
        return await self._run(lambda db: queries.report(db, incident))

    async def incidents(self, *, open_only: bool = False, limit: int = 100) -> list[Incident]:
        """Newest first."""
        return await self._run(lambda db: queries.incidents(db, open_only=open_only, limit=limit))

    async def incident(self, incident_id: str) -> Incident | None:
        """One incident."""
        return await self._run(lambda db: queries.incident(db, incident_id))

    async def timeline(self, incident_id: str) -> list[TimelineEntry]:
        """Oldest first."""
        return await self._run(lambda db: queries.timeline(db, incident_id))

    async def deliveries(self, incident_id: str) -> list[Delivery]:
        """Every attempt at every notice of an incident, oldest first."""
        return await self._run(lambda db: queries.deliveries(db, incident_id))

    async def unsent(self) -> list[OutboxRow]:
        """What still has to be told."""
        return await self._run(lambda db: queries.outbox(db, "waiting"))

    async def buried(self) -> list[OutboxRow]:
        """What was given up."""
        return await self._run(lambda db: queries.outbox(db, "buried"))

    async def last_results(self) -> dict[str, CheckResult]:
        """The newest result of every monitor by monitor id."""
        return dict(self._last)

    async def last_detail(self, monitor: str, *, good: bool, before: int) -> CheckResult | None:
        """The newest whole result of a monitor before `before`, good or bad."""
        waiting = [r for r in self._details if r.monitor == monitor and queries.is_good(r) is good and r.at < before]
        return waiting[-1] if waiting else await self._run(lambda db: queries.last_detail(db, monitor, good=good, before=before))

    async def leave(self, monitor: str, event: Acked | Resolved) -> None:
        """Leave an event for the Vigie that is at work on this store."""
        await self._run(lambda db: queries.leave(db, monitor, event))

    async def left(self) -> list[tuple[str, Acked | Resolved]]:
        """Take what was left, oldest first."""
        return await self._run(queries.left)

    async def prune(self, now: int) -> int:
        """Drop what retention no longer keeps; how many rows went."""
        return await self._run(lambda db: queries.prune(db, now))

    async def close(self) -> None:
        """Commit what waits and close."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        await asyncio.gather(*self._flushing)
        try:
            if self._results or self._states or self._cursors or self._details:
                taken = self._take()
                await self._write(taken, taken, durable=True)
        finally:
            await self._run(lambda db: db.close())
            if self._writer is not None:
                self._writer.shutdown()


def _merged(first: Commit, then: Commit) -> Commit:
    """Both as one; the later state or cursor wins."""
    states = {state.monitor: state for state in (*first.states, *then.states)}
    cursors = {cursor[0]: cursor for cursor in (*first.cursors, *then.cursors)}
    return Commit(
        results=(*first.results, *then.results),
        states=tuple(states.values()),
        incidents=(*first.incidents, *then.incidents),
        timeline=(*first.timeline, *then.timeline),
        outbox=(*first.outbox, *then.outbox),
        cursors=tuple(cursors.values()),
        details=(*first.details, *then.details),
    )
