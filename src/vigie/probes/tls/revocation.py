"""Whether an authority took a certificate back: OCSP (RFC 6960) asked first, else the revocation list (RFC 5280 §5) it names.

An answer counts only when it is signed by the certificate's issuer (or by whom the issuer says), is about this certificate, and is fresh.
What is not known is `unknown`: an authority that does not answer says nothing about the service. An answer that a server staples to its
handshake is not used: the standard library does not show it.
"""

import asyncio
import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.fetch import FetchError, FetchRequest, FetchResponse, fetch

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.x509 import ocsp

_T = TypeVar("_T")
_MAX_OCSP, _MAX_CRL = 65_536, 8_388_608
_MAX_ADDRESSES = 2
_SKEW = dt.timedelta(minutes=5)
_WITHOUT_END = dt.timedelta(days=7)  # how long an answer without an end of its own counts
_KEEP_SECONDS, _KEEP_UNKNOWN_SECONDS = 3_600.0, 300.0
_MAX_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class RevocationStatus:
    """What is known of a certificate. `none`: it names nobody who could tell. `at` is the instant of its revocation."""

    state: Literal["good", "revoked", "unknown", "none"]
    detail: str = ""
    at: dt.datetime | None = None
    reason: str = ""


@dataclass(slots=True)
class RevocationCache:
    """What was learnt in this process, so that a certificate is asked about once an hour; lists are read two at a time."""

    kept: dict[bytes, tuple[float, RevocationStatus]] = field(default_factory=dict)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    def keep(self, key: bytes, until: float, standing: RevocationStatus) -> None:
        """Remember, within bounds."""
        if len(self.kept) >= _MAX_KEPT:
            self.kept.clear()
        self.kept[key] = (until, standing)


async def revocation_status(
    certificate: "x509.Certificate", issuer: "x509.Certificate", deps: ProbeDeps, seconds: float
) -> RevocationStatus:
    """What the issuer says of a certificate, within `seconds`; never raises."""
    from cryptography.hazmat.primitives.serialization import Encoding

    book = deps.shared("revocation", RevocationCache, lambda book: book.kept.clear())
    key = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    now = deps.clock.monotonic()
    known = book.kept.get(key)
    if known is not None and known[0] > now:
        return known[1]
    found = await _asked(certificate, issuer, deps, book, seconds)
    book.keep(key, now + (_KEEP_UNKNOWN_SECONDS if found.state == "unknown" else _KEEP_SECONDS), found)
    return found


async def _asked(
    certificate: "x509.Certificate", issuer: "x509.Certificate", deps: ProbeDeps, book: RevocationCache, seconds: float
) -> RevocationStatus:
    responders, lists = _responders(certificate), _lists(certificate)
    ends = deps.clock.monotonic() + seconds
    found = RevocationStatus("unknown" if responders or lists else "none")
    for number, (ask, url) in enumerate([*((_by_ocsp, one) for one in responders), *((_by_list, one) for one in lists)], 1):
        left = ends - deps.clock.monotonic()
        share = left / (len(responders) + len(lists) - number + 1)  # a silent one leaves time for the next
        if share <= 0.01:
            break
        try:
            found = await ask(url, certificate, issuer, deps, book, share)
        except FetchError as error:
            found = RevocationStatus("unknown", str(error))
        if found.state != "unknown":
            break
    return found


