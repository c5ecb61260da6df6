"""Names to addresses by c-ares: no blocking call, exact reasons, a resolver per monitor, a small cache."""

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pycares

from vigie.core.model import Cause
from vigie.net.names import LOOPBACK, ascii_name, is_localhost, literal

_TRY_SECONDS = 1.0
_TRIES = 3
_MAX_ADDRESSES = 64
_MAX_SERVERS = 8
_MAX_KEPT = 20_000
_MAX_DIGITS = 5
_MAX_PORT = 65_535
_FAMILIES = {None: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}
_CAUSES = {
    pycares.errno.ARES_ENOTFOUND: Cause.DNS_NXDOMAIN,
    pycares.errno.ARES_EBADNAME: Cause.DNS_NXDOMAIN,
    pycares.errno.ARES_ENODATA: Cause.DNS_NO_ANSWER,
    pycares.errno.ARES_ESERVFAIL: Cause.DNS_SERVFAIL,
    pycares.errno.ARES_EREFUSED: Cause.DNS_REFUSED,
    pycares.errno.ARES_ENOTIMP: Cause.DNS_REFUSED,
    pycares.errno.ARES_ETIMEOUT: Cause.DNS_TIMEOUT,
    pycares.errno.ARES_EFORMERR: Cause.DNS_SERVFAIL,
    pycares.errno.ARES_EBADRESP: Cause.DNS_SERVFAIL,
}
_BRACKETED = re.compile(r"\[([^\]]*)\](?::(\d+))?")
_NOBODY = pycares.errno.ARES_ECONNREFUSED

