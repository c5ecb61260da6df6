"""The certificate, where the check did not get as far as reading it: one handshake that verifies nothing and says nothing."""

import asyncio
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

from vigie.collectors import SHARE, SOURCE, CollectorDeps, connected, is_address, led_elsewhere
from vigie.core.model import TlsFacts
from vigie.net import ascii_name, peer_chain, tls_facts
from vigie.report.changes import TLS_VERSIONS, self_signed
from vigie.report.facts import Evidence, FactKind, Subject
from vigie.report.wording import both, days_of
from vigie.text import Pair
from vigie.text import diagnostics as texts
from vigie.text import facts as sentences


def build(deps: CollectorDeps) -> "Certificates":
    """The collector."""
    return Certificates(deps)


class Certificates:
    """Shakes hands once more when the result holds no certificate although a connection was made."""

    def __init__(self, deps: CollectorDeps) -> None:
        self._deps = deps

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """What the certificate says; no request at all where the check has read it, or where nothing was reached."""
        result, parts = subject.result, urlsplit(subject.monitor.target)
        if (
            parts.scheme != "https"
            or led_elsewhere(subject)
            or result.timings.connect is None
            or (result.tls is not None and result.tls.chain)
        ):
            return []
        address, port = result.address or subject.monitor.host, parts.port or 443
        wait_s, host = budget_ms / 1000 * SHARE / 2, subject.monitor.host
        name = None if is_address(host) else ascii_name(host)
        seen = await self._shake(address, port, name, wait_s)
        if isinstance(seen, TlsFacts):
            return self._facts(seen)
        if name is None or seen is None:
            return [] if seen is None else [self._fact("handshake", False, seen, bad=True)]
        found = [self._fact("handshake", False, seen, bad=True)]
        if isinstance(await self._shake(address, port, None, wait_s), TlsFacts):
            found.append(self._fact("no_sni", True, texts.WITHOUT_NAME, bad=True))
        return found

    async def _shake(self, address: str, port: int, name: str | None, wait_s: float) -> TlsFacts | Pair | None:
        """What a handshake shows, or in (French, English) words how it failed; None when no connection was made."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # it is looked at, not trusted
        try:
            async with asyncio.timeout(wait_s), connected(address, port, ssl=context, server_hostname=name or "") as (_, writer):
                shaken = writer.get_extra_info("ssl_object")
                return await asyncio.to_thread(tls_facts, shaken.version(), peer_chain(shaken), self._deps.clock.now())
        except TimeoutError:
            return texts.HANDSHAKE_LATE
        except (ssl.SSLError, ConnectionError):
            return texts.HANDSHAKE_FAILS
        except OSError:
            return None

    def _facts(self, seen: TlsFacts) -> list[Evidence]:
        found = [self._fact("handshake", True, texts.HANDSHAKE_FINE, bad=False)]
        if seen.version in TLS_VERSIONS:
            found.append(self._fact("version", seen.version, both(sentences.TLS_VERSION, version=seen.version)))
        if seen.days_left is not None:
            pair = both(sentences.EXPIRED if seen.days_left < 0 else sentences.VALID_FOR, days=days_of(seen.days_left))
            found.append(self._fact("days_left", seen.days_left, pair, bad=seen.days_left < 0))
        if seen.chain and self_signed(seen.chain[0]):
            found.append(self._fact("self_signed", True, sentences.SELF_SIGNED, bad=True))
        return found

    def _fact(self, name: str, value: str | int | bool, pair: Pair, *, bad: bool | None = None) -> Evidence:
        return Evidence(FactKind.TLS, name, value, *pair, at=self._deps.clock.now(), source=SOURCE, bad=bad)
