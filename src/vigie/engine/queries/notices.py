"""The notices of a store."""

from vigie.ports import Ledger, OutboxCounts


class StoredNotices:
    """The NoticeQueries port."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def counts(self) -> OutboxCounts:
        """How many wait and how many could not be delivered."""
        return await self._ledger.counts()
