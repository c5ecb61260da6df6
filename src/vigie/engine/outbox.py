"""The durable outbox: claim, send, then record; try again, fall back, or bury loudly. Every attempt is a row."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from vigie.core.model import Notice, NoticeReason
from vigie.core.report.facts import Message
from vigie.core.routing import retry_at
from vigie.errors import DeliveryError, DeliveryReason, StoreError
from vigie.ports import Clock, Delivery, Notifier, OutboxRow, Store

log = logging.getLogger("vigie.outbox")

LEASE_MS = 60_000
_DEADLINE_SECONDS = 30.0
_CLAIM = 32
_AT_ONCE = 4  # sends of one channel side by side
_IDLE_SECONDS = 5.0
_FALL_BACK_AFTER = 3
_INSTEAD = ":instead:"


class Outbox:
    """Sends what the store says must be told. `fallbacks` names the channels that stand in for a notice's own."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        notifiers: Mapping[str, Notifier],
        compose: Callable[[Notice], Awaitable[Message]],
        fallbacks: Callable[[Notice], tuple[str, ...]],
    ) -> None:
        self._store, self._clock, self._notifiers = store, clock, dict(notifiers)
        self._compose, self._fallbacks = compose, fallbacks
        self._anchor = clock.now() - round(clock.monotonic() * 1000)
        self._woken = asyncio.Event()
        self._closing = False
        self._sending: set[asyncio.Task[None]] = set()
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._held: set[str] = set()
        self._books = asyncio.Lock()  # between claiming and recording, so that a row is never seen both unsent and not held

    def use(self, notifiers: Mapping[str, Notifier]) -> None:
        """The channels of a new configuration."""
        self._notifiers = dict(notifiers)

    def wake(self) -> None:
        """Look again now."""
        self._woken.set()

    async def run(self) -> None:
        """Send for ever."""
        while True:
            self._woken.clear()
            try:
                await self._send_due()
                wait = await self._wait_seconds()
            except StoreError as error:
                log.error("the outbox cannot be read: %s. %s", error, error.fix)  # noqa: TRY400 - the trace says nothing more
                wait = _IDLE_SECONDS
            try:
                async with asyncio.timeout(wait):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def drain(self, until_ms: int) -> int:
        """Send what is due until nothing is, at most until `until_ms` (epoch); how many notices stay unsent."""
        until = self._now() + until_ms - self._clock.now()
        while (left := until - self._now()) > 0:
            await self._send_due()
            if self._sending:
                await asyncio.wait(self._sending, timeout=left / 1000, return_when=asyncio.FIRST_COMPLETED)
                continue
            due = await self._store.next_due()
            if due is None or due > until:
                break
            await self._clock.sleep(max(due - self._now(), 1) / 1000)
        return len(await self._store.unsent())

    async def close(self) -> None:
        """Start no more sends, and wait for those under way; each has its own deadline."""
        self._closing = True
        if self._sending:
            await asyncio.wait(self._sending)

    def _now(self) -> int:
        """Epoch ms that never step back: a page must not wait because somebody set the clock back."""
        return max(self._clock.now(), self._anchor + round(self._clock.monotonic() * 1000))

    async def _wait_seconds(self) -> float:
        due = await self._store.next_due()
        return _IDLE_SECONDS if due is None else min(max(due - self._now(), 1) / 1000, _IDLE_SECONDS)

    async def _send_due(self) -> None:
        """Every claimed notice is sent on its own, so that a stalled channel holds up no other."""
        async with self._books:
            rows = await self._store.claim(self._now(), LEASE_MS, _CLAIM)
            # A row that is still held waits for its channel here: the claim has only renewed its lease.
            fresh = [row for row in rows if row.notice.key not in self._held]
            self._held.update(row.notice.key for row in fresh)
        for row in fresh:
            task = asyncio.create_task(self._in_turn(row))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _in_turn(self, row: OutboxRow) -> None:
        try:
            async with self._slots.setdefault(row.notice.channel, asyncio.Semaphore(_AT_ONCE)):
                if not self._closing:
                    await self._send(row)
        finally:
            self._held.discard(row.notice.key)
            self._woken.set()

    async def _send(self, row: OutboxRow) -> None:
        notice, started = row.notice, self._clock.monotonic()
        log.info("%s: sending %s by %s (attempt %d)", notice.incident, notice.reason, notice.channel, row.attempts + 1)
        error: DeliveryError | None = None
        answer = ""
        try:
            answer = await self._deliver(row)
        except DeliveryError as found:
            error = found
        except StoreError as found:
            # Not the channel's fault: the lease ends, and the notice is tried again.
            log.error("%s: %s could not be read: %s. %s", notice.incident, notice.key, found, found.fix)  # noqa: TRY400 - the trace says nothing more
            return
        except Exception as found:  # a channel may raise anything; the notice is tried again all the same
            log.exception("%s: %s broke", notice.incident, notice.channel)
            error = DeliveryError(DeliveryReason.OTHER, f"{type(found).__name__}: {found}")
        delivery = Delivery(
            key=notice.key,
            channel=notice.channel,
            at=self._clock.now(),
            attempt=row.attempts + 1,
            reason=error.reason if error else None,
            answer=error.message if error else answer,
            duration_ms=round((self._clock.monotonic() - started) * 1000),
        )
        try:
            async with self._books:
                await self._record(row, delivery, error)
                self._held.discard(notice.key)
        except StoreError as found:
            # The lease ends and the notice is sent again: twice with the same key beats never.
            log.error("%s: what became of %s could not be recorded: %s", notice.incident, notice.key, found)  # noqa: TRY400 - the trace says nothing more

    async def _deliver(self, row: OutboxRow) -> str:
        notice = row.notice
        notifier = self._notifiers.get(notice.channel)
        if notifier is None:
            words = f"channel {notice.channel} is not configured any more"
            raise DeliveryError(DeliveryReason.CONFIG, words, fix="name it under notify", permanent=True)
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                message = await self._compose(notice)
                for line in (message.subject, *message.lines) if row.attempts == 0 else ():
                    log.info("%s: content: %s", notice.incident, line)
                return await notifier.deliver(message)
        except TimeoutError:
            raise DeliveryError(DeliveryReason.TIMEOUT, f"no answer within {_DEADLINE_SECONDS:g} s") from None

    async def _record(self, row: OutboxRow, delivery: Delivery, error: DeliveryError | None) -> None:
        notice = row.notice
        if error is None:
            await self._store.delivered(delivery)
            log.info("%s: %s delivered by %s: %s", notice.incident, notice.reason, notice.channel, delivery.answer)
            return
        now = self._now()
        again = retry_at(now, notice, delivery.attempt, permanent=error.permanent, retry_after_ms=error.retry_after_ms)
        await self._store.failed(delivery, again, await self._instead(notice, delivery.attempt, now, buried=again is None))
        fix = f" ({error.fix})" if error.fix else ""
        if again is None:
            log.critical("%s: %s by %s is BURIED: %s%s", notice.incident, notice.reason, notice.channel, error.message, fix)
        else:
            wait = (again - now) / 1000
            log.error("%s: %s failed: %s%s; next try in %.0f s", notice.incident, notice.channel, error.message, fix, wait)

    async def _instead(self, notice: Notice, attempt: int, now: int, *, buried: bool) -> list[OutboxRow]:
        """What the channels that stand in are to tell: this notice, and those that wait behind it for the same channel.

        Each of them once, and only what it is not told anyway. From the third failure on, so that a recovery that comes
        while the channel is still dead is told too. Nothing stands in for a stand-in: all of them were asked at once.
        """
        others = [other for other in self._fallbacks(notice) if other != notice.channel]
        second_hand = _INSTEAD in notice.key or notice.reason is NoticeReason.BURIED
        if second_hand or not others or (not buried and attempt < _FALL_BACK_AFTER):
            return []
        unsent = [row.notice for row in await self._store.unsent() if row.notice.incident == notice.incident]
        told = {one.key for one in await self._store.deliveries(notice.incident)} | {one.key for one in unsent}
        first_hand = [one for one in unsent if _INSTEAD not in one.key and one.reason is not NoticeReason.BURIED]
        stuck = [one for one in first_hand if one.channel == notice.channel]
        pairs = [(one, one.key.rpartition(":")[0], other) for one in stuck for other in others]
        found = [
            OutboxRow(replace(one, key=f"{first}{_INSTEAD}{other}", channel=other), now)
            for one, first, other in pairs
            if f"{first}:{other}" not in told
        ]
        if buried:
            loud = replace(notice, key=f"{notice.key}:buried:{others[0]}", channel=others[0], reason=NoticeReason.BURIED, at=now)
            found.append(OutboxRow(loud, now))
        return found
