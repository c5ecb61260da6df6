"""URLs as browsers read and send them: the WHATWG URL standard, by ada, the parser of Node.js."""

import re
from dataclasses import dataclass

from vigie.net.names import ascii_name
from vigie.net.redact import host_of

_DROPPED = re.compile(r"[\t\r\n]")  # wherever they are (URL standard §4.4)
_MISLEADING = re.compile(r"[ \\]")
_STRIPPED = "".join(map(chr, range(0x21)))
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True)
class WebUrl:
    """An absolute URL, taken apart: ASCII as it is sent, without fragment. `host` has no brackets; `port` is the one in force.

    `resource` is what a request line asks for: path and query.
    """

    href: str
    scheme: str
    host: str
    port: int
    resource: str
    has_login: bool


def web_url(url: str, base: str | None = None) -> WebUrl:
    """Read an http, https, ws or wss URL, relative to `base` if there is one; ValueError for anything else and for what cannot be read."""
    import ada_url  # 13 ms, and only what has URLs needs it

    found = ada_url.URL(url, base)
    scheme = found.protocol.removesuffix(":")
    if scheme not in _PORTS:
        raise ValueError("another scheme")
    return WebUrl(
        href=found.href.partition("#")[0],
        scheme=scheme,
        host=found.hostname.strip("[]"),
        port=int(found.port) if found.port else _PORTS[scheme],
        resource=found.pathname + found.search,
        has_login=bool(found.username or found.password),
    )


def without_noise(url: str) -> str:
    """The URL without what browsers drop before they read it: space around it, tabs and line breaks anywhere."""
    return _DROPPED.sub("", url.strip(_STRIPPED))


def readable_url(url: str, href: str, host: str) -> str:
    """A configured URL as people are to see it: as it was written, unless that names its host in a way that only browsers understand.

    `href` and `host` are what it was read as.
    """
    written = without_noise(url)
    plain = written.isprintable() and not _MISLEADING.search(written) and _is(host_of(written), host)
    return written if plain else href


def readable_host(url: str, host: str) -> str:
    """The host of a configured URL as people are to see it, foreign letters as they were written; `host` is what it was read as."""
    written = host_of(without_noise(url))
    return written if _is(written, host) else host


def _is(written: str, host: str) -> bool:
    try:
        return ascii_name(written) == host
    except ValueError:
        return False
