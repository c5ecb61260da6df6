"""One HTTP server on loopback that speaks HTTP/1.1, 2 and 3 on the same port, by what the client offers.

Needs `h2` and `aioquic` (development dependencies). Over TLS it speaks all three; in clear text HTTP/1.1, and 2 to who begins with it.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated, QuicEvent
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, WindowUpdated

from vigie.testing.servers import serving

_PORTS_TRIED = 20
_PREFACE = b"PRI * HTTP/2.0\r\n\r\n"  # RFC 9113 §3.4
_READ = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """What every request gets. After the first byte of the body it waits `pause_s`."""

    body: bytes = b"hello"
    status: int = 200
    pause_s: float = 0.0

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """As HTTP/2 and 3 write them."""
        length = str(len(self.body)).encode()
        return [(b":status", str(self.status).encode()), (b"content-type", b"text/plain"), (b"content-length", length)]


@contextlib.asynccontextmanager
async def serving_versions(
    answer: Answer, cert: tuple[Path, Path] | None = None, alpn: tuple[str, ...] = ("h2", "http/1.1")
) -> AsyncIterator[int]:
    """Serve on a free port of 127.0.0.1, over TLS and QUIC when (certificate, key) are given; yields the port.

    `alpn` is what is spoken over TCP.
    """

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await (_second(answer, reader, writer) if head == _PREFACE else _first(answer, writer))

    if cert is None:
        async with serving(handler) as port:
            yield port
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*cert)
    context.set_alpn_protocols(list(alpn))
    port = _free_port()
    quic = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    quic.load_cert_chain(*cert)
    third = await serve("127.0.0.1", port, configuration=quic, create_protocol=lambda *args, **more: _Third(answer, *args, **more))
    try:
        async with serving(handler, context, port):
            yield port
    finally:
        third.close()
        await asyncio.sleep(0)  # the socket is closed by the loop


def _free_port() -> int:
    """A port that is free for TCP and UDP, so that one URL serves for every version."""
    for _ in range(_PORTS_TRIED):
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            with contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port
    raise OSError("no port is free for both TCP and UDP")


async def _first(answer: Answer, writer: asyncio.StreamWriter) -> None:
    """HTTP/1.1: one answer."""
    head = f"HTTP/1.1 {answer.status} Said\r\nContent-Type: text/plain\r\nContent-Length: {len(answer.body)}\r\n\r\n"
    writer.write(head.encode() + answer.body[:1])
    await writer.drain()
    await asyncio.sleep(answer.pause_s)
    writer.write(answer.body[1:])
    await writer.drain()


async def _second(answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """HTTP/2: an answer to each request, as fast as the client's window lets it go."""
    connection, left = H2Connection(H2Configuration(client_side=False)), dict[int, bytes]()
    connection.initiate_connection()
    data: bytes = _PREFACE
    while data:
        for event in connection.receive_data(data):
            if isinstance(event, RequestReceived):
                connection.send_headers(event.stream_id, answer.headers)
                connection.send_data(event.stream_id, answer.body[:1])
                writer.write(connection.data_to_send())
                await asyncio.sleep(answer.pause_s)
                left[event.stream_id] = answer.body[1:]
            if isinstance(event, RequestReceived | WindowUpdated):
                _push(connection, left)
        writer.write(connection.data_to_send())
        await writer.drain()
        data = await reader.read(_READ)


def _push(connection: H2Connection, left: dict[int, bytes]) -> None:
    """Send of each stream what its window takes (RFC 9113 §5.2)."""
    for stream in list(left):
        while left[stream] and (room := min(connection.local_flow_control_window(stream), connection.max_outbound_frame_size)) > 0:
            connection.send_data(stream, left[stream][:room])
            left[stream] = left[stream][room:]
        if not left[stream]:
            connection.end_stream(stream)
            del left[stream]


class _Third(QuicConnectionProtocol):
    """HTTP/3: an answer to each request; QUIC itself keeps to the client's window."""

    def __init__(self, answer: Answer, *args: object, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        self._answer = answer
        self._http: H3Connection | None = None

    def quic_event_received(self, event: QuicEvent) -> None:
        """Something came."""
        if isinstance(event, ProtocolNegotiated):
            self._http = H3Connection(self._quic)
        for said in self._http.handle_event(event) if self._http is not None else ():
            if isinstance(said, HeadersReceived):
                self._begin(said.stream_id)

    def _begin(self, stream: int) -> None:
        if self._http is not None:
            self._http.send_headers(stream, self._answer.headers)
            self._http.send_data(stream, self._answer.body[:1], end_stream=False)
            self.transmit()
            self._loop.call_later(self._answer.pause_s, self._end, stream)

    def _end(self, stream: int) -> None:
        if self._http is not None:
            self._http.send_data(stream, self._answer.body[1:], end_stream=True)
            self.transmit()
