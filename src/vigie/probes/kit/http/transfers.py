"""libcurl's multi interface on asyncio.

libcurl changes its mind about every socket several times a check; telling the loop each time costs as much as the check itself.
So where the system's poller is itself a file (Linux), the sockets sit in a poller of our own and the loop watches that one file:
105 µs of CPU a check less. Elsewhere the loop's own readers and writers serve; they need a selector loop, which is what
`vigie` starts on every platform (Windows' Proactor has none).
"""

import asyncio
import contextlib
import select
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, Protocol, TypeVar

from vigie.probes.kit.http import libcurl

OWN_POLLER = hasattr(select, "epoll")
_AT_ONCE = 64  # sockets served before the loop has its turn again
_SPINS = 8  # times libcurl may ask to be called at once before the loop has its turn again
_WAKE_EARLY_S = 0.0005  # libcurl's timers are whole milliseconds


class _Poller:
    """Our own epoll, watched by the loop as one file."""

    def __init__(self, loop: asyncio.AbstractEventLoop, act: Callable[[list[tuple[int, int]]], None]) -> None:
        self._loop = loop
        self._act = act
        self._epoll = select.epoll()
        loop.add_reader(self._epoll.fileno(), self._ready)

    def watch(self, fd: int, known: int, wanted: int) -> None:
        """Change what a socket is watched for; both are libcurl's POLL_ bits."""
        if not wanted:
            with contextlib.suppress(OSError):  # closed already: the kernel has forgotten it
                self._epoll.unregister(fd)
            return
        bits = (select.EPOLLIN if wanted & libcurl.POLL_IN else 0) | (select.EPOLLOUT if wanted & libcurl.POLL_OUT else 0)
        if known:
            self._epoll.modify(fd, bits)
        else:
            self._epoll.register(fd, bits)

    def _ready(self) -> None:
        found = []
        for fd, bits in self._epoll.poll(0, _AT_ONCE):
            readable = libcurl.CSELECT_IN if bits & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR) else 0
            found.append((fd, readable | (libcurl.CSELECT_OUT if bits & select.EPOLLOUT else 0)))
        self._act(found)

    def close(self) -> None:
        """Forget every socket."""
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()


class _Readers:
    """The loop's own readers and writers."""

    def __init__(self, loop: asyncio.AbstractEventLoop, act: Callable[[list[tuple[int, int]]], None]) -> None:
        self._loop = loop
        self._act = act
        self._fds: set[int] = set()

    def watch(self, fd: int, known: int, wanted: int) -> None:
        """Change what a socket is watched for; both are libcurl's POLL_ bits."""
        gone, new = known & ~wanted, wanted & ~known
        if gone & libcurl.POLL_IN:
            self._loop.remove_reader(fd)
        if gone & libcurl.POLL_OUT:
            self._loop.remove_writer(fd)
        if new & libcurl.POLL_IN:
            self._loop.add_reader(fd, self._act, [(fd, libcurl.CSELECT_IN)])
        if new & libcurl.POLL_OUT:
            self._loop.add_writer(fd, self._act, [(fd, libcurl.CSELECT_OUT)])
        (self._fds.add if wanted else self._fds.discard)(fd)

    def close(self) -> None:
        """Forget every socket."""
        for fd in self._fds:
            self._loop.remove_reader(fd)
            self._loop.remove_writer(fd)


Handle = TypeVar("Handle", bound=Hashable)


class Multi(Protocol[Handle]):
    """libcurl's multi interface (<https://curl.se/libcurl/c/libcurl-multi.html>), as a binding offers it."""

    def listen(self, on_socket: Callable[[int, int], None], on_timer: Callable[[int], None]) -> None:
        """Set the callbacks: the events to watch a socket for (descriptor, POLL_ bits), when to call libcurl (ms; negative: never)."""
        ...

    def add(self, handle: Handle) -> None:
        """Start a transfer."""
        ...

    def remove(self, handle: Handle) -> None:
        """End a transfer, finished or not."""
        ...

    def act(self, fd: int, bits: int) -> None:
        """Report that a socket is ready (CSELECT_ bits) or that a timer has expired (SOCKET_TIMEOUT)."""
        ...

    def ended(self) -> Iterable[tuple[Handle, int, str]]:
        """The transfers that have ended since the last call, with libcurl's code (0: success) and message."""
        ...


