"""Names and addresses: every cause of DNS and TCP told apart, every address tried, IPv4 or IPv6 as asked."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from vigie.core.model import Cause, CheckResult, Status
from vigie.net import resolver as module
from vigie.probes.http import Config, build
from vigie.testing.dns_server import EMPTY, NXDOMAIN, REFUSED, SERVFAIL, SILENT, DnsServer, Says
from vigie.testing.servers import page, reset, serving

from .looking import Deps, ask, hang, is_down, look

HERE = Says("A 127.0.0.1")


async def by_name(make_deps: Deps, names: dict[str, Says], host: str = "shop.test", timeout: int = 1_500, **options: Any) -> CheckResult:
    """One check of a server that is found by name, by a resolver of the monitor's own."""
    async with DnsServer(names) as resolver, serving(page(b"hello")) as port:
        return await look(make_deps, f"http://{host}:{port}/", timeout, resolver=resolver.address, **options)


@pytest.mark.parametrize(
    ("says", "cause", "words"),
    [
        (HERE, None, "HTTP 200"),
        (NXDOMAIN, Cause.DNS_NXDOMAIN, "the name shop.test does not exist"),
        (Says("CNAME nowhere.test"), Cause.DNS_NXDOMAIN, "the name shop.test does not exist"),
        (SERVFAIL, Cause.DNS_SERVFAIL, "the resolver failed on shop.test (SERVFAIL)"),
        (REFUSED, Cause.DNS_REFUSED, "the resolver refused to answer for shop.test"),
        (EMPTY, Cause.DNS_NO_ANSWER, "shop.test has no address of the requested family"),
        (Says("CNAME shop.test"), Cause.DNS_NO_ANSWER, "shop.test has no address of the requested family"),
        (SILENT, Cause.DNS_TIMEOUT, "no answer for shop.test from the resolver in 3"),
        (Says("A 127.0.0.1", truncated=True), None, "HTTP 200"),
    ],
)
async def test_every_cause_of_dns(says: Says, cause: Cause | None, words: str, make_deps: Deps) -> None:
    result = await by_name(make_deps, {"shop.test": says}, timeout=300)

    assert (result.status, result.cause) == (Status.DOWN if cause else Status.UP, cause)
    assert result.message.startswith(words)
    assert result.timings.dns is not None
    if cause is not None:
        assert (result.timings.connect, result.timings.first_byte, result.http, result.address) == (None, None, None, None)


async def test_the_system_without_a_resolver_is_our_own_fault(make_deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
    async with DnsServer() as server:
        gone, real = server.address, module._channel
    monkeypatch.setattr(module, "_channel", lambda _: real(gone))

    result = await look(make_deps, "http://shop.test/")

    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PROBE_RESOLVER)
    assert result.message == "this machine's resolver does not answer"


async def test_a_foreign_name_reaches_its_server_as_it_is_spelt_in_dns(make_deps: Deps) -> None:
    seen: list[bytes] = []
    async with DnsServer({"xn--bcher-kva.test": HERE}) as resolver, serving(page(b"hello", seen=seen)) as port:
        result = await look(make_deps, f"http://Bücher.test:{port}/", resolver=resolver.address)

    assert result.status is Status.UP
    assert b"Host: xn--bcher-kva.test:" in seen[0]


