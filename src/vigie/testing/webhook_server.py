"""A receiver of webhooks on loopback for tests: keeps every request, answers as told, stalls, closes, redirects or talks without end."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Self

STALL, CLOSE, ENDLESS, GARBAGE = -1, -2, -3, -4
_REASON = "As Told"
_TLS = b"\x16"


@dataclass(frozen=True, slots=True)
class Request:
    """One request; the names of headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class WebhookServer:
    """Listens on a free port of 127.0.0.1; `status`, `headers` and `answer` are what the next request gets."""

    def __init__(self) -> None:
        self.status, self.headers, self.answer = 200, dict[str, str](), b"ok"
        self.requests: list[Request] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where to POST; the path is a secret, as it is with Slack and Teams."""
        return f"http://127.0.0.1:{self.port}/services/T0SECRET01/b0SECRET02?sig=hushhush03"

    async def quiet(self) -> None:
        """Wait until every client has gone."""
        if self._talks:
            await asyncio.wait(set(self._talks))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
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
        self.requests.append(Request(method, path, headers, body))
        if self.status == STALL:
            await reader.read()  # says nothing until the client gives up
        if self.status in (STALL, CLOSE):
            return
        if self.status == GARBAGE:
            writer.write(b"\x15\x03\x01 this is not HTTP\r\n\r\n")
            await writer.drain()
            return
        length = "" if self.status == ENDLESS else f"Content-Length: {len(self.answer)}\r\n"
        extra = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        writer.write(f"HTTP/1.1 {max(self.status, 200)} {_REASON}\r\n{length}{extra}Connection: close\r\n\r\n".encode())
        while self.status == ENDLESS:
            writer.write(b"on and on " * 1000)
            await writer.drain()
        writer.write(self.answer)
        await writer.drain()
