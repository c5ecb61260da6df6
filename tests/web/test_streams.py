"""Streams on real sockets: longer than the bound of a request, ended when the reader is gone, out of the way when there is no room."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from tests.web._served import serving

from vigie.web import streams
from vigie.web.connection import Patience
from vigie.web.streams import event, streamed

SHORT = Patience(head=5.0, read=0.3, write=0.5, request=0.3, linger=0.1)
ASKED = b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n"


class Source:
    """A stream that says when it began and ended; `more` makes it say something."""

    def __init__(self) -> None:
        self.begun, self.ended, self.more = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def events(self) -> AsyncIterator[bytes]:
        self.begun.set()
        try:
            while True:
                await self.more.wait()
                self.more.clear()
                yield event("rows", {"a": 1}, 7)
        finally:
            self.ended.set()

    def app(self) -> Any:
        async def stream(_: Request) -> Response:
            return streamed(self.events())

        async def plain(_: Request) -> Response:
            return PlainTextResponse("ok")

        return Starlette(routes=[Route("/events", stream), Route("/", plain)])


async def test_a_stream_outlives_the_bound_of_a_request() -> None:
    source = Source()
    async with serving(source.app(), patience=SHORT) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(ASKED)
        await asyncio.wait_for(source.begun.wait(), 5)
        with_bound = asyncio.get_running_loop().time() + 2 * SHORT.request
        while asyncio.get_running_loop().time() < with_bound:
            assert not source.ended.is_set()
            await asyncio.wait({asyncio.ensure_future(source.ended.wait())}, timeout=0.1)
        source.more.set()
        said = await asyncio.wait_for(reader.readuntil(b'data: {"a":1}\n\n'), 5)
        assert b"id: 7\nevent: rows\n" in said
        writer.close()
        await asyncio.wait_for(source.ended.wait(), 5)


async def test_a_reader_that_is_gone_ends_its_stream_though_nothing_is_sent() -> None:
    source = Source()
    async with serving(source.app()) as listener:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(ASKED)
        await asyncio.wait_for(source.begun.wait(), 5)
        writer.transport.abort()
        await asyncio.wait_for(source.ended.wait(), 5)


async def test_the_oldest_stream_makes_room_where_all_connections_are_streams() -> None:
    source = Source()
    async with serving(source.app(), limit=2) as listener:
        _, streaming = await asyncio.open_connection("127.0.0.1", listener.port)
        streaming.write(ASKED)
        await asyncio.wait_for(source.begun.wait(), 5)
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert (await asyncio.wait_for(reader.read(), 5)).endswith(b"ok")
        await asyncio.wait_for(source.ended.wait(), 5)
        streaming.close()
        writer.close()


async def test_a_stop_waits_for_no_stream() -> None:
    source = Source()
    async with serving(source.app(), grace=5.0) as listener:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(ASKED)
        await asyncio.wait_for(source.begun.wait(), 5)
        before = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - before < 4
    assert source.ended.is_set()
    writer.close()


async def test_a_stream_ends_for_whoever_may_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_BEAT_SECONDS", 0.02)
    source, asked = Source(), list[bool]()

    async def may_stay() -> bool:
        asked.append(len(asked) < 2)
        source.more.set()  # changes all the time: a stream that is never silent is asked about, too
        return asked[-1]

    async def stream(_: Request) -> Response:
        return streamed(source.events(), may_stay)

    async with serving(Starlette(routes=[Route("/events", stream)])) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(ASKED)
        await asyncio.wait_for(source.ended.wait(), 5)
        assert asked == [True, True, False]
        assert (await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 5)).endswith(b"0\r\n\r\n")
        writer.close()
