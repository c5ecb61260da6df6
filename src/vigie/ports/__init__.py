"""The ports: what the engine needs of the world, one screen each. Adapters implement them; nobody inherits from them.

Long: all of them are seen together here.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from vigie.accounts import AuditEntry, Session, Token, User
from vigie.core.alert import AlertState
from vigie.core.detection import Severity
from vigie.core.events import Decision, PersonEvent
from vigie.core.incident import DetectionState
from vigie.core.model import Cause, CheckResult, Incident, Monitor
from vigie.core.notification import Notice, NoticeReason
from vigie.learning.baseline import Baseline
from vigie.observation.channel import ChannelState
from vigie.observation.check_spec import CheckSpec
from vigie.observation.heartbeat import Job, Ping
from vigie.observation.phases import PhasePoint
from vigie.observation.rollup import Resolution, Retention, Rollup
from vigie.observation.visibility import Blind
from vigie.planning.maintenance import MaintenanceSpan, StartedMaintenance
from vigie.report.facts import Analysis, Bundle, Evidence, Message, Subject
from vigie.report.history import Remark
from vigie.report.pace import Speed
from vigie.report.publication import Letter, Post, Subscriber
from vigie.report.scores import Scores


class Clock(Protocol):
    """Two clocks that are never mixed: `now` tells the date, `monotonic` measures."""

    def now(self) -> int:
        """Epoch ms, wall clock; may step."""

    def monotonic(self) -> float:
        """Seconds that never go back; does not count suspension."""

    async def sleep(self, seconds: float) -> None:
        """Wait; virtual in tests."""


class Probe(Protocol):
    """One monitor's way of looking. Never raises for the target's fault."""

    async def check(self, timeout_ms: int) -> CheckResult:
        """Look once, within `timeout_ms` in all; `monitor`, `location`, `run` and `sequence` of the result are filled in by the caller."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What the engine must know of a kind of check. A kind that differs from these defaults declares its own as `TRAITS`.

    - `passive`: it reports in by itself, whenever it likes: no agent checks it. Its Config has a `token` and `expected()`.
    - `conclusive`: one result is proof, so `confirm` and `recover` do not apply.
    - `network`: its failures may be those of this machine's own network, which is examined before the target is blamed.
    - `tcp`: its target is a TCP port, so the other addresses of its name can be tried by connecting to them. The Config of a kind where
      this depends on the monitor says so with the property `over_tcp`.
    - `every_ms`: the interval of a monitor that sets none; None for that of all monitors.
    - `programs`: it runs programs of this machine, so that the configuration file alone can ask for it: no page, no API.
    - `requires`: the modules that Vigie does not bring along; for kinds of our own they are in the extra of the kind's name.
    """

    passive: bool = False
    conclusive: bool = False
    network: bool = True
    tcp: bool = True
    every_ms: int | None = None
    programs: bool = False
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps an adapter from its work on this machine, found without the network by its optional `verify(config)`.

    `key` is the key of its Config that is at fault, dotted (`steps.1.proxy`); empty for all of it. Where it is not `certain`, it depends
    on what may differ when Vigie runs: the user, mostly.
    """

    key: str
    message: str
    fix: str = ""
    certain: bool = True


