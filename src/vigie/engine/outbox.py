"""The durable outbox: claim, send, then record; try again, fail over, or give up loudly. Every attempt is a row."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Self

from vigie.core.notification import OPENINGS, Notice, NoticeReason
from vigie.engine.alive import seen_through
from vigie.engine.channel_health import ChannelHealth
from vigie.engine.channel_health import Outcome as Health
from vigie.engine.failover import PATIENCE_MS, Failover
from vigie.engine.guarding import crashed
from vigie.engine.retry import to_retry
from vigie.engine.trouble import Trouble
from vigie.errors import DeliveryError, DeliveryReason, StoreError
from vigie.planning.backoff import LONGEST_WAIT_MS, retry_at
from vigie.ports import Archive, Clock, Commit, Delivery, Ledger, Notifier, OutboxRow, OutboxState, Receipt
from vigie.report import render
from vigie.report.facts import Message
from vigie.text.formatting import counted

log = logging.getLogger("vigie.outbox")

LEASE_MS = 60_000
_DEADLINE_SECONDS = 30.0
_GOOD_SECONDS = LEASE_MS / 1000 - _DEADLINE_SECONDS - 5.0  # of a claim, where others claim, too
_CLAIM = 32
_AT_ONCE = 4  # sends of one channel side by side
_IDLE_SECONDS = 5.0
_STUCK_SECONDS = 60.0
_REMEMBERED = 1_000
_LOOK_MS = 5_000  # between two looks whether a channel that others keep busy fails

Outcome = tuple[Delivery, DeliveryError | None]


class _Claim(NamedTuple):
    """When a row was claimed last, in seconds of the clock that never steps, and until when by the store's, where others claim, too."""

    at: float
    until: int | None


class Unsent(int):
    """How many notices were not delivered; `given_up` of them for good, the others wait for their next attempt."""

    given_up: int

    def __new__(cls, waiting: int, given_up: int) -> Self:
        """Of both together."""
        made = super().__new__(cls, waiting + given_up)
        made.given_up = given_up
        return made

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self - self.given_up


class _Time:
    """Epoch ms that never go back: what was put off while the clock was ahead does not wait for that time to come again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start = self._offset = clock.now() - round(clock.monotonic() * 1000)

    def now(self) -> int:
        """The latest that the clock ever said, and what has passed since."""
        self.reach(self._clock.now())
        return self._offset + round(self._clock.monotonic() * 1000)

    def reach(self, instant: int) -> None:
        """Be no earlier than this from now on."""
        self._offset = max(self._offset, instant - round(self._clock.monotonic() * 1000))

    def since(self, instant: int) -> int:
        """How long ago an instant was; jumps of the clock and the machine's sleep are left out, as far as this process can tell."""
        return min(self._clock.now(), self._start + round(self._clock.monotonic() * 1000)) - instant


