"""Random bytes, random cuts, random delays, bombs, in HTTP/1.1, HTTP/2 and under TLS: never an exception, never past the deadline.

Each test runs a seed's worth of servers side by side; tests/probes/_fuzz.py says how to run more seeds.
"""

import asyncio
import contextlib
import gzip
import random
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import brotli
import pytest
from tests.probes._fuzz import seeds

from vigie.core.model import CheckResult, Status
from vigie.net import hang_up
from vigie.testing.servers import Handler, page, reset, serving

from .looking import Deps, MakeContext, bounded_memory, look
from .test_versions import DATA, HEADERS, HELLO, OK_HEADERS, frame

SEEDS, AT_ONCE, TIMEOUT = seeds(6), 24, 300
NOT_SEARCHED = "this machine could not search the response in time"  # the reader of documents takes longer to start than a check here
Step = tuple[bytes, float]

ZEROS = bytes(8_000_000)
BOMBS = [
    ("gzip", gzip.compress(ZEROS)),
    ("deflate", zlib.compress(ZEROS)),
    ("br", brotli.compress(ZEROS, quality=1)),
    ("gzip, gzip", gzip.compress(gzip.compress(ZEROS))),
]
SEED_BYTES = [
    b"",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\n<html><title>x</title><meta charset=utf-16>hello",
    b"HTTP/1.1 302 Found\r\nLocation: /a?b=%c3%a9#d\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"hello" * 50),
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=shift_jis\r\nContent-Length: 9\r\n\r\n{"a": 1} ',
    *(b"HTTP/1.1 200 OK\r\nContent-Encoding: " + coding.encode() + b"\r\n\r\n" + bomb for coding, bomb in BOMBS),
]  # fmt: skip
SEED_FRAMES = [
    HELLO + OK_HEADERS + frame(DATA, 1, 1, b"hello"),
    HELLO + frame(HEADERS, 0, 1, b"\x88") + frame(9, 4, 1, b"") + frame(DATA, 1, 1, b"hello"),
    HELLO + OK_HEADERS + frame(6, 0, 0, b"12345678") + frame(8, 0, 0, b"\0\0\1\0") + frame(3, 0, 1, b"\0\0\0\2"),
]


def mutated(chance: random.Random, data: bytes) -> bytes:
    """These bytes with a few things done to them."""
    found = bytearray(data)
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(found) + 1)
        what = chance.randrange(6)
        if what == 0:
            found[at:at] = chance.randbytes(chance.randrange(1, 400))
        elif what == 1:
            del found[at : at + chance.randrange(1, 40)]
        elif what == 2 and at < len(found):
            found[at] ^= 1 << chance.randrange(8)
        elif what == 3:
            found[at:at] = found[: chance.randrange(200)]
        elif what == 4:
            found[at:at] = chance.choice(
                [b"\r\n", b"\0", b"\r\n\r\n", b"HTTP/1.1 ", b"Content-Length: 9\r\n", b": ", b"\xff" * 9, b"9" * 30]
            )
        else:
            found = found[:at]
    return bytes(found)


def script(chance: random.Random, seeds: list[bytes]) -> tuple[list[Step], str]:
    """What is sent with which pauses, and how it ends."""
    data, steps = mutated(chance, chance.choice(seeds)), list[Step]()
    while data:
        size = chance.choice([1, 3, 10, 100, len(data)])
        steps.append((data[:size], chance.choice([0, 0, 0, 0.005, 0.05])))
        data = data[size:]
        if len(steps) > 40:
            steps.append((data, 0))
            break
    return steps, chance.choice(["close", "close", "reset", "hold"])


def acting(steps: list[Step], end: str) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        for part, pause in steps:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        if end == "reset":
            reset(writer)
        if end == "hold":
            await reader.read()

    return handler


async def one(make_deps: Deps, handler: Handler, scheme: str, **options: Any) -> CheckResult:
    async with serving(handler) as port:
        return await look(make_deps, f"{scheme}://127.0.0.1:{port}/", TIMEOUT, **options)


EXPECTED: list[dict[str, Any]] = [
    {},
    {"keyword": "hello"},
    {"json": {"$.a": 1}},
    {"json": {"$..a": 1}},
    {"type": "text/html", "status": "200-599"},
]


async def all_of(make_deps: Deps, handlers: Iterator[Handler], chance: random.Random, scheme: str = "http", **options: Any) -> None:
    async with bounded_memory():
        results = await asyncio.gather(
            *(one(make_deps, handler, scheme, expect=chance.choice(EXPECTED), **options) for handler in handlers)
        )
    lost = [one for one in results if one.status is Status.UNKNOWN and one.message != NOT_SEARCHED]
    assert lost == []