class Collector(Protocol):
    """One kind of diagnostics on the first failure."""

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """Bring evidence within `budget_ms`; own faults yield fewer facts, never an exception."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is asked: static `system` first, evidence last, a JSON schema the reply must satisfy."""

    system: str
    user: str
    schema: dict[str, object]


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete reply, not yet believed. Durations in ms, None where the server did not say; `local` unless the incident left for it.

    `prefill_tokens` are those of the prompt that were read for it: the others were in the server's cache.
    """

    text: str
    model: str
    load_ms: float | None = None
    prefill_ms: float | None = None
    decode_ms: float | None = None
    prompt_tokens: int | None = None
    reply_tokens: int | None = None
    local: bool = True
    prefill_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """A model that a server has. `size` in bytes, None where it is not told; `local` is False for a name of one that runs elsewhere."""

    name: str
    local: bool
    size: int | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Pulled:
    """How far a download is: what is being done, bytes done and bytes in all (0 where not told)."""

    doing: str
    done: int
    whole: int


class LanguageModel(Protocol):
    """A language model. Every method raises ModelError and nothing else."""

    @property
    def name(self) -> str:
        """The model's name as the user wrote it."""

    async def preload(self) -> None:
        """Have the model loaded before it is needed."""

    async def write(self, prompt: Prompt, deadline_ms: int) -> Reply:
        """Ask once, within `deadline_ms` in all."""

    async def examine(self) -> str:
        """One line for `vigie doctor`: server version and that the model is there; raise ModelError with its fix otherwise."""

    async def offered(self) -> list[Offered]:
        """The models that the server has."""

    def pull(self) -> AsyncIterator[Pulled]:
        """Have the server download the model; where it cannot, the first step raises ModelError that says how else."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a channel says of a message that it handed over. `answer` is the provider's, in one line.

    `reference` is what the provider calls the message, at most 500 characters, where that is of use: a later message of its thread
    can then answer it or replace it (`Message.reference`).
    """

    answer: str
    reference: str = ""


class Notifier(Protocol):
    """One channel."""

    async def deliver(self, message: Message) -> Receipt:
        """Hand the message over; raise DeliveryError."""

    async def examine(self) -> str:
        """Try the login without sending and return one line for `vigie doctor`; raise DeliveryError."""


@dataclass(frozen=True, slots=True)
class Press:
    """A button under a message that somebody pressed. `token` is what it carried, `by` what the chat calls that person.

    `reply` is what the chat needs to be answered.
    """

    token: str
    by: str
    reply: str = ""


class ButtonSource(Protocol):
    """A chat whose messages have buttons: what it sends when one is pressed. Its module's `buttons(config, deps, secret)` builds it."""

    def read(self, headers: Mapping[str, str], body: bytes, now: int) -> Press | None:
        """The press in a request (names of headers in lower case); None for what the chat did not send, or not now (epoch ms)."""

    async def confirm(self, press: Press, text: str) -> None:
        """Tell whoever pressed what came of it; raise DeliveryError."""

    async def register(self, url: str) -> str:
        """Have the chat send presses to this URL; one line about it, empty where people set that up there. Raise DeliveryError."""


class RunMode(StrEnum):
    """How an agent runs: all the time, or in single cycles that may be any time apart."""

    CONTINUOUS = "continuous"
    SINGLE = "single"


@dataclass(frozen=True, slots=True)
class Batch:
    """Results of one agent. `sequence` rises by one for each batch of a `run`; a repeated batch is recognised by it."""

    agent: str
    run: int
    sequence: int
    results: tuple[CheckResult, ...]
    mode: RunMode = RunMode.CONTINUOUS


class Bus(Protocol):
    """Carries batches from agents to ingest, in order; full means the publisher waits."""

    async def publish(self, batch: Batch) -> None:
        """Hand a batch over; returns once it is accepted."""

    def batches(self) -> AsyncIterator[Batch]:
        """The batches, as they come; ends when the bus is closed and drained."""

    async def close(self) -> None:
        """No more batches will be published."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A notice that must be sent. `due_at` is epoch ms; `attempts` counts the failed sends so far."""

    notice: Notice
    due_at: int
    attempts: int = 0


