"""The shape of `vigie.yaml`: the keys that do not belong to an adapter."""

import ipaddress
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from vigie.config.exported import Metrics
from vigie.config.planned import Maintenance, OnCall, Person, Quiet
from vigie.config.routes import Escalation, Route
from vigie.config.status_pages import StatusPageKeys
from vigie.config.streak import Streak
from vigie.net import SHOWN, Secret, ascii_name
from vigie.observation.rollup import DAY_MS
from vigie.planning.duration import Duration
from vigie.text.marks import escaped, misleading

Meta = msgspec.Meta
# What a mail's link may hold: RFC 3986 §2 without what begins a query or a fragment, and without quotes.
_PUBLIC = re.compile(r"https?://[A-Za-z0-9\[\]:._~%!$&()*+,;=/-]+")
_HOST_NAME = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]+\.?")
Identity = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]


ExpiryDays = Annotated[int, Meta(ge=1, le=365)]


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Failures that need not follow one another."""

    failures: Annotated[int, Meta(description="How many checks failed.", ge=2, le=60)]
    of: Annotated[int, Meta(description="Of how many checks, the last ones; re-checks count.", ge=3, le=60)]

    def __post_init__(self) -> None:
        """Raise ValueError unless there is room for a good check between the failures."""
        if self.failures >= self.of:
            raise ValueError(f"`failures` must be less than `of`; for {self.failures} failures in a row write `confirm: {self.failures}`")


class Alert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When trouble is an incident, and who is told."""

    confirm: Annotated[
        Streak,
        Meta(
            description="Consecutive failures that open an incident (`3`), or how long every check must have failed (`2m`; at least two checks).",
            examples=[3, "2m"],
        ),
    ] = msgspec.field(default_factory=lambda: Streak("3"))
    confirm_every: Annotated[Duration, Meta(description="Interval of the re-checks that confirm a failure.")] = msgspec.field(
        default_factory=lambda: Duration(5_000)
    )
    recover: Annotated[
        Streak,
        Meta(
            description="Consecutive passed checks that close it (`2`), or how long every check must have passed (`5m`; at least two checks).",
            examples=[2, "5m"],
        ),
    ] = msgspec.field(default_factory=lambda: Streak("2"))
    rate: Annotated[
        Rate | None,
        Meta(description="Failures among the last checks that open an incident too, though checks between them passed; not if not set."),
    ] = None
    flapping: Annotated[
        bool,
        Meta(
            description="Send one notice when a service goes up and down, and one when it is stable again, instead of one for each time. "
            "It is flapping when 4 separate failures within 21 checks came to nothing, or at the third incident within an hour; it is stable "
            "after 30 minutes, and at least 7 checks, without a change."
        ),
    ] = True
    remind: Annotated[Duration, Meta(description="Interval between reminders until somebody acknowledges; 0 for none.")] = msgspec.field(
        default_factory=lambda: Duration(14_400_000)
    )
    to: Annotated[
        list[str] | None,
        Meta(
            description="Channels, people and rotations that alerts go to; every channel of `notify` if not set, or else everybody's own."
        ),
    ] = None
    degraded_to: Annotated[list[str], Meta(description="Channels, people and rotations that degradations are sent to.")] = []
    fallback: Annotated[list[str], Meta(description="Failover channels, used when one of `to` fails.")] = []
    group: Annotated[
        Literal["auto", "off"],
        Meta(
            description="`auto`: services that fail for one observed reason (the same address, host, certificate, DNS zone, gateway, or what they "
            "depend on) are one alert with one notice. `off`: each failure is an alert of its own."
        ),
    ] = "auto"
    group_wait: Annotated[
        Duration,
        Meta(
            description="How long the first notice waits for other services that fail for the same reason. One that shares nothing with another "
            "does not wait."
        ),
    ] = msgspec.field(default_factory=lambda: Duration(10_000))
    remind_backoff: Annotated[
        int, Meta(description="How many times longer each interval between reminders is than the one before, up to a day.", ge=1, le=10)
    ] = 1
    escalate: Annotated[
        list[Escalation],
        Meta(description="Who else is notified while nobody acknowledges: steps of `after` and `to`. A step is taken once."),
    ] = []
    routes: Annotated[
        list[Route],
        Meta(
            description="Who is notified of monitors with certain tags, or of certain severities: the first route that fits takes the place of "
            "`to` and `degraded_to`."
        ),
    ] = []
    delay: Annotated[
        dict[str, Duration],
        Meta(
            description="How much later somebody of `to` or `degraded_to` is notified, and only if the alert is still open by then.",
            examples=[{"phone": "5m"}],
        ),
    ] = {}
    quiet: Annotated[Quiet | None, Meta(description="Hours in which alerts of some severities wait.")] = None
    expiry_days: Annotated[
        tuple[ExpiryDays, ...],
        Meta(
            description="How many days before a certificate or a domain expires a notice is sent: once each, to `degraded_to`, or to `to` if "
            "that is empty. The first is the first one within the monitor's own limit (`tls_days`, `days`)."
        ),
    ] = (14, 7, 3, 1)


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


