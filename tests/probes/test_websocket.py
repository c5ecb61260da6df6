"""WebSocket against a real server, and against servers that refuse, lie and stumble."""

import asyncio
import base64
import hashlib
import logging
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, basic_auth
from websockets.asyncio.server import serve as websockets_serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from vigie.core.model import Cause, CheckResult, Status
from vigie.net import Secret
from vigie.probes.kit.deps import configured
from vigie.probes.kit.http.config import Auth, Basic
from vigie.probes.websocket import Config, Place
from vigie.testing.servers import Handler, Serve, answering

Look = Callable[..., Awaitable[CheckResult]]
Contexts = Callable[..., ssl.SSLContext]

logging.getLogger("websockets").setLevel(logging.CRITICAL)


async def echo(connection: ServerConnection) -> None:
    try:
        await connection.send("welcome")
        await connection.send(b"x" * 300_000)
        await connection.send(["frag", "men", "ted"])
        async for message in connection:
            await connection.send(f"you said {message!r}")
    except ConnectionClosed:
        pass


@asynccontextmanager
async def websockets(context: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator[str]:
    """The real server on a free port; its URL."""
    async with websockets_serve(echo, "127.0.0.1", 0, ssl=context, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"{'ws' if context is None else 'wss'}://127.0.0.1:{port}/events?room=1"


def upgrading(
    *frames: bytes, accept: str | None = None, more: str = "", then: Callable[[bytes], bytes] = lambda _: b"", flood: bytes = b""
) -> Handler:
    """A server that upgrades and then sends these frames, and the flood without end; `then` answers what it hears."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = re.search(r"Sec-WebSocket-Key: (\S+)", request)
        assert key is not None
        proof = base64.b64encode(hashlib.sha1(f"{key[1]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()
        head = f"HTTP/1.1 101 Go\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: {accept or proof}\r\n{more}\r\n"
        writer.write(head.encode() + b"".join(frames))
        while flood or (data := await reader.read(65_536)):
            writer.write(flood or then(data))
            await writer.drain()

    return handle


def pong(data: bytes) -> bytes:
    """To the ping in what was heard; its mask and payload follow two bytes of head."""
    at = data.find(b"\x89\x88")
    if at < 0:
        return b""
    mask, covered = data[at + 2 : at + 6], data[at + 6 : at + 14]
    return b"\x8a\x08" + bytes(byte ^ mask[index % 4] for index, byte in enumerate(covered))


@pytest.mark.parametrize("secure", [False, True])
async def test_a_healthy_server_is_up(look_at: Look, make_context: Contexts, secure: bool) -> None:
    async with websockets(make_context() if secure else None) as url:
        result = await look_at("websocket", url=url)
        told = await look_at("websocket", url=url, send="how é you?" * 30_000, expect="you said 'how é you?")
        heard = await look_at("websocket", url=url, expect="fragmented")

    assert (result.status, result.message) == (Status.UP, "upgraded, pong"), result
    assert (result.tls is not None) == secure
    assert (told.status, told.message) == (Status.UP, "upgraded, message as expected, pong"), told
    assert heard.status is Status.UP


async def test_another_message_than_expected_is_quoted(look_at: Look) -> None:
    async with websockets() as url:
        result = await look_at("websocket", url=url, expect="goodbye", within=300)

    assert (result.cause, result.figures["got"]) == (Cause.PROTOCOL_MISMATCH, "fragmented")
    assert result.message == "no message contains the expected text; the last one differs (fragmented)"


async def test_login_and_subprotocol(look_at: Look) -> None:
    guard = basic_auth(realm="x", credentials=("me", "open sesame"))
    async with websockets(process_request=guard, subprotocols=[Subprotocol("chat")]) as url:
        good = Auth(basic=Basic(user="me", password=Secret("open sesame")))
        assert (await look_at("websocket", url=url, auth=good, subprotocol="chat")).status is Status.UP
        refused = await look_at("websocket", url=url)
        other = await look_at("websocket", url=url, auth=good, subprotocol="news")

    assert (refused.status, refused.cause, refused.message) == (Status.DOWN, Cause.HTTP_STATUS, "HTTP 401 instead of 101")
    assert refused.figures == {"status": 401, "expected": "101"}
    assert other.cause in (Cause.PROTOCOL_MISMATCH, Cause.HTTP_STATUS)


@pytest.mark.parametrize(
    ("handler", "cause", "message"),
    [
        (answering("HTTP/1.1 502 Bad Gateway\nContent-Length: 0\n\n"), Cause.HTTP_STATUS, "HTTP 502 instead of 101"),
        (answering("220 mail\n"), Cause.PROTOCOL_MISMATCH, "the response is not HTTP (220 mail)"),
        (
            upgrading(accept="x" * 28),
            Cause.PROTOCOL_MISMATCH,
            "the server agrees to an upgrade, but does not prove that it speaks WebSocket",
        ),
        (
            upgrading(more="Sec-WebSocket-Protocol: x\r\n"),
            Cause.PROTOCOL_MISMATCH,
            "the server chose another subprotocol than the requested one (x)",
        ),
        (upgrading(more="a: b\r\n" * 200), Cause.PROTOCOL_MISMATCH, "an answer of more than 100 headers"),
        (upgrading(b"\x88\x0b\x03\xf0forbidden"), Cause.PROTOCOL_MISMATCH, "the server closed the WebSocket (1008: forbidden)"),
        (upgrading(b"\x88\x00"), Cause.PROTOCOL_MISMATCH, "the server closed the WebSocket (1005)"),
        (upgrading(b"\xc1\x01a"), Cause.PROTOCOL_MISMATCH, "what arrived is not a WebSocket frame (c1 01)"),
        (upgrading(b"\x81\x81maska"), Cause.PROTOCOL_MISMATCH, "what arrived is not a WebSocket frame (81 81)"),
        (upgrading(b"\x89\x7e\x01\x00"), Cause.PROTOCOL_MISMATCH, "what arrived is not a WebSocket frame (89 7e)"),
        (upgrading(b"\x80\x01a"), Cause.PROTOCOL_MISMATCH, "message fragments are out of order"),
        (upgrading(b"\x01\x01a\x81\x01b"), Cause.PROTOCOL_MISMATCH, "message fragments are out of order"),
    ],
)
async def test_a_refusal_says_what_came(look_at: Look, serve: Serve, handler: Handler, cause: Cause, message: str) -> None:
    async with serve(handler) as port:
        result = await look_at("websocket", url=f"ws://127.0.0.1:{port}")

    assert (result.status, result.cause, result.message) == (Status.DOWN, cause, message)


async def test_a_ping_in_between_is_answered(look_at: Look, serve: Serve) -> None:
    heard: list[bytes] = []

    def then(data: bytes) -> bytes:
        heard.append(data)
        return pong(data)

    async with serve(upgrading(b"\x89\x02hi", then=then)) as port:
        assert (await look_at("websocket", url=f"ws://127.0.0.1:{port}")).status is Status.UP

    assert b"\x8a\x82" in b"".join(heard)


async def test_a_flood_of_tiny_frames_ends_at_the_deadline(look_at: Look, serve: Serve, stopwatch: Callable[[], float]) -> None:
    async with serve(upgrading(b"\x01\x01a", flood=b"\x00\x01b" * 50_000)) as port:
        result = await look_at("websocket", url=f"ws://127.0.0.1:{port}", within=300)

    assert result.cause is Cause.TIMEOUT_TOTAL
    assert stopwatch() < 0.3 + 0.4


def test_urls_and_faults_of_the_configuration() -> None:
    config = configured(Config, Config.from_url("wss://api.example.com/live?token=secret"))
    assert (config.target, config.host) == ("wss://api.example.com/live?token=***", "api.example.com")
    assert Place.of("ws://exämple.com/a b?q=ü#".rstrip("#")) == Place(False, "xn--exmple-cua.com", 80, "/a%20b?q=%C3%BC")
    wrongs: list[dict[str, Any]] = [
        {"url": "http://x"},
        {"url": "ws://"},
        {"url": "ws://x:y"},
        {"url": "ws://me:pw@x"},
        {"headers": {"a b": Secret("c")}},
        {"headers": {"a": Secret("b\r\nc: d")}},
        {"subprotocol": "a b"},
    ]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"URL|header|subprotocol"):
            Config(**{"url": "ws://x", **wrong})
