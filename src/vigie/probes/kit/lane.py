"""One process that reads foreign documents, one after the other, and those that wait for it.

The loop speaks to it over a socket without waiting: a document costs the probing process one `send` and one `recv`, and no thread. Only
starting and reaping a process takes a thread, since both may block. A process without work ends after a while: pages rarely change.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger("vigie.prober")

_LENGTH = 4
_LONGEST = 1 << 24  # bytes of a reply
_AT_ONCE = 65_536  # bytes of a body that are sent together with what is asked about it
_START_SECONDS = 15.0
_IDLE_SECONDS = 120.0
_LIMITED = -getattr(signal, "SIGPROF", 0)  # how a process ends that met its own limit of CPU time


class Unread(Exception):  # noqa: N818 - says what happened to a document
    """A document was not read in time. `blame`: it took too long itself; otherwise it was not begun."""

    def __init__(self, *, blame: bool) -> None:
        super().__init__("the document was not read in time")
        self.blame = blame


@dataclass(slots=True, eq=False)
class _Document:
    """What is asked about a body, and who waits for the reply.

    `clocked`: it is to blame, too, when time runs out on the clock; otherwise that only says that the machine is busy. `tries`: how often
    it was sent.
    """

    message: bytes
    body: bytes
    seconds: float
    clocked: bool
    reply: "asyncio.Future[bytes]"
    tries: int = 0

    def unread(self, *, blame: bool | None = None) -> None:
        """It is too late."""
        if not self.reply.done():
            self.reply.set_exception(Unread(blame=self.clocked and self.tries > 0 if blame is None else blame))


class Lane:
    """The process and its documents. Everything happens on the loop of who asks, but the start and the end of a process."""

    def __init__(self, kind: str, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._kind, self._idle = kind, idle_seconds
        self._waiting: deque[_Document] = deque()
        self._now: _Document | None = None
        self._child: Child | None = None
        self._starting: threading.Thread | None = None
        self._born: Child | None = None  # started, and not ready yet
        self._lock = threading.Lock()  # around what `close` and a start share
        self._closed = self._told = False
        self._limit: asyncio.TimerHandle | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._used = 0.0

    @property
    def running(self) -> bool:
        """Whether the process is ready."""
        return self._child is not None

    def start(self) -> None:
        """Start the process, unless it runs. It needs a running loop."""
        if self._child is None and self._starting is None and not self._closed:
            self._launch(None)

    async def ask(self, message: bytes, body: bytes, seconds: float, wait: float, *, clocked: bool = True) -> bytes:
        """The reply, `wait` seconds from now at the latest and `seconds` after the document's turn has come. Raises Unread."""
        if self._closed:
            raise Unread(blame=False)
        loop = asyncio.get_running_loop()
        document = _Document(message, body, seconds, clocked, loop.create_future())
        self._waiting.append(document)
        late = loop.call_later(wait, document.unread)
        self._next()
        try:
            return await document.reply
        finally:
            late.cancel()
            if not document.tries:
                with contextlib.suppress(ValueError):
                    self._waiting.remove(document)

    def _next(self) -> None:
        """Send the next document, when its turn has come."""
        if self._now is not None or not self._waiting:
            return
        if self._child is None:
            self.start()
            return
        self._now = document = self._waiting.popleft()
        document.tries += 1
        self._limit = asyncio.get_running_loop().call_later(document.seconds, self._child.kill)
        self._child.send(document.message, document.body)

    def _replied(self, reply: bytes) -> None:
        document, self._now = self._now, None
        self._forget_limit()
        if document is not None and not document.reply.done():
            document.reply.set_result(reply)
        self._next()
        if self._now is None:
            self._used = asyncio.get_running_loop().time()

    def _ended(self) -> None:
        """The process has gone away, by itself or by our hand; the document that it read is judged once it is known how."""
        child, self._child = self._child, None
        self._forget_limit()
        if child is not None:
            child.detach()
            self._launch(child)

    def _forget_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _launch(self, old: "Child | None") -> None:
        loop = asyncio.get_running_loop()
        wanted = old is None or self._now is not None or bool(self._waiting)
        self._starting = threading.Thread(target=self._launch_in_thread, args=(loop, old, wanted), daemon=True, name="vigie-reader")
        self._starting.start()

    def _launch_in_thread(self, loop: asyncio.AbstractEventLoop, old: "Child | None", wanted: bool) -> None:
        child, fault = None, None
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
            if old is not None:
                loop.call_soon_threadsafe(self._reaped, old, old.reap())
            if wanted:
                try:
                    child = self._new_child()
                except (OSError, EOFError) as error:
                    fault = str(error) or "it ended at once"
            loop.call_soon_threadsafe(self._launched, child, fault)

    def _new_child(self) -> "Child | None":
        with self._lock:
            if self._closed:
                return None
            self._born = child = Child(self._kind)
        try:
            child.greet()
        except (OSError, EOFError):
            child.kill()
            child.reap()
            raise
        return child

    def _reaped(self, old: "Child", code: int) -> None:
        """How a process ended decides on its document: at its limit or by our hand, it took too long; otherwise it has another try."""
        document, self._now = self._now, None
        if document is None or document.reply.done():
            return
        if code == _LIMITED or (document.tries > 1 and not old.killed):
            document.unread(blame=True)
        elif old.killed or self._closed:
            document.unread()
        else:
            self._waiting.appendleft(document)

    def _launched(self, child: "Child | None", fault: str | None) -> None:
        self._starting = self._born = None
        if self._closed:
            return
        if child is not None:
            self._child, self._told = child, False
            child.attach(self._replied, self._ended)
            self._used = asyncio.get_running_loop().time()
            self._watch_idle()
        elif fault is not None:
            if not self._told:
                log.warning("the process that reads pages could not be started: %s", fault)
            self._told = True
            for document in self._waiting:
                document.unread(blame=False)
            self._waiting.clear()
        self._next()

    def _watch_idle(self) -> None:
        """End the process once it has had nothing to read for a while."""
        loop = asyncio.get_running_loop()
        if self._rest is not None:
            self._rest.cancel()
        left = self._idle if self._now is not None else self._used + self._idle - loop.time()
        if left > 0:
            self._rest = loop.call_later(left, self._watch_idle)
        elif self._child is not None:
            self._rest = None
            self._child.kill()

    def close(self) -> None:
        """Kill the process, and wait until nothing of it is left."""
        with self._lock:
            self._closed = True
            born = self._born
        for timer in (self._limit, self._rest):
            if timer is not None:
                timer.cancel()
        child, self._child = self._child, None
        if child is not None:
            child.detach()
        if born is not None:
            born.kill()
        if self._starting is not None:
            self._starting.join(1)
        for one in (child, born):
            if one is not None:
                one.kill()
                one.reap()
        for document in (*self._waiting, *([] if self._now is None else [self._now])):
            if not document.reply.get_loop().is_closed():
                document.unread()
        self._waiting.clear()


