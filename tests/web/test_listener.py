"""The listener among clients that are silent, slow, greedy or broken, over real sockets."""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from tests.web._served import serving

from vigie.web.connection import Connection, Patience
from vigie.web.listener import Listener, Seldom, _group

SHORT = Patience(head=0.4, read=0.4, write=0.4, request=5.0, linger=0.3)
GET = b"GET / HTTP/1.1\r\nHost: v\r\n\r\n"


class App:
    """Says what it was asked; `/slow` waits until told, `/big` is 20 MB, `/crash` breaks, `/stream` never ends."""

    def __init__(self) -> None:
        self.go, self.asked = asyncio.Event(), asyncio.Event()
        self.bodies: list[bytes] = []
        routes = [Route("/", self.hello, methods=["GET", "HEAD", "POST"]), Route("/slow", self.slow), Route("/big", self.big)]
        self.inner = Starlette(routes=[*routes, Route("/crash", self.crash), Route("/half", self.half), Route("/stream", self.stream)])

    async def __call__(self, *asgi: Any) -> None:
        await self.inner(*asgi)

    async def hello(self, request: Request) -> Response:
        with contextlib.suppress(Exception):
            self.bodies.append(await request.body())
        return PlainTextResponse(f"{request.method} {request.url.path}?{request.url.query} {request.headers['host']}")

    async def slow(self, _: Request) -> Response:
        self.asked.set()
        await self.go.wait()
        return PlainTextResponse("at last")

    async def big(self, _: Request) -> Response:
        return PlainTextResponse("x" * 20_000_000)

    async def crash(self, _: Request) -> Response:
        raise RuntimeError("a bug")

    async def half(self, _: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield b"half"
            raise RuntimeError("a bug")

        return StreamingResponse(parts())

    async def stream(self, _: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            while True:
                yield b"data: x\n\n"
                await asyncio.sleep(0.01)  # slow: the pace of a stream

        return StreamingResponse(parts(), media_type="text/event-stream")


@contextlib.asynccontextmanager
async def client(listener: Listener, said: bytes = b"") -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(said)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def said_to(listener: Listener, data: bytes, *, end: bool = False) -> bytes:
    """All that is answered to these bytes, until the server closes."""
    async with client(listener, data) as (reader, writer):
        if end:
            writer.write_eof()
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):
                return await reader.read()
    return b""


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.01)  # slow: nothing says when the server has closed


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (GET, b"GET /? v"),
        (b"GET http://other:81/?a=b HTTP/1.1\r\nHost: v\r\n\r\n", b"GET /?a=b other:81"),
        (b"GET /?msg=\xc3\xa9chec HTTP/1.1\r\nHost: v\r\n\r\n", b"GET /?msg=%C3%A9chec v"),
        (b"GET / HTTP/1.0\r\nHost: v\r\n\r\n", b"GET /? v"),
        (b"\r\n\r\nGET / HTTP/1.1\r\nHost: v\r\n\r\n", b"GET /? v"),
        (b"POST / HTTP/1.1\r\nHost: v\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"POST /? v"),
    ],
)
async def test_forms_of_a_request_that_clients_send(asked: bytes, answer: bytes) -> None:
    async with serving(App(), patience=SHORT) as listener:
        head, _, body = (await said_to(listener, asked, end=True)).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == answer


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 600 + b"\n", b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505"),
        (b"GET /\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
        (b"GET /" + b"x" * 40_000, b"431"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000, b"431"),
        (b"GET / HTTP/1.1\r\nHost: v\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
        (b"GET /none HTTP/1.1\r\nHost: v\r\nConnection: close\r\n\r\n", b"404"),
    ],
)
async def test_what_is_no_request_is_answered_with_an_error(asked: bytes, status: bytes) -> None:
    async with serving(App(), patience=SHORT) as listener:
        assert (await said_to(listener, asked)).split(b" ")[1:2] == [status]