async def _by_ocsp(
    url: str, certificate: "x509.Certificate", issuer: "x509.Certificate", deps: ProbeDeps, _: RevocationCache, seconds: float
) -> RevocationStatus:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509 import ocsp

    # SHA-1 names the certificate here, it protects nothing (RFC 5019 §2.1.1).
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1()).build()  # noqa: S303
    body = request.public_bytes(serialization.Encoding.DER)
    wanted = FetchRequest(url, _MAX_OCSP, body, {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"})
    answer = _good(await fetch(wanted, deps, seconds))
    return read_ocsp(answer.body, request, issuer, _now(deps))


def read_ocsp(body: bytes, request: "ocsp.OCSPRequest", issuer: "x509.Certificate", now: dt.datetime) -> RevocationStatus:
    """What a responder's bytes say; `unknown` unless they are signed, about this certificate, and fresh."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.x509 import ocsp

    try:
        response = ocsp.load_der_ocsp_response(body)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return RevocationStatus("unknown", f"the responder answers {response.response_status.name.lower()}")
        if not _is_signed(response, issuer, now):
            return RevocationStatus("unknown", "the responder's answer is not signed by the issuer")
        for one in response.responses:
            mine = (one.serial_number, one.issuer_key_hash, one.issuer_name_hash)
            if mine == (request.serial_number, request.issuer_key_hash, request.issuer_name_hash):
                return _single(one, now)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return RevocationStatus("unknown", "the responder's answer is not OCSP")
    return RevocationStatus("unknown", "the responder's answer is about another certificate")


def _single(one: "ocsp.OCSPSingleResponse", now: dt.datetime) -> RevocationStatus:
    from cryptography.x509 import ocsp

    if not _is_fresh(one.this_update_utc, one.next_update_utc, now):
        return RevocationStatus("unknown", "the responder's answer is too old")
    if one.certificate_status is ocsp.OCSPCertStatus.REVOKED:
        reason = one.revocation_reason
        return RevocationStatus("revoked", "", one.revocation_time_utc, reason.value if reason else "")
    if one.certificate_status is ocsp.OCSPCertStatus.GOOD:
        return RevocationStatus("good")
    return RevocationStatus("unknown", "the responder does not know the certificate")


def _is_signed(response: "ocsp.OCSPResponse", issuer: "x509.Certificate", now: dt.datetime) -> bool:
    """Whether the issuer signed it, or somebody whom the issuer lets sign (RFC 6960 §4.2.2.2)."""
    return any(_signs(response, signer) for signer in (issuer, *(one for one in response.certificates[:4] if _may_sign(one, issuer, now))))


def _may_sign(one: "x509.Certificate", issuer: "x509.Certificate", now: dt.datetime) -> bool:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.x509.oid import ExtendedKeyUsageOID

    uses = extension(one, x509.ExtendedKeyUsage) or ()
    try:
        one.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in uses and one.not_valid_before_utc - _SKEW <= now <= one.not_valid_after_utc


def _signs(response: "ocsp.OCSPResponse", signer: "x509.Certificate") -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

    key, data, sign = signer.public_key(), response.tbs_response_bytes, response.signature
    try:
        if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(sign, data)
            return True
        algorithm = response.signature_hash_algorithm
        if algorithm is None or algorithm.name in ("md5", "sha1"):
            return False
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(sign, data, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(sign, data, ec.ECDSA(algorithm))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


async def _by_list(
    url: str, certificate: "x509.Certificate", issuer: "x509.Certificate", deps: ProbeDeps, book: RevocationCache, seconds: float
) -> RevocationStatus:
    async with book.slots:
        answer = _good(await fetch(FetchRequest(url, _MAX_CRL), deps, seconds))
        # A list of some megabytes takes long to read.
        return await asyncio.to_thread(read_list, answer.body, certificate, issuer, _now(deps), url)


def read_list(body: bytes, certificate: "x509.Certificate", issuer: "x509.Certificate", now: dt.datetime, url: str) -> RevocationStatus:
    """What a revocation list says; `unknown` unless it is the issuer's, covers this certificate, and is fresh."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        found = x509.load_pem_x509_crl(body) if body.lstrip().startswith(b"-----BEGIN") else x509.load_der_x509_crl(body)
        if found.issuer != issuer.subject or not found.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]  # a key that signs
            return RevocationStatus("unknown", "the revocation list is not the issuer's")
        if not _is_fresh(found.last_update_utc, found.next_update_utc, now):
            return RevocationStatus("unknown", "the revocation list is too old")
        if not _covers(found, certificate, url):
            return RevocationStatus("unknown", "the revocation list is about other certificates")
        entry = found.get_revoked_certificate_by_serial_number(certificate.serial_number)
        return RevocationStatus("good") if entry is None else RevocationStatus("revoked", "", entry.revocation_date_utc, _reason(entry))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return RevocationStatus("unknown", "the revocation list cannot be read")


def _covers(found: "x509.CertificateRevocationList", certificate: "x509.Certificate", url: str) -> bool:
    """Whether a list with a scope of its own (RFC 5280 §5.2.5) has this certificate in it."""
    from cryptography import x509

    scope, constraints = extension(found, x509.IssuingDistributionPoint), extension(certificate, x509.BasicConstraints)
    if scope is None:
        return True
    is_authority = constraints is not None and constraints.ca
    other_kind = scope.only_contains_user_certs if is_authority else scope.only_contains_ca_certs
    elsewhere = scope.full_name is not None and url not in [name.value for name in scope.full_name]
    return not (other_kind or elsewhere or scope.indirect_crl or scope.only_contains_attribute_certs or scope.only_some_reasons)


def _reason(entry: "x509.RevokedCertificate") -> str:
    from cryptography import x509

    found = extension(entry, x509.CRLReason)
    return found.reason.value if found else ""


def _is_fresh(begins: dt.datetime, ends: dt.datetime | None, now: dt.datetime) -> bool:
    return begins - _SKEW <= now <= (ends or begins + _WITHOUT_END) + _SKEW


def _good(answer: FetchResponse) -> FetchResponse:
    if answer.status != 200:
        raise FetchError(f"the answer is HTTP {answer.status}")
    return answer


def _now(deps: ProbeDeps) -> dt.datetime:
    return dt.datetime.fromtimestamp(deps.clock.now() / 1000, dt.UTC)


def _responders(certificate: "x509.Certificate") -> list[str]:
    from cryptography import x509
    from cryptography.x509.oid import AuthorityInformationAccessOID

    found = extension(certificate, x509.AuthorityInformationAccess) or ()
    named = (one.access_location for one in found if one.access_method == AuthorityInformationAccessOID.OCSP)
    return list(_addresses(named))[:_MAX_ADDRESSES]


def _lists(certificate: "x509.Certificate") -> list[str]:
    from cryptography import x509

    found = extension(certificate, x509.CRLDistributionPoints) or ()
    named = (name for point in found if not point.reasons and not point.crl_issuer for name in point.full_name or ())
    return list(_addresses(named))[:_MAX_ADDRESSES]


def extension(holder: "x509.Certificate | x509.CertificateRevocationList | x509.RevokedCertificate", kind: type[_T]) -> _T | None:
    """The value of an extension; None where there is none, or none that can be read."""
    from cryptography import x509

    try:
        return holder.extensions.get_extension_for_class(kind).value  # type: ignore[type-var]
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return None


def _addresses(names: "Iterator[x509.GeneralName]") -> Iterator[str]:
    from cryptography import x509

    for name in names:
        if isinstance(name, x509.UniformResourceIdentifier) and name.value.lower().startswith(("http://", "https://")):
            yield name.value
