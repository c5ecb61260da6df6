"""Which proxy a URL is reached through, by the variables that curl reads; everything that Vigie sends asks this one place.

Source of the rules: curl's manual (ENVIRONMENT, `--noproxy`) and lib/url.c, lib/noproxy.c of libcurl 8. `http_proxy` counts in lower case
only, because CGI servers set HTTP_PROXY from a request's header. Beyond curl, as Go and browsers do it: this machine is never reached
through a proxy, and NO_PROXY may hold `*` among others, `*.example.com`, `host:port`, `[IPv6]` and `scheme://host`.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from vigie.net.names import ascii_name, is_localhost

SOCKS = ("socks4", "socks4a", "socks5", "socks5h")
_SCHEMES = {"http": "http", "https": "https", "socks": "socks4", **{one: one for one in SOCKS}}
_PORTS = {"http": 80, "https": 443}
_SOCKS_PORT = 1080
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_AUTHORITY = re.compile(r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?:(?P<login>[^/]*)@)?(?P<place>[^/@?#]+)(?:[/?#].*)?")
_FIX = "write http://proxy.example:3128 (or https, socks5h, socks5, socks4a, socks4)"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class ProxyFault:
    """What is wrong with a variable, in words without its secrets. `used` is False where the variable decides nothing because of it."""

    variable: str
    message: str
    fix: str
    used: bool = False


class UnusableProxyError(ValueError):
    """The proxy that a variable names cannot be used."""

    def __init__(self, fault: ProxyFault) -> None:
        super().__init__(f"{fault.variable} {fault.message}")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy; `variable` is where it was read. The login is percent-decoded, and no part of what is shown."""

    scheme: str
    host: str
    port: int
    variable: str
    username: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)

    @property
    def place(self) -> str:
        """`proxy.example:3128`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Scheme and place, without the login."""
        return f"{self.scheme}://{self.place}"

    def __str__(self) -> str:
        return f"{self.url} ({self.variable})"


