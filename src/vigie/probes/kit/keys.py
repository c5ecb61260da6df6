"""What the configurations of several kinds share: keys with the same meaning everywhere, and the URLs that stand for them."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec

from vigie.net import AUTHORITIES, SHOWN, ascii_name, redact_url, split_server
from vigie.planning.duration import Duration

Meta = msgspec.Meta
Host = Annotated[str, Meta(description="Name or address.", examples=["db.example.com", "192.0.2.7"], extra=SHOWN)]
Port = Annotated[int, Meta(description="Port.", ge=1, le=65_535)]
MaybePort = Annotated[Annotated[int, Meta(ge=1, le=65_535)] | None, Meta(description="Port; the usual one if not set.")]
Family = Annotated[Literal[4, 6] | None, Meta(description="Only IPv4 or only IPv6.")]
Resolver = Annotated[str | None, Meta(description="DNS server for this monitor.", examples=["9.9.9.9:53"], extra=SHOWN)]
CaFile = Annotated[str | None, Meta(description="PEM file of a private authority.", extra=AUTHORITIES)]
Insecure = Annotated[bool, Meta(description="Do not verify the certificate; its facts are still read.")]
Latency = Annotated[Duration | None, Meta(description="Slower than this is degraded.", examples=["800ms"])]
TlsDays = Annotated[int, Meta(description="Fewer days left on the certificate is degraded.", ge=0, le=3_650)]


@dataclass(frozen=True, slots=True)
class Url:
    """A URL that stands for a monitor's keys: `scheme://host:port/path?key=value`."""

    host: str
    port: int | None
    path: str
    keys: dict[str, str]

    @classmethod
    def of(cls, url: str, example: str) -> "Url":
        """Read it; ValueError in words, with the example as the fix. Credentials have no place in it."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"{redact_url(url)!r} is not a URL: {error}; write {example}") from None
        scheme = example.partition("://")[0]
        if parts.scheme != scheme or not parts.hostname or "@" in parts.netloc or parts.fragment:
            raise ValueError(f"{redact_url(url)!r} is not a valid {scheme} URL; write {example}")
        return cls(parts.hostname, port, parts.path.strip("/"), dict(parse_qsl(parts.query, keep_blank_values=True)))

    def plain(self, example: str, **more: Any) -> dict[str, Any]:
        """Host, port where there is one, the keys of the query and `more` as a monitor's keys; ValueError for a path."""
        if self.path:
            raise ValueError(f"/{self.path[:80]}: this URL cannot have a path; write {example}")
        found = {"host": self.host} | ({} if self.port is None else {"port": self.port})
        return {**found, **more, **self.keys}


def check_host(host: str) -> None:
    """Raise ValueError for what can be no name or address."""
    if not host or len(host) > 253 or any(character in "/@?#[] " or not character.isprintable() for character in host):
        raise ValueError(f"{host[:80]!r} is not a host; write db.example.com or 192.0.2.7, without port or path")
    try:
        ascii_name(host)
    except ValueError as error:
        raise ValueError(f"{host[:80]!r} is not a host: {error}") from None


def check_resolver(resolver: str | None) -> None:
    """Raise ValueError for a DNS server that cannot be read."""
    if resolver is not None:
        split_server(resolver)


def host_port(host: str, port: int | None = None) -> str:
    """`host:port` as a URL has it, IPv6 addresses in brackets."""
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"
