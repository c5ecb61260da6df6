"""Clients of the web listener: several hundred that hold a connection and read nothing, one that reads the page, and jobs that report in."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

_PAGE, _HEALTH = (b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path for path in (b"/", b"/health"))
_HELD = {b"": 300, b"GET / HTTP/1.1\r\nHost: localh": 100, _HEALTH * 20: 20, _PAGE * 5: 2}
_SOURCES = 16
_AGAIN_SECONDS = 10.0
_PATIENCE = 20.0


@dataclass(slots=True)
class Answers:
    """What a well-behaved reader of the page and the jobs got meanwhile: ms an answer took, and how many failed."""

    pages: list[float] = field(default_factory=list)
    pings: int = 0
    failed: list[str] = field(default_factory=list)
    held: int = 0  # connections open at this moment
    over: bool = False  # the program is about to end: nothing more is asked of it


async def _hold(port: int, said: bytes, source: str, answers: Answers) -> None:
    """Connect, say this, read nothing; again a little later, whenever the server has had enough."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0), limit=1)
        except OSError:
            await asyncio.sleep(_AGAIN_SECONDS)
            continue
        answers.held += 1
        try:
            writer.write(said)
            while not writer.is_closing() and not reader.at_eof():  # noqa: ASYNC110 - what is never read tells nobody
                await asyncio.sleep(1)
        finally:
            answers.held -= 1
            writer.transport.abort()
        await asyncio.sleep(_AGAIN_SECONDS)


async def ask(port: int, path: str) -> bytes:
    """An answer's first line. Raises OSError and TimeoutError."""
    async with asyncio.timeout(_PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read()
        finally:
            writer.close()
    return answer.partition(b"\r\n")[0]


async def _read(port: int, answers: Answers) -> None:
    """Look at the page every five seconds, at the health every second."""
    number = 0
    while not answers.over:
        path = "/health" if number % 5 else "/"
        began = time.perf_counter()
        try:
            line = await ask(port, path)
            if b" 200 " not in line:
                answers.failed.append(f"{path}: {line!r}")
            answers.pages.append((time.perf_counter() - began) * 1000)
        except (OSError, TimeoutError) as error:
            answers.failed.append(f"{path}: {type(error).__name__}")
        number += 1
        await asyncio.sleep(1)


async def _report(port: int, tokens: list[str], answers: Answers) -> None:
    """Every job reports within its period; a ping that is not taken is tried again, as `curl --retry` does."""
    while not answers.over:
        for token in tokens:
            for _ in range(3):
                try:
                    line = await ask(port, f"/ping/{token}")
                except (OSError, TimeoutError) as error:
                    line = type(error).__name__.encode()
                if b" 200 " in line:
                    answers.pings += 1
                    break
                await asyncio.sleep(1)
            else:
                answers.failed.append(f"a ping: {line!r}")
            await asyncio.sleep(10 / len(tokens))


@contextlib.asynccontextmanager
async def crowd(port: int, tokens: list[str]) -> AsyncIterator[Answers]:
    """All of them."""
    answers = Answers()
    held = [said for said, count in _HELD.items() for _ in range(count)]
    tasks = [asyncio.create_task(_hold(port, said, f"127.60.0.{number % _SOURCES + 1}", answers)) for number, said in enumerate(held)]
    tasks += [asyncio.create_task(_read(port, answers)), asyncio.create_task(_report(port, tokens, answers))]
    try:
        yield answers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
