"""The services that are watched and the receiver of notices: one HTTP server of the harness for both."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.script import Script
from tests.chaos.verdict import Received

_REASONS = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}


@dataclass(slots=True)
class World:
    """`began` is the epoch millisecond at which the script begins; before, and after its end, everything is up."""

    script: Script
    began: int | None = None
    refuses: bool = False  # whether notices are answered with 503
    received: list[Received] = field(default_factory=list)
    other: list[str] = field(default_factory=list)  # notices that are about no service of the script: Vigie's own
    checks: int = 0
    port: int = 0
    controls: list[int] = field(default_factory=list)  # ports that tell whether one's own link works
    _servers: list[asyncio.Server] = field(default_factory=list)
    _talks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def now(self) -> int:
        """Milliseconds since the script began."""
        return round(time.time() * 1000) - (self.began or round(time.time() * 1000))

    async def open(self, host: str) -> None:
        """Listen on a free port, and on two more as control targets."""
        self._servers = [await asyncio.start_server(self._talk, host, 0, backlog=512) for _ in range(3)]
        self.port, *self.controls = (one.sockets[0].getsockname()[1] for one in self._servers)

    async def close(self) -> None:
        """Hang up on everybody."""
        for server in self._servers:
            server.close()
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, path, _ = head.split(" ", 2)
                size = next((int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0)
                status = self._answer(method, path, await reader.readexactly(size))
                body = b"ok" if status == 200 else b""
                writer.write(f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has gone
        finally:
            self._talks.discard(task)
            writer.close()

    def _answer(self, method: str, path: str, body: bytes) -> int:
        name = path.strip("/")
        if method == "POST":
            return self._notice(json.loads(body))
        if name in self.script.outages:
            self.checks += 1
            return 503 if self.began is not None and self.script.is_down(name, self.now) else 200
        return 404

    def _notice(self, body: dict[str, Any]) -> int:
        taken = not self.refuses
        if body["monitor"] in self.script.outages:
            self.received.append(Received(self.now, body["key"], body["thread"], body["monitor"], body["reason"], taken))
        elif taken:
            self.other.append(f"{body['reason']}: {body['headline']}")
        return 200 if taken else 503


async def until(what: str, holds: Callable[[], bool], seconds: float) -> None:
    """Wait until something holds. Raises TimeoutError that names it."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} within {seconds:.0f} s")
        await asyncio.sleep(0.1)  # slow: other processes bring it about
