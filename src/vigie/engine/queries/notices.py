"""The notices of a store, and the channels that they go by."""

from vigie.observation.channel import ChannelState
from vigie.ports import Archive, Ledger, OutboxCounts
from vigie.queries import accounts
from vigie.report.deliveries import Account


class StoredNotices:
    """The NoticeQueries port."""

    def __init__(self, ledger: Ledger, archive: Archive) -> None:
        self._ledger, self._archive = ledger, archive

    async def counts(self) -> OutboxCounts:
        """How many wait and how many could not be delivered."""
        return await self._ledger.counts()

    async def accounts(self, alert: str) -> list[Account]:
        """What is on record of each notice of an alert."""
        return accounts(await self._ledger.notices(alert=alert), await self._archive.deliveries(alert))

    async def failing(self) -> list[ChannelState]:
        """The channels that have been failing for so long that the others were notified."""
        found = await self._archive.channels()
        return [found[name] for name in sorted(found) if (spell := found[name].failing) is not None and spell.announced_at is not None]
