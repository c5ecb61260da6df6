"""Who is told instead, when a channel cannot be reached."""

from collections.abc import Callable
from dataclasses import replace

from vigie.core.notification import Notice, NoticeReason
from vigie.ports import Archive, Clock, Ledger, OutboxRow, OutboxState

_FALL_BACK_AFTER = 3
_INSTEAD = ":instead:"
_FRESH_SECONDS = 1.0


class Failover:
    """Finds what the channels that stand in are to tell. `fallbacks` names them."""

    def __init__(self, ledger: Ledger, archive: Archive, clock: Clock, fallbacks: Callable[[Notice], tuple[str, ...]]) -> None:
        self._ledger, self._archive, self._clock, self._fallbacks = ledger, archive, clock, fallbacks
        self._unsent: dict[str, list[Notice]] = {}
        self._read_at = float("-inf")

    async def rows(self, notice: Notice, attempt: int, now: int, *, buried: bool) -> list[OutboxRow]:
        """The notice, and those that wait behind it for the same channel, for the channels that stand in. Raises StoreError.

        Each of them once, and only what it is not told anyway. From the third failure on, so that a recovery that comes
        while the channel is still dead is told too. Nothing stands in for a stand-in: all of them were asked at once.
        """
        others = [other for other in self._fallbacks(notice) if other != notice.channel]
        second_hand = _INSTEAD in notice.key or notice.reason is NoticeReason.BURIED
        if second_hand or not others or (not buried and attempt < _FALL_BACK_AFTER):
            return []
        unsent = await self._waiting(notice)
        told = {one.key for one in await self._archive.deliveries(notice.incident)} | {one.key for one in unsent}
        first_hand = [one for one in unsent if _INSTEAD not in one.key and one.reason is not NoticeReason.BURIED]
        stuck = [one for one in first_hand if one.channel == notice.channel]
        pairs = [(one, one.key.removesuffix(f":{one.channel}"), other) for one in stuck for other in others]
        found = [
            OutboxRow(replace(one, key=f"{first}{_INSTEAD}{other}", channel=other), now)
            for one, first, other in pairs
            if f"{first}:{other}" not in told
        ]
        if buried:
            loud = replace(notice, key=f"{notice.key}:buried:{others[0]}", channel=others[0], reason=NoticeReason.BURIED, at=now)
            found.append(OutboxRow(loud, now))
        return found

    async def _waiting(self, notice: Notice) -> list[Notice]:
        """What waits for this incident, as it stood a second ago at most: a dead channel fails for thousands at once."""
        fresh = self._clock.monotonic() - self._read_at < _FRESH_SECONDS
        if not fresh or all(one.key != notice.key for one in self._unsent.get(notice.incident, ())):
            self._unsent = {}
            for row in await self._ledger.outbox(OutboxState.WAITING):
                self._unsent.setdefault(row.notice.incident, []).append(row.notice)
            self._read_at = self._clock.monotonic()
        return self._unsent.get(notice.incident, [])
