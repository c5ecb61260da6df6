"""One connection: HTTP/1.1 by h11, requests one after the other, each handed to an ASGI application.

Nothing here waits for a client without a bound: its headers, its body, and that it reads what it is sent. Bytes are read when they
are wanted and written when the kernel takes them, so that a client can fill no buffer of ours. What a client pipelines is read when
its turn comes.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

import h11

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

_HEAD_BYTES = 32_768
_PIECE = 65_536
_STREAMS = (b"text/event-stream", b"application/vnd.vigie.orders")
_LEFT_BYTES = 1_048_576  # of a body that nobody wanted, so that its sender sees the answer


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client is waited for, in seconds."""

    head: float = 10.0  # for all headers of the first request, or of the next one
    read: float = 10.0  # for the next bytes of a body
    write: float = 10.0  # until it takes the next piece of an answer
    request: float = 60.0  # from the headers to the end of the answer
    linger: float = 2.0  # for the rest of a body that nobody wanted


USUAL = Patience()


class Connection:
    """Serves one accepted socket. `crashed` is called while an exception of the application is handled."""

    def __init__(
        self, app: App, sock: socket.socket, peer: tuple[str, int], crashed: Callable[[Exception], None], patience: Patience = USUAL
    ) -> None:
        self._app, self._sock, self._peer, self._crashed, self._patience = app, sock, peer, crashed, patience
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Timeout | None = None
        self._bound: asyncio.Timeout | None = None
        self._writing = False
        self._left = asyncio.Event()  # the client is gone, or its stream is to end
        self.last = False  # no request follows the one under way
        self.waiting_since: float | None = self._loop.time()
        self.streaming_since: float | None = None

    async def run(self) -> None:
        """Serve requests until the client or a bound ends it. The socket is closed by whoever accepted it."""
        try:
            while await self._exchange():
                self._http.start_next_cycle()
        except (OSError, TimeoutError, h11.LocalProtocolError):
            """The client went away, or was too slow."""

    def hurry(self, *, drop: bool) -> None:
        """Wait for the client no longer: a body ends where it is, and no request follows; `drop` also an answer that it does not read."""
        self.last = True
        if self.streaming_since is not None:
            self._left.set()
        if self._waiting is not None and not self._waiting.expired() and (drop or not self._writing):
            self._waiting.reschedule(self._loop.time())

    @asynccontextmanager
    async def _patient(self, seconds: float) -> AsyncIterator[None]:
        """Wait for the client. Raises TimeoutError."""
        self.waiting_since = self._loop.time()
        try:
            async with asyncio.timeout(seconds) as self._waiting:
                yield
        finally:
            self._waiting = self.waiting_since = None

    async def _exchange(self) -> bool:
        """One request and its answer; whether another may follow."""
        try:
            async with self._patient(0 if self.last else self._patience.head):
                await self._first_line()
                request = await self._event()
        except h11.RemoteProtocolError as error:
            await self._refuse(error.error_status_hint)
            return False
        if not isinstance(request, h11.Request):
            return False  # the client is done
        if not request.http_version.startswith(b"1."):
            await self._refuse(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
            return False
        answer = _Answer(self, self._http, request)
        async with asyncio.timeout(self._patience.request) as self._bound:
            try:
                await self._app(_scope(request, self._peer, self._sock), answer.receive, answer.send)
            except Exception as error:  # noqa: BLE001 - a page that breaks is logged, and ends neither the server nor the watch over anything
                self._crashed(error)
            await answer.finish()
        return await self._may_go_on()

    async def _may_go_on(self) -> bool:
        """Whether the next request can be read: what is left of this one's body is taken and forgotten, within bounds."""
        seen = 0
        try:
            async with asyncio.timeout(self._patience.linger):
                while self._http.their_state is h11.SEND_BODY and not self._http.they_are_waiting_for_100_continue:
                    event = await self.body_event()
                    seen += len(event.data) if isinstance(event, h11.Data) else 0
                    if seen > _LEFT_BYTES:
                        break
        except (TimeoutError, h11.RemoteProtocolError):
            return False
        return not self.last and (self._http.our_state, self._http.their_state) == (h11.DONE, h11.DONE)

    async def _first_line(self) -> None:
        """Take the request's first line in, with what is not ASCII in it escaped: curl sends the bytes of its command line as they are."""
        if self._http.trailing_data[0]:
            return
        data = b""
        while b"\n" not in data and len(data) < _HEAD_BYTES:
            more = await self._loop.sock_recv(self._sock, _PIECE)
            data = (data + more).lstrip(b"\r\n")  # RFC 9112 §2.2: blank lines before a request mean nothing
            if not more:
                break
        line, end, rest = data.partition(b"\n")
        if not line.isascii():
            line = b"".join(b"%%%02X" % byte if byte > 0x7F else bytes((byte,)) for byte in line)
        self._http.receive_data(line + end + rest)

    async def _event(self) -> Any:
        """The next thing that the client says. Raises RemoteProtocolError for what is not HTTP, OSError."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._loop.sock_recv(self._sock, _PIECE))
        return event

    async def body_event(self) -> Any:
        """The next of a body. Raises TimeoutError, RemoteProtocolError, OSError."""
        if self.last:
            raise TimeoutError
        async with self._patient(self._patience.read):
            return await self._event()

    def stream(self) -> None:
        """The answer under way goes on for as long as its reader stays."""
        self.streaming_since = self._loop.time()
        if self._bound is not None and not self._bound.expired():
            self._bound.reschedule(None)
        if self.last:
            self._left.set()

    def give_up(self) -> None:
        """The client does not take what it is sent."""
        self._left.set()

    async def left(self) -> None:
        """Wait until the client is gone. Nothing is read: what it sends meanwhile is the next request's."""
        self._loop.add_reader(self._sock, self._peek)
        try:
            await self._left.wait()
        finally:
            self._loop.remove_reader(self._sock)

    def _peek(self) -> None:
        try:
            gone = not self._sock.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            gone = True
        self._loop.remove_reader(self._sock)  # it would be called for ever
        if gone:
            self._left.set()

    async def write(self, data: bytes) -> None:
        """Send. Raises TimeoutError where the client does not take it, OSError."""
        view = memoryview(data)
        self._writing = True
        for start in range(0, len(view), _PIECE):
            async with self._patient(self._patience.write):
                await self._loop.sock_sendall(self._sock, view[start : start + _PIECE])
        self._writing = False

    async def _refuse(self, status: int) -> None:
        """Answer what is not a request, and take what else was on its way, so that the answer is seen."""
        words = f"{int(status)} {HTTPStatus(status).phrase}\n".encode()
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(words))), ("Connection", "close")]
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        head = self._http.send(h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase)) or b""
        await self.write(head + words)
        self._sock.shutdown(socket.SHUT_WR)
        seen = 0
        async with self._patient(self._patience.linger):
            while seen < _LEFT_BYTES and (data := await self._loop.sock_recv(self._sock, _PIECE)):
                seen += len(data)


