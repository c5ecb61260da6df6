"""The side of the store that says what happened: incidents, reports, whole results."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from vigie.core.detection import Severity
from vigie.core.events import Decision
from vigie.core.model import Cause, CheckResult, Incident
from vigie.observation.channel import ChannelState
from vigie.observation.visibility import Blind
from vigie.planning.maintenance import MaintenanceSpan
from vigie.ports.outbox import Delivery
from vigie.report.facts import Analysis, Bundle


@dataclass(frozen=True, slots=True)
class StoredReport:
    """The evidence and what was made of it. `analysis` is None when the plain report stands; `fault` says why in one line."""

    incident: str
    bundle: Bundle
    analysis: Analysis | None
    fault: str | None
    made_at: int


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One decision about an incident, as it was taken."""

    incident: str
    at: int
    decision: Decision


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert in a list: the incident that began it, how many its members are, and how many of them are open."""

    first: Incident
    size: int = 1
    open: int = 0


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts are asked for; None and False ask for no less. `monitors`: those with a member that is about one of these.

    `causes` and `severity` are those of the incident that began it.
    """

    open_only: bool = False
    over_only: bool = False
    monitors: Collection[str] | None = None
    causes: Collection[Cause] | None = None
    severity: Severity | None = None


class Archive(Protocol):
    """What happened: incidents, reports, whole results; mostly read. Raises StoreError and nothing else, from any task."""

    async def incidents(
        self,
        *,
        open_only: bool = False,
        limit: int = 100,
        since: int | None = None,
        before: str | None = None,
        monitors: Collection[str] | None = None,
    ) -> list[Incident]:
        """Newest first by when they were opened, those of one instant by when they were first written, so that the order never changes.

        Where given: those that were not over before `since`, epoch ms; those that come after the incident `before` in this order; those
        of these monitors.
        """

    async def outages(self, since: int, monitors: Collection[str] | None = None) -> dict[str, list[tuple[int, int | None]]]:
        """(began, ended) of each outage that was not over before `since`, in the order of their beginnings, by monitor."""

    async def incident(self, incident_id: str) -> Incident | None:
        """One incident."""

    async def alerts(self, wanted: AlertFilter, *, limit: int = 100, before: str | None = None) -> list[AlertRow]:
        """Newest first by when they began, in the order of `incidents`; those that come after the alert `before`, where it is given."""

    async def members(self, alert: str) -> list[Incident]:
        """The incidents of an alert, in the order in which they joined it: the first one is the one that began it, whose id it has."""

    async def timeline(self, incident_id: str) -> list[TimelineEntry]:
        """Oldest first: its own entries, and those about the whole alert (written under the alert's id) while it was a member."""

    async def deliveries(self, alert: str) -> list[Delivery]:
        """Every attempt at every notice of an alert, oldest first."""

    async def attempts(self, keys: Collection[str]) -> dict[str, Delivery]:
        """The newest attempt at each of these notices, by its key."""

    async def channels(self) -> dict[str, ChannelState]:
        """What is known of each channel that ever failed, by name."""

    async def reference(self, alert: str, channel: str) -> str:
        """What the provider calls the first message of this thread that this channel took; empty where it said nothing."""

    async def report(self, incident: str) -> StoredReport | None:
        """The newest report of an incident."""

    async def last_results(self, monitors: Collection[str] | None = None, *, anew: bool = False) -> dict[str, CheckResult]:
        """The newest whole result of every monitor by monitor id (details of a plain good check may be older than its time).

        Of these monitors alone, where they are given. `anew`: with what other servers took in since the last look.
        """

    async def newest_everywhere(self, monitors: Collection[str] | None = None) -> dict[str, tuple[CheckResult, ...]]:
        """The newest result from each location, by its name, of watched monitors that have results from several.

        Of these monitors alone, where they are given.
        """

    async def newest(self, monitor: str, location: str) -> CheckResult | None:
        """The newest result of a watched monitor from one location.

        Of a good one the facts that people would call changed (addresses, certificate, status…) are those of that very check, sizes and
        other headers at most ten minutes older; a crash may cost the facts of the last second. No certificate but the server's.
        """

    async def last_detail(self, monitor: str, *, good: bool, before: int, location: str | None = None) -> CheckResult | None:
        """The newest whole result of a monitor before `before`, good or bad; from one location, or from any."""

    async def activity(self, limit: int = 200) -> list[int]:
        """When results were taken in lately, epoch ms, newest first: an instant for each commit, or group of commits, that had any."""

    async def recorded(self, since: int, after: int = 0) -> tuple[list[CheckResult], int]:
        """A few thousand results of [since, ∞), epoch ms, in the order in which they were taken in; those that were kept whole are whole.

        The number asks for the next ones as `after`; 0: there are no more.
        """

    async def watched_since(self) -> dict[str, int]:
        """When each monitor was first checked, epoch ms: when the first whole result was, which is remembered when it is dropped."""

    async def blinds(self, since: int) -> list[Blind]:
        """The spans in which Vigie could not see that were not over before `since`, epoch ms; oldest number first."""

    async def maintained(self, since: int) -> list[MaintenanceSpan]:
        """The spans of maintenance that were not over before `since`, epoch ms, in the order of their beginnings."""

    async def prune(self, now: int) -> int:
        """Drop what retention no longer keeps; how many rows went."""
