"""What the healthy servers of each protocol say: as little as a check needs."""

import asyncio
import base64
import hashlib
import json
import re
import struct
from collections.abc import Callable

from vigie.testing.servers import Handler

PAGE = f"<!doctype html><title>Shop</title><h1>Welcome</h1><p>{'All that we sell, and when we are open. ' * 40}</p>".encode()
_READ = 65_536
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3


def replying(greeting: bytes, *answers: bytes) -> Handler:
    """Greets, answers whatever it hears with the next of these (the last again and again), until the client goes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        heard = 0
        while await reader.read(_READ):
            if answers:
                writer.write(answers[min(heard, len(answers) - 1)])
                await writer.drain()
            heard += 1

    return handle


def web(body: bytes = PAGE, kind: str = "text/html", is_down: Callable[[], bool] = lambda: False) -> Handler:
    """An HTTP server; 503 while it is down."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        status = "503 Service Unavailable" if is_down() else "200 OK"
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    return handle


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">I", len(body) + 4) + body


def _packet(number: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "little") + bytes([number]) + body


def _mysql_greeting() -> bytes:
    """Protocol 10 with mysql_native_password."""
    low, high = 0xF7FF, 0xFFFF
    head = struct.pack("<I8sxHBHHB10x", 7, b"a" * 8, low, 45, 2, high, 21)
    return _packet(0, b"\x0a8.0.36\0" + head + b"b" * 12 + b"\0mysql_native_password\0")


async def imap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Agrees to everything."""
    writer.write(b"* OK IMAP4rev1 ready\r\n")
    while line := await reader.readline():
        tag, _, command = line.strip().partition(b" ")
        writer.write((b"* CAPABILITY IMAP4rev1\r\n" if command.upper() == b"CAPABILITY" else b"") + tag + b" OK done\r\n")
        await writer.drain()


async def websocket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Upgrades, and answers pings."""
    request = await reader.readuntil(b"\r\n\r\n")
    key = re.search(rb"Sec-WebSocket-Key: (\S+)", request)
    proof = base64.b64encode(hashlib.sha1((key[1] if key else b"") + _GUID).digest())
    writer.write(b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + proof + b"\r\n\r\n")
    while data := await reader.read(_READ):
        at = data.find(b"\x89\x88")  # a masked ping of eight bytes
        if at >= 0:
            mask, covered = data[at + 2 : at + 6], data[at + 6 : at + 14]
            writer.write(b"\x8a\x08" + bytes(byte ^ mask[index % 4] for index, byte in enumerate(covered)))
            await writer.drain()


async def grpc(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """SERVING, to every call."""
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import StreamEnded

    connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
    connection.initiate_connection()
    while data := await reader.read(_READ):
        for event in connection.receive_data(data):
            if isinstance(event, StreamEnded) and event.stream_id is not None:
                connection.send_headers(event.stream_id, [(":status", "200"), ("content-type", "application/grpc")])
                connection.send_data(event.stream_id, b"\0\0\0\0\x02\x08\x01")
                connection.send_headers(event.stream_id, [("grpc-status", "0")], end_stream=True)
        writer.write(connection.data_to_send())
        await writer.drain()


def registry() -> Handler:
    """An RDAP server that knows every domain."""
    events = [{"eventAction": "expiration", "eventDate": "2099-01-01T00:00:00Z"}]

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        name = request.split(b" ")[1].decode().rpartition("/")[2]
        body = json.dumps({"objectClassName": "domain", "ldhName": name, "status": ["active"], "events": events}).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/rdap+json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
        )
        await writer.drain()

    return handle


SMTP = replying(b"220 mail.soak.test ESMTP\r\n", b"250-mail.soak.test\r\n250 SIZE 1000000\r\n", b"250 2.0.0 Ok\r\n")
REDIS = replying(b"", b"+PONG\r\n")
MYSQL = replying(_mysql_greeting(), _packet(2, b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied"))
POSTGRES = replying(b"", _message(b"R", struct.pack(">I", 3)))
MQTT = replying(b"", b"\x20\x02\0\0", b"\xd0\0")
BANNER = replying(b"220 ready\r\n")