class Transfers(Generic[Handle]):
    """Performs the transfers of one multi handle, on the loop of the first of them."""

    def __init__(self, multi: Multi[Handle], *, own_poller: bool = OWN_POLLER) -> None:
        self._multi = multi
        self._multi.listen(self._on_socket, self._on_timer)
        self._make: Callable[..., _Poller | _Readers] = _Poller if own_poller else _Readers
        self._sockets: _Poller | _Readers | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._at_once = False
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watched: dict[int, int] = {}
        self._waiting: dict[Handle, asyncio.Future[tuple[int, str]]] = {}

    async def perform(self, handle: Handle, connect_ms: int | None = None, connected: Callable[[], bool] = bool) -> tuple[int, str]:
        """Run the transfer to its end: libcurl's code (0: success) and message. Cancelling it ends the transfer.

        With `connect_ms` it ends unless `connected` is true by then; libcurl's own limit would include the TLS handshake.
        """
        loop = self._bound()
        future: asyncio.Future[tuple[int, str]] = loop.create_future()
        timer = None if connect_ms is None else loop.call_later(connect_ms / 1000, self._look, handle, connected)
        self._waiting[handle] = future
        self._multi.add(handle)
        try:
            self._serve([])
            return await future
        finally:
            if timer is not None:
                timer.cancel()
            del self._waiting[handle]
            self._multi.remove(handle)
            if self._at_once:
                loop.call_soon(self._serve, [])

    def close(self) -> None:
        """Stop every transfer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for future in self._waiting.values():
            future.cancel()
        if self._sockets is not None:
            self._sockets.close()
        self._sockets = self._loop = None

    def _look(self, handle: Handle, connected: Callable[[], bool]) -> None:
        if not connected():
            self._end(handle, libcurl.E_OPERATION_TIMEDOUT, "no connection in time")

    def _end(self, handle: Handle, code: int, message: str) -> None:
        future = self._waiting.get(handle)
        if future is not None and not future.done():
            future.set_result((code, message))

    def _bound(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._sockets = self._make(self._loop, self._serve)
        return self._loop

    def _on_socket(self, fd: int, action: int) -> None:
        wanted = 0 if action == libcurl.POLL_REMOVE else action
        known = self._watched.pop(fd, 0)
        if wanted:
            self._watched[fd] = wanted
        if wanted != known and self._sockets is not None:
            self._sockets.watch(fd, known, wanted)

    def _on_timer(self, timeout_ms: int) -> None:
        # libcurl may not be called from inside its own callback; who called libcurl looks at what is noted here afterwards.
        self._at_once = timeout_ms == 0
        if timeout_ms <= 0 or self._loop is None:
            self._deadline = None
            return
        self._deadline = self._loop.time() + timeout_ms / 1000
        # A timer that rings too early is set again then: cheaper than to cancel it at each of libcurl's changes of mind.
        if self._timer is None or self._timer.when() > self._deadline:
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._deadline is not None and self._loop is not None:
            self._timer = self._loop.call_at(self._deadline, self._rang)

    def _rang(self) -> None:
        self._timer = None
        if self._deadline is None or self._loop is None:
            return
        if self._deadline > self._loop.time() + _WAKE_EARLY_S:
            self._set_timer()
            return
        self._deadline, self._at_once = None, True
        self._serve([])

    def _serve(self, ready: list[tuple[int, int]]) -> None:
        """Tell libcurl which sockets are ready, then that time has passed if it asked so, then take in what ended."""
        for fd, bits in ready:
            if fd in self._watched:  # not dropped by what the sockets before it did
                self._multi.act(fd, bits)
        spins = 0
        while self._at_once and spins < _SPINS:
            self._at_once = False
            spins += 1
            self._multi.act(libcurl.SOCKET_TIMEOUT, 0)
        if self._at_once and self._loop is not None:
            self._loop.call_soon(self._serve, [])
        for handle, code, message in self._multi.ended():
            self._end(handle, code, message)
