"""The certificate, where the check did not get as far as reading it: one handshake that verifies nothing and says nothing."""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

from vigie.collectors import SOURCE, CollectorDeps, is_address
from vigie.core.model import TlsFacts
from vigie.core.report.changes import TLS_VERSIONS, self_signed
from vigie.core.report.facts import Evidence, FactKind, Subject
from vigie.core.report.words import LANGUAGES, counted
from vigie.net import tls_facts

_SHARE = 0.8  # of the budget, so that what is known is handed over in time


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
        address = result.address or subject.monitor.host
        try:
            async with asyncio.timeout(budget_ms / 1000 * _SHARE):
                seen = await self._shake(address, parts.port or 443, subject.monitor.host)
        except TimeoutError:
            pair = "Une seconde négociation TLS n'aboutit pas à temps.", "A second TLS handshake does not finish in time."
            return [self._fact("handshake", False, pair, bad=True)]
        except (ssl.SSLError, ConnectionError):
            pair = "Une seconde négociation TLS échoue aussi.", "A second TLS handshake fails as well."
            return [self._fact("handshake", False, pair, bad=True)]
        except OSError:
            return []
        return self._facts(seen)

    async def _shake(self, address: str, port: int, host: str) -> TlsFacts:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # it is looked at, not trusted
        name = None if is_address(host) else host
        _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=name or "")
        try:
            shaken = writer.get_extra_info("ssl_object")
            der = shaken.getpeercert(binary_form=True)
            chain = [ssl.DER_cert_to_PEM_cert(der)] if der else []
            return await asyncio.to_thread(tls_facts, shaken.version(), chain, self._deps.clock.now())
        finally:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

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
