"""What ends a chain's validity, for every kind that speaks TLS: the way to an authority that is found, and nothing that lies beside it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.probes._authority import Holder, issue

from vigie import plugins
from vigie.core.model import Cause, CheckResult, ExpiryKind, Status
from vigie.net import system_ca_file
from vigie.probes.kit.deps import ProbeDeps, configured
from vigie.probes.kit.http import libcurl_binding
from vigie.testing.servers import serving

Deps = Callable[[], ProbeDeps]
DAY_MS = 86_400_000
PAGE = b"<html><head><title>Shop</title></head><body><main><h1>Shop</h1><p>Everything for the garden.</p></main></body></html>"


def again(holder: Holder, by: Holder | None = None, days: float = 60) -> Holder:
    """Another certificate of the same name and key: cross-signed, or signed by itself."""
    other = issue("x", by, authority=True, days=days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(holder.certificate.subject)
        .issuer_name(by.certificate.subject if by else holder.certificate.subject)
        .public_key(holder.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(other.certificate.not_valid_before_utc)
        .not_valid_after(other.certificate.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    signer = by.key if by else holder.key
    return Holder(builder.sign(signer, hashes.SHA256()), holder.key, by)


class Place:
    """A server that shows these certificates, and a file of authorities."""

    def __init__(self, folder: Path, shown: Sequence[Holder], roots: Sequence[Holder]) -> None:
        pem, key, self.ca_file = folder / "chain.pem", folder / "key.pem", str(folder / "ca.pem")
        pem.write_bytes(b"".join(one.certificate.public_bytes(Encoding.PEM) for one in shown))
        key.write_bytes(shown[0].key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        Path(self.ca_file).write_bytes(b"".join(one.certificate.public_bytes(Encoding.PEM) for one in roots))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem, key)


async def _speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """HTTP for who asks so, Redis for who pings, silence else."""
    said = await reader.read(4_096)
    if said.startswith(b"GET"):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(PAGE) + PAGE)
    elif b"PING" in said:
        writer.write(b"+PONG\r\n")
    await writer.drain()
    await reader.read()


KINDS: dict[str, dict[str, Any]] = {
    "http": {"url": "https://127.0.0.1:{port}/"},
    "steps": {"steps": [{"url": "https://127.0.0.1:{port}/"}]},
    "tls": {"host": "127.0.0.1", "port": "{port}"},
    "tcp": {"host": "127.0.0.1", "port": "{port}", "tls": True},
    "redis": {"host": "127.0.0.1", "port": "{port}", "tls": "implicit"},
}


def _filled(value: Any, port: int, ca_file: str) -> Any:
    if isinstance(value, dict):
        found = {key: _filled(one, port, ca_file) for key, one in value.items()}
        return found | {"ca_file": ca_file} if {"url", "host"} & found.keys() else found
    if isinstance(value, list):
        return [_filled(one, port, ca_file) for one in value]
    return port if value == "{port}" else value.format(port=port) if isinstance(value, str) else value


@contextlib.asynccontextmanager
async def standing(place: Place) -> AsyncIterator[int]:
    async with serving(_speak, place.context) as port:
        yield port


async def look(deps: ProbeDeps, place: Place, kind: str = "tls", **keys: Any) -> CheckResult:
    module = plugins.load("probes", kind)
    async with standing(place) as port:
        options = _filled(KINDS[kind], port, place.ca_file) | keys
        return await module.build(configured(module.Config, options), deps).check(5_000)  # type: ignore[no-any-return]


@pytest.fixture
def deps(make_deps: Deps) -> ProbeDeps:
    return make_deps()


@pytest.mark.parametrize("kind", KINDS)
async def test_an_intermediate_that_ends_is_seen_by_every_kind(deps: ProbeDeps, tmp_path: Path, kind: str) -> None:
    root = issue("Root", authority=True, days=900)
    between = issue("R3", root, authority=True, days=6)
    leaf = issue("shop.test", between)
    result = await look(deps, Place(tmp_path, [leaf, between], [root]), kind)

    assert (result.status, result.cause) == (Status.DEGRADED, Cause.TLS_EXPIRING), result
    assert (result.figures["authority"], result.figures["days_left"]) == ("R3", 6)
    assert result.tls is not None
    assert (result.tls.days_left, result.tls.limit and result.tls.limit.subject) == (60, "R3")
    (expiry,) = result.expiries
    assert (expiry.kind, expiry.name, expiry.place) == (ExpiryKind.AUTHORITY, "R3", "127.0.0.1")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_good_chain_is_up_and_says_when_it_ends(deps: ProbeDeps, tmp_path: Path, kind: str) -> None:
    root = issue("Root", authority=True, days=900)
    between = issue("R3", root, authority=True, days=300)
    result = await look(deps, Place(tmp_path, [issue("shop.test", between), between], [root]), kind)

    assert result.status is Status.UP, result
    (expiry,) = result.expiries
    assert (expiry.kind, expiry.name, expiry.short_lived) == (ExpiryKind.CERTIFICATE, "shop.test", False)


@pytest.mark.parametrize("boring", [True, False])
async def test_both_libraries_beneath_http_give_the_chain(
    deps: ProbeDeps, tmp_path: Path, boring: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not boring:
        monkeypatch.setattr(libcurl_binding, "library", lambda: None)
    root = issue("Root", authority=True, days=900)
    between = issue("R3", root, authority=True, days=6)
    result = await look(deps, Place(tmp_path, [issue("shop.test", between), between], [root]), "http")
    assert result.figures.get("authority") == "R3", result


async def test_what_is_sent_beside_the_way_says_nothing(deps: ProbeDeps, tmp_path: Path) -> None:
    """As Let's Encrypt's chain of 2021: a cross-signed root that has expired, while the root itself is trusted."""
    old, root = issue("Old", authority=True, days=-1), issue("X1", authority=True, days=900)
    crossed, between = again(root, old, days=-1), issue("R3", root, authority=True, days=300)
    leaf = issue("shop.test", between)
    result = await look(deps, Place(tmp_path, [leaf, between, crossed], [root]))
    assert (result.status, result.tls and result.tls.limit) == (Status.UP, None), result


async def test_an_authority_that_ends_says_nothing_while_there_is_another_way(deps: ProbeDeps, tmp_path: Path) -> None:
    first, second = issue("First", authority=True, days=900), issue("Second", authority=True, days=900)
    between = issue("R3", first, authority=True, days=5)
    crossed = again(between, second, days=300)
    leaf = issue("shop.test", between)
    for shown in ([leaf, between, crossed], [leaf, crossed, between]):
        result = await look(deps, Place(tmp_path, shown, [first, second]))
        assert (result.status, result.tls and result.tls.limit) == (Status.UP, None), result


async def test_a_trusted_root_that_ends_is_told_before_all_clients_refuse_it(deps: ProbeDeps, tmp_path: Path) -> None:
    root = issue("House CA", authority=True, days=5)
    between = issue("R3", root, authority=True, days=300)
    result = await look(deps, Place(tmp_path, [issue("shop.test", between), between], [root]))
    assert (result.cause, result.figures["authority"]) == (Cause.TLS_EXPIRING, "House CA")


async def test_a_short_life_is_warned_of_at_its_third(deps: ProbeDeps, tmp_path: Path) -> None:
    """The throwaway authority's certificates began thirty days ago: a third of 46 days is 15.3, a third of 44 is 14.7."""
    root = issue("Root", authority=True, days=900)
    early = await look(deps, Place(tmp_path, [issue("shop.test", root, days=16)], [root]), tls_days=30)
    late = await look(deps, Place(tmp_path, [issue("shop.test", root, days=14)], [root]), tls_days=30)
    assert (early.status, late.status) == (Status.UP, Status.DEGRADED)
    assert late.message == "the certificate has 14 days left, fewer than 30"
    assert [one.short_lived for one in (*early.expiries, *late.expiries)] == [True, True]


