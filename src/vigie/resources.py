"""What the API takes and gives, as JSON: one Struct for each body. Server, OpenAPI document and client share them.

Long: all of it is one vocabulary, read as a whole.

Instants are RFC 3339 texts, durations milliseconds where their name ends in `_ms` and else texts such as `30m`.
"""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

from vigie.planning.duration import Duration

Meta = msgspec.Meta
T = TypeVar("T")
Instant = Annotated[datetime, Meta(tz=True)]
_KEYS = "As an entry of the configuration file has it; docs/configuration.md lists the keys. Secrets are masked."


class Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent to the API: an unknown key is an error."""


class Items(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Part of a list."""

    items: list[T]
    next: Annotated[str | None, Meta(description="The cursor of the page after this one; null at the end.")] = None


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong with what was sent."""

    detail: str
    key: Annotated[str, Meta(description="Where, as `expect.status`; empty for all of it.")] = ""
    fix: str = ""


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error (RFC 9457)."""

    title: str
    status: int
    type: Annotated[str, Meta(description="`urn:vigie:problem:…`, or about:blank where the status says all.")] = "about:blank"
    detail: str = ""
    errors: Annotated[list[Fault], Meta(description="Every fault of what was sent.")] = []


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """Phases in milliseconds; null where one did not happen."""

    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    transfer: float | None = None
    total: float | None = None


class Http(msgspec.Struct, frozen=True, kw_only=True):
    """What HTTP said."""

    status: int
    version: str
    redirects: int
    bytes: int
    type: str | None


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """What TLS said."""

    version: str | None
    issuer: str | None
    subject: str | None
    expires_at: Instant | None
    days_left: int | None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One check."""

    monitor: str
    at: Instant
    status: Literal["up", "degraded", "down", "unknown"]
    cause: str | None
    message: str
    location: str
    address: str | None
    timings: Timings
    http: Http | None
    tls: Tls | None
    advice: list[str]


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """Planned work that is on now."""

    until: Instant
    why: str


State = Literal["down", "suspected", "degraded", "recovering", "maintenance", "unknown", "none", "up"]


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where it is defined: in the file, which alone can change it, or by page or API."""

    kind: Literal["file", "api"]
    where: Annotated[str, Meta(description="`vigie.yaml:42`; empty for what was made by page or API.")] = ""
    changed_by: str = ""
    changed_at: Instant | None = None


