"""`serve` watches itself from a thread: its loop, what writes results, and the prober process. What stands still is notified at once.

The thread depends on none of them: it sends by the channels itself, on a loop of its own, after committing the notices as far as the
store lets it. docs/decisions/0051 says what it cannot see.
"""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vigie.core.notification import Notice, NoticeReason
from vigie.core.subject import VIGIE_ID, SubjectKind
from vigie.engine.guarding import guarded
from vigie.errors import DeliveryError, DeliveryReason, StoreError, VigieError
from vigie.ports import Clock, Commit, Delivery, Ledger, Notifier, OutboxRow, OutboxState, Store
from vigie.report.facts import Message
from vigie.report.stalls import THREADS, Part, thread

log = logging.getLogger("vigie.stalls")

_TICK_SECONDS = 1.0
_LATE_SECONDS, _GRACE_SECONDS = 5.0, 30.0  # a tick so late means that this thread stood still too; then all get time to go on
_COMMIT_SECONDS, _SEND_SECONDS, _AGAIN_SECONDS, _TRIES = 5.0, 30.0, 30.0, 20
_LEASE_MS = 180_000  # the outbox leaves what is sent here alone for so long


@dataclass(frozen=True, slots=True)
class Watched:
    """A part: `silent` tells for how many seconds it has stood still, and from `limit` on that is notified."""

    part: Part
    silent: Callable[[], float]
    limit: float


@dataclass(frozen=True, slots=True)
class Channels:
    """Whom to notify: the channels by name, those that come first, and the message of a notice."""

    notifiers: Mapping[str, Notifier]
    first: Sequence[str]
    compose: Callable[[Notice], Message]


@dataclass(slots=True)
class Stall:
    """A part that stands still. `told`: the channels that were notified, or will be; no more of them once it is `over`.

    `recorded` is set when the first notices are on the disk, or cannot be.
    """

    part: Part
    since: int
    over: threading.Event = field(default_factory=threading.Event)
    recorded: threading.Event = field(default_factory=threading.Event)
    told: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, channels: Iterable[str]) -> bool:
        """Have these notified, unless it is over."""
        with self._lock:
            if not self.over.is_set():
                self.told.update(channels)
            return not self.over.is_set()

    def end(self) -> None:
        """It is over."""
        with self._lock:
            self.over.set()

    def notice(self, channel: str, reason: NoticeReason, at: int) -> Notice:
        """A notice about it."""
        return Notice(thread(self.part, self.since), VIGIE_ID, channel, reason, at, subject=SubjectKind.VIGIE)


class StallWatch:
    """The thread. `watched` come in the order of who keeps the others from going on; `resumed` is called on the loop.

    `channels` builds fresh ones for a loop of their own, `store` opens the store for this thread.
    """

    def __init__(
        self,
        clock: Clock,
        watched: Sequence[Watched],
        channels: Callable[[], Channels],
        store: Callable[[], Store],
        resumed: Callable[[Stall, int], Awaitable[None]],
    ) -> None:
        self._clock, self._watched, self._channels, self._store, self._resumed = clock, watched, channels, store, resumed
        self._stalls: dict[Part, Stall] = {}
        self._ended = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._tasks: set[asyncio.Future[None]] = set()

    def start(self) -> None:
        """Begin to watch the loop that this is called on."""
        self._loop, self._loop_thread = asyncio.get_running_loop(), threading.get_ident()
        threading.Thread(target=self._run, name="vigie-stalls", daemon=True).start()

    def stop(self) -> None:
        """Watch no longer."""
        self._ended.set()
        for stall in self._stalls.values():
            stall.end()

    @property
    def stalled(self) -> tuple[Part, ...]:
        """What stands still now."""
        return tuple(self._stalls)

    def _run(self) -> None:
        ticked, free_at = time.monotonic(), 0.0
        while not self._ended.wait(_TICK_SECONDS):
            now = time.monotonic()
            if now - ticked > _TICK_SECONDS + _LATE_SECONDS:
                free_at = now + _GRACE_SECONDS  # a suspended machine, a stopped process, or one without any processor
            ticked = now
            if now < free_at:
                continue
            try:
                self._look()
            except Exception:  # whatever it is: the watch goes on
                log.exception("the watch over Vigie itself failed")

    def _look(self) -> None:
        """Whoever comes first and stands still keeps the others from going on."""
        blocked = False
        for one in self._watched:
            silent, known = one.silent(), self._stalls.get(one.part)
            if silent < one.limit and known is not None:
                self._end(self._stalls.pop(one.part))
            elif silent >= one.limit and known is None and not blocked:
                self._begin(one.part, silent)
            blocked = blocked or silent >= one.limit

    def _begin(self, part: Part, silent: float) -> None:
        stall = self._stalls[part] = Stall(part, self._clock.now() - round(silent * 1000))
        where = f"; it is blocked in {_place(self._loop_thread)}" if part is Part.LOOP else ""
        log.critical("Vigie has stalled: the %s has stood still for %.0f s%s; a notice is sent", part, silent, where)
        threading.Thread(target=self._notify, args=(stall,), name=f"vigie-stalled-{part}", daemon=True).start()

    def _end(self, stall: Stall) -> None:
        stall.end()
        log.warning("the %s goes on after %.0f s", stall.part, (self._clock.now() - stall.since) / 1000)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._say_so, stall, self._clock.now())

    def _say_so(self, stall: Stall, at: int) -> None:
        task = asyncio.ensure_future(self._resumed(stall, at))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _notify(self, stall: Stall) -> None:
        try:
            asyncio.run(_sent(stall, self._channels(), self._clock, _Book(self._store, self._clock)))
        except Exception:  # nobody else would say so
            log.exception("that Vigie has stalled could not be notified")
        finally:
            stall.recorded.set()


