"""URLs: which are accepted, how they go out on the wire, and where a redirect leads."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from vigie.net import ascii_name, redact_url

_HOST = re.compile(r"(?=.{1,254}$)(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")  # RFC 1035 §2.3.4; underscores are met in practice
_PORTS = {"http": 80, "https": 443}
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
    def of(cls, url: str) -> "Place":
        """Read a URL; ValueError says in words what is wrong with it."""
        if any(character <= " " or character == "\x7f" for character in url):
            raise ValueError(f"{redact_url(url)!r} contains a space or control character; encode it as %20")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"{redact_url(url)!r} is not a URL ({error}); write https://example.com:8443/") from None
        if parts.scheme not in _PORTS:
            rest = redact_url(url)
            raise ValueError(
                f"{rest!r} is not an http(s) URL; write https://{rest.partition('://')[2] or rest.rstrip(':') or 'example.com/'}"
            )
        if not parts.hostname:
            raise ValueError(f"{redact_url(url)!r} names no host; write https://example.com/")
        if port == 0:
            raise ValueError(f"{redact_url(url)!r}: port 0 cannot be reached")
        literal = _is_literal(parts.hostname)
        host = parts.hostname if literal else _host(parts.hostname)
        if not url.isascii():
            user, at, _ = parts.netloc.rpartition("@")
            netloc = _ascii(user) + at + (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
            url = parts._replace(netloc=netloc, path=_ascii(parts.path), query=_ascii(parts.query), fragment="").geturl()
        return cls(url, host, port or _PORTS[parts.scheme], parts.scheme == "https", literal)

    def trusts(self, other: "Place") -> bool:
        """Whether what is told here may be told there: the same origin, or the same host moved up to https."""
        same_port = self.port == other.port and self.secure == other.secure
        return self.host == other.host and (same_port or ((self.port, other.port) == (80, 443) and other.secure))


def moved(place: Place, location: str) -> Place:
    """Where a Location header leads, its bytes read as Latin-1; ValueError when to no http(s) URL."""
    raw = location.strip().encode("latin-1")
    try:
        text = raw.decode()  # browsers take UTF-8
    except UnicodeDecodeError:
        text = quote(raw, safe="%/:=&?~#+!$,;'@()*[]|^`{}<>\\\"")
    return Place.of(urljoin(place.url, text.replace(" ", "%20")).partition("#")[0])


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


def _host(name: str) -> str:
    """The name as DNS and certificates spell it (IDNA); libcurl's wheels are built without."""
    try:
        host = ascii_name(name)
    except ValueError:
        host = ""
    if not _HOST.fullmatch(host):
        raise ValueError(f"{name[:80]!r} is not a host name")
    return host


def _ascii(text: str) -> str:
    return "".join(character if character.isascii() else quote(character) for character in text)
