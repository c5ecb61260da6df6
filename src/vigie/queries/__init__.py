"""The ports of the read side: what pages, the API, the command line and metrics ask. Nothing here changes anything.

Lists come in pages. A cursor is an opaque text that says where the next page begins: items that were there when the first page was read
come exactly once, whatever is added meanwhile. Every method raises StoreError; one that takes a cursor or a limit also raises VigieError
for a cursor that none of its pages gave, and for a limit that is not within 1 to `MAX_LIMIT`.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from vigie.core.detection import Severity
from vigie.core.model import CheckResult, Incident, Monitor, Status
from vigie.observation.availability import AvailabilitySummary
from vigie.observation.channel import ChannelState
from vigie.observation.heartbeat import Ping
from vigie.observation.locations import Sightings
from vigie.planning.maintenance import InMaintenance, MaintenanceSpan
from vigie.ports import DROPPED, Delivery, OutboxCounts, OutboxRow, OutboxState, StoredNotice, StoredReport, TimelineEntry
from vigie.report.deliveries import Account, Attempt, Fate
from vigie.report.history import Remark

if TYPE_CHECKING:
    from vigie.queries.history import HistoryQueries

T = TypeVar("T")

MAX_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list. `next` is the cursor of the page after it; None at the end."""

    items: tuple[T, ...]
    next: str | None = None


async def collected(read: Callable[[str | None, int], Awaitable[Page[T]]], count: int | None = None) -> list[T]:
    """Every item of a list, or the first `count` (at least 1), a page at a time; `read` is given the cursor and the limit of each page."""
    found: list[T] = []
    cursor: str | None = None
    while True:
        page = await read(cursor, MAX_LIMIT if count is None else min(count - len(found), MAX_LIMIT))
        found += page.items
        cursor = page.next
        if cursor is None or len(found) == count:
            return found


class MonitorState(StrEnum):
    """How a monitor is for its reader, worst first: what an incident confirms is told apart from what one check saw.

    What is in maintenance is neither well nor in trouble, whatever its checks see meanwhile.
    """

    DOWN = "down"
    SUSPECTED = "suspected"  # the newest check failed, no incident confirms it yet
    DEGRADED = "degraded"
    RECOVERING = "recovering"  # good again, the incident is not closed yet
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"
    NONE = "none"  # not checked yet
    UP = "up"


@dataclass(frozen=True, slots=True)
class MonitorView:
    """A monitor, its newest result (None before the first), its open incidents, an outage before a degradation, and planned work on it.

    Where several locations check it, `seen` is what each sees, `verdict` what they come to, and the result one that bears it out.
    """

    monitor: Monitor
    result: CheckResult | None = None
    incidents: tuple[Incident, ...] = ()
    maintenance: InMaintenance | None = None
    verdict: Status | None = None
    seen: Sightings = ()

    @property
    def incident(self) -> Incident | None:
        """The worst open incident."""
        return self.incidents[0] if self.incidents else None

    @property
    def status(self) -> Status | None:
        """The newest status; None before the first check."""
        return self.verdict or (self.result.status if self.result else None)

    @property
    def state(self) -> MonitorState:
        """How it is."""
        if self.maintenance is not None:
            return MonitorState.MAINTENANCE
        outage = self.incident is not None and self.incident.severity is Severity.OUTAGE
        match self.status:
            case None:
                return MonitorState.NONE
            case Status.DOWN:
                return MonitorState.DOWN if outage else MonitorState.SUSPECTED
            case Status.DEGRADED:
                return MonitorState.RECOVERING if outage else MonitorState.DEGRADED
            case Status.UP:
                return MonitorState.RECOVERING if self.incident else MonitorState.UP
            case _:
                return MonitorState.UNKNOWN


