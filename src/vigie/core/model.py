"""The nouns. Instants are milliseconds since the Unix epoch (UTC); durations are milliseconds; phases are float ms."""

from dataclasses import dataclass, field
from enum import StrEnum

from vigie.core.detection import DetectionPolicy, Pattern, Severity
from vigie.core.notification import NotificationPolicy
from vigie.core.subject import SubjectKind

Scalar = str | int | float | bool
LOCAL = "local"  # the location of checks that run on the machine of the server
_DETECTION, _NOTIFICATION = DetectionPolicy(), NotificationPolicy()


class Status(StrEnum):
    """What a check concluded; `unknown` means that Vigie itself could not tell."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Where a failure was observed: the closed list of docs/failures.md, in its order.

    The position in this list is stored, so new causes go at the end.
    """

    DNS_NXDOMAIN = "dns.nxdomain"
    DNS_SERVFAIL = "dns.servfail"
    DNS_REFUSED = "dns.refused"
    DNS_TIMEOUT = "dns.timeout"
    DNS_NO_ANSWER = "dns.no_answer"
    DNS_MISMATCH = "dns.mismatch"
    TCP_REFUSED = "tcp.refused"
    TCP_RESET = "tcp.reset"
    TCP_UNREACHABLE = "tcp.unreachable"
    TIMEOUT_CONNECT = "timeout.connect"
    TIMEOUT_TLS = "timeout.tls"
    TIMEOUT_FIRST_BYTE = "timeout.first_byte"
    TIMEOUT_TOTAL = "timeout.total"
    TLS_EXPIRED = "tls.expired"
    TLS_NOT_YET_VALID = "tls.not_yet_valid"
    TLS_HOSTNAME = "tls.hostname"
    TLS_UNTRUSTED = "tls.untrusted"
    TLS_HANDSHAKE = "tls.handshake"
    TLS_EXPIRING = "tls.expiring"
    TLS_WEAK = "tls.weak"
    HTTP_STATUS = "http.status"
    HTTP_REDIRECT = "http.redirect"
    HTTP_PROTOCOL = "http.protocol"
    HTTP_TRUNCATED = "http.truncated"
    HTTP_EMPTY_REPLY = "http.empty_reply"
    HTTP_BLOCKED = "http.blocked"
    CONTENT_MISSING = "content.missing"
    CONTENT_FORBIDDEN = "content.forbidden"
    CONTENT_JSON = "content.json"
    CONTENT_TYPE = "content.type"
    CONTENT_ERROR_PAGE = "content.error_page"
    CONTENT_BLANK = "content.blank"
    CONTENT_TAMPERED = "content.tampered"
    CONTENT_CHANGED = "content.changed"
    LATENCY_THRESHOLD = "latency.threshold"
    LATENCY_ANOMALY = "latency.anomaly"
    ICMP_LOSS = "icmp.loss"
    ICMP_TIMEOUT = "icmp.timeout"
    PROTOCOL_MISMATCH = "protocol.mismatch"
    HEARTBEAT_MISSED = "heartbeat.missed"
    HEARTBEAT_LATE = "heartbeat.late"
    HEARTBEAT_FAILED = "heartbeat.failed"
    DOMAIN_EXPIRING = "domain.expiring"
    PROBE_NETWORK = "probe.network"
    PROBE_RESOLVER = "probe.resolver"
    PROBE_ERROR = "probe.error"

    @classmethod
    def _missing_(cls, value: object) -> "Cause | None":
        """For a cause that a later version wrote, while both run: the one of its family that says least. None for anything else."""
        family = str(value).partition(".")[0] if isinstance(value, str) and "." in value else ""
        return next((one for one in _OF_FAMILIES if one.partition(".")[0] == family), None)

    @property
    def own(self) -> bool:
        """Whether the fault is Vigie's own: always `unknown`, never booked on the target."""
        return self.startswith("probe.")

    @property
    def expires(self) -> bool:
        """Whether something runs out on a known date: notified by steps, not as a degradation."""
        return self in (Cause.TLS_EXPIRING, Cause.DOMAIN_EXPIRING)


_OF_FAMILIES = (
    Cause.DNS_SERVFAIL,
    Cause.TCP_UNREACHABLE,
    Cause.TIMEOUT_TOTAL,
    Cause.TLS_HANDSHAKE,
    Cause.HTTP_PROTOCOL,
    Cause.CONTENT_CHANGED,
    Cause.LATENCY_THRESHOLD,
    Cause.ICMP_LOSS,
    Cause.PROTOCOL_MISMATCH,
    Cause.HEARTBEAT_FAILED,
    Cause.DOMAIN_EXPIRING,
    Cause.PROBE_ERROR,
)


class FaultScope(StrEnum):
    """Whose fault it is that a check did not find everything well, and so what else is affected by it."""

    TARGET = "target"
    MONITOR = "monitor"  # of this monitor's own resources: its probe, its resolver; the others can be checked
    NETWORK = "network"  # this machine has no way out or no names: every service beyond it is affected
    MACHINE = "machine"  # this machine stood still: every check in progress is affected
    AGENT = "agent"  # the agent that alone checks it is silent: so is every other monitor that it alone checks


_SCOPES = {
    Cause.PROBE_NETWORK: FaultScope.NETWORK,
    Cause.PROBE_RESOLVER: FaultScope.NETWORK,
    Cause.PROBE_ERROR: FaultScope.MONITOR,
}


@dataclass(frozen=True, slots=True)
class Timings:
    """Phases of one check in float milliseconds; None where a phase did not happen. Redirect hops are summed."""

    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    transfer: float | None = None
    total: float | None = None