class Oidc(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An OpenID Connect provider: Keycloak, Authentik, Entra ID, Google, Okta and the like.

    Its redirect URI is `<public_url>/login/oidc/callback`.
    """

    issuer: Annotated[str, Meta(description="URL of the provider; its discovery document lies below.", examples=["https://id.example.com"])]
    client_id: Annotated[str, Meta(description="Client ID that the provider gave Vigie.", examples=["vigie"])]
    client_secret: Annotated[Secret, Meta(description="Client secret that goes with it.", examples=["${OIDC_CLIENT_SECRET}"])]
    name: Annotated[str, Meta(description="What the login button calls it; by default the host of `issuer`.")] = ""
    scopes: Annotated[tuple[str, ...], Meta(description="Scopes that are asked for.")] = ("openid", "profile", "email")
    claim: Annotated[str, Meta(description="Claim that decides roles; dots lead into it (`realm_access.roles`).")] = "groups"
    roles: Annotated[
        dict[str, Literal["viewer", "responder", "editor", "admin"]],
        Meta(
            description="Role by value of the claim; the strongest counts, at each login.", examples=[{"sre": "admin", "staff": "viewer"}]
        ),
    ] = {}
    default_role: Annotated[
        Literal["viewer", "responder", "editor", "admin"] | None,
        Meta(description="Role of whoever has none of these values. When not set, they are refused."),
    ] = None
    domains: Annotated[tuple[str, ...], Meta(description="Domains of verified mail addresses that may log in; any when empty.")] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for what is not an issuer, and where nobody could log in."""
        if not re.fullmatch(r"https?://[^/\s?#@]+[^\s?#]*", self.issuer):  # pattern: a constant, against the user's own URL
            raise ValueError(f"`issuer` is not a web address; write https://id.example.com, not {self.issuer!r}")
        if not self.roles and self.default_role is None:
            raise ValueError("`oidc` gives nobody a role; set `roles` or `default_role`")


class Web(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The status page."""

    listen: Annotated[str, Meta(description="Address and port.", examples=["127.0.0.1:8080"])] = "127.0.0.1:8080"
    enabled: Annotated[bool, Meta(description="Serve the page.")] = True
    public_url: Annotated[
        str | None,
        Meta(
            description="Public URL of this page, for instance behind a reverse proxy: messages with an analysis then end with two links to "
            "rate it. No links if not set.",
            examples=["https://vigie.example.com"],
        ),
    ] = None

    pings_listen: Annotated[
        str | None,
        Meta(
            description="Address and port where jobs report in and nothing else is served, so that jobs elsewhere can reach it while the page "
            "stays on `listen`.",
            examples=["0.0.0.0:8081"],
        ),
    ] = None
    hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="More host names under which the page may be opened (`*.example.com` for every name below one). Known without: that of "
            "`public_url`, IP addresses, localhost, and the machine's own where others can reach `listen`. Pings are accepted under any name.",
            examples=["status.example.com"],
        ),
    ] = ()

    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses or networks of reverse proxies: `Forwarded` and `X-Forwarded-For`, `-Proto` and `-Host` are believed from "
            "these alone.",
            examples=[["127.0.0.1", "10.0.0.0/8"]],
        ),
    ] = ()
    allow_internal: Annotated[
        tuple[str, ...],
        Meta(
            description="Networks that monitors made by people who are not admins may check all the same. Else internal addresses (this "
            "machine, private networks, metadata services of clouds) are refused to them.",
            examples=[["10.20.0.0/16"]],
        ),
    ] = ()
    oidc: Annotated[Oidc | None, Meta(description="Login by an OpenID Connect provider.")] = None

    def __post_init__(self) -> None:
        """Raise ValueError unless it is `address:port`, names of hosts, networks, and a URL that a mail can carry."""
        _check_networks("trusted_proxies", self.trusted_proxies)
        _check_networks("allow_internal", self.allow_internal)
        if self.oidc is not None and self.public_url is None:
            raise ValueError("`oidc` needs `public_url`, to which the provider sends people back")
        _check_listen(self.listen)
        if self.pings_listen is not None:
            _check_listen(self.pings_listen)
            if self.enabled and self.pings_listen == self.listen and not self.listen.endswith(":0"):
                raise ValueError(f"`pings_listen` must be another address and port than `listen`, which takes pings too: {self.listen!r}")
        for name in self.hosts:
            _check_host(name)
        if self.public_url is not None:
            _check_public(self.public_url)
            if not self.enabled:
                raise ValueError("`public_url` needs the page, but `enabled` is false; remove one of them")


def _check_networks(key: str, texts: tuple[str, ...]) -> None:
    """Raise ValueError unless each is an address or a network."""
    for one in texts:
        try:
            ipaddress.ip_network(one, strict=False)
        except ValueError:
            raise ValueError(f"`{key}`: {one!r} is not an address or a network; write 10.0.0.0/8") from None


def _check_listen(text: str) -> None:
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65_535:
        raise ValueError(f"{text!r} is not an address and port; write 127.0.0.1:8080")


def _check_host(name: str) -> None:
    """Raise ValueError unless it is a host name without scheme, port and path."""
    try:
        spelt = ascii_name(name.removeprefix("*."))
    except ValueError as error:
        raise ValueError(f"`hosts`: {error}") from None
    if not _HOST_NAME.fullmatch(spelt):
        raise ValueError(f"`hosts`: {name!r} is not a host name; write status.example.com, without scheme and port")


def _check_public(url: str) -> None:
    """Raise ValueError unless it is an http(s) URL of printable ASCII with nothing but host, port and path.

    A user name in it may come with a password, so that such a URL is not repeated.
    """
    try:
        parts = urlsplit(url)
        usual = bool(_PUBLIC.fullmatch(url)) and bool(parts.hostname) and parts.port != 0
    except ValueError:  # an invalid port, or brackets without a valid address in them
        usual = False
    if "@" in url or not usual:
        quoted = "" if "@" in url else f": {url!r}"
        raise ValueError(f"`public_url` must be an http(s) URL without user, query or fragment{quoted}; write https://vigie.example.com")


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
    state: Annotated[
        str | None,
        Meta(
            description="Directory for the lock, the key that signs links and pictures of failures, relative to this file. When not set: beside "
            "the database, by its name and `.state`; `vigie.state` beside this file for a store that is not a file.",
            examples=["/var/lib/vigie/state"],
        ),
    ] = None
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
    metrics: Annotated[Metrics, Meta(description="What other monitoring systems read and are sent.")] = Metrics()
    maintenance: Annotated[list[Maintenance], Meta(description="Maintenance windows, in which no alert is sent.")] = []
    people: Annotated[dict[str, Person], Meta(description="Who can be notified, and how.")] = {}
    oncall: Annotated[dict[str, OnCall], Meta(description="Rotations: who is on call, from when to when.")] = {}
    status_pages: Annotated[dict[str, StatusPageKeys], Meta(description="Status pages by name: what others see of which monitors.")] = {}
    monitors: Annotated[list[Any], Meta(description="What is monitored: a URL, or keys.")] = []
