"""Chains that OpenSSL still takes and browsers do not, made by hand where no library makes them any more."""

import datetime as dt
import hashlib
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HERE: tuple[x509.GeneralName, ...] = (
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.DNSName("localhost"),
    x509.DNSName("shop.test"),
    x509.DNSName("www.shop.test"),
)
_SHA256, _SHA1, _MD5 = (bytes.fromhex(f"2a864886f70d0101{last}") for last in ("0b", "05", "04"))
# DigestInfo of RFC 8017 §9.2 up to the digest.
_HASHES = {
    _SHA1: (hashlib.sha1, bytes.fromhex("3021300906052b0e03021a05000414")),
    _MD5: (hashlib.md5, bytes.fromhex("3020300c06082a864886f70d020505000410")),
}
OLD_HASHES = {"sha1": _SHA1, "md5": _MD5}
_KEYS = [rsa.generate_private_key(65537, 2048) for _ in range(3)]  # of a root, an authority below it and a server: slow to make


@dataclass
class Link:
    """A certificate with its key, and who issued it."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    issuer: "Link | None" = None

    @property
    def shown(self) -> list[x509.Certificate]:
        """What a server sends: this one and those above it, the root left out."""
        return [self.certificate, *(self.issuer.shown if self.issuer is not None and self.issuer.issuer is not None else [])]


def link(
    common: str,
    issuer: Link | None = None,
    *,
    key: rsa.RSAPrivateKey | None = None,
    authority: bool = False,
    names: Sequence[x509.GeneralName] | None = HERE,
    hashed: str = "sha256",
    begins: float = -30,
    ends: float = 60,
    more: Sequence[x509.ExtensionType] = (),
) -> Link:
    """A certificate; its times are days from now."""
    own = key or _KEYS[2 if not authority else 0 if issuer is None else 1]
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)]), dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=begins))
        .not_valid_after(now + dt.timedelta(days=ends))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    for extension in (*more, *([x509.SubjectAlternativeName(names)] if names and not authority else [])):
        builder = builder.add_extension(extension, critical=False)
    signer = issuer.key if issuer else own
    made = builder.sign(signer, hashes.SHA256())
    return Link(made if hashed == "sha256" else _signed_with(OLD_HASHES[hashed], made, signer), own, issuer)


def _signed_with(old: bytes, good: x509.Certificate, signer: rsa.RSAPrivateKey) -> x509.Certificate:
    """The certificate signed with an old hash (RFC 8017 §8.2.1): another identifier of the same length, and a signature made by hand."""
    make, prefix = _HASHES[old]
    digest = prefix + make(good.tbs_certificate_bytes.replace(_SHA256, old)).digest()
    size = signer.key_size // 8
    padded = b"\0\1" + b"\xff" * (size - 3 - len(digest)) + b"\0" + digest
    numbers = signer.private_numbers()
    signature = pow(int.from_bytes(padded), numbers.d, numbers.public_numbers.n).to_bytes(size)
    return x509.load_der_x509_certificate(good.public_bytes(Encoding.DER).replace(_SHA256, old)[:-size] + signature)


def serve_as(leaf: Link, folder: Path, *extra: Link, **options: Any) -> tuple[ssl.SSLContext, Path]:
    """A server's context that shows a leaf and its chain (and `extra` certificates), and the file of its root. `options` are attributes."""
    root = leaf
    while root.issuer is not None:
        root = root.issuer
    pem, secret, ca = folder / "chain.pem", folder / "key.pem", folder / "root.pem"
    pem.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in (*leaf.shown, *(one.certificate for one in extra))))
    secret.write_bytes(leaf.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    ca.write_bytes(root.certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(options.pop("ciphers", "ALL:@SECLEVEL=0"))
    for name, value in options.items():
        setattr(context, name, value)
    context.load_cert_chain(pem, secret)
    return context, ca
