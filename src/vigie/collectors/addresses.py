"""Every address of the service, each by one plain TCP connection: which ones answer, and whether it is one family that does not."""

import asyncio
import contextlib
from collections.abc import Sequence
from urllib.parse import urlsplit

from vigie.collectors import SOURCE, CollectorDeps, is_address
from vigie.core.report.facts import Evidence, FactKind, Subject

_MOST = 6  # a sick service is not burdened with more
_PORTS = {"https": 443, "http": 80}
_SHARE = 0.8  # of the budget, so that what is known is handed over in time


def build(deps: CollectorDeps) -> "Addresses":
    """The collector."""
    return Addresses(deps)


class Addresses:
    """Connects to each address at once and closes again."""

    def __init__(self, deps: CollectorDeps) -> None:
        self._deps = deps

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """One fact an address, and one when all of a family fail while the other answers."""
        port = _port(subject.monitor.target)
        host = subject.monitor.host
        addresses = subject.result.addresses or ((host,) if is_address(host) else ())
        if port is None or not addresses:
            return []
        looks = await asyncio.gather(*(self._one(address, port, budget_ms * _SHARE) for address in addresses[:_MOST]))
        return [*looks, *self._family(looks)]

    async def _one(self, address: str, port: int, wait_ms: float) -> Evidence:
        started = self._deps.clock.monotonic()
        fr, en, bad = "accepte la connexion en {ms} ms", "accepts the connection in {ms} ms", False
        try:
            async with asyncio.timeout(wait_ms / 1000):
                _, writer = await asyncio.open_connection(address, port)
        except ConnectionRefusedError:
            fr, en, bad = "refuse la connexion", "refuses the connection", True
        except TimeoutError:
            fr, en, bad = "ne répond pas en {ms} ms", "does not answer within {ms} ms", True
        except OSError:
            fr, en, bad = "est injoignable", "is unreachable", True
        else:
            writer.transport.abort()  # nothing was said, so nothing is waited for
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        ms = round((self._deps.clock.monotonic() - started) * 1000)
        return Evidence(
            kind=FactKind.TCP,
            name=f"address.{address}",
            value=ms,
            fr=f"L'adresse {address}, port {port}, {fr.format(ms=ms)}.",
            en=f"The address {address}, port {port}, {en.format(ms=ms)}.",
            at=self._deps.clock.now(),
            source=SOURCE,
            unit="ms",
            bad=bad,
        )

    def _family(self, looks: Sequence[Evidence]) -> list[Evidence]:
        """IPv4 against IPv6."""
        bad = {version: [one.bad for one in looks if (":" in one.name) == (version == "IPv6")] for version in ("IPv4", "IPv6")}
        for broken, fine in (("IPv4", "IPv6"), ("IPv6", "IPv4")):
            if bad[broken] and bad[fine] and all(bad[broken]) and not any(bad[fine]):
                fr = f"Aucune adresse {broken} n'accepte la connexion, toutes les adresses {fine} l'acceptent."
                en = f"No {broken} address accepts the connection, every {fine} address does."
                return [Evidence(FactKind.TCP, "family", broken, fr, en, self._deps.clock.now(), SOURCE, bad=True)]
        return []


def _port(target: str) -> int | None:
    try:
        parts = urlsplit(target)
        return parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
