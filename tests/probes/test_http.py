"""The HTTP(S) probe against real servers: every cause told apart, every bound kept."""

import asyncio
import gzip
import json
import ssl
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import msgspec
import pytest

from vigie.config.convert import dec_hook
from vigie.core.model import Cause, CheckResult, Status
from vigie.probes import ProbeDeps
from vigie.probes.http import Config, build
from vigie.testing.servers import Handler, Serve, answering, page, reset

Deps = Callable[[], ProbeDeps]


async def look(make_deps: Deps, url: str, timeout: int = 1_500, **options: Any) -> CheckResult:
    deps = make_deps()
    try:
        config = msgspec.convert({"url": url, **options}, Config, dec_hook=dec_hook)
        return await build(config, deps).check(timeout)
    finally:
        deps.close()


async def ask(serve: Serve, make_deps: Deps, handler: Handler, timeout: int = 1_500, **options: Any) -> CheckResult:
    async with serve(handler) as port:
        return await look(make_deps, f"http://127.0.0.1:{port}/", timeout, **options)


async def test_a_good_answer_is_up_with_every_phase_timed(serve: Serve, make_deps: Deps) -> None:
    result = await ask(serve, make_deps, page(b"hello"))

    assert (result.status, result.cause, result.address) == (Status.UP, None, "127.0.0.1")
    assert result.http is not None
    assert (result.http.status, result.http.version, result.http.bytes, result.http.type) == (200, "1.1", 5, "text/html")
    timings = result.timings
    assert timings.dns is None
    assert timings.tls is None
    for phase in (timings.connect, timings.first_byte, timings.transfer, timings.total):
        assert phase is not None
        assert 0 <= phase < 1_000


async def test_every_address_of_a_name_is_tried(serve: Serve, make_deps: Deps) -> None:
    """Localhost is ::1 first here, where nobody listens, then 127.0.0.1."""
    async with serve(page(b"hello")) as port:
        result = await look(make_deps, f"http://localhost:{port}/", timeout=5_000)

    assert result.status is Status.UP
    assert result.address == "127.0.0.1"


async def test_nobody_listens(make_deps: Deps, unused_port: int) -> None:
    result = await look(make_deps, f"http://127.0.0.1:{unused_port}/")

    assert (result.status, result.cause) == (Status.DOWN, Cause.TCP_REFUSED)


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(1_000):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    reset(writer)


async def close_at_once(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def endless_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-Filler: " + b"y" * 1_000 + b"\r\n")
        await writer.drain()


OK = "HTTP/1.1 200 OK\n"
FAULTS: list[tuple[str, Handler, Cause]] = [
    ("hangs", hang, Cause.TIMEOUT_FIRST_BYTE),
    ("drips", drip, Cause.TIMEOUT_TOTAL),
    ("resets", cut, Cause.TCP_RESET),
    ("says nothing", close_at_once, Cause.HTTP_EMPTY_REPLY),
    ("is no HTTP", answering("SSH-2.0-OpenSSH\n"), Cause.HTTP_PROTOCOL),
    ("lies about its length", answering(OK + "Content-Length: 100\n\n", b"short"), Cause.HTTP_TRUNCATED),
    ("ends inside a chunk", answering(OK + "Transfer-Encoding: chunked\n\n", b"10\r\nabc"), Cause.HTTP_TRUNCATED),
    ("sends a bad chunk", answering(OK + "Transfer-Encoding: chunked\n\n", b"zz\r\nabc\r\n0\r\n\r\n"), Cause.HTTP_PROTOCOL),
    ("sends endless headers", endless_headers, Cause.HTTP_PROTOCOL),
    ("is no gzip", answering(OK + "Content-Encoding: gzip\nContent-Length: 5\n\n", b"plain"), Cause.HTTP_PROTOCOL),
    ("ends its gzip early", page(gzip.compress(b"x" * 9_999)[:-9], more="Content-Encoding: gzip\n"), Cause.HTTP_PROTOCOL),
    ("answers 503", page(b"", status="503 Service Unavailable"), Cause.HTTP_STATUS),
]


@pytest.mark.parametrize(("name", "handler", "cause"), FAULTS, ids=[name for name, _, _ in FAULTS])
async def test_a_server_that(
    name: str, handler: Handler, cause: Cause, serve: Serve, make_deps: Deps, stopwatch: Callable[[], float]
) -> None:
    result = await ask(serve, make_deps, handler, timeout=600)

    assert (result.status, result.cause) == (Status.DOWN, cause), (name, result.message)
    assert result.message
    assert stopwatch() < 2.5


async def test_a_timeout_says_the_limit(serve: Serve, make_deps: Deps) -> None:
    result = await ask(serve, make_deps, hang, timeout=200)

    assert result.message == "no first byte within 0.2 s"
    assert result.figures == {"limit_ms": 200}


async def test_a_body_without_end_is_read_to_its_bound_only(serve: Serve, make_deps: Deps) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            writer.write(b"z" * 65_536)
            await writer.drain()

    result = await ask(serve, make_deps, flood)

    assert result.status is Status.UP
    assert result.http is not None
    assert result.http.bytes == 1_048_576


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate"])
async def test_a_bomb_costs_its_bound_only(coding: str, serve: Serve, make_deps: Deps) -> None:
    plain = b"\0" * 50_000_000
    bomb = {"gzip": gzip.compress, "br": brotli.compress, "deflate": zlib.compress}[coding](plain)

    result = await ask(serve, make_deps, page(bomb, more=f"Content-Encoding: {coding}\n"), timeout=3_000)

    assert result.status is Status.UP
    assert result.http is not None
    assert result.http.bytes == 1_048_576


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate"])
async def test_a_compressed_page_is_read(coding: str, serve: Serve, make_deps: Deps) -> None:
    body = {"gzip": gzip.compress, "br": brotli.compress, "deflate": zlib.compress}[coding]("tout va très bien".encode())

    result = await ask(serve, make_deps, page(body, more=f"Content-Encoding: {coding}\n"), expect={"keyword": "très bien"})

    assert result.status is Status.UP, result.message


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("déjà vu".encode("latin-1"), "text/html; charset=iso-8859-1"),
        ("déjà vu".encode(), "text/html"),
        ("déjà vu".encode("utf-16"), "text/plain"),
        ('<meta charset="windows-1252">déjà vu'.encode("cp1252"), "text/html"),
        ("déjà vu".encode("latin-1"), "text/html; charset=nonsense"),
    ],
)
async def test_a_keyword_is_found_in_any_charset(body: bytes, kind: str, serve: Serve, make_deps: Deps) -> None:
    result = await ask(serve, make_deps, page(body, kind), expect={"keyword": "déjà vu"})

    assert result.status is Status.UP, result.message


