"""Servers that lie, flood and drip in HTTP/1.1: a cause in bounded time and memory, and the neighbours that only look like it."""

import asyncio

import pytest

from vigie.core.model import Cause, Status
from vigie.testing.servers import Handler, answering, page

from .looking import HELLO, OK, Deps, MakeContext, announced, ask, bounded_memory, hang, is_down

PROTOCOL, TRUNCATED, TOTAL, FIRST = Cause.HTTP_PROTOCOL, Cause.HTTP_TRUNCATED, Cause.TIMEOUT_TOTAL, Cause.TIMEOUT_FIRST_BYTE
CHUNKED = OK + "Transfer-Encoding: chunked\n\n"
FIVE = OK + "Content-Length: 5\n"


def dripping(head: str, each: bytes, seconds: float = 0.01) -> Handler:
    """The head at once, then these bytes again and again, a little later each time."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.replace("\n", "\r\n").encode())
        while True:
            await writer.drain()
            await asyncio.sleep(seconds)
            writer.write(each)

    return handler


def flooding(head: str, each: bytes) -> Handler:
    """The head, then these bytes for ever, as fast as they are taken."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.replace("\n", "\r\n").encode())
        while True:
            writer.write(each)
            await writer.drain()

    return handler


def staying(head: str, body: bytes = b"") -> Handler:
    """An answer after which the connection is left open."""
    proper = answering(head, body)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await proper(reader, writer)
        await reader.read()

    return handler


def fields(count: int, value: str = "a") -> str:
    return "".join(f"X-{number}: {value}\n" for number in range(count))