class OutboxState(StrEnum):
    """What has become of a notice; stored by value."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    DROPPED = "dropped"  # a person decided that it is not sent


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """A row of the outbox, and what has become of it."""

    row: OutboxRow
    state: OutboxState


DROPPED = "dropped"  # `Delivery.failure` of the entry that says who dropped a notice


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """How many notices there are."""

    waiting: int
    undeliverable: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt at one notice. `failure` is None when the channel took it; `answer` is what it said, secrets masked.

    Where a person dropped the notice, `failure` is `DROPPED`, `answer` says who, and `attempt` is 0.
    `reference` is what the provider calls the message, where it is of use later on.
    """

    key: str
    alert: str
    channel: str
    reason: NoticeReason
    at: int
    attempt: int
    failure: str | None
    answer: str
    duration_ms: int
    number: int = 0
    failover_for: str = ""
    reference: str = ""

    @classmethod
    def of(
        cls, notice: Notice, at: int, attempt: int, failure: str | None, answer: str, duration_ms: int, reference: str = ""
    ) -> "Delivery":
        """An attempt at this notice."""
        one = notice
        return cls(
            one.key, one.alert, one.channel, one.reason, at, attempt, failure, answer, duration_ms, one.number, one.failover_for, reference
        )  # fmt: skip


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


@dataclass(frozen=True, slots=True)
class StoredReview:
    """A post-incident report as a person left it: Markdown. `version` counts from 1."""

    alert: str
    version: int
    at: int
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class StoredDefinition:
    """A part of the configuration that was made by a page or the API: of which kind, and its id among those of its kind.

    `body` is JSON, its secrets as they were given; `version` rises by one with each change, `at` is when that was, epoch ms, and `by` who
    did it. `trusted`: it was somebody who may have any address probed.
    """

    kind: str
    id: str
    body: str = field(repr=False)
    version: int
    by: str
    at: int
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything that one turn of ingest changes; written as one transaction or not at all."""

    results: tuple[CheckResult, ...] = ()
    states: tuple[DetectionState, ...] = ()
    alerts: tuple[AlertState, ...] = ()  # inserted or replaced; who their members are is known by the incidents
    incidents: tuple[Incident, ...] = ()  # whole rows, inserted or replaced
    timeline: tuple[TimelineEntry, ...] = ()
    outbox: tuple[OutboxRow, ...] = ()  # a key already there is left alone
    cursors: tuple[tuple[str, int, int], ...] = ()  # (agent, run, sequence) taken in
    details: tuple[CheckResult, ...] = ()  # whole results worth keeping: failures, and the first good one after
    baselines: tuple[tuple[str, Baseline], ...] = ()  # (monitor, what is usual for it); may wait, they decide nothing
    blind: tuple[Blind, ...] = ()  # whole rows, inserted or replaced by their number
    maintenance: tuple[MaintenanceSpan, ...] = ()  # whole rows, inserted or replaced by their key
    commands: tuple[int, ...] = ()  # numbers of the inbox's commands that this change applies: they are gone with it
    watched: tuple[Monitor, ...] | None = None  # the stored monitors become these, as by `Catalog.sync_monitors`; None: they stay
    jobs: tuple[Job, ...] = ()  # whole rows, inserted or replaced
    definitions: tuple[StoredDefinition, ...] = ()  # whole rows, inserted or replaced by their kind and id
    undefined: tuple[tuple[str, str], ...] = ()  # (kind, id) of definitions that are gone


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a start needs: by monitor id, and by agent its (run, sequence) last taken in. A baseline that cannot be read is missing."""

    states: dict[str, DetectionState]
    alerts: tuple[AlertState, ...]  # the open ones
    incidents: tuple[Incident, ...]  # the open ones, newest first
    cursors: dict[str, tuple[int, int]]
    baselines: dict[str, Baseline]