DOCUMENT = json.dumps({"db": "up", "queue": 7, "nodes": [{"ok": True}, {"ok": False}]}).encode()


@pytest.mark.parametrize(
    ("expect", "cause"),
    [
        ({"keyword": "queue"}, None),
        ({"keyword": ["queue", "absent"]}, Cause.CONTENT_MISSING),
        ({"reject_keyword": "queue"}, Cause.CONTENT_FORBIDDEN),
        ({"json": {"$.db": "up"}}, None),
        ({"json": {"$.db": "down"}}, Cause.CONTENT_JSON),
        ({"json": ["$.queue<10", "$.queue!=8", "$.db==up"]}, None),
        ({"json": ["$.queue>10"]}, Cause.CONTENT_JSON),
        ({"json": ["$.db<3"]}, Cause.CONTENT_JSON),
        ({"json": {"$.absent": 1}}, Cause.CONTENT_JSON),
        ({"json": {"$.nodes[1].ok": False}}, None),
        ({"type": "application/json"}, None),
        ({"type": "text/html"}, Cause.CONTENT_TYPE),
        ({"status": "201,204"}, Cause.HTTP_STATUS),
        ({"status": 200}, None),
    ],
)
async def test_expectations(expect: dict[str, Any], cause: Cause | None, serve: Serve, make_deps: Deps) -> None:
    result = await ask(serve, make_deps, page(DOCUMENT, "application/json; charset=utf-8"), expect=expect)

    assert result.cause is cause, result.message
    assert result.status is (Status.UP if cause is None else Status.DOWN)


async def test_a_body_that_is_no_json_is_content_json(serve: Serve, make_deps: Deps) -> None:
    result = await ask(serve, make_deps, page(b"<html>"), expect={"json": {"$.a": 1}})

    assert (result.cause, result.message) == (Cause.CONTENT_JSON, "the body is no JSON")


@pytest.mark.parametrize(("status", "expected"), [("degraded", Status.DEGRADED), ("down", Status.DOWN)])
async def test_a_slow_answer_is_degraded_unless_told_otherwise(status: str, expected: Status, serve: Serve, make_deps: Deps) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        await page(b"hello")(reader, writer)

    result = await ask(serve, make_deps, slow, expect={"latency": "20ms", "latency_status": status})

    assert (result.status, result.cause) == (expected, Cause.LATENCY_THRESHOLD)
    assert result.figures["limit_ms"] == 20


# Redirects