class Outbox:
    """Sends what the store says must be told.

    `fallbacks` names the failover channels of a notice, `others` whom to notify that a channel fails (all other ones if not given).
    `store_now` is the clock of the store, by which claims end where other servers send, too. A claim is then good for so long that a send
    that begins ends before somebody else may claim the row; who has held one for longer, in a queue or because the process stood still,
    leaves it to be claimed anew.
    """

    def __init__(
        self,
        ledger: Ledger,
        archive: Archive,
        clock: Clock,
        notifiers: Mapping[str, Notifier],
        compose: Callable[[Notice], Awaitable[Message]],
        fallbacks: Callable[[Notice], tuple[str, ...]],
        others: Callable[[str], Sequence[Collection[str]]] | None = None,
        store_now: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        self._store_now = store_now
        self._ledger, self._archive, self._clock, self._notifiers = ledger, archive, clock, dict(notifiers)
        self._compose, self._failover = compose, Failover(ledger, archive, clock, fallbacks)
        self._health = ChannelHealth(ledger, archive, others or (lambda _: [self._notifiers]))
        self.looked_at = clock.monotonic()  # when it last saw to what is due
        self._time, self._is_right = _Time(clock), False
        self._woken = asyncio.Event()
        self._closing = False
        self._sending: set[asyncio.Task[None]] = set()
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._held: dict[str, _Claim] = {}  # by the keys of rows that were claimed here
        self._unrecorded: dict[str, Delivery] = {}  # sent, but the store could not be told so yet
        self._with_report: dict[tuple[str, str], None] = {}  # (incident, channel) whose page held the report already
        self._undeliverable = 0
        self._listeners: list[Callable[[Delivery], None]] = []
        self._books = asyncio.Lock()  # between claiming and recording, so that a row is never seen both unsent and not held

    def use(self, notifiers: Mapping[str, Notifier]) -> None:
        """The channels of a new configuration."""
        self._notifiers = dict(notifiers)

    def on_attempt(self, listener: Callable[[Delivery], None]) -> None:
        """Call back when an attempt was recorded."""
        self._listeners.append(listener)

    def wake(self) -> None:
        """Look again now."""
        self._woken.set()

    async def run(self) -> None:
        """Send for ever."""
        trouble = Trouble(log, "the outbox cannot be read")
        while True:
            self._woken.clear()
            wait: float | None = _IDLE_SECONDS
            with trouble.noted():
                await self._send_due()
                wait = await self._wait_seconds()
            try:
                async with asyncio.timeout(wait):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def retry_unsent(self, changed: Collection[str] = (), *, everything: bool = False) -> None:
        """Have unsent notices tried at once, as `to_retry` picks them: at a start, and when `changed` channels are in force.

        Raises StoreError.
        """
        now = self._time.now()
        keys = await to_retry(self._ledger, self._archive, now, self._notifiers, changed, everything=everything)
        if keys:
            await self._ledger.retry(keys, now)
            log.info("not sent yet: %s; tried again now", counted(len(keys), "notice", "en"))
            self.wake()

    async def drain(self, until_ms: int) -> Unsent:
        """Send what is due until nothing is, at most until `until_ms` (epoch); what was not delivered meanwhile."""
        until, given_up = self._time.now() + until_ms - self._clock.now(), self._undeliverable
        while (now := self._time.now()) < until:
            await self._send_due()
            due = await self._ledger.next_due()
            pause = max(min(until if due is None else due, until) - now, 1) / 1000
            if self._sending:
                await asyncio.wait(self._sending, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            elif due is None or due > until:
                break
            else:
                await self._clock.sleep(pause)
        return Unsent((await self._ledger.counts()).waiting, self._undeliverable - given_up)

    async def close(self, seconds: float | None = None) -> None:
        """Start no more sends, and wait for those under way: each has its own deadline.

        What takes longer than `seconds` is given up, and sent again once its lease has ended.
        """
        self._closing = True
        if self._sending:
            _, late = await asyncio.wait(self._sending, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _wait_seconds(self) -> float:
        due = await self._ledger.next_due()
        return _IDLE_SECONDS if due is None else min(max(due - self._time.now(), 1) / 1000, _IDLE_SECONDS)

    async def _send_due(self) -> None:
        """Every claimed notice is sent on its own, so that a stalled channel holds up no other."""
        await seen_through(self._start_due())  # else what is being claimed would wait for its lease to end

    async def _start_due(self) -> None:
        await self._set_right()
        async with self._books:
            await self._health.tick(self._time.now(), self._notifiers, anew=self._store_now is not None)
        async with self._books:
            claimed_at = self._clock.monotonic()
            held_at = None if self._store_now is None else await self._store_now()
            rows = await self._ledger.claim(self._time.now(), LEASE_MS, _CLAIM, held_at)
            # A row that is still held waits for its channel here: the claim has only renewed its lease.
            fresh = [row for row in rows if row.notice.key not in self._held]
            claim = _Claim(claimed_at, None if held_at is None else held_at + LEASE_MS)
            self._held.update((row.notice.key, claim) for row in rows)
        for row in fresh:
            task = asyncio.create_task(self._in_turn(row))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        self.looked_at = self._clock.monotonic()

    async def _set_right(self) -> None:
        """Once: what an earlier process put off while its clock was ahead is due, too."""
        if self._is_right:
            return
        farthest = max((row.due_at for row in await self._ledger.outbox(OutboxState.WAITING)), default=0)
        if farthest > self._time.now() + LONGEST_WAIT_MS + LEASE_MS:  # nothing is put off for so long
            log.warning("notices were delayed by a clock that ran ahead; sending them now")
            self._time.reach(farthest)
        self._is_right = True

    async def _in_turn(self, row: OutboxRow) -> None:
        slots = self._slots.setdefault(row.notice.channel, asyncio.Semaphore(_AT_ONCE))
        looking = asyncio.create_task(self._while_waiting(row)) if slots.locked() else None
        try:
            async with slots:
                if looking is not None:
                    looking.cancel()
                if not self._closing and not self._is_stale(row):
                    await self._send(row)
        finally:
            if looking is not None:
                looking.cancel()
            self._held.pop(row.notice.key, None)
            self._woken.set()

    def _is_stale(self, row: OutboxRow) -> bool:
        """Whether another server may have the row before a send that begins now has ended."""
        return self._store_now is not None and self._clock.monotonic() - self._held[row.notice.key].at > _GOOD_SECONDS

    async def _while_waiting(self, row: OutboxRow) -> None:
        """Fail over where others keep a channel that fails busy for so long that this notice cannot be tried in its time."""
        notice, announced = row.notice, self._health.is_announced
        while True:
            await self._clock.sleep(max(PATIENCE_MS - self._time.since(notice.at), _LOOK_MS) / 1000)
            if not self._health.fails(notice.channel):
                continue  # it is busy, or slow, but it delivers
            try:
                now, waits = self._time.now(), PATIENCE_MS + 1
                rows = await self._failover.rows(
                    notice, row.attempts, now, undeliverable=False, announced=announced(notice.channel), waits_ms=waits
                )
                if rows:
                    await seen_through(self._ledger.commit(Commit(outbox=tuple(rows))))
            except StoreError as error:
                log.error("%s: failover could not be recorded: %s. %s", notice.alert, error, error.fix)  # noqa: TRY400 - the trace says nothing more
                continue
            if rows:
                log.warning(
                    "%s: %s has waited for %s too long; by failover channels: %s",
                    notice.alert,
                    notice.reason,
                    notice.channel,
                    counted(len(rows), "notice", "en"),
                )
                self._woken.set()
            return

    async def _send(self, row: OutboxRow) -> None:
        notice, error = row.notice, None
        delivery = self._unrecorded.get(notice.key)
        if delivery is None:
            outcome = await self._attempt(row)
            if outcome is None:
                return
            delivery, error = outcome
        try:
            async with self._books:
                await self._record(row, delivery, error)
                self._held.pop(notice.key, None)
                self._unrecorded.pop(notice.key, None)
        except StoreError as found:
            if error is None:
                self._unrecorded[notice.key] = (
                    delivery  # not sent again for it, unless this process dies: twice with the same key beats never
                )
            log.error("%s: the outcome of %s could not be recorded: %s", notice.alert, notice.key, found)  # noqa: TRY400 - the trace says nothing more

    async def _attempt(self, row: OutboxRow) -> Outcome | None:
        """One attempt; None when the store could not be read: the lease ends, and the notice is tried again."""
        notice, started = row.notice, self._clock.monotonic()
        log.info("%s: sending %s by %s (attempt %d)", notice.alert, notice.reason, notice.channel, row.attempts + 1)
        error: DeliveryError | None = None
        receipt = Receipt("")
        try:
            receipt = await self._deliver(row)
        except DeliveryError as found:
            error = found
        except StoreError as found:
            # Not the channel's fault.
            log.error("%s: %s could not be read: %s. %s", notice.alert, notice.key, found, found.fix)  # noqa: TRY400 - the trace says nothing more
            return None
        except asyncio.CancelledError as found:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            error = crashed(found)  # a channel's own; nobody cancelled this send
        except Exception as found:  # a channel may raise anything; the notice is tried again all the same
            log.exception("%s: %s crashed", notice.alert, notice.channel)
            error = crashed(found)
        took = round((self._clock.monotonic() - started) * 1000)
        said, failure = (receipt.answer, None) if error is None else (error.message, error.reason)
        return Delivery.of(notice, self._clock.now(), row.attempts + 1, failure, said, took, receipt.reference), error

    async def _deliver(self, row: OutboxRow) -> Receipt:
        notice = row.notice
        notifier = self._notifiers.get(notice.channel)
        if notifier is None:
            words = f"channel {notice.channel} is no longer configured"
            raise DeliveryError(DeliveryReason.CONFIG, words, fix="name it under notify", permanent=True)
        if notice.reason is NoticeReason.REPORT and (notice.alert, notice.channel) in self._with_report:
            return Receipt("it was already in the alert")
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                message = await self._compose(notice)
                if not message.opens_thread:
                    message = replace(message, reference=await self._archive.reference(notice.alert, notice.channel))
                for line in (message.subject, *message.lines) if row.attempts == 0 else ():
                    log.info("%s: content: %s", notice.alert, line)
                receipt = await self._laid_out(notifier, message)
        except TimeoutError:
            raise DeliveryError(DeliveryReason.TIMEOUT, f"no answer within {_DEADLINE_SECONDS:g} s") from None
        if notice.reason in OPENINGS and message.analysis is not None:
            # A report that was stored while this page waited for its channel is to follow it, but it is in it.
            self._with_report = dict([*self._with_report.items(), ((notice.alert, notice.channel), None)][-_REMEMBERED:])
        return receipt

    async def _laid_out(self, notifier: Notifier, message: Message) -> Receipt:
        """Deliver; a channel that breaks over what a message says gets the least of it, since a notice must not be lost for its text."""
        try:
            return await notifier.deliver(message)
        except (DeliveryError, StoreError, OSError):  # TimeoutError is an OSError
            raise
        except Exception:
            log.exception("%s: the message could not be laid out; a minimal one is sent", message.thread)
            return await notifier.deliver(render.minimal(message))

    async def _record(self, row: OutboxRow, delivery: Delivery, error: DeliveryError | None) -> None:
        notice, now = row.notice, self._time.now()
        if error is None:
            health = await self._health.after(delivery, now, given_up=False)
            await self._booked(delivery, None, await self._failover.ends(notice, now), health)
            log.info("%s: %s delivered by %s: %s", notice.alert, notice.reason, notice.channel, delivery.answer)
            return
        waited = self._time.since(notice.at)
        again = retry_at(now, notice, delivery.attempt, waited, permanent=error.permanent, retry_after_ms=error.retry_after_ms)
        there = notice.channel in self._notifiers  # one that is no longer configured does not fail
        health = await self._health.after(delivery, now, given_up=again is None) if there else None
        announced = self._health.is_announced(notice.channel) or (health is not None and health.decision is not None)
        waits = waited + (again or now) - now
        rows = await self._failover.rows(notice, delivery.attempt, now, undeliverable=again is None, announced=announced, waits_ms=waits)
        if not await self._booked(delivery, again, rows, health):
            words = "%s: %s by %s failed: %s; another server has taken the notice over"
            log.warning(words, notice.alert, notice.reason, notice.channel, error.message)
            return
        fix = f" ({error.fix})" if error.fix else ""
        if again is None:
            self._undeliverable += 1
            log.critical("%s: %s by %s is UNDELIVERABLE: %s%s", notice.alert, notice.reason, notice.channel, error.message, fix)
        else:
            wait = (again - now) / 1000
            log.error("%s: %s failed: %s%s; next attempt in %.0f s", notice.alert, notice.channel, error.message, fix, wait)

    async def _booked(self, delivery: Delivery, again: int | None, rows: Sequence[OutboxRow], health: Health | None) -> bool:
        """One transaction: the attempt, what becomes of its notice, and what it makes of its channel; whether it counts."""
        until = self._held[delivery.key].until
        if health is None:
            counts = await self._ledger.record(delivery, again, rows, held_until=until)
        else:
            counts = await self._ledger.record(delivery, again, [*rows, *health.rows], health.state, until)
            if counts:
                self._health.adopt(health)
        for listener in self._listeners if counts else ():
            listener(delivery)
        return counts

    def is_stuck(self) -> bool:
        """Whether nothing that is due goes out: nobody sees to it, or no channel has worked for long."""
        idle = self._clock.monotonic() - self.looked_at > _STUCK_SECONDS
        return idle or self._health.stuck(self._notifiers, self._time.now())