async def test_a_redirect_within_a_foreign_name_leads_nowhere_else(make_deps: Deps) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        moves = b"HTTP/1.1 302 Found\r\nLocation: /end\r\nContent-Length: 0\r\n\r\n"
        writer.write(moves if b" / " in request else b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with DnsServer({"xn--bcher-kva.test": HERE}) as resolver, serving(handler) as port:
        result = await look(make_deps, f"http://bücher.test:{port}/", resolver=resolver.address)

    assert result.cause is Cause.HTTP_STATUS
    assert result.host is None


async def test_a_failure_of_dns_is_not_remembered(make_deps: Deps) -> None:
    """The checks that confirm a failure ask again."""
    deps = make_deps()
    async with DnsServer({"shop.test": NXDOMAIN}) as resolver, serving(page(b"hello")) as port:
        probe = build(Config(url=f"http://shop.test:{port}/", resolver=resolver.address), deps)
        first = await probe.check(1_000)
        resolver.names["shop.test"] = HERE
        second = await probe.check(1_000)
    deps.close()

    assert (first.cause, second.cause) == (Cause.DNS_NXDOMAIN, None)


# Addresses


@contextmanager
def silent() -> Iterator[int]:
    """A port where connections are never taken: its backlog is full."""
    with socket.socket() as sock, socket.socket() as first, socket.socket() as second:
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(sock.getsockname())
        yield sock.getsockname()[1]


async def test_every_address_of_a_name_is_tried(make_deps: Deps) -> None:
    """Localhost is ::1 first, where nobody listens, then 127.0.0.1."""
    async with serving(page(b"hello")) as port:
        result = await look(make_deps, f"http://localhost:{port}/", timeout=5_000)

    assert result.status is Status.UP
    assert result.address == "127.0.0.1"
    assert result.addresses == ("::1", "127.0.0.1")


@pytest.mark.parametrize(
    ("dead", "cause"), [("A 127.0.0.2", Cause.TCP_REFUSED), ("A 224.0.0.1", Cause.TCP_UNREACHABLE), ("AAAA ::1", Cause.TCP_REFUSED)]
)
async def test_one_dead_address_is_no_outage_and_only_dead_ones_are(dead: str, cause: Cause, make_deps: Deps) -> None:
    alive = await by_name(make_deps, {"shop.test": Says(dead, "A 127.0.0.1")})
    gone = await by_name(make_deps, {"shop.test": Says(dead)})

    assert (alive.status, alive.address) == (Status.UP, "127.0.0.1")
    assert is_down(gone, cause), gone.message
    assert gone.address == dead.partition(" ")[2]


async def test_a_silent_address_leaves_time_for_the_next(make_deps: Deps) -> None:
    with silent() as port:
        async with (
            DnsServer({"shop.test": Says("A 127.0.0.1", "A 127.0.0.2")}) as resolver,
            serving(page(b"hello"), None, port, "127.0.0.2"),
        ):
            result = await look(make_deps, f"http://shop.test:{port}/", 800, resolver=resolver.address)

    assert result.status is Status.UP, result.message
    assert result.address == "127.0.0.2"
    assert result.timings.total is not None
    assert result.timings.total < 800


async def test_many_silent_addresses_end_in_time(make_deps: Deps) -> None:
    with silent() as port:
        async with DnsServer({"shop.test": Says(*["A 127.0.0.1"], *[f"A 224.0.0.{n}" for n in range(1, 60)])}) as resolver:
            result = await look(make_deps, f"http://shop.test:{port}/", 700, resolver=resolver.address)

    assert result.cause in (Cause.TIMEOUT_CONNECT, Cause.TCP_UNREACHABLE)
    assert len(result.addresses) == 60


async def test_an_answer_that_is_wrong_is_not_asked_of_the_next_address(make_deps: Deps) -> None:
    seen: list[bytes] = []
    async with (
        DnsServer({"shop.test": Says("A 127.0.0.1", "A 127.0.0.1")}) as resolver,
        serving(page(b"", status="500 No", seen=seen)) as port,
    ):
        result = await look(make_deps, f"http://shop.test:{port}/", resolver=resolver.address)

    assert is_down(result, Cause.HTTP_STATUS)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("ip", "says", "cause", "address"),
    [
        (4, Says("A 127.0.0.1", "AAAA ::1"), None, "127.0.0.1"),
        (6, Says("A 127.0.0.1", "AAAA ::1"), None, "::1"),
        (6, Says("A 127.0.0.1"), Cause.DNS_NO_ANSWER, None),
        (4, Says("AAAA ::1"), Cause.DNS_NO_ANSWER, None),
    ],
)
async def test_only_the_family_that_is_asked_for(ip: int, says: Says, cause: Cause | None, address: str | None, make_deps: Deps) -> None:
    async with DnsServer({"shop.test": says}) as resolver, serving(page(b"hello")) as port, serving(page(b"hello"), None, port, "::1"):
        result = await look(make_deps, f"http://shop.test:{port}/", resolver=resolver.address, ip=ip)

    assert (result.cause, result.address) == (cause, address)