def moving(to: Callable[[str], str], status: str = "302 Found") -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        if path == "/end":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend")
        else:
            writer.write(f"HTTP/1.1 {status}\r\nLocation: {to(path)}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()

    return handler


async def test_redirects_are_followed_and_counted(serve: Serve, make_deps: Deps) -> None:
    result = await ask(serve, make_deps, moving(lambda path: "/end" if path == "/two" else "/two"), expect={"keyword": "end"})

    assert result.status is Status.UP
    assert result.http is not None
    assert result.http.redirects == 2


@pytest.mark.parametrize(
    ("to", "options", "words"),
    [
        (lambda path: "/b" if path == "/" else "/", {}, "circle"),
        (lambda path: path + "x", {"max_redirects": 3}, "more than 3"),
        (lambda _: "http://localhost:1/", {"allow_other_host": False}, "another host"),
        (lambda _: "ftp://127.0.0.1/", {}, "no http(s) URL"),
    ],
)
async def test_faulty_redirects(to: Callable[[str], str], options: dict[str, Any], words: str, serve: Serve, make_deps: Deps) -> None:
    result = await ask(serve, make_deps, moving(to), **options)

    assert (result.status, result.cause) == (Status.DOWN, Cause.HTTP_REDIRECT)
    assert words in result.message


async def test_a_redirect_is_not_followed_when_told_so(serve: Serve, make_deps: Deps) -> None:
    result = await ask(serve, make_deps, moving(lambda _: "/end"), follow_redirects=False, expect={"status": 302})

    assert result.status is Status.UP


async def test_a_redirect_down_to_http_is_refused(serve: Serve, make_deps: Deps, make_context: Callable[..., ssl.SSLContext]) -> None:
    async with serve(page(b"plain")) as plain, serve(moving(lambda _: f"http://127.0.0.1:{plain}/"), make_context()) as port:
        refused = await look(make_deps, f"https://127.0.0.1:{port}/")
        allowed = await look(make_deps, f"https://127.0.0.1:{port}/", allow_downgrade=True)

    assert refused.cause is Cause.HTTP_REDIRECT
    assert "down to http" in refused.message
    assert allowed.status is Status.UP


async def test_credentials_stay_at_home(serve: Serve, make_deps: Deps) -> None:
    seen: list[bytes] = []
    async with serve(page(b"elsewhere", seen=seen)) as away, serve(moving(lambda _: f"http://localhost:{away}/")) as home:
        auth = {"basic": {"user": "u", "password": "p"}}
        result = await look(make_deps, f"http://127.0.0.1:{home}/", auth=auth, headers={"Cookie": "session=1", "X-Mine": "kept"})

    assert result.status is Status.UP
    request = seen[0].lower()
    assert b"authorization" not in request
    assert b"cookie" not in request
    assert b"x-mine: kept" in request


# Requests


async def test_method_headers_body_and_bearer_are_sent(serve: Serve, make_deps: Deps) -> None:
    seen: list[bytes] = []
    options: dict[str, Any] = {"method": "PUT", "body": "{}", "headers": {"X-A": "b", "User-Agent": "me"}, "auth": {"bearer": "t0ken"}}
    await ask(serve, make_deps, page(b"", seen=seen), **options)

    lines = seen[0].decode().split("\r\n")
    assert lines[0] == "PUT / HTTP/1.1"
    assert {"X-A: b", "User-Agent: me", "Authorization: Bearer t0ken", "Content-Length: 2"} <= set(lines)


async def test_basic_authentication_is_sent(serve: Serve, make_deps: Deps) -> None:
    seen: list[bytes] = []
    await ask(serve, make_deps, page(b"", seen=seen), auth={"basic": {"user": "ann", "password": "pw"}})

    assert b"Authorization: Basic YW5uOnB3\r\n" in seen[0]


async def test_a_proxy_is_asked_for_the_whole_url(serve: Serve, make_deps: Deps) -> None:
    seen: list[bytes] = []
    async with serve(page(b"by proxy", seen=seen)) as port:
        result = await look(make_deps, "http://service.invalid/path", proxy=f"http://127.0.0.1:{port}")

    assert result.status is Status.UP
    assert seen[0].startswith(b"GET http://service.invalid/path HTTP/1.1\r\n")


async def test_an_environment_proxy_is_not_used(serve: Serve, make_deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")

    assert (await ask(serve, make_deps, page(b"direct"))).status is Status.UP


# TLS


async def tls(serve: Serve, make_deps: Deps, context: ssl.SSLContext, **options: Any) -> CheckResult:
    async with serve(page(b"secret"), context) as port:
        return await look(make_deps, f"https://127.0.0.1:{port}/", **options)


async def test_a_good_certificate_is_up_with_its_facts(serve: Serve, make_deps: Deps, make_context: Callable[..., ssl.SSLContext]) -> None:
    result = await tls(serve, make_deps, make_context(days=60))

    assert result.status is Status.UP, result.message
    assert result.timings.tls is not None
    assert result.tls is not None
    assert (result.tls.version, result.tls.days_left) == ("TLSv1.3", 60)
    assert result.tls.issuer


@pytest.mark.parametrize(
    ("names", "options", "cause"),
    [
        ((), {"days": -3}, Cause.TLS_EXPIRED),
        ((), {"begins": 3, "days": 30}, Cause.TLS_NOT_YET_VALID),
        (("other.example",), {"days": 60}, Cause.TLS_HOSTNAME),
        ((), {"days": 60, "trusted": False}, Cause.TLS_UNTRUSTED),
    ],
)
async def test_bad_certificates(
    names: tuple[str, ...],
    options: dict[str, Any],
    cause: Cause,
    serve: Serve,
    make_deps: Deps,
    make_context: Callable[..., ssl.SSLContext],
) -> None:
    context = make_context(*names, **options)
    result = await tls(serve, make_deps, context)
    insecure = await tls(serve, make_deps, context, insecure=True)

    assert (result.status, result.cause) == (Status.DOWN, cause), result.message
    assert result.tls is not None
    assert result.tls.chain, "the facts are readable though verification failed"
    assert insecure.status in (Status.UP, Status.DEGRADED)


async def test_a_certificate_that_ends_soon_is_degraded(serve: Serve, make_deps: Deps, make_context: Callable[..., ssl.SSLContext]) -> None:
    context = make_context(days=9)

    result = await tls(serve, make_deps, context)
    assert (result.status, result.cause, result.figures["days_left"]) == (Status.DEGRADED, Cause.TLS_EXPIRING, 9)
    assert (await tls(serve, make_deps, context, expect={"tls_days": 5})).status is Status.UP


async def test_a_short_key_is_weak(serve: Serve, make_deps: Deps, weak_context: tuple[ssl.SSLContext, Path]) -> None:
    context, pem = weak_context

    result = await tls(serve, make_deps, context, ca_file=str(pem))

    assert (result.status, result.cause) == (Status.DEGRADED, Cause.TLS_WEAK), result.message
    assert "1024" in result.message


async def test_an_obsolete_version_is_weak(serve: Serve, make_deps: Deps, make_context: Callable[..., ssl.SSLContext]) -> None:
    context = make_context(days=60)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1

    result = await tls(serve, make_deps, context)

    assert (result.status, result.cause) == (Status.DEGRADED, Cause.TLS_WEAK), result.message
    assert result.tls is not None
    assert result.tls.version == "TLSv1.1"


async def test_plain_text_on_a_tls_port_is_a_failed_handshake(serve: Serve, make_deps: Deps) -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP ready\r\n" * 3)
        await writer.drain()

    async with serve(plain) as port:
        result = await look(make_deps, f"https://127.0.0.1:{port}/")

    assert (result.status, result.cause) == (Status.DOWN, Cause.TLS_HANDSHAKE), result.message


async def test_a_handshake_that_hangs_is_a_tls_timeout(serve: Serve, make_deps: Deps) -> None:
    async with serve(hang) as port:
        result = await look(make_deps, f"https://127.0.0.1:{port}/", timeout=300)

    assert result.cause is Cause.TIMEOUT_TLS


# Names


async def test_a_name_that_does_not_exist(make_deps: Deps) -> None:
    """`.invalid` never exists (RFC 6761); a machine without any resolver says that it is us."""
    result = await look(make_deps, "http://vigie-test.invalid/")

    assert result.cause in (Cause.DNS_NXDOMAIN, Cause.PROBE_RESOLVER, Cause.DNS_TIMEOUT, Cause.DNS_SERVFAIL)


async def test_an_address_of_the_other_family_is_no_answer(make_deps: Deps) -> None:
    result = await look(make_deps, "http://127.0.0.1/", ip=6)

    assert result.cause is Cause.DNS_NO_ANSWER


async def test_a_secret_in_the_url_is_never_told(make_deps: Deps, unused_port: int) -> None:
    result = await look(make_deps, f"http://user:hunter22@127.0.0.1:{unused_port}/?token=hunter22")

    assert "hunter22" not in repr(result)


@pytest.mark.parametrize(
    "url", ["ftp://a/", "http://", "https://a b/", "http://a:99999/", "nonsense", "http://[::1/", "http://a\n/", "http://a:0/"]
)
def test_a_bad_url_is_a_fault_of_the_configuration(url: str) -> None:
    with pytest.raises((ValueError, msgspec.ValidationError)):
        Config(url=url)


@pytest.mark.parametrize("seed", range(12))
async def test_random_bytes_yield_a_cause_in_time_and_never_an_exception(seed: int, serve: Serve, make_deps: Deps) -> None:
    import random

    chance = random.Random(seed)
    start = chance.choice([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"HTTP/2"])
    noise = start + chance.randbytes(chance.randrange(1, 3_000))

    async def noisy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(noise)
        await writer.drain()

    result = await ask(serve, make_deps, noisy, timeout=500, expect={"keyword": "x"})

    assert result.status in Status
    assert (result.cause is None) == (result.status is Status.UP)
