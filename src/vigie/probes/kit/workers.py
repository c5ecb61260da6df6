"""Foreign documents are handed to processes of their own, which are killed when one takes too long, and started anew.

One process reads pages, one document after the other; another does what may take long by a user's own wish, such as a search in a
document of a hundred megabytes. Both are started when they are first needed.
"""

import asyncio
import contextlib
import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any, Protocol
from weakref import WeakKeyDictionary

import msgspec

from vigie.probes.kit.deps import ProbeDeps

log = logging.getLogger("vigie.prober")

_LENGTH = 4
_LONGEST = 1 << 24  # bytes of a reply
_START_SECONDS = 15.0
# Seconds of one document: of CPU, and on the clock, which counts where a process cannot limit its CPU.
_BOUNDS = {"content": (1.0, 2.5)}
_USUAL_BOUNDS = 0.3, 1.5
_WAIT_SECONDS = 6.0
_MIN_SECONDS = 0.1
_PAGES_LEFT_OUT, _SEARCHES_LEFT_OUT = 32, 2  # at most, between two tries; what a user expects is to be judged soon again


class Unread(Exception):  # noqa: N818 - says what happened to a document
    """A document was not read in time. `blame`: it took too long itself; otherwise it was not begun."""

    def __init__(self, *, blame: bool) -> None:
        super().__init__("the document was not read in time")
        self.blame = blame


class Ask(Protocol):
    """Has a job done in another process. `left` is how many seconds there are; `long`: the job may take all of them."""

    async def __call__(self, job: str, fields: dict[str, Any], body: bytes, *, left: float, long: bool = False) -> bytes:
        """The reply as JSON. Raises Unread."""
        ...


@dataclass(slots=True)
class _Late:
    """How many documents of an owner took too long, one after the other, and how many of the next are not asked about."""

    missed: int = 0
    rest: int = 0

    def note(self, longest: int) -> None:
        """One more. From the second in a row on, ever more are left out."""
        self.missed += 1
        self.rest = min(1 << min(self.missed - 1, 16), longest) if self.missed > 1 else 0


class Workers:
    """The processes that read. One instance for each process that probes; `close` ends them.

    Who brings documents that take too long is asked about ever more rarely, so that others are not kept waiting.
    """

    def __init__(self) -> None:
        self._pages, self._long = _Lane("pages"), _Lane("searches")
        self._late: WeakKeyDictionary[object, dict[str, _Late]] = WeakKeyDictionary()  # by owner and job

    def start(self) -> None:
        """Have the reader of pages ready by the time that the first one is here."""
        self._pages.start()

    async def ask(self, owner: object, job: str, fields: dict[str, Any], body: bytes, *, left: float, long: bool = False) -> bytes:
        """Have a job done for `owner`, within `left` seconds and, unless it is `long`, the bounds of one page. Raises Unread."""
        late = self._late.get(owner, {}).get(job)
        if late is not None and late.rest > 0:
            late.rest -= 1
            raise Unread(blame=True)
        try:
            reply = await self._done(job, fields, body, max(left, _MIN_SECONDS), long=long)
        except Unread as unread:
            if unread.blame:
                self._late.setdefault(owner, {}).setdefault(job, _Late()).note(_SEARCHES_LEFT_OUT if job == "content" else _PAGES_LEFT_OUT)
            raise
        if late is not None:
            self._late[owner].pop(job, None)
        return reply

    async def _done(self, job: str, fields: dict[str, Any], body: bytes, left: float, *, long: bool) -> bytes:
        cpu, seconds = (left, left) if long else _BOUNDS.get(job, _USUAL_BOUNDS)
        wait = left if long else min(left, _WAIT_SECONDS)
        message = msgspec.json.encode({"job": job, "cpu": cpu, **fields})
        reply = await (self._long if long else self._pages).ask(message, body, seconds, wait)
        if reply.startswith(b'{"error"'):
            log.error("a document could not be read (%s): %s", job, reply.decode("utf-8", "replace"))
            raise Unread(blame=True)
        return reply

    def close(self) -> None:
        """End the processes."""
        self._pages.close()
        self._long.close()


def shared_workers(deps: ProbeDeps) -> Workers:
    """The workers that all probes of this process share."""
    return deps.shared("workers", Workers, Workers.close)


