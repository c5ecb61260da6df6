"""Names to addresses by c-ares: no blocking call, exact reasons, a resolver per monitor, a small cache."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pycares

from vigie.core.model import Cause

_TRY_SECONDS = 2.0
_TRIES = 3
_FAMILIES = {None: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}
_CAUSES = {
    pycares.errno.ARES_ENOTFOUND: Cause.DNS_NXDOMAIN,
    pycares.errno.ARES_ENODATA: Cause.DNS_NO_ANSWER,
    pycares.errno.ARES_ESERVFAIL: Cause.DNS_SERVFAIL,
    pycares.errno.ARES_EREFUSED: Cause.DNS_REFUSED,
    pycares.errno.ARES_ENOTIMP: Cause.DNS_REFUSED,
    pycares.errno.ARES_ETIMEOUT: Cause.DNS_TIMEOUT,
    pycares.errno.ARES_EFORMERR: Cause.DNS_SERVFAIL,
    pycares.errno.ARES_EBADRESP: Cause.DNS_SERVFAIL,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a resolver said. `cause` is None when there are addresses; `server` is None for the system's resolver."""

    addresses: tuple[str, ...]
    cause: Cause | None
    ms: float
    server: str | None = None
    detail: str = ""


def split_server(server: str) -> tuple[str, int]:
    """`IP`, `IP:PORT` or `[IPv6]:PORT` as (IP, port); ValueError says what is accepted."""
    host, port = server, "53"
    if server.startswith("["):
        host, _, rest = server[1:].partition("]")
        port = rest.removeprefix(":") or "53"
    elif server.count(":") == 1:
        host, _, port = server.partition(":")
    try:
        ipaddress.ip_address(host)
        number = int(port)
    except ValueError:
        raise ValueError(f"{server!r} is no resolver address; write 9.9.9.9, 9.9.9.9:53 or [2620:fe::fe]:53") from None
    return host, number


def _literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return None


def _ascii(host: str) -> str:
    """The name as DNS wants it (IDNA); as it stands where it cannot be encoded, so that DNS says no."""
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return host


class Resolver:
    """Resolves names for everybody in this process. Good answers are kept for their TTL, at most a minute; failures never are."""

    def __init__(self, *, ttl_cap_s: float = 60.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._channels: dict[str | None, pycares.Channel] = {}
        self._cache: dict[tuple[str, int | None, str | None], tuple[float, tuple[str, ...]]] = {}
        self._running: dict[tuple[str, int | None, str | None], asyncio.Future[Answer]] = {}
        self._ttl_cap = ttl_cap_s
        self._monotonic = monotonic

    async def resolve(self, host: str, *, family: int | None = None, timeout_ms: int = 5_000, server: str | None = None) -> Answer:
        """Addresses of a name (literals need no DNS), within `timeout_ms`; never raises for a name's fault."""
        if literal := _literal(host):
            return _of_literal(literal, family)
        key = (host.lower(), family, server)
        kept = self._cache.get(key)
        if kept and kept[0] > self._monotonic():
            return Answer(kept[1], None, 0.0, server)
        started = self._monotonic()
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = self._start(key)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                return await asyncio.shield(running)
        except TimeoutError:
            waited = (self._monotonic() - started) * 1000
            return Answer((), Cause.DNS_TIMEOUT, waited, server, f"no answer within {timeout_ms} ms")

    async def zone_servers(self, host: str, *, timeout_ms: int = 2_000) -> tuple[str, tuple[str, ...]]:
        """The zone that holds a name and the addresses of its servers, both empty when nobody says; by the system's resolver."""
        labels = _ascii(host.rstrip(".")).split(".")
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                for start in range(len(labels) - 1):
                    zone = ".".join(labels[start:])
                    if names := await self._name_servers(zone):
                        answers = await asyncio.gather(*(self.resolve(name, timeout_ms=timeout_ms) for name in names))
                        return zone, tuple(answer.addresses[0] for answer in answers if answer.addresses)
        except TimeoutError:
            pass
        return "", ()

    async def _name_servers(self, zone: str) -> list[str]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[str]] = loop.create_future()

        def done(result: Any, error: int | None) -> None:
            records = [] if error or result is None else result.answer
            names = [_text(record.data.nsdname) for record in records if record.type == pycares.QUERY_TYPE_NS]
            loop.call_soon_threadsafe(lambda: None if future.done() else future.set_result(names))

        self._channel(None).query(zone, pycares.QUERY_TYPE_NS, callback=done)
        return await future

    def close(self) -> None:
        """Drop every channel; lookups under way end unheard."""
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()
        self._running.clear()

    def _start(self, key: tuple[str, int | None, str | None]) -> asyncio.Future[Answer]:
        host, family, server = key
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        started = self._monotonic()

        def done(result: Any, error: int | None) -> None:
            # c-ares calls from its own thread.
            loop.call_soon_threadsafe(finish, result, error)

        def finish(result: Any, error: int | None) -> None:
            self._running.pop(key, None)
            if not future.done():
                future.set_result(self._answer(key, result, error, (self._monotonic() - started) * 1000))

        self._channel(server).getaddrinfo(_ascii(host), None, family=_FAMILIES[family], type=socket.SOCK_STREAM, callback=done)
        return future

    def _channel(self, server: str | None) -> pycares.Channel:
        if server not in self._channels:
            options: dict[str, Any] = {"timeout": _TRY_SECONDS, "tries": _TRIES, "lookups": "fb"}
            if server is not None:
                address, port = split_server(server)
                options |= {"servers": [address], "udp_port": port, "tcp_port": port, "lookups": "b"}
            self._channels[server] = pycares.Channel(**options)
        return self._channels[server]

    def _answer(self, key: tuple[str, int | None, str | None], result: Any, error: int | None, ms: float) -> Answer:
        _, _, server = key
        if error:
            return Answer((), _cause(error, server), ms, server, _text(pycares.errno.strerror(error)))
        addresses = tuple(dict.fromkeys(_text(node.addr[0]) for node in result.nodes))
        if not addresses:
            return Answer((), Cause.DNS_NO_ANSWER, ms, server, "the answer holds no address")
        ttl = min([node.ttl for node in result.nodes], default=0)
        self._cache[key] = (self._monotonic() + min(ttl, self._ttl_cap), addresses)
        return Answer(addresses, None, ms, server)


def _text(address: str | bytes) -> str:
    return address.decode() if isinstance(address, bytes) else address


def _of_literal(literal: str, family: int | None) -> Answer:
    version = 6 if ":" in literal else 4
    if family not in (None, version):
        return Answer((), Cause.DNS_NO_ANSWER, 0.0, None, f"{literal} is no IPv{family} address")
    return Answer((literal,), None, 0.0)


def _cause(error: int, server: str | None) -> Cause:
    if error == pycares.errno.ARES_ECONNREFUSED:
        # Nobody listens: the system's resolver is ours to keep running, a named one belongs to the monitor.
        return Cause.PROBE_RESOLVER if server is None else Cause.DNS_REFUSED
    return _CAUSES.get(error, Cause.PROBE_RESOLVER if server is None else Cause.DNS_SERVFAIL)
