"""The hostile servers: what each sends, how a monitor looks at it, and what may come of it (`|` between statuses)."""

import asyncio
import gzip
import re
import zlib
from dataclasses import dataclass, field
from typing import Any

import brotli

from bench.soak import talks
from bench.soak.plan import Group
from bench.soak.world import ZONE, World
from vigie.testing.dns_server import EMPTY, REFUSED, SERVFAIL, SILENT, DnsServer, Says
from vigie.testing.probe_suite import MANNERS
from vigie.testing.servers import Handler, answering, black_hole, page

_EVERY, _TIMEOUT = "10s", "3s"
OK, CHUNKED = "HTTP/1.1 200 OK\nContent-Type: text/html\n", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n"
_ANY, _LOOKED = "up|degraded|down", "up|degraded"


@dataclass(frozen=True, slots=True)
class Web:
    """A web server: its handler, more keys of the monitor, and the statuses that are right."""

    name: str
    handler: Handler
    expected: str = "down"
    keys: dict[str, Any] = field(default_factory=dict)


def flooding(head: str, each: bytes) -> Handler:
    """The head, then these bytes for ever, as fast as they are taken, with a breath in between: it is Vigie that is to work here."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.replace("\n", "\r\n").encode())
        while True:
            writer.write(each)
            await writer.drain()
            await asyncio.sleep(0.001)

    return handle


def dripping(head: str, each: bytes, seconds: float = 0.05) -> Handler:
    """The head, then these bytes again and again, a little later each time."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.replace("\n", "\r\n").encode())
        while True:
            await writer.drain()
            await asyncio.sleep(seconds)
            writer.write(each)

    return handle


def packed(body: bytes, coding: str) -> Handler:
    """A compressed page."""
    return page(body, more=f"Content-Encoding: {coding}\n")


def bare(body: bytes, status: str = "200 OK") -> Handler:
    """A body without a content type."""
    return answering(f"HTTP/1.1 {status}\nContent-Length: {len(body)}\nConnection: close\n\n", body)


COMMENTS = b"<!---->" * 40 + b"x"
SCRIPT = b"<html><script>eval" + b" " * 800 + b";unescape</script><p>hello"
STYLE = b"<html><style>" + b"color:#fff;" * 50_000 + b"</style><p>hello"
ZEROS = bytes(30_000_000)

# Pages that cost whoever reads them.
PAGES = (
    Web("comments", bare(COMMENTS), _LOOKED),
    Web("comments behind a 503", bare(COMMENTS, "503 Service Unavailable")),
    Web("spaces in a script", page(SCRIPT), _LOOKED),
    Web("spaces in a script behind a 503", page(SCRIPT, status="503 Service Unavailable")),
    Web("a huge style", page(STYLE), _LOOKED),
    Web("a huge style behind a 500", page(STYLE, status="500 Oh")),
    Web("elements within elements", page(b"<div>" * 150_000 + b"hello"), _ANY),
    Web("one element of many attributes", page(b"<p " + b"a=b " * 200_000 + b">hello"), _ANY),
    Web("tables within tables", page(b"<table><tr><td>" * 30_000 + b"hello"), _ANY),
    Web("formatting that is never closed", page(b"<b><i><a><p>" * 40_000 + b"hello"), _ANY),
    Web("angles", page(b"<" * 900_000), _ANY),
    Web("entities", page(b"&amp" * 200_000), _ANY),
    Web("a title of a megabyte", page(b"<title>" + b"error " * 160_000), _ANY),
    Web("a hundred thousand links", page(b"<a href=//x.test/>casino</a>" * 30_000), _ANY),
    Web("JSON within JSON", page(b"[" * 500_000, "application/json"), keys={"expect": {"json": {"$.a": 1}}}),
    Web("a number of a megabyte", page(b'{"a": ' + b"1" * 900_000 + b"}", "application/json"), _ANY, {"expect": {"json": {"$.a": 1}}}),
    Web("a gzip bomb", packed(gzip.compress(ZEROS), "gzip"), _ANY),
    Web("a deflate bomb", packed(zlib.compress(ZEROS), "deflate"), _ANY),
    Web("a brotli bomb", packed(brotli.compress(ZEROS, quality=1), "br"), _ANY),
    Web("a bomb within a bomb", packed(gzip.compress(gzip.compress(ZEROS)), "gzip, gzip"), _ANY),
)
# Servers that lie about HTTP, or never end it.
LIES = (
    Web("never answers", talks.replying(b"")),
    Web("endless headers", flooding(OK, b"X-Filler: " + b"y" * 1_000 + b"\r\n")),
    Web("a header of 300 KB", answering(OK + f"X: {'y' * 300_000}\n\n")),
    Web("a header that drips", dripping(OK + "X: ", b"y")),
    Web("a body that drips", dripping(OK + "Content-Length: 100000\n\n", b"x")),
    Web("a body without end", flooding(OK + "\n", b"on and on " * 3_000), _ANY),
    Web("chunks without end", flooding(CHUNKED, (b"20\r\n" + b"x" * 32 + b"\r\n") * 99), _ANY),
    Web("a chunk's extension without end", dripping(CHUNKED + "5;", b"x" * 1_000)),
    Web("trailers without end", flooding(CHUNKED + "0\n", b"X-T: " + b"z" * 1_000 + b"\r\n")),
    Web("100 Continue without end", flooding("", b"HTTP/1.1 100 Continue\r\n\r\n" * 50)),
    Web("ends in its headers", answering(OK + "Content-Le")),
    Web("a length that is a lie", answering(OK + "Content-Length: 100\n\n", b"short")),
    Web("a redirect to itself", answering("HTTP/1.1 302 Found\nLocation: /again\nContent-Length: 0\nConnection: close\n\n")),
    Web("a redirect to a closed port", answering("HTTP/1.1 302 Found\nLocation: http://127.0.0.1:1/\nContent-Length: 0\nConnection: close\n\n")),
    Web("a redirect of 100 KB", talks.replying(b"", b"HTTP/1.1 302 Found\r\nLocation: /" + b"x" * 100_000 + b"\r\nContent-Length: 0\r\n\r\n")),
    Web("cookies without end", answering(OK + "".join(f"Set-Cookie: a{number}={'x' * 200}\n" for number in range(400)) + "Content-Length: 5\n\n", b"hello"), _ANY),
    *(Web(f"{manner} (HTTP)", talk, _ANY if manner == "flooding" else "down") for manner, (talk, _) in MANNERS.items()),
)  # fmt: skip
SERVICES = ("smtp", "imap", "redis", "mysql", "postgres", "mqtt", "ssh", "grpc")
BACKTRACKING = r"^(a+)+$"
COMMANDS = (
    (["sh", "-c", "yes"], "down|unknown"),
    (["sh", "-c", "trap '' TERM INT; sleep 60 & sleep 60"], "down"),
    (["sh", "-c", "head -c 30000000 /dev/zero; exit 2"], "unknown"),
    (["sh", "-c", "kill -9 $$"], "unknown"),
)
ZONE_FAULTS = {
    "silent": SILENT, "servfail": SERVFAIL, "refused": REFUSED, "empty": EMPTY, "wrong-id": Says("A 127.0.0.1", wrong_id=True),
    "garbage": Says(garbage=b"\0" * 40), "circle": Says(f"CNAME circle.{ZONE}"), "truncated": Says("A 127.0.0.1", truncated=True),
    "many": Says(*(f"A 127.1.{number // 250}.{number % 250}" for number in range(2_000))), "slow": Says("A 127.0.0.1", slow_s=2.9),
}  # fmt: skip


