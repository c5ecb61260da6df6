"""The notices of a store, and the channels that they go by."""

from collections.abc import Collection

from vigie.engine.queries.paging import check_limit, key_of, page_of
from vigie.observation.channel import ChannelState
from vigie.ports import Archive, Ledger, OutboxCounts, OutboxState
from vigie.queries import MAX_LIMIT, NoticeView, Page, accounts
from vigie.report.deliveries import Account

_KIND = "notice"


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

    async def notices(
        self,
        *,
        states: Collection[OutboxState] | None = None,
        channel: str | None = None,
        alert: str | None = None,
        cursor: str | None = None,
        limit: int = MAX_LIMIT,
    ) -> Page[NoticeView]:
        """Newest first."""
        check_limit(limit)
        before = None if cursor is None else key_of(cursor, _KIND)
        found = await self._ledger.notices(alert=alert, states=states, channel=channel, before=before, limit=limit + 1)
        page = page_of(found[::-1], limit, _KIND, lambda one: one.row.notice.key)
        attempts = await self._archive.attempts([one.row.notice.key for one in page.items])
        return Page(tuple(NoticeView(one.row, one.state, attempts.get(one.row.notice.key)) for one in page.items), page.next)

    async def failing(self) -> list[ChannelState]:
        """The channels that have been failing for so long that the others were notified."""
        found = await self._archive.channels()
        return [found[name] for name in sorted(found) if (spell := found[name].failing) is not None and spell.announced_at is not None]
