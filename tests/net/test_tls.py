"""Certificate facts, what is weak about them, which names they cover, and why one was refused."""

import base64
import datetime as dt
import ipaddress
from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from vigie.core.model import Cause, Certificate, TlsFacts
from vigie.net import tls_facts, verify_cause, weakness
from vigie.net.tls import covers

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
NOW_MS = round(NOW.timestamp() * 1000)
DAY = dt.timedelta(days=1)
KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(
    *names: str, days: float = 60, key: Any = KEY, common: str = "shop.example", issuer: str = "Some CA", **more: Any
) -> x509.Certificate:
    """A certificate of these names that ends in so many days. Signed by one key whoever its issuer is said to be."""
    shown = [x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() or ":" in name else x509.DNSName(name) for name in names]
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)] if common else []))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(more.get("begins", NOW - 30 * DAY))
        .not_valid_after(NOW + days * DAY)
    )
    if shown:
        built = built.add_extension(x509.SubjectAlternativeName([*shown, *more.get("odd", [])]), critical=False)
    return built.sign(KEY, more.get("hash", hashes.SHA256()))


def pem(one: x509.Certificate) -> str:
    return one.public_bytes(serialization.Encoding.PEM).decode()


def facts(*chain: x509.Certificate, version: str | None = "TLSv1.3", now: int = NOW_MS) -> TlsFacts:
    return tls_facts(version, [pem(one) for one in chain], now)


def test_a_chain_is_read_leaf_first() -> None:
    found = facts(certificate("shop.example", "192.0.2.1", days=60.5), certificate(common="Some CA", issuer="A Root"))

    assert (found.version, found.subject, found.issuer, found.days_left) == ("TLSv1.3", "shop.example", "Some CA", 60)
    assert found.expires_at == NOW_MS + round(60.5 * 86_400_000)
    leaf, above = found.chain
    assert (leaf.key, leaf.signature, leaf.names) == ("EC 256", "ecdsa-with-SHA256", ("shop.example", "192.0.2.1"))
    assert len(leaf.sha256) == 64
    assert (above.subject, above.issuer, above.names) == ("Some CA", "A Root", ())


@pytest.mark.parametrize(("days", "left"), [(1.5, 1), (0.5, 0), (-0.5, -1), (-3, -3), (-3.1, -4)])
def test_days_left_are_whole_ones_towards_the_end(days: float, left: int) -> None:
    assert facts(certificate("shop.example", days=days)).days_left == left


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
        (dsa.generate_private_key(1024), "DSA"),
        (ec.generate_private_key(ec.SECP384R1()), "EC 384"),
    ],
)
def test_every_kind_of_key_has_a_name(key: Any, said: str) -> None:
    assert facts(certificate("shop.example", key=key)).chain[0].key == said


# What a peer may send instead of a certificate


BROKEN = "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n"
P256, PRIME239 = bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d030106")  # the latter is read by nobody any more


def with_other_key(one: x509.Certificate) -> str:
    """The certificate with a key on a curve that is not known; its signature fits no more, as nobody looks at it here."""
    der = one.public_bytes(serialization.Encoding.DER)
    assert der.count(P256) == 1
    return f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(der.replace(P256, PRIME239)).decode()}-----END CERTIFICATE-----\n"


def test_a_key_that_nobody_knows_leaves_the_dates_readable() -> None:
    found = tls_facts("TLSv1.2", [with_other_key(certificate("shop.example"))], NOW_MS)

    assert (found.subject, found.days_left, found.chain[0].key) == ("shop.example", 60, "unknown")
    assert weakness(found) is None


@pytest.mark.parametrize("junk", [BROKEN, "", "garbage", "-----BEGIN CERTIFICATE-----\n" + "A" * 100_000 + "\n-----END CERTIFICATE-----\n"])
def test_junk_in_a_chain_is_left_out_and_is_never_the_leaf(junk: str) -> None:
    good, issuer = pem(certificate("shop.example")), pem(certificate(common="Some CA", days=2))

    assert [one.subject for one in tls_facts(None, [good, junk, issuer], NOW_MS).chain] == ["shop.example", "Some CA"]
    assert tls_facts("TLSv1.3", [junk, issuer], NOW_MS) == TlsFacts("TLSv1.3")
    assert tls_facts(None, [], NOW_MS) == TlsFacts(None)


def test_odd_alternative_names_hide_no_date() -> None:
    odd = [
        x509.UniformResourceIdentifier("https://shop.example"),
        x509.RFC822Name("ann@shop.example"),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
    ]
    found = facts(certificate("shop.example", odd=odd))

    assert (found.days_left, found.chain[0].names) == (60, ("shop.example",))


def test_an_alternative_name_of_an_unknown_kind_hides_no_date() -> None:
    """An x400Address (tag 3): read by nobody, sent by anybody."""
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), bytes.fromhex("3006a30430020500"))
    built = certificate()
    again = (
        x509.CertificateBuilder()
        .subject_name(built.subject)
        .issuer_name(built.issuer)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + 9 * DAY)
        .add_extension(unknown, critical=False)
        .sign(KEY, hashes.SHA256())
    )
    found = facts(again)

    assert (found.days_left, found.chain[0].names) == (9, ())


