"""The alerts of a store, a page at a time, and everything on record of one."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from vigie.core.alert import AlertState
from vigie.core.model import Incident
from vigie.engine.messages import Composer
from vigie.engine.queries.incidents import StoredIncidents
from vigie.engine.queries.paging import check_limit, key_of, page_of, unknown
from vigie.ports import AlertFilter, AlertRow, Store
from vigie.queries import MAX_LIMIT, Page, accounts
from vigie.queries.alerts import EVERY, LISTED, AlertDetails, AlertView
from vigie.report.history import Remark

_KIND = "alert"


class StoredAlerts:
    """The AlertQueries port. `states` are the open alerts as a running Vigie knows them."""

    def __init__(self, store: Store, composer: Composer, states: Callable[[], Sequence[AlertState]] = tuple) -> None:
        self._archive, self._catalog, self._composer, self._states = store.archive, store.catalog, composer, states
        self._incidents = StoredIncidents(store)

    async def alerts(
        self,
        *,
        open_only: bool = False,
        monitor: str | None = None,
        wanted: AlertFilter = EVERY,
        cursor: str | None = None,
        limit: int = MAX_LIMIT,
    ) -> Page[AlertView]:
        """Newest first."""
        check_limit(limit)
        before = None if cursor is None else key_of(cursor, _KIND)
        if cursor is not None and before is not None and await self._archive.incident(before) is None:
            raise unknown(cursor)
        if open_only:
            wanted = replace(wanted, open_only=True)
        if monitor is not None:
            wanted = replace(wanted, monitors=(monitor,))
        rows = await self._archive.alerts(wanted, limit=limit + 1, before=before)
        said = await self._catalog.remarks([one.first.id for one in rows])
        known = {one.id: one for one in self._states()}
        return page_of([await self._view(one, said, known.get(one.first.id)) for one in rows], limit, _KIND, lambda one: one.first.id)

    async def _view(self, row: AlertRow, said: Sequence[Remark], state: AlertState | None) -> AlertView:
        several = 1 < row.size <= LISTED
        members = tuple(await self._archive.members(row.first.id)) if several else (row.first,)
        return _viewed(row.first, members, row.size, row.open, said, state)

    async def alert(self, alert: str) -> AlertDetails | None:
        """One of them, whole."""
        found = await self._archive.incident(alert)
        if found is None:
            return None
        first = found.alert or found.id
        details = await self._incidents.incident(first)
        if details is None:
            return None
        members = tuple(await self._archive.members(first)) or (details.incident,)
        state = next((one for one in self._states() if one.id == first), None)
        still = sum(one.closed_at is None for one in members)
        view = _viewed(details.incident, members, len(members), still, details.remarks, state)
        told = tuple(accounts(details.notices, details.deliveries))
        return AlertDetails(view, details, await self._composer.subject(details.incident), told, await self._catalog.review(first))


def _viewed(
    first: Incident, members: tuple[Incident, ...], size: int, still: int, said: Sequence[Remark], state: AlertState | None
) -> AlertView:
    acked = next((one.acked_by for one in (first, *members) if one.acked_by), None)
    noted = next((one for one in reversed(said) if one.incident == first.id and one.cause), None)
    snoozed = state.snoozed_until if state is not None else None
    return AlertView(first, members, size, still, (state.acked_by if state else None) or acked, snoozed, noted)
