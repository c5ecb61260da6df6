"""The shape of `vigie.yaml`: the keys that do not belong to an adapter."""

import re
from typing import Annotated, Any, Literal

import msgspec

from vigie.config.alert import Alert
from vigie.config.exported import Metrics
from vigie.config.fleet import FleetKeys
from vigie.config.planned import Maintenance, OnCall, Person
from vigie.config.status_pages import StatusPageKeys
from vigie.config.web import Web
from vigie.core.model import LOCAL
from vigie.net import SHOWN, Secret
from vigie.observation.rollup import DAY_MS
from vigie.planning.duration import Duration
from vigie.text.marks import escaped, misleading

Meta = msgspec.Meta
Identity = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]
_LOCATION = "^[a-z0-9][a-z0-9-]{0,62}$"


class Log(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The log."""

    file: Annotated[str | None, Meta(description="Log file (LOG_FILE); null for none.")] = "service_check_log.txt"
    format: Annotated[Literal["text", "json"], Meta(description="`text` is `time - LEVEL - message`.")] = "text"
    level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="Lowest level that is logged.")] = "info"
    checks: Annotated[
        Literal["all", "changes"] | None,
        Meta(
            description="`all`: a line for each check. `changes`: a line where a verdict changes, and one a minute about all checks; "
            "the others at `level: debug`. By default `changes` for `vigie serve`, `all` for `vigie once`."
        ),
    ] = None
    max_bytes: Annotated[int, Meta(description="Size at which the file is rotated.", ge=1_000, le=1_000_000_000_000)] = 10_000_000
    keep: Annotated[int, Meta(description="Number of rotated files to keep.", ge=0, le=10_000)] = 5


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of `llm` beside those of the provider."""

    provider: Annotated[str, Meta(description="`ollama`, `openai`, or `none` for the plain report only.", extra=SHOWN)] = "ollama"
    mode: Annotated[
        Literal["auto", "compose", "select", "off"],
        Meta(
            description="Who writes: the model (`compose`), code from what the model selects (`select`), or no model (`off`); "
            "`auto` decides by the model's size, its last `vigie report eval`, and people's feedback."
        ),
    ] = "auto"
    prompt: Annotated[str | None, Meta(description="Your own instructions to the model; facts, schema and checks stay the same.")] = None
    language: Annotated[Literal["fr", "en"] | None, Meta(description="Language of the report; by default that of the messages.")] = None
    deadline: Annotated[Duration, Meta(description="Maximum time to wait for a report.")] = msgspec.field(
        default_factory=lambda: Duration(60_000)
    )
    hold: Annotated[Duration, Meta(description="How long an alert waits for its report.")] = msgspec.field(
        default_factory=lambda: Duration(2_000)
    )


class Availability(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The availability report."""

    report: Annotated[
        Literal["off", "weekly", "monthly"],
        Meta(
            description="How often it is sent: weekly (Monday, 08:00 in `timezone`, or when Vigie next runs) or monthly (the 1st), for the "
            "last full week or month."
        ),
    ] = "off"
    channels: Annotated[list[str] | None, Meta(description="Channels it is sent to; by default those of the alert `default`.")] = None


class History(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the results of checks are kept. What they come to by day is kept for ever."""

    raw: Annotated[Duration, Meta(description="Single results with every phase.")] = msgspec.field(
        default_factory=lambda: Duration(30 * DAY_MS)
    )
    totals: Annotated[Duration, Meta(description="Single results with their status, cause and total time alone.")] = msgspec.field(
        default_factory=lambda: Duration(400 * DAY_MS)
    )
    hourly: Annotated[Duration, Meta(description="What they come to by hour.")] = msgspec.field(
        default_factory=lambda: Duration(90 * DAY_MS)
    )

    def __post_init__(self) -> None:
        """Raise ValueError for what nobody would want."""
        for name, value in (("raw", self.raw), ("hourly", self.hourly)):
            if value < DAY_MS:
                raise ValueError(f"`{name}` must be at least 1d")
        if self.totals < self.raw:
            raise ValueError("`totals` must be at least `raw`: single results lose their phases before they go")


class Watchdog(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another watcher that notices when Vigie itself is silent, such as Healthchecks, Uptime Kuma (push) or Dead Man's Snitch.

    It is pinged only while Vigie works: results come in and are stored, and notices can be sent.
    """

    url: Annotated[
        Secret,
        Meta(
            description="The address that is fetched (GET) as Vigie's heartbeat.",
            examples=["https://hc-ping.com/${HEALTHCHECKS_UUID}"],
        ),
    ]
    every: Annotated[Duration, Meta(description="Interval of `vigie serve`; `vigie once` sends it at the end of each run.")] = (
        msgspec.field(default_factory=lambda: Duration(60_000))
    )

    def __post_init__(self) -> None:
        """Raise ValueError for what is not a web address, and for an interval that nobody would want."""
        if not re.match(r"^https?://[^/\s][!-~]*$", self.url.reveal()):  # pattern: a constant, against the user's own URL
            raise ValueError("`url` is not a web address; write https://hc-ping.com/…")
        if not 10_000 <= self.every <= 86_400_000:
            raise ValueError("`every` must be at least 10s and at most 1d")


def check_name(name: str) -> None:
    """Raise ValueError for a name that would look like another, or like a line of its own."""
    if mark := misleading(name):
        raise ValueError(f"'{escaped(name)[:80]}' contains a line break or a mark that misleads ({mark}); write it without")


class Common(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of every monitor, whatever its kind."""

    name: Annotated[str | None, Meta(description="Display name; by default the host.", extra=SHOWN)] = None
    id: Annotated[Identity | None, Meta(description="Stable ID; by default a slug of the name.", extra=SHOWN)] = None
    type: Annotated[str, Meta(description="Kind of check.", extra=SHOWN)] = "http"
    every: Annotated[Duration, Meta(description="Time between checks (`vigie once` leaves that to cron).")] = msgspec.field(
        default_factory=lambda: Duration(60_000)
    )
    timeout: Annotated[Duration, Meta(description="Timeout of one whole check.")] = msgspec.field(default_factory=lambda: Duration(10_000))
    alert: Annotated[str | Alert, Meta(description="Name of an alert, or an alert written here.", extra=SHOWN)] = "default"
    tags: Annotated[list[str], Meta(description="Tags.", extra=SHOWN)] = []
    depends_on: Annotated[
        list[str],
        Meta(
            description="Names or ids of monitors without which this one cannot work: while one of them is down, a failure of this one joins its "
            "alert.",
            extra=SHOWN,
        ),
    ] = []
    locations: Annotated[
        list[Annotated[str, Meta(pattern=_LOCATION)]],
        Meta(
            description="Locations that check it: those of enrolled agents, and this process's own `location`. All of them if not set.",
            examples=[["paris", "lyon"]],
            extra=SHOWN,
        ),
    ] = []
    baseline: Annotated[
        Literal["off", "low", "normal", "high"],
        Meta(
            description="How sensitive Vigie is to checks that are slower, or pages that differ, from this monitor's usual; such checks are degraded."
        ),
    ] = "normal"
    enabled: Annotated[bool, Meta(description="Whether it is monitored.")] = True

    def __post_init__(self) -> None:
        """Raise ValueError for times that cannot be kept, and for names that would mislead."""
        for name in (self.name or "", *self.tags):
            check_name(name)
        if self.every < 1_000:
            raise ValueError("`every` must be at least 1s")
        if not 1 <= self.timeout <= 300_000:
            raise ValueError("`timeout` must be above 0 and at most 5m")


class File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    language: Annotated[Literal["fr", "en"], Meta(description="Language of reports, emails and web pages.")] = "en"
    timezone: Annotated[str | None, Meta(description="Time zone; by default the machine's.", examples=["Europe/Paris"])] = None
    store: Annotated[
        str,
        Meta(
            description="Database: a path relative to this file, or a URL whose scheme names the kind of store.",
            examples=["sqlite:////var/lib/vigie/vigie.db"],
        ),
    ] = "vigie.db"
    bus: Annotated[
        str | None,
        Meta(
            description="How results and work travel between servers and agents of a fleet: the address of NATS servers with JetStream. When "
            "not set, within this process; agents far away report by HTTPS.",
            examples=["tls://nats-1:4222,nats-2:4222,nats-3:4222?creds=/etc/vigie/vigie.creds&replicas=3"],
        ),
    ] = None
    state: Annotated[
        str | None,
        Meta(
            description="Directory for the lock, the key that signs links and pictures of failures, relative to this file. When not set: beside "
            "the database, by its name and `.state`; `vigie.state` beside this file for a store that is not a file.",
            examples=["/var/lib/vigie/state"],
        ),
    ] = None
    location: Annotated[
        str,
        Meta(
            description="Where this process checks from: a name of your own, as alerts and pages show it when other locations check, too.",
            pattern=_LOCATION,
            examples=["paris"],
        ),
    ] = LOCAL
    log: Annotated[Log, Meta(description="The log.")] = Log()
    web: Annotated[Web, Meta(description="The status page.")] = Web()
    llm: Annotated[dict[str, Any], Meta(description="The language model.")] = {}
    notify: Annotated[dict[str, Any], Meta(description="Channels by name; each has a `type`.")] = {}
    alerts: Annotated[dict[str, Alert], Meta(description="Alert policies by name; `default` applies to monitors that name none.")] = {}
    control: Annotated[
        tuple[str, ...],
        Meta(
            description="`host:port` of control targets: contacted when a check fails (and twice an hour) to tell whether Vigie's own link is "
            "at fault. List at least two: one alone proves nothing."
        ),
    ] = ("example.com:443", "iana.org:443")
    second_resolver: Annotated[
        str | None,
        Meta(
            description="A second DNS server, for diagnostics and to tell a failing local resolver from a failing zone.",
            examples=["9.9.9.9"],
        ),
    ] = None
    blind_after: Annotated[
        Duration,
        Meta(description="How long Vigie must have been unable to check anything, for a reason of its own, before it sends one notice."),
    ] = msgspec.field(default_factory=lambda: Duration(120_000))
    availability: Annotated[Availability, Meta(description="The availability report.")] = Availability()
    history: Annotated[History, Meta(description="How long results are kept.")] = msgspec.field(default_factory=History)
    watchdog: Annotated[Watchdog | None, Meta(description="Another watcher, which notices when Vigie itself is silent.")] = None
    fleet: Annotated[FleetKeys, Meta(description="This server among several that share one PostgreSQL.")] = FleetKeys()
    metrics: Annotated[Metrics, Meta(description="What other monitoring systems read and are sent.")] = Metrics()
    maintenance: Annotated[list[Maintenance], Meta(description="Maintenance windows, in which no alert is sent.")] = []
    people: Annotated[dict[str, Person], Meta(description="Who can be notified, and how.")] = {}
    oncall: Annotated[dict[str, OnCall], Meta(description="Rotations: who is on call, from when to when.")] = {}
    status_pages: Annotated[dict[str, StatusPageKeys], Meta(description="Status pages by name: what others see of which monitors.")] = {}
    monitors: Annotated[list[Any], Meta(description="What is monitored: a URL, or keys.")] = []
