"""A server on loopback for tests: keeps every request, answers as a test or a script says, stalls, closes, redirects, stops half-way."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import msgspec

STALL, CLOSE, ENDLESS, GARBAGE, HALF = -1, -2, -3, -4, -5
_REASON = "As Told"
_TLS = b"\x16"


@dataclass(frozen=True, slots=True)
class Request:
    """One request; the names of headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request gets: a body of bytes, or a value that is sent as JSON."""

    status: int = 200
    body: Any = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)


class WebhookServer:
    """Listens on a free port of 127.0.0.1; `status`, `headers` and `answer` are what the next request gets, or what `script` says."""

    def __init__(self, script: Callable[[Request], Answer] | None = None, context: ssl.SSLContext | None = None) -> None:
        self.status, self.headers, self.answer = 200, dict[str, str](), b"ok"
        self._script, self._context = script, context
        self.requests: list[Request] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    def tell(self, answer: Answer) -> None:
        """What the next request gets."""
        self.status, self.headers = answer.status, dict(answer.headers)
        self.answer = answer.body if isinstance(answer.body, bytes) else msgspec.json.encode(answer.body)

    @property
    def url(self) -> str:
        """Where to POST; the path is a secret, as it is with Slack and Teams."""
        return f"http://127.0.0.1:{self.port}/services/T0SECRET01/b0SECRET02?sig=hushhush03"

    async def quiet(self) -> None:
        """Wait until every client has gone."""
        if self._talks:
            await asyncio.wait(set(self._talks))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._server is not None:
            self._server.close()
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._talks.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or the server was told to stop
        finally:
            self._talks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        start = await reader.readexactly(1)
        if start == _TLS:
            writer.write(b"HTTP/1.1 400 Plain text is spoken here\r\n\r\n")
            await writer.drain()
            return
        head = (start + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
        method, path, _ = head[0].split(" ", 2)
        pairs = (line.partition(":") for line in head[1:] if line)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(request := Request(method, path, headers, body))
        if self._script is not None:
            self.tell(self._script(request))
        if self.status == STALL:
            await reader.read()  # says nothing until the client gives up
        if self.status in (STALL, CLOSE):
            return
        if self.status == GARBAGE:
            writer.write(b"\x15\x03\x01 this is not HTTP\r\n\r\n")
            await writer.drain()
            return
        missing = 1_000 if self.status == HALF else 0
        length = "" if self.status == ENDLESS else f"Content-Length: {len(self.answer) + missing}\r\n"
        extra = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        writer.write(f"HTTP/1.1 {max(self.status, 200)} {_REASON}\r\n{length}{extra}Connection: close\r\n\r\n".encode())
        while self.status == ENDLESS:
            writer.write(b"on and on " * 1000)
            await writer.drain()
        writer.write(self.answer)
        await writer.drain()