async def test_the_system_s_authorities_serve_where_none_are_named(deps: ProbeDeps, tmp_path: Path) -> None:
    root = issue("Root", authority=True, days=900)
    place = Place(tmp_path, [issue("shop.test", root)], [root])
    async with standing(place) as port:
        module = plugins.load("probes", "tls")
        result = await module.build(configured(module.Config, {"host": "127.0.0.1", "port": port}), deps).check(5_000)
    assert system_ca_file() is not None
    assert result.cause is Cause.TLS_UNTRUSTED


async def test_among_the_usual_authorities_what_was_sent_counts(make_deps: Deps, tmp_path: Path) -> None:
    root, ending = issue("Root", authority=True, days=900), issue("Old Root", authority=True, days=5)
    between, other = issue("R3", root, authority=True, days=6), issue("R4", ending, authority=True, days=300)
    module, found = plugins.load("probes", "tls"), []
    for leaf, issuer in ((issue("shop.test", between), between), (issue("shop.test", other), other)):
        place = Place(tmp_path, [leaf, issuer], [root, ending])
        deps = make_deps()
        deps.ca_file = place.ca_file
        async with standing(place) as port:
            found.append(await module.build(configured(module.Config, {"host": "127.0.0.1", "port": port}), deps).check(5_000))
    assert [one.figures.get("authority") for one in found] == ["R3", None]