@dataclass(frozen=True, slots=True)
class IncidentDetails:
    """Everything on record of one incident; lists are oldest first, `pings` newest first.

    `members` are the other incidents of its alert, `deliveries` the attempts at the alert's notices, `waiting` those still to be sent,
    `notices` all. `failure` is the newest whole result of a failed check in it; `maintenance` is planned work on its monitor meanwhile.
    `pings` are the newest ones of the job, where the monitor is a job that reports in.
    """

    incident: Incident
    timeline: tuple[TimelineEntry, ...] = ()
    report: StoredReport | None = None
    deliveries: tuple[Delivery, ...] = ()
    waiting: tuple[OutboxRow, ...] = ()
    remarks: tuple[Remark, ...] = ()
    failure: CheckResult | None = None
    pings: tuple[Ping, ...] = ()
    maintenance: tuple[MaintenanceSpan, ...] = ()
    notices: tuple[StoredNotice, ...] = ()
    members: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice, what has become of it, and the newest attempt, or the entry that says who dropped it."""

    row: OutboxRow
    state: OutboxState
    last: Delivery | None = None


def accounts(notices: Iterable[StoredNotice], deliveries: Sequence[Delivery]) -> list[Account]:
    """What is on record of each notice, as `report.deliveries` tells its story."""
    found = []
    for one in notices:
        notice = one.row.notice
        ours = [delivery for delivery in deliveries if delivery.key == notice.key]
        dropped = next((delivery for delivery in ours if delivery.failure == DROPPED), None)
        attempts = tuple(Attempt(delivery.at, delivery.failure or "", delivery.answer) for delivery in ours if delivery is not dropped)
        account = Account(
            notice.channel, notice.reason, notice.at, Fate(one.state.value), attempts, one.row.due_at, notice.failover_for
        )  # fmt: skip
        found.append(account if dropped is None else replace(account, dropped_by=dropped.answer, dropped_at=dropped.at))
    return found


@dataclass(frozen=True, slots=True)
class Health:
    """Vigie's own health. Instants are epoch ms; `late_p99_ms` is how late checks start, None before that is known.

    `monitors` counts the watched monitors by their newest status (None: not checked yet), `with_incident` those with an open incident.
    `stalled`: results have stopped coming in. `unchecked` are the monitors that have not been checkable for long, by a fault of Vigie's.
    """

    version: str
    started_at: int
    now: int
    last_result_at: int | None
    notices: OutboxCounts
    monitors: Mapping[Status | None, int]
    with_incident: int
    stalled: bool
    late_p99_ms: int | None = None
    unchecked: tuple[str, ...] = ()  # names

    @property
    def ok(self) -> bool:
        """Whether Vigie itself works: results come in."""
        return not self.stalled


class MonitorQueries(Protocol):
    """The watched monitors."""

    async def monitors(
        self, *, tag: str | None = None, state: MonitorState | None = None, cursor: str | None = None, limit: int = MAX_LIMIT
    ) -> Page[MonitorView]:
        """In the order of their ids; those with a tag or in a state alone, where that is asked for."""


class IncidentQueries(Protocol):
    """The incidents."""

    async def incidents(self, *, open_only: bool = False, cursor: str | None = None, limit: int = MAX_LIMIT) -> Page[Incident]:
        """Newest first."""

    async def incident(self, incident: str) -> IncidentDetails | None:
        """One of them, whole; None when there is no such incident."""


class AvailabilityQueries(Protocol):
    """How available monitors were."""

    async def availability(self, monitors: Sequence[str], start: int, end: int) -> dict[str, AvailabilitySummary]:
        """Of these monitors (at most `MAX_LIMIT`) over [start, end), epoch ms, by id; one never watched in the period is left out."""


class NoticeQueries(Protocol):
    """The notices."""

    async def counts(self) -> OutboxCounts:
        """How many wait and how many could not be delivered; costs the same however many there are."""

    async def accounts(self, alert: str) -> list[Account]:
        """What is on record of each notice of an alert, in the order they were queued."""

    async def notices(
        self,
        *,
        states: Collection[OutboxState] | None = None,
        channel: str | None = None,
        alert: str | None = None,
        cursor: str | None = None,
        limit: int = MAX_LIMIT,
    ) -> Page[NoticeView]:
        """Newest first, each with the newest attempt at it; those in these states, of one channel or one alert, where that is asked for."""

    async def failing(self) -> list[ChannelState]:
        """The channels that have been failing for so long that the others were notified, by name."""


class HealthQueries(Protocol):
    """How Vigie itself is, where it runs."""

    async def health(self) -> Health:
        """Costs the same however much is stored: it reads no table that grows, and waits for no other query."""


class Queries(Protocol):
    """What can be asked of a store, whether Vigie runs on it or not."""

    @property
    def monitors(self) -> MonitorQueries:
        """The watched monitors."""

    @property
    def incidents(self) -> IncidentQueries:
        """The incidents."""

    @property
    def availability(self) -> AvailabilityQueries:
        """How available monitors were."""

    @property
    def history(self) -> "HistoryQueries":
        """What was measured."""

    @property
    def notices(self) -> NoticeQueries:
        """The notices."""