@pytest.mark.parametrize(
    ("url", "ip", "cause"),
    [("127.0.0.1", 4, None), ("127.0.0.1", 6, Cause.DNS_NO_ANSWER), ("[::1]", 6, None), ("[::1]", 4, Cause.DNS_NO_ANSWER)],
)
async def test_an_address_of_the_other_family_is_no_answer(url: str, ip: int, cause: Cause | None, make_deps: Deps) -> None:
    async with serving(page(b"hello")) as port, serving(page(b"hello"), None, port, "::1"):
        result = await look(make_deps, f"http://{url}:{port}/", ip=ip)

    assert result.cause is cause
    assert result.timings.dns is None


async def test_localhost_is_this_machine_whatever_a_resolver_says(make_deps: Deps) -> None:
    async with DnsServer({"*": Says("A 127.0.0.9")}) as resolver, serving(page(b"hello")) as port:
        result = await look(make_deps, f"http://app.localhost:{port}/", resolver=resolver.address)

    assert (result.status, result.address) == (Status.UP, "127.0.0.1")


# TCP


async def test_nobody_listens(make_deps: Deps, unused_port: int) -> None:
    result = await look(make_deps, f"http://127.0.0.1:{unused_port}/")

    assert is_down(result, Cause.TCP_REFUSED)
    assert result.address == "127.0.0.1"


async def test_nobody_answers(make_deps: Deps) -> None:
    with silent() as port:
        result = await look(make_deps, f"http://127.0.0.1:{port}/", timeout=200)

    assert is_down(result, Cause.TIMEOUT_CONNECT)
    assert (result.message, result.figures) == ("no connection within 0.2 s", {"limit_ms": 200})


async def test_an_address_that_leads_nowhere(make_deps: Deps) -> None:
    assert is_down(await look(make_deps, "http://224.0.0.1/"), Cause.TCP_UNREACHABLE)


@pytest.mark.parametrize(
    "begun", [b"", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal", b"HTTP/1.1 200 OK\r\n\r\nhal"]
)
async def test_a_connection_that_is_reset(begun: bytes, make_deps: Deps) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(begun)
        await writer.drain()
        await asyncio.sleep(0.02)  # what was sent arrives before the reset
        reset(writer)

    assert is_down(await ask(make_deps, cut), Cause.TCP_RESET)


async def test_a_server_that_takes_the_request_and_says_nothing(make_deps: Deps) -> None:
    result = await ask(make_deps, hang, timeout=200)

    assert is_down(result, Cause.TIMEOUT_FIRST_BYTE)
    assert (result.message, result.figures) == ("no first byte within 0.2 s", {"limit_ms": 200})
    assert result.timings.connect is not None
    assert result.timings.first_byte is None


async def test_a_machine_without_sockets_is_our_own_fault(make_deps: Deps, unused_port: int) -> None:
    import resource  # not on every platform

    deps = make_deps()
    probe = build(Config(url=f"http://127.0.0.1:{unused_port}/"), deps)
    before = await probe.check(500)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as spare:
        lowest = spare.fileno()
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        starved = await probe.check(500)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    after = await probe.check(500)
    deps.close()

    assert (before.cause, after.cause) == (Cause.TCP_REFUSED, Cause.TCP_REFUSED)
    assert (starved.status, starved.cause) == (Status.UNKNOWN, Cause.PROBE_ERROR), starved.message
