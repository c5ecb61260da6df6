"""Who is notified instead, when a channel cannot be reached."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from vigie.core.notification import Notice, NoticeReason
from vigie.ports import Archive, Clock, Delivery, Ledger, OutboxRow, OutboxState

PATIENCE_MS = 60_000  # a notice whose next attempt would come later than this after it arose is not left to its channel alone
_FAIL_OVER_AFTER = 3
_ENDS = (NoticeReason.RECOVERED, NoticeReason.CLOSED, NoticeReason.STABLE, NoticeReason.RESUMED, NoticeReason.AGENT_HEARD)
_FRESH_SECONDS = 1.0
_REMEMBERED = 1_000


class Failover:
    """Finds what the failover channels are to be notified of. `fallbacks` names them."""

    def __init__(self, ledger: Ledger, archive: Archive, clock: Clock, fallbacks: Callable[[Notice], tuple[str, ...]]) -> None:
        self._ledger, self._archive, self._clock, self._fallbacks = ledger, archive, clock, fallbacks
        self._unsent: dict[str, list[Notice]] = {}
        self._read_at = float("-inf")
        self._said: dict[tuple[str, str], None] = {}  # (alert, channel) of notices that one was undeliverable, newest last

    async def rows(
        self, notice: Notice, attempt: int, now: int, *, undeliverable: bool, announced: bool = False, waits_ms: int = 0
    ) -> list[OutboxRow]:
        """The notice, and those that wait behind it for the same channel, for the failover channels. Raises StoreError.

        Each of them once, and only what it is not notified of anyway. From the third failure on, so that a recovery that comes
        while the channel is still dead is announced too; sooner where the next attempt comes so late that `waits_ms`, the time from the
        notice until then, is above `PATIENCE_MS`. A failover notice has no failover of its own: all channels were asked at once.
        That a notice is undeliverable is said unless the channel's failure was `announced`.
        """
        others = [other for other in self._fallbacks(notice) if other != notice.channel]
        patient = not undeliverable and attempt < _FAIL_OVER_AFTER and waits_ms <= PATIENCE_MS
        if patient or not others or not _is_first_hand(notice):
            return []
        unsent = [one for one in await self._waiting(notice) if _is_first_hand(one)]
        known = {(one.reason, one.number, one.channel) for one in unsent}
        deliveries = await self._archive.deliveries(notice.alert)
        known |= {(one.reason, one.number, one.channel) for one in deliveries if not one.failover_for}
        stuck = [one for one in unsent if one.channel == notice.channel]
        over = {channel for reason, _, channel in known if reason in _ENDS}  # knows the end: nothing before it may follow
        found = [
            OutboxRow(replace(one, channel=other, failover_for=one.channel), now)
            for one in stuck
            for other in others
            if other not in over and (one.reason, one.number, other) not in known
        ]
        if undeliverable and not announced and not await self._was_said(notice, deliveries):
            found.append(OutboxRow(_said_so(notice, others[0], now), now))
            self._said = dict([*self._said.items(), ((notice.alert, notice.channel), None)][-_REMEMBERED:])
        return found

    async def ends(self, notice: Notice, now: int) -> list[OutboxRow]:
        """The end of an alert, which this channel was notified of, for the channels that replaced it before. Raises StoreError.

        Whoever was called about an outage is called off, and an incident that a service opened for it is closed.
        """
        if notice.reason not in _ENDS or not _is_first_hand(notice) or not self._fallbacks(notice):
            return []
        replaced = [one for one in await self._archive.deliveries(notice.alert) if one.failover_for == notice.channel]
        told = dict.fromkeys(one.channel for one in replaced if not one.failure and one.reason is not NoticeReason.UNDELIVERABLE)
        return [OutboxRow(replace(notice, channel=other, failover_for=notice.channel), now) for other in told]

    async def _was_said(self, notice: Notice, deliveries: Sequence[Delivery]) -> bool:
        """Whether somebody was, or will be, notified that this channel fails for this alert: once is enough, however much it lost."""
        if (notice.alert, notice.channel) in self._said:
            return True
        waiting = await self._waiting(notice)
        said = [(one.reason, one.failover_for) for one in waiting] + [
            (one.reason, one.failover_for) for one in deliveries if not one.failure
        ]
        return (NoticeReason.UNDELIVERABLE, notice.channel) in said

    async def _waiting(self, notice: Notice) -> list[Notice]:
        """What waits for this alert, as it was a second ago at most: a dead channel fails for thousands at once."""
        fresh = self._clock.monotonic() - self._read_at < _FRESH_SECONDS
        if not fresh or all(one.key != notice.key for one in self._unsent.get(notice.alert, ())):
            self._unsent = {}
            for row in await self._ledger.outbox(OutboxState.WAITING):
                self._unsent.setdefault(row.notice.alert, []).append(row.notice)
            self._read_at = self._clock.monotonic()
        return self._unsent.get(notice.alert, [])


def _is_first_hand(notice: Notice) -> bool:
    return not notice.failover_for and notice.reason is not NoticeReason.UNDELIVERABLE


def _said_so(notice: Notice, channel: str, now: int) -> Notice:
    """What one failover channel is notified of: that this notice could not be delivered."""
    return replace(notice, channel=channel, reason=NoticeReason.UNDELIVERABLE, at=now, about=notice.reason, failover_for=notice.channel)
