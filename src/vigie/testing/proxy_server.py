"""A real proxy on loopback for tests: HTTP (CONNECT, plain requests) and SOCKS 4, 4a, 5 on one port, told apart by the first byte.

Whatever host is asked for, the proxy connects to the port of `to` on 127.0.0.1, so that names that exist nowhere can be used.
"""

import asyncio
import base64
import re
import struct
from contextlib import suppress
from types import TracebackType
from typing import Self

from vigie.net import hang_up

_GONE = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError)


class ProxyServer:
    """Listens on a free port; `asked` are the destinations (`CONNECT host:443`, `GET http://…`, `socks5h host:443`), oldest first."""

    def __init__(self, to: int, login: tuple[str, str] | None = None, refuse: int = 0) -> None:
        self._to, self._login, self._refuse = to, login, refuse
        self.asked: list[str] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._server is not None:
            self._server.close()
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            self._talks.add(task)
            task.add_done_callback(self._talks.discard)
        with suppress(*_GONE):
            first = await reader.readexactly(1)
            await {b"\x05": self._socks5, b"\x04": self._socks4}.get(first, self._http)(first, reader, writer)
        hang_up(writer.transport)

    async def _http(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = first + await reader.readuntil(b"\r\n\r\n")
        line = head.split(b"\r\n")[0].decode()
        self.asked.append(line.rpartition(" ")[0])
        if self._login is not None and b"Basic " + base64.b64encode(":".join(self._login).encode()) not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        elif self._refuse:
            writer.write(f"HTTP/1.1 {self._refuse} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        elif line.startswith("CONNECT "):
            await self._join(reader, writer, answer=b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            await self._join(reader, writer, request=re.sub(rb"^(\S+) https?://[^/\s]+", rb"\1 ", head, count=1))

    async def _socks5(self, _first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(b"\x05\x02" if self._login else b"\x05\x00")
        if self._login is not None:
            await reader.readexactly(1)
            login = [(await reader.readexactly((await reader.readexactly(1))[0])).decode() for _ in range(2)]
            writer.write(b"\x01\x00" if tuple(login) == self._login else b"\x01\x01")
        _, _, _, kind = await reader.readexactly(4)
        length = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        host = await reader.readexactly(length)
        (port,) = struct.unpack("!H", await reader.readexactly(2))
        self.asked.append(f"socks5{'h' if kind == 3 else ''} {host.decode() if kind == 3 else '.'.join(map(str, host))}:{port}")
        await self._join(reader, writer, answer=bytes((5, self._refuse, 0, 1)) + bytes(6), only=self._refuse == 0)

    async def _socks4(self, _first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, port, address = struct.unpack("!BH4s", await reader.readexactly(7))
        await reader.readuntil(b"\0")
        named = address[:3] == b"\0\0\0"
        host = (await reader.readuntil(b"\0"))[:-1].decode() if named else ".".join(map(str, address))
        self.asked.append(f"socks4{'a' if named else ''} {host}:{port}")
        await self._join(reader, writer, answer=bytes((0, 91 if self._refuse else 90)) + bytes(6), only=self._refuse == 0)

    async def _join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answer: bytes = b"", request: bytes = b"", only: bool = True
    ) -> None:
        writer.write(answer)
        await writer.drain()
        if not only:
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        far_writer.write(request)
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            hang_up(far_writer.transport)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.write_eof()
