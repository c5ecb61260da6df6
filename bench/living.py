"""`vigie serve` inside the measuring process, which is then its parent: the prober is a process of its own as always, and every result is seen whole."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from bench.ground import folder, free_port
from vigie.clock import SystemClock
from vigie.config import load
from vigie.engine.transition import Transition
from vigie.server import Server
from vigie.serving import site_of
from vigie.web.app import build
from vigie.web.listener import Listener


class Living:
    """A running service, the port of its page, and every turn that its ingest takes (`hear` may be set at any time)."""

    def __init__(self, service: Server, port: int) -> None:
        self.service, self.port = service, port
        self.hear: Callable[[Transition], None] = lambda _: None
        service.runtime.ingest.listen_to_results(self._tell)

    async def _tell(self, turn: Transition) -> None:
        self.hear(turn)


@contextlib.asynccontextmanager
async def living(text: str) -> AsyncIterator[Living]:
    """Serve the configuration of this text, status page included."""
    logging.getLogger("vigie").setLevel(logging.CRITICAL)
    with folder() as place:
        (place / "vigie.yaml").write_text(f"log: {{file: null}}\ncontrol: []\n{text}")
        settings = load(None, {}, place)
        service = Server(settings, SystemClock(), lambda: settings)
        living_one = Living(service, free_port())
        app = build(site_of(service))
        page = Listener(app, [socket.create_server(("127.0.0.1", living_one.port))], 64)
        page.start()
        await service.start()
        try:
            yield living_one
        finally:
            await service.stop(page.close(1.0))


async def until(true: Callable[[], bool], seconds: float) -> bool:
    """Whether it came to pass in time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 - what is waited for sets no event
                await asyncio.sleep(0.01)
            return True
    return False


def monitor(name: str, url: str, *, every: str = "1s", timeout: str = "5s", more: str = "") -> str:
    """A line of `monitors`."""
    return f"  - {{name: {name}, url: '{url}', every: {every}, timeout: {timeout}{more}}}\n"


def mail(port: int, ca_file: Path) -> str:
    """A mail channel."""
    return f"{{type: email, to: team@site.test, sender: vigie@site.test, host: localhost, port: {port}, ca_file: '{ca_file}'}}"
