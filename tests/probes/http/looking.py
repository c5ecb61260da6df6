"""How these tests look at a server: one check by a probe of its own, which must end in its time and make sense."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import psutil
import pytest
from tests.probes._fuzz import in_time

from vigie.config.convert import dec_hook
from vigie.core.model import Cause, CheckResult, Status
from vigie.probes.http import Config, build
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.http.boringssl import BoringSslTransport
from vigie.probes.kit.http.libcurl_binding import library
from vigie.probes.kit.http.openssl import OpenSslTransport
from vigie.probes.kit.http.transfers import OWN_POLLER
from vigie.probes.kit.http.transport import FallbackTransport, Transport
from vigie.testing.servers import Handler, serving

Deps = Callable[[], ProbeDeps]
MakeContext = Callable[..., ssl.SSLContext]

OK = "HTTP/1.1 200 OK\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
_MAX_GROWTH = 32 * 1024 * 1024


async def look(make_deps: Deps, url: str, timeout: int = 1_500, **options: Any) -> CheckResult:
    """One check. Whatever the server does it is over in time, and its parts agree."""
    deps = make_deps()
    try:
        probe = build(msgspec.convert({"url": url, **options}, Config, dec_hook=dec_hook), deps)
        started = time.perf_counter()
        result = await in_time(probe.check(timeout), timeout)
        took = time.perf_counter() - started
    finally:
        deps.close()
    assert (result.cause is None) == (result.status is Status.UP)
    assert result.status is (Status.UNKNOWN if result.cause and result.cause.own else result.status)
    assert result.message
    assert result.timings.total is None or result.timings.total <= took * 1000
    return result


async def ask(
    make_deps: Deps, handler: Handler, timeout: int = 1_500, context: ssl.SSLContext | None = None, **options: Any
) -> CheckResult:
    """One check of a server that does this."""
    async with serving(handler, context) as port:
        return await look(make_deps, f"{'https' if context else 'http'}://127.0.0.1:{port}/", timeout, **options)


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """A server that takes everything and says nothing."""
    await reader.read()


def announced(handler: Handler, came: asyncio.Semaphore) -> Handler:
    """This server, which lets `came` through once for each connection."""

    async def announcing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.release()
        await handler(reader, writer)

    return announcing


def made(kind: str, own: bool = OWN_POLLER) -> Transport:
    """A transport whose HTTPS is on this library, with a poller of its own or the loop's."""
    if kind == "openssl":
        return OpenSslTransport(own_poller=own)
    found = library()
    if found is None:
        pytest.skip("curl_cffi is not installed")
    return FallbackTransport(lambda: BoringSslTransport(found, own_poller=own), lambda: OpenSslTransport(own_poller=own))


def with_transport(make_deps: Deps, transport: Transport) -> ProbeDeps:
    """What probes share, this transport with them."""
    deps = make_deps()
    deps.shared("http", lambda: transport, lambda one: one.close())
    return deps


def is_down(result: CheckResult, cause: Cause) -> bool:
    """Whether it is down for this very reason."""
    return (result.status, result.cause) == (Status.DOWN, cause)


@contextlib.asynccontextmanager
async def bounded_memory() -> AsyncIterator[None]:
    """What goes on inside never takes more than 32 MiB more than before, the server's own share included."""
    process = psutil.Process()
    before = most = process.memory_info().rss

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, process.memory_info().rss)
            await asyncio.sleep(0.02)  # slow: from one sample to the next

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
    assert max(most, process.memory_info().rss) - before < _MAX_GROWTH
