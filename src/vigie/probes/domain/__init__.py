"""The domain probe: how long a domain stays registered, and whether its registry has stopped it.

If the registry does not answer, or answers badly or too slowly, the result is `unknown`: the domain is not at fault.

`figures` of a result, by name: `days_left` (negative: expired) and `expected` (domain.expiring), `ends` (the day, in UTC), `expired_days`,
`state` (what the registry calls a domain that it has stopped), `registry` (`unknown`: it knows no such domain).
"""

from typing import Annotated, Any

import msgspec

from vigie.core.model import Cause, CheckResult, Expiry, ExpiryKind, Scalar, Status, Timings
from vigie.net import ADDRESS, SHOWN, ascii_name
from vigie.ports import Traits
from vigie.probes.domain.rdap import IANA_LIST, NotRegistered, Registration, Unclear, registration, server_of
from vigie.probes.kit import keys
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.keys import CaFile, Meta
from vigie.probes.kit.verdict import Verdict

_EXAMPLE = "domain://example.com"
_DAY_MS = 86_400_000
_SPARE_SECONDS = 0.05
_STOPPED = ("server hold", "client hold")  # RFC 8056: taken out of the DNS
TRAITS = Traits(tcp=False, every_ms=_DAY_MS)
_LAPSED = ("pending delete", "redemption period", "pending restore")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A domain's registration, asked of its registry by RDAP. Also written `domain://example.com`.

    Name the domain as it is registered: `example.com`, not `www.example.com`. Which registry to ask is looked up in IANA's list, which
    is kept for a day. Registries ask to be left in peace: leave `every` long.
    """

    domain: Annotated[str, Meta(description="The registered domain.", examples=["example.com"], extra=SHOWN)]
    days: Annotated[int, Meta(description="Fewer days left is degraded.", ge=0, le=3_650)] = 30
    rdap_server: Annotated[
        str | None,
        Meta(
            description="The registry's RDAP server, to use instead of asking IANA's list.",
            examples=["https://rdap.example/"],
            extra=ADDRESS,
        ),
    ] = None
    rdap_list: Annotated[str, Meta(description="Address of the list of registries.", extra=ADDRESS)] = IANA_LIST
    ca_file: CaFile = None

    def __post_init__(self) -> None:
        """Raise ValueError for what can be no registered domain, or no address of a server."""
        keys.check_host(self.domain.strip())
        if "." not in self.host:
            raise ValueError(f"{self.domain[:80]!r} is not a registered domain; write example.com")
        for url in (self.rdap_server, self.rdap_list):
            if url is not None and not url.startswith(("https://", "http://")):
                raise ValueError(f"{url[:80]!r} is not the address of an RDAP server; write https://rdap.example/")

    @property
    def host(self) -> str:
        """The domain as registries spell it (IDNA), in lower case."""
        return ascii_name(self.domain.strip().rstrip("."))

    @property
    def target(self) -> str:
        """What is watched, as a URL."""
        return f"domain://{self.host}"

    @classmethod
    def from_url(cls, url: str) -> dict[str, Any]:
        """The keys that `domain://example.com` stands for; ValueError says what is wrong with it."""
        found = keys.Url.of(url, _EXAMPLE)
        if found.port is not None or found.path:
            raise ValueError(f"{url!r} is not a domain; write {_EXAMPLE}")
        return {"domain": found.host, **found.keys}


def build(config: Config, deps: ProbeDeps) -> "DomainProbe":
    """The probe of one monitor."""
    return DomainProbe(config, deps)


class DomainProbe:
    """Asks the registry once a check."""

    def __init__(self, config: Config, deps: ProbeDeps) -> None:
        self._config, self._deps = config, deps

    async def check(self, timeout_ms: int) -> CheckResult:
        """One check within `timeout_ms`; never raises."""
        clock, domain = self._deps.clock, self._config.host
        at, started = clock.now(), clock.monotonic()
        advice: tuple[str, ...] = ()
        figures: dict[str, Scalar] = {}
        message, expiries = "", tuple[Expiry, ...]()
        try:
            found = await self._asked(domain, started + timeout_ms / 1000 - _SPARE_SECONDS)
            figures, verdict = _figures(found, at), _judged(found, domain, at, self._config.days)
            message, expiries = _told(found, figures), _expiries(found, domain, self._config.days)
            advice = ("Renew the registration.",) if verdict is not None and verdict.cause is Cause.DOMAIN_EXPIRING else ()
        except NotRegistered:
            verdict = Verdict(Cause.DNS_NXDOMAIN, f"{domain} is not registered: its registry knows no such domain", {"registry": "unknown"})
        except Unclear as unclear:
            verdict = Verdict(Cause.PROBE_ERROR, str(unclear), {"detail": str(unclear)[:120]}, Status.UNKNOWN)
            advice = (unclear.advice,) if unclear.advice else ()
        return CheckResult(
            monitor="",
            at=at,
            status=verdict.status if verdict else Status.UP,
            cause=verdict.cause if verdict else None,
            message=verdict.message if verdict else message,
            timings=Timings(total=(clock.monotonic() - started) * 1000),
            figures={**figures, **(verdict.figures if verdict else {})},
            advice=advice,
            expiries=expiries,
        )

    async def _asked(self, domain: str, ends: float) -> Registration:
        clock, config = self._deps.clock, self._config
        server, sure = config.rdap_server, False
        if server is None:
            server = await server_of(domain, config.rdap_list, self._deps, max(ends - clock.monotonic(), 0.01), config.ca_file)
            sure = True
        server = server if server.endswith("/") else f"{server}/"
        left = max(ends - clock.monotonic(), 0.01)
        return await registration(domain, server, self._deps, left, ca_file=config.ca_file, sure=sure)


def _figures(found: Registration, now: int) -> dict[str, Scalar]:
    if found.ends is None:
        return {}
    return {"days_left": (round(found.ends.timestamp() * 1000) - now) // _DAY_MS, "ends": f"{found.ends:%Y-%m-%d}"}


def _expiries(found: Registration, domain: str, days: int) -> tuple[Expiry, ...]:
    if found.ends is None or any(state in found.states for state in (*_STOPPED, *_LAPSED)):
        return ()
    ends = round(found.ends.timestamp() * 1000)
    return (Expiry(domain, ExpiryKind.DOMAIN, domain, ends, ends - days * _DAY_MS),)


def _told(found: Registration, figures: dict[str, Scalar]) -> str:
    if found.ends is None:
        return "registered; the registry does not say until when"
    return f"registered until {figures['ends']}, {figures['days_left']} days left"


def _judged(found: Registration, domain: str, now: int, days: int) -> Verdict | None:
    """What is wrong with a registration: what the registry has stopped, what has lapsed, what ends soon."""
    for state in _STOPPED:
        if state in found.states:
            return Verdict(Cause.DNS_NXDOMAIN, f"the registry has taken {domain} out of the DNS ({state})", {"state": state})
    for state in _LAPSED:
        if state in found.states:
            return Verdict(Cause.DOMAIN_EXPIRING, f"the registration of {domain} has lapsed ({state})", {"state": state})
    left = _figures(found, now).get("days_left")
    if not isinstance(left, int) or left >= days:
        return None
    if left < 0:
        return Verdict(Cause.DOMAIN_EXPIRING, f"the registration of {domain} ended {-left} days ago", {"expired_days": -left})
    words = f"{domain} is registered for {left} more days, fewer than {days}"
    return Verdict(Cause.DOMAIN_EXPIRING, words, {"expected": days}, Status.DEGRADED)