class Ledger(Protocol):
    """What was decided and what must be sent. One process writes it. Raises StoreError and nothing else, from any task."""

    async def next_run(self) -> int:
        """A number larger than at any earlier start, for `CheckResult.run` and `Batch.run`."""

    async def load(self) -> Snapshot:
        """All that a start needs."""

    async def commit(self, change: Commit) -> None:
        """Write it whole; fsynced before it returns when it carries what was decided: states, incidents, notices, commands."""

    async def claim(self, now: int, lease_ms: int, limit: int) -> list[OutboxRow]:
        """Due rows that nobody holds, oldest first, held by the caller for `lease_ms`.

        A later notice never overtakes an earlier one of its incident and channel.
        """

    async def next_due(self) -> int | None:
        """When the next outbox row is due (or its lease ends); None when nothing waits."""

    async def record(
        self, delivery: Delivery, retry_at: int | None = None, then: Sequence[OutboxRow] = (), channel: ChannelState | None = None
    ) -> None:
        """Record an attempt and what becomes of its row: delivered, tried again at `retry_at`, or undeliverable when that is None.

        What was dropped meanwhile stays dropped, unless it was delivered. `then` rows are added and `channel` is kept in the same
        transaction.
        """

    async def save_channel(self, channel: ChannelState, then: Sequence[OutboxRow] = ()) -> None:
        """Keep what is known of a channel, and add the notices about it, in one transaction."""

    async def retry(self, keys: Collection[str], now: int) -> None:
        """Have these rows tried by `now`: what waits is due and what was undeliverable waits again, held by nobody; the rest stays."""

    async def drop(self, keys: Collection[str], by: str, now: int) -> None:
        """Give these rows up where they wait or are undeliverable, with a `DROPPED` entry beside the attempts; the rest stays."""

    async def notices(
        self,
        *,
        alert: str | None = None,
        threads: str | None = None,
        states: Collection[OutboxState] | None = None,
        channel: str | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> list[StoredNotice]:
        """The newest rows, oldest of them first: those of an alert, in these states, or of a channel alone, where that is given.

        `threads` is what `Notice.alert` begins with, in ASCII; `before` is the key of a row: those that are older.
        """

    async def save_report(self, report: StoredReport, now: int, follow_ups: Sequence[OutboxRow]) -> None:
        """Keep the report, and join it to the opening notice or let it follow, in one transaction.

        Opening notices not yet claimed become due at once; for those already claimed or delivered, the follow-up row of the same
        channel is added.
        """

    async def outbox(self, state: OutboxState, alert: str | None = None) -> list[OutboxRow]:
        """The rows in one state, oldest first; those of an alert alone, where one is given."""

    async def counts(self) -> OutboxCounts:
        """How many rows wait and how many could not be delivered; costs the same however many there are, and waits for no other read."""

    async def close(self) -> None:
        """Commit what waits and close the whole store. Closing twice is harmless."""


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

    async def last_results(self, monitors: Collection[str] | None = None) -> dict[str, CheckResult]:
        """The newest whole result of every monitor by monitor id (details of a plain good check may be older than its time).

        Of these monitors alone, where they are given.
        """

    async def newest(self, monitor: str, location: str) -> CheckResult | None:
        """The newest result of a watched monitor from one location.

        Of a good one the facts that people would call changed (addresses, certificate, status…) are those of that very check, sizes and
        other headers at most ten minutes older; a crash may cost the facts of the last second. No certificate but the server's.
        """

    async def last_detail(self, monitor: str, *, good: bool, before: int) -> CheckResult | None:
        """The newest whole result of a monitor before `before`, good or bad."""

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


@dataclass(frozen=True, slots=True)
class Command:
    """What a person asked for in another process. `Commit.commands` takes its number, and it is gone with what it changed."""

    number: int
    monitor: str
    event: PersonEvent


@dataclass(frozen=True, slots=True)
class PingUpdate:
    """What a ping made of a job. `ping` None: the job alone changed; `number` is that of a ping that waited in the inbox."""

    job: Job
    ping: Ping | None = None
    number: int | None = None


class Inbox(Protocol):
    """What comes from outside the engine: commands of people, pings of jobs. Raises StoreError and nothing else, from any task."""

    async def enqueue_command(self, monitor: str, event: PersonEvent) -> None:
        """Hand an event to the Vigie that is at work on this store; it takes it within a second. Fsynced before it returns."""

    async def commands(self) -> list[Command]:
        """What nobody has applied yet, oldest first; it stays until `Commit.commands` names it."""

    async def enqueue_ping(self, monitor: str, ping: Ping) -> None:
        """Hand a ping to the Vigie that is at work on this store, or the next one; fsynced before it returns."""

    async def waiting_pings(self) -> list[tuple[int, str, Ping]]:
        """(number, monitor, ping) of what was handed over and not yet recorded, oldest first."""

    async def record_pings(self, updates: Sequence[PingUpdate]) -> None:
        """Write them whole, fsynced before it returns; of each monitor's pings the newest hundred are kept."""

    async def jobs(self) -> dict[str, Job]:
        """Every watched job by monitor id; `Catalog.sync_monitors` forgets the others."""

    async def pings(self, monitor: str, limit: int = 100) -> list[Ping]:
        """The pings of a monitor, newest first."""

    async def listening(self, at: int, link_worked: int | None = None) -> None:
        """Somebody listens for pings at `at`; the link that they come over last worked at `link_worked`, if it ever did."""

    async def link_worked(self) -> int | None:
        """When that link last worked, as far as is known."""

    async def listened(self) -> int | None:
        """When somebody last listened; None when nobody ever did."""


class Publications(Protocol):
    """What people publish on status pages, and who follows them. Raises StoreError and nothing else, from any task.

    What is saved is fsynced before it returns, together with the letters that tell of it.
    """

    async def save_post(self, post: Post, letters: Sequence[Letter] = ()) -> None:
        """Keep it, in place of the one of its id, and have the letters sent from their `at` on."""

    async def delete_post(self, page: str, post: str) -> None:
        """Forget it."""

    async def posts(self, page: str) -> list[Post]:
        """Of a page, newest beginning first."""

    async def save_subscriber(self, subscriber: Subscriber, letters: Sequence[Letter] = ()) -> None:
        """Keep it, in place of the one of its id, or of its page and address, whose letters are dropped."""

    async def remove_subscriber(self, subscriber: str) -> None:
        """Forget one, and what was to be sent there."""

    async def forget_unconfirmed(self, before: int) -> None:
        """Forget those who were there before that instant, epoch ms, and never confirmed."""

    async def subscribers(self, page: str) -> list[Subscriber]:
        """Of a page, oldest first."""

    async def subscriber(self, subscriber: str) -> Subscriber | None:
        """One, by its id."""

    async def claim_letters(self, now: int, lease_ms: int, limit: int) -> list[Letter]:
        """Due letters that nobody holds, oldest first, held by the caller for `lease_ms`."""

    async def settle_letter(self, letter: Letter, retry_at: int | None = None) -> None:
        """Done with it; or, with `retry_at`, one more attempt failed, and the next is then."""

    async def next_letter(self) -> int | None:
        """When the next letter is due (or its lease ends); None when nothing waits."""


class Catalog(Protocol):
    """What people set up and edit. Raises StoreError and nothing else, from any task."""

    @property
    def publications(self) -> Publications:
        """What people publish on status pages, and who follows them."""

    async def sync_monitors(self, monitors: Sequence[Monitor]) -> None:
        """Make the stored monitors equal to these; history of the others stays."""

    async def definitions(self) -> list[StoredDefinition]:
        """What was made by a page or the API and is still there, in the order in which it was made; `Commit` writes it."""

    async def start_maintenance(self, started: StartedMaintenance) -> int:
        """Keep what a person began; the number that it has from now on. Fsynced before it returns."""

    async def change_maintenance(self, changed: StartedMaintenance) -> None:
        """Keep this in place of what has its number; nothing where nothing has it. Fsynced before it returns."""

    async def end_maintenance(self, number: int, at: int) -> None:
        """Have it end at an instant, epoch ms, or never have been where it had not begun."""

    async def maintenance(self, since: int) -> list[StartedMaintenance]:
        """What people began and was not over before `since`, epoch ms, by number."""

    async def save_remark(self, remark: Remark) -> None:
        """Keep what a person said of an incident."""

    async def remarks(self, incidents: Sequence[str]) -> list[Remark]:
        """What was said of these incidents, oldest first."""

    async def save_review(self, review: StoredReview) -> bool:
        """Keep a post-incident report as its next version; False where there is one of this number, or the one before is missing."""

    async def review(self, alert: str) -> StoredReview | None:
        """The newest version of the post-incident report of an alert."""

    async def save_scores(self, scores: Scores) -> None:
        """Keep how a model did on the frozen incidents."""

    async def scores(self, model: str) -> list[Scores]:
        """How a model did, newest first."""

    async def save_speed(self, model: str, speed: Speed) -> None:
        """Keep how fast a model is on this machine, in place of what was kept."""

    async def speed(self, model: str) -> Speed | None:
        """How fast a model is, if it is known."""


class Accounts(Protocol):
    """Who may do what. Several processes may write it: the command line does while `serve` runs. Raises StoreError."""

    async def any_user(self) -> bool:
        """Whether anybody has an account; costs next to nothing."""

    async def users(self) -> list[User]:
        """Everybody, by name."""

    async def user(self, name: str) -> User | None:
        """Who is called so."""

    async def user_by_subject(self, subject: str) -> User | None:
        """Whom an OpenID Connect provider knows under this subject."""

    async def user_by_passkey(self, passkey: str) -> User | None:
        """Whose passkey has this id."""

    async def save_user(self, user: User) -> User | None:
        """Add (version 0) or replace them; as they are stored then, with the next version.

        None, and nothing is changed, where the stored version is another one, or the name is somebody else's.
        """

    async def add_session(self, session: Session) -> None:
        """A login."""

    async def session(self, token_hash: str) -> tuple[Session, User] | None:
        """A session and whose it is; costs next to nothing."""

    async def sessions(self, user: str) -> list[Session]:
        """Those of a user (id), the last used first."""

    async def touch_session(self, token_hash: str, seen_at: int, address: str) -> None:
        """It was used."""

    async def end_sessions(self, user: str, *, only: str | None = None, but: str | None = None) -> int:
        """End those of a user: all, the one with the id `only`, or all but that with the hash `but`; how many there were."""

    async def add_token(self, token: Token) -> None:
        """A token, by its hash."""

    async def token(self, token_hash: str) -> tuple[Token, User | None] | None:
        """A token and its owner, None for one of the command line's; costs next to nothing."""

    async def tokens(self) -> list[Token]:
        """All of them, the newest first."""

    async def touch_token(self, token: str, used_at: int) -> None:
        """It was used (id)."""

    async def revoke_token(self, token: str) -> Token | None:
        """Delete it (id); what it was."""

    async def begin_audit(self, entry: AuditEntry) -> int:
        """Record it, fsynced; its number."""

    async def end_audit(self, number: int, outcome: int, details: Mapping[str, str]) -> None:
        """What came of it."""

    async def audit(
        self, *, actor: str | None = None, action: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[AuditEntry]:
        """The newest entries first: of an actor, of actions that begin so, with lower numbers than `before`."""

    async def prune_accounts(self, now: int) -> int:
        """Drop sessions that are over, tokens long expired, and the record beyond its bounds; how many rows."""


@dataclass(frozen=True, slots=True)
class HistorySize:
    """How much is on the disk, in bytes: `parts` by what they hold (`recent`, `chunks`, `rollups`, `other`).

    `whole_day` is what the single results of the newest whole day take, `thin_day` those of a day of which only status and total are
    kept, `hourly_day` and `daily_day` the roll-ups of a day; None where there is no such day yet. `oldest` and `newest` are when
    the oldest and the newest single result were, epoch ms. `free` is what the disk has left, None where that cannot be asked.
    """

    parts: Mapping[str, int]
    whole_day: int | None = None
    thin_day: int | None = None
    hourly_day: int | None = None
    daily_day: int | None = None
    oldest: int | None = None
    newest: int | None = None
    free: int | None = None


ResultKey = tuple[int, str, int, int]  # instant, location, run, sequence: where a list of results goes on


class History(Protocol):
    """Single results and what they come to. Raises StoreError and nothing else, from any task.

    Instants are epoch ms; spans are half open. A result counts once, by its location, run and sequence (of those that have neither run
    nor sequence, and of those of which only status and total are kept, by location and instant). What is unknown, was not seen, or was
    planned when it is counted is excluded. `location` None: all of them together.
    """

    async def compact(self, now: int, keep: Retention) -> bool:
        """Do a little of what is due: recent results become chunks and roll-ups, what is too old is dropped; whether there is more to do.

        It may be ended at any instant, also by a kill: nothing is lost and nothing counts twice.
        """

    async def take_in(self, results: Sequence[CheckResult], now: int, keep: Retention) -> int:
        """Add results of whatever time, such as late ones, or older ones from elsewhere; how many were new.

        Those of monitors that were never watched, and those older than single results are kept, are left out.
        """

    async def rollups(
        self, monitors: Sequence[str], start: int, end: int, resolution: Resolution, location: str | None = None
    ) -> dict[str, list[Rollup]]:
        """The hours or days that begin within [start, end) and had a check, oldest first, by monitor; with those under way."""

    async def phases(
        self, monitor: str, edges: Sequence[int], resolution: Resolution | None = None, location: str | None = None
    ) -> list[PhasePoint]:
        """A point for each step between `edges`: of single results, or of roll-ups where a resolution is given."""

    async def results(
        self, monitor: str, start: int, end: int, *, location: str | None = None, before: ResultKey | None = None, limit: int = 500
    ) -> list[CheckResult]:
        """Newest first by (instant, location, run, sequence); those that were kept whole are whole. `before`: those that come after it."""

    async def sparklines(self, monitors: Sequence[str], edges: Sequence[int]) -> dict[str, list[float | None]]:
        """The median latency of good checks, in ms, in each step between `edges`; None where there was none.

        Steps of less than an hour, where single results are in chunks, share the median of their hour.
        """

    async def size(self) -> HistorySize:
        """How much history takes."""


class Store(Protocol):
    """What an adapter of `vigie.stores` opens: the sides of one database. Who needs one side is given that side."""

    @property
    def ledger(self) -> Ledger:
        """What was decided and what must be sent."""

    @property
    def archive(self) -> Archive:
        """History."""

    @property
    def history(self) -> History:
        """Single results, and what they come to by hour and day."""

    @property
    def inbox(self) -> Inbox:
        """Commands of people, pings of jobs."""

    @property
    def catalog(self) -> Catalog:
        """What people set up and edit."""

    @property
    def accounts(self) -> Accounts:
        """Who may do what."""

    async def close(self) -> None:
        """Commit what waits and close them all. Closing twice is harmless."""


class Answer(StrEnum):
    """What becomes of a ping that came over the network. `NOT_NOW`: it could not be kept, and the job should try again."""

    TAKEN = "taken"
    UNKNOWN = "unknown"
    TOO_MANY = "too_many"
    NOT_NOW = "not_now"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader is asked about: the incident, what its monitor is called, and the analysis that is on record."""

    incident: Incident
    name: str
    analysis: Analysis | None


class Agent(Protocol):
    """Who probes: in this process, in a process of its own, or far away."""

    async def assign(self, specs: Sequence[CheckSpec]) -> None:
        """Watch exactly these from now on; those whose spec is unchanged keep their probe and their phase."""

    async def pace(self, monitor_id: str, every_ms: int | None) -> None:
        """Check this monitor every `every_ms` from now on (next one in `every_ms`), or at its own pace again when None."""

    async def check_now(self, monitor_id: str) -> None:
        """Check this monitor once, out of turn; its schedule stays. Of one that is not watched nothing comes."""

    async def stop(self) -> None:
        """Start no more checks, let those under way end within their deadlines, publish what is left."""
