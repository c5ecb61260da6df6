"""The other addresses of a service: a check that succeeded with one of them says nothing about the rest, so they are tried in turn.

One plain TCP connection in every few checks, and never more than one per check. An address counts as dead after two failed tries in a
row; while one is dead, every check tries one, so that its recovery is noticed. What this machine itself cannot reach (no IPv6 here) does
not count.
"""

import asyncio
import errno
import socket
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from vigie.core.model import Cause, CheckResult, Scalar, Status
from vigie.net import hang_up, has_route, is_private
from vigie.ports import Probe
from vigie.probes.kit.deps import ProbeDeps

CHECKS_PER_TRIAL = 5  # checks
_DEAD = 2  # failed tries in a row
_MAX_MS, _MIN_MS = 2_000, 500
_PORTS = {"http": 80, "https": 443}
_UNREACHABLE = (errno.EHOSTUNREACH, errno.EHOSTDOWN)
_WORDS = {
    Cause.TCP_REFUSED: "refuses the connection",
    Cause.TIMEOUT_CONNECT: "does not answer",
    Cause.TCP_UNREACHABLE: "cannot be reached",
}
_ADVICE = "Remove the address from the name's records, or find out why its machine does not answer."


@dataclass(slots=True)
class AlternateAddresses:
    """Runs a probe and now and then tries an address that it did not use.

    `target` is a URL with the port to connect to; empty if the service cannot be tried by TCP. One address is tried in `every` checks.
    """

    probe: Probe
    deps: ProbeDeps
    target: str
    every: int = CHECKS_PER_TRIAL
    _checks: int = 0
    _turn: int | None = None
    _found: dict[str, tuple[Cause, int]] = field(default_factory=dict)  # failures in a row by address

    @property
    def unsure(self) -> bool:
        """Whether an address failed once and is yet to be tried again."""
        return any(count < _DEAD for _, count in self._found.values())

    async def check(self, timeout_ms: int) -> CheckResult:
        """Run one check; the try of another address takes what is left of its time, at most two seconds."""
        started = self.deps.clock.monotonic()
        result = await self.probe.check(timeout_ms)
        if len(result.addresses) < 2 or result.address not in result.addresses or result.status not in (Status.UP, Status.DEGRADED):
            return result
        port = _port(result, self.target)
        if port is None:
            return result
        others = tuple(address for address in result.addresses if address != result.address)
        self._found = {address: kept for address, kept in self._found.items() if address in others}
        left_ms = timeout_ms - round((self.deps.clock.monotonic() - started) * 1000)
        await self._look(others, port, min(left_ms, _MAX_MS))
        dead = [address for address, (_, count) in self._found.items() if count >= _DEAD]
        return self._judged(result, dead) if dead and result.status is Status.UP else result

    async def _look(self, others: tuple[str, ...], port: int, wait_ms: int) -> None:
        self._checks += 1
        if wait_ms < _MIN_MS or not (self._found or self._checks % self.every == 0):
            return
        address = next((address for address, (_, count) in self._found.items() if count < _DEAD), None) or self._next(others)
        cause = await _connected(address, port, wait_ms)
        if cause is not None and not await self._is_theirs(address, cause):
            cause = None
        if cause is None:
            self._found.pop(address, None)
        else:
            self._found[address] = (cause, self._found.get(address, (cause, 0))[1] + 1)

    def _next(self, others: tuple[str, ...]) -> str:
        """Each in turn; the first depends on the time, so that single cycles do not all try the same one."""
        self._turn = self.deps.clock.now() // 1_000 if self._turn is None else self._turn + 1
        return others[self._turn % len(others)]

    async def _is_theirs(self, address: str, cause: Cause) -> bool:
        """Whether the fault is the address's and not our network's; a refusal is always an answer."""
        if cause is Cause.TCP_REFUSED or is_private(address):
            return True
        return await self.deps.link.reaches(6 if ":" in address else 4)

    def _judged(self, result: CheckResult, dead: list[str]) -> CheckResult:
        """The worst fault first: a whole family, else a single address."""
        cause = self._found[dead[0]][0]
        figures: dict[str, Scalar] = {"address": dead[0], "dead": len(dead), "addresses": len(result.addresses)}
        words = f"{dead[0]} {_WORDS[cause]}; {len(dead)} of {len(result.addresses)} addresses is dead"
        if len(dead) > 1:
            words = f"{', '.join(dead[:3])}: {len(dead)} of {len(result.addresses)} addresses are dead"
        family = _dead_family(result.addresses, dead)
        if family is not None:
            figures["family"] = family
            words = f"no {family} address works ({', '.join(dead[:3])})"
        return replace(
            result,
            status=Status.DEGRADED,
            cause=cause,
            message=words,
            figures=result.figures | figures,
            advice=(*result.advice, _ADVICE),
        )


def _dead_family(addresses: tuple[str, ...], dead: list[str]) -> str | None:
    """The family all of whose addresses are dead, while the other has some."""
    families = {"IPv6": {one for one in addresses if ":" in one}, "IPv4": {one for one in addresses if ":" not in one}}
    both = all(families.values())
    return next((family for family, members in families.items() if both and members <= set(dead)), None)


def _port(result: CheckResult, target: str) -> int | None:
    """The port of the last hop; None without a target, and for localhost, where a service listens in one family by choice."""
    if not target:
        return None
    url = result.http.hops[-1] if result.http is not None and result.http.hops else target
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        by_choice = host == "localhost" or host.endswith(".localhost")
        return None if by_choice else parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None


async def _connected(address: str, port: int, wait_ms: int) -> Cause | None:
    """Why an address takes no connection; None when it does, or when it is for our own machine's reasons that it was not tried."""
    if not has_route(address, socket.AF_INET6 if ":" in address else socket.AF_INET):
        return None
    try:
        async with asyncio.timeout(wait_ms / 1000):
            _, writer = await asyncio.open_connection(address, port)
    except ConnectionRefusedError:
        return Cause.TCP_REFUSED
    except TimeoutError:
        return Cause.TIMEOUT_CONNECT
    except OSError as error:
        return Cause.TCP_UNREACHABLE if error.errno in _UNREACHABLE else None
    hang_up(writer.transport)
    return None
