"""Alerts as their readers see them: a thread of notices about one or more incidents, named by the incident that began it."""

from dataclasses import dataclass
from typing import Protocol

from vigie.core.model import Incident
from vigie.queries import MAX_LIMIT, IncidentDetails, Page
from vigie.report.deliveries import Account


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert: the incident that began it, and all its members in the order in which they joined, the first one among them.

    `acked_by` acknowledged it; `snoozed_until` is epoch ms.
    """

    first: Incident
    members: tuple[Incident, ...]
    acked_by: str | None = None
    snoozed_until: int | None = None

    @property
    def open(self) -> tuple[Incident, ...]:
        """The members that are not over."""
        return tuple(one for one in self.members if one.closed_at is None)


@dataclass(frozen=True, slots=True)
class AlertDetails:
    """Everything on record of an alert: that of the incident that began it, and what became of every notice, oldest first."""

    alert: AlertView
    details: IncidentDetails
    ledger: tuple[Account, ...] = ()


class AlertQueries(Protocol):
    """The alerts. Raises StoreError; VigieError for a cursor or limit, as in `vigie.queries`."""

    async def alerts(
        self, *, open_only: bool = False, monitor: str | None = None, cursor: str | None = None, limit: int = MAX_LIMIT
    ) -> Page[AlertView]:
        """Newest first; those with a member of one monitor alone, where it is given."""

    async def alert(self, alert: str) -> AlertDetails | None:
        """One of them, whole; None when there is no such alert. The id of any member finds it."""
