"""Which requests go to BoringSSL first, which outcomes are final, and what is repeated through OpenSSL: one deadline, and not at every check."""

import asyncio
import contextlib
import importlib.util
import ssl
import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vigie.config.convert import dec_hook
from vigie.core.model import Cause, CheckResult, Status, Timings
from vigie.probes.http import Config, build
from vigie.probes.kit.http import libcurl, libcurl_binding, transport
from vigie.probes.kit.http.boringssl import is_conclusive, is_eligible
from vigie.probes.kit.http.exchange import Exchange, Request
from vigie.probes.kit.http.libcurl_binding import library
from vigie.probes.kit.http.transport import FallbackTransport, Transport
from vigie.testing.servers import Handler, page, serving

from .looking import Deps, MakeContext, hang, made, with_transport

needs_curl_cffi = pytest.mark.skipif(library() is None, reason="needs curl_cffi")
REQUEST = Request(
    url="https://a.test/", secure=True, method="GET", lines=[], body=None, address="127.0.0.1", total_ms=1_000, connect_ms=400,
    version=None, ca_file="ca.pem", verify=True, proxy=None, max_body=1_024, keep_body=False, keep_page=False, read_tls_version=False,
)  # fmt: skip
HANDSHAKE = Exchange(code=libcurl.E_SSL_CONNECT_ERROR, connect=1.0)


class Scripted:
    """A transport that takes `seconds` for each exchange and has this outcome."""

    def __init__(self, done: Exchange, seconds: float = 0.0) -> None:
        self.done, self.seconds = done, seconds
        self.asked: list[Request] = []
        self.closed = False

    async def exchange(self, request: Request) -> Exchange:
        self.asked.append(request)
        await asyncio.sleep(self.seconds)
        return self.done

    def close(self) -> None:
        self.closed = True


def pair(first: Exchange, seconds: float = 0.0) -> tuple[FallbackTransport, Scripted, Scripted]:
    """The two of them, and both alone."""
    boringssl, openssl = Scripted(first, seconds), Scripted(Exchange(status=200))
    return FallbackTransport(lambda: boringssl, lambda: openssl), boringssl, openssl


@pytest.mark.parametrize(
    ("changes", "eligible"),
    [
        ({}, True),
        ({"method": "HEAD"}, True),
        ({"version": "2"}, True),
        ({"secure": False}, False),
        ({"verify": False}, False),
        ({"ca_file": None}, False),
        ({"method": "POST"}, False),
        ({"method": "DELETE"}, False),
        ({"body": b"{}"}, False),
        ({"proxy": "http://proxy.test:3128"}, False),
        ({"version": "3"}, False),
    ],
)
def test_which_requests_are_eligible(changes: dict[str, Any], eligible: bool) -> None:
    assert is_eligible(replace(REQUEST, **changes)) is eligible


@pytest.mark.parametrize(
    ("done", "final"),
    [
        (Exchange(status=200, connect=1.0, tls=1.0), True),
        (Exchange(status=503, connect=1.0, tls=1.0), True),
        (Exchange(code=libcurl.E_OPERATION_TIMEDOUT), True),
        (Exchange(code=libcurl.E_OPERATION_TIMEDOUT, connect=1.0), True),
        (Exchange(code=libcurl.E_COULDNT_CONNECT), True),
        (Exchange(code=libcurl.E_GOT_NOTHING, connect=1.0, tls=1.0), True),
        (Exchange(code=libcurl.E_PARTIAL_FILE, connect=1.0, tls=1.0, status=200), True),
        (Exchange(code=23, connect=1.0, tls=1.0, status=200, full=True), True),
        (Exchange(code=23, connect=1.0, tls=1.0, headers_too_large=True), True),
        (Exchange(code=23, connect=1.0, tls=1.0), False),
        (Exchange(code=libcurl.E_GOT_NOTHING, connect=1.0), False),
        (Exchange(code=libcurl.E_RECV_ERROR, connect=1.0, tls=1.0), False),
        (HANDSHAKE, False),
        (Exchange(code=libcurl.E_PEER_FAILED_VERIFICATION, connect=1.0), False),
        (Exchange(code=libcurl.E_SSL_CACERT_BADFILE), False),
        (Exchange(code=libcurl.E_OWN), False),
        (Exchange(code=4_711), False),
    ],
)
def test_which_outcomes_are_final(done: Exchange, final: bool) -> None:
    assert is_conclusive(done) is final


@pytest.mark.virtual
async def test_both_share_one_deadline() -> None:
    two, boringssl, openssl = pair(HANDSHAKE, seconds=0.7)

    assert await two.exchange(REQUEST) is openssl.done
    assert boringssl.asked == [REQUEST]
    assert openssl.asked == [replace(REQUEST, total_ms=300, connect_ms=300, read_tls_version=True)]


@pytest.mark.virtual
async def test_without_time_left_the_first_failure_is_final() -> None:
    two, _, openssl = pair(HANDSHAKE, seconds=1.0)

    assert await two.exchange(REQUEST) is HANDSHAKE
    assert openssl.asked == []


@pytest.mark.virtual
async def test_a_host_that_needed_openssl_is_checked_through_it_alone_for_an_hour() -> None:
    two, boringssl, openssl = pair(HANDSHAKE)
    for _ in range(3):
        await two.exchange(REQUEST)
    assert (len(boringssl.asked), len(openssl.asked)) == (1, 3)

    await two.exchange(replace(REQUEST, url="https://b.test/"))
    assert len(boringssl.asked) == 2

    await asyncio.sleep(3_601)
    await two.exchange(REQUEST)
    assert len(boringssl.asked) == 3


