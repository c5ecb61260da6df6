"""Asks an exporter as Prometheus does: each target at its own phase of the interval, over kept connections, compressed, with a deadline."""

import asyncio
import gzip
import random
import time
from dataclasses import dataclass, field
from urllib.parse import quote

_HEAD = (
    "GET /probe?module=http_2xx&target={target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: Prometheus/2.55.0\r\n"
    "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1\r\n"
    "Accept-Encoding: gzip\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n"
)
_SUCCESS = b"\nprobe_success 1"

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Scraper:
    """`rate` targets, each asked once a second. `good` counts successes, `bad` everything else."""

    port: int
    url: str
    rate: int
    good: int = 0
    bad: int = 0
    _idle: list[Connection] = field(default_factory=list)

    async def run(self) -> None:
        """Until cancelled."""
        began = time.monotonic()
        chance = random.Random(1)
        await asyncio.gather(*(self._target(began + chance.random()) for _ in range(self.rate)))

    async def _target(self, due: float) -> None:
        while True:
            await asyncio.sleep(due - time.monotonic())
            try:
                success = await self._ask()
            except (OSError, EOFError):
                success = False
            self.good += success
            self.bad += not success
            due += max(1, -(-(time.monotonic() - due) // 1))  # a turn that was overrun is left out

    async def _ask(self) -> bool:
        connection = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = connection
        writer.write(_HEAD.format(target=quote(self.url, safe=""), port=self.port).encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        body = await _chunks(reader) if b"transfer-encoding: chunked" in head else await reader.readexactly(_length(head))
        self._idle.append(connection)
        return _SUCCESS in (gzip.decompress(body) if b"content-encoding: gzip" in head else body)


def _length(head: bytes) -> int:
    return int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body
