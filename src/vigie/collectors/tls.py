"""The certificate, where the check did not get as far as reading it: one handshake that verifies nothing and says nothing."""

import asyncio
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

from vigie.collectors import SHARE, SOURCE, CollectorDeps, connected, is_address
from vigie.core.model import TlsFacts
from vigie.net import peer_chain, tls_facts
from vigie.report.changes import TLS_VERSIONS, self_signed
from vigie.report.facts import Evidence, FactKind, Subject
from vigie.text.words import LANGUAGES, counted


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
        if parts.scheme != "https" or result.timings.connect is None or (result.tls is not None and result.tls.chain):
            return []
        address, port = result.address or subject.monitor.host, parts.port or 443
        wait_s, host = budget_ms / 1000 * SHARE / 2, subject.monitor.host
        name = None if is_address(host) else host
        seen = await self._shake(address, port, name, wait_s)
        if isinstance(seen, TlsFacts):
            return self._facts(seen)
        if name is None or seen is None:
            return [] if seen is None else [self._fact("handshake", False, seen, bad=True)]
        found = [self._fact("handshake", False, seen, bad=True)]
        if isinstance(await self._shake(address, port, None, wait_s), TlsFacts):
            pair = "Sans nom de serveur (SNI), la négociation TLS aboutit.", "Without a server name (SNI) the TLS handshake succeeds."
            found.append(self._fact("no_sni", True, pair, bad=True))
        return found

    async def _shake(self, address: str, port: int, name: str | None, wait_s: float) -> TlsFacts | tuple[str, str] | None:
        """What a handshake shows, or in (French, English) words how it failed; None when no connection was made."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # it is looked at, not trusted
        try:
            async with asyncio.timeout(wait_s), connected(address, port, ssl=context, server_hostname=name or "") as (_, writer):
                shaken = writer.get_extra_info("ssl_object")
                return await asyncio.to_thread(tls_facts, shaken.version(), peer_chain(shaken), self._deps.clock.now())
        except TimeoutError:
            return "Une seconde négociation TLS n'aboutit pas à temps.", "A second TLS handshake does not finish in time."
        except (ssl.SSLError, ConnectionError):
            return "Une seconde négociation TLS échoue aussi.", "A second TLS handshake fails as well."
        except OSError:
            return None

    def _facts(self, seen: TlsFacts) -> list[Evidence]:
        pair = "Une seconde négociation TLS aboutit.", "A second TLS handshake succeeds."
        found = [self._fact("handshake", True, pair, bad=False)]
        if seen.version in TLS_VERSIONS:
            version = seen.version
            found.append(self._fact("version", version, (f"La connexion utilise {version}.", f"The connection uses {version}.")))
        if seen.days_left is not None:
            fr, en = (counted(abs(seen.days_left), "jour", "day", language) for language in LANGUAGES)
            pair = f"Le certificat est valable encore {fr}.", f"The certificate is valid for another {en}."
            if seen.days_left < 0:
                pair = f"Le certificat a expiré il y a {fr}.", f"The certificate expired {en} ago."
            found.append(self._fact("days_left", seen.days_left, pair, bad=seen.days_left < 0))
        if seen.chain and self_signed(seen.chain[0]):
            pair = "Le certificat est signé par lui-même.", "The certificate is signed by itself."
            found.append(self._fact("self_signed", True, pair, bad=True))
        return found

    def _fact(self, name: str, value: str | int | bool, pair: tuple[str, str], *, bad: bool | None = None) -> Evidence:
        return Evidence(FactKind.TLS, name, value, *pair, at=self._deps.clock.now(), source=SOURCE, bad=bad)
