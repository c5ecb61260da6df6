"""The archive in memory."""

from collections.abc import Collection
from dataclasses import replace
from typing import get_args

from vigie.core.detection import Severity
from vigie.core.events import AlertDecision, Joined
from vigie.core.model import CheckResult, Incident
from vigie.observation.channel import ChannelState
from vigie.observation.visibility import Blind
from vigie.planning.maintenance import MaintenanceSpan
from vigie.ports import AlertFilter, AlertRow, Delivery, StoredReport, TimelineEntry
from vigie.testing.memory.data import Data

_KEEP_MS = 400 * 86_400_000


def _concerns(entry: TimelineEntry, incident: Incident) -> bool:
    """Whether an entry is about the whole alert, at a time when an incident was a member of it."""
    kind = type(entry.decision)
    if entry.incident != incident.alert or kind is Joined or kind not in get_args(AlertDecision):
        return False
    return incident.opened_at <= entry.at and (incident.closed_at is None or entry.at <= incident.closed_at)


class MemoryArchive:
    """The Archive port without a disk."""

    def __init__(self, data: Data) -> None:
        self._data = data

    async def incidents(
        self,
        *,
        open_only: bool = False,
        limit: int = 100,
        since: int | None = None,
        before: str | None = None,
        monitors: Collection[str] | None = None,
    ) -> list[Incident]:
        """Newest first."""
        self._data.check()
        found = list(reversed(self._data.incidents.values()))
        found.sort(key=lambda one: -one.opened_at)
        if before is not None:
            found = found[next((place + 1 for place, one in enumerate(found) if one.id == before), len(found)) :]
        found = [one for one in found if one.closed_at is None or not open_only]
        found = [one for one in found if since is None or one.closed_at is None or one.closed_at >= since]
        return [one for one in found if monitors is None or one.monitor in monitors][:limit]

    async def outages(self, since: int, monitors: Collection[str] | None = None) -> dict[str, list[tuple[int, int | None]]]:
        """(began, ended) of each outage that was not over before an instant."""
        self._data.check()
        found: dict[str, list[tuple[int, int | None]]] = {}
        for one in sorted(self._data.incidents.values(), key=lambda one: one.started_at):
            over = one.closed_at is not None and one.closed_at < since
            if one.severity is Severity.OUTAGE and not over and (monitors is None or one.monitor in monitors):
                found.setdefault(one.monitor, []).append((one.started_at, one.closed_at))
        return found

    async def incident(self, incident_id: str) -> Incident | None:
        """One incident."""
        self._data.check()
        return self._data.incidents.get(incident_id)

    async def alerts(self, wanted: AlertFilter, *, limit: int = 100, before: str | None = None) -> list[AlertRow]:
        """Newest first."""
        firsts = [one for one in await self.incidents(limit=len(self._data.incidents), before=before) if one.alert == one.id]
        rows = [self._row(one) for one in firsts]
        return [one for one in rows if self._wanted(one, wanted)][:limit]

    def _row(self, first: Incident) -> AlertRow:
        members = [one for one in self._data.incidents.values() if one.alert == first.id]
        return AlertRow(first, len(members), sum(one.closed_at is None for one in members))

    def _wanted(self, row: AlertRow, wanted: AlertFilter) -> bool:
        about = {one.monitor for one in self._data.incidents.values() if one.alert == row.first.id}
        return (
            (bool(row.open) or not wanted.open_only)
            and not (row.open and wanted.over_only)
            and (wanted.monitors is None or not about.isdisjoint(wanted.monitors))
            and (wanted.causes is None or row.first.cause in wanted.causes)
            and wanted.severity in (None, row.first.severity)
        )

    async def members(self, alert: str) -> list[Incident]:
        """The incidents of an alert, in the order in which they joined it."""
        self._data.check()
        return [one for one in self._data.incidents.values() if one.alert == alert]

    async def timeline(self, incident_id: str) -> list[TimelineEntry]:
        """Oldest first."""
        self._data.check()
        about = self._data.incidents.get(incident_id)
        found = [entry for entry in self._data.timeline if entry.incident == incident_id or (about is not None and _concerns(entry, about))]
        return sorted((replace(entry, incident=incident_id) for entry in dict.fromkeys(found)), key=lambda entry: entry.at)

    async def deliveries(self, alert: str) -> list[Delivery]:
        """Every attempt at every notice of an incident, oldest first."""
        self._data.check()
        return [one for one in self._data.deliveries if one.alert == alert]

    async def attempts(self, keys: Collection[str]) -> dict[str, Delivery]:
        """The newest attempt at each of these notices."""
        self._data.check()
        return {one.key: one for one in self._data.deliveries if one.key in keys}

    async def channels(self) -> dict[str, ChannelState]:
        """What is known of each channel that ever failed."""
        self._data.check()
        return dict(self._data.channels)

    async def reference(self, alert: str, channel: str) -> str:
        """What the provider calls the first message of this thread that this channel took."""
        self._data.check()
        return next((one.reference for one in self._data.deliveries if (one.alert, one.channel) == (alert, channel) and one.reference), "")

    async def report(self, incident: str) -> StoredReport | None:
        """The newest report of an incident."""
        self._data.check()
        return self._data.reports.get(incident)

    async def last_results(self, monitors: Collection[str] | None = None, *, anew: bool = False) -> dict[str, CheckResult]:  # noqa: ARG002 - there is one memory
        """The newest result of every watched monitor by monitor id."""
        self._data.check()
        wanted = self._data.monitors if monitors is None else self._data.monitors.intersection(monitors)
        found = [one for one in self._data.newest.values() if one.monitor in wanted]
        return {one.monitor: one for one in sorted(found, key=lambda one: one.at)}

    async def newest_everywhere(self, monitors: Collection[str] | None = None) -> dict[str, tuple[CheckResult, ...]]:
        """The newest result from each location of monitors that have results from several."""
        self._data.check()
        wanted = self._data.monitors if monitors is None else self._data.monitors.intersection(monitors)
        found: dict[str, list[CheckResult]] = {}
        for one in sorted(self._data.newest.values(), key=lambda one: one.location):
            if one.monitor in wanted:
                found.setdefault(one.monitor, []).append(one)
        return {monitor: tuple(ones) for monitor, ones in found.items() if len(ones) > 1}

    async def newest(self, monitor: str, location: str) -> CheckResult | None:
        """The newest result of a monitor from one location."""
        self._data.check()
        return self._data.newest.get((monitor, location)) if monitor in self._data.monitors else None

    async def last_detail(self, monitor: str, *, good: bool, before: int, location: str | None = None) -> CheckResult | None:
        """The newest whole result of a monitor before `before`, good or bad; from one location, or from any."""
        self._data.check()
        found = [one for one in self._data.details if one.monitor == monitor and one.is_good is good and one.at < before]
        found = [one for one in found if location in (None, one.location)]
        return max(reversed(found), key=lambda one: one.at, default=None)

    async def recorded(self, since: int, after: int = 0) -> tuple[list[CheckResult], int]:
        """Results from an instant on, a commit at a time."""
        self._data.check()
        commits = self._data.commits
        if after >= len(commits):
            return [], 0
        return [one for one in self._data.results_of(commits[after]) if one.at >= since], after + 1

    async def activity(self, limit: int = 200) -> list[int]:
        """When results were taken in lately, newest first."""
        self._data.check()
        found = (self._data.results_of(commit) for commit in reversed(self._data.commits))
        return [results[0].at for results in found if results][:limit]

    async def watched_since(self) -> dict[str, int]:
        """When each monitor was first checked."""
        self._data.check()
        return dict(self._data.watched_since)

    async def blinds(self, since: int) -> list[Blind]:
        """The spans in which Vigie could not see that were not over before `since`."""
        self._data.check()
        return [one for _, one in sorted(self._data.blind.items()) if one.until is None or one.until >= since]

    async def maintained(self, since: int) -> list[MaintenanceSpan]:
        """The spans of maintenance that were not over before `since`."""
        self._data.check()
        return sorted((one for one in self._data.maintained.values() if one.end >= since), key=lambda one: (one.start, one.key))

    async def prune(self, now: int) -> int:
        """Drop what is older than 400 days, but the newest good and bad whole result of each monitor, and the newest span."""
        self._data.check()
        data = self._data
        newest = {(one.monitor, one.is_good): one for one in sorted(data.details, key=lambda one: one.at)}
        kept = [one for one in data.details if one.at >= now - _KEEP_MS or newest[one.monitor, one.is_good] is one]
        gone, data.details = len(data.details) - len(kept), kept
        for key in [one.key for one in data.maintained.values() if one.end < now - _KEEP_MS]:
            del data.maintained[key]
            gone += 1
        for number, one in sorted(data.blind.items())[:-1]:
            if one.until is not None and one.until < now - _KEEP_MS:
                del data.blind[number]
                gone += 1
        return gone
