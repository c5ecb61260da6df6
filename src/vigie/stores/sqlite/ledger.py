"""SqliteStore: one writer thread, commits grouped and made durable by what they carry; reads on a thread of their own.

What decided something (a timeline entry, an incident, a notice, a state that stands otherwise than before) is fsynced before the
call returns, as are deliveries and reports. Plain results, cursors and states that only count on wait up to a second and are written
in one go: after a crash at most that second of measurements is missing, and no decision. While commits come, at least one in ten
seconds is fsynced, whatever it carries.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from vigie.core.events import Acked, Resolved
from vigie.core.heartbeat import Job, Ping
from vigie.core.incident import MonitorState
from vigie.core.model import CheckResult, Incident, Monitor
from vigie.core.visibility import Blind
from vigie.errors import StoreError, StoreFault
from vigie.learning.baseline import Baseline
from vigie.ports import Commit, Delivery, OutboxRow, PingUpdate, StoredReport, TimelineEntry
from vigie.report.history import Remark
from vigie.report.scores import Scores
from vigie.stores.sqlite import archive as queries
from vigie.stores.sqlite import inbox as pings
from vigie.stores.sqlite.db import Db, Driver
from vigie.stores.sqlite.migrate import migrate
from vigie.stores.sqlite.newest import Newest
from vigie.stores.sqlite.waiting import Waiting, merged
from vigie.stores.sqlite.with_apsw import ApswDriver

log = logging.getLogger("vigie.store")

_T = TypeVar("_T")
GROUP_SECONDS = 1.0
FULL_SECONDS = 10.0
_AGAIN_SECONDS = 5.0


class SqliteStore:
    """The Store port over one file. `threads=False` runs every statement in the caller's thread, for short-lived programs.

    Raises StoreError when the file cannot be opened, made or migrated.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: bool = True,
        driver: type[Driver] = ApswDriver,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._driver, self._monotonic = path, driver, monotonic
        self._db = self._open()
        self._reading: Db | None = None
        self._writer = ThreadPoolExecutor(1, "vigie-store") if threads else None
        self._reader = ThreadPoolExecutor(1, "vigie-store-read") if threads else None
        self._numbers = queries.monitor_numbers(self._db)
        self._newest, self._looked_back = Newest(), False
        self._waiting = Waiting()
        self._writing = Commit()  # what was waiting and is on its way to the disk
        self._turn = asyncio.Lock()  # one write at a time: what fails is put back before a newer one is written
        self._flush_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._full_at = float("-inf")
        self._closed = False

    def _open(self) -> Db:
        db = Db(self._path, self._driver)
        try:
            migrate(db, self._path)
            db.quick_check()
        except BaseException:
            db.close()
            raise
        return db

    async def _run(self, work: Callable[[Db], _T]) -> _T:
        """Do the work on the writer's thread, in the order of the calls."""
        self._look()
        if self._writer is None:
            return work(self._db)
        return await asyncio.get_running_loop().run_in_executor(self._writer, work, self._db)

    async def _read(self, work: Callable[[Db], _T]) -> _T:
        """Do the work on the reader's thread and connection: it sees every write that has returned, and holds up none."""
        self._look()
        if self._reader is None:
            return work(self._db)
        return await asyncio.get_running_loop().run_in_executor(self._reader, lambda: work(self._reading_db()))

    def _reading_db(self) -> Db:
        if self._reading is None:
            self._reading = Db(self._path, self._driver)
        return self._reading

    def _look(self) -> None:
        if self._closed:
            raise StoreError(StoreFault.OTHER, f"{self._path} is closed")

    async def sync_monitors(self, monitors: Sequence[Monitor]) -> None:
        """Make the stored monitors equal to these; history of the others stays."""
        self._numbers = await self._run(lambda db: queries.sync_monitors(db, monitors))
        self._newest.keep({monitor.id for monitor in monitors})

    async def next_run(self) -> int:
        """A number larger than at any earlier start."""
        return await self._run(queries.next_run)

    async def load_states(self) -> dict[str, MonitorState]:
        """Every monitor's state by monitor id."""
        waiting = self._waiting.states
        stored = await self._run(queries.load_states)
        self._waiting.wrote(stored.values())
        return {**stored, **waiting}

    async def cursors(self) -> dict[str, tuple[int, int]]:
        """Agent -> (run, sequence) last taken in."""
        waiting = self._waiting.cursors
        return {**await self._run(queries.cursors), **waiting}

    async def baselines(self) -> dict[str, Baseline]:
        """What is usual, by monitor id."""
        waiting = self._waiting.baselines
        return {**await self._run(queries.baselines), **waiting}

    async def commit(self, change: Commit) -> None:
        """Write it whole; fsynced before it returns when it decided something, else within a second."""
        self._look()
        if self._waiting.may(change):
            self._waiting.add(change)
            self._flush_in(GROUP_SECONDS)
        else:
            await self._in_turn(change, durable=True)
        self._newest.take(change.results)

    async def _in_turn(self, change: Commit, *, durable: bool) -> None:
        """Write `change` and what waits; it is seen through to its end even if the caller gives up meanwhile."""
        task = asyncio.get_running_loop().create_task(self._write(change, durable=durable))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # it was raised to the caller, or the caller gave up

    async def _write(self, change: Commit, *, durable: bool) -> None:
        """Write `change` and what waits; if that fails, the latter waits again, and the former is the caller's to bring again."""
        async with self._turn:
            self._writing = self._waiting.take()
            whole, numbers = merged(self._writing, change), self._numbers
            durable = durable or self._monotonic() - self._full_at > FULL_SECONDS
            try:
                await self._run(lambda db: queries.write(db, whole, numbers, durable=durable))
            except BaseException:
                self._waiting.put_back(self._writing)
                raise
            finally:
                self._writing = Commit()
            self._waiting.wrote(whole.states)
            if durable:
                self._full_at = self._monotonic()

    def _flush_in(self, seconds: float) -> None:
        if self._flush_timer is None:
            self._flush_timer = asyncio.get_running_loop().call_later(seconds, self._start_flush)

    def _start_flush(self) -> None:
        self._flush_timer = None
        task = asyncio.get_running_loop().create_task(self._flush())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _flush(self) -> None:
        if self._waiting:
            try:
                await self._write(Commit(), durable=False)
            except StoreError as error:
                # A full disk heals; until then measurements wait in memory.
                log.error("measurements wait in memory (%s): %s. %s", error.fault, error, error.fix)  # noqa: TRY400 - the trace says nothing more
                self._flush_in(_AGAIN_SECONDS)

    async def claim(self, now: int, lease_ms: int, limit: int) -> list[OutboxRow]:
        """Due rows that nobody holds, oldest first; a later notice never overtakes an earlier one of its incident and channel."""
        return await self._run(lambda db: queries.claim(db, now, lease_ms, limit))

    async def next_due(self) -> int | None:
        """When the next row can be claimed; None when nothing waits."""
        return await self._read(queries.next_due)

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
        return await self._read(lambda db: queries.report(db, incident))

    async def incidents(self, *, open_only: bool = False, limit: int = 100, since: int | None = None) -> list[Incident]:
        """Newest first."""
        return await self._read(lambda db: queries.incidents(db, open_only=open_only, limit=limit, since=since))

    async def blinds(self, since: int) -> list[Blind]:
        """The spans in which Vigie could not see that were not over before `since`."""
        return await self._read(lambda db: queries.blinds(db, since))

    async def watched_since(self) -> dict[str, int]:
        """When the oldest whole result on record of each monitor was."""
        stored = await self._read(queries.watched_since)
        waiting = [*self._writing.details, *self._waiting.details]
        return {one.monitor: one.at for one in reversed(waiting)} | stored

    async def incident(self, incident_id: str) -> Incident | None:
        """One incident."""
        return await self._read(lambda db: queries.incident(db, incident_id))

    async def timeline(self, incident_id: str) -> list[TimelineEntry]:
        """Oldest first."""
        return await self._read(lambda db: queries.timeline(db, incident_id))

    async def deliveries(self, incident_id: str) -> list[Delivery]:
        """Every attempt at every notice of an incident, oldest first."""
        return await self._read(lambda db: queries.deliveries(db, incident_id))

    async def unsent(self) -> list[OutboxRow]:
        """What still has to be told."""
        return await self._read(lambda db: queries.outbox(db, "waiting"))

    async def buried(self) -> list[OutboxRow]:
        """What was given up."""
        return await self._read(lambda db: queries.outbox(db, "buried"))

    async def last_results(self) -> dict[str, CheckResult]:
        """The newest result of every watched monitor by monitor id, certificate chains left out."""
        if not self._looked_back:
            self._newest.fill(await self._read(queries.last_results))
            self._looked_back = True
        return self._newest.results()

    async def last_detail(self, monitor: str, *, good: bool, before: int) -> CheckResult | None:
        """The newest whole result of a monitor before `before`, good or bad."""
        waiting = [*self._writing.details, *self._waiting.details]
        found = [one for one in waiting if one.monitor == monitor and queries.is_good(one) is good and one.at < before]
        stored = await self._read(lambda db: queries.last_detail(db, monitor, good=good, before=before))
        return max([*reversed(found), *([stored] if stored else [])], key=lambda one: one.at, default=None)

    async def leave(self, monitor: str, event: Acked | Resolved) -> None:
        """Leave an event for the Vigie that is at work on this store."""
        await self._run(lambda db: queries.leave(db, monitor, event))

    async def left(self) -> list[tuple[str, Acked | Resolved]]:
        """Take what was left, oldest first."""
        return await self._run(queries.left)

    async def remark(self, remark: Remark) -> None:
        """Keep what a person said of an incident."""
        await self._run(lambda db: queries.remark(db, remark))

    async def remarks(self, incidents: Sequence[str]) -> list[Remark]:
        """What was said of these incidents, oldest first."""
        return await self._read(lambda db: queries.remarks(db, incidents))

    async def save_scores(self, scores: Scores) -> None:
        """Keep how a model did on the frozen incidents."""
        await self._run(lambda db: queries.save_scores(db, scores))

    async def scores(self, model: str) -> list[Scores]:
        """How a model did, newest first."""
        return await self._read(lambda db: queries.scores(db, model))

    async def jobs(self) -> dict[str, Job]:
        """Every watched job by monitor id."""
        return await self._read(pings.jobs)

    async def hear(self, hearings: Sequence[PingUpdate]) -> None:
        """Write what pings made of jobs, fsynced."""
        await self._run(lambda db: pings.hear(db, hearings))

    async def pings(self, monitor: str, limit: int = 100) -> list[Ping]:
        """The pings of a monitor, newest first."""
        return await self._read(lambda db: pings.newest(db, monitor, limit))

    async def leave_ping(self, monitor: str, ping: Ping) -> None:
        """Leave a ping for the Vigie that is at work on this store."""
        await self._run(lambda db: pings.leave(db, monitor, ping))

    async def left_pings(self) -> list[tuple[int, str, Ping]]:
        """What was left and not yet heard, oldest first."""
        return await self._read(pings.left)

    async def listening(self, at: int) -> None:
        """Somebody listens for pings."""
        await self._run(lambda db: pings.listening(db, at))

    async def listened(self) -> int | None:
        """When somebody last listened."""
        return await self._read(pings.listened)

    async def prune(self, now: int) -> int:
        """Drop what retention no longer keeps, in bites that let other writes pass; how many rows went."""
        gone = 0
        while bite := await self._run(lambda db: queries.prune(db, now)):
            gone += bite
        return gone

    async def close(self) -> None:
        """Commit what waits and close. Closing twice is harmless. Raises StoreError when what waited could not be written."""
        if self._closed:
            return
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            if self._waiting:
                await self._write(Commit(), durable=True)
        finally:
            self._closed = True
            await self._shut()

    async def _shut(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            if self._reader is not None:
                await loop.run_in_executor(self._reader, lambda: self._reading.close() if self._reading else None)
                self._reader.shutdown()
        finally:
            if self._writer is None:
                self._db.close()
            else:
                await loop.run_in_executor(self._writer, self._db.close)
                self._writer.shutdown()
