"""Every address of the service, each by one plain TCP connection: which ones answer."""

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

from vigie.collectors import CollectorDeps
from vigie.core.report.facts import Evidence, FactKind, Subject

_MOST = 6  # a sick service is not burdened with more
_PORTS = {"https": 443, "http": 80}


def build(deps: CollectorDeps) -> "Addresses":
    """The collector."""
    return Addresses(deps)


class Addresses:
    """Connects to each address at once and closes again."""

    def __init__(self, deps: CollectorDeps) -> None:
        self._deps = deps

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """One fact an address."""
        parts = urlsplit(subject.monitor.target)
        port = parts.port or _PORTS.get(parts.scheme)
        addresses = subject.result.addresses[:_MOST]
        if port is None or not addresses:
            return []
        return await asyncio.gather(*(self._one(address, port, budget_ms) for address in addresses))

    async def _one(self, address: str, port: int, budget_ms: int) -> Evidence:
        started = self._deps.clock.monotonic()
        fr, en, bad = "accepte la connexion en {ms} ms", "accepts the connection in {ms} ms", False
        try:
            async with asyncio.timeout(budget_ms / 1000 * 0.9):
                _, writer = await asyncio.open_connection(address, port)
                writer.close()
        except ConnectionRefusedError:
            fr, en, bad = "refuse la connexion", "refuses the connection", True
        except TimeoutError:
            fr, en, bad = "ne répond pas en {ms} ms", "does not answer within {ms} ms", True
        except OSError:
            fr, en, bad = "est injoignable", "cannot be reached", True
        ms = round((self._deps.clock.monotonic() - started) * 1000)
        return Evidence(
            kind=FactKind.TCP,
            name=f"address.{address}",
            value=ms,
            fr=f"L'adresse {address}, port {port}, {fr.format(ms=ms)}.",
            en=f"The address {address}, port {port}, {en.format(ms=ms)}.",
            at=self._deps.clock.now(),
            source="second look",
            unit="ms",
            bad=bad,
        )
