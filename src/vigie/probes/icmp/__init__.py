"""The ICMP probe: a series of pings; what is lost, how long the answers take, how much that varies.

`figures` of a result, by name: `sent`, `received`, `loss_percent`, `limit_percent` (icmp.loss); `rtt_min_ms`, `rtt_avg_ms`, `rtt_max_ms`,
`jitter_ms` (how much an answer's time differs from the one before it, on average). In the timings `first_byte` is the average, and
`total` leaves out the pauses between pings: it is what reaching the host costs.
"""

import asyncio
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Annotated, Any

import msgspec

from vigie.core.model import Cause, CheckResult, Scalar, Status, Timings
from vigie.planning.duration import Duration
from vigie.ports import Problem, Traits
from vigie.probes.icmp.echo import UNREACHABLE, NotAllowed, Series, SocketWire, Wire, may_send, ping
from vigie.probes.kit import keys
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.keys import Family, Host, Meta, Resolver
from vigie.probes.kit.verdict import Verdict, advice, no_address, slow

TRAITS = Traits(tcp=False)
_EXAMPLE = "icmp://router.example.com"
_WAIT_SECONDS, _SPARE_SECONDS = 2.0, 0.02
_FIX = {
    "linux": "allow it for all users: sysctl -w net.ipv4.ping_group_range='0 2147483647'",
    "win32": "run Vigie as an administrator",
}


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A host that answers pings: loss, round trip, jitter. Also written `icmp://host`.

    Needs no privileges where the system hands out sockets for pings (Linux: `net.ipv4.ping_group_range`; macOS: always), and a raw
    socket elsewhere. Where it gets neither, the check is `unknown` and says what to do. An answer that takes more than 2 s is lost.
    """

    host: Host
    count: Annotated[int, Meta(description="Pings per check.", ge=1, le=100)] = 5
    interval: Annotated[Duration, Meta(description="Time between them; shorter if the timeout leaves less.")] = msgspec.field(
        default_factory=lambda: Duration(200)
    )
    loss: Annotated[int, Meta(description="Losing more than this percentage is degraded; losing all is down.", ge=0, le=100)] = 20
    latency: Annotated[Duration | None, Meta(description="Slower on average than this is degraded.", examples=["80ms"])] = None
    ip: Family = None
    resolver: Resolver = None

    def __post_init__(self) -> None:
        """Raise ValueError for an invalid host or resolver, or an interval that would flood."""
        keys.check_host(self.host)
        keys.check_resolver(self.resolver)
        if self.interval < 10:
            raise ValueError("`interval` is at least 10ms")

    @property
    def target(self) -> str:
        """What is watched, as a URL."""
        return f"icmp://{keys.host_port(self.host)}"

    @classmethod
    def from_url(cls, url: str) -> dict[str, Any]:
        """The keys that `icmp://host` stands for; ValueError says what is wrong with it."""
        found = keys.Url.of(url, _EXAMPLE)
        if found.port is not None:
            raise ValueError(f"{url!r}: pings have no port; write {_EXAMPLE}")
        return found.plain(_EXAMPLE)


def verify(config: Config) -> Iterator[Problem]:
    """Whether this user may send pings; the one that Vigie runs as may be another."""
    family = socket.AF_INET6 if config.ip == 6 else socket.AF_INET
    try:
        may_send(family)
    except NotAllowed:
        fix = _FIX.get(sys.platform, "run Vigie with the right to open raw sockets")
        yield Problem("", "this user may not send pings on this machine", fix, certain=False)


def build(config: Config, deps: ProbeDeps) -> "IcmpProbe":
    """The probe of one monitor."""
    return IcmpProbe(config, deps)


@dataclass(frozen=True, slots=True)
class IcmpProbe:
    """Sends one series a check; `wire` opens the way to an address."""

    config: Config
    deps: ProbeDeps
    wire: Callable[[str], Wire] = SocketWire

    async def check(self, timeout_ms: int) -> CheckResult:
        """One check within `timeout_ms`; never raises for the target's fault."""
        at, loop = self.deps.clock.now(), asyncio.get_running_loop()
        ends = loop.time() + timeout_ms / 1000 - _SPARE_SECONDS
        answer = await self.deps.resolver.resolve(
            self.config.host, family=self.config.ip, timeout_ms=max(timeout_ms - 10, 1), server=self.config.resolver
        )
        if answer.cause is not None:
            return _result(at, Timings(dns=answer.ms, total=answer.ms), "", no_address(answer, self.config.host))
        address, series = answer.addresses[0], Series()
        for number, address in enumerate(answer.addresses, 1):
            try:
                series = await self._series(address, ends, loop.time())
            except NotAllowed:
                return _result(at, Timings(dns=answer.ms), "", _not_allowed(), address, answer.addresses)
            # A family that this machine has no route for is not the host's fault while another one works.
            if series.ms or series.fault is None or series.fault.errno not in UNREACHABLE or number == len(answer.addresses):
                break
        figures = _figures(series)
        verdict = self._verdict(series, timeout_ms)
        mean = fmean(series.ms.values()) if series.ms else None
        timings = Timings(dns=answer.ms, first_byte=mean, total=None if mean is None else answer.ms + mean)
        words = "" if mean is None else f"{len(series.ms)} of {series.sent} pings answered, {_spread(figures)}"
        return _result(at, timings, words, verdict, address, answer.addresses, figures)

    async def _series(self, address: str, ends: float, now: float) -> Series:
        """One address; an immediate refusal by the network is a series of which nothing came back."""
        count = self.config.count
        interval = min(self.config.interval / 1000, max(ends - now, 0.0) / 2 / max(count - 1, 1))
        try:
            wire = self.wire(address)
        except OSError as error:
            return Series(sent=count, fault=error)
        try:
            return await ping(wire, count, interval, _WAIT_SECONDS, ends)
        finally:
            wire.close()

    def _verdict(self, series: Series, timeout_ms: int) -> Verdict | None:
        if not series.ms:
            return _nothing(series, timeout_ms)
        lost = 100 * (series.sent - len(series.ms)) / series.sent
        if lost > self.config.loss:
            words = f"{series.sent - len(series.ms)} of {series.sent} pings lost ({lost:.0f} %), more than {self.config.loss} %"
            return Verdict(Cause.ICMP_LOSS, words, {"limit_percent": self.config.loss}, Status.DEGRADED)
        return slow(fmean(series.ms.values()), int(self.config.latency)) if self.config.latency is not None else None


