"""Every metric by its name: what it is, and how the numbers of a check give it. docs/metrics.md and the dashboards are checked against it.

Where blackbox_exporter has a metric of the same meaning, ours has its name and unit, so that dashboards and rules work with both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vigie.core.model import Status
from vigie.queries.measures import Seen

Number = int | float
Reading = Callable[[Seen], Number | None]
_PHASES = ("resolve", "connect", "tls", "processing", "transfer")
_DIGITS = 7  # of seconds: a tenth of a microsecond


@dataclass(frozen=True, slots=True)
class Metric:
    """A family: `kind` is gauge, counter or summary, `labels` are those beside `monitor` and `location`."""

    name: str
    kind: str
    about: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """A metric of single checks: what it reads of one, by the values of its labels."""

    metric: Metric
    readings: Sequence[tuple[Mapping[str, str], Reading]]


def _one(name: str, about: str, reading: Reading) -> Checked:
    return Checked(Metric(name, "gauge", about), (({}, reading),))


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else round(ms / 1000, _DIGITS)


def _instant(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000


def _phase(index: int) -> Reading:
    """A phase; of HTTP, one that did not happen took no time."""

    def reading(one: Seen) -> Number | None:
        return None if one.http_version is None else _seconds(one.phases[index]) or 0

    return reading


def _success(one: Seen) -> int | None:
    """Nothing of what could not be checked: `probe_success == 0` must mean that the service fails, and not Vigie's own network."""
    return None if one.status is Status.UNKNOWN else int(one.status in (Status.UP, Status.DEGRADED))


def _of_http(read: Callable[[Seen], Number | None]) -> Reading:
    return lambda one: None if one.http_status is None else read(one)


CHECKED: tuple[Checked, ...] = (
    _one(
        "probe_success", "Whether the service works: 1 for up and degraded, 0 for down. Absent where Vigie itself could not tell.", _success
    ),
    _one("probe_duration_seconds", "How long the check took.", lambda one: _seconds(one.phases[5])),
    _one("probe_dns_lookup_time_seconds", "How long the name took to resolve.", lambda one: _seconds(one.phases[0])),
    _one("probe_ip_protocol", "Version of IP: 4 or 6.", lambda one: one.family),
    _one("probe_ip_addr_hash", "Hash (FNV-1a) of the address: it changes when the address does.", lambda one: one.address_hash),
    _one("probe_http_status_code", "HTTP status of the last response.", lambda one: one.http_status),
    Checked(
        Metric("probe_http_duration_seconds", "gauge", "How long each phase of HTTP took, redirects included.", ("phase",)),
        tuple(({"phase": name}, _phase(index)) for index, name in enumerate(_PHASES)),
    ),
    _one("probe_http_version", "Version of HTTP: 1.1, 2 or 3.", lambda one: one.http_version),
    _one("probe_http_redirects", "How many redirects were followed.", _of_http(lambda one: one.redirects)),
    _one("probe_http_ssl", "Whether the last response came over TLS.", _of_http(lambda one: int(one.tls_version is not None))),
    _one("probe_http_uncompressed_body_length", "Bytes of the body that were read, decoded.", _of_http(lambda one: one.length)),
    _one(
        "probe_failed_due_to_regex",
        "Whether the check failed for what is in the page.",
        _of_http(lambda one: int(one.cause is not None and one.cause.startswith("content."))),
    ),
    _one(
        "probe_ssl_earliest_cert_expiry",
        "When the first certificate of the chain expires, Unix time.",
        lambda one: _instant(one.earliest_expiry),
    ),
    _one(
        "probe_ssl_last_chain_expiry_timestamp_seconds",
        "When the verified chain expires, Unix time.",
        lambda one: _instant(one.chain_expiry),
    ),
    Checked(
        Metric(
            "probe_icmp_duration_seconds", "gauge", "How long the name took, and the mean round trip of the pings of a check.", ("phase",)
        ),
        (
            ({"phase": "resolve"}, lambda one: None if one.loss_percent is None else _seconds(one.phases[0]) or 0),
            ({"phase": "rtt"}, lambda one: _seconds(one.round_trip)),
        ),
    ),
    _one("vigie_probe_icmp_loss_ratio", "Share of the pings that were lost, 0 to 1.", lambda one: _ratio(one.loss_percent)),
    _one("probe_dns_answer_rrs", "How many records the answer had.", lambda one: one.answers),
)


def _ratio(percent: float | None) -> float | None:
    return None if percent is None else round(percent / 100, 4)


