"""The cookies of one check: kept along its redirects (and steps) by the rules of browsers (RFC 6265bis), and forgotten with it.

What the service sets is bounded in number and bytes. SameSite says nothing here: a check is somebody who types an address.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path

from vigie.net import ascii_name, is_loopback, readable_name
from vigie.probes.kit.http.urls import Place

_MAX_AT_ONCE, _MAX_COOKIES = 50, 100  # of one response; of a check
_MAX_COOKIE, _MAX_ATTRIBUTE, _MAX_BYTES = 4_096, 1_024, 65_536  # name and value (RFC 6265bis §5.6); each attribute; all cookies together


@dataclass(frozen=True, slots=True)
class _Cookie:
    name: str
    value: str
    domain: str
    host_only: bool
    path: str
    secure: bool

    @property
    def key(self) -> tuple[str, str, bool, str]:
        """What of it makes a later one the same cookie."""
        return self.name, self.domain, self.host_only, self.path

    @property
    def pair(self) -> str:
        return f"{self.name}={self.value}" if self.name else self.value

    def belongs_to(self, place: Place, path: str) -> bool:
        """Whether it is sent to a place (RFC 6265bis §5.8.3)."""
        host = place.host == self.domain if self.host_only else _is_below(place.host, self.domain)
        at = path == self.path or (path.startswith(self.path) and (self.path.endswith("/") or path[len(self.path)] == "/"))
        return host and at and (_is_private(place) or not self.secure)


class CookieJar:
    """One check's cookies; `now` (epoch ms) tells those that have expired. What is taken is read when it is first needed."""

    __slots__ = ("_cookies", "_now", "_unread")

    def __init__(self, now: int) -> None:
        self._now = now
        self._cookies: dict[tuple[str, str, bool, str], _Cookie] = {}
        self._unread: list[tuple[Place, Sequence[str]]] = []

    def take(self, place: Place, fields: Sequence[str]) -> None:
        """Keep what the Set-Cookie fields of a response say."""
        if fields:
            self._unread.append((place, fields))

    def pairs(self, place: Place) -> tuple[str, ...]:
        """The `name=value` pairs for a request: those of longer paths first, then in the order in which they were set."""
        self._read()
        if not self._cookies:
            return ()
        path = _path_of(place)
        found = [cookie for cookie in self._cookies.values() if cookie.belongs_to(place, path)]
        return tuple(cookie.pair for cookie in sorted(found, key=lambda cookie: -len(cookie.path)))

    @property
    def values(self) -> list[str]:
        """Their values, to be hidden."""
        self._read()
        return [cookie.value for cookie in self._cookies.values() if cookie.value]

    def _read(self) -> None:
        unread, self._unread = self._unread, []
        for place, fields in unread:
            for text in fields[:_MAX_AT_ONCE]:
                self._keep(place, text)

    def _keep(self, place: Place, text: str) -> None:
        found = _parsed(place, text)
        if found is None:
            return
        cookie, ends = found
        old = self._cookies.get(cookie.key)
        if old is not None and old.secure and not _is_private(place):
            return  # an unencrypted page may not touch it
        if ends is not None and ends <= self._now:
            self._cookies.pop(cookie.key, None)
            return
        self._cookies[cookie.key] = cookie
        while len(self._cookies) > _MAX_COOKIES or sum(len(one.pair) for one in self._cookies.values()) > _MAX_BYTES:
            del self._cookies[next(iter(self._cookies))]  # the oldest, as browsers do


def merged(configured: str, pairs: Sequence[str]) -> str:
    """The one Cookie header of a request: the configured one, with the pairs that the service has set meanwhile in place of its own."""
    set_now = {pair.partition("=")[0] for pair in pairs}
    own = [pair for pair in map(str.strip, configured.split(";")) if pair and pair.partition("=")[0].strip() not in set_now]
    return "; ".join((*own, *pairs))


def _parsed(place: Place, text: str) -> tuple[_Cookie, int | None] | None:
    """A cookie and when it ends (epoch ms; None: not before the check does), or None for one that browsers ignore."""
    head, *rest = text.split(";")
    name, equals, value = head.partition("=")
    name, value = (name.strip(), value.strip()) if equals else ("", name.strip())
    if not (name or value) or len(name) + len(value) > _MAX_COOKIE or not head.replace("\t", " ").isprintable():
        return None
    attributes = _attributes(rest)
    domain = _domain(place, attributes.get("domain", ""))
    secure, path = "secure" in attributes, attributes.get("path", "")
    if domain is None or (secure and not _is_private(place)):
        return None
    prefix = name.lower()
    if prefix.startswith(("__secure-", "__host-")) and not secure:
        return None
    if prefix.startswith("__host-") and (path != "/" or "domain" in attributes):
        return None
    if not path.startswith("/"):
        path = _path_of(place).rpartition("/")[0] or "/"
    return _Cookie(name, value, domain or place.host, not domain, path, secure), _ends(attributes)


def _attributes(parts: Sequence[str]) -> dict[str, str]:
    found = {}
    for part in parts:
        name, _, value = part.partition("=")
        if len(value) <= _MAX_ATTRIBUTE:
            found[name.strip().lower()] = value.strip()
    return found


def _domain(place: Place, wanted: str) -> str | None:
    """The domain that a cookie is for, "" for its own host alone, None where it may not be set (RFC 6265bis §5.7)."""
    wanted = wanted.removeprefix(".")
    if not wanted:
        return ""
    try:
        domain = ascii_name(wanted)
    except ValueError:
        return None
    if domain == place.host:
        return "" if place.literal or is_public_suffix(domain) else domain
    return domain if _is_below(place.host, domain) and not place.literal and not is_public_suffix(domain) else None


def _ends(attributes: dict[str, str]) -> int | None:
    """The end that was set, if it may lie before the end of the check: Max-Age comes before Expires."""
    age = attributes.get("max-age", "")
    if age.removeprefix("-").isdecimal() and age.isascii():
        return 0 if age.startswith("-") or not age.strip("0") else None
    try:
        return round(parsedate_to_datetime(attributes["expires"].replace("-", " ")).timestamp() * 1000)
    except (KeyError, ValueError, IndexError, TypeError, OverflowError):
        return None


def _is_below(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _is_private(place: Place) -> bool:
    """Whether nobody else can read what is said there: over TLS, or on this machine."""
    return place.secure or is_loopback(place.host)


def _path_of(place: Place) -> str:
    return "/" + place.url.partition("://")[2].partition("?")[0].partition("/")[2]


@lru_cache(1_024)
def is_public_suffix(domain: str) -> bool:
    """Whether domains are registered right below this one (`co.uk`, `github.io`), by the Public Suffix List (publicsuffix.org).

    The list is searched as text, which takes 30 µs: to make the package's own tables of it takes 140 ms.
    """
    name = readable_name(domain).lower()
    parent = name.partition(".")[2]
    rules = _public_suffixes()
    if f"\n!{name}\n".encode() in rules:
        return False
    return not parent or f"\n{name}\n".encode() in rules or f"\n*.{parent}\n".encode() in rules


@lru_cache(1)
def _public_suffixes() -> bytes:
    import publicsuffixlist

    return b"\n" + Path(publicsuffixlist.PSLFILE).read_bytes() + b"\n"