class Child:
    """One process. Everything but `kill` and `reap` is called by one thread at a time. Raises OSError where it cannot be started."""

    def __init__(self, kind: str) -> None:
        self.killed = False
        self._ours, theirs = socket.socketpair()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._heard = bytearray()
        self._left: memoryview | None = None
        # -I and -S: nothing of the environment is imported but what the parent has; the path says where that is.
        code = f"import sys; sys.path[:] = {sys.path!r}; from vigie.probes.kit.worker import main; main()"
        command = [sys.executable, "-I", "-S", "-c", code, kind]
        try:
            with theirs:
                if sys.platform == "win32":  # a socket is nothing that a process inherits there
                    self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)  # noqa: S603 - this very interpreter
                    shared = theirs.share(self._process.pid)
                    assert self._process.stdin is not None  # noqa: S101 - it was asked for
                    with self._process.stdin as stdin:
                        stdin.write(len(shared).to_bytes(_LENGTH, "little") + shared)
                else:
                    self._process = subprocess.Popen(command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL)  # noqa: S603 - this very interpreter
        except OSError:
            self._ours.close()
            raise

    def greet(self) -> None:
        """Wait until it is ready. Raises OSError or EOFError where it never is."""
        self._ours.settimeout(_START_SECONDS)
        if not self._ours.recv(1):
            raise EOFError
        self._ours.setblocking(False)

    def attach(self, replied: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        """From now on the running loop hears of replies and of the end."""
        self._loop, self._replied, self._ended = asyncio.get_running_loop(), replied, ended
        self._loop.add_reader(self._ours, self._readable)

    def detach(self) -> None:
        """The loop hears no more."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._ours)
            self._loop.remove_writer(self._ours)
        self._loop = None

    def send(self, message: bytes, body: bytes) -> None:
        """Hand it a document; a large one goes as fast as it is taken."""
        head = b"".join((len(message).to_bytes(_LENGTH, "little"), message, len(body).to_bytes(_LENGTH, "little"), body[:_AT_ONCE]))
        self._left = memoryview(body)[_AT_ONCE:]
        try:
            sent = self._ours.send(head)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # it has gone away, which is heard next
        if sent < len(head):
            self._left = memoryview(head[sent:] + body[_AT_ONCE:])
        if self._left and self._loop is not None:
            self._loop.add_writer(self._ours, self._writable)

    def _writable(self) -> None:
        try:
            self._left = self._left[self._ours.send(self._left) :] if self._left else None
        except BlockingIOError:
            return
        except OSError:
            self._left = None
        if not self._left and self._loop is not None:
            self._loop.remove_writer(self._ours)

    def _readable(self) -> None:
        try:
            piece = self._ours.recv(_AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        self._heard += piece
        size = int.from_bytes(self._heard[:_LENGTH], "little")
        if not piece or size > _LONGEST:
            self._ended()
        elif len(self._heard) >= _LENGTH + size:
            reply, self._heard = bytes(self._heard[_LENGTH:]), bytearray()
            self._replied(reply)

    def kill(self) -> None:
        """Kill it: the loop hears of its end."""
        self.killed = True
        with contextlib.suppress(OSError):
            self._process.kill()

    def reap(self) -> int:
        """Make sure that nothing of it is left; how it ended."""
        with contextlib.suppress(OSError):
            self._ours.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.2)
        with contextlib.suppress(OSError):
            self._process.kill()
        code: int = self._process.wait()
        return code
