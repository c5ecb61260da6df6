"""An application on a real socket, behind the listener that `vigie serve` has."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

from vigie.web.connection import USUAL, Patience
from vigie.web.listener import Listener


@contextlib.asynccontextmanager
async def serving(app: Any, limit: int = 64, patience: Patience = USUAL, grace: float = 2.0) -> AsyncIterator[Listener]:
    """The listener, on a free port of loopback."""
    listener = Listener(app, [socket.create_server(("127.0.0.1", 0))], limit, patience)
    listener.start()
    try:
        yield listener
    finally:
        await listener.close(grace)


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    """The same on a loop and a thread of its own; yields its address."""
    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), list[int]()
    ended = asyncio.Event()

    async def run() -> None:
        async with serving(app) as listener:
            ports.append(listener.port)
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    ready.wait(10)
    yield f"http://127.0.0.1:{ports[0]}"
    loop.call_soon_threadsafe(ended.set)
    thread.join(10)
    loop.close()
