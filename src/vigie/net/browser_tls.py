"""What every current browser refuses of a TLS connection that was made all the same (docs/decisions/0034).

OpenSSL is told to take old versions and weak signatures, so that the facts of the certificate can be read; they are judged here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from vigie.core.model import Cause, TlsFacts
from vigie.net.tls import OLD_VERSIONS, covers, trusted_path

if TYPE_CHECKING:
    from cryptography import x509

_REFUSED_HASHES = ("md2", "md4", "md5", "sha1")
_RSA_REFUSED = 1024  # fewer bits; what has 1024 to 2047 is still taken by Chrome and Firefox
_MAX_PARSED = 2_048


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why browsers refuse it: the cause, the sentence, what is obsolete in a few words (empty: nothing is), and what to do."""

    cause: Cause
    message: str
    weakness: str
    fix: str


def refusal(facts: TlsFacts, chain: Sequence[str], host: str, ca_file: str | None) -> Refusal | None:
    """Why browsers refuse a connection whose chain (PEM, leaf first) leads to an authority in `ca_file`; None where they take it."""
    if facts.version in OLD_VERSIONS:
        words = f"{facts.version} at most"
        return Refusal(
            Cause.TLS_HANDSHAKE,
            f"the server speaks {facts.version} at most, which browsers refuse",
            words,
            "Enable TLS 1.2 and 1.3 on the server.",
        )
    if not facts.chain:
        return None
    if found := misnamed(facts, host):
        return found
    traits = [_traits(pem) for pem in chain]
    if traits and not traits[0].serves:
        words = "the certificate is not meant for servers"
        return Refusal(Cause.TLS_UNTRUSTED, words, "extended key usage", "Have the certificate issued for servers (serverAuth).")
    if not any(one.weakness for one in traits):
        return None
    for at, certificate in enumerate(trusted_path(chain, ca_file)[:-1]):  # what the last one says of itself is not asked
        if weak := _weakness(certificate):
            whose = "the certificate" if at == 0 else "an authority of the certificate's chain"
            fix = "Have the certificate issued anew, signed with SHA-256 and with a key of RSA 2048 or P-256."
            return Refusal(Cause.TLS_UNTRUSTED, f"{whose} is refused by browsers: {weak}", weak, fix)
    return None


def misnamed(facts: TlsFacts, host: str) -> Refusal | None:
    """Why a certificate, of which there is one, is not for a host."""
    leaf = facts.chain[0]
    if covers(leaf.names, host):
        return None
    if not leaf.names and covers((leaf.subject,), host):
        words = f"the certificate names {host} in its common name only, which browsers do not read"
        return Refusal(Cause.TLS_HOSTNAME, words, "no subjectAltName", "Have the certificate issued anew with a subjectAltName.")
    words = f"the certificate is for another name than {host}"
    return Refusal(Cause.TLS_HOSTNAME, words, "", "Serve a certificate that names this host.")


@dataclass(frozen=True, slots=True)
class _Traits:
    """What of a certificate matters here, whether or not it is on the way to an authority."""

    weakness: str = ""
    serves: bool = True


@lru_cache(maxsize=_MAX_PARSED)
def _traits(pem: str) -> _Traits:
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(pem.encode())
        return _Traits(_weakness(found), _for_servers(found))
    except (ValueError, TypeError, x509.InvalidVersion):
        return _Traits()


def _weakness(certificate: "x509.Certificate") -> str:
    """A signature or key that browsers refuse, in words; empty without any."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        hashed, key = certificate.signature_hash_algorithm, certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return ""
    if hashed is not None and hashed.name in _REFUSED_HASHES:
        return f"it is signed with {hashed.name.upper().replace('SHA1', 'SHA-1')}"
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _RSA_REFUSED:
        return f"its key has {key.key_size} bits (RSA)"
    return ""


def _for_servers(certificate: "x509.Certificate") -> bool:
    """Whether the certificate's purposes, where it names any, hold that of a server (RFC 5280 §4.2.1.12)."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    try:
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return True
    return ExtendedKeyUsageOID.SERVER_AUTH in uses or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in uses
