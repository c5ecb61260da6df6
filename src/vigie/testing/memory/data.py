"""What the sides of the store in memory share."""

from dataclasses import dataclass, field

from vigie.accounts import AuditEntry, Session, Token, User
from vigie.core.alert import AlertState
from vigie.core.incident import DetectionState
from vigie.core.model import LOCAL, CheckResult, Incident
from vigie.errors import StoreError, StoreFault
from vigie.fleet import packed
from vigie.fleet.packing import with_facts
from vigie.learning.baseline import Baseline
from vigie.observation.channel import ChannelState
from vigie.observation.heartbeat import Job, Ping
from vigie.observation.visibility import Blind
from vigie.planning.maintenance import MaintenanceSpan, StartedMaintenance
from vigie.ports import (
    AgentStatus,
    Command,
    Commit,
    Delivery,
    EnrolledAgent,
    Lease,
    OutboxRow,
    OutboxState,
    ServerStatus,
    ShardRun,
    StoredDefinition,
    StoredReport,
    StoredReview,
    TimelineEntry,
)
from vigie.report.history import Remark
from vigie.report.pace import Speed
from vigie.report.publication import Letter, Post, Subscriber
from vigie.report.scores import Scores


@dataclass(slots=True)
class Row:
    """A row of the outbox."""

    row: OutboxRow
    lease_until: int = 0
    state: OutboxState = OutboxState.WAITING

    @property
    def thread(self) -> tuple[str, str]:
        """What is sent in order."""
        return self.row.notice.alert, self.row.notice.channel

    @property
    def claimable_at(self) -> int:
        """When it can be claimed, epoch ms."""
        return max(self.row.due_at, self.lease_until)


@dataclass(slots=True)
class KeptPing:
    """A ping of a monitor; not `recorded` while it waits in the inbox."""

    monitor: str
    ping: Ping
    recorded: bool = True


@dataclass(slots=True)
class KeptLetter:
    """A letter that waits."""

    letter: Letter
    due_at: int
    lease_until: int = 0


@dataclass(slots=True)
class Data:
    """The tables. `commits` are what was committed, oldest first; while `broken` is set, every call raises it."""

    commits: list[Commit] = field(default_factory=list)
    broken: StoreError | None = None
    closed: bool = False
    run: int = 0
    monitors: set[str] = field(default_factory=set)
    states: dict[str, DetectionState] = field(default_factory=dict)
    alerts: dict[str, AlertState] = field(default_factory=dict)
    cursors: dict[str, tuple[int, int]] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    timeline: list[TimelineEntry] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    channels: dict[str, ChannelState] = field(default_factory=dict)
    reports: dict[str, StoredReport] = field(default_factory=dict)
    newest: dict[tuple[str, str], CheckResult] = field(default_factory=dict)
    details: list[CheckResult] = field(default_factory=list)
    taken_in: list[CheckResult] = field(default_factory=list)
    watched_since: dict[str, int] = field(default_factory=dict)
    ever_watched: dict[str, None] = field(default_factory=dict)
    baselines: dict[str, Baseline] = field(default_factory=dict)
    blind: dict[int, Blind] = field(default_factory=dict)
    maintenance: dict[int, StartedMaintenance] = field(default_factory=dict)
    maintained: dict[str, MaintenanceSpan] = field(default_factory=dict)
    commands: dict[int, Command] = field(default_factory=dict)
    last_command: int = 0
    definitions: dict[tuple[str, str], StoredDefinition] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    reviews: dict[str, list[StoredReview]] = field(default_factory=dict)
    scores: list[Scores] = field(default_factory=list)
    speeds: dict[str, Speed] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    pings: list[KeptPing] = field(default_factory=list)
    posts: dict[tuple[str, str], Post] = field(default_factory=dict)
    subscribers: dict[str, Subscriber] = field(default_factory=dict)
    letters: dict[int, KeptLetter] = field(default_factory=dict)
    last_letter: int = 0
    listened: int | None = None
    link_worked: int | None = None
    users: dict[str, User] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    audit: list[AuditEntry] = field(default_factory=list)
    audited: int = 0
    agents: dict[str, EnrolledAgent] = field(default_factory=dict)
    agent_statuses: dict[str, AgentStatus] = field(default_factory=dict)
    servers: dict[str, ServerStatus] = field(default_factory=dict)
    forwarded: dict[int, bytes] = field(default_factory=dict)
    leases: dict[str, tuple[Lease, int]] = field(default_factory=dict)
    shard_runs: dict[tuple[str, int], ShardRun] = field(default_factory=dict)
    locations: dict[str, int] = field(default_factory=lambda: {LOCAL: 0})
    key: bytes | None = None

    def check(self) -> None:
        """Raise what is set, or StoreError once it is closed."""
        if self.broken is not None:
            raise self.broken
        if self.closed:
            raise StoreError(StoreFault.OTHER, "the store is closed")

    def results_of(self, commit: Commit) -> list[CheckResult]:
        """What a commit brought; what came packed has the facts of the newest whole one before it."""
        if not commit.packed:
            return list(commit.results)
        ids, names = dict(enumerate(self.ever_watched, 1)), {number: name for name, number in self.locations.items()}
        found = list(commit.results)
        for rows in commit.packed:
            came = packed.unpack(rows.base, rows.body, ids, names)
            found += [with_facts(one, self.newest.get((one.monitor, one.location))) for one in came]
        return found

    def watch(self, monitors: set[str]) -> None:
        """These are watched, and jobs that are not are forgotten."""
        self.monitors = monitors
        self.ever_watched.update(dict.fromkeys(sorted(monitors)))
        self.jobs = {monitor: job for monitor, job in self.jobs.items() if monitor in monitors}

    def open_incidents(self) -> list[Incident]:
        """Newest first."""
        return sorted((one for one in reversed(self.incidents.values()) if one.closed_at is None), key=lambda one: -one.opened_at)
