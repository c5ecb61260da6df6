"""The incidents of a store, and everything on record of one."""

from vigie.core.model import CheckResult, Incident
from vigie.engine.queries.paging import check_limit, key_of, page_of, unknown
from vigie.planning.maintenance import MaintenanceSpan
from vigie.ports import OutboxState, Store
from vigie.queries import MAX_LIMIT, IncidentDetails, Page

_KIND = "incident"
_MAX_PINGS = 5
_EVER = 2**63 - 1


class StoredIncidents:
    """The IncidentQueries port."""

    def __init__(self, store: Store) -> None:
        self._ledger, self._archive, self._inbox, self._catalog = store.ledger, store.archive, store.inbox, store.catalog

    async def incidents(self, *, open_only: bool = False, cursor: str | None = None, limit: int = MAX_LIMIT) -> Page[Incident]:
        """Newest first."""
        check_limit(limit)
        before = None if cursor is None else key_of(cursor, _KIND)
        if cursor is not None and before is not None and await self._archive.incident(before) is None:
            raise unknown(cursor)
        found = await self._archive.incidents(open_only=open_only, limit=limit + 1, before=before)
        return page_of(found, limit, _KIND, lambda one: one.id)

    async def incident(self, incident: str) -> IncidentDetails | None:
        """One of them, whole."""
        found = await self._archive.incident(incident)
        if found is None:
            return None
        alert = found.alert or found.id
        notices = await self._ledger.notices(alert=alert)
        return IncidentDetails(
            incident=found,
            timeline=tuple(await self._archive.timeline(found.id)),
            report=await self._archive.report(alert),
            deliveries=tuple(await self._archive.deliveries(alert)),
            waiting=tuple(one.row for one in notices if one.state is OutboxState.WAITING),
            remarks=tuple(await self._catalog.remarks([found.id])),
            failure=await self._failure(found),
            maintenance=await self._maintenance(found),
            pings=tuple(await self._inbox.pings(found.monitor, _MAX_PINGS)),
            notices=tuple(notices),
            members=tuple(one for one in await self._archive.members(alert) if one.id != found.id),
        )

    async def _maintenance(self, incident: Incident) -> tuple[MaintenanceSpan, ...]:
        """The planned work on the monitor while the incident lasted."""
        spans = await self._archive.maintained(incident.started_at)
        end = _EVER if incident.closed_at is None else incident.closed_at
        return tuple(one for one in spans if one.concerns(incident.monitor) and one.start <= end)

    async def _failure(self, incident: Incident) -> CheckResult | None:
        """The newest failed check of an incident that was kept whole."""
        before = _EVER if incident.closed_at is None else incident.closed_at + 1
        found = await self._archive.last_detail(incident.monitor, good=False, before=before)
        return found if found is not None and found.at >= incident.started_at else None
