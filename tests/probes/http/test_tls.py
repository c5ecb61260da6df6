"""TLS: every cause told apart, the facts readable even where verification failed, and peers that break off at any point."""

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from vigie.core.model import Cause, CheckResult, Status
from vigie.testing.dns_server import DnsServer, Says
from vigie.testing.servers import Handler, page, reset, serving

from .looking import HELLO, Deps, MakeContext, ask, hang, is_down, look


async def tls(make_deps: Deps, context: ssl.SSLContext, handler: Handler | None = None, **options: Any) -> CheckResult:
    """One check over TLS with this context."""
    return await ask(make_deps, handler or page(b"secret"), context=context, **options)


async def test_a_good_certificate_is_up_with_its_facts(make_deps: Deps, make_context: MakeContext) -> None:
    result = await tls(make_deps, make_context(days=60))

    assert result.status is Status.UP, result.message
    assert result.timings.tls is not None
    assert result.tls is not None
    assert (result.tls.version, result.tls.days_left) == ("TLSv1.3", 60)
    assert result.tls.issuer
    assert result.tls.chain[0].names == ("127.0.0.1", "localhost")


@pytest.mark.parametrize(
    ("names", "options", "cause", "words"),
    [
        ((), {"days": -3}, Cause.TLS_EXPIRED, "the certificate expired 3 days ago"),
        ((), {"begins": 3, "days": 30}, Cause.TLS_NOT_YET_VALID, "the certificate is not valid yet"),
        (("other.example",), {"days": 60}, Cause.TLS_HOSTNAME, "the certificate is for another name than 127.0.0.1"),
        (("127.0.0.2",), {"days": 60}, Cause.TLS_HOSTNAME, "the certificate is for another name than 127.0.0.1"),
        ((), {"days": 60, "trusted": False}, Cause.TLS_UNTRUSTED, "the certificate's issuer is not trusted"),
        (("other.example",), {"days": -3, "trusted": False}, Cause.TLS_EXPIRED, "the certificate expired 3 days ago"),
    ],
)
async def test_bad_certificates(
    names: tuple[str, ...], options: dict[str, Any], cause: Cause, words: str, make_deps: Deps, make_context: MakeContext
) -> None:
    context = make_context(*names, **options)
    result = await tls(make_deps, context)
    insecure = await tls(make_deps, context, insecure=True)

    assert is_down(result, cause), result.message
    assert result.message == words
    assert result.tls is not None
    assert result.tls.chain, "the facts are readable though verification failed"
    assert insecure.status is (Status.DEGRADED if options["days"] < 14 else Status.UP)


@pytest.mark.parametrize(
    ("name", "host", "up"),
    [
        ("shop.test", "shop.test", True),
        ("*.shop.test", "www.shop.test", True),
        ("*.shop.test", "a.b.shop.test", False),
        ("*.shop.test", "shop.test", False),
        ("xn--bcher-kva.test", "bücher.test", True),
        ("shop.test", "SHOP.test", True),
    ],
)
async def test_the_name_is_matched_as_browsers_do(name: str, host: str, up: bool, make_deps: Deps, make_context: MakeContext) -> None:
    async with DnsServer({"*": Says("A 127.0.0.1")}) as resolver, serving(page(b"hello"), make_context(name, days=60)) as port:
        result = await look(make_deps, f"https://{host}:{port}/", resolver=resolver.address)

    assert result.status is Status.UP if up else is_down(result, Cause.TLS_HOSTNAME), result.message


async def test_a_missing_intermediate_is_untrusted_and_a_sent_one_is_not(make_deps: Deps, authority: trustme.CA, tmp_path: Path) -> None:
    leaf = authority.create_child_ca().issue_cert("127.0.0.1", not_after=dt.datetime.now(dt.UTC) + dt.timedelta(days=60))
    whole, key = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), tmp_path / "key.pem"
    leaf.configure_cert(whole)
    leaf.private_key_pem.write_to_path(key)
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "leaf.pem")
    alone = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    alone.load_cert_chain(tmp_path / "leaf.pem", key)

    assert (await tls(make_deps, whole)).status is Status.UP
    result = await tls(make_deps, alone)
    assert is_down(result, Cause.TLS_UNTRUSTED)
    assert "whole chain" in result.advice[0]


async def test_who_signs_himself_is_trusted_only_where_told_so(make_deps: Deps, make_context: MakeContext, ca_file: Path) -> None:
    context = make_context(days=60)

    assert (await tls(make_deps, context, ca_file=str(ca_file))).status is Status.UP
    stranger = make_context(days=60, trusted=False)
    assert is_down(await tls(make_deps, stranger, ca_file=str(ca_file)), Cause.TLS_UNTRUSTED)


