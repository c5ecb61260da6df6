"""A throwaway authority with an intermediate, whose certificates name an OCSP responder and a revocation list on loopback."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

DAY = dt.timedelta(days=1)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def named(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test's House"), x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass
class Holder:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    issuer: "Holder | None" = None

    @property
    def chain(self) -> list[x509.Certificate]:
        """This one and those above it, the root left out."""
        return [self.certificate, *(self.issuer.chain if self.issuer is not None and self.issuer.issuer is not None else [])]


def issue(
    common: str,
    issuer: Holder | None = None,
    *,
    authority: bool = False,
    days: float = 60,
    ocsp_url: str | None = None,
    crl_url: str | None = None,
    uses: tuple[x509.ObjectIdentifier, ...] = (),
    rsa_bits: int | None = None,
) -> Holder:
    key = rsa.generate_private_key(65537, rsa_bits) if rsa_bits else ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(common))
        .issuer_name(issuer.certificate.subject if issuer else named(common))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - 30 * DAY)
        .not_valid_after(now() + days * DAY + dt.timedelta(minutes=5))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        addresses = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost"), x509.DNSName("shop.test")]
        builder = builder.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
    if uses:
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    if ocsp_url:
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp_url))
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    if crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return Holder(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key, issuer)


def context_of(holder: Holder, folder: Path) -> ssl.SSLContext:
    """A server that shows the chain."""
    pem, secret = folder / f"{id(holder)}.pem", folder / f"{id(holder)}.key"
    pem.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in holder.chain))
    secret.write_bytes(holder.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.load_cert_chain(pem, secret)
    return context


@dataclass
class House:
    """What an authority tells: which serials it took back, and how it answers. `asked` counts requests by kind."""

    issuer: Holder
    revoked: dict[int, x509.ReasonFlags] = field(default_factory=dict)
    signer: Holder | None = None  # who signs instead of the issuer
    updated: dt.timedelta = dt.timedelta(hours=-1)
    lasts: dt.timedelta = 2 * DAY
    change: Callable[[bytes], bytes | None] = lambda body: body  # None: silence
    scope: x509.IssuingDistributionPoint | None = None
    asked: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Both services over HTTP: POST is OCSP, GET is the list."""
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"POST"):
            length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
            self.asked.append("ocsp")
            body = self.ocsp(await reader.readexactly(length))
        else:
            self.asked.append("list")
            body = self.list()
        changed = self.change(body)
        if changed is None:
            await reader.read()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(changed) + changed)
        await writer.drain()

    def ocsp(self, request: bytes) -> bytes:
        asked = ocsp.load_der_ocsp_request(request)
        reason = self.revoked.get(asked.serial_number)
        signer = self.signer or self.issuer
        response = (
            ocsp.OCSPResponseBuilder()
            .add_response_by_hash(
                issuer_name_hash=asked.issuer_name_hash,
                issuer_key_hash=asked.issuer_key_hash,
                serial_number=asked.serial_number,
                algorithm=hashes.SHA1(),
                cert_status=ocsp.OCSPCertStatus.GOOD if reason is None else ocsp.OCSPCertStatus.REVOKED,
                this_update=now() + self.updated,
                next_update=now() + self.updated + self.lasts,
                revocation_time=None if reason is None else now() - 12 * DAY - dt.timedelta(minutes=1),
                revocation_reason=reason,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
        )
        if self.signer is not None:
            response = response.certificates([self.signer.certificate])
        return response.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def list(self) -> bytes:
        signer = self.signer or self.issuer
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.issuer.certificate.subject)
            .last_update(now() + self.updated)
            .next_update(now() + self.updated + self.lasts)
        )
        for serial, reason in self.revoked.items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now() - 12 * DAY - dt.timedelta(minutes=1))
            builder = builder.add_revoked_certificate(entry.add_extension(x509.CRLReason(reason), critical=False).build())
        if self.scope is not None:
            builder = builder.add_extension(self.scope, critical=True)
        return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)


OCSP_SIGNING = (ExtendedKeyUsageOID.OCSP_SIGNING,)
CLIENT_ONLY = (ExtendedKeyUsageOID.CLIENT_AUTH,)
