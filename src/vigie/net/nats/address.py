"""The address of a bus: `nats://user:password@host:4222,host2:4222?creds=/etc/vigie/vigie.creds&replicas=3`."""

import re
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import parse_qsl, unquote

import msgspec

from vigie.net.names import is_loopback
from vigie.net.secret import MASK, Secret

SCHEMES: Final = ("nats", "tls")
PORT: Final = 4222
_MAX_REPLICAS: Final = 5  # JetStream's own limit
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_BYTES: Final = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_AGE = re.compile(r"(\d+)([smhd])")
_SIZE = re.compile(r"(\d+)\s*([KMGT]B)?", re.IGNORECASE)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\s:@/?#\[\]]+)(?::(\d{1,5}))?")
_NAMES: Final = ("agent", "location")
_FILES: Final = ("ca_file", "cert_file", "key_file", "creds", "nkey")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the bus is and who we are there, read from its address; stream settings count where a server makes the streams."""

    servers: Annotated[tuple[str, ...], msgspec.Meta(description="Host and port of each server.")]
    tls: Annotated[bool, msgspec.Meta(description="Whether a server that offers no TLS is refused.")] = False
    user: Annotated[str | None, msgspec.Meta(description="User name.")] = None
    password: Annotated[Secret | None, msgspec.Meta(description="Password.")] = None
    token: Annotated[Secret | None, msgspec.Meta(description="Token, in place of user and password.")] = None
    creds: Annotated[str | None, msgspec.Meta(description="Credentials file (a JWT and its seed), as `nsc` writes it.")] = None
    nkey: Annotated[str | None, msgspec.Meta(description="File that holds the seed of an NKey.")] = None
    ca_file: Annotated[str | None, msgspec.Meta(description="Authorities of the servers' certificates; else those of the system.")] = None
    cert_file: Annotated[str | None, msgspec.Meta(description="Certificate of this client.")] = None
    key_file: Annotated[str | None, msgspec.Meta(description="Its private key.")] = None
    agent: Annotated[str | None, msgspec.Meta(description="The name of an agent that reports by this bus; else its user name.")] = None
    location: Annotated[str | None, msgspec.Meta(description="The location of that agent.")] = None
    replicas: Annotated[int, msgspec.Meta(description="On how many servers each message is kept.")] = 1
    max_age: Annotated[int, msgspec.Meta(description="Seconds for which results stay on the bus.")] = 3 * 86_400
    max_bytes: Annotated[int | None, msgspec.Meta(description="Bytes that results may occupy there; no limit by default.")] = None

    @classmethod
    def of(cls, address: str, base: Path = Path()) -> Self:
        """From its address; relative paths start at `base`. Raises ValueError."""
        rest, _, query = address.partition("?")
        tls, logins, servers = False, list[str](), list[str]()
        for index, one in enumerate(rest.split(",")):
            scheme, found, place = one.strip().rpartition("://")
            if (found or not index) and scheme.lower() not in SCHEMES:
                raise ValueError("a bus on NATS is nats://host:4222 or tls://host:4222; several servers are separated by commas")
            tls = tls or scheme.lower() == "tls"
            login, _, host = place.rstrip("/").rpartition("@")
            logins += [login] if login else []
            servers.append(_server(host))
        if len(set(logins)) > 1:
            raise ValueError("all servers of a bus are used with one login: write it once, before the first")
        found_options = {"tls": tls, "servers": tuple(servers), **_login(logins), **_options(query, base)}
        return msgspec.convert(found_options, cls, dec_hook=_as_it_is)

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot be used together."""
        ways = [name for name, value in (("user", self.user), ("token", self.token), ("creds", self.creds), ("nkey", self.nkey)) if value]
        if len(ways) > 1:
            raise ValueError(f"one login is enough: {' and '.join(ways)} exclude each other")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("`cert_file` and `key_file` belong together")

    @property
    def unencrypted(self) -> str:
        """The first server on another machine that is reached without TLS for certain; empty where there is none."""
        hosts = [server.rpartition(":")[0].strip("[]") for server in self.servers]
        return "" if self.tls else next((host for host in hosts if not is_loopback(host)), "")

    @property
    def shown(self) -> str:
        """As people read it, without secrets."""
        login = (
            f"{self.user}:{MASK}@" if self.user and self.password else f"{self.user}@" if self.user else f"{MASK}@" if self.token else ""
        )
        return f"{'tls' if self.tls else 'nats'}://{login}{','.join(self.servers)}"


def _server(text: str) -> str:
    found = _HOST.fullmatch(text)
    if found is None or not 0 < int(found[2] or PORT) < 65_536:
        raise ValueError(f"{text!r} is not a host, or a host and its port, as in bus.example.com:{PORT}")
    return f"{found[1]}:{found[2] or PORT}"


def _login(logins: list[str]) -> dict[str, Any]:
    """As NATS has it: a name alone before the host is a token."""
    if not logins:
        return {}
    user, colon, password = logins[0].partition(":")
    return {"user": unquote(user), "password": Secret(unquote(password))} if colon else {"token": Secret(unquote(user))}


def _options(query: str, base: Path) -> dict[str, Any]:
    known = {*_FILES, *_NAMES, "token", "replicas", "max_age", "max_bytes"}
    found: dict[str, Any] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in known:
            raise ValueError(f"unknown option {key!r}; known: {', '.join(sorted(known))}")
        if key in found:
            raise ValueError(f"{key} is there twice")
        if not value:
            raise ValueError(f"{key} is empty")
        found[key] = _option(key, value, base)
    return found


def _option(key: str, value: str, base: Path) -> Any:
    if key in _FILES:
        return str(base / value)
    if key in _NAMES:
        return value
    if key == "token":
        return Secret(value)
    if key == "max_age":
        return _seconds(value)
    if key == "max_bytes":
        return _size(value)
    if not value.isdecimal() or not 1 <= int(value) <= _MAX_REPLICAS:
        raise ValueError(f"{key} is a number from 1 to {_MAX_REPLICAS}")
    return int(value)


def _seconds(text: str) -> int:
    found = _AGE.fullmatch(text)
    if found is None or (seconds := int(found[1]) * _UNITS[found[2]]) < 3600:
        raise ValueError("max_age is at least an hour, as in 3d or 12h")
    return seconds


def _size(text: str) -> int:
    found = _SIZE.fullmatch(text)
    if found is None or (size := int(found[1]) * _BYTES[(found[2] or "").upper()]) < 10**6:
        raise ValueError("max_bytes is at least 1MB, as in 20GB")
    return size


def _as_it_is(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, Secret):
        return value
    raise TypeError(kind.__name__)
