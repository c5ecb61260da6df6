"""libcurl's multi interface on asyncio: readers, writers and one timer are the loop's own."""

import asyncio
from collections.abc import Callable

import pycurl


class Transport:
    """Performs transfers for every HTTP probe of this process.

    One multi handle keeps the parsed trust store, which costs 5 ms to parse anew; easy handles are used again.
    """

    def __init__(self) -> None:
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_NOTHING)
        self._timer: asyncio.TimerHandle | None = None
        self._watched: dict[int, int] = {}
        self._waiting: dict[pycurl.Curl, asyncio.Future[tuple[int, str]]] = {}
        self._idle: list[pycurl.Curl] = []

    def handle(self) -> pycurl.Curl:
        """An easy handle without options, to be given back by `release`."""
        return self._idle.pop() if self._idle else pycurl.Curl()

    def release(self, curl: pycurl.Curl) -> None:
        """Take a handle back."""
        curl.reset()
        self._idle.append(curl)

    async def perform(self, curl: pycurl.Curl) -> tuple[int, str]:
        """Run the transfer to its end: libcurl's code (0: success) and message. Cancelling it ends the transfer."""
        future: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._waiting[curl] = future
        self._multi.add_handle(curl)
        try:
            return await future
        finally:
            self._waiting.pop(curl, None)
            self._multi.remove_handle(curl)

    def close(self) -> None:
        """Stop every transfer."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        for fd in list(self._watched):
            loop.remove_reader(fd)
            loop.remove_writer(fd)
        for future in self._waiting.values():
            future.cancel()
        self._idle.clear()

    def _on_socket(self, action: int, fd: int, _multi: object, _data: object) -> None:
        loop = asyncio.get_running_loop()
        known = self._watched.get(fd, 0)
        wanted = 0 if action == pycurl.POLL_REMOVE else action
        self._switch(known & pycurl.POLL_IN, wanted & pycurl.POLL_IN, lambda: loop.add_reader(fd, self._ready, fd, pycurl.CSELECT_IN))
        self._switch(known & pycurl.POLL_OUT, wanted & pycurl.POLL_OUT, lambda: loop.add_writer(fd, self._ready, fd, pycurl.CSELECT_OUT))
        if known & pycurl.POLL_IN and not wanted & pycurl.POLL_IN:
            loop.remove_reader(fd)
        if known & pycurl.POLL_OUT and not wanted & pycurl.POLL_OUT:
            loop.remove_writer(fd)
        if wanted:
            self._watched[fd] = wanted
        else:
            self._watched.pop(fd, None)

    @staticmethod
    def _switch(known: int, wanted: int, add: Callable[[], None]) -> None:
        if wanted and not known:
            add()

    def _on_timer(self, timeout_ms: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if timeout_ms >= 0:
            # A timer of 0 ms would make the loop spin; libcurl may not be called back from inside its own callback either.
            self._timer = asyncio.get_running_loop().call_later(max(timeout_ms, 1) / 1000 if timeout_ms else 0, self._timed_out)

    def _timed_out(self) -> None:
        self._timer = None
        self._act(pycurl.SOCKET_TIMEOUT, 0)

    def _ready(self, fd: int, event: int) -> None:
        self._act(fd, event)

    def _act(self, fd: int, event: int) -> None:
        self._multi.socket_action(fd, event)
        while True:
            left, done, failed = self._multi.info_read()
            for curl in done:
                self._finish(curl, 0, "")
            for curl, code, message in failed:
                self._finish(curl, code, message)
            if not left:
                return

    def _finish(self, curl: pycurl.Curl, code: int, message: str) -> None:
        future = self._waiting.get(curl)
        if future is not None and not future.done():
            future.set_result((code, message))
