"""The server side of agents over HTTP, scripted: hello, batches and orders on loopback, each as a test says."""

import asyncio
import contextlib
import ssl
import zlib
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec

from vigie.errors import UplinkFault
from vigie.fleet import wire
from vigie.fleet.batches import PackedBatch, decode
from vigie.net import hang_up

TOKEN = "token"  # noqa: S105 - of tests
_GZIP = 31
_STATUS = {
    UplinkFault.AUTH: 401,
    UplinkFault.REFUSED: 422,
    UplinkFault.BUSY: 503,
    UplinkFault.VERSION: 426,
}
_REFUSALS = frozenset(_STATUS)


def _length(body: bytes) -> bytes:
    return len(body).to_bytes(4, "little")


class AgentServer:
    """Listens on a port of 127.0.0.1; `welcome` answers hello, `work` begins the orders of whoever does not know its epoch.

    `refusing` is asked for each request (its path, its batches) and may name a fault.
    """

    def __init__(self, welcome: wire.Welcome, work: wire.Work, *, token: str = TOKEN, context: ssl.SSLContext | None = None) -> None:
        self.welcome, self.work, self.token = welcome, work, token
        self.hellos: list[wire.Hello] = []
        self.taken: list[tuple[int, bytes]] = []
        self.posts: list[int] = []  # bytes of each request with batches, as they came
        self.refused: UplinkFault | None = None
        self.refusing: Callable[[str, list[PackedBatch]], UplinkFault | None] = lambda _path, _batches: None
        self.refusals = _REFUSALS
        self.port = 0
        self.changed = asyncio.Event()  # set whenever something came
        self._context = context
        self._server: asyncio.Server | None = None
        self._talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._listeners: set[asyncio.StreamWriter] = set()
        self._going = asyncio.Event()
        self._going.set()

    @property
    def url(self) -> str:
        """Its address."""
        return f"{'http' if self._context is None else 'https'}://127.0.0.1:{self.port}"

    @property
    def batches(self) -> list[PackedBatch]:
        """What was taken, decoded."""
        return [decode(blob) for _, blob in self.taken]

    async def until(self, wanted: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until it is so; looked at whenever something comes."""
        async with asyncio.timeout(seconds):
            while not wanted():
                self.changed.clear()
                await self.changed.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    async def start(self) -> None:
        """Come (back) to the same port."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Go away, and hang up."""
        if self._server is not None:
            self._server.close()
        for talk, writer in list(self._talks.items()):
            talk.cancel()
            hang_up(writer.transport)
        await asyncio.gather(*self._talks, return_exceptions=True)
        self._listeners.clear()

    def stall(self, *, stalled: bool) -> None:
        """Answer nothing from now on, or again."""
        if stalled:
            self._going.clear()
        else:
            self._going.set()

    def refuse(self, fault: UplinkFault | None) -> None:
        """Answer so from now on, or as at the start."""
        self.refused = fault

    async def listened(self) -> None:
        """Wait until somebody listens to orders."""
        await self.until(lambda: bool(self._listeners))

    async def order(self, order: wire.Order) -> None:
        """Give this to whoever listens; all work is what it begins with from now on."""
        if isinstance(order, wire.Work) and order.whole:
            self.work = order
        body = wire.encode(order)
        for writer in list(self._listeners):
            with contextlib.suppress(OSError):
                await _chunk(writer, _length(body) + body)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._talks[task] = writer
        try:
            while await self._serve(reader, writer):
                pass
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or the server was told to stop
        finally:
            self._talks.pop(task, None)
            self._listeners.discard(writer)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; whether another may follow."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
        _, path, _ = head[0].split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        await self._going.wait()
        batches = _split(zlib.decompress(body, _GZIP)) if path == "/agent/v1/batches" else []
        fault = self.refused or (UplinkFault.AUTH if headers.get("authorization") != f"Bearer {self.token}" else None)
        fault = fault or self.refusing(path, [decode(blob) for blob in batches] if batches else [])
        if fault is not None:
            problem = msgspec.json.encode({"title": "no", "detail": "as the test says", "fault": fault})
            await _answer(writer, _STATUS[fault], problem, "application/problem+json")
        elif path == "/agent/v1/hello":
            await self._welcome(body, writer)
        elif path == "/agent/v1/batches":
            self.posts.append(len(body))
            self.taken += [(decode(blob).shard, blob) for blob in batches]
            await _answer(writer, 204, b"")
        else:
            await self._orders(path, reader, writer)
        self.changed.set()
        return True

    async def _welcome(self, body: bytes, writer: asyncio.StreamWriter) -> None:
        hello = wire.decode(body)
        if not isinstance(hello, wire.Hello):
            raise ConnectionResetError
        self.hellos.append(hello)
        spool = hello.spool or self.welcome.spool
        await _answer(writer, 200, wire.encode(msgspec.structs.replace(self.welcome, spool=spool)), "application/vnd.vigie")

    async def _orders(self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        epoch = int(path.rpartition("epoch=")[2])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.vigie\r\nTransfer-Encoding: chunked\r\n\r\n")
        await _chunk(writer, bytes(4))
        if epoch != self.work.epoch:
            body = wire.encode(self.work)
            await _chunk(writer, _length(body) + body)
        self._listeners.add(writer)
        self.changed.set()
        await reader.read(1)  # until it leaves
        raise ConnectionResetError


async def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


async def _answer(writer: asyncio.StreamWriter, status: int, body: bytes, kind: str = "") -> None:
    extra = f"Content-Type: {kind}\r\n" if kind else ""
    writer.write(f"HTTP/1.1 {status} As Told\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()


def _split(data: bytes) -> list[bytes]:
    """The length-prefixed batches of a body."""
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return found
