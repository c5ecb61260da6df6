"""The TLS probe: the handshake of any port, and all that can be said of the certificate: chain, dates, names, strength, revocation.

`figures` of a result, by name: `days_left` (negative: expired), `weakness`, `expected`, `detail` as everywhere; `authority` (the one of
the chain that ends or is weak); `fingerprint` (a pin that is not met); `revocation` (`good`, `unknown`, `none`: what the authority
says), `revoked_days` and `reason` (a certificate that was taken back).
"""

import asyncio
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from vigie.core.model import Cause, Certificate, CheckResult, Scalar, Status, TlsFacts
from vigie.errors import FieldError
from vigie.net import SHOWN, ascii_name, covers, tls_facts, trusted_path, weakness
from vigie.probes.kit import keys
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.keys import CaFile, Family, Host, Insecure, Latency, MaybePort, Meta, Resolver, TlsDays
from vigie.probes.kit.starttls import PROTOCOLS, USUAL_PORTS, Protocol, negotiate
from vigie.probes.kit.stream import Dialogue, Peer, converse
from vigie.probes.kit.verdict import TLS_DAYS, CheckFailed, Verdict
from vigie.probes.tls.revocation import RevocationStatus, revocation_status

if TYPE_CHECKING:
    from cryptography import x509

_EXAMPLE = "tls://mail.example.com:587?starttls=smtp"
_DAY_MS = 86_400_000
_ORDER = ("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_ASKING_SECONDS, _SPARE_SECONDS = 3.0, 0.05
_HEX = 64  # digits of a SHA-256


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """TLS on any port: handshake, chain, dates, names, strength and revocation. Also written `tls://host:port?starttls=smtp`."""

    host: Host
    port: MaybePort = None
    starttls: Annotated[Protocol | None, Meta(description="Protocol that starts in plain text.", examples=["smtp"])] = None
    server_name: Annotated[
        str | None,
        Meta(description="Name to send (SNI) and to expect in the certificate; the host if not set.", examples=["shop.test"], extra=SHOWN),
    ] = None
    sni: Annotated[bool, Meta(description="Send the name in the handshake (SNI).")] = True
    names: Annotated[
        list[str], Meta(description="Further names that the certificate must be valid for.", examples=[["www.example.com"]], extra=SHOWN)
    ] = []
    tls_days: TlsDays = TLS_DAYS
    min_version: Annotated[Literal["1.2", "1.3"] | None, Meta(description="An older version of TLS is degraded.")] = None
    revocation: Annotated[
        Literal["off", "soft", "hard"],
        Meta(
            description="Ask the authority whether the certificate was revoked (by OCSP, else by its list), once an hour. "
            "`soft`: no answer is not a failure; `hard`: it is."
        ),
    ] = "soft"
    fingerprint: Annotated[
        str | list[str], Meta(description="SHA-256 of the certificate, in hexadecimal; one of several.", examples=["AB:CD:…"])
    ] = []
    issuer: Annotated[str | None, Meta(description="Text that must be in the issuer's name.", examples=["Let's Encrypt"])] = None
    latency: Latency = None
    ip: Family = None
    resolver: Resolver = None
    ca_file: CaFile = None
    insecure: Insecure = False

    def __post_init__(self) -> None:
        """Raise ValueError for an invalid host, name, resolver or fingerprint."""
        for host in (self.host, *self.names, *([self.server_name] if self.server_name is not None else [])):
            keys.check_host(host)
        keys.check_resolver(self.resolver)
        for index, one in enumerate(self.pins):
            if len(one) != _HEX or not all(digit in "0123456789abcdef" for digit in one):
                at = ("fingerprint",) if isinstance(self.fingerprint, str) else ("fingerprint", index)
                raise FieldError(at, f"{one[:80]!r} is not a SHA-256 fingerprint: 64 hexadecimal digits, colons allowed")

    @property
    def pins(self) -> tuple[str, ...]:
        """The fingerprints in lower case, without colons."""
        given = [self.fingerprint] if isinstance(self.fingerprint, str) else self.fingerprint
        return tuple(one.replace(":", "").strip().lower() for one in given)

    @property
    def effective_port(self) -> int:
        """The port in force."""
        return self.port or USUAL_PORTS.get(self.starttls or "", 443)

    @property
    def target(self) -> str:
        """What is watched, as a URL."""
        return f"tls://{keys.host_port(self.host, self.effective_port)}" + (f"?starttls={self.starttls}" if self.starttls else "")

    @classmethod
    def from_url(cls, url: str) -> dict[str, Any]:
        """The keys that `tls://host:port?starttls=smtp` stands for; ValueError says what is wrong with it."""
        found = keys.Url.of(url, _EXAMPLE).plain(_EXAMPLE)
        if (asked := found.get("starttls")) is not None and asked not in PROTOCOLS:
            raise ValueError(f"{asked[:80]!r} is not a STARTTLS protocol; write one of {', '.join(PROTOCOLS)}")
        return found


def build(config: Config, deps: ProbeDeps) -> "TlsProbe":
    """The probe of one monitor."""
    return TlsProbe(config, deps)


@dataclass(slots=True)
class _ChainFacts:
    """What a check saw besides its result: the way to the authority, leaf first."""

    path: tuple["x509.Certificate", ...] = ()


class TlsProbe:
    """Shakes hands once a check, hangs up, then asks the authorities."""

    def __init__(self, config: Config, deps: ProbeDeps) -> None:
        self._config, self._deps = config, deps
        self._ca_file = config.ca_file or deps.ca_file
        self._peer = Peer.of(config, config.host, config.effective_port)

    async def check(self, timeout_ms: int) -> CheckResult:
        """One check within `timeout_ms`; never raises for the target's fault."""
        ends, seen = self._deps.clock.monotonic() + timeout_ms / 1000, _ChainFacts()

        async def talk(dialogue: Dialogue) -> str:
            return await self._talk(dialogue, seen)

        result = await converse(self._peer, self._deps, timeout_ms, talk)
        if self._config.revocation == "off" or not seen.path or result.status not in (Status.UP, Status.DEGRADED):
            return result
        left = min(ends - self._deps.clock.monotonic() - _SPARE_SECONDS, _ASKING_SECONDS)
        return await self._with_revocation(result, seen.path, left)

    async def _talk(self, dialogue: Dialogue, seen: _ChainFacts) -> str:
        if self._config.starttls:
            await negotiate(dialogue, self._config.starttls)
        await dialogue.start_tls(self._config.server_name, sni=self._config.sni)
        facts = dialogue.tls
        if facts is None or not facts.chain:
            raise CheckFailed(Cause.TLS_HANDSHAKE, "the server presents no certificate that can be read")
        self._pinned(facts, dialogue.chain[0])
        seen.path = () if self._config.insecure else trusted_path(dialogue.chain, self._ca_file)
        found = self._advisory(facts, seen.path, dialogue.at)
        if found is not None:
            raise CheckFailed(found.cause, found.message, found.figures, found.status)
        return f"{facts.version}, certificate of {facts.subject} by {facts.issuer}, {facts.days_left} days left"

    def _pinned(self, facts: TlsFacts, pem: str) -> None:
        """Raise CheckFailed for a certificate that is valid, and yet not the one that is meant."""
        leaf = facts.chain[0]
        if self._config.pins and leaf.sha256 not in self._config.pins:
            words = f"the certificate is not the pinned one (SHA-256 {leaf.sha256[:16]}…)"
            raise CheckFailed(Cause.TLS_UNTRUSTED, words, {"fingerprint": leaf.sha256})
        issuer = _issuer(pem) if self._config.issuer else ""
        if self._config.issuer and self._config.issuer.lower() not in issuer.lower():
            words = f"the certificate was issued by {issuer[:80]!r}, expected {self._config.issuer[:80]!r}"
            raise CheckFailed(Cause.TLS_UNTRUSTED, words, {"issuer": issuer[:80], "expected": self._config.issuer[:80]})
        for name in self._config.names:
            if not covers(leaf.names, ascii_name(name)):
                raise CheckFailed(Cause.TLS_HOSTNAME, f"the certificate is not for {name[:80]}", {"name": name[:80]})

    def _advisory(self, facts: TlsFacts, path: tuple["x509.Certificate", ...], now: int) -> Verdict | None:
        """What this kind sees beyond what every connection is judged by: a minimum, and the rest of the chain."""
        least = f"TLSv{self._config.min_version}"
        if self._config.min_version and facts.version in _ORDER and _ORDER.index(facts.version) < _ORDER.index(least):
            words = f"{facts.version} is older than {least}"
            return Verdict(Cause.TLS_WEAK, words, {"weakness": words}, Status.DEGRADED)
        return _weak(_facts_of(path[1:], now))

    async def _with_revocation(self, result: CheckResult, path: tuple["x509.Certificate", ...], seconds: float) -> CheckResult:
        """The result with what the authorities say of each certificate below the topmost one."""
        pairs = list(itertools.pairwise(path))
        said = await asyncio.gather(*(revocation_status(one, issuer, self._deps, max(seconds, 0.0)) for one, issuer in pairs))
        found = [_revoked(_subject(one), one is path[0], what, result.at) for (one, _), what in zip(pairs, said, strict=True)]
        verdict = next((one for one in found if one is not None), None)
        unknown = next((what for what in said if what.state == "unknown"), None)
        if verdict is None and unknown is not None and self._config.revocation == "hard":
            words = f"it is unknown whether the certificate was revoked ({unknown.detail or 'no time was left to find out'})"
            verdict = Verdict(Cause.TLS_UNTRUSTED, words, {"detail": unknown.detail[:120]})
        state = "unknown" if unknown is not None else "good" if any(what.state == "good" for what in said) else "none"
        figures = {**result.figures, "revocation": state}
        if verdict is None:
            return replace(result, figures=figures)
        return replace(
            result,
            status=verdict.status,
            cause=verdict.cause,
            message=verdict.message,
            figures={**figures, **verdict.figures},
            advice=("Replace the certificate: its authority has revoked it.",) if "revoked_days" in verdict.figures else (),
        )


def _revoked(subject: str, leaf: bool, said: RevocationStatus, now: int) -> Verdict | None:
    """A certificate that was taken back, and when."""
    if said.state != "revoked" or said.at is None:
        return None
    days = max((now - round(said.at.timestamp() * 1000)) // _DAY_MS, 0)
    what = "the certificate" if leaf else f"{subject!r}, an authority of the chain,"
    words = f"{what} was revoked {days} days ago" + (f" ({said.reason})" if said.reason else "")
    figures: dict[str, Scalar] = {} if leaf else {"authority": subject}
    figures |= {"revoked_days": days} | ({"reason": said.reason} if said.reason else {})
    return Verdict(Cause.TLS_UNTRUSTED, words, figures)


def _subject(certificate: "x509.Certificate") -> str:
    """Whom a certificate names, at most 80 characters."""
    return _words(certificate.subject)[:80]


def _issuer(pem: str) -> str:
    from cryptography import x509

    try:
        return _words(x509.load_pem_x509_certificate(pem.encode()).issuer)
    except ValueError:
        return ""


def _words(name: "x509.Name") -> str:
    """A name's parts as people read them, the most telling first."""
    return ", ".join(str(part.value) for part in reversed(list(name)))


def _facts_of(certificates: tuple["x509.Certificate", ...], now: int) -> tuple[Certificate, ...]:
    from cryptography.hazmat.primitives.serialization import Encoding

    return tls_facts(None, [one.public_bytes(Encoding.PEM).decode() for one in certificates], now).chain


def _weak(above: tuple[Certificate, ...]) -> Verdict | None:
    """An authority of the chain with a short key or a weak signature."""
    for one in above:
        found = weakness(TlsFacts(None, chain=(one,)))
        if found is not None:
            words = f"{one.subject[:80]!r}, an authority of the chain: {found}"
            return Verdict(Cause.TLS_WEAK, words, {"weakness": found, "authority": one.subject[:80]}, Status.DEGRADED)
    return None