def _nothing(series: Series, timeout_ms: int) -> Verdict:
    """Not one answer: the network may say why."""
    figures: dict[str, Scalar] = {"limit_ms": timeout_ms}
    if series.fault is None:
        return Verdict(Cause.ICMP_TIMEOUT, f"none of {series.sent} pings was answered in time", figures)
    why = series.fault.strerror or type(series.fault).__name__
    if series.fault.errno in UNREACHABLE:
        return Verdict(Cause.TCP_UNREACHABLE, f"the host cannot be reached ({why})", {"detail": why})
    return Verdict(Cause.PROBE_ERROR, f"pings could not be sent ({why})", {"detail": why}, Status.UNKNOWN)


def _not_allowed() -> Verdict:
    fix = _FIX.get(sys.platform, "run Vigie with the right to open raw sockets")
    return Verdict(
        Cause.PROBE_ERROR, f"this machine does not let Vigie send pings; {fix}", {"fix": fix, "obstacle": "ping_right"}, Status.UNKNOWN
    )


def _figures(series: Series) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {"sent": series.sent, "received": len(series.ms)}
    if series.sent:
        found["loss_percent"] = round(100 * (series.sent - len(series.ms)) / series.sent)
    if series.ms:
        ms = [series.ms[number] for number in sorted(series.ms)]
        found |= {"rtt_min_ms": round(min(ms), 3), "rtt_avg_ms": round(fmean(ms), 3), "rtt_max_ms": round(max(ms), 3)}
        found["jitter_ms"] = round(fmean(abs(late - early) for early, late in pairwise(ms)), 3) if len(ms) > 1 else 0.0
    return found


def _spread(figures: dict[str, Scalar]) -> str:
    low, mean, high, jitter = (f"{float(figures[name]):.1f}" for name in ("rtt_min_ms", "rtt_avg_ms", "rtt_max_ms", "jitter_ms"))
    return f"{mean} ms on average ({low} to {high}, jitter {jitter})"


def _result(
    at: int,
    timings: Timings,
    message: str,
    verdict: Verdict | None,
    address: str | None = None,
    addresses: Sequence[str] = (),
    figures: dict[str, Scalar] | None = None,
) -> CheckResult:
    fix = verdict.figures.get("fix") if verdict else None
    return CheckResult(
        monitor="",
        at=at,
        status=verdict.status if verdict else Status.UP,
        cause=verdict.cause if verdict else None,
        message=verdict.message if verdict else message,
        timings=timings,
        figures={**(figures or {}), **(verdict.figures if verdict else {})},
        address=address,
        addresses=tuple(addresses),
        advice=((str(fix),) if fix else advice(verdict)) if verdict else (),
    )
