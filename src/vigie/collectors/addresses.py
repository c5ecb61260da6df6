"""Every address of the service, each by one plain TCP connection: which ones answer, whether one family is dead, and the other port."""

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

from vigie.collectors import SHARE, SOURCE, CollectorDeps, connected, is_address, led_elsewhere
from vigie.report.facts import Evidence, FactKind, Subject
from vigie.report.wording import both, took
from vigie.text import diagnostics as texts

_MAX = 6  # a sick service is not burdened with more
_PORTS = {"https": 443, "http": 80}
_OTHER = {443: 80, 80: 443}


def build(deps: CollectorDeps) -> "Addresses":
    """The collector."""
    return Addresses(deps)


class Addresses:
    """Connects to each address of the last check, and to those of the family that the check did not ask for."""

    def __init__(self, deps: CollectorDeps) -> None:
        self._deps = deps

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """One fact an address, one when all of a family fail while the other answers, one about the other web port."""
        port = _port(subject.monitor.target)
        if port is None or led_elsewhere(subject):
            return []
        wait_ms = budget_ms * SHARE
        addresses = await self._addresses(subject, wait_ms / 3)
        looks = await asyncio.gather(*(self._one(address, port, wait_ms * 2 / 3) for address in addresses))
        other = await self._other_port(addresses, port, wait_ms / 3) if looks and all(look.bad for look in looks) else []
        return [*looks, *self._family(looks), *other]

    async def _addresses(self, subject: Subject, wait_ms: float) -> tuple[str, ...]:
        """Those that the check knows first, then the rest of the name's, both families."""
        host, seen = subject.monitor.host, subject.result.addresses
        if is_address(host):
            return (host,)
        if not seen:
            return ()
        answer = await self._deps.resolver.resolve(host, timeout_ms=int(wait_ms))
        return tuple(dict.fromkeys((*seen, *answer.addresses)))[:_MAX]

    async def _one(self, address: str, port: int, wait_ms: float) -> Evidence:
        started = self._deps.clock.monotonic()
        state, bad = texts.ACCEPTS, False
        try:
            async with asyncio.timeout(wait_ms / 1000), connected(address, port):
                pass  # nothing is said
        except ConnectionRefusedError:
            state, bad = texts.REFUSES, True
        except TimeoutError:
            state, bad = texts.SILENT, True
        except OSError:
            state, bad = texts.UNREACHABLE, True
        ms = round((self._deps.clock.monotonic() - started) * 1000)
        pair = both(texts.ADDRESS, address=address, port=port, state=both(state, took=took(ms)))
        return Evidence(FactKind.TCP, f"address.{address}", ms, *pair, self._deps.clock.now(), SOURCE, unit="ms", bad=bad)

    def _family(self, looks: Sequence[Evidence]) -> list[Evidence]:
        """IPv4 against IPv6."""
        bad = {version: [one.bad for one in looks if (":" in one.name) == (version == "IPv6")] for version in ("IPv4", "IPv6")}
        for broken, fine in (("IPv4", "IPv6"), ("IPv6", "IPv4")):
            if bad[broken] and bad[fine] and all(bad[broken]) and not any(bad[fine]):
                pair = both(texts.ONE_FAMILY, broken=broken, fine=fine)
                return [Evidence(FactKind.TCP, "family", broken, *pair, self._deps.clock.now(), SOURCE, bad=True)]
        return []

    async def _other_port(self, addresses: Sequence[str], port: int, wait_ms: float) -> list[Evidence]:
        """Whether the host still answers on the web's other port: then it is the service that is dead, not the host."""
        if (other := _OTHER.get(port)) is None:
            return []
        look = await self._one(addresses[0], other, wait_ms)
        return [Evidence(FactKind.TCP, "other_port", other, look.fr, look.en, look.at, SOURCE, bad=look.bad)]


def _port(target: str) -> int | None:
    try:
        parts = urlsplit(target)
        return parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