class _Lane:
    """One process and those who wait for it, in their order."""

    def __init__(self, kind: str) -> None:
        self._child = _Child(kind)
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "vigie-reader")
        self._closed = False

    def start(self) -> None:
        """Start the process, unless it runs."""
        if not self._child.started:
            self._child.started = True
            self._thread.submit(self._child.start)

    async def ask(self, message: bytes, body: bytes, seconds: float, wait: float) -> bytes:
        """The reply, `wait` seconds from now at the latest and `seconds` after the document's turn has come. Raises Unread."""
        if self._closed:
            raise Unread(blame=False)
        turn = _Turn()
        task = asyncio.ensure_future(self._read(message, body, seconds, turn))
        task.add_done_callback(_seen)
        try:
            async with asyncio.timeout(wait):
                return await asyncio.shield(task)  # who gives up leaves a turn that ends by itself
        except TimeoutError:
            raise Unread(blame=turn.begun) from None
        finally:
            if not turn.begun:
                task.cancel()

    async def _read(self, message: bytes, body: bytes, seconds: float, turn: "_Turn") -> bytes:
        loop = asyncio.get_running_loop()
        async with self._turn:
            self.start()
            watch = loop.call_later(_START_SECONDS, self._child.kill)
            try:
                if not await loop.run_in_executor(self._thread, self._child.wait):
                    raise Unread(blame=False)
                turn.begun = True
                watch.cancel()
                watch = loop.call_later(seconds, self._child.kill)
                return await loop.run_in_executor(self._thread, self._child.exchange, message, body)
            except EOFError:
                raise Unread(blame=True) from None
            finally:
                watch.cancel()
                if not self._child.running and not self._closed:
                    self.start()  # those who wait need not wait for it too

    def close(self) -> None:
        """Kill the process."""
        self._closed = True
        self._child.close()
        self._thread.shutdown(wait=False, cancel_futures=True)


@dataclass(slots=True)
class _Turn:
    begun: bool = False


def _seen(task: "asyncio.Future[bytes]") -> None:
    """Take note of a failure that nobody waits for any more."""
    if not task.cancelled():
        task.exception()


class _Child:
    """The process, spoken to by one thread. `kill` and `close` may come from any other."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._closed = self._told = False
        self.started = False  # it runs, or is about to

    @property
    def running(self) -> bool:
        """Whether it was ready and has not ended since."""
        return self._process is not None

    def start(self) -> None:
        """Start it and wait until it is ready; where that fails it is tried again with the next document."""
        # -I and -S: nothing of the environment is imported but what the parent has; the path says where that is.
        code = f"import sys; sys.path[:] = {sys.path!r}; from vigie.probes.kit.worker import main; main()"
        pipe = subprocess.PIPE
        try:
            with self._lock:
                if self._closed:
                    return
                self._process = process = subprocess.Popen(  # noqa: S603 - this very interpreter
                    [sys.executable, "-I", "-S", "-c", code, self._kind], stdin=pipe, stdout=pipe
                )
            _receive(process.stdout)
            self._told = False
        except (OSError, EOFError) as error:
            if not self._told and not self._closed:
                log.warning("the process that reads pages could not be started: %s", error or "it ended at once")
            self._told = True
            self._end()

    def wait(self) -> bool:
        """Whether it is ready; called after `start` by the same thread."""
        return self.running

    def exchange(self, message: bytes, body: bytes) -> bytes:
        """The reply to a document. Raises EOFError when the process ends instead."""
        process = self._process
        if process is None or process.stdin is None:
            raise EOFError
        try:
            process.stdin.write(b"".join((len(message).to_bytes(_LENGTH, "little"), message, len(body).to_bytes(_LENGTH, "little"))))
            process.stdin.write(body)
            process.stdin.flush()
            return _receive(process.stdout)
        except (OSError, ValueError, EOFError):
            self._end()
            raise EOFError from None

    def kill(self) -> None:
        """Kill it: whoever waits for a reply gets EOFError."""
        process = self._process
        if process is not None:
            with contextlib.suppress(OSError):
                process.kill()

    def close(self) -> None:
        """Kill it for good."""
        with self._lock:
            self._closed = True
            self._end()

    def _end(self) -> None:
        """Make sure that it no longer runs, and that nothing of it is left."""
        process, self._process, self.started = self._process, None, False
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()


def _receive(source: IO[bytes] | None) -> bytes:
    """The next frame. Raises EOFError at the end."""
    head = source.read(_LENGTH) if source is not None else b""
    size = int.from_bytes(head, "little")
    if source is None or len(head) < _LENGTH or size > _LONGEST:
        raise EOFError
    body = source.read(size)
    if len(body) < size:
        raise EOFError
    return body