async def close_at_once(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


FAULTS: list[tuple[str, Handler, Cause]] = [
    # Nothing, or no HTTP
    ("hangs", hang, FIRST),
    ("says nothing", close_at_once, Cause.HTTP_EMPTY_REPLY),
    ("speaks SSH", answering("SSH-2.0-OpenSSH\n"), PROTOCOL),
    ("speaks HTTP/0.9", answering("", b"<html>hello</html>"), PROTOCOL),
    ("speaks ICY", answering("ICY 200 OK\n\n", b"hello"), PROTOCOL),
    ("answers HTTP/2 in HTTP/1", answering("HTTP/2 200 OK\nContent-Length: 5\n\n", b"hello"), PROTOCOL),
    ("babbles for ever", flooding("", b"A" * 10_000), PROTOCOL),
    ("never ends its first line", flooding("HTTP/1.1 200 ", b"A" * 10_000), PROTOCOL),
    ("has a status of nought", answering("HTTP/1.1 000 No\n\n"), PROTOCOL),
    ("has a status of two digits", answering("HTTP/1.1 99 No\n\n"), PROTOCOL),
    ("switches protocols", answering("HTTP/1.1 101 Switching\nUpgrade: x\nConnection: upgrade\n\n", b"xx"), Cause.HTTP_STATUS),
    # Headers
    ("sends endless headers", flooding(OK, b"X-Filler: " + b"y" * 1_000 + b"\r\n"), PROTOCOL),
    ("sends one header of 300 KB", answering(OK + fields(1, "y" * 300_000) + "\n"), PROTOCOL),
    ("sends headers of 270 KB", answering(FIVE + fields(270, "y" * 1_000) + "\n", b"hello"), PROTOCOL),
    ("sends 10,000 header lines", answering(FIVE + fields(10_000) + "\n", b"hello"), PROTOCOL),
    ("has a NUL in its headers", answering(FIVE + "X: a\0b\n\n", b"hello"), PROTOCOL),
    ("has a line without a colon", answering(FIVE + "nonsense\n\n", b"hello"), PROTOCOL),
    ("ends inside its headers", answering(OK + "Content-Le"), PROTOCOL),
    ("ends after a header line", answering(FIVE), PROTOCOL),
    ("has two places to go", answering("HTTP/1.1 302 Found\nLocation: /a\nLocation: /b\nContent-Length: 0\n\n"), PROTOCOL),
    ("drips its headers", dripping(OK + "X: ", b"y"), TOTAL),
    ("drips header lines", dripping(OK, b"X: y\r\n"), TOTAL),
    ("floods with 100", flooding("", b"HTTP/1.1 100 Continue\r\n\r\n" * 50), PROTOCOL),
    ("floods with 103", flooding("", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 50), PROTOCOL),
    # Lengths
    ("lies about its length", answering(OK + "Content-Length: 100\n\n", b"short"), TRUNCATED),
    ("has a negative length", answering(OK + "Content-Length: -5\n\n", b"hello"), PROTOCOL),
    ("has two lengths", answering(FIVE + "Content-Length: 6\n\n", b"hello!"), PROTOCOL),
    ("has a length in words", answering(OK + "Content-Length: five\n\n", b"hello"), PROTOCOL),
    ("has the longest length", answering(OK + "Content-Length: 9223372036854775807\n\n", b"hello"), TRUNCATED),
    ("has a length beyond all counting", answering(OK + f"Content-Length: {10**30}\n\n", b"hello"), PROTOCOL),
    ("has a length of 100,000 digits", answering(OK + f"Content-Length: {'9' * 90_000}\n\n", b"hello"), PROTOCOL),
    # Bodies
    ("drips its body", dripping(OK + "Content-Length: 100000\n\n", b"x"), TOTAL),
    ("drips a body without a length", dripping(OK + "\n", b"x"), TOTAL),
    ("never ends a body without a length", staying(OK + "\n", b"hello"), TOTAL),
    ("keeps what it announced", staying(OK + "Content-Length: 100\n\n", b"hello"), TOTAL),
    # Chunks
    ("ends inside a chunk", answering(CHUNKED, b"10\r\nabc"), TRUNCATED),
    ("ends before its last chunk", answering(CHUNKED, b"3\r\nabc\r\n"), TRUNCATED),
    ("has a chunk of no size", answering(CHUNKED, b"zz\r\nabc\r\n0\r\n\r\n"), PROTOCOL),
    ("has a chunk of a negative size", answering(CHUNKED, b"-5\r\nhello\r\n0\r\n\r\n"), PROTOCOL),
    ("has a chunk beyond all counting", answering(CHUNKED, b"ffffffffffffffff\r\nhello"), PROTOCOL),
    ("has a chunk longer than it says", answering(CHUNKED, b"3\r\nhello\r\n0\r\n\r\n"), PROTOCOL),
    ("drips a chunk's size", dripping(CHUNKED, b"0"), PROTOCOL),
    ("drips a chunk's extension", dripping(CHUNKED + "5;", b"x"), TOTAL),
    ("floods with a chunk's extension", flooding(CHUNKED + "5;", b"x" * 10_000), TOTAL),
    ("floods with trailers", flooding(CHUNKED + "0\n", b"X-T: " + b"z" * 1_000 + b"\r\n"), PROTOCOL),
    ("drips trailers", dripping(CHUNKED + "0\n", b"X: y\r\n"), TOTAL),
    ("floods with tiny chunks", flooding(CHUNKED, (b"20\r\n" + b"x" * 32 + b"\r\n") * 99), Cause.CONTENT_MISSING),
    ("has a coding nobody asked for", answering(OK + "Transfer-Encoding: foo\n\n", b"hello"), PROTOCOL),
    ("is chunked and gzipped on the way", answering(OK + "Transfer-Encoding: gzip, chunked\n\n", b"5\r\nhello\r\n0\r\n\r\n"), PROTOCOL),
    ("ends at its bound without its word", flooding(OK + "\n", b"z" * 65_536), Cause.CONTENT_MISSING),
    ("answers 503", page(b"", status="503 Service Unavailable"), Cause.HTTP_STATUS),
]


@pytest.mark.parametrize(("handler", "cause"), [one[1:] for one in FAULTS], ids=[one[0] for one in FAULTS])
async def test_a_server_that(handler: Handler, cause: Cause, make_deps: Deps) -> None:
    async with bounded_memory():
        result = await ask(make_deps, handler, timeout=400, expect={"keyword": "needle"})

    assert is_down(result, cause), result.message


NEIGHBOURS: list[tuple[str, Handler]] = [
    ("is plain", answering("", HELLO)),
    ("never closes", staying(FIVE + "\n", b"hello")),
    ("never closes after its last chunk", staying(CHUNKED, b"5\r\nhello\r\n0\r\n\r\n")),
    ("closes after a body without a length", answering(OK + "\n", b"hello")),
    ("says more than it announced", answering(FIVE + "\n", b"hello and more")),
    ("says its length twice", answering(FIVE + "Content-Length: 5\n\n", b"hello")),
    ("says its length with noughts", answering(OK + f"Content-Length: {'0' * 50}5\n\n", b"hello")),
    ("chunks and says a length too", answering(FIVE + "Transfer-Encoding: chunked\n\n", b"5\r\nhello\r\n0\r\n\r\n")),
    ("has chunks with extensions", answering(CHUNKED, b"3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: y\r\n\r\n")),
    ("has 4,000 header lines", answering(FIVE + fields(4_000) + "\n", b"hello")),
    ("has headers of 240 KB", answering(FIVE + fields(240, "y" * 990) + "\n", b"hello")),
    ("hints early", answering("HTTP/1.1 103 Early Hints\nLink: </a>\n\n" * 5 + FIVE + "\n", b"hello")),
    ("gives no reason", answering("HTTP/1.1 200\nContent-Length: 5\n\n", b"hello")),
    ("folds a line", answering(FIVE + "X: a\n b\n\n", b"hello")),
    ("ends its lines with LF alone", answering("", b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello")),
    ("is slow but in time", dripping(OK + "Content-Length: 5\n\n", b"hello", 0.1)),
    ("has NULs in its body", answering(OK + "Content-Length: 8\n\n", b"\0hello\0\0")),
]


@pytest.mark.parametrize("handler", [one[1] for one in NEIGHBOURS], ids=[one[0] for one in NEIGHBOURS])
async def test_no_fault_is_found_in_a_server_that(handler: Handler, make_deps: Deps) -> None:
    result = await ask(make_deps, handler, timeout=1_000, expect={"keyword": "hello"})

    assert result.status is Status.UP, result.message


@pytest.mark.parametrize(("head", "expect"), [("HTTP/1.1 204 No\n\n", 204), ("HTTP/1.1 304 Not\nContent-Length: 50\n\n", 304)])
async def test_an_answer_that_never_has_a_body_does_not_wait_for_one(head: str, expect: int, make_deps: Deps) -> None:
    assert (await ask(make_deps, staying(head), timeout=400, expect={"status": expect})).status is Status.UP


@pytest.mark.parametrize(
    ("handler", "cause"),
    [
        (dripping(OK + "X: ", b"y"), TOTAL),
        (dripping(OK + "Content-Length: 100000\n\n", b"x"), TOTAL),
        (flooding(OK, b"X-Filler: " + b"y" * 1_000 + b"\r\n"), PROTOCOL),
        (flooding(CHUNKED + "5;", b"x" * 10_000), TOTAL),
        (hang, FIRST),
    ],
)
async def test_tls_changes_nothing_about_it(handler: Handler, cause: Cause, make_deps: Deps, make_context: MakeContext) -> None:
    async with bounded_memory():
        result = await ask(make_deps, handler, timeout=400, context=make_context(days=60))

    assert is_down(result, cause), result.message


async def test_a_truncated_body_says_how_much_was_there(make_deps: Deps) -> None:
    result = await ask(make_deps, answering(OK + "Content-Length: 100\n\n", b"short"))

    assert result.message == "the body ended after 5 bytes of the 100 announced"
    assert result.figures == {"detail": result.figures["detail"], "received": 5, "announced": 100}


async def test_many_hostile_servers_do_not_disturb_a_good_one(make_deps: Deps) -> None:
    """Some flood, many drip, and a good one beside them is up. (The servers share this process: more floods would be their own doing.)"""
    handlers = [flooding(CHUNKED + "5;", b"x" * 1_000)] * 3 + [dripping(OK + "X: ", b"y", 0.02)] * 15
    came = asyncio.Semaphore(0)
    hostile = [asyncio.create_task(ask(make_deps, announced(handler, came), timeout=600)) for handler in handlers]
    for _ in hostile:
        await came.acquire()
    result = await ask(make_deps, answering("", HELLO), timeout=1_500, expect={"keyword": "hello"})
    found = await asyncio.gather(*hostile)

    assert result.status is Status.UP, result.message
    assert all(is_down(one, TOTAL) for one in found)
