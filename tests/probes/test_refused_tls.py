"""What every current browser refuses is down, by the same cause in every kind that does TLS; what it only frowns at is degraded."""

import ipaddress
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.probes._refused import HERE, Link, link, serve_as

from vigie.core.model import Cause, CheckResult, Status
from vigie.testing.dns_server import DnsServer, Says
from vigie.testing.servers import page, serving

Look = Callable[..., Awaitable[CheckResult]]
KINDS: dict[str, Callable[[str, int], dict[str, Any]]] = {
    "http": lambda host, port: {"url": f"https://{host}:{port}/"},
    "http by OpenSSL": lambda host, port: {"url": f"https://{host}:{port}/", "method": "POST"},
    "websocket": lambda host, port: {"url": f"wss://{host}:{port}/"},
    "tls": lambda host, port: {"host": host, "port": port, "revocation": "off"},
    "tcp": lambda host, port: {"host": host, "port": port, "tls": True},
    "redis": lambda host, port: {"host": host, "port": port, "tls": "implicit"},
    "imap": lambda host, port: {"host": host, "port": port, "tls": "implicit"},
    "grpc": lambda host, port: {"host": host, "port": port, "tls": "implicit"},
}
FFDHE2048 = """-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
"""  # RFC 7919 §A.1
HOSTNAME, UNTRUSTED, HANDSHAKE = Cause.TLS_HOSTNAME, Cause.TLS_UNTRUSTED, Cause.TLS_HANDSHAKE


def uses(*which: x509.ObjectIdentifier) -> dict[str, Any]:
    return {"more": [x509.ExtendedKeyUsage(which)]}


def elsewhere() -> Link:
    permitted = x509.NameConstraints([x509.DNSName("other.example")], [x509.IPAddress(ipaddress.ip_network("0.0.0.0/0"))])
    return link("Between", link("Root", authority=True), authority=True, more=[permitted])


def chain(leaf: dict[str, Any] | None = None, between: dict[str, Any] | None = None, root: dict[str, Any] | None = None) -> Link:
    """A server's certificate below an authority below a root."""
    above = link("Between", link("Root", authority=True, **(root or {})), authority=True, **(between or {}))
    return link(**{"common": "127.0.0.1", "issuer": above, **(leaf or {})})


async def checked(look_at: Look, kind: str, leaf: Link, folder: Path, host: str = "127.0.0.1", *extra: Link, **options: Any) -> CheckResult:
    """One check of a server with this certificate, under this name."""
    values = {"insecure": options.pop("insecure", False)}
    context, ca_file = serve_as(leaf, folder, *extra, **options)
    async with DnsServer({"*": Says("A 127.0.0.1")}) as resolver, serving(page(b"hello"), context) as port:
        where = {} if host == "127.0.0.1" else {"resolver": resolver.address}
        return await look_at(kind.partition(" ")[0], **KINDS[kind](host, port), ca_file=str(ca_file), **where, **values)


