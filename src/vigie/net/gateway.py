"""The first hop of our own way out: where the default routes lead, and whether anybody is there. Linux only; elsewhere nobody votes."""

import asyncio
import contextlib
import errno
import socket
import struct
from pathlib import Path

from vigie.net.closing import hang_up

_PROC = Path("/proc/net")
_GATEWAY_FLAG = 0x2  # RTF_GATEWAY of <linux/route.h>
_COMPLETE = 0x2  # ATF_COM of <linux/if_arp.h>: its hardware address is known
_PORT = 53
_NO_NEIGHBOUR = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN)


def default_gateways(proc: Path = _PROC) -> tuple[str, ...]:
    """The addresses of the default routes, IPv4 first; empty where the system does not tell."""
    return (*_by_ipv4(_lines(proc / "route")), *_by_ipv6(_lines(proc / "ipv6_route")))


def _lines(path: Path) -> list[list[str]]:
    try:
        return [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    except (OSError, ValueError):
        return []


def _by_ipv4(rows: list[list[str]]) -> list[str]:
    """Columns: interface, destination, gateway, flags, three counters, mask; addresses as the machine's own integers in hex."""
    found = []
    for row in rows[1:]:
        with contextlib.suppress(IndexError, ValueError):
            if int(row[1], 16) == 0 and int(row[7], 16) == 0 and int(row[3], 16) & _GATEWAY_FLAG:
                found.append(socket.inet_ntoa(struct.pack("=I", int(row[2], 16))))
    return found


def _by_ipv6(rows: list[list[str]]) -> list[str]:
    """Columns: destination, its length, source, its length, next hop, three counters, flags, interface."""
    found = []
    for row in rows:
        with contextlib.suppress(IndexError, ValueError):
            if int(row[0], 16) == 0 and int(row[1], 16) == 0 and int(row[8], 16) & _GATEWAY_FLAG and int(row[4], 16):
                address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(row[4]))
                found.append(f"{address}%{row[9]}" if address.startswith("fe80:") else address)
    return found


async def is_there(address: str, timeout_ms: int, *, port: int = _PORT, proc: Path = _PROC) -> bool | None:
    """Whether a gateway answers anything at all, be it a refusal; False when it is not on its network, None when that cannot be told.

    A gateway may let packets fall; whether it answered at least to the question for its hardware address is read from the kernel then.
    """
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            _, writer = await asyncio.open_connection(address, port)
    except ConnectionRefusedError:
        return True
    except TimeoutError:
        return _known_neighbour(address, proc)
    except OSError as error:
        return False if error.errno in _NO_NEIGHBOUR else None
    hang_up(writer.transport)
    return True


def _known_neighbour(address: str, proc: Path) -> bool | None:
    """Columns: address, kind, flags, hardware address, mask, interface. None for what stands nowhere (all of IPv6)."""
    for row in _lines(proc / "arp"):
        if row and row[0] == address:
            with contextlib.suppress(IndexError, ValueError):
                return bool(int(row[2], 16) & _COMPLETE)
    return None
