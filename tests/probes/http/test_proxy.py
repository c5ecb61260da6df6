"""Proxies: asked for the whole URL or for a tunnel; what is their doing is never booked on the service; their login never leaks."""

import asyncio
import contextlib
import datetime as dt
import ssl
from typing import Any

import pytest
import trustme

from vigie.core.model import Cause, CheckResult, Status
from vigie.net import hang_up
from vigie.testing.servers import Handler, page, serving

from .looking import HELLO, Deps, MakeContext, hang, is_down, look

LOGIN = "ann:hunter2hunter"


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what comes until nothing does."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def join(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Join a client to a service."""
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
    finally:
        hang_up(far_writer.transport)


def tunnel(answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n", to: int = 0, seen: list[bytes] | None = None, *, hold: bool = False) -> Handler:
    """An HTTP proxy that answers CONNECT so, and then joins both ends when `to` is a port."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if seen is not None:
            seen.append(request)
        writer.write(answer)
        await writer.drain()
        if to:
            await join(to, reader, writer)
        if hold:
            await reader.read()

    return handler


def socks(reply: int = 0, to: int = 0, methods: bytes = b"\x05\x00", *, deaf: bool = False) -> Handler:
    """A SOCKS 5 proxy (RFC 1928) that gives this reply to a request."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        await reader.readexactly(count)
        writer.write(methods)
        await reader.readexactly(4)
        await reader.readexactly((await reader.readexactly(1))[0] + 2)
        if deaf:
            await reader.read()
        writer.write(bytes([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]))
        await writer.drain()
        if to:
            await join(to, reader, writer)

    return handler


async def through(make_deps: Deps, proxy: Handler, url: str, kind: str = "http", timeout: int = 500, **options: Any) -> CheckResult:
    """One check through a proxy."""
    async with serving(proxy) as port:
        result = await look(make_deps, url, timeout, proxy=f"{kind}://{LOGIN}@127.0.0.1:{port}", **options)
    assert "hunter2" not in repr(result)
    return result


async def test_a_proxy_is_asked_for_the_whole_url(make_deps: Deps) -> None:
    seen: list[bytes] = []
    result = await through(make_deps, page(b"by proxy", seen=seen), "http://service.invalid/path?a=b")

    assert result.status is Status.UP
    assert seen[0].startswith(b"GET http://service.invalid/path?a=b HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " in seen[0]


async def test_a_tunnel_leads_to_a_certificate_that_is_judged(make_deps: Deps, make_context: MakeContext) -> None:
    async with serving(page(b"hello"), make_context(days=60)) as good, serving(page(b""), make_context("other.example", days=60)) as bad:
        up = await through(make_deps, tunnel(to=good), f"https://127.0.0.1:{good}/", expect={"keyword": "hello"})
        down = await through(make_deps, tunnel(to=bad), f"https://127.0.0.1:{bad}/")

    assert up.status is Status.UP, up.message
    assert up.tls is not None
    assert up.tls.days_left == 60
    assert is_down(down, Cause.TLS_HOSTNAME)


async def test_what_a_proxy_hears_and_what_the_service_hears(make_deps: Deps, make_context: MakeContext) -> None:
    """The proxy's login is for the proxy, the service's own secrets are for the service; nobody hears the other's."""
    at_proxy: list[bytes] = []
    at_service: list[bytes] = []
    async with serving(page(b"", seen=at_service), make_context(days=60)) as port:
        options: dict[str, Any] = {"auth": {"bearer": "s3cretbearer"}, "headers": {"Cookie": "s3cretcookie"}}
        await through(make_deps, tunnel(to=port, seen=at_proxy), f"https://127.0.0.1:{port}/secret/path", **options)

    assert b"Proxy-Authorization" in at_proxy[0]
    assert b"User-Agent: Vigie/" in at_proxy[0]
    assert b"s3cret" not in at_proxy[0]
    assert b"/secret/path" not in at_proxy[0]
    assert b"s3cretbearer" in at_service[0]
    assert b"proxy-authorization" not in at_service[0].lower()


async def test_a_login_of_the_service_stays_at_home_behind_a_proxy_too(make_deps: Deps) -> None:
    seen: list[bytes] = []
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://other.invalid/\r\nContent-Length: 0\r\n\r\n"
    await through(make_deps, tunnel(moved, seen=seen), "http://service.invalid/", auth={"bearer": "s3cretbearer"}, max_redirects=1)

    assert [b"s3cretbearer" in one for one in seen] == [True, False]
    assert all(b"Proxy-Authorization" in one for one in seen)


def said(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nProxy-Authenticate: Basic\r\n\r\n".encode()


TUNNELS: list[tuple[str, Handler, Cause, str]] = [
    ("wants a login", tunnel(said("407 Login")), Cause.PROBE_ERROR, "the proxy refused the request (HTTP 407)"),
    ("forbids it", tunnel(said("403 No")), Cause.PROBE_ERROR, "the proxy refused the request (HTTP 403)"),
    ("is broken", tunnel(said("500 Oops")), Cause.PROBE_ERROR, "the proxy refused the request (HTTP 500)"),
    ("finds no service", tunnel(said("502 Bad Gateway")), Cause.TCP_UNREACHABLE, "the proxy cannot reach the service (HTTP 502)"),
    ("finds none now", tunnel(said("503 Later")), Cause.TCP_UNREACHABLE, "the proxy cannot reach the service (HTTP 503)"),
    ("gets no answer", tunnel(said("504 Time-out")), Cause.TCP_UNREACHABLE, "the proxy cannot reach the service (HTTP 504)"),
    ("says nothing", hang, Cause.TIMEOUT_CONNECT, "no connection through the proxy within 0.4 s"),
    ("closes", tunnel(b""), Cause.PROBE_NETWORK, "the proxy cannot be used"),
    ("is not a proxy", tunnel(b"SSH-2.0-OpenSSH\r\n"), Cause.PROBE_NETWORK, "the proxy cannot be used"),
    ("is not a proxy and waits", tunnel(b"SSH-2.0-OpenSSH\r\n", hold=True), Cause.TIMEOUT_CONNECT, "no connection through the proxy"),
    ("talks too much", tunnel(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000 + b"\r\n\r\n"), Cause.PROBE_NETWORK, "the proxy cannot be used"),
    ("opens a tunnel to nothing", tunnel(hold=True), Cause.TIMEOUT_TLS, "connected, but the TLS handshake did not finish within 0.4 s"),
]


@pytest.mark.parametrize(("proxy", "cause", "words"), [one[1:] for one in TUNNELS], ids=[one[0] for one in TUNNELS])
async def test_a_proxy_asked_for_a_tunnel_that(proxy: Handler, cause: Cause, words: str, make_deps: Deps) -> None:
    result = await through(make_deps, proxy, "https://service.invalid/", timeout=400)

    assert result.cause is cause, result.message
    assert result.message.startswith(words)
    assert result.status is (Status.UNKNOWN if cause.own else Status.DOWN)


PLAIN: list[tuple[str, Handler, Cause]] = [
    ("wants a login", tunnel(said("407 Login")), Cause.PROBE_ERROR),
    ("or the service says 502", tunnel(said("502 Bad Gateway")), Cause.HTTP_STATUS),
    ("or the service says nothing", hang, Cause.TIMEOUT_FIRST_BYTE),
    ("or the service closes", tunnel(b""), Cause.HTTP_EMPTY_REPLY),
    ("or the service speaks no HTTP", tunnel(b"SSH-2.0-OpenSSH\r\n"), Cause.HTTP_PROTOCOL),
    ("is fine", tunnel(HELLO), Cause.CONTENT_MISSING),
]


@pytest.mark.parametrize(("proxy", "cause"), [one[1:] for one in PLAIN], ids=[one[0] for one in PLAIN])
async def test_a_proxy_asked_in_plain_text_that(proxy: Handler, cause: Cause, make_deps: Deps) -> None:
    result = await through(make_deps, proxy, "http://service.invalid/", timeout=300, expect={"keyword": "absent"})

    assert result.cause is cause, result.message


@pytest.mark.parametrize("kind", ["http", "https", "socks4", "socks4a", "socks5", "socks5h"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_not_there_is_our_own_fault(kind: str, scheme: str, make_deps: Deps, unused_port: int) -> None:
    result = await look(make_deps, f"{scheme}://127.0.0.1:1/", proxy=f"{kind}://{LOGIN}@127.0.0.1:{unused_port}")

    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_NETWORK), result.message
    assert "hunter2" not in repr(result)


async def test_a_proxy_without_a_name_is_our_own_fault(make_deps: Deps) -> None:
    result = await look(make_deps, "http://127.0.0.1:1/", timeout=3_000, proxy="http://no-such-proxy.invalid:3128")

    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_NETWORK), result.message


SOCKS: list[tuple[str, Handler, Cause]] = [
    ("is refused by the service", socks(5), Cause.TCP_REFUSED),
    ("finds no host", socks(4), Cause.TCP_UNREACHABLE),
    ("finds no network", socks(3), Cause.TCP_UNREACHABLE),
    ("just fails", socks(1), Cause.TCP_UNREACHABLE),
    ("waits too long", socks(6), Cause.TIMEOUT_CONNECT),
    ("forbids it", socks(2), Cause.PROBE_NETWORK),
    ("wants another login", socks(methods=b"\x05\xff"), Cause.PROBE_NETWORK),
    ("is another SOCKS", socks(methods=b"\x04\x00"), Cause.PROBE_NETWORK),
    ("says nothing", hang, Cause.TIMEOUT_CONNECT),
    ("begins and says nothing more", socks(deaf=True), Cause.TIMEOUT_CONNECT),
]


@pytest.mark.parametrize(("proxy", "cause"), [one[1:] for one in SOCKS], ids=[one[0] for one in SOCKS])
async def test_a_socks_proxy_that(proxy: Handler, cause: Cause, make_deps: Deps) -> None:
    result = await through(make_deps, proxy, "http://service.test/", kind="socks5h", timeout=300)

    assert result.cause is cause, result.message
    assert result.status is (Status.UNKNOWN if cause.own else Status.DOWN)


async def test_a_socks_proxy_that_works(make_deps: Deps, make_context: MakeContext) -> None:
    async with serving(page(b"hello")) as plain, serving(page(b"hello"), make_context(days=60)) as secure:
        for url, port in ((f"http://localhost:{plain}/", plain), (f"https://localhost:{secure}/", secure)):
            result = await through(make_deps, socks(to=port), url, kind="socks5h", expect={"keyword": "hello"})
            assert result.status is Status.UP, result.message


async def test_a_proxy_over_tls_is_verified_too(make_deps: Deps, make_context: MakeContext, authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", not_after=dt.datetime.now(dt.UTC) + dt.timedelta(days=60)).configure_cert(context)
    async with serving(page(b"hello")) as service:
        for shown, status in (
            (context, Status.UP),
            (make_context("other.example"), Status.UNKNOWN),
            (make_context(trusted=False), Status.UNKNOWN),
        ):
            async with serving(page(b"by proxy"), shown) as port:
                result = await look(make_deps, f"http://127.0.0.1:{service}/", proxy=f"https://127.0.0.1:{port}")
            assert result.status is status, result.message
            assert result.cause is (None if status is Status.UP else Cause.PROBE_NETWORK)
