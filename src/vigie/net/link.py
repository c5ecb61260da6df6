"""Is it us? Whether Vigie's own way out works, by several votes, asked only when a check failed."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Callable, Sequence

from vigie.core.model import Cause
from vigie.net.names import is_localhost, literal
from vigie.net.resolver import Resolver

_KEEP_SECONDS = 10.0
_NAME_MS, _VOTE_SECONDS = 1_500, 2.5  # less than a check may overrun its time by: the vote comes after it
_MOST_ADDRESSES = 4
_ELSEWHERE = (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))  # RFC 5737, RFC 3849: nothing is sent there


def is_private(address: str) -> bool:
    """Whether an address is on this machine or a private network: no way out is needed to reach it."""
    try:
        return not ipaddress.ip_address(address.strip("[]")).is_global
    except ValueError:
        return is_localhost(address) or address.lower().endswith((".local", ".internal"))


def is_offline() -> bool:
    """Whether no route leads out, in either family; asks the kernel, sends nothing."""
    return not any(_has_route(address, family) for address, family in _ELSEWHERE)


def _has_route(address: str, family: socket.AddressFamily) -> bool:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
    except OSError:
        return False
    return True


class Link:
    """Vigie's own link. `targets` are `host:port`; one that answers acquits the link, and only if all are silent is it us."""

    def __init__(self, resolver: Resolver, targets: Sequence[str], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._resolver = resolver
        self._targets = tuple(targets)
        self._monotonic = monotonic
        self._kept: tuple[float, Cause | None] | None = None
        self._lock = asyncio.Lock()

    @property
    def has_targets(self) -> bool:
        """Whether control targets are configured: without any, only a missing route tells."""
        return bool(self._targets)

    async def fault(self) -> Cause | None:
        """`probe.network`, `probe.resolver`, or None when the link works (or no control target is configured). Kept for 10 s."""
        async with self._lock:
            if self._kept is None or self._kept[0] < self._monotonic():
                verdict = await self._ask()
                self._kept = (self._monotonic() + _KEEP_SECONDS, verdict)
            return self._kept[1]

    async def _ask(self) -> Cause | None:
        if is_offline():
            return Cause.PROBE_NETWORK
        votes = await asyncio.gather(*(self._vote(target) for target in self._targets))
        if not votes or "connected" in votes:
            by_number = any(is_literal(target) for target, vote in zip(self._targets, votes, strict=True) if vote == "connected")
            names = [vote for target, vote in zip(self._targets, votes, strict=True) if not is_literal(target)]
            return Cause.PROBE_RESOLVER if by_number and names and all(vote == "unresolved" for vote in names) else None
        return Cause.PROBE_NETWORK

    async def _vote(self, target: str) -> str:
        host, _, port = target.rpartition(":")
        try:
            async with asyncio.timeout(_VOTE_SECONDS):
                answer = await self._resolver.resolve(host, timeout_ms=_NAME_MS)
                if not answer.addresses:
                    return "unresolved"
                return "connected" if await _any_answers(answer.addresses[:_MOST_ADDRESSES], int(port)) else "silent"
        except TimeoutError:
            return "silent"


async def _any_answers(addresses: Sequence[str], port: int) -> bool:
    """Whether one of them answers; all at once, since one family may be broken where the other is fine."""
    tasks = [asyncio.create_task(_answers(address, port)) for address in addresses]
    try:
        for done in asyncio.as_completed(tasks):
            if await done:
                return True
        return False
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _answers(address: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(address, port)
    except ConnectionRefusedError:
        return True  # somebody out there answered
    except OSError:
        return False
    writer.transport.abort()
    return True


def is_literal(target: str) -> bool:
    """Whether a `host:port` names its host by address."""
    return literal(target.rpartition(":")[0]) is not None
