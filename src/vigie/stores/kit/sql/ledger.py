"""The ledger of a store over SQL: commits grouped, and made durable by what they carry.

What decided something (a timeline entry, an incident, a notice, a command, a state that is otherwise than before) is fsynced before the
call returns, as are deliveries and reports. Plain results, cursors and states that only count on wait up to a second and are written
in one go: after a crash at most that second of measurements is missing, and no decision. While commits come, at least one in ten
seconds is fsynced, whatever it carries.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence

from vigie.core.model import CheckResult
from vigie.errors import StoreError, StoreFault
from vigie.observation.channel import ChannelState
from vigie.ports import Commit, Delivery, Lease, OutboxCounts, OutboxRow, OutboxState, Snapshot, StoredNotice, StoredReport
from vigie.stores.kit.sql import commit, outbox
from vigie.stores.kit.sql.cache import Cache
from vigie.stores.kit.sql.catalog import monitor_numbers
from vigie.stores.kit.sql.db import Db
from vigie.stores.kit.sql.locations import location_numbers
from vigie.stores.kit.sql.waiting import merged
from vigie.stores.kit.sql.worker import Worker

log = logging.getLogger("vigie.store")

GROUP_SECONDS = 1.0
FULL_SECONDS = 10.0
_AGAIN_SECONDS = 5.0
_LEFT = "what was measured last is left to the server that leads now: %s"


class SqlLedger:
    """The Ledger port. `now` is the clock of the store, epoch ms."""

    def __init__(self, worker: Worker, cache: Cache, monotonic: Callable[[], float], now: Callable[[Db], int]) -> None:
        self._worker, self._cache, self._monotonic, self._now = worker, cache, monotonic, now
        self._lock = asyncio.Lock()  # one write at a time: what fails is put back before a newer one is written
        self._flush_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._full_at = float("-inf")
        self._lease: Lease | None = None
        self._closed = False

    async def next_run(self) -> int:
        """A number larger than at any earlier start."""
        return await self._worker.run(lambda db: commit.next_run(db, self._now(db)))

    def fence(self, lease: Lease | None) -> None:
        """Refuse every commit from now on, unless this lease still has its holder and epoch."""
        self._lease = lease

    async def load(self) -> Snapshot:
        """What is on the disk, and what waits for it."""
        waiting = self._cache.waiting
        states, cursors, baselines = waiting.states, waiting.cursors, waiting.baselines
        stored, self._cache.numbers, self._cache.locations = await self._worker.run(_loaded)  # another process may have added some
        waiting.wrote(stored.states.values())
        return Snapshot(
            {**stored.states, **states}, stored.alerts, stored.incidents, {**stored.cursors, **cursors}, {**stored.baselines, **baselines}
        )

    async def commit(self, change: Commit) -> None:
        """Write it whole; fsynced before it returns when it decided something, else within a second."""
        self._worker.check_open()
        if self._cache.waiting.may(change):
            self._cache.waiting.add(change)
            self._flush_in(GROUP_SECONDS)
        else:
            await self._seen_through(change)
        self._cache.newest.take(change.results)
        self._cache.latest.take(change.packed)
        if change.watched is not None:
            self._cache.newest.keep({monitor.id for monitor in change.watched})
            self._cache.latest.keep({self._cache.numbers[one.id] for one in change.watched if one.id in self._cache.numbers})

    async def flush(self) -> None:
        """Have what waits written and fsynced."""
        self._worker.check_open()
        await self._seen_through(Commit())

    async def _seen_through(self, change: Commit) -> None:
        """Write `change` and what waits, to the end even if the caller gives up meanwhile."""
        task = asyncio.get_running_loop().create_task(self._write(change, durable=True))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # it was raised to the caller, or the caller gave up

    async def _write(self, change: Commit, *, durable: bool) -> None:
        """Write `change` and what waits; if that fails, the latter waits again, and the former is the caller's to bring again."""
        cache = self._cache
        async with self._lock:
            cache.writing = cache.waiting.take()
            whole, numbers, locations, newest = merged(cache.writing, change), cache.numbers, cache.locations, cache.newest.to_write()
            lease, durable = self._lease, durable or self._monotonic() - self._full_at > FULL_SECONDS
            try:
                fresh = await self._worker.run(lambda db: commit.write(db, whole, newest, numbers, locations, lease, durable=durable))
            except StoreError as error:
                if error.fault is not StoreFault.FENCED:
                    self._put_back(newest)
                raise
            except BaseException:
                self._put_back(newest)
                raise
            finally:
                cache.writing = Commit()
            cache.numbers = cache.numbers if fresh.monitors is None else fresh.monitors
            cache.locations = fresh.locations
            cache.waiting.wrote(whole.states)
            if durable:
                self._full_at = self._monotonic()

    def _put_back(self, newest: Sequence[CheckResult]) -> None:
        """What was to be written waits again."""
        self._cache.waiting.put_back(self._cache.writing)
        self._cache.newest.not_written(newest)

    def _flush_in(self, seconds: float) -> None:
        if self._flush_timer is None:
            self._flush_timer = asyncio.get_running_loop().call_later(seconds, self._start_flush)

    def _start_flush(self) -> None:
        self._flush_timer = None
        task = asyncio.get_running_loop().create_task(self._flush())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _flush(self) -> None:
        if self._cache.waiting:
            try:
                await self._write(Commit(), durable=False)
            except StoreError as error:
                if error.fault is StoreFault.FENCED:
                    log.warning(_LEFT, error)
                    return
                # A full disk heals; until then measurements wait in memory.
                log.error("measurements are buffered in memory (%s): %s. %s", error.fault, error, error.fix)  # noqa: TRY400 - the trace says nothing more
                self._flush_in(_AGAIN_SECONDS)

    async def claim(self, now: int, lease_ms: int, limit: int, held_at: int | None = None) -> list[OutboxRow]:
        """Due rows that nobody holds, oldest first."""
        return await self._worker.run(lambda db: outbox.claim(db, now, lease_ms, limit, held_at))

    async def next_due(self) -> int | None:
        """When the next row can be claimed; None when nothing waits."""
        return await self._worker.read(outbox.next_due)

    async def record(
        self,
        delivery: Delivery,
        retry_at: int | None = None,
        then: Sequence[OutboxRow] = (),
        channel: ChannelState | None = None,
        held_until: int | None = None,
    ) -> bool:
        """Record an attempt and what becomes of its row; the key stays, so that it is never sent again."""
        return await self._worker.run(lambda db: outbox.record(db, delivery, retry_at, then, channel, held_until))

    async def save_channel(self, channel: ChannelState, then: Sequence[OutboxRow] = ()) -> None:
        """Keep what is known of a channel, with the notices about it."""
        await self._worker.run(lambda db: outbox.save_channel(db, channel, then))

    async def retry(self, keys: Collection[str], now: int) -> None:
        """Have these rows tried by `now`."""
        await self._worker.run(lambda db: outbox.retry(db, keys, now))

    async def drop(self, keys: Collection[str], by: str, now: int) -> None:
        """Give these rows up where they are unsent, and keep who did."""
        await self._worker.run(lambda db: outbox.drop(db, keys, by, now))

    async def notices(
        self,
        *,
        alert: str | None = None,
        threads: str | None = None,
        states: Collection[OutboxState] | None = None,
        channel: str | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> list[StoredNotice]:
        """The newest rows, oldest of them first."""
        return await self._worker.read(lambda db: outbox.notices(db, alert, threads, states, channel, before, limit))

    async def save_report(self, report: StoredReport, now: int, follow_ups: Sequence[OutboxRow]) -> None:
        """Keep the report, and join it to the opening notice or let it follow."""
        await self._worker.run(lambda db: outbox.save_report(db, report, now, follow_ups))

    async def outbox(self, state: OutboxState, alert: str | None = None) -> list[OutboxRow]:
        """The rows in one state, oldest first."""
        return await self._worker.read(lambda db: outbox.outbox(db, state, alert))

    async def counts(self) -> OutboxCounts:
        """How many rows wait and how many could not be delivered."""
        return await self._worker.read_now(outbox.counts)

    async def close(self) -> None:
        """Commit what waits and close. Closing twice is harmless. Raises StoreError when what waited could not be written."""
        if self._closed:
            return
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            if self._cache.waiting or self._cache.newest.unwritten:
                await self._write(Commit(), durable=True)
        except StoreError as error:
            if error.fault is not StoreFault.FENCED:
                raise
            log.warning(_LEFT, error)
        finally:
            self._closed = True
            await self._worker.close()


def _loaded(db: Db) -> tuple[Snapshot, dict[str, int], dict[str, int]]:
    return commit.load(db), monitor_numbers(db), location_numbers(db)