class Monitor(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor as it is now."""

    id: str
    name: str
    type: str
    enabled: bool
    state: Annotated[State | None, Meta(description="Null while it is not watched: disabled, or its definition is faulty.")]
    origin: Origin
    definition: Annotated[dict[str, Any], Meta(description=_KEYS)]
    target: str = ""
    tags: list[str] = []
    since: Annotated[Instant | None, Meta(description="When it came into its state, as far as that is known.")] = None
    result: Annotated[Result | None, Meta(description="The newest check.")] = None
    incidents: Annotated[list[str], Meta(description="Open incidents, an outage first.")] = []
    maintenance: Work | None = None
    faults: Annotated[list[Fault], Meta(description="Why it is left out, if it is.")] = []


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """What one location sees of a monitor."""

    location: str
    status: Literal["up", "degraded", "down", "unknown"]
    silent: Annotated[bool, Meta(description="It was not heard for so long that it has no vote.")]
    cause: str | None
    since: Annotated[Instant | None, Meta(description="Since when it sees this, as far as that is known.")]
    at: Annotated[Instant, Meta(description="When it was heard last.")]
    message: str
    latency_ms: Annotated[float | None, Meta(description="What its newest check took in all.")]
    checks: Annotated[int, Meta(description="Its checks of the last 24 hours, but for those that could not be judged.")]
    failed: Annotated[int, Meta(description="Those of them that found it down.")]
    p50: float | None
    p95: float | None


class StatusPage(msgspec.Struct, frozen=True, kw_only=True):
    """A status page."""

    id: str
    title: str
    origin: Origin
    definition: Annotated[dict[str, Any], Meta(description=_KEYS)]
    faults: Annotated[list[Fault], Meta(description="Why it is left out, if it is.")] = []


class Uptime(msgspec.Struct, frozen=True, kw_only=True):
    """How available a monitor was. What could not be seen, and planned work, are in neither side of the ratio."""

    span: Annotated[str, Meta(description="`24h`, `30d`…; empty for what was asked by `from` and `until`.")]
    since: Instant
    until: Instant
    ratio: Annotated[float | None, Meta(description="From 0 to 1; null where nothing was observed.")]
    observed_ms: int
    down_ms: int
    outages: Annotated[int | None, Meta(description="Null for one location, which has no outages of its own.")]
    longest_ms: int | None
    unseen_ms: int
    maintenance_ms: int


class Rollup(msgspec.Struct, frozen=True, kw_only=True):
    """The checks of an hour or a day. Latencies in ms, of good checks."""

    start: Instant
    count: int
    up: int
    degraded: int
    down: int
    excluded: int
    min_ms: float | None
    max_ms: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One span of trouble of a monitor."""

    id: str
    alert: str
    monitor: str
    severity: Literal["outage", "degradation"]
    cause: str
    pattern: str
    started_at: Instant
    opened_at: Instant
    closed_at: Instant | None
    acked_by: str | None
    closed_by: str | None
    note: str | None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One decision about an incident; `details` are what it says of itself."""

    at: Instant
    kind: str
    details: dict[str, Any]


class StatedFact(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered fact."""

    id: str
    text: str


class DroppedSentence(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence that was not certified, and the rule that it broke."""

    rule: str
    text: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, and what a model made of it; `sentences` is empty where the plain report stands, and `fault` may say why."""

    made_at: Instant
    facts: list[StatedFact]
    model: str | None
    sentences: list[str]
    dropped: list[DroppedSentence]
    fault: str | None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at a notice; `failure` is empty when it worked."""

    at: Instant
    failure: str
    answer: str


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one notice."""

    channel: str
    reason: str
    raised_at: Instant
    state: Literal["delivered", "waiting", "undeliverable", "dropped"]
    attempts: list[Attempt]


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said of it."""

    at: Instant
    by: str
    helpful: bool | None
    cause: str
    note: str


class IncidentDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on record of an incident, oldest first."""

    incident: Incident
    timeline: list[Step]
    report: Report | None
    deliveries: list[Delivery]
    remarks: list[Remark]
    members: Annotated[list[str], Meta(description="The other incidents of its alert.")]


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One thread of notices about one or more incidents; its id is that of the incident that began it."""

    id: str
    open: bool
    first: Incident
    members: Annotated[list[Incident], Meta(description="In the order in which they joined; in a list, of a large alert the first alone.")]
    size: int
    acked_by: str | None
    snoozed_until: Instant | None
    ended_at: Instant | None


class AlertDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on record of an alert."""

    alert: Alert
    timeline: list[Step]
    report: Report | None
    deliveries: list[Delivery]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice and what has become of it."""

    key: str
    alert: str
    monitor: str
    channel: str
    reason: str
    at: Instant
    due_at: Instant
    attempts: Annotated[int, Meta(description="How many failed.")]
    state: Literal["waiting", "delivered", "undeliverable", "dropped"]
    last: Attempt | None = None


class Maintenance(msgspec.Struct, frozen=True, kw_only=True):
    """Planned work. What was begun by hand has a `number`; what the file plans says `where`."""

    id: str
    number: int | None
    where: str
    monitors: list[str]
    tags: list[str]
    why: str
    by: str
    recurring: bool
    since: Annotated[Instant | None, Meta(description="Its beginning; null for what recurs.")]
    until: Annotated[Instant | None, Meta(description="Its end; null for what recurs.")]
    covered: Annotated[int, Meta(description="How many monitors it is on.")]


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel of `notify`, or of a person."""

    name: str
    type: str
    where: str
    settings: Annotated[dict[str, str], Meta(description="Secrets are masked.")]
    failing_since: Instant | None
    delivered_at: Instant | None
    waiting: int
    undeliverable: int


class ChannelTest(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a test notice; `failure` is empty when it was taken."""

    answer: str
    failure: str = ""
    fix: str = ""


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that checks from another place, as it was when it was last heard; null where it never was."""

    name: str
    location: str
    state: Annotated[Literal["new", "reporting", "silent"], Meta(description="`new`: it was never heard.")]
    copied: Annotated[bool, Meta(description="Whether another agent uses its name, and is refused.")]
    created_at: Instant
    created_by: str
    seen_at: Instant | None
    version: str | None
    monitors: Annotated[int | None, Meta(description="How many it checks.")]
    spooled: Annotated[int | None, Meta(description="Batches that it has not handed in yet.")]
    spooled_since: Instant | None
    late_ms: Annotated[int | None, Meta(description="How late its checks start (p99).")]
    skew_ms: Annotated[int | None, Meta(description="How far its clock is ahead of the server's; corrected for.")]
    address: str | None


class AgentEnrolled(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that was let in."""

    name: str
    location: str
    token: Annotated[str, Meta(description="Shown this once.")]


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: `already` where somebody was faster."""

    outcome: Literal["done", "already"] = "done"


ChangeKind = Literal["result", "state", "alert", "config", "health"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What changed; the name of an event is its kind."""

    kind: ChangeKind
    subject: Annotated[str, Meta(description="The monitor's or the alert's id; empty for the others.")]
    at: Instant


# What is sent.

Note = Annotated[str, Meta(max_length=2_000)]


class NoteGiven(Given, frozen=True, kw_only=True):
    """A note to what is done."""

    note: Note = ""


class TextGiven(Given, frozen=True, kw_only=True):
    """A note."""

    text: Annotated[str, Meta(min_length=1, max_length=2_000)]


class SnoozeGiven(Given, frozen=True, kw_only=True):
    """Until when nothing is sent: one of both."""

    until: Instant | None = None
    duration: Annotated[Duration | None, Meta(description="From now on, from 1m to 30d.", examples=["2h"])] = msgspec.field(
        default=None, name="for"
    )


class MaintenanceGiven(Given, frozen=True, kw_only=True):
    """Planned work, on all monitors where neither `monitors` nor `tags` are given."""

    until: Instant | None = None
    duration: Annotated[Duration | None, Meta(description="In place of `until`.", examples=["2h"])] = msgspec.field(
        default=None, name="for"
    )
    since: Annotated[Instant | None, Meta(description="Now, if not given.")] = msgspec.field(default=None, name="from")
    monitors: Annotated[list[str], Meta(description="Ids.", max_length=500)] = []
    tags: Annotated[list[str], Meta(max_length=100)] = []
    why: Annotated[str, Meta(max_length=500)] = ""


class AgentGiven(Given, frozen=True, kw_only=True):
    """An agent to be let in."""

    name: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$", examples=["paris-1"])]
    location: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$", description="Where it checks from.", examples=["paris"])]


# What is asked for, in the query of a request.

Limit = Annotated[int, Meta(ge=1, le=500, description="How many items a page has at most.")]
Cursor = Annotated[Annotated[str, Meta(max_length=1_000)] | None, Meta(description="`next` of the page before.")]


class Paged(Given, frozen=True, kw_only=True):
    """A page of a list."""

    limit: Limit = 100
    cursor: Cursor = None


class MonitorsAsked(Paged, frozen=True, kw_only=True):
    """Which monitors."""

    tag: Annotated[str | None, Meta(description="Those with this tag.")] = None
    state: Annotated[State | None, Meta(description="Those in this state.")] = None
    q: Annotated[
        Annotated[str, Meta(max_length=200)] | None, Meta(description="Those whose id, name, target or tags contain this text.")
    ] = None


class ResultsAsked(Paged, frozen=True, kw_only=True):
    """Which results, newest first."""

    since: Annotated[Instant | None, Meta(description="A day before `until`, if not given.")] = msgspec.field(default=None, name="from")
    until: Annotated[Instant | None, Meta(description="Now, if not given.")] = None
    location: str | None = None


class UptimeAsked(Given, frozen=True, kw_only=True):
    """Over what."""

    spans: Annotated[str, Meta(description="Spans that end now, separated by commas.", examples=["24h,7d,90d"], max_length=100)] = (
        "24h,30d,90d"
    )
    since: Annotated[Instant | None, Meta(description="With `until`: one span more.")] = msgspec.field(default=None, name="from")
    until: Instant | None = None
    location: Annotated[
        str | None, Meta(description="As one location saw it, by counts of its checks; without it by the incidents of all together.")
    ] = None


class RollupsAsked(Given, frozen=True, kw_only=True):
    """Which hours or days."""

    since: Annotated[Instant | None, Meta(description="A month before `until`, if not given.")] = msgspec.field(default=None, name="from")
    until: Annotated[Instant | None, Meta(description="Now, if not given.")] = None
    resolution: Literal["hour", "day"] = "day"
    location: str | None = None


class IncidentsAsked(Paged, frozen=True, kw_only=True):
    """Which incidents, newest first."""

    open: Annotated[bool, Meta(description="Those that are not over.")] = False


class AlertsAsked(IncidentsAsked, frozen=True, kw_only=True):
    """Which alerts, newest first."""

    monitor: Annotated[str | None, Meta(description="Those with an incident of this monitor.")] = None


class NoticesAsked(Paged, frozen=True, kw_only=True):
    """Which notices, newest first."""

    state: Annotated[Literal["unsent", "waiting", "undeliverable", "delivered", "dropped", "all"], Meta(description="In which state.")] = (
        "unsent"
    )
    channel: str | None = None
    alert: str | None = None


class Nothing(Given, frozen=True, kw_only=True):
    """Nothing can be asked for."""
