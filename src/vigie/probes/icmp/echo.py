"""Echo requests and their answers (RFC 792, RFC 4443 §4): packets, sockets with as few rights as the system allows, one series of pings.

Answers are told by a number of 64 bits in each packet: the identifier is the kernel's where it hands out sockets without privileges.
"""

import asyncio
import contextlib
import errno
import secrets
import socket
import struct
import sys
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

_HEAD = struct.Struct("!BBHHH")
_REQUEST: dict[int, int] = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLY: dict[int, int] = {socket.AF_INET: 0, socket.AF_INET6: 129}
_PAYLOAD = 56  # as ping sends
_MAX_WAITING, _LONGEST = 256, 2_048
_SOL_RAW, _ICMP_FILTER, _ICMP6_FILTER = 255, 1, 1  # Linux: what a raw socket lets through
UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.ECONNREFUSED)


class NotAllowed(Exception):  # noqa: N818 - says what is the case
    """The system gives this process no socket for pings."""


class Wire(Protocol):
    """A way to one address. `token` is the number that its packets carry."""

    token: bytes

    def send(self, sequence: int) -> None:
        """Send one request; OSError where the system or the network refuses."""
        ...

    async def receive(self) -> tuple[int, float]:
        """(sequence, loop time) of the next answer to this wire; OSError where the network says that there will be none."""
        ...

    def close(self) -> None:
        """Let the socket go."""
        ...


def packet(family: int, identifier: int, sequence: int, token: bytes) -> bytes:
    """An echo request. The kernel fills in the checksum of IPv6, which covers addresses."""
    body = token + bytes(_PAYLOAD - len(token))
    kind = _REQUEST[family]
    blank = _HEAD.pack(kind, 0, 0, identifier, sequence) + body
    return _HEAD.pack(kind, 0, _checksum(blank) if family == socket.AF_INET else 0, identifier, sequence) + body


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def sequence_of(family: int, data: bytes, token: bytes) -> int | None:
    """The sequence number of an answer that carries the token; None for anything else."""
    if family == socket.AF_INET and data[:1] and data[0] >> 4 == 4:  # raw sockets, and macOS's, hand over the IP header
        data = data[(data[0] & 0xF) * 4 :]
    if len(data) < _HEAD.size + len(token) or data[0] != _REPLY[family] or data[_HEAD.size : _HEAD.size + len(token)] != token:
        return None
    return int(_HEAD.unpack_from(data)[4])


class SocketWire:
    """A socket that the kernel keeps to one address. Raises NotAllowed, or OSError where there is no way to the address."""

    def __init__(self, address: str) -> None:
        self.token = secrets.token_bytes(8)
        self._identifier = secrets.randbelow(65_536)
        self._waiting: deque[tuple[int, float] | OSError] = deque(maxlen=_MAX_WAITING)
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        family, _, _, _, where = socket.getaddrinfo(address, 0, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0]
        self._family = int(family)
        self._socket = _open(self._family)
        try:
            self._socket.setblocking(False)
            self._socket.connect(where)
        except OSError:
            self._socket.close()
            raise
        self._loop.add_reader(self._socket, self._readable)

    def send(self, sequence: int) -> None:
        """One request."""
        self._socket.send(packet(self._family, self._identifier, sequence, self.token))

    def _readable(self) -> None:
        """What came, each with the time of its coming."""
        at = self._loop.time()
        for _ in range(_MAX_WAITING):
            try:
                sequence = sequence_of(self._family, self._socket.recv(_LONGEST), self.token)
            except BlockingIOError:
                break
            except OSError as error:
                self._waiting.append(error)
                break
            if sequence is not None:
                self._waiting.append((sequence, at))
        if self._waiting:
            self._news.set()

    async def receive(self) -> tuple[int, float]:
        """The next answer."""
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        found = self._waiting.popleft()
        if isinstance(found, OSError):
            raise found
        return found

    def close(self) -> None:
        """Let the socket go."""
        self._loop.remove_reader(self._socket)
        self._socket.close()


def may_send(family: int) -> None:
    """Raise NotAllowed unless this user may send pings."""
    _open(family).close()


def _open(family: int) -> socket.socket:
    """Without privileges where the system allows it, else a raw socket; raises NotAllowed."""
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    with contextlib.suppress(OSError):
        return socket.socket(family, socket.SOCK_DGRAM, protocol)
    try:
        raw = socket.socket(family, socket.SOCK_RAW, protocol)
    except OSError as error:
        raise NotAllowed(str(error)) from None
    if sys.platform == "linux":
        # Every raw socket is shown all that comes; only answers shall wake us.
        with contextlib.suppress(OSError):
            if family == socket.AF_INET:
                raw.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", 0xFFFFFFFF ^ (1 << _REPLY[family])))
            else:
                passed = [0xFFFFFFFF] * 8
                passed[_REPLY[family] >> 5] ^= 1 << (_REPLY[family] & 31)
                raw.setsockopt(protocol, _ICMP6_FILTER, struct.pack("=8I", *passed))
    return raw


@dataclass(slots=True)
class Series:
    """What became of a series: ms by sequence number, and what the network said last."""

    sent: int = 0
    ms: dict[int, float] = field(default_factory=dict)
    fault: OSError | None = None


async def ping(wire: Wire, count: int, interval: float, wait: float, ends: float) -> Series:
    """Send `count` pings, one every `interval` seconds, and listen: until all have answered, `wait` seconds after the last, or `ends`.

    `ends` is loop time.
    """
    loop = asyncio.get_running_loop()
    series, sent_at = Series(), dict[int, float]()
    due = loop.time()
    while True:
        now = loop.time()
        if series.sent < count and now >= due:
            due += interval
            sent_at[series.sent] = now
            try:
                wire.send(series.sent)
            except OSError as error:
                series.fault = error
            series.sent += 1
        limit = due if series.sent < count else min(max(sent_at.values()) + wait, ends)
        if len(series.ms) == count or (now >= limit and series.sent == count) or now >= ends:
            return series
        try:
            async with asyncio.timeout_at(min(limit, ends)):
                sequence, at = await wire.receive()
        except TimeoutError:
            continue
        except OSError as error:
            series.fault = error
            if error.errno in UNREACHABLE and series.sent == count and not series.ms:
                return series  # nothing will come any more
            continue
        if sequence in sent_at:
            series.ms.setdefault(sequence, (at - sent_at[sequence]) * 1000)
