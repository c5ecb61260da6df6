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
_IDLE_SECONDS = 5.0
_FALL_BACK_AFTER = 3


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
        self._woken = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()

    def use(self, notifiers: Mapping[str, Notifier]) -> None:
        """The channels of a new configuration."""
        self._notifiers = dict(notifiers)

    def wake(self) -> None:
        """Look again now."""
        self._woken.set()

    async def run(self) -> None:
        """Send for ever."""
        while True:
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
            self._woken.clear()

    async def drain(self, until_ms: int) -> int:
        """Send what is due until nothing is, at most until `until_ms` (epoch); how many notices stay unsent."""
        while self._clock.now() < until_ms:
            await self._send_due()
            if self._sending:
                await asyncio.wait(self._sending)
                continue
            due = await self._store.next_due()
            if due is None or due > until_ms:
                break
            await self._clock.sleep(max(due - self._clock.now(), 1) / 1000)
        return len(await self._store.unsent())

    async def close(self) -> None:
        """Wait for what is being sent; each has its own deadline."""
        if self._sending:
            await asyncio.wait(self._sending)

    async def _wait_seconds(self) -> float:
        due = await self._store.next_due()
        return _IDLE_SECONDS if due is None else min(max(due - self._clock.now(), 1) / 1000, _IDLE_SECONDS)

    async def _send_due(self) -> None:
        """Every claimed notice is sent on its own, so that a stalled channel holds up no other."""
        for row in await self._store.claim(self._clock.now(), LEASE_MS, _CLAIM):
            task = asyncio.create_task(self._send(row))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, row: OutboxRow) -> None:
        notice, started = row.notice, self._clock.monotonic()
        log.info("%s: sending %s by %s (attempt %d)", notice.incident, notice.reason, notice.channel, row.attempts + 1)
        error: DeliveryError | None = None
        answer = ""
        try:
            answer = await self._deliver(notice)
        except DeliveryError as found:
            error = found
        except Exception as found:
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
            await self._record(row, delivery, error)
        except StoreError as found:
            # The lease ends and the notice is sent again: twice with the same key beats never.
            log.error("%s: what became of %s could not be recorded: %s", notice.incident, notice.key, found)  # noqa: TRY400 - the trace says nothing more
        self._woken.set()

    async def _deliver(self, notice: Notice) -> str:
        notifier = self._notifiers.get(notice.channel)
        if notifier is None:
            message = f"channel {notice.channel} is not configured any more"
            raise DeliveryError(DeliveryReason.CONFIG, message, fix="name it under notify", permanent=True)
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                return await notifier.deliver(await self._compose(notice))
        except TimeoutError:
            raise DeliveryError(DeliveryReason.TIMEOUT, f"no answer within {_DEADLINE_SECONDS:g} s") from None

    async def _record(self, row: OutboxRow, delivery: Delivery, error: DeliveryError | None) -> None:
        notice = row.notice
        if error is None:
            await self._store.delivered(delivery)
            log.info("%s: %s told by %s: %s", notice.incident, notice.reason, notice.channel, delivery.answer)
            return
        now = self._clock.now()
        again = retry_at(now, notice, delivery.attempt, permanent=error.permanent, retry_after_ms=error.retry_after_ms)
        await self._store.failed(delivery, again, self._instead(notice, delivery.attempt, now, buried=again is None))
        fix = f" ({error.fix})" if error.fix else ""
        if again is None:
            log.critical("%s: %s by %s is BURIED: %s%s", notice.incident, notice.reason, notice.channel, error.message, fix)
        else:
            wait = (again - now) / 1000
            log.error("%s: %s failed: %s%s; next try in %.0f s", notice.incident, notice.channel, error.message, fix, wait)

    def _instead(self, notice: Notice, attempt: int, now: int, *, buried: bool) -> list[OutboxRow]:
        """The same notice by the channels that stand in: after some failures, and at the latest when it is buried."""
        if not buried and attempt != _FALL_BACK_AFTER:
            return []
        first, channel = notice.key.rpartition(":")[0], notice.channel
        others = [other for other in self._fallbacks(notice) if other != channel]
        found = [OutboxRow(replace(notice, key=f"{first}:for-{channel}:{other}", channel=other), now) for other in others]
        if buried and notice.reason is not NoticeReason.BURIED and others:
            loud = replace(notice, key=f"{notice.key}:buried:{others[0]}", channel=others[0], reason=NoticeReason.BURIED, at=now)
            found.append(OutboxRow(loud, now))
        return found