@dataclass(frozen=True, slots=True)
class _Exempt:
    """One entry of NO_PROXY: a network, or a name with what is below it (None: every host), on one port or on all."""

    name: str | None = None
    network: Network | None = None
    port: int | None = None

    def covers(self, host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None, port: int | None) -> bool:
        if self.port is not None and self.port != port:
            return False
        if self.network is not None:
            return address is not None and address in self.network
        return self.name is None or host == self.name or (address is None and host.endswith(f".{self.name}"))


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies by the scheme of the URL (`all` for every other), and who is exempt from them; without any, everything goes directly."""

    by_scheme: Mapping[str, Proxy | ProxyFault] = field(default_factory=dict)
    exempt: tuple[_Exempt, ...] = ()
    faults: tuple[ProxyFault, ...] = ()

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Proxies":
        """What the environment says; what it says wrongly is in `faults`, and never raised here."""
        found, faults = dict[str, Proxy | ProxyFault](), list[ProxyFault]()
        for scheme, names in (("http", ("http_proxy",)), ("https", ("https_proxy", "HTTPS_PROXY")), ("all", ("all_proxy", "ALL_PROXY"))):
            name = next((name for name in names if environ.get(name)), None)
            if name is not None:
                found[scheme] = one = _proxy(name, environ[name])
                if isinstance(one, ProxyFault):
                    faults.append(one)
        name = next((name for name in ("no_proxy", "NO_PROXY") if environ.get(name)), "")
        exempt = []
        for entry in re.split(r"[\s,]+", environ.get(name, "")):
            if entry and (read := _exempt(entry)) is not None:
                exempt.append(read)
            elif entry:
                faults.append(ProxyFault(name, f"holds {entry[:60]!r}, which exempts nothing", "write host names, addresses or 10.0.0.0/8"))
        return cls(found, tuple(exempt), tuple(faults))

    def for_url(self, url: str) -> Proxy | None:
        """The proxy of an http or https URL, None for a direct way. Raises UnusableProxyError, ValueError for what is not a URL."""
        parts = urlsplit(url)
        scheme, host = parts.scheme.lower(), _spelt(parts.hostname or "")
        found = self.by_scheme.get(scheme) or self.by_scheme.get("all")
        if found is None or self._is_exempt(host, parts.port or _PORTS.get(scheme)):
            return None
        if isinstance(found, ProxyFault):
            raise UnusableProxyError(found)
        return found

    def _is_exempt(self, host: str, port: int | None) -> bool:
        address = _address(host)
        if is_localhost(host) or (address is not None and (address.is_loopback or address.is_unspecified)):
            return True
        return any(one.covers(host, address, port) for one in self.exempt)

    def secrets(self) -> Iterator[str]:
        """The passwords of the proxies in use."""
        for one in self.by_scheme.values():
            if isinstance(one, Proxy) and one.password:
                yield one.password


DIRECT = Proxies()


def _proxy(variable: str, text: str) -> Proxy | ProxyFault:
    """A proxy as curl reads one: no scheme means http, a path is ignored."""
    match = _AUTHORITY.fullmatch(text.strip())
    if match is None:
        return ProxyFault(variable, "is not the address of a proxy", _FIX)
    written = (match["scheme"] or "http").lower()
    scheme = _SCHEMES.get(written)
    if scheme is None:
        return ProxyFault(variable, f"names a kind of proxy that is not supported: {written}", _FIX)
    place = _place(match["place"])
    if place is None:
        return ProxyFault(variable, "does not name a host and a port", _FIX)
    host, port = place
    user, colon, password = (match["login"] or "").partition(":")
    login = (unquote(user), unquote(password)) if user or colon else (None, "")
    return Proxy(scheme, host, port or _PORTS.get(scheme, _SOCKS_PORT), variable, *login)


def _place(text: str) -> tuple[str, int | None] | None:
    """`host`, `host:port`, `[IPv6]` or `[IPv6]:port` in its parts; None for anything else."""
    match = re.fullmatch(r"(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?", text)
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else None
    host = (match["six"] or match["host"]).lower()
    known = isinstance(_address(host), ipaddress.IPv6Address) if match["six"] else _is_name(host)
    return (host, port) if known and (port is None or 0 < port < 65_536) else None


def _is_name(host: str) -> bool:
    return bool(_NAME.fullmatch(host)) or (not host.isascii() and host.isprintable() and " " not in host)


def _exempt(entry: str) -> _Exempt | None:
    """An entry of NO_PROXY; None for one that can match nothing."""
    text = entry.rpartition("://")[2].rstrip("/").lower()
    if text == "*":
        return _Exempt()
    network = _network(text)
    if network is not None:
        return _Exempt(network=network)
    place = _place(text.removeprefix("*.").strip("."))
    if place is None:
        return None
    network = _network(place[0])
    return _Exempt(_spelt(place[0]), port=place[1]) if network is None else _Exempt(network=network, port=place[1])


def _spelt(host: str) -> str:
    """A name as DNS spells it, without a dot at its end."""
    try:
        return ascii_name(host).rstrip(".")
    except ValueError:
        return host.lower().rstrip(".")


def _network(text: str) -> Network | None:
    """An address or a network, IPv6 also in brackets; host bits may be set, as curl takes them."""
    address, slash, bits = text.partition("/")
    bare = address.removeprefix("[").removesuffix("]") if address.startswith("[") and address.endswith("]") else address
    if (slash and not (bits.isascii() and bits.isdigit())) or not (bare[:1].isdigit() or ":" in bare):
        return None
    try:
        return ipaddress.ip_network(f"{bare.partition('%')[0]}{slash}{bits}", strict=False)
    except ValueError:
        return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def shown(faults: Iterable[ProxyFault]) -> list[str]:
    """Each in one line."""
    return [f"{one.variable} {one.message} ({one.fix})" for one in faults]