@pytest.mark.parametrize("seed", SEEDS)
async def test_http_1_1(seed: int, make_deps: Deps) -> None:
    chance = random.Random(seed)
    await all_of(make_deps, (acting(*script(chance, SEED_BYTES)) for _ in range(AT_ONCE)), chance)


@pytest.mark.parametrize("seed", SEEDS)
async def test_http_2(seed: int, make_deps: Deps) -> None:
    chance = random.Random(seed)
    await all_of(make_deps, (acting(*script(chance, SEED_FRAMES)) for _ in range(AT_ONCE)), chance, http="2")


def spoilt(chance: random.Random, to: int) -> Handler:
    """A relay to a proper TLS server that spoils what comes back from it: flips, cuts, stalls or drips."""
    at, what = chance.randrange(4_000), chance.choice(["flip", "cut", "stall", "reset", "drip", "repeat", "nothing"])
    noise = chance.randbytes(8)

    def twist(part: bytes) -> bytes:
        return {"flip": bytes([part[0] ^ 0x41]) + part[1:], "repeat": part[:500] + part, "nothing": part}.get(what, part[:1] + noise)

    async def back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = 0
        while data := await reader.read(65_536):
            good, bad = data[: max(at - sent, 0)], data[max(at - sent, 0) :]
            sent += len(data)
            writer.write(good)
            if bad and what in ("cut", "reset"):
                await writer.drain()
                reset(writer) if what == "reset" else writer.close()
                return
            if bad and what == "stall":
                await asyncio.sleep(5)
            if bad and what == "drip":
                for position in range(len(bad)):
                    writer.write(bad[position : position + 1])
                    await writer.drain()
                    await asyncio.sleep(0.002)
            elif bad:
                writer.write(twist(bad))
            await writer.drain()
        writer.close()

    async def forth(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
        tasks = [asyncio.create_task(back(far_reader, writer)), asyncio.create_task(forth(reader, far_writer))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hang_up(far_writer.transport)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return handler


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("options", [{}, {"insecure": True}])
async def test_tls(seed: int, options: dict[str, Any], make_deps: Deps, make_context: MakeContext) -> None:
    chance = random.Random(seed)
    async with serving(page(b"hello" * 300), make_context(days=60)) as port:
        await all_of(make_deps, (spoilt(chance, port) for _ in range(AT_ONCE)), chance, "https", **options)


@pytest.mark.parametrize("seed", SEEDS)
async def test_noise_instead_of_tls(seed: int, make_deps: Deps) -> None:
    chance = random.Random(seed)
    record: Callable[[], bytes] = lambda: bytes([chance.choice([20, 21, 22, 23]), 3, chance.randrange(4)]) + len(noise).to_bytes(2) + noise  # noqa: E731
    handlers = list[Handler]()
    for _ in range(AT_ONCE):
        noise = chance.randbytes(chance.randrange(1, 500))
        handlers.append(acting([(record(), chance.choice([0, 0.02])) for _ in range(3)], chance.choice(["close", "reset", "hold"])))
    await all_of(make_deps, iter(handlers), chance, "https")


@pytest.mark.parametrize("seed", seeds(40))
def test_bodies_and_places(seed: int) -> None:
    """The pure parts, with more of everything."""
    from vigie.probes.kit.http.body import EncodingError, decoded, text_of, title_of
    from vigie.probes.kit.http.urls import Place, moved

    chance = random.Random(seed)
    for _ in range(40):
        body = mutated(chance, chance.choice([gzip.compress(b"hello" * 9), b"<title>x</title>", b"\xff\xfeh\0", chance.randbytes(300)]))
        with contextlib.suppress(EncodingError):
            assert len(decoded(body, chance.choice(["gzip", "br", "deflate", "br, gzip"]), 1_000, cut=chance.random() < 0.5)) <= 1_000
        kind = "text/html; charset=" + chance.choice(["utf-8", "utf-16", "shift_jis", "iso-2022-jp", "gb18030", "x", ""])
        title_of(text_of(body, {"content-type": kind}))
        location = mutated(chance, b"http://ann:pw@shop.example:80/a?b#c").decode("latin-1")
        with contextlib.suppress(ValueError):
            there = moved(Place.of("https://shop.example/x"), location)
            assert there.url.isascii()
            assert not any(letter <= " " for letter in there.url)
