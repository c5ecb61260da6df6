"""A good check has the same result through BoringSSL as through OpenSSL, field by field, and sends the same bytes."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigie.config.convert import dec_hook
from vigie.core.model import CheckResult, Status, Timings
from vigie.probes.http import Config, build
from vigie.probes.kit.http.boringssl import BoringSslTransport
from vigie.probes.kit.http.libcurl_binding import library
from vigie.probes.kit.http.transport import FallbackTransport
from vigie.testing.dns_server import DnsServer, Says
from vigie.testing.servers import Handler, page, serving
from vigie.testing.version_server import Answer, serving_versions

from .looking import Deps, MakeContext, made, with_transport
from .test_versions import cert

__all__ = ["cert"]
pytestmark = pytest.mark.skipif(library() is None, reason="needs curl_cffi")
KINDS = ("openssl", "boringssl")


def facts(result: CheckResult) -> tuple[Any, ...]:
    """All of a result but how long it took; of that, which phases happened."""
    return replace(result, at=0, timings=Timings()), tuple(phase is None for phase in astuple(result.timings))


async def both(make_deps: Deps, url: str, **options: Any) -> tuple[CheckResult, CheckResult]:
    """A check on each; the one on BoringSSL did without OpenSSL. Each is done twice: handles that are used again know nothing of before."""
    config, found = msgspec.convert({"url": url, **options}, Config, dec_hook=dec_hook), []
    for kind in KINDS:
        transport = made(kind)
        deps = with_transport(make_deps, transport)
        try:
            probe = build(config, deps)
            first, second = await probe.check(5_000), await probe.check(5_000)
        finally:
            deps.close()
        assert facts(first) == facts(replace(second, page=first.page))  # an unchanged page is not told again
        assert not isinstance(transport, FallbackTransport) or "openssl" not in transport.__dict__
        found.append(first)
    return found[0], found[1]


def redirecting(*locations: str, seen: list[bytes]) -> Handler:
    """Sends who asks for /0, /1, … to these places in turn; whoever asks for anything else gets a page."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        seen.append(request)
        path = request.split(b" ")[1].decode().lstrip("/").partition("?")[0]
        if path.isdigit():
            writer.write(f"HTTP/1.1 302 Found\r\nLocation: {locations[int(path)]}\r\nContent-Length: 0\r\n\r\n".encode())
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 23\r\n\r\n<title>x</title><p>hello")
        await writer.drain()

    return handler


PAGE = b"<!doctype html><title>Shop</title><h1>Welcome</h1>" + b"<p>All that we sell.</p>" * 200
CHECKS: list[tuple[str, Handler, dict[str, Any]]] = [
    ("a page", page(PAGE), {}),
    ("an empty page", page(b"", "text/plain"), {}),
    ("a keyword", page(PAGE), {"expect": {"keyword": "Welcome"}}),
    ("a compressed page", page(gzip.compress(PAGE), more="Content-Encoding: gzip\n"), {"expect": {"keyword": "Welcome"}}),
    ("an asked-for status", page(b"no", status="404 Not Found"), {"expect": {"status": "404"}}),
    ("a body past its bound", page(b"x" * 300_000, "text/plain"), {"max_body": 4_096}),
    ("a page past its bound", page(PAGE * 20), {"max_body": 4_096}),
    ("many headers", page(b"x", more="".join(f"X-{number}: {'y' * 500}\n" for number in range(100))), {}),
    ("cookies", page(b"x", more="Set-Cookie: a=b\nSet-Cookie: c=d\nVia: 1.1 é\nServer: x\nAge: 3\n"), {}),
    ("a head", page(PAGE), {"method": "HEAD"}),
    ("a login", page(PAGE), {"auth": {"basic": {"user": "a", "password": "é"}}, "headers": {"X-Empty": "", "Accept": "text/html"}}),
    ("json", page(b'{"a": [1, 2]}', "application/json"), {"expect": {"json": {"$.a[0]": 1}}}),
]


