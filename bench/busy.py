"""Work for the parent: pages read without pause, a thousand results a second stored, incidents that open and close with reports and mails."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from bench.living import Living
from vigie.core.model import CheckResult, HttpFacts, Status, Timings
from vigie.ports import Commit
from vigie.testing.servers import serving

READERS = 2
TURN_SECONDS = 2.0  # how long the sick site stays up or down


@contextlib.asynccontextmanager
async def sick_site() -> AsyncIterator[str]:
    """A site that is up and down by turns; yields its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        status = "200 OK" if time.monotonic() % (2 * TURN_SECONDS) < TURN_SECONDS else "503 Service Unavailable"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".encode())
        await writer.drain()

    async with serving(answer) as port:
        yield f"http://127.0.0.1:{port}/"


@contextlib.asynccontextmanager
async def busy(one: Living) -> AsyncIterator[dict[str, float]]:
    """Keep it busy; yields what was done, filled in at the end."""
    done = {"pages": 0.0, "results stored": 0.0, "incidents": 0.0, "% CPU of the parent": 0.0}
    tasks = [asyncio.create_task(_read(one.port, done)) for _ in range(READERS)]
    tasks.append(asyncio.create_task(_store(one, done)))
    started, used = time.monotonic(), time.process_time()
    try:
        yield done
    finally:
        done["% CPU of the parent"] = (time.process_time() - used) / (time.monotonic() - started) * 100
        done["incidents"] = float(len(await one.service.runtime.store.archive.incidents(limit=100_000)))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(port: int, done: dict[str, float]) -> None:
    """A reader of the status page who never rests."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:  # the page is not up yet
            await asyncio.sleep(0.1)
            continue
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await reader.read()
        writer.close()
        done["pages"] += 1


async def _store(one: Living, done: dict[str, float]) -> None:
    """A thousand more results a second."""
    timings = Timings(0.4, 1.2, 8.1, 52.3, 0.6, 62.6)
    while True:
        now = time.time_ns() // 1_000_000
        results = tuple(
            CheckResult(f"exact{number % 100}", now, Status.UP, timings=timings, http=HttpFacts(200, "1.1")) for number in range(100)
        )
        await one.service.runtime.store.ledger.commit(Commit(results=results))
        done["results stored"] += len(results)
        await asyncio.sleep(0.1)