async def test_requests_on_one_connection_are_answered_in_their_order() -> None:
    async with serving(App(), patience=SHORT) as listener:
        asked = b"".join(b"GET /?%d HTTP/1.1\r\nHost: v\r\n\r\n" % number for number in range(20))
        said = await said_to(listener, asked + b"HEAD / HTTP/1.1\r\nHost: v\r\nConnection: close\r\n\r\n")

    assert [said.index(b"GET /?%d v" % number) for number in range(20)] == sorted(
        said.index(b"GET /?%d v" % number) for number in range(20)
    )
    assert said.count(b"HTTP/1.1 200 OK") == 21


async def test_who_waits_for_100_continue_gets_it() -> None:
    app = App()
    async with serving(app, patience=SHORT) as listener, client(listener) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: v\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        writer.write(b"abc")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")

    assert app.bodies == [b"abc"]


@pytest.mark.parametrize("said", [b"", b"G", b"GET / HTTP/1.1\r\nHost: v\r\nA: "])
async def test_headers_that_do_not_come_end_the_connection(said: bytes) -> None:
    async with serving(App(), patience=SHORT) as listener, client(listener, said) as (reader, writer):
        await until(lambda: len(listener) == 1)
        begun = asyncio.get_running_loop().time()
        while len(listener):
            writer.write(b"x")
            await asyncio.sleep(0.05)  # slow: the pace of a client that drips
        assert asyncio.get_running_loop().time() - begun < 5
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""


async def test_an_idle_connection_is_closed() -> None:
    async with serving(App(), patience=SHORT) as listener, client(listener, GET) as (reader, _):
        async with asyncio.timeout(5):
            assert (await reader.read()).endswith(b"GET /? v")


async def test_an_answer_that_is_not_read_is_dropped() -> None:
    async with serving(App(), patience=SHORT) as listener, client(listener, b"GET /big HTTP/1.1\r\nHost: v\r\n\r\n" * 20):
        await until(lambda: len(listener) == 1)
        await until(lambda: len(listener) == 0)


async def test_half_closed_clients_are_answered() -> None:
    async with serving(App(), patience=SHORT) as listener:
        assert b"200 OK" in await said_to(listener, GET, end=True)


async def test_an_unwanted_body_does_not_hide_the_answer() -> None:
    async with serving(App(), patience=SHORT) as listener:
        said = await said_to(listener, b"POST /none HTTP/1.1\r\nHost: v\r\nContent-Length: 900000\r\n\r\n" + b"x" * 900_000)

    assert said.startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize("path", [b"/crash", b"/half"])
async def test_a_page_that_breaks_is_logged_once_a_minute_and_ends_nothing(path: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(App(), patience=SHORT) as listener:
        for _ in range(5):
            said = await said_to(listener, b"GET %s HTTP/1.1\r\nHost: v\r\nConnection: close\r\n\r\n" % path)
            assert said.startswith(b"HTTP/1.1 500" if path == b"/crash" else b"HTTP/1.1 200")
        assert b"200 OK" in await said_to(listener, GET, end=True)

    assert caplog.text.count("a request could not be answered") == 1


async def test_the_longest_silent_makes_room_for_who_speaks() -> None:
    async with serving(App(), limit=8, patience=Patience()) as listener, contextlib.AsyncExitStack() as stack:
        for _ in range(40):
            await stack.enter_async_context(client(listener))
        for _ in range(10):
            assert b"200 OK" in await said_to(listener, GET, end=True)
        assert len(listener) <= 8


async def test_who_is_served_is_not_sent_away() -> None:
    app = App()
    async with serving(app, limit=8, patience=Patience()) as listener, client(listener, GET.replace(b"/", b"/slow", 1)) as (reader, _):
        await app.asked.wait()
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(20):
                await stack.enter_async_context(client(listener))
            assert b"200 OK" in await said_to(listener, GET, end=True)
        app.go.set()
        assert b"200 OK" in await reader.readuntil(b"at last")


async def test_an_address_has_half_of_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vigie.web.listener._group", lambda _: "192.0.2.1")
    async with serving(App(), limit=8, patience=Patience()) as listener, contextlib.AsyncExitStack() as stack:
        for _ in range(20):
            await stack.enter_async_context(client(listener))
        assert b"200 OK" in await said_to(listener, GET, end=True)
        await until(lambda: len(listener) <= 5)


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", ""),
        ("127.8.8.8", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("", ""),
    ],
)
def test_who_shares_a_bound(address: str, group: str) -> None:
    assert _group(address) == group