TLS_VERSION = Metric("probe_tls_version_info", "gauge", "Version of TLS of the last response; always 1.", ("version",))
CHAIN_INFO = Metric(
    "probe_ssl_last_chain_info",
    "gauge",
    "The server's certificate; always 1. Only on /probe.",
    ("fingerprint_sha256", "subject", "issuer", "subjectalternative"),
)
MONITOR_INFO = Metric(
    "vigie_monitor_info", "gauge", "What the monitor is; always 1. Has no `location`.", ("name", "kind", "target", "tags")
)
MONITOR_STATE = Metric("vigie_monitor_state", "gauge", "Its state; always 1. Has no `location`.", ("state",))
MONITOR_INCIDENT = Metric("vigie_monitor_incident_open", "gauge", "Whether an incident of it is open. Has no `location`.")
MONITOR_CAUSE = Metric("vigie_monitor_cause", "gauge", "Why the newest check did not find it well; always 1.", ("cause",))
MONITOR_CHECKED = Metric("vigie_monitor_last_check_timestamp_seconds", "gauge", "When it was last checked, Unix time.")
OF_MONITORS = (MONITOR_INFO, MONITOR_STATE, MONITOR_INCIDENT, MONITOR_CAUSE, MONITOR_CHECKED)

OWN: Mapping[str, Metric] = {
    one.name: one
    for one in (
        Metric("vigie_build_info", "gauge", "The version that runs; always 1.", ("version",)),
        Metric("vigie_start_timestamp_seconds", "gauge", "When it was started, Unix time."),
        Metric("vigie_healthy", "gauge", "Whether results come in."),
        Metric(
            "vigie_evaluating",
            "gauge",
            "Whether this server evaluates; 0 where it stands by for another one, which has the monitors' metrics.",
        ),
        Metric("vigie_prober_running", "gauge", "Whether the process that makes the checks is running."),
        Metric("vigie_store_failing", "gauge", "Whether results wait for a store that cannot take them."),
        Metric("vigie_blind", "gauge", "Whether nothing can be seen for a reason of Vigie's own, such as its network."),
        Metric("vigie_last_result_timestamp_seconds", "gauge", "When the newest check was, Unix time."),
        Metric(
            "vigie_check_lateness_seconds", "gauge", "How late the last checks started: the 99th percentile and the maximum.", ("quantile",)
        ),
        Metric("vigie_monitors", "gauge", "Monitors by their state.", ("state",)),
        Metric("vigie_monitors_unchecked", "gauge", "Monitors that cannot be checked by a fault of Vigie's own."),
        Metric("vigie_monitors_with_incident", "gauge", "Monitors with an open incident."),
        Metric("vigie_alerts_open", "gauge", "Alerts that are not over."),
        Metric("vigie_checks_total", "counter", "Checks since the start, by what they found.", ("status",)),
        Metric("vigie_notices", "gauge", "Notices in the outbox: those that wait, and those that could not be delivered.", ("state",)),
        Metric(
            "vigie_deliveries_total", "counter", "Attempts to deliver since the start: `delivered`, or why not.", ("channel", "outcome")
        ),
        Metric("vigie_delivery_seconds", "summary", "How long attempts to deliver took.", ("channel",)),
        Metric("vigie_channel_failing", "gauge", "Whether a channel has not worked for a while.", ("channel",)),
        Metric("vigie_reports_total", "counter", "Reports since the start: with an analysis by the model, or plain.", ("outcome",)),
        Metric(
            "vigie_model_replies_total",
            "counter",
            "What the model was asked since the start: `reply`, or why there was none.",
            ("outcome",),
        ),
        Metric("vigie_model_seconds", "summary", "How long the model took."),
        Metric("vigie_model_tokens_total", "counter", "Tokens that the model wrote since the start."),
        Metric("vigie_model_tokens_per_second", "gauge", "How fast the model writes, on average since the start."),
        Metric("vigie_store_bytes", "gauge", "Size of the database with its log."),
        Metric("vigie_store_disk_free_bytes", "gauge", "What the disk of the database has left."),
        Metric("vigie_config_applied_timestamp_seconds", "gauge", "Since when the configuration in force has been, Unix time."),
        Metric("vigie_config_refused", "gauge", "Whether the newest configuration could not be applied."),
    )
}


def every() -> tuple[Metric, ...]:
    """All of them, in the order in which they are written."""
    return (*(one.metric for one in CHECKED), TLS_VERSION, CHAIN_INFO, *OF_MONITORS, *OWN.values())