@pytest.mark.parametrize(("handler", "options"), [one[1:] for one in CHECKS], ids=[one[0] for one in CHECKS])
async def test_a_good_check_of(handler: Handler, options: dict[str, Any], make_deps: Deps, make_context: MakeContext) -> None:
    async with serving(handler, make_context(days=60)) as port:
        one, other = await both(make_deps, f"https://127.0.0.1:{port}/", **options)

    assert one.status is Status.UP, one.message
    assert facts(one) == facts(other)
    assert other.tls is not None
    assert other.tls.version == "TLSv1.3"


@pytest.mark.parametrize("days", [3, 60])
async def test_certificates_that_hold(days: int, make_deps: Deps, make_context: MakeContext) -> None:
    async with DnsServer({"*": Says("A 127.0.0.1")}) as resolver, serving(page(PAGE), make_context("*.shop.test", days=days)) as port:
        one, other = await both(make_deps, f"https://www.shop.test:{port}/", resolver=resolver.address)

    assert facts(one) == facts(other)
    assert one.status is (Status.UP if days == 60 else Status.DEGRADED)


@pytest.mark.parametrize("kind", [trustme.KeyType.ECDSA, trustme.KeyType.RSA])
async def test_every_certificate_of_a_chain(kind: trustme.KeyType, make_deps: Deps, authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    authority.create_child_ca().create_child_ca().issue_cert("127.0.0.1", key_type=kind).configure_cert(context)
    async with serving(page(PAGE), context) as port:
        one, other = await both(make_deps, f"https://127.0.0.1:{port}/")

    assert facts(one) == facts(other)
    assert other.tls is not None
    assert (other.tls.version, len(other.tls.chain)) == ("TLSv1.2", 3)


@pytest.mark.parametrize(
    ("asked", "spoken"), [(None, ("h2", "http/1.1")), (None, ("http/1.1",)), ("1.1", ("h2", "http/1.1")), ("2", ("h2",))]
)
async def test_versions_of_http(asked: str | None, spoken: tuple[str, ...], make_deps: Deps, cert: tuple[Path, Path]) -> None:
    async with serving_versions(Answer(b"z" * 3_000_000), cert, spoken) as port:
        one, other = await both(make_deps, f"https://127.0.0.1:{port}/", http=asked)

    assert facts(one) == facts(other)
    assert one.status is Status.UP


async def test_redirects_and_their_certificates(make_deps: Deps, make_context: MakeContext) -> None:
    seen: list[bytes] = []
    async with AsyncExitStack() as servers:
        end = await servers.enter_async_context(serving(page(PAGE, seen=seen), make_context("127.0.0.1", days=9)))
        handler = redirecting("/1?a=b#c", "/é", f"https://127.0.0.1:{end}/", seen=seen)
        port = await servers.enter_async_context(serving(handler, make_context(days=60)))
        for path in ("0", "2"):
            one, other = await both(make_deps, f"https://localhost:{port}/{path}", ip=4)
            assert facts(one) == facts(other)
            assert one.http is not None
            assert one.http.redirects
            assert seen[: len(seen) // 2] == seen[len(seen) // 2 :]
            seen.clear()


async def test_ipv6_and_an_address_that_refuses(make_deps: Deps, make_context: MakeContext) -> None:
    answers = {"shop.test": Says("A 127.0.0.1", "AAAA ::1")}
    async with DnsServer(answers) as resolver, serving(page(PAGE), make_context("shop.test", days=60)) as port:
        one, other = await both(make_deps, f"https://shop.test:{port}/", resolver=resolver.address)

    assert facts(one) == facts(other)
    assert other.address == "127.0.0.1"


# What goes over the wire


def alpn(hello: bytes) -> list[bytes]:
    """The protocols that a ClientHello offers (RFC 8446 §4.1.2, RFC 7301)."""
    at = 5 + 4 + 2 + 32  # record, handshake, version, random
    at += 1 + hello[at]  # session
    at += 2 + int.from_bytes(hello[at : at + 2])  # ciphers
    at += 1 + hello[at] + 2  # compression, length of the extensions
    while at < len(hello):
        kind, size = int.from_bytes(hello[at : at + 2]), int.from_bytes(hello[at + 2 : at + 4])
        if kind == 16:
            names, found = hello[at + 6 : at + 4 + size], []
            while names:
                found.append(names[1 : 1 + names[0]])
                names = names[1 + names[0] :]
            return found
        at += 4 + size
    return []


@pytest.mark.parametrize(("asked", "offered"), [(None, [b"h2", b"http/1.1"]), ("1.1", [b"http/1.1"]), ("2", [b"h2", b"http/1.1"])])
async def test_the_protocols_that_are_offered(asked: str | None, offered: list[bytes], make_deps: Deps) -> None:
    seen: list[bytes] = []

    async def listening(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(16_384))

    found = library()
    assert found is not None
    for transport in (made("openssl"), BoringSslTransport(found)):
        deps = with_transport(make_deps, transport)
        async with serving(listening) as port:
            await build(msgspec.convert({"url": f"https://localhost:{port}/", "http": asked, "ip": 4}, Config), deps).check(2_000)
        deps.close()

    assert [alpn(hello) for hello in seen] == [offered, offered]
    assert all(b"localhost" in hello for hello in seen)


TEXT = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=12)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=8).map(lambda name: f"X-{name}")


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """A good answer: any headers, a body in any frame."""
    body = draw(st.sampled_from([b"", b"hello", PAGE, PAGE[:70], bytes(range(256)) * 70]))
    kind = draw(st.sampled_from(["text/html", "text/plain; charset=latin-1", "application/octet-stream"]))
    headers = draw(st.dictionaries(NAMES, TEXT, max_size=4)) | {"Content-Type": kind}
    if draw(st.booleans()):
        body, headers = gzip.compress(body, mtime=0), headers | {"Content-Encoding": "gzip"}
    frame = draw(st.sampled_from(["length", "chunks", "end"]))
    if frame == "length":
        headers |= {"Content-Length": str(len(body))}
    if frame == "chunks":
        headers |= {"Transfer-Encoding": "chunked"}
        size = draw(st.integers(1, 2_000))
        parts = [body[at : at + size] for at in range(0, len(body), size)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {draw(st.sampled_from([200, 201, 203]))} \r\n{head}\r\n".encode("latin-1") + body


REQUESTS = st.fixed_dictionaries({
    "method": st.sampled_from(["GET", "HEAD"]),
    "headers": st.dictionaries(NAMES, TEXT, max_size=3),
    "http": st.sampled_from([None, "1.1"]),
    "max_body": st.sampled_from([1_024, 1_048_576]),
    "content_checks": st.booleans(),
})  # fmt: skip


@asynccontextmanager
async def saying(answer: bytes, context: ssl.SSLContext, seen: list[bytes]) -> AsyncIterator[int]:
    """A server that says just this."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()

    async with serving(handler, context) as port:
        yield port


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(answers(), REQUESTS, st.sampled_from(["/", "/a%20b?c=é", "/%2e/x"]))
def test_any_good_answer_to_any_request(
    make_deps: Deps, make_context: MakeContext, answer: bytes, options: dict[str, Any], path: str
) -> None:
    seen: list[bytes] = []

    async def run() -> tuple[CheckResult, CheckResult]:
        async with saying(answer, make_context(days=60), seen) as port:
            return await both(make_deps, f"https://127.0.0.1:{port}{path}", **options)

    with asyncio.Runner() as runner:
        one, other = runner.run(run())

    assert facts(one) == facts(other)
    assert len(seen) == 4
    assert len(set(seen)) == 1, "the same bytes on the wire"
