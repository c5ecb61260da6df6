"""A Store that lives in memory: for tests of whatever stands on a store, and the plainest statement of what a store does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vigie.core.events import Acked, Resolved
from vigie.core.heartbeat import Job, Ping
from vigie.core.incident import MonitorState
from vigie.core.model import CheckResult, Incident, Monitor, Status
from vigie.core.notification import NoticeReason
from vigie.core.visibility import Blind
from vigie.errors import StoreError, StoreFault
from vigie.learning.baseline import Baseline
from vigie.ports import Commit, Delivery, OutboxRow, PingUpdate, StoredReport, TimelineEntry
from vigie.report.history import Remark
from vigie.report.scores import Scores

_OPENINGS = (NoticeReason.OPENED, NoticeReason.DISCLOSED)
_KEEP_MS = 400 * 86_400_000
_KEEP_PINGS = 100


@dataclass(slots=True)
class _Row:
    row: OutboxRow
    lease_until: int = 0
    gone: str = ""  # empty while it waits, else "delivered" or "buried"

    @property
    def thread(self) -> tuple[str, str]:
        return self.row.notice.incident, self.row.notice.channel

    @property
    def claimable_at(self) -> int:
        return max(self.row.due_at, self.lease_until)


@dataclass(slots=True)
class _Ping:
    monitor: str
    ping: Ping
    taken: bool = True


class MemoryStore:
    """The Store port without a disk. `commits` are what was committed, oldest first; set `broken` to have every call raise it."""

    def __init__(self) -> None:
        self.commits: list[Commit] = []
        self.broken: StoreError | None = None
        self._closed = False
        self._run = 0
        self._monitors: set[str] = set()
        self._states: dict[str, MonitorState] = {}
        self._cursors: dict[str, tuple[int, int]] = {}
        self._incidents: dict[str, Incident] = {}
        self._timeline: list[TimelineEntry] = []
        self._rows: dict[str, _Row] = {}
        self._deliveries: list[tuple[str, Delivery]] = []
        self._reports: dict[str, StoredReport] = {}
        self._newest: dict[str, CheckResult] = {}
        self._details: list[CheckResult] = []
        self._baselines: dict[str, Baseline] = {}
        self._blind: dict[int, Blind] = {}
        self._inbox: list[tuple[str, Acked | Resolved]] = []
        self._remarks: list[Remark] = []
        self._scores: list[Scores] = []
        self._jobs: dict[str, Job] = {}
        self._pings: list[_Ping] = []
        self._listened: int | None = None

    def reopen(self) -> "MemoryStore":
        """As a new start finds it after `close`."""
        self._closed = False
        return self

    def _look(self) -> None:
        if self.broken is not None:
            raise self.broken
        if self._closed:
            raise StoreError(StoreFault.OTHER, "the store is closed")

    async def sync_monitors(self, monitors: Sequence[Monitor]) -> None:
        """Make the stored monitors equal to these; history of the others stays."""
        self._look()
        self._monitors = {monitor.id for monitor in monitors}
        self._jobs = {monitor: job for monitor, job in self._jobs.items() if monitor in self._monitors}

    async def next_run(self) -> int:
        """A number larger than at any earlier start."""
        self._look()
        self._run += 1
        return self._run

    async def load_states(self) -> dict[str, MonitorState]:
        """Every monitor's state by monitor id."""
        self._look()
        return dict(self._states)

    async def cursors(self) -> dict[str, tuple[int, int]]:
        """Agent -> (run, sequence) last taken in."""
        self._look()
        return dict(self._cursors)

    async def baselines(self) -> dict[str, Baseline]:
        """What is usual, by monitor id."""
        self._look()
        return dict(self._baselines)

    async def commit(self, change: Commit) -> None:
        """Write it whole."""
        self._look()
        self.commits.append(change)
        self._states.update((state.monitor, state) for state in change.states)
        self._incidents.update((one.id, one) for one in change.incidents)
        self._timeline.extend(change.timeline)
        self._enqueue(change.outbox)
        self._cursors.update((agent, (run, sequence)) for agent, run, sequence in change.cursors)
        self._details.extend(change.details)
        self._baselines.update(change.baselines)
        self._blind.update((one.number, one) for one in change.blind)
        self._newest.update((result.monitor, result) for result in change.results)

    def _enqueue(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            self._rows.setdefault(row.notice.key, _Row(replace(row, attempts=0)))

    def _first(self) -> list[_Row]:
        """The oldest waiting row of each incident and channel; the others wait for it."""
        found: dict[tuple[str, str], _Row] = {}
        for one in self._rows.values():
            if not one.gone:
                found.setdefault(one.thread, one)
        return list(found.values())

    async def claim(self, now: int, lease_ms: int, limit: int) -> list[OutboxRow]:
        """Due rows that nobody holds, oldest first, each the first of its incident and channel."""
        self._look()
        due = sorted((one for one in self._first() if one.claimable_at <= now), key=lambda one: one.row.due_at)[:limit]
        for one in due:
            one.lease_until = now + lease_ms
        return [one.row for one in due]

    async def next_due(self) -> int | None:
        """When the next row can be claimed; None when nothing waits."""
        self._look()
        return min((one.claimable_at for one in self._first()), default=None)

    def _record(self, delivery: Delivery) -> _Row | None:
        row = self._rows.get(delivery.key)
        self._deliveries.append((row.row.notice.incident if row else delivery.key.partition(":")[0], delivery))
        return row

    async def delivered(self, delivery: Delivery) -> None:
        """Record a success; the key stays, so that it is never sent again."""
        self._look()
        if (row := self._record(delivery)) is not None:
            row.gone, row.lease_until = "delivered", 0

    async def failed(self, delivery: Delivery, retry_at: int | None, then: Sequence[OutboxRow] = ()) -> None:
        """Record a failure: try again at `retry_at`, or bury; `then` rows are added with it."""
        self._look()
        if (row := self._record(delivery)) is not None and row.gone != "delivered":
            due_at = row.row.due_at if retry_at is None else retry_at
            row.row, row.lease_until = replace(row.row, attempts=row.row.attempts + 1, due_at=due_at), 0
            row.gone = "buried" if retry_at is None else ""
        self._enqueue(then)

    async def save_report(self, report: StoredReport, now: int, follow_ups: Sequence[OutboxRow]) -> None:
        """Keep the report, and join it to the page or let it follow."""
        self._look()
        self._reports[report.incident] = report
        told = set[str]()
        for one in self._rows.values():
            notice = one.row.notice
            if notice.incident != report.incident or notice.reason not in _OPENINGS:
                continue
            if one.gone == "delivered" or (not one.gone and one.lease_until > now):
                told.add(notice.channel)
            elif not one.gone and one.row.attempts == 0:
                one.row = replace(one.row, due_at=min(one.row.due_at, now))
        self._enqueue([row for row in follow_ups if row.notice.channel in told])

    async def report(self, incident: str) -> StoredReport | None:
        """The newest report of an incident."""
        self._look()
        return self._reports.get(incident)

    async def blinds(self, since: int) -> list[Blind]:
        """The spans in which Vigie could not see that were not over before `since`."""
        self._look()
        return [one for _, one in sorted(self._blind.items()) if one.until is None or one.until >= since]

    async def watched_since(self) -> dict[str, int]:
        """When the oldest whole result on record of each monitor was."""
        self._look()
        return {one.monitor: one.at for one in sorted(self._details, key=lambda one: -one.at)}

    async def incidents(self, *, open_only: bool = False, limit: int = 100, since: int | None = None) -> list[Incident]:
        """Newest first."""
        self._look()
        found = [one for one in reversed(self._incidents.values()) if one.closed_at is None or not open_only]
        found = [one for one in found if since is None or one.closed_at is None or one.closed_at >= since]
        return sorted(found, key=lambda one: -one.opened_at)[:limit]

    async def incident(self, incident_id: str) -> Incident | None:
        """One incident."""
        self._look()
        return self._incidents.get(incident_id)

    async def timeline(self, incident_id: str) -> list[TimelineEntry]:
        """Oldest first."""
        self._look()
        return [entry for entry in self._timeline if entry.incident == incident_id]

    async def deliveries(self, incident_id: str) -> list[Delivery]:
        """Every attempt at every notice of an incident, oldest first."""
        self._look()
        return [delivery for incident, delivery in self._deliveries if incident == incident_id]

    async def unsent(self) -> list[OutboxRow]:
        """What still has to be told."""
        self._look()
        return [one.row for one in self._rows.values() if not one.gone]

    async def buried(self) -> list[OutboxRow]:
        """What was given up."""
        self._look()
        return [one.row for one in self._rows.values() if one.gone == "buried"]

    async def last_results(self) -> dict[str, CheckResult]:
        """The newest result of every watched monitor by monitor id."""
        self._look()
        return {monitor: result for monitor, result in self._newest.items() if monitor in self._monitors}

    async def last_detail(self, monitor: str, *, good: bool, before: int) -> CheckResult | None:
        """The newest whole result of a monitor before `before`, good or bad."""
        self._look()
        found = [one for one in self._details if one.monitor == monitor and _good(one) is good and one.at < before]
        return max(reversed(found), key=lambda one: one.at, default=None)

    async def leave(self, monitor: str, event: Acked | Resolved) -> None:
        """Leave an event for whoever is at work on this store."""
        self._look()
        self._inbox.append((monitor, event))

    async def left(self) -> list[tuple[str, Acked | Resolved]]:
        """Take what was left, oldest first."""
        self._look()
        taken, self._inbox = self._inbox, []
        return taken

    async def remark(self, remark: Remark) -> None:
        """Keep what a person said of an incident."""
        self._look()
        self._remarks.append(remark)

    async def remarks(self, incidents: Sequence[str]) -> list[Remark]:
        """What was said of these incidents, oldest first."""
        self._look()
        return [one for one in self._remarks if one.incident in incidents]

    async def save_scores(self, scores: Scores) -> None:
        """Keep how a model did on the frozen incidents."""
        self._look()
        self._scores.append(scores)

    async def scores(self, model: str) -> list[Scores]:
        """How a model did, newest first."""
        self._look()
        return [one for one in reversed(self._scores) if one.model == model]

    async def jobs(self) -> dict[str, Job]:
        """Every watched job by monitor id."""
        self._look()
        return dict(self._jobs)

    async def hear(self, hearings: Sequence[PingUpdate]) -> None:
        """Write what pings made of jobs."""
        self._look()
        for one in hearings:
            self._jobs[one.job.monitor] = one.job
            if one.left is not None:
                self._pings[one.left].taken = True
            elif one.ping is not None:
                self._pings.append(_Ping(one.job.monitor, one.ping))

    async def pings(self, monitor: str, limit: int = 100) -> list[Ping]:
        """The pings of a monitor, newest first."""
        self._look()
        return [one.ping for one in reversed(self._pings) if one.monitor == monitor][: min(limit, _KEEP_PINGS)]

    async def leave_ping(self, monitor: str, ping: Ping) -> None:
        """Leave a ping for the Vigie that is at work on this store."""
        self._look()
        self._pings.append(_Ping(monitor, ping, taken=False))

    async def left_pings(self) -> list[tuple[int, str, Ping]]:
        """What was left and not yet heard, oldest first."""
        self._look()
        return [(number, one.monitor, one.ping) for number, one in enumerate(self._pings) if not one.taken]

    async def listening(self, at: int) -> None:
        """Somebody listens for pings."""
        self._look()
        self._listened = at

    async def listened(self) -> int | None:
        """When somebody last listened."""
        self._look()
        return self._listened

    async def prune(self, now: int) -> int:
        """Drop what is older than 400 days, but the newest good and bad whole result of each monitor, and the newest span."""
        self._look()
        newest = {(one.monitor, _good(one)): one for one in sorted(self._details, key=lambda one: one.at)}
        kept = [one for one in self._details if one.at >= now - _KEEP_MS or newest[one.monitor, _good(one)] is one]
        gone, self._details = len(self._details) - len(kept), kept
        for number, one in sorted(self._blind.items())[:-1]:
            if one.until is not None and one.until < now - _KEEP_MS:
                del self._blind[number]
                gone += 1
        return gone

    async def close(self) -> None:
        """Nothing waits here; closing twice is harmless."""
        self._closed = True


def _good(result: CheckResult) -> bool:
    return result.status in (Status.UP, Status.DEGRADED)
