"""Certificate facts, read also where verification failed, and what the failure was."""

import ipaddress
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from vigie.core.model import Cause, Certificate, TlsFacts

if TYPE_CHECKING:
    from cryptography import x509
    from OpenSSL import crypto

_DAY_MS = 86_400_000
OLD_VERSIONS = ("SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1")
_RSA_MIN, _EC_MIN = 2048, 224  # NIST SP 800-57 part 1: 112 bits of security
# The peer writes all of this: what is kept of it is bounded.
_MAX_CERTIFICATES, _MAX_BYTES, _MAX_PARSED, _MAX_WAYS = 8, 32_768, 2_048, 8


def tls_facts(version: str | None, chain: Sequence[str], now: int) -> TlsFacts:
    """Facts of a PEM chain, leaf first; `now` in epoch ms. A certificate that cannot be read is left out; with the leaf, all."""
    read = [_certificate(pem) if len(pem) <= _MAX_BYTES else None for pem in chain[:_MAX_CERTIFICATES]]
    leaf = read[0] if read else None
    if leaf is None:
        return TlsFacts(version)
    days = (leaf.not_after - now) // _DAY_MS
    return TlsFacts(version, leaf.issuer, leaf.subject, leaf.not_after, days, tuple(found for found in read if found is not None))


@lru_cache(maxsize=_MAX_PARSED)
def _certificate(pem: str) -> Certificate | None:
    """Parsed once: a steady monitor shows the same certificate every time. None where it cannot be read."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    try:
        found = x509.load_pem_x509_certificate(pem.encode())
        return Certificate(
            subject=_name(found.subject),
            issuer=_name(found.issuer),
            not_before=round(found.not_valid_before_utc.timestamp() * 1000),
            not_after=round(found.not_valid_after_utc.timestamp() * 1000),
            key=_key(found),
            signature=found.signature_algorithm_oid._name,  # noqa: SLF001 - the library's only readable name
            names=_alternative_names(found),
            sha256=found.fingerprint(hashes.SHA256()).hex(),
        )
    except (ValueError, TypeError, x509.InvalidVersion):
        return None


def _name(name: "x509.Name") -> str:
    """Its common name, else all of it: an organisation alone would make a certificate look as if it had signed itself."""
    from cryptography.x509.oid import NameOID

    if found := name.get_attributes_for_oid(NameOID.COMMON_NAME):
        value = found[0].value
        return value if isinstance(value, str) else value.decode(errors="replace")
    return name.rfc4514_string()


def _key(certificate: "x509.Certificate") -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return "unknown"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.key_size}"
    return type(key).__name__.removesuffix("PublicKey").lstrip("_")


def _alternative_names(certificate: "x509.Certificate") -> tuple[str, ...]:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return ()
    # An address among the DNS names counts for nothing (RFC 6125 §1.7.2): it is left out, so that nobody takes it for one.
    return tuple(
        str(name.value)
        for name in names
        if isinstance(name, x509.IPAddress) or (isinstance(name, x509.DNSName) and not _is_address(name.value))
    )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def weakness(facts: TlsFacts) -> str | None:
    """What is obsolete about a connection that works: version, key or signature; None when nothing is."""
    if facts.version in OLD_VERSIONS:
        return f"{facts.version} is obsolete"
    if not facts.chain:
        return None
    leaf = facts.chain[0]
    kind, _, bits = leaf.key.partition(" ")
    if (kind == "RSA" and int(bits) < _RSA_MIN) or (kind == "EC" and int(bits) < _EC_MIN):
        return f"the key is short ({leaf.key})"
    signature = leaf.signature.lower()
    if ("sha1" in signature or "md5" in signature) and leaf.issuer != leaf.subject:
        return f"the signature is weak ({leaf.signature})"
    return None


def covers(names: Sequence[str], host: str) -> bool:
    """Whether a certificate's names cover a host: whole names, addresses, a wildcard for one left-most label (RFC 9525).

    As in browsers, a wildcard has at least two labels below it (`*.example.com`, not `*.com`), and is a whole label.
    """
    host = host.lower().rstrip(".").strip("[]")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        head, _, tail = host.partition(".")
        wildcard = f"*.{tail}" if head and "." in tail else None
        return any(name.lower() in (host, wildcard) for name in names)
    return any(name == str(address) for name in names)


def verify_cause(facts: TlsFacts, host: str, now: int) -> Cause:
    """Why a certificate was refused, from its own words: dates first, then the name, else the trust in its issuer."""
    if not facts.chain:
        return Cause.TLS_UNTRUSTED
    leaf = facts.chain[0]
    if now > leaf.not_after:
        return Cause.TLS_EXPIRED
    if now < leaf.not_before:
        return Cause.TLS_NOT_YET_VALID
    if not covers(leaf.names, host):
        return Cause.TLS_HOSTNAME
    if any(now > one.not_after for one in facts.chain[1:]):
        return Cause.TLS_EXPIRED
    if any(now < one.not_before for one in facts.chain[1:]):
        return Cause.TLS_NOT_YET_VALID
    return Cause.TLS_UNTRUSTED


def peer_chain(shaken: ssl.SSLObject) -> tuple[str, ...]:
    """The chain that a peer sent, leaf first, as PEM; it was not verified."""
    ask = getattr(shaken, "get_unverified_chain", None)
    if ask is not None:  # public since Python 3.13
        return tuple(ssl.DER_cert_to_PEM_cert(der) for der in ask())
    inner = shaken._sslobj  # type: ignore[attr-defined]  # noqa: SLF001 - the only way before 3.13
    return tuple(certificate.public_bytes() for certificate in inner.get_unverified_chain() or ())


def trust_fault(ca_file: str | None) -> str | None:
    """Why a file of authorities cannot be used, in a few words; None when it can. A missing file says nothing about any server."""
    from OpenSSL import crypto

    if ca_file is None:
        return "this machine has none"
    try:
        _authorities(ca_file, Path(ca_file).stat().st_mtime_ns)
    except OSError as error:
        return error.strerror or type(error).__name__
    except crypto.Error:
        return "it cannot be read" if not _is_readable(ca_file) else "it contains no certificate"
    return None


def _is_readable(path: str) -> bool:
    try:
        with Path(path).open("rb"):
            return True
    except OSError:
        return False


def is_trusted(chain: Sequence[str], host: str, ca_file: str | None) -> bool:
    """Whether OpenSSL finds a way from the leaf to an authority in `ca_file` now, and the leaf names the host."""
    from OpenSSL import crypto

    if not chain or ca_file is None:
        return False
    try:
        leaf, *others = (crypto.load_certificate(crypto.FILETYPE_PEM, pem.encode()) for pem in chain)
        crypto.X509StoreContext(_authorities(ca_file, Path(ca_file).stat().st_mtime_ns), leaf, others).verify_certificate()
    except (crypto.X509StoreContextError, crypto.Error, OSError):
        return False
    certificate = _certificate(chain[0])
    return certificate is not None and covers(certificate.names, host)


def trusted_path(chain: Sequence[str], ca_file: str | None, at: int | None = None) -> "tuple[x509.Certificate, ...]":
    """The way that OpenSSL finds from the leaf to an authority in `ca_file`, both included; empty when there is none.

    It is one of now, or of `at` (epoch ms). What a peer sends may hold more, and what is not on the way says nothing about it.
    """
    from OpenSSL import crypto

    if not chain or ca_file is None:
        return ()
    try:
        leaf, *others = (crypto.load_certificate(crypto.FILETYPE_PEM, pem.encode()) for pem in chain)
        changed = Path(ca_file).stat().st_mtime_ns
        store = _authorities(ca_file, changed) if at is None else _authorities_at(ca_file, changed)
        if at is not None:
            store.set_time(datetime.fromtimestamp(at / 1000, UTC))
        context = crypto.X509StoreContext(store, leaf, others)
        return tuple(one.to_cryptography() for one in context.get_verified_chain())
    except (crypto.X509StoreContextError, crypto.Error, OSError, ValueError, OverflowError):
        return ()


class ChainLimits:
    """Which certificate ends a chain's validity, where that is not the leaf; found once for each chain, as a monitor shows the same one."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], Certificate | None] = {}

    def limit(self, facts: TlsFacts, chain: Sequence[str], ca_file: str | None, *, private: bool) -> Certificate | None:
        """By the ways that OpenSSL finds to an authority in `ca_file`, itself included. None: the leaf ends first, or there is no way.

        An authority that ends says nothing while there is another way around it: so the next one is tried at the instant after its end.
        Unless the authorities are `private`, only what the peer sent can end first: a public root outlives all that it signs, and most
        processes need not read the public ones (8 MB) a second time.
        """
        leaf = facts.chain[0] if facts.chain else None
        if leaf is None or not (private or any(one.not_after < leaf.not_after for one in facts.chain[1:])):
            return None
        try:
            changed = 0 if ca_file is None else Path(ca_file).stat().st_mtime_ns
        except OSError:
            return None
        key = (ca_file or "", str(changed), *(one.sha256 for one in facts.chain))
        if key not in self._known:
            if len(self._known) >= _MAX_PARSED:
                self._known.clear()
            self._known[key] = _limit(leaf, chain, ca_file)
        return self._known[key]


def _limit(leaf: Certificate, chain: Sequence[str], ca_file: str | None) -> Certificate | None:
    at, found = None, None
    for _ in range(_MAX_WAYS):
        first = min(_facts_of(trusted_path(chain, ca_file, at)), key=lambda one: one.not_after, default=None)
        if first is None:
            return found
        if first.not_after >= leaf.not_after:
            return None
        found, at = first, first.not_after + 1_000
    return found


def _facts_of(path: "tuple[x509.Certificate, ...]") -> list[Certificate]:
    from cryptography.hazmat.primitives.serialization import Encoding

    read = (_certificate(one.public_bytes(Encoding.PEM).decode()) for one in path)
    return [one for one in read if one is not None]


@lru_cache(maxsize=2)
def _authorities_at(ca_file: str, changed: int) -> "crypto.X509Store":
    """A store of its own for other instants than now: its clock cannot be taken back."""
    return _authorities.__wrapped__(ca_file, changed)


@lru_cache(maxsize=8)
def _authorities(ca_file: str, _changed: int) -> "crypto.X509Store":
    """Read once: the system's bundle takes 20 ms."""
    from OpenSSL import crypto

    store = crypto.X509Store()
    store.load_locations(ca_file)
    return store
