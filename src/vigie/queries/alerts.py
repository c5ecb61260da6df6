"""Alerts as their readers see them: a thread of notices about one or more incidents, named by the incident that began it."""

from dataclasses import dataclass
from typing import Protocol

from vigie.core.model import Incident
from vigie.ports import AlertFilter, StoredReview
from vigie.queries import MAX_LIMIT, IncidentDetails, Page
from vigie.report.deliveries import Account
from vigie.report.facts import Subject
from vigie.report.history import Remark

LISTED = 50  # members: an alert in a list that has more names the first one alone
EVERY = AlertFilter()


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert: the incident that began it, and its members in the order in which they joined, the first one among them.

    In a list, one with more than `LISTED` members has the first alone; `size` and `open_count` are right everywhere.
    `acked_by` acknowledged it; `snoozed_until` is epoch ms. `noted` is the newest remark in which a person named the real cause.
    """

    first: Incident
    members: tuple[Incident, ...]
    size: int = 1
    open_count: int = 0
    acked_by: str | None = None
    snoozed_until: int | None = None
    noted: Remark | None = None

    @property
    def open(self) -> tuple[Incident, ...]:
        """The members that are not over."""
        return tuple(one for one in self.members if one.closed_at is None)

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.open_count > 0

    @property
    def ended_at(self) -> int | None:
        """When the last of the members was over, epoch ms; None while one is open."""
        return None if self.is_open else max((one.closed_at or one.opened_at for one in self.members), default=None)


@dataclass(frozen=True, slots=True)
class AlertDetails:
    """Everything on record of an alert: that of the incident that began it, and what became of every notice, oldest first.

    `subject` is what its report is about. `review` is the post-incident report as a person last left it.
    """

    alert: AlertView
    details: IncidentDetails
    subject: Subject
    ledger: tuple[Account, ...] = ()
    review: StoredReview | None = None


class AlertQueries(Protocol):
    """The alerts. Raises StoreError; VigieError for a cursor or limit, as in `vigie.queries`."""

    async def alerts(
        self,
        *,
        open_only: bool = False,
        monitor: str | None = None,
        wanted: AlertFilter = EVERY,
        cursor: str | None = None,
        limit: int = MAX_LIMIT,
    ) -> Page[AlertView]:
        """Newest first; those with a member of one monitor alone, where it is given, and those that a filter asks for."""

    async def alert(self, alert: str) -> AlertDetails | None:
        """One of them, whole; None when there is no such alert. The id of any member finds it."""
