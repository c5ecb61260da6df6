"""What there is to measure of a running Vigie, for other monitoring systems: what each check saw last, and how Vigie itself is.

Instants are epoch ms, durations ms. `seen` makes of a result what is kept of it for this: a few numbers.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vigie.core.model import Cause, CheckResult, Monitor, Status, TlsFacts
from vigie.queries import Health, MonitorState

_FNV_BASIS, _FNV_PRIME = 0x811C9DC5, 0x01000193  # FNV-1a of 32 bits


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest result of a monitor from one location. `phases` are dns, connect, tls, first byte, transfer and total.

    `earliest_expiry` is of the whole chain that the server sent, `chain_expiry` of the chain that was verified. `round_trip` is the
    mean of pings, `answers` how many records a name had. What a check does not have is None.
    """

    location: str
    at: int
    status: Status
    cause: Cause | None
    phases: tuple[float | None, ...]
    family: int | None = None  # 4 or 6
    address_hash: int | None = None
    http_status: int | None = None
    http_version: float | None = None
    redirects: int = 0
    length: int = 0
    tls_version: str | None = None
    earliest_expiry: int | None = None
    chain_expiry: int | None = None
    round_trip: float | None = None
    loss_percent: float | None = None
    answers: float | None = None


def seen(result: CheckResult) -> Seen:
    """What is kept of a result."""
    http, tls = result.http, result.tls
    times = result.timings
    family, hashed = _address(result.address)
    return Seen(
        result.location,
        result.at,
        result.status,
        result.cause,
        (times.dns, times.connect, times.tls, times.first_byte, times.transfer, times.total),
        family,
        hashed,
        None if http is None else http.status,
        None if http is None else _version(http.version),
        0 if http is None else http.redirects,
        0 if http is None else http.bytes,
        None if tls is None else tls.version,
        None if tls is None else _earliest(tls),
        _verified(result),
        _number(result.figures.get("rtt_avg_ms")),
        _number(result.figures.get("loss_percent")),
        _number(result.figures.get("answers")),
    )


def address_hash(address: str) -> int:
    """The FNV-1a hash of an IP address, which blackbox_exporter tells changes of an address by. Raises ValueError."""
    found = _FNV_BASIS
    for byte in ipaddress.ip_address(address).packed:
        found = ((found ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return found


def _address(address: str | None) -> tuple[int | None, int | None]:
    try:
        return (None, None) if address is None else (ipaddress.ip_address(address).version, address_hash(address))
    except ValueError:  # something that a probe of another package calls its address
        return None, None


def _version(text: str) -> float | None:
    """`1.1`, `HTTP/2` and `3` as numbers."""
    try:
        return float(text.rpartition("/")[2])
    except ValueError:
        return None


def _earliest(tls: TlsFacts) -> int | None:
    return min((one.not_after for one in tls.chain), default=tls.expires_at)


def _verified(result: CheckResult) -> int | None:
    """When the chain that was verified ends; None where none was."""
    tls = result.tls
    if tls is None or not result.is_good:
        return None
    return tls.limit.not_after if tls.limit is not None else tls.expires_at


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


@dataclass(frozen=True, slots=True)
class MonitorMeasures:
    """A watched monitor: how it is, whether an incident of it is open, and what was seen last from each location."""

    monitor: Monitor
    state: MonitorState
    incident: bool
    seen: tuple[Seen, ...]


@dataclass(slots=True)
class Tally:
    """What was counted since the start. Deliveries are by channel and outcome, reports and replies by outcome; times are ms."""

    checks: dict[Status, int] = field(default_factory=dict)
    deliveries: dict[tuple[str, str], int] = field(default_factory=dict)
    delivery_ms: dict[str, float] = field(default_factory=dict)  # by channel
    reports: dict[str, int] = field(default_factory=dict)
    replies: dict[str, int] = field(default_factory=dict)
    reply_ms: float = 0.0
    reply_tokens: int = 0
    decode_ms: float = 0.0  # of those tokens


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late the last checks started."""

    p99: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Measures:
    """Everything at one moment. `store_bytes` and `disk_free` are None where the store is not a file on this machine."""

    health: Health
    monitors: Sequence[MonitorMeasures]
    tally: Tally
    lateness: Lateness | None = None
    alerts_open: int = 0
    blind: bool = False
    store_failing: bool = False
    prober_running: bool = True
    failing_channels: Mapping[str, bool] = field(default_factory=dict)  # every configured channel
    store_bytes: int | None = None
    disk_free: int | None = None
    config_applied_at: int | None = None
    config_refused: bool = False
    evaluates: bool = True  # whether this server does, or stands by for another one


class MeasureQueries(Protocol):
    """What metrics and readiness are made of."""

    async def measures(self) -> Measures:
        """Everything. The first time it reads what was seen last, later on it asks only counters of the store. Raises StoreError."""

    async def readiness(self) -> Mapping[str, str]:
        """What each part needs to do its work says of itself: empty where all is well, else one line. Never raises."""