class _Answer:
    """What the application is given to hear a request's body and to answer it."""

    def __init__(self, connection: Connection, http: h11.Connection, request: h11.Request) -> None:
        self._connection, self._http = connection, http
        self._head = request.method == b"HEAD"
        self._heard = self._gone = False

    async def receive(self) -> Message:
        """The next of the body; `http.disconnect` where it ends early, comes too slowly or is broken."""
        if self._heard:
            await self._connection.left()
            return {"type": "http.disconnect"}
        try:
            if self._http.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[], reason="Continue"))
            event = await self._connection.body_event()
        except (TimeoutError, OSError, h11.RemoteProtocolError):
            self._heard = True
            return {"type": "http.disconnect"}
        self._heard = isinstance(event, h11.EndOfMessage)
        data = bytes(event.data) if isinstance(event, h11.Data) else b""
        return {"type": "http.request", "body": data, "more_body": not self._heard}

    async def send(self, message: Message) -> None:
        """The start or a part of the answer."""
        if message["type"] == "http.response.start":
            await self._start(message["status"], message.get("headers", ()))
            return
        body = b"" if self._head else bytes(message.get("body", b""))
        if body:
            await self._send(h11.Data(data=body))
        if not message.get("more_body", False):
            await self._send(h11.EndOfMessage())

    async def finish(self) -> None:
        """Answer where the application did not; half an answer ends with the connection. Raises ConnectionError for who is gone."""
        if self._gone:
            raise ConnectionAbortedError
        if self._http.our_state is h11.SEND_RESPONSE:
            await self._start(500, [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"0")])
            await self._send(h11.EndOfMessage())

    async def _start(self, status: int, headers: Any) -> None:
        more = [(b"date", formatdate(usegmt=True).encode())]
        if any(name.lower() == b"content-type" and value.startswith(_STREAMS) for name, value in headers):
            self._connection.stream()
        if self._connection.last:
            more.append((b"connection", b"close"))
        await self._send(h11.Response(status_code=status, headers=[*more, *headers], reason=HTTPStatus(status).phrase))

    async def _send(self, event: Any) -> None:
        """Nothing to a client that went away or does not read: which does not concern the application."""
        if self._gone:
            return
        try:
            await self._connection.write(self._http.send(event) or b"")
        except (OSError, TimeoutError):
            self._gone = True
            self._connection.give_up()


def _scope(request: h11.Request, peer: tuple[str, int], sock: socket.socket) -> Message:
    """The request as ASGI has it. An absolute target (RFC 9112 §3.2.2) names the host instead of the header."""
    target, headers = request.target, list(request.headers)
    if not target.startswith(b"/") and b"://" in target:
        split = urlsplit(target)
        headers = [(b"host", split.netloc.rpartition(b"@")[2]), *(one for one in headers if one[0] != b"host")]
        target = (split.path or b"/") + (b"?" + split.query if split.query else b"")
    path, _, query = target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": request.http_version.decode(),
        "method": request.method.decode(),
        "scheme": "http",
        "root_path": "",
        "path": unquote(path.decode()),
        "raw_path": path,
        "query_string": query,
        "headers": headers,
        "client": peer,
        "server": sock.getsockname()[:2],
    }