async def test_without_descriptors_it_waits_and_says_so_once_a_minute(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("vigie.web.listener._RETRY_SECONDS", 0.01)
    loop, tries = asyncio.get_running_loop(), list[int]()
    real = loop.sock_accept

    async def accept(sock: socket.socket) -> Any:
        tries.append(1)
        if len(tries) < 50:
            raise OSError(errno.EMFILE, "Too many open files")
        return await real(sock)

    monkeypatch.setattr(loop, "sock_accept", accept)
    with caplog.at_level(logging.DEBUG):
        async with serving(App(), patience=SHORT) as listener:
            assert b"200 OK" in await said_to(listener, GET, end=True)

    assert len(tries) >= 50
    assert caplog.text.count("cannot be accepted (Too many open files)") == 1


@pytest.mark.parametrize("path", [b"/slow", b"/stream", b"/big"])
async def test_the_end_waits_for_nobody(path: bytes) -> None:
    loop = asyncio.get_running_loop()
    app = App()
    async with contextlib.AsyncExitStack() as stack:
        async with serving(app, patience=Patience(), grace=0.5) as listener:
            for _ in range(3):
                await stack.enter_async_context(client(listener, b"GET %s HTTP/1.1\r\nHost: v\r\n\r\n" % path))
                await stack.enter_async_context(client(listener))
            await until(lambda: len(listener) == 6)
            begun = loop.time()
        assert loop.time() - begun < 2
        assert len(listener) == 0


async def test_what_is_being_answered_is_answered_at_the_end() -> None:
    app = App()
    async with contextlib.AsyncExitStack() as stack:
        async with serving(app, patience=Patience(), grace=5) as listener:
            reader, _ = await stack.enter_async_context(client(listener, GET.replace(b"/", b"/slow", 1)))
            await app.asked.wait()
            asyncio.get_running_loop().call_later(0.1, app.go.set)
        said = await reader.read()

    assert said.endswith(b"at last")
    assert b"connection: close" in said.lower()


def test_a_line_a_minute() -> None:
    now = [100.0]
    seldom = Seldom(lambda: now[0])
    assert [seldom(), seldom()] == [True, False]
    now[0] += 59.9
    assert not seldom()
    now[0] += 0.2
    assert seldom()


async def test_one_whose_time_is_up_at_this_very_moment_can_be_hurried() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        connection = Connection(App(), ours, ("127.0.0.1", 1), lambda _: None, Patience(head=0))
        running = asyncio.create_task(connection.run())
        await asyncio.sleep(0)  # it waits
        await asyncio.sleep(0)  # its time is up, and it does not know yet
        assert connection.waiting_since is not None

        connection.hurry(drop=True)
        await running

        assert connection.waiting_since is None


async def test_whatever_breaks_the_next_connection_is_accepted(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    admit, broken = Listener._admit, [RuntimeError("a bug")]

    def once(self: Listener, sock: socket.socket, address: tuple[str, int]) -> None:
        if broken:
            sock.close()
            raise broken.pop()
        admit(self, sock, address)

    monkeypatch.setattr(Listener, "_admit", once)
    with caplog.at_level(logging.ERROR, "vigie.web"):
        async with serving(App()) as listener:
            assert await said_to(listener, GET) == b""
            assert (await said_to(listener, GET, end=True)).startswith(b"HTTP/1.1 200")

    assert "a bug" in caplog.text
