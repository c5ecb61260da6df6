"""Where monitors look, and what a failure there may have in common with others: the ties by which incidents become one alert.

The laws are those of core/correlation.py. On this machine itself a place is an address and a port (law 4).
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from vigie.core.correlation import Tie, TieKind
from vigie.core.model import Cause, CheckResult, Monitor


@dataclass(frozen=True, slots=True)
class Place:
    """Where a monitor looks, as far as is known: by its configuration, and by the newest check that could tell.

    `certificates` are SHA-256 sums: of the server's own, and of the one that ends the chain's validity. `server` is a DNS server.
    """

    host: str = ""
    address: str = ""
    port: int | None = None
    certificates: tuple[str, ...] = ()
    server: str = ""

    def at(self, failure: str) -> str:
        """A failure of what answers at this port: another port is another program. The two of the web are one."""
        return f"{failure}:{'web' if self.port in (80, 443) else self.port or ''}"

    @property
    def network(self) -> str:
        """The network around the address, "" where there is none or where it is the loopback's."""
        return _network(self.address)

    def keys(self) -> tuple[tuple[str, str], ...]:
        """What other monitors may share of it, as `shared_by` has it of ties."""
        found = [("address", self.address), ("host", self.host), ("network", self.network), ("zone", zone(self.host))]
        found += [("certificate", one) for one in self.certificates] + [("resolver", self.server)]
        return tuple((kind, value) for kind, value in found if value)


_KEYS = {TieKind.MACHINE: "address", TieKind.UPSTREAM: "address"}


def shared_by(tie: Tie) -> tuple[str, str]:
    """The key of the places that a tie is about."""
    return _KEYS.get(tie.kind, str(tie.kind)), tie.value


def place_of(monitor: Monitor, result: CheckResult | None, known: Place | None = None) -> Place:
    """Where a monitor looks, with what a check adds; what it did not get to see is as it was."""
    before = known or Place(_local(monitor.host, monitor.port), port=monitor.port, server=_dns_server(monitor))
    if result is None:
        return before
    host = _local(result.host or monitor.host, monitor.port)
    address = before.address if result.address is None else _local(result.address, monitor.port)
    certificates, tls = before.certificates, result.tls
    if tls is not None and tls.chain:
        seen = (tls.chain[0], tls.limit)
        certificates = tuple(one.sha256 for one in seen if one is not None and one.sha256)
    now = Place(host, address, monitor.port, certificates, before.server)
    return before if now == before else now


def _dns_server(monitor: Monitor) -> str:
    """The DNS server that a monitor is set to ask: its target is `dns://server/name`. That of the machine says nothing."""
    server, found, _ = monitor.target.removeprefix("dns://").partition("/")
    return server if found and monitor.kind == "dns" else ""


def _local(where: str, port: int | None) -> str:
    """A name or an address; with its port where that is this machine's own (law 4)."""
    bare = where.lower().strip("[]").removesuffix(".")
    found = _ip(bare)
    local = found.is_loopback or found.is_unspecified if found is not None else bare == "localhost" or bare.endswith(".localhost")
    return f"{bare}:{port or 0}" if local and bare else bare


@lru_cache(maxsize=8_192)
def _network(address: str) -> str:
    found = _ip(address)
    if found is None or found.is_loopback:
        return ""
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))


@lru_cache(maxsize=8_192)  # addresses come again and again, and reading one takes longer than all else that is done with it
def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


# Below these, names are given out to strangers: the zone is one label longer. The usual ones; a name below another is taken for its zone,
# which only makes a tie of five minutes.
_SECOND_LEVEL = frozenset(
    ["ac", "asso", "co", "com", "edu", "go", "gob", "gouv", "gov", "ltd", "me", "ne", "net", "nom", "or", "org", "plc"]
)


def zone(host: str) -> str:
    """The zone that a name is probably delegated in: `example.com` of `a.b.example.com`; "" for an address or a bare name."""
    labels = host.split(".")
    if len(labels) < 2 or not all(labels) or ":" in host or _ip(host) is not None:
        return ""
    longer = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if longer else -2 :])


_SILENT = frozenset([Cause.TIMEOUT_CONNECT, Cause.TCP_UNREACHABLE, Cause.ICMP_TIMEOUT, Cause.ICMP_LOSS])
_REFUSED = frozenset([Cause.TCP_REFUSED, Cause.TCP_RESET])
_OF_THE_CERTIFICATE = frozenset([Cause.TLS_EXPIRED, Cause.TLS_NOT_YET_VALID, Cause.TLS_HOSTNAME, Cause.TLS_UNTRUSTED, Cause.TLS_WEAK])
_HANDSHAKE = frozenset([Cause.TLS_HANDSHAKE, Cause.TIMEOUT_TLS])
_BY_THE_RESOLVER = frozenset([Cause.DNS_TIMEOUT, Cause.DNS_REFUSED])  # a DNS server does it to everybody who asks it
_BY_THE_SERVER = frozenset([Cause.TIMEOUT_FIRST_BYTE, Cause.HTTP_EMPTY_REPLY, Cause.HTTP_BLOCKED])  # a proxy does it to all behind it
_ALONE = ("heartbeat.", "domain.", "probe.")
_GATEWAY = frozenset([502, 503, 504, *range(520, 531)])  # RFC 9110 §15.6, and what CDNs say of the server behind them


def ties(cause: Cause, place: Place, status: int | None = None) -> tuple[Tie, ...]:
    """What a failure may have in common with others, the strongest first. `status` is the HTTP status that was answered."""
    if cause.expires or cause.startswith(_ALONE):
        return ()
    return tuple(sorted((one for one in _ties(cause, place, status) if one.value), key=lambda one: _ORDER[one.kind]))


_ORDER = {kind: place for place, kind in enumerate(TieKind)}


def _ties(cause: Cause, place: Place, status: int | None) -> Iterable[Tie]:
    host, address = place.host, place.address
    if cause in _SILENT:
        near = [Tie(TieKind.NETWORK, place.network, "silent"), Tie(TieKind.MACHINE, address, "connect")]
        return [Tie(TieKind.ADDRESS, address, "silent"), Tie(TieKind.HOST, host, "silent"), *near]
    if cause.startswith("dns."):
        of_server = [Tie(TieKind.RESOLVER, place.server, "dns")] if cause in _BY_THE_RESOLVER else []
        return [Tie(TieKind.HOST, host, "dns"), Tie(TieKind.ZONE, zone(host), "dns"), *of_server]
    if cause in _OF_THE_CERTIFICATE:
        return [*(Tie(TieKind.CERTIFICATE, one, "tls") for one in place.certificates), Tie(TieKind.HOST, host, place.at("tls"))]
    if cause in _REFUSED:
        what = place.at("refused")
        return [Tie(TieKind.ADDRESS, address, what), Tie(TieKind.HOST, host, what), Tie(TieKind.MACHINE, address, "connect")]
    if cause in _HANDSHAKE:
        return [Tie(TieKind.ADDRESS, address, place.at("tls")), Tie(TieKind.HOST, host, place.at("tls"))]
    what, by_the_server = str(cause), cause in _BY_THE_SERVER
    if cause is Cause.HTTP_STATUS:
        by_the_server = status in _GATEWAY
        what = "gateway" if by_the_server else f"http {status}"
    return [Tie(TieKind.HOST, host, place.at(what)), *([Tie(TieKind.UPSTREAM, address, what)] if by_the_server else [])]
