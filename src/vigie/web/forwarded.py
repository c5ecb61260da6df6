"""From whom a request comes, by way of a reverse proxy or not: what a proxy says counts only where `web.trusted_proxies` names it.

`Forwarded` (RFC 7239) goes before `X-Forwarded-For`, `-Proto` and `-Host`. The chain is read from its end: the first address that is not
a trusted proxy is the client's; what it claims itself, further to the left, counts for nothing.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_TELLING = (
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-real-ip",
    "via",
    "cf-connecting-ip",
    "true-client-ip",
)
_PAIR = re.compile(r'(?<![A-Za-z])([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^";,\s]*))')
_HOST = re.compile(r"[A-Za-z0-9._~:\[\]%-]{1,255}", re.ASCII)
_LONGEST = 4_096


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asks, and how they reached us. `proxied`: something says that a proxy forwarded it, trusted or not."""

    address: str
    scheme: str
    host: str | None
    proxied: bool
    trusted: bool


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks as written in the configuration. Raises ValueError."""
    return tuple(ipaddress.ip_network(one, strict=False) for one in texts)


def origin_of(scope: Scope, trusted: Sequence[Network]) -> Origin:
    """Who asks."""
    headers = Headers(scope=scope)
    peer = str((scope.get("client") or ("",))[0])
    proxied = any(name in headers for name in _TELLING)
    host = headers.get("host")
    if not _among(peer, trusted):
        return Origin(peer, str(scope.get("scheme", "http")), host, proxied, trusted=False)
    hops = _forwarded(headers) if "forwarded" in headers else _x_forwarded(headers)
    address, scheme, named = peer, str(scope.get("scheme", "http")), host
    for hop in reversed(hops):
        scheme, named = hop.get("proto", scheme), hop.get("host", named)
        address = hop.get("for", address)
        if not _among(address, trusted):
            break
    scheme = scheme if scheme in ("http", "https") else "http"
    named = named if named is None or _HOST.fullmatch(named) else host
    return Origin(address, scheme, named, proxied, trusted=True)


def is_loopback(address: str) -> bool:
    """Whether a peer is on this machine."""
    found = _address(address)
    return found is not None and found.is_loopback


def _among(address: str, trusted: Sequence[Network]) -> bool:
    found = _address(address)
    return found is not None and any(found.version == one.version and found in one for one in trusted)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


def _bare(text: str) -> str:
    """An address without port and brackets; as it is where it is not one (`unknown`, `_hidden`)."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, _, port = text.partition(":")
    return host if port.isdigit() and ":" not in port else text


def _forwarded(headers: Headers) -> list[dict[str, str]]:
    """The elements of `Forwarded`, the nearest proxy last."""
    text = ",".join(headers.getlist("forwarded"))[:_LONGEST]
    return [_read({name.lower(): quoted or plain for name, quoted, plain in _PAIR.findall(one)}) for one in _elements(text)]


def _elements(text: str) -> list[str]:
    """Parted at commas outside quotes."""
    return [one for one in re.findall(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+', text) if one.strip()]


def _x_forwarded(headers: Headers) -> list[dict[str, str]]:
    """The same out of `X-Forwarded-*`: an address for each hop; scheme and host are the last one's."""
    listed = ",".join(headers.getlist("x-forwarded-for"))[-_LONGEST:]
    hops = [_read({"for": one.strip()}) for one in listed.split(",") if one.strip()] or [{}]
    for name, key in (("x-forwarded-proto", "proto"), ("x-forwarded-host", "host")):
        if value := headers.get(name, "").rpartition(",")[2].strip():
            hops[-1][key] = value.lower() if key == "proto" else value
    return hops


def _read(hop: dict[str, str]) -> dict[str, str]:
    return {**hop, **({"for": _bare(hop["for"])} if "for" in hop else {}), **({"proto": hop["proto"].lower()} if "proto" in hop else {})}
