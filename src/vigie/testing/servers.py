"""Servers on loopback that behave and misbehave as a test says."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from vigie.net import hang_up

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_PASSES = 4  # of the loop: from a connection that waits to a handler that runs
Serve = Callable[..., contextlib.AbstractAsyncContextManager[int]]


@contextlib.asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext | None = None, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Serve a handler on a port of `host` (a free one by default), over TLS when a context is given; yields the port."""
    tasks: set[asyncio.Task[object]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            await handler(reader, writer)
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            writer.close()

    server = await asyncio.start_server(guarded, host, port, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await ended(server)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            hang_up(writer.transport)  # what a client never read would keep the socket open
        await asyncio.sleep(0)


async def ended(*servers: asyncio.Server) -> None:
    """Let nobody in any more, but first those who are coming in: asyncio forgets their connections if it is closed meanwhile."""
    for _ in range(_PASSES):
        await asyncio.sleep(0)
    for server in servers:
        server.close()


def answering(head: str, body: bytes = b"", *, seen: list[bytes] | None = None) -> Handler:
    """A handler that reads a request and answers with these very bytes."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if seen is not None:
            seen.append(request)
        writer.write(head.replace("\n", "\r\n").encode("latin-1") + body)
        await writer.drain()

    return handler


def page(body: bytes, kind: str = "text/html", status: str = "200 OK", more: str = "", seen: list[bytes] | None = None) -> Handler:
    """A proper answer."""
    head = f"HTTP/1.1 {status}\nContent-Type: {kind}\nContent-Length: {len(body)}\n{more}Connection: close\n\n"
    return answering(head, body, seen=seen)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    hang_up(writer.transport)


@contextlib.contextmanager
def black_hole(host: str = "0.0.0.0", port: int = 0) -> Iterator[int]:  # noqa: S104 - so that 127.0.0.2 is one as well
    """A port where connections are never taken: its queue is full, and the next ones are let fall."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((host, port))
        listener.listen(0)
        port = int(listener.getsockname()[1])
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1" if host == "0.0.0.0" else host, port))  # noqa: S104 - see above
        yield port


def unused() -> int:
    """A port of 127.0.0.1 where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
