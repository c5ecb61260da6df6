"""One HTTP server on loopback that speaks HTTP/1.1, 2 and 3 on the same port, by what the client offers.

Needs `hypercorn` with `aioquic` (development dependencies). HTTP/2 and 3 are spoken over TLS, 2 also in clear text.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, cast

App = Callable[[MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]

_PORTS_TRIED = 20
_GRACE_S = 0.1


def saying(body: bytes, headers: tuple[tuple[bytes, bytes], ...] = (), status: int = 200, then: float = 0.0) -> App:
    """An app that answers every request so; `then` is how many seconds it waits between the headers and the body."""

    async def app(scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] != "http":  # hypercorn also asks about its own life
            return
        await receive()
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain"), *headers]})
        if then:
            await send({"type": "http.response.body", "body": body[:1], "more_body": True})
            await asyncio.sleep(then)
        await send({"type": "http.response.body", "body": body[1:] if then else body})

    return app


@contextlib.asynccontextmanager
async def serving_versions(
    app: App, cert: tuple[Path, Path] | None = None, alpn: tuple[str, ...] = ("h2", "http/1.1")
) -> AsyncIterator[int]:
    """Serve an ASGI app on a free port of 127.0.0.1, over TLS and QUIC when (certificate, key) are given; yields the port.

    `alpn` is what is spoken over TCP.
    """
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    tcp, udp = _sockets()
    port: int = tcp.getsockname()[1]
    config = Config()
    config.bind, config.alpn_protocols = f"fd://{tcp.detach()}", list(alpn)
    config.errorlog, config.graceful_timeout = logging.getLogger("vigie.testing.hypercorn"), _GRACE_S
    if cert is not None:
        config.certfile, config.keyfile = (str(path) for path in cert)
        config.quic_bind = f"fd://{udp.detach()}"
    udp.close()
    stop = asyncio.Event()
    task = asyncio.get_running_loop().create_task(serve(cast("Any", app), config, shutdown_trigger=stop.wait))
    try:
        yield port
    finally:
        stop.set()
        await asyncio.wait({task})


def _sockets() -> tuple[socket.socket, socket.socket]:
    """A TCP and a UDP socket on the same free port, so that one URL serves for every version."""
    for _ in range(_PORTS_TRIED):
        tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        try:
            tcp.bind(("127.0.0.1", 0))
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
        else:
            tcp.listen()
            return tcp, udp
    raise OSError("no port is free for both UDP and TCP")