async def build(world: World) -> None:
    """Every server of the tables and its monitor."""
    for one in (*PAGES, *LIES):
        _web(world, one.name, await world.listen(one.handler), one.expected, one.keys)
    await _certificates(world)
    await _services(world)
    await _names(world)
    for command, expected in COMMANDS:
        _add(world, "exec", {"type": "exec", "command": command}, expected)


def _add(world: World, kind: str, keys: dict[str, Any], expected: str = "down") -> str:
    return world.add(Group.HOSTILE, re.sub(r"[^A-Za-z0-9]+", "-", kind), {"every": _EVERY, "timeout": _TIMEOUT, **keys}, expected)


def _web(world: World, name: str, port: int, expected: str, keys: dict[str, Any], scheme: str = "http") -> None:
    _add(world, name, {"url": f"{scheme}://{world.address()}:{port}/", **keys}, expected)


async def _certificates(world: World) -> None:
    """Certificates of every bad sort, and TLS that is none."""
    contexts = {
        "expired": world.context("127.0.0.1", days=-2),
        "not yet valid": world.context("127.0.0.1", begins=2),
        "of another name": world.context("elsewhere.test"),
        "untrusted": world.context("127.0.0.1", trusted=False),
    }
    authority = {"ca_file": str(world.ca_file)}
    for name, context in contexts.items():
        port = await world.listen(talks.web(), context)
        _web(world, f"a certificate {name}", port, "down", authority, "https")
        _add(world, f"tls {name}", {"type": "tls", "host": world.address(), "port": port, "revocation": "off", **authority})
    for name, handler in {"plain text on a TLS port": talks.web(), "TLS that never ends": MANNERS["silent"][0]}.items():
        _web(world, name, await world.listen(handler), "down", authority, "https")
    full = world.stack.enter_context(black_hole())
    _web(world, "connections that are never taken", full, "down", {})


async def _services(world: World) -> None:
    """Every manner of misbehaving towards every protocol."""
    ports = {manner: await world.listen(talk) for manner, (talk, _) in MANNERS.items()}
    for kind in SERVICES:
        for manner, port in ports.items():
            _add(world, f"{manner} {kind}", {"type": kind, "host": world.address(), "port": port})
    for manner, port in ports.items():
        _add(world, f"{manner} websocket", {"type": "websocket", "url": f"ws://{world.address()}:{port}/"})
    almost = await world.listen(talks.replying(b"a" * 4_000 + b"!\r\n"))
    _add(
        world,
        "a banner that backtracks",
        {"type": "tcp", "host": world.address(), "port": almost, "exchange": [{"regex": BACKTRACKING}]},
        "down|unknown",
    )


async def _names(world: World) -> None:
    """A hostile name server, asked by itself and on the way to a site."""
    server = await world.stack.enter_async_context(DnsServer())
    site = await world.listen(talks.web())
    for name, says in ZONE_FAULTS.items():
        expected = "up|down" if name in ("truncated", "slow", "many") else "down|unknown"
        asked = _add(world, f"dns {name}", {"type": "dns", "record": "A", "resolver": server.address}, expected)
        server.names[asked] = server.names[f"{name}.test"] = says
        _add(world, f"a site whose name is {name}", {"url": f"http://{name}.test:{site}/", "resolver": server.address}, expected)
