"""Which addresses are inside: this machine, private networks, metadata services of clouds. Some people may not have them checked.

What counts is the address that is connected to, each time: a name is no more than what it resolves to at that moment, a redirect leads
to a name of its own, and both go through the resolver. An address may hide another one (IPv4 in IPv6), which then counts as well.
"""

import ipaddress
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from vigie.core.model import Cause
from vigie.net.resolver import Answer, split_server

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Of IANA's registries of special addresses, those that older versions of Python's `is_global` do not know.
_SPECIAL = tuple(
    ipaddress.ip_network(one)
    for one in ("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "3fff::/20", "5f00::/16", "fec0::/10", "100::/64", "2001:db8::/32")
)
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))  # RFC 6052, RFC 8215


class NameResolver(Protocol):
    """What probes and diagnostics ask for addresses."""

    async def resolve(self, host: str, *, family: int | None = None, timeout_ms: int = 5_000, server: str | None = None) -> Answer:
        """Addresses of a name, as `vigie.net.Resolver` says it."""

    async def zone_servers(self, host: str, *, timeout_ms: int = 2_000) -> tuple[str, tuple[str, ...]]:
        """The zone that holds a name and the addresses of its servers."""

    def close(self) -> None:
        """Lookups under way end."""


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks as written. Raises ValueError."""
    return tuple(ipaddress.ip_network(one, strict=False) for one in texts)


def is_internal(text: str, allowed: Sequence[Network] = ()) -> bool:
    """Whether an address is inside and in none of the networks that are allowed; what is not an address is inside too."""
    try:
        found = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return True
    return any(not _is_among(one, allowed) and (_is_inside(one) or _is_ours(str(one))) for one in _meanings(found))


def _meanings(found: _Address) -> Iterator[_Address]:
    """The address, and each IPv4 address in it that a gateway or this machine would take it for."""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    yield mapped or found
    if isinstance(found, ipaddress.IPv6Address):
        if found.sixtofour is not None:
            yield found.sixtofour
        if found.teredo is not None:
            yield found.teredo[1]
        if any(found in one for one in _NAT64) or int(found) < 2**32:
            yield ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)


def _is_among(one: _Address, allowed: Sequence[Network]) -> bool:
    return any(one.version == network.version and one in network for network in allowed)


def _is_inside(one: _Address) -> bool:
    inside_nat64 = isinstance(one, ipaddress.IPv6Address) and any(one in network for network in _NAT64)
    return one.is_multicast or _is_among(one, _SPECIAL) or not (one.is_global or inside_nat64)


def _is_ours(address: str) -> bool:
    """Whether this machine has the address: nobody else can listen there. Sends nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


class GuardedResolver:
    """A resolver for what somebody made who may not have internal addresses checked. `refused` is the last one that it did not give."""

    def __init__(self, resolver: NameResolver, allowed: Sequence[Network]) -> None:
        self._resolver, self._allowed = resolver, allowed
        self.refused: str | None = None

    async def resolve(self, host: str, *, family: int | None = None, timeout_ms: int = 5_000, server: str | None = None) -> Answer:
        """The addresses of a name, none where one of them is inside."""
        if server is not None and self._is_refused(_host_of(server)):
            return Answer((), Cause.PROBE_ERROR, 0.0, server, f"the resolver {server} is internal")
        answer = await self._resolver.resolve(host, family=family, timeout_ms=timeout_ms, server=server)
        inside = [one for one in answer.addresses if self._is_refused(one)]
        return replace(answer, addresses=(), cause=Cause.PROBE_ERROR, detail=f"{inside[0]} is internal") if inside else answer

    async def zone_servers(self, host: str, *, timeout_ms: int = 2_000) -> tuple[str, tuple[str, ...]]:
        """The zone that holds a name; of its servers those that are outside."""
        zone, servers = await self._resolver.zone_servers(host, timeout_ms=timeout_ms)
        return zone, tuple(one for one in servers if not is_internal(one, self._allowed))

    def close(self) -> None:
        """It is somebody else's."""

    def _is_refused(self, address: str) -> bool:
        if is_internal(address, self._allowed):
            self.refused = address
            return True
        return False


def _host_of(server: str) -> str:
    """The address of a resolver as configured, without its port."""
    try:
        return split_server(server)[0]
    except ValueError:
        return server