def test_a_long_chain_is_cut() -> None:
    assert len(facts(*[certificate(common=f"CA {number}") for number in range(20)]).chain) == 8


def test_a_certificate_without_a_name_still_has_one() -> None:
    assert facts(certificate("shop.example", common="")).subject == ""


# What is weak


def like(**changes: str) -> TlsFacts:
    """Facts of a certificate that differs in this from a good one."""
    leaf = Certificate("shop.example", "Some CA", 0, 0, "EC 256", "ecdsa-with-SHA256", ("shop.example",))
    version = changes.pop("version", "TLSv1.3")
    leaf = replace(leaf, **changes)  # type: ignore[arg-type]
    return TlsFacts(version, leaf.issuer, leaf.subject, 0, 60, (leaf,))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (like(), None),
        (like(version="TLSv1.2"), None),
        (like(version="TLSv1.1"), "TLSv1.1 is obsolete"),
        (like(version="TLSv1"), "TLSv1 is obsolete"),
        (like(version="SSLv3"), "SSLv3 is obsolete"),
        (like(key="RSA 2048"), None),
        (like(key="RSA 1024"), "the key is short (RSA 1024)"),
        (like(key="EC 192"), "the key is short (EC 192)"),
        (like(key="EC 224"), None),
        (like(key="Ed25519"), None),
        (like(key="unknown"), None),
        (like(signature="sha1WithRSAEncryption"), "the signature is weak (sha1WithRSAEncryption)"),
        (like(signature="md5WithRSAEncryption"), "the signature is weak (md5WithRSAEncryption)"),
        (like(signature="sha1WithRSAEncryption", issuer="shop.example"), None),  # nobody relies on the signature of one who signs himself
        (TlsFacts("TLSv1.3"), None),
        (TlsFacts(None), None),
    ],
)
def test_what_is_weak(found: TlsFacts, words: str | None) -> None:
    assert weakness(found) == words


@pytest.mark.parametrize(
    ("key", "weak"), [(rsa.generate_private_key(65537, 1024), True), (rsa.generate_private_key(65537, 2048), False), (KEY, False)]
)
def test_a_real_short_key_is_weak(key: Any, weak: bool) -> None:
    assert bool(weakness(facts(certificate("shop.example", key=key)))) is weak


# Names


@pytest.mark.parametrize(
    ("names", "host", "covered"),
    [
        (["shop.example"], "shop.example", True),
        (["SHOP.example"], "Shop.Example.", True),
        (["shop.example"], "www.shop.example", False),
        (["*.shop.example"], "www.shop.example", True),
        (["*.shop.example"], "shop.example", False),
        (["*.shop.example"], "a.b.shop.example", False),
        (["*.shop.example"], ".shop.example", False),
        (["*"], "shop", False),
        (["w*.shop.example"], "www.shop.example", False),
        (["192.0.2.1"], "192.0.2.1", True),
        (["192.0.2.1"], "192.0.2.10", False),
        (["*.0.2.1"], "192.0.2.1", False),
        (["2001:db8::1"], "[2001:DB8:0::1]", True),
        (["xn--bcher-kva.example"], "xn--bcher-kva.example", True),
        (["a.example", "b.example"], "b.example", True),
        ([], "shop.example", False),
    ],
)
def test_which_hosts_a_certificate_covers(names: list[str], host: str, covered: bool) -> None:
    assert covers(names, host) is covered


GOOD, ROOT = certificate("shop.example"), certificate(common="Some CA", issuer="Some CA", days=900)


@pytest.mark.parametrize(
    ("chain", "cause"),
    [
        ([certificate("shop.example", days=-1), ROOT], Cause.TLS_EXPIRED),
        ([certificate("shop.example", begins=NOW + DAY), ROOT], Cause.TLS_NOT_YET_VALID),
        ([certificate("other.example"), ROOT], Cause.TLS_HOSTNAME),
        ([certificate("192.0.2.1"), ROOT], Cause.TLS_HOSTNAME),
        ([certificate(common="other.example")], Cause.TLS_HOSTNAME),
        ([certificate(common="shop.example")], Cause.TLS_HOSTNAME),
        ([GOOD, certificate(common="Some CA", begins=NOW + DAY)], Cause.TLS_NOT_YET_VALID),
        ([GOOD, certificate(common="Some CA", days=-1)], Cause.TLS_EXPIRED),
        ([GOOD], Cause.TLS_UNTRUSTED),
        ([GOOD, ROOT], Cause.TLS_UNTRUSTED),
        ([certificate("other.example", days=-1)], Cause.TLS_EXPIRED),
        ([], Cause.TLS_UNTRUSTED),
    ],
)
def test_why_a_certificate_was_refused(chain: list[x509.Certificate], cause: Cause) -> None:
    assert verify_cause(facts(*chain), "shop.example", NOW_MS) is cause