REFUSED: list[tuple[str, Callable[[], Link], str, Cause, str]] = [
    ("a name in the common name only", lambda: chain({"names": None}), "127.0.0.1", HOSTNAME, "in its common name only"),
    (
        "a host in the common name only",
        lambda: chain({"common": "shop.test", "names": None}),
        "shop.test",
        HOSTNAME,
        "in its common name only",
    ),
    (
        "other kinds of names",
        lambda: chain({"common": "shop.test", "names": [x509.RFC822Name("a@shop.test")]}),
        "shop.test",
        HOSTNAME,
        "common name only",
    ),
    (
        "an address among the DNS names",
        lambda: chain({"names": [x509.DNSName("127.0.0.1")]}),
        "127.0.0.1",
        HOSTNAME,
        "in its common name only",
    ),
    ("another name", lambda: chain({"names": [x509.DNSName("other.test")]}), "shop.test", HOSTNAME, "for another name than shop.test"),
    ("a wildcard of a whole top level", lambda: chain({"names": [x509.DNSName("*.test")]}), "shop.test", HOSTNAME, "for another name"),
    ("a wildcard of everything", lambda: chain({"names": [x509.DNSName("*")]}), "shop.test", HOSTNAME, "for another name"),
    ("a wildcard inside a label", lambda: chain({"names": [x509.DNSName("w*.shop.test")]}), "www.shop.test", HOSTNAME, "for another name"),
    ("a wildcard further right", lambda: chain({"names": [x509.DNSName("www.*.test")]}), "www.shop.test", HOSTNAME, "for another name"),
    ("a wildcard for two labels", lambda: chain({"names": [x509.DNSName("*.shop.test")]}), "a.b.shop.test", HOSTNAME, "for another name"),
    (
        "a leaf with SHA-1",
        lambda: chain({"hashed": "sha1"}),
        "127.0.0.1",
        UNTRUSTED,
        "the certificate is refused by browsers: it is signed with SHA-1",
    ),
    (
        "an authority with SHA-1",
        lambda: chain(between={"hashed": "sha1"}),
        "127.0.0.1",
        UNTRUSTED,
        "an authority of the certificate's chain is refused",
    ),
    ("a leaf with MD5", lambda: chain({"hashed": "md5"}), "127.0.0.1", UNTRUSTED, ""),
    ("a certificate for clients", lambda: chain(uses(ExtendedKeyUsageOID.CLIENT_AUTH)), "127.0.0.1", UNTRUSTED, "not meant for servers"),
    ("an authority for other names", lambda: link("127.0.0.1", elsewhere()), "127.0.0.1", UNTRUSTED, ""),
    ("an authority that has ended", lambda: chain(between={"ends": -1}), "127.0.0.1", Cause.TLS_EXPIRED, "the chain has expired"),
    ("an authority yet to begin", lambda: chain(between={"begins": 1}), "127.0.0.1", Cause.TLS_NOT_YET_VALID, "not valid yet"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("make", "host", "cause", "words"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
async def test_refused(kind: str, make: Callable[[], Link], host: str, cause: Cause, words: str, look_at: Look, tmp_path: Path) -> None:
    result = await checked(look_at, kind, make(), tmp_path, host)

    assert (result.status, result.cause) == (Status.DOWN, cause), result.message
    assert words in result.message
    assert result.tls is not None
    assert result.tls.chain, "the facts are told"
    assert result.advice


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_an_old_version_alone_is_refused(kind: str, version: str, look_at: Look, tmp_path: Path) -> None:
    result = await checked(look_at, kind, chain(), tmp_path, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion[version])

    assert (result.status, result.cause) == (Status.DOWN, HANDSHAKE), result.message
    shown = version.replace("_", ".")
    assert result.message == f"the server speaks {shown} at most, which browsers refuse"
    assert result.tls is not None
    assert result.tls.version == shown
    assert result.advice == ("Enable TLS 1.2 and 1.3 on the server.",)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_a_server_that_falls_back_to_an_old_version_is_seen_at_once(make_deps: Callable[[], Any], tmp_path: Path) -> None:
    """Its version is asked once an hour; what is no longer spoken must not wait for that."""
    from vigie.probes.http import Config, build

    leaf = chain()
    new, ca_file = serve_as(leaf, tmp_path)
    old, _ = serve_as(leaf, tmp_path, maximum_version=ssl.TLSVersion.TLSv1_1, minimum_version=ssl.TLSVersion.TLSv1)
    for method in ("GET", "POST"):
        deps = make_deps()
        async with serving(page(b"hello"), new) as port:
            probe = build(Config(url=f"https://127.0.0.1:{port}/", ca_file=str(ca_file), method=method), deps)
            first = await probe.check(2_000)
        async with serving(page(b"hello"), old, port=port):
            second = await probe.check(2_000)
        async with serving(page(b"hello"), new, port=port):
            third = await probe.check(2_000)
        deps.close()

        assert [one.cause for one in (first, second, third)] == [None, HANDSHAKE, None], second.message


@pytest.mark.parametrize(("kind", "cause"), [("http", HANDSHAKE), ("http by OpenSSL", HANDSHAKE), ("tls", None), ("tcp", None)])
async def test_ciphers_that_no_browser_has_are_a_matter_of_browsers(kind: str, cause: Cause | None, look_at: Look, tmp_path: Path) -> None:
    """Mail servers and databases may well have DHE alone: OpenSSL's clients take it."""
    (tmp_path / "dh.pem").write_text(FFDHE2048)
    leaf, options = chain(), {"ciphers": "DHE+AESGCM:@SECLEVEL=0", "maximum_version": ssl.TLSVersion.TLSv1_2}
    context, ca_file = serve_as(leaf, tmp_path, **options)
    context.load_dh_params(str(tmp_path / "dh.pem"))
    async with serving(page(b"hello"), context) as port:
        result = await look_at(kind.partition(" ")[0], **KINDS[kind]("127.0.0.1", port), ca_file=str(ca_file))

    assert result.cause is cause, result.message


TAKEN: list[tuple[str, Callable[[], Link], str]] = [
    ("an ordinary one", chain, "127.0.0.1"),
    ("a root that signed itself with SHA-1", lambda: chain(root={"hashed": "sha1"}), "127.0.0.1"),
    ("a wildcard of a domain", lambda: chain({"names": [x509.DNSName("*.shop.test")]}), "www.shop.test"),
    ("a wildcard in capitals", lambda: chain({"names": [x509.DNSName("*.SHOP.test")]}), "www.shop.test"),
    ("servers and clients", lambda: chain(uses(ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)), "127.0.0.1"),
    ("ten years", lambda: chain({"ends": 3_650}), "127.0.0.1"),
    (
        "one that signed itself",
        lambda: link("127.0.0.1", authority=True, names=HERE, more=[x509.SubjectAlternativeName(HERE)]),
        "127.0.0.1",
    ),
]


@pytest.mark.parametrize("kind", ["http", "http by OpenSSL", "tls", "tcp"])
@pytest.mark.parametrize(("make", "host"), [one[1:] for one in TAKEN], ids=[one[0] for one in TAKEN])
async def test_taken(kind: str, make: Callable[[], Link], host: str, look_at: Look, tmp_path: Path) -> None:
    result = await checked(look_at, kind, make(), tmp_path, host)

    assert result.status is Status.UP, result.message


@pytest.mark.parametrize("kind", ["http", "http by OpenSSL", "tls"])
async def test_what_is_not_on_the_way_to_the_authority_does_not_count(kind: str, look_at: Look, tmp_path: Path) -> None:
    """The root, signed once more by an older one with SHA-1, is sent along by many servers."""
    leaf = chain()
    assert leaf.issuer is not None
    assert leaf.issuer.issuer is not None
    older = link("Older", authority=True, key=leaf.key)
    crossed = link("Root", older, key=leaf.issuer.issuer.key, authority=True, hashed="sha1")

    result = await checked(look_at, kind, leaf, tmp_path, "127.0.0.1", crossed)

    assert result.status is Status.UP, result.message
    assert result.tls is not None
    assert [one.signature for one in result.tls.chain][-1] == "sha1WithRSAEncryption"


@pytest.mark.parametrize("kind", ["http", "tls", "tcp"])
@pytest.mark.parametrize(
    ("leaf", "options", "cause"),
    [
        ({"names": None}, {}, None),
        ({"hashed": "sha1"}, {}, Cause.TLS_WEAK),
        ({}, {"maximum_version": ssl.TLSVersion.TLSv1_1, "minimum_version": ssl.TLSVersion.TLSv1}, Cause.TLS_WEAK),
    ],
    ids=["common name", "SHA-1", "TLS 1.1"],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_insecure_makes_it_at_most_weak(
    kind: str, leaf: dict[str, Any], options: dict[str, Any], cause: Cause | None, look_at: Look, tmp_path: Path
) -> None:
    result = await checked(look_at, kind, chain(leaf), tmp_path, insecure=True, **options)

    assert (result.status, result.cause) == ((Status.DEGRADED, cause) if cause else (Status.UP, None)), result.message