async def test_a_file_of_authorities_that_cannot_be_read_is_our_own_fault(
    make_deps: Deps, make_context: MakeContext, tmp_path: Path
) -> None:
    garbage = tmp_path / "ca.pem"
    garbage.write_text("no certificates here")
    for path in (tmp_path / "nowhere.pem", garbage):
        result = await tls(make_deps, make_context(days=60), ca_file=str(path))
        assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR), result.message


# Advice


@pytest.mark.parametrize(
    ("days", "asked", "degraded"), [(9, 14, True), (9, 5, False), (0.5, 0, False), (13.5, 14, True), (14.5, 14, False)]
)
async def test_a_certificate_that_ends_soon_is_degraded(
    days: float, asked: int, degraded: bool, make_deps: Deps, make_context: MakeContext
) -> None:
    result = await tls(make_deps, make_context(days=days), expect={"tls_days": asked})

    assert (result.status, result.cause) == ((Status.DEGRADED, Cause.TLS_EXPIRING) if degraded else (Status.UP, None)), result.message
    assert not degraded or result.figures == {"days_left": int(days), "expected": asked}


async def test_a_short_key_is_weak(make_deps: Deps, weak_context: tuple[ssl.SSLContext, Path]) -> None:
    context, pem = weak_context

    result = await tls(make_deps, context, ca_file=str(pem))

    assert (result.status, result.cause) == (Status.DEGRADED, Cause.TLS_WEAK), result.message
    assert "1024" in result.message


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
async def test_a_current_version_is_not_weak(version: str, make_deps: Deps, make_context: MakeContext) -> None:
    context = make_context(days=60)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]

    result = await tls(make_deps, context)

    assert result.status is Status.UP, result.message
    assert result.tls is not None
    assert result.tls.version == version.replace("_", ".")


@pytest.mark.parametrize(("kind", "key"), [(trustme.KeyType.ECDSA, "EC 256"), (trustme.KeyType.RSA, "RSA 2048")])
async def test_a_usual_key_is_not_weak(kind: trustme.KeyType, key: str, make_deps: Deps, authority: trustme.CA) -> None:
    leaf = authority.issue_cert("127.0.0.1", key_type=kind, not_after=dt.datetime.now(dt.UTC) + dt.timedelta(days=60))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)

    result = await tls(make_deps, context)

    assert result.status is Status.UP, result.message
    assert result.tls is not None
    assert result.tls.chain[0].key == key


# Peers that are no TLS, or break it off


ALERT = b"\x15\x03\x03\x00\x02\x02"
RECORD = b"\x16\x03\x03"


def raw(data: bytes, each: float = 0.0, *, hold: bool = False, rst: bool = False) -> Handler:
    """Sends these bytes to whoever connects: at once, or one after another with `each` seconds between."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        for part in [data] if not each else [data[at : at + 1] for at in range(len(data))]:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(each)
        if hold:
            await reader.read()
        if rst:
            reset(writer)

    return handler


SHAKES: list[tuple[str, Handler, Cause]] = [
    ("speaks plain HTTP", raw(HELLO), Cause.TLS_HANDSHAKE),
    ("speaks SMTP", raw(b"220 mail.example ESMTP ready\r\n" * 3), Cause.TLS_HANDSHAKE),
    ("speaks SMTP and waits", raw(b"220 mail.example ESMTP ready\r\n", hold=True), Cause.TLS_HANDSHAKE),
    ("closes at once", raw(b""), Cause.TLS_HANDSHAKE),
    ("resets", raw(b"", rst=True), Cause.TCP_RESET),
    ("says nothing", hang, Cause.TIMEOUT_TLS),
    ("alerts: no common ground", raw(ALERT + b"\x28"), Cause.TLS_HANDSHAKE),
    ("alerts: version", raw(ALERT + b"\x46"), Cause.TLS_HANDSHAKE),
    ("alerts: unknown name", raw(ALERT + b"\x70"), Cause.TLS_HANDSHAKE),
    ("sends noise", raw(bytes(range(1, 256)) * 4), Cause.TLS_HANDSHAKE),
    ("sends noise in a record", raw(RECORD + b"\x00\xff" + bytes(range(255))), Cause.TLS_HANDSHAKE),
    ("sends a record too long", raw(RECORD + b"\xff\xff" + b"\x02" * 70_000), Cause.TLS_HANDSHAKE),
    ("ends inside a record", raw(RECORD + b"\x40\x00\x02\x00\x3f\xfc"), Cause.TLS_HANDSHAKE),
    ("sends empty records", raw((RECORD + b"\x00\x00") * 10_000, hold=True), Cause.TLS_HANDSHAKE),
    ("drips", raw(RECORD + b"\x40\x00\x02\x00\x3f\xfc" + b"\0" * 500, each=0.01), Cause.TIMEOUT_TLS),
    ("sends half a hello and waits", raw(RECORD + b"\x40\x00\x02\x00\x3f\xfc", hold=True), Cause.TIMEOUT_TLS),
]


@pytest.mark.parametrize(("handler", "cause"), [one[1:] for one in SHAKES], ids=[one[0] for one in SHAKES])
async def test_a_peer_that(handler: Handler, cause: Cause, make_deps: Deps) -> None:
    async with serving(handler) as port:
        result = await look(make_deps, f"https://127.0.0.1:{port}/", timeout=400)

    assert is_down(result, cause), result.message
    assert result.timings.connect is not None
    assert result.timings.tls is None
    assert result.http is None


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
async def test_a_peer_that_wants_to_know_us_first(version: str, make_deps: Deps, make_context: MakeContext, ca_file: Path) -> None:
    """Its alert comes after the handshake in TLS 1.3. Asyncio's servers would not send it, so a plain socket does."""
    context = make_context(days=60)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca_file)
    context.maximum_version = ssl.TLSVersion[version]

    def shake(sock: socket.socket) -> None:
        for _ in range(2):  # a failure of TLS is looked at twice
            shaken = context.wrap_socket(sock.accept()[0], server_side=True, do_handshake_on_connect=False)
            with contextlib.suppress(ssl.SSLError):
                shaken.do_handshake()
            with socket.socket(fileno=shaken.detach()) as bare:
                bare.shutdown(socket.SHUT_WR)
                while bare.recv(1_000):
                    """What it had on its way: closed before, the alert would be lost to a reset."""

    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.settimeout(3)
        shaking = asyncio.create_task(asyncio.to_thread(shake, sock))
        result = await look(make_deps, f"https://127.0.0.1:{sock.getsockname()[1]}/")
        with contextlib.suppress(TimeoutError):  # nobody comes a second time where there is but one libcurl
            await shaking

    assert is_down(result, Cause.TLS_HANDSHAKE), result.message


