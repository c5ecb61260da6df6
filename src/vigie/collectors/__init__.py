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
from vigie.net import Link, NameResolver, hang_up
from vigie.ports import Clock
from vigie.report.facts import Subject

SOURCE = "diagnostics"
SHARE = 0.8  # of the budget, so that what is known is handed over in time

Known = Sequence[tuple[Monitor, CheckResult]]


@dataclass(frozen=True, slots=True)
class PageAddress:
    """A page that may be asked for again, and how the server has to prove who it is: as the check has it."""

    url: str
    ca_file: str | None = None
    insecure: bool = False


def _no_page(_: Monitor) -> PageAddress | None:
    return None


async def _nobody() -> Known:
    return ()


@dataclass(frozen=True, slots=True)
class CollectorDeps:
    """What collectors are built with.

    `page_of` gives a page that may be asked for again, None for one that may not (a POST, a page behind a login);
    `known` gives every monitor with its newest result.
    """

    clock: Clock
    resolver: NameResolver
    link: Link
    second_resolver: str | None = None
    page_of: Callable[[Monitor], PageAddress | None] = _no_page
    known: Callable[[], Awaitable[Known]] = _nobody


def is_address(host: str) -> bool:
    """Whether a host is written as an address, so that there is no name to resolve."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def led_elsewhere(subject: Subject) -> bool:
    """Whether the check ended at another host than the monitor's: what is its own must not be said there, and its addresses are unknown."""
    return subject.result.host is not None and subject.result.host != subject.monitor.host


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