async def test_ever_new_hosts_fill_no_memory() -> None:
    two, *_ = pair(HANDSHAKE)
    for number in range(3_000):
        await two.exchange(replace(REQUEST, url=f"https://{number}.test/"))

    assert len(two._openssl_until) <= 1_024


async def test_once_other_code_imports_the_package_everything_is_on_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    two, boringssl, openssl = pair(Exchange(status=200))
    monkeypatch.setitem(sys.modules, "curl_cffi", types.ModuleType("curl_cffi"))

    assert await two.exchange(REQUEST) is openssl.done
    assert boringssl.asked == []


async def test_each_is_made_when_it_is_first_needed_and_closed_when_it_was() -> None:
    two, boringssl, openssl = pair(HANDSHAKE)
    await two.exchange(replace(REQUEST, secure=False))
    two.close()
    assert (boringssl.closed, openssl.closed) == (False, True)
    await two.exchange(REQUEST)
    two.close()
    assert boringssl.closed


async def test_without_the_package_everything_is_on_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(transport, "library", libcurl_binding.library.__wrapped__)
    openssl = Scripted(Exchange(status=200))

    assert await FallbackTransport(make_openssl=lambda: openssl).exchange(REQUEST) is openssl.done


# With servers


def counted(handler: Handler, came: list[int]) -> Handler:
    """This server, which notes who comes."""

    async def counting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(1)
        await handler(reader, writer)

    return counting


async def checked(make_deps: Deps, carrier: Transport, url: str, timeout: int = 2_000, times: int = 2, **options: Any) -> list[CheckResult]:
    """Checks, one after the other."""
    deps = with_transport(make_deps, carrier)
    try:
        probe = build(msgspec.convert({"url": url, **options}, Config, dec_hook=dec_hook), deps)
        return [await probe.check(timeout) for _ in range(times)]
    finally:
        deps.close()


def obsolete(make_context: MakeContext) -> ssl.SSLContext:
    """A server of TLS 1.1."""
    context = make_context(days=60)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


@needs_curl_cffi
async def test_an_obsolete_version_is_judged_through_openssl(make_deps: Deps, make_context: MakeContext) -> None:
    two = made("boringssl")
    async with serving(page(b"hello"), obsolete(make_context)) as port:
        for result in await checked(make_deps, two, f"https://127.0.0.1:{port}/"):
            assert (result.status, result.cause) == (Status.DOWN, Cause.TLS_HANDSHAKE), result.message


BAD: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    ((), {"days": -3}),
    ((), {"begins": 3, "days": 30}),
    (("other.example",), {"days": 60}),
    ((), {"days": 60, "trusted": False}),
]


@needs_curl_cffi
@pytest.mark.parametrize(("names", "options"), BAD)
async def test_a_bad_certificate_is_reported_as_openssl_reports_it(
    names: tuple[str, ...], options: dict[str, Any], make_deps: Deps, make_context: MakeContext
) -> None:
    told = []
    async with serving(page(b"hello"), make_context(*names, **options)) as port:
        for kind in ("openssl", "boringssl"):
            told += await checked(make_deps, made(kind), f"https://127.0.0.1:{port}/")

    assert {result.status for result in told} == {Status.DOWN}
    assert len({repr(replace(result, at=0, timings=Timings())) for result in told}) == 1


@needs_curl_cffi
@pytest.mark.parametrize(("method", "connections"), [("GET", [1, 1, 1]), ("POST", [1, 1])])
async def test_a_broken_handshake_is_repeated_at_the_first_check_only(method: str, connections: list[int], make_deps: Deps) -> None:
    async def closing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(100)

    came: list[int] = []
    async with serving(counted(closing, came)) as port:
        results = await checked(make_deps, made("boringssl"), f"https://127.0.0.1:{port}/", method=method)

    assert [result.cause for result in results] == [Cause.TLS_HANDSHAKE] * 2
    assert came == connections


@needs_curl_cffi
async def test_a_time_out_is_not_repeated(make_deps: Deps) -> None:
    came: list[int] = []
    async with serving(counted(hang, came)) as port:
        results = await checked(make_deps, made("boringssl"), f"https://127.0.0.1:{port}/", 300)

    assert [result.cause for result in results] == [Cause.TIMEOUT_TLS] * 2
    assert len(came) == 2


@needs_curl_cffi
async def test_a_server_that_breaks_off_late_and_then_hangs_gets_no_second_deadline(make_deps: Deps) -> None:
    came: list[int] = []

    async def stalling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5 if len(came) == 1 else None):
                await reader.read()

    async with serving(counted(stalling, came)) as port:
        began = asyncio.get_running_loop().time()
        (result,) = await checked(make_deps, made("boringssl"), f"https://127.0.0.1:{port}/", 1_500, times=1)
        took = asyncio.get_running_loop().time() - began

    assert result.cause is Cause.TIMEOUT_TLS
    assert len(came) == 2
    assert took < 2.0


@needs_curl_cffi
async def test_an_unreadable_trust_store_is_reported_as_before(make_deps: Deps, make_context: MakeContext, tmp_path: Path) -> None:
    async with serving(page(b"hello"), make_context(days=60)) as port:
        results = await checked(make_deps, made("boringssl"), f"https://127.0.0.1:{port}/", ca_file=str(tmp_path / "nowhere.pem"))

    assert [result.cause for result in results] == [Cause.PROBE_ERROR] * 2