async def test_plain_http_on_a_tls_port_is_no_answer(make_deps: Deps, make_context: MakeContext) -> None:
    """What is said to it depends on the server: an alert, which is no HTTP, or nothing at all."""
    async with serving(page(b"hello"), make_context(days=60)) as port:
        nothing = await look(make_deps, f"http://127.0.0.1:{port}/")

    assert is_down(nothing, Cause.HTTP_EMPTY_REPLY), nothing.message
    assert is_down(await ask(make_deps, raw(ALERT + b"\x0a")), Cause.HTTP_PROTOCOL)


# Farewells


def abrupt(data: bytes) -> Handler:
    """Sends, and closes the connection without TLS' own farewell."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        await writer.drain()
        sock = writer.get_extra_info("socket")
        sock.shutdown(1)
        await asyncio.sleep(0.1)

    return handler


OK = b"HTTP/1.1 200 OK\r\n"
FAREWELLS: list[tuple[str, bytes, Cause | None]] = [
    ("after a whole body", OK + b"Content-Length: 5\r\n\r\nhello", None),
    ("after a body without a length", OK + b"\r\nhello", None),
    ("inside a body", OK + b"Content-Length: 9\r\n\r\nhello", Cause.HTTP_TRUNCATED),
    ("inside a chunk", OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\nhello", Cause.HTTP_TRUNCATED),
    ("before the last chunk", OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", Cause.HTTP_TRUNCATED),
    ("inside the headers", OK + b"Content-Le", Cause.HTTP_PROTOCOL),
    ("before anything", b"", Cause.HTTP_EMPTY_REPLY),
]


@pytest.mark.parametrize(("data", "cause"), [one[1:] for one in FAREWELLS], ids=[one[0] for one in FAREWELLS])
async def test_no_farewell(data: bytes, cause: Cause | None, make_deps: Deps, make_context: MakeContext) -> None:
    result = await tls(make_deps, make_context(days=60), abrupt(data))

    assert result.cause is cause, result.message


async def test_a_chain_full_of_junk_is_no_trap(make_deps: Deps, authority: trustme.CA, tmp_path: Path) -> None:
    """A hostile peer may send whatever OpenSSL still reads."""
    leaf = authority.issue_cert("127.0.0.1", not_after=dt.datetime.now(dt.UTC) + dt.timedelta(days=60))
    others = [trustme.CA(organization_name="x" * 60) for _ in range(12)]
    (tmp_path / "chain.pem").write_bytes(leaf.cert_chain_pems[0].bytes() + b"".join(other.cert_pem.bytes() for other in others))
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")

    result = await tls(make_deps, context)

    assert result.status is Status.UP, result.message
    assert result.tls is not None
    assert len(result.tls.chain) == 8