def _place(ident: int) -> str:
    """Where a thread is, innermost frame of ours or not: `file.py:12 in function`."""
    frame = sys._current_frames().get(ident)  # noqa: SLF001 - the documented way to another thread's stack
    if frame is None:
        return "no known place"
    last = traceback.extract_stack(frame)[-1]
    return f"{last.filename}:{last.lineno} in {last.name}"


class _Book:
    """The ledger, as far as it can be used: whatever it does, sending goes on."""

    def __init__(self, opened: Callable[[], Store], clock: Clock) -> None:
        self._opened, self._clock = opened, clock

    def write(self, work: Callable[[Store], Awaitable[None]]) -> None:
        """Do it in a thread that is not waited for longer than a few seconds."""

        def run() -> None:
            try:
                asyncio.run(self._done(work))
            except (VigieError, OSError) as error:
                log.error("that Vigie has stalled could not be recorded: %s", error)  # noqa: TRY400 - the trace says nothing more

        writing = threading.Thread(target=run, name="vigie-stalled-record", daemon=True)
        writing.start()
        writing.join(_COMMIT_SECONDS)

    async def _done(self, work: Callable[[Store], Awaitable[None]]) -> None:
        store = self._opened()
        try:
            await work(store)
        finally:
            await store.close()


async def _sent(stall: Stall, channels: Channels, clock: Clock, book: _Book) -> None:
    """Notify by the first channels, or by the others where none of them works; again until one does, or it is over."""
    now = clock.now()
    first = [name for name in channels.first if name in channels.notifiers]
    others = [name for name in channels.notifiers if name not in channels.first]
    for attempt in range(1, _TRIES + 1):
        for group in filter(None, (first, others)):
            if not stall.tell(group):
                return
            notices = [stall.notice(name, NoticeReason.STALLED, now) for name in group]
            if attempt == 1:
                _recorded(notices, now + _LEASE_MS, book)
                stall.recorded.set()
            if await _delivered(notices, channels, clock, book, attempt):
                return
        if await asyncio.to_thread(stall.over.wait, _AGAIN_SECONDS):
            return  # what was committed is sent by the outbox


def _recorded(notices: Sequence[Notice], due_at: int, book: _Book) -> None:
    """Before anything is sent: a Vigie that is killed meanwhile knows at its next start who was notified."""
    rows = tuple(OutboxRow(one, due_at) for one in notices)
    book.write(lambda store: store.ledger.commit(Commit(outbox=rows)))


async def _delivered(notices: Sequence[Notice], channels: Channels, clock: Clock, book: _Book, attempt: int) -> bool:
    """Whether any of these channels took it."""
    found = await asyncio.gather(*(_attempt(one, channels, clock, attempt) for one in notices))
    for one in found:
        if one.failure is None:
            log.critical("%s: delivered by %s: %s", one.key, one.channel, one.answer)
        else:
            log.error("%s: %s failed: %s", one.key, one.channel, one.answer)

    async def record(store: Store) -> None:
        for one in found:
            await store.ledger.record(one, None if one.failure is None else clock.now() + _LEASE_MS)

    if found:
        book.write(record)
    return any(one.failure is None for one in found)


async def _attempt(notice: Notice, channels: Channels, clock: Clock, attempt: int) -> Delivery:
    started, failure, answer, reference = clock.monotonic(), None, "", ""
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            receipt = await guarded(channels.notifiers[notice.channel].deliver(channels.compose(notice)))
        answer, reference = receipt.answer, receipt.reference
    except TimeoutError:
        failure, answer = str(DeliveryReason.TIMEOUT), f"no answer within {_SEND_SECONDS:g} s"
    except VigieError as error:
        failure = str(error.reason if isinstance(error, DeliveryError) else DeliveryReason.OTHER)
        answer = error.message
    return Delivery.of(notice, clock.now(), attempt, failure, answer, round((clock.monotonic() - started) * 1000), reference)


async def say_resumed(stall: Stall, at: int, record: Callable[[Commit, Sequence[Notice]], Awaitable[None]]) -> None:
    """On the loop: whoever was notified of the stall is notified that it is over, and afterwards."""
    await asyncio.to_thread(stall.recorded.wait, _COMMIT_SECONDS)
    try:
        await record(Commit(), [stall.notice(name, NoticeReason.RESUMED, at) for name in sorted(stall.told)])
    except StoreError as error:
        log.error("that Vigie goes on could not be recorded: %s. %s", error, error.fix)  # noqa: TRY400 - the trace says nothing more


async def end_earlier(ledger: Ledger, record: Callable[[Commit, Sequence[Notice]], Awaitable[None]], now: int) -> None:
    """Notify of its end whoever an earlier process notified of a stall that it did not outlive. Raises StoreError.

    Called at a start. Failover channels are notified by the outbox, with the channel that they replaced.
    """
    known = [one for one in await ledger.notices(threads=THREADS) if not one.row.notice.failover_for]
    ended = {(one.row.notice.alert, one.row.notice.channel) for one in known if one.row.notice.reason is NoticeReason.RESUMED}
    stalled = [one.row.notice for one in known if one.row.notice.reason is NoticeReason.STALLED and one.state is not OutboxState.DROPPED]
    if lasting := [replace(one, reason=NoticeReason.RESUMED, at=now) for one in stalled if (one.alert, one.channel) not in ended]:
        await record(Commit(), lasting)
        unsent = [one.row.notice.key for one in known if one.state is OutboxState.WAITING]
        await ledger.retry(unsent, now)  # the process that held them is gone, and the end comes after them
        log.warning("Vigie works again: the stall of an earlier process is over (%s)", ", ".join(sorted({one.alert for one in lasting})))
