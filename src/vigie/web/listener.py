"""Listens and admits: so many connections and no more, of which no address has more than half.

When all are taken, whoever has kept us waiting longest makes room: silent connections cost others nothing, however many there are.
Where nobody has kept us waiting for a second, the oldest stream of changes does: its reader comes back by itself.
"""

import asyncio
import contextlib
import errno
import ipaddress
import logging
import socket
import time
from collections.abc import Callable, Sequence

from vigie.web.connection import USUAL, App, Connection, Patience

log = logging.getLogger("vigie.web")

_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_RETRY_SECONDS, _ROOM_SECONDS = 1.0, 0.05
_SAID_SECONDS = 60.0
_SILENT_SECONDS = 1.0  # whoever has just come is about to say what it wants
_V6_NETWORK = 64


class Seldom:
    """Lets one line through in a minute, so that nobody outside can fill a log."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic, self._next = monotonic, 0.0

    def __call__(self) -> bool:
        """Whether it may be said now."""
        now = self._monotonic()
        if now < self._next:
            return False
        self._next = now + _SAID_SECONDS
        return True


class Listener:
    """Serves an application on sockets that listen already, with at most `limit` connections at a time."""

    def __init__(self, app: App, sockets: Sequence[socket.socket], limit: int, patience: Patience = USUAL) -> None:
        self._app, self._sockets, self._limit, self._patience = app, list(sockets), limit, patience
        self._of_one = max(limit // 2, 1)
        self._open: dict[Connection, tuple[asyncio.Task[None], str]] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._freed = asyncio.Event()
        self._exhausted, self._broken = Seldom(), Seldom()

    def start(self) -> None:
        """Begin to accept."""
        for one in self._sockets:
            one.setblocking(False)
        self._loops = [asyncio.create_task(self._accept(one)) for one in self._sockets]

    @property
    def port(self) -> int:
        """The port of the first socket."""
        return int(self._sockets[0].getsockname()[1])

    def __len__(self) -> int:
        """How many connections are open."""
        return len(self._open)

    async def close(self, grace: float) -> None:
        """Stop listening; what is being answered is answered within `grace` seconds, and nobody is waited for."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        for sock in self._sockets:
            self._last_ones(sock)
            sock.close()
        for connection in self._open:
            connection.hurry(drop=False)
        tasks = [task for task, _ in self._open.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _last_ones(self, listening: socket.socket) -> None:
        """Take in whose connection the system has made already: their requests may have come with it, and would be lost."""
        with contextlib.suppress(OSError):
            while len(self._open) < self._limit:
                sock, address = listening.accept()
                sock.setblocking(False)
                self._admit(sock, address)

    async def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                await self._accept_one(listening)
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    await self._recover(error)
                # else the client was gone before it was accepted
            except Exception:  # nobody else would accept connections
                if self._broken():
                    log.exception("a connection could not be accepted")
                await asyncio.sleep(_ROOM_SECONDS)

    async def _accept_one(self, listening: socket.socket) -> None:
        await self._room()
        sock, address = await asyncio.get_running_loop().sock_accept(listening)
        self._admit(sock, address)

    async def _room(self) -> None:
        """Wait until one more may be accepted. Others that wait stay in the kernel's queue."""
        while len(self._open) >= self._limit:
            self._freed.clear()
            self._hurry_one(self._open)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ROOM_SECONDS):
                    await self._freed.wait()
        await asyncio.sleep(0)  # a flood of connections must not keep the loop from everything else

    async def _recover(self, error: OSError) -> None:
        if self._exhausted():
            log.warning("connections cannot be accepted (%s); trying again every second", error.strerror or error)
        self._hurry_one(self._open)
        await asyncio.sleep(_RETRY_SECONDS)

    def _admit(self, sock: socket.socket, address: tuple[str, int]) -> None:
        group = _group(address[0])
        same = [connection for connection, (_, other) in self._open.items() if other == group]
        if group and len(same) >= self._of_one and not self._hurry_one(same):
            sock.close()
            return
        with contextlib.suppress(OSError):  # it may have been reset already
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self._app, sock, (address[0], address[1]), self._crashed, self._patience)
        task = asyncio.create_task(self._serve(connection, sock))
        self._open[connection] = task, group

    async def _serve(self, connection: Connection, sock: socket.socket) -> None:
        try:
            await connection.run()
        finally:
            sock.close()
            self._open.pop(connection, None)
            self._freed.set()

    def _crashed(self, error: Exception) -> None:
        if self._broken():
            log.error("a request could not be answered", exc_info=error)

    @staticmethod
    def _hurry_one(connections: "Sequence[Connection] | dict[Connection, tuple[asyncio.Task[None], str]]") -> bool:
        """Have the one that has kept us waiting longest make room, else the oldest stream; False where there is neither."""
        waiting = [
            (one.waiting_since, number, one) for number, one in enumerate(connections) if one.waiting_since is not None and not one.last
        ]
        streams = [
            (one.streaming_since, number, one) for number, one in enumerate(connections) if one.streaming_since is not None and not one.last
        ]
        if not waiting and not streams:
            return False
        longest, now = min(waiting, default=None), asyncio.get_running_loop().time()
        silent = longest is not None and (not streams or now - longest[0] > _SILENT_SECONDS)
        (longest if silent and longest is not None else min(streams))[2].hurry(drop=True)
        return True


def _group(address: str) -> str:
    """Who shares a bound: an IPv4 address, or a network of IPv6. Nobody on this machine does: it may be a proxy that brings everybody."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if found.is_loopback:
        return ""
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, _V6_NETWORK), strict=False))