_Key = tuple[str, int | None, str | None]  # name in ASCII, family, server
_Done = Callable[[Any, int | None], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a resolver said. `cause` is None when there are addresses; `server` is None for the system's resolver."""

    addresses: tuple[str, ...]
    cause: Cause | None
    ms: float
    server: str | None = None
    detail: str = ""


@dataclass(slots=True)
class _Line:
    """A line to one server. c-ares keeps answers for up to an hour, bad ones too, and cannot be told not to; a new line knows none."""

    channel: pycares.Channel
    made_at: float
    failed: bool = False


def split_server(server: str) -> tuple[str, int]:
    """`IP`, `IP:PORT` or `[IPv6]:PORT` as (IP, port); ValueError says what is accepted."""
    host, port = server, "53"
    if match := _BRACKETED.fullmatch(server):
        host, port = match[1], match[2] or "53"
    elif server.count(":") == 1:
        host, _, port = server.partition(":")
    if (
        "[" in host
        or literal(host) is None
        or not (port.isascii() and port.isdecimal() and len(port) <= _MAX_DIGITS)
        or not 0 < int(port) <= _MAX_PORT
    ):
        raise ValueError(f"{server!r} is not a resolver address; write 9.9.9.9, 9.9.9.9:53 or [2620:fe::fe]:53")
    return host, int(port)


class Resolver:
    """Resolves names for everybody in this process. Good answers are kept for their TTL, at most a minute; failures never are."""

    def __init__(self, *, ttl_cap_s: float = 60.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._lines: dict[str | None, _Line] = {}
        self._cache: dict[_Key, tuple[float, tuple[str, ...]]] = {}
        self._running: dict[_Key, asyncio.Task[Answer]] = {}
        self._keep_s = ttl_cap_s / 2  # here and, before that, by a line
        self._monotonic = monotonic

    async def resolve(self, host: str, *, family: int | None = None, timeout_ms: int = 5_000, server: str | None = None) -> Answer:
        """Addresses of a name (literals and localhost need no DNS), within `timeout_ms`; never raises for a name's fault."""
        if address := literal(host):
            return _of(host, (address,), family)
        if is_localhost(host):
            return _of(host, LOOPBACK, family)
        try:
            key = (ascii_name(host), family, server)
        except ValueError as error:
            return Answer((), Cause.DNS_NXDOMAIN, 0.0, server, str(error))
        kept, started = self._cache.get(key), self._monotonic()
        if kept and kept[0] > started:
            return Answer(kept[1], None, 0.0, server)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                answer = await self._patiently(key)
        except TimeoutError:
            answer = Answer((), Cause.DNS_TIMEOUT, 0.0, server, f"no answer within {timeout_ms} ms")
        return Answer(answer.addresses, answer.cause, (self._monotonic() - started) * 1000, server, answer.detail)

    async def zone_servers(self, host: str, *, timeout_ms: int = 2_000) -> tuple[str, tuple[str, ...]]:
        """The zone that holds a name and the addresses of its servers, both empty when nobody says; by the system's resolver."""
        try:
            labels = ascii_name(host.rstrip(".")).split(".")
            async with asyncio.timeout(timeout_ms / 1000):
                for start in range(len(labels) - 1):
                    zone = ".".join(labels[start:])
                    if names := await self._name_servers(zone):
                        answers = await asyncio.gather(*(self.resolve(name, timeout_ms=timeout_ms) for name in names))
                        return zone, tuple(answer.addresses[0] for answer in answers if answer.addresses)
        except (TimeoutError, ValueError):
            pass
        return "", ()

    async def _name_servers(self, zone: str) -> list[str]:
        result, error = await self._call(None, lambda channel, done: channel.query(zone, pycares.QUERY_TYPE_NS, callback=done))
        records = [] if error or result is None else result.answer
        return [_text(record.data.nsdname) for record in records if record.type == pycares.QUERY_TYPE_NS][:_MAX_SERVERS]

    def close(self) -> None:
        """Drop every line; lookups under way end as failures of our own."""
        for line in self._lines.values():
            line.channel.close()
        self._lines.clear()

    async def _patiently(self, key: _Key) -> Answer:
        """Ask until somebody answers: c-ares gives up within a second on a server that was quick before, however long we would wait."""
        while True:
            running = self._running.get(key)
            if running is None:
                running = self._running[key] = asyncio.get_running_loop().create_task(self._ask(key))
                running.add_done_callback(lambda _: self._running.pop(key, None))
            answer = await asyncio.shield(running)
            if answer.cause is not Cause.DNS_TIMEOUT:
                return answer

    async def _ask(self, key: _Key) -> Answer:
        """One lookup. Where not even one of the system's resolvers could be asked, once more with what is configured now."""
        server = key[2]
        result, error = await self._once(key)
        if error == _NOBODY and server is None:
            result, error = await self._once(key)
        if error:
            return Answer((), _cause(error, server), 0.0, server, _text(pycares.errno.strerror(error)))
        addresses = tuple(dict.fromkeys(_text(node.addr[0]) for node in result.nodes))[:_MAX_ADDRESSES]
        if not addresses:
            return Answer((), Cause.DNS_NO_ANSWER, 0.0, server, "the answer contains no address")
        self._keep(key, min(node.ttl for node in result.nodes), addresses)
        return Answer(addresses, None, 0.0, server)

    async def _once(self, key: _Key) -> tuple[Any, int | None]:
        """What c-ares says of a name: a result, or its error."""
        name, family, server = key
        # Asked with its last dot, a name is not looked for in the hosts file or in search domains: a server that is named shall say it all.
        asked = name if server is None else name.removesuffix(".") + "."

        def start(channel: pycares.Channel, done: _Done) -> None:
            channel.getaddrinfo(asked, None, family=_FAMILIES[family], type=socket.SOCK_STREAM, callback=done)

        return await self._call(server, start)

    async def _call(self, server: str | None, start: Callable[[pycares.Channel, _Done], None]) -> tuple[Any, int | None]:
        """Have a lookup started on the line to a server, and wait for what c-ares calls back."""
        loop = asyncio.get_running_loop()
        heard: asyncio.Future[tuple[Any, int | None]] = loop.create_future()

        def hear(result: Any, error: int | None) -> None:
            if not heard.done():
                heard.set_result((result, error))

        def done(result: Any, error: int | None) -> None:
            with contextlib.suppress(RuntimeError):  # c-ares calls from its own thread, and the loop may have ended
                loop.call_soon_threadsafe(hear, result, error)

        try:
            line = self._line(server)
            start(line.channel, done)
        except (pycares.AresError, RuntimeError):  # no file descriptor or thread left
            return None, pycares.errno.ARES_ENOMEM
        result, error = await heard
        line.failed = line.failed or bool(error)
        return result, error

    def _line(self, server: str | None) -> _Line:
        """The line to a server: the one there is, or a new one when that is old, or may only repeat its failure."""
        now = self._monotonic()
        line = self._lines.get(server)
        if line is None or line.failed or now - line.made_at > self._keep_s:
            # A line that is dropped here closes by itself when the last lookup on it has ended.
            self._lines = {other: one for other, one in self._lines.items() if other != server and now - one.made_at <= self._keep_s}
            line = self._lines[server] = _Line(_channel(server), now)
        return line

    def _keep(self, key: _Key, ttl: float, addresses: tuple[str, ...]) -> None:
        """Remember an answer. A service may redirect to ever new names: what is kept is bounded."""
        now = self._monotonic()
        if len(self._cache) >= _MAX_KEPT:
            self._cache = {known: kept for known, kept in self._cache.items() if kept[0] > now}
            if len(self._cache) >= _MAX_KEPT:
                self._cache.clear()
        if ttl > 0:
            self._cache[key] = (now + min(ttl, self._keep_s), addresses)


def _channel(server: str | None) -> pycares.Channel:
    """A channel that asks one server, or those of this system.

    pycares' `lookups` is left alone: it hands c-ares memory that is freed already (5.2), and now and then nobody is asked at all.
    """
    if server is None:
        return pycares.Channel(timeout=_TRY_SECONDS, tries=_TRIES)
    address, port = split_server(server)
    return pycares.Channel(timeout=_TRY_SECONDS, tries=_TRIES, servers=[address], udp_port=port, tcp_port=port)


def _text(address: str | bytes) -> str:
    return address.decode() if isinstance(address, bytes) else address


def _of(host: str, known: tuple[str, ...], family: int | None) -> Answer:
    """The answer for a host that needs no resolver."""
    found = tuple(address for address in known if family in (None, 6 if ":" in address else 4))
    return Answer(found, None, 0.0) if found else Answer((), Cause.DNS_NO_ANSWER, 0.0, None, f"{host} is not an IPv{family} address")


def _cause(error: int, server: str | None) -> Cause:
    """What an error of c-ares means; all that is not said by a server is our own fault."""
    if error == _NOBODY and server is not None:
        return Cause.DNS_REFUSED  # nobody listens there, and a resolver that is named belongs to the monitor
    return _CAUSES.get(error, Cause.PROBE_RESOLVER)