@dataclass(frozen=True, slots=True)
class HttpFacts:
    """What HTTP said in the last hop. `bytes` counts the decoded body as read; `type` is the media type, no parameters."""

    status: int
    version: str
    redirects: int = 0
    bytes: int = 0
    type: str | None = None
    headers: dict[str, str] = field(default_factory=dict)  # allow-listed only: server, via, retry-after, location, cache ids
    hops: tuple[str, ...] = ()  # the redacted URL of every hop after the first
    title: str | None = None


@dataclass(frozen=True, slots=True)
class PageFacts:
    """The shape of a page, never its text. `digest` is of the decoded body; `words` counts visible words; hosts are in lower case.

    `landmarks` are the main parts that it has (`header`, `nav`, `main`, `footer`, `form`, `h1`…), `scripts` the foreign hosts it
    loads scripts from, `links` those it links to, `title` a hash: what the target wrote is not kept.
    """

    digest: str
    bytes: int
    words: int = 0
    title: str = ""
    type: str = ""
    landmarks: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate of a chain, leaf first. Instants in epoch ms."""

    subject: str
    issuer: str
    not_before: int
    not_after: int
    key: str
    signature: str
    names: tuple[str, ...] = ()
    sha256: str = ""


class ExpiryKind(StrEnum):
    """What runs out."""

    CERTIFICATE = "certificate"
    AUTHORITY = "authority"  # a certificate of the chain above the server's own
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class Expiry:
    """Something that runs out, as one check saw it. `of` (host and port, or a domain) stays over a renewal; `name` is whom it names.

    It ends at `ends_at` and deserves a warning from `warn_at` on, epoch ms; `short_lived`: which was shortened to a share of its life.
    `place` is the address that served it.
    """

    of: str
    kind: ExpiryKind
    name: str
    ends_at: int
    warn_at: int
    short_lived: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What TLS said, readable even where verification failed. `expires_at` is epoch ms; `days_left` floors towards -inf.

    `chain` is what the peer sent, leaf first. `limit` is the certificate whose end ends the chain's validity, where that is not the leaf.
    """

    version: str | None
    issuer: str | None = None
    subject: str | None = None
    expires_at: int | None = None
    days_left: int | None = None
    chain: tuple[Certificate, ...] = ()
    limit: Certificate | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check, concluded.

    `message` is one English line that says the cause in words with the number that mattered.
    `figures` holds those numbers by name, so that a report can say them in any language.
    It is identified by (monitor, location, run, sequence): `run` numbers the starts of whoever probes there, `sequence` the checks
    of a run (both 0 where nobody counts). A repeated or late result is recognised by them, never by `at`, because clocks step.
    """

    monitor: str
    at: int
    status: Status
    cause: Cause | None = None
    message: str = ""
    timings: Timings = Timings()
    figures: dict[str, Scalar] = field(default_factory=dict)
    address: str | None = None
    addresses: tuple[str, ...] = ()
    http: HttpFacts | None = None
    tls: TlsFacts | None = None
    advice: tuple[str, ...] = ()
    location: str = LOCAL
    run: int = 0
    sequence: int = 0
    page: PageFacts | None = None  # where the page was read; None also when it is byte for byte the one told last
    scope: FaultScope | None = None  # only where the cause alone does not say it
    host: str | None = None  # whose address that is, where the check was led to another host than the monitor's
    expiries: tuple[Expiry, ...] = ()  # of what was verified, on every hop

    @property
    def is_good(self) -> bool:
        """Whether it speaks for the service: a degraded one works."""
        return self.status in (Status.UP, Status.DEGRADED)

    @property
    def fault(self) -> FaultScope:
        """Whose fault it is that the result is not up."""
        return self.scope or (FaultScope.TARGET if self.cause is None else _SCOPES.get(self.cause, FaultScope.TARGET))


class Sensitivity(StrEnum):
    """From when on a check counts as unlike the monitor's own normal: vigie.learning.season has the figures."""

    OFF = "off"
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Monitor:
    """What is watched, as the engine needs it; how it is probed is the probe's own configuration.

    `id` is the stable key (a slug of the name unless given). `target` is what people read (a URL without secrets).
    `host` groups monitors for the per-host limit. `depends_on` are the ids of those without which it cannot work.
    `locations` are those that check it; empty: all that there are.
    """

    id: str
    name: str
    kind: str
    target: str
    host: str
    every_ms: int
    timeout_ms: int
    detection: DetectionPolicy = _DETECTION
    notification: NotificationPolicy = _NOTIFICATION
    tags: tuple[str, ...] = ()
    baseline: Sensitivity = Sensitivity.NORMAL
    port: int | None = None
    depends_on: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()

    def is_checked_from(self, location: str) -> bool:
        """Whether this location is to check it."""
        return not self.locations or location in self.locations


@dataclass(frozen=True, slots=True)
class Incident:
    """One span of trouble. `id` is `<monitor id>-<ordinal>`; it ends once, by recovery or by a person. `alert` is whose member it is."""

    id: str
    monitor: str
    severity: Severity
    cause: Cause
    started_at: int  # the first failed check
    opened_at: int  # confirmed
    closed_at: int | None = None
    acked_by: str | None = None
    closed_by: str | None = None  # None: the service recovered
    note: str | None = None
    subject: SubjectKind = SubjectKind.MONITOR
    alert: str = ""
    failures: int = 0  # failed checks that opened it; 0: an old record
    pattern: Pattern = Pattern.STEADY
