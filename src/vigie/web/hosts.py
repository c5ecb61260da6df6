"""Which hosts a request may name (`Host`).

Else somebody else's page, whose name is made to resolve to this machine, could read ours through its visitor's browser (DNS rebinding).
An IP address cannot be made to mean another machine, so that every one may be used.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from vigie.net.names import ascii_name, is_localhost, literal

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+(?:%[0-9A-Za-z._~-]+)?)\]|([A-Za-z0-9._-]+))(?::[0-9]{0,5})?", re.ASCII)
_HOSTS_FILE = Path("/etc/hosts")


class Hosts:
    """The names that are ours: exact ones, and `*.example.com` for every name below one."""

    def __init__(self, names: Iterable[str]) -> None:
        known = {ascii_name(name).lower().rstrip(".") for name in names}
        self._exact = {name for name in known if not name.startswith("*.")}
        self._below = tuple(name[1:] for name in known if name.startswith("*."))

    def allow(self, header: str) -> bool:
        """Whether a `Host` header, with or without a port, names us."""
        host = name_of(header)
        if host is None:
            return False
        return host in self._exact or host.endswith(self._below) or is_localhost(host) or literal(host.partition("%")[0]) is not None


def name_of(header: str) -> str | None:
    """The host of a `Host` header in small letters, without port and trailing dot; None for what is not one."""
    found = _HOST.fullmatch(header)
    if found is None:
        return None
    address, name = found.groups()
    if address is not None:
        return address.lower() if literal(address.partition("%")[0]) else None
    return str(name).lower().removesuffix(".") or None


def own_names(listen: str, public_url: str | None, more: Iterable[str]) -> set[str]:
    """What this machine is called by the configuration, and, where others can reach the page, by itself."""
    host = listen.rpartition(":")[0].strip("[]")
    names = {host, *more}
    if public_url is not None:
        names.add(urlsplit(public_url).hostname or "")
    if not is_loopback(host):
        names |= _machine()
    return names - {""}


def is_loopback(host: str) -> bool:
    """Whether an address of `web.listen` is reached from this machine alone."""
    address = literal(host)
    return is_localhost(host) if address is None else ipaddress.ip_address(address).is_loopback


def _machine() -> set[str]:
    """The machine's names, without a question to anybody."""
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    found = {name, short, f"{short}.local"}
    try:
        lines = _HOSTS_FILE.read_text("utf-8", "replace").splitlines()
    except OSError:
        return found
    for line in lines:
        names = {one.lower() for one in line.partition("#")[0].split()[1:]}
        if names & {name, short}:
            found |= names
    return found
