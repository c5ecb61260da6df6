"""The way to an address that does not answer: which routers on it still speak. Without privileges, where the system allows (Linux).

A datagram with a small time to live dies on the way, and the router where it dies says so; Linux hands its word to the socket that sent
the datagram (`IP_RECVERR`, ip(7)), so that no raw socket is needed.
"""

import asyncio
import contextlib
import ipaddress
import socket
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from vigie.collectors import SHARE, SOURCE, CollectorDeps
from vigie.core.model import Cause
from vigie.report.facts import Evidence, FactKind, Subject
from vigie.report.wording import both, count_of
from vigie.text import diagnostics as texts

_CAUSES = (Cause.TIMEOUT_CONNECT, Cause.TCP_UNREACHABLE, Cause.ICMP_TIMEOUT, Cause.ICMP_LOSS)
_HOPS = 20
_PORT = 33_434  # where traceroute begins
_FAMILIES = {
    # (option level, receive errors, time to live, type of "it died on the way")
    4: (socket.AF_INET, socket.IPPROTO_IP, 11, socket.IP_TTL, 11),
    6: (socket.AF_INET6, socket.IPPROTO_IPV6, 25, socket.IPV6_UNICAST_HOPS, 3),
}
_MSG_ERRQUEUE = 0x2000
_ERROR = struct.Struct("=IBBBBII")  # struct sock_extended_err: errno, origin, type, code, pad, info, data


@dataclass(frozen=True, slots=True)
class Hop:
    """A router, or the host itself, that answered; `far` counts from 1."""

    far: int
    address: str
    arrived: bool


def build(deps: CollectorDeps) -> "Path":
    """The collector."""
    return Path(deps)


class Path:
    """Sends twenty datagrams, one a hop, all at once."""

    def __init__(self, deps: CollectorDeps) -> None:
        self._deps = deps

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """How far the path answers; nothing where the failure is not about the path, or the system does not tell."""
        result = subject.result
        address = result.address or next(iter(result.addresses), None)
        if sys.platform != "linux" or result.cause not in _CAUSES or address is None:
            return []
        hops = await trace(address, min(budget_ms / 1000 * SHARE, 3.0))
        if not hops:
            return []
        last, now = max(hops, key=lambda hop: hop.far), self._deps.clock.now()
        whole = both(texts.PATH_WHOLE, hops=count_of(last.far, "hop"))
        pair = whole if last.arrived else both(texts.PATH_UP_TO, hop=last.far, address=last.address)
        return [Evidence(FactKind.TCP, "path", last.far, *pair, now, SOURCE, bad=False if last.arrived else None)]


async def trace(address: str, seconds: float) -> list[Hop]:
    """The hops that answer within `seconds`; empty when none does or the system refuses."""
    version = ipaddress.ip_address(address).version
    family, level, receive_errors, time_to_live, _ = _FAMILIES[version]
    loop, found, socks = asyncio.get_running_loop(), list[Hop](), list[socket.socket]()
    arrived = asyncio.Event()

    def heard(far: int, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            hop = _read(sock, far, version)
            if hop is not None:
                found.append(hop)
                if hop.arrived:
                    arrived.set()

    try:
        for far in range(1, _HOPS + 1):
            sock = socket.socket(family, socket.SOCK_DGRAM)
            socks.append(sock)
            sock.setblocking(False)
            sock.setsockopt(level, receive_errors, 1)
            sock.setsockopt(level, time_to_live, far)
            sock.sendto(b"vigie", (address, _PORT + far))
            loop.add_reader(sock, heard, far, sock)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await arrived.wait()
    except OSError:
        return _known(found)
    finally:
        for sock in socks:
            loop.remove_reader(sock)
            sock.close()
    return _known(found)


def _read(sock: socket.socket, far: int, version: int) -> Hop | None:
    """What the error queue says: who spoke, and whether it was the host itself (its port is closed) or a router."""
    _, notes, _, peer = sock.recvmsg(64, 512, _MSG_ERRQUEUE)
    _, level, receive_errors, _, died = _FAMILIES[version]
    for note_level, kind, data in notes:
        if note_level != level or kind != receive_errors or len(data) < _ERROR.size:
            continue
        _, _, icmp_type, _, _, _, _ = _ERROR.unpack_from(data)
        offender = data[_ERROR.size :]
        start, length = (4, 4) if version == 4 else (8, 16)
        speaker = socket.inet_ntop(_FAMILIES[version][0], offender[start : start + length]) if len(offender) >= start + length else peer[0]
        return Hop(far, speaker, arrived=icmp_type != died)
    return None


def _known(found: Sequence[Hop]) -> list[Hop]:
    """In order, nothing beyond the first arrival."""
    ordered = sorted(found, key=lambda hop: hop.far)
    end = next((hop.far for hop in ordered if hop.arrived), _HOPS)
    return [hop for hop in ordered if hop.far <= end]
