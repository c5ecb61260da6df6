"""URLs: which are accepted, how they go out on the wire, and where a redirect leads."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from vigie.net import readable_host, readable_url, redact_url, web_url, without_noise

_HOST = re.compile(r"(?=.{1,254}$)(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")  # RFC 1035 §2.3.4; underscores are met in practice
_PORTS = {"http": 80, "https": 443}
_ZONE = re.compile(r"(\s*https?://[^/?#\[]*\[[0-9a-f:.]+)(%[^\]/?#]+)(\])", re.IGNORECASE)
_ASCII = "".join(map(chr, range(0x80)))
_PROXIES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


@dataclass(frozen=True, slots=True)
class Place:
    """A whole http(s) URL made ready: ASCII as it is sent, and what it names. `literal` says that the host is an address."""

    url: str
    host: str
    port: int
    secure: bool
    literal: bool

    @classmethod
    def of(cls, url: str, base: str | None = None) -> "Place":
        """Read a URL as browsers do, relative to `base` if there is one; ValueError says in words what is wrong with it."""
        (bare, zone), (base, kept) = _without_zone(url), _without_zone(base or "")
        try:
            read = web_url(bare, base or None)
        except ValueError:
            read = None
        if read is None or read.scheme not in _PORTS:
            raise ValueError(_objection(url))
        literal = _is_literal(read.host)
        if not literal and not _HOST.fullmatch(read.host):
            raise ValueError(f"{read.host[:80]!r} is not a host name")
        if read.port == 0:
            raise ValueError(f"{redact_url(url)!r}: port 0 cannot be reached")
        if kept and f"[{read.host}]" in base:
            zone = zone or kept
        href = read.href.replace("]", f"{zone}]", 1) if zone else read.href
        if href == url:
            href = url  # one text in memory
        return cls(href, read.host + zone, read.port, read.scheme == "https", literal)

    def shown(self, url: str) -> str:
        """The URL that was configured as people may read it."""
        return redact_url(readable_url(url, self.url, self.host))

    def shown_host(self, url: str) -> str:
        """The host of the URL that was configured as people may read it."""
        return readable_host(url, self.host)

    def trusts(self, other: "Place") -> bool:
        """Whether what is told here may be told there: the same origin, or the same host moved up to https."""
        same_port = self.port == other.port and self.secure == other.secure
        return self.host == other.host and (same_port or ((self.port, other.port) == (80, 443) and other.secure))


def moved(place: Place, location: str) -> Place:
    """Where a Location header leads, its bytes read as Latin-1; ValueError when to no http(s) URL.

    Bytes beyond ASCII are percent-encoded as they are, as browsers do: in a host name they are UTF-8 then, in a path whatever they were.
    """
    return Place.of(quote(location.encode("latin-1"), safe=_ASCII), place.url)


def _without_zone(url: str) -> tuple[str, str]:
    """A URL without the zone of an IPv6 address (RFC 6874), which browsers do not take, and the zone."""
    match = _ZONE.match(url)
    return (match[1] + match[3] + url[match.end() :], match[2]) if match else (url, "")


def _objection(url: str) -> str:
    """What is wrong with a URL that cannot be read, in words."""
    shown = redact_url(url)
    try:
        parts = urlsplit(without_noise(url))
        scheme, named, _ = parts.scheme, bool(parts.hostname), parts.port
    except ValueError as error:
        return f"{shown!r} is not a URL ({error}); write https://example.com:8443/"
    if scheme not in _PORTS:
        return f"{shown!r} is not an http(s) URL; write https://{shown.partition('://')[2] or shown.rstrip(':') or 'example.com/'}"
    if not named:
        return f"{shown!r} names no host; write https://example.com/"
    return f"{shown!r} is not a URL that browsers can read: check its host; write https://example.com:8443/"


def check_proxy(url: str) -> None:
    """Raise ValueError unless this is a proxy that libcurl understands."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in _PROXIES and bool(parts.hostname) and parts.port != 0 and url.isascii() and " " not in url
    except ValueError:
        good = False
    if not good:
        raise ValueError(f"{redact_url(url)!r} is not a proxy; write http://proxy.example:3128 (or https, socks5, socks5h)")


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
