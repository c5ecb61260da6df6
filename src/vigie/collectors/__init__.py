"""Diagnostics on a first failure: one file per kind of evidence, all of them optional, bounded and in parallel.

Together they bring a sick service at most twelve requests an incident: six connections to its addresses, two TLS handshakes, two
requests, one connection to its other port, one without a name. What they ask of resolvers and of the path does not count as load on it.
"""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from vigie.core.model import CheckResult, Monitor
from vigie.net import Link, Resolver, hang_up
from vigie.ports import Clock

SOURCE = "diagnostics"
SHARE = 0.8  # of the budget, so that what is known is handed over in time

Known = Sequence[tuple[Monitor, CheckResult]]


def _no_url(_: Monitor) -> str | None:
    return None


async def _nobody() -> Known:
    return ()


@dataclass(frozen=True, slots=True)
class CollectorDeps:
    """What collectors are built with.

    `url_of` gives the address of a page that may be asked for again, None for one that may not (a POST, a page behind a login);
    `known` gives every monitor with its newest result.
    """

    clock: Clock
    resolver: Resolver
    link: Link
    second_resolver: str | None = None
    url_of: Callable[[Monitor], str | None] = _no_url
    known: Callable[[], Awaitable[Known]] = _nobody


def is_address(host: str) -> bool:
    """Whether a host is written as an address, so that there is no name to resolve."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


@asynccontextmanager
async def connected(address: str, port: int, **options: Any) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """One connection, hung up at the end without waiting for the peer."""
    reader, writer = await asyncio.open_connection(address, port, **options)
    try:
        yield reader, writer
    finally:
        hang_up(writer.transport)
        with contextlib.suppress(OSError):
            await writer.wait_closed()
