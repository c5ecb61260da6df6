"""Templates that people write: Jinja in a sandbox, rendered in a process of its own that can be killed: none can hang or fill Vigie.

docs/decisions/0052 says why. `faults` finds what is wrong with a template when the configuration is read; nothing of it is run for that.
"""

import contextlib
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from typing import IO

from vigie.errors import VigieError

log = logging.getLogger("vigie.templates")

MAX_TEMPLATE, MAX_TEXT = 10_000, 20_000  # characters of a template, and of what comes of it
RENDER_SECONDS, START_SECONDS = 2.0, 20.0
_LENGTH = 4


class TemplateError(VigieError):
    """A template gave no text."""


def faults(text: str, known: Collection[str]) -> list[str]:
    """What is wrong with a template, each in a sentence with its line: its syntax, names that are not `known`, filters and tests."""
    from vigie.templating.syntax import faults_of

    if len(text) > MAX_TEMPLATE:
        return [f"a template has at most {MAX_TEMPLATE} characters"]
    return faults_of(text, known)


class Renderer:
    """Renders in a child process, which is started when it is first needed and ends by itself when it is not. Safe from any thread."""

    def __init__(self, seconds: float = RENDER_SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def render(self, templates: Mapping[str, str], values: Mapping[str, object]) -> dict[str, str]:
        """The text of each template. Blocks for at most `seconds`, and the start of the process. Raises TemplateError."""
        asked = json.dumps({"templates": dict(templates), "values": dict(values)}).encode()
        with self._lock:
            reply = self._ask(asked)
        if reply is None:
            raise TemplateError(f"the template did not end within {self._seconds:g} s, or took too much memory", "look for its loops")
        found: dict[str, dict[str, str] | str] = json.loads(reply)
        texts = found.get("texts")
        if not isinstance(texts, dict):
            raise TemplateError(str(found.get("error", "the template failed")))
        return texts

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _ask(self, asked: bytes) -> bytes | None:
        """The reply; None for a process that was killed or died over it. One that ended while it was idle is started anew."""
        for _ in range(2):
            fresh = self._process is None or self._process.poll() is not None
            process = self._started() if fresh else self._process
            if process is None or process.stdin is None or process.stdout is None:
                raise TemplateError("the process that renders templates cannot be started")
            with _killed_after(process, self._seconds) as killed:
                reply = _exchanged(process.stdin, process.stdout, asked)
            if reply is not None:
                return reply
            self._end()
            if fresh or killed.is_set():
                return None
        return None

    def _started(self) -> "subprocess.Popen[bytes] | None":
        self._end()
        # -P: nothing is to be imported from the working directory.
        command = [sys.executable, "-P", "-m", "vigie.templating.worker"]
        try:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own program
        except OSError as error:
            raise TemplateError(f"the process that renders templates cannot be started: {error}") from error
        self._process = process
        with _killed_after(process, START_SECONDS):
            ready = process.stdout.read(1) if process.stdout is not None else b""
        return process if ready == b"+" else None

    def _end(self) -> None:
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.kill()
            for stream in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):
                    if stream is not None:
                        stream.close()
            self._process.wait()
            self._process = None

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # at the interpreter's end little may be left of it
            self._end()


@contextlib.contextmanager
def _killed_after(process: "subprocess.Popen[bytes]", seconds: float) -> Iterator[threading.Event]:
    """Kill the process should the block take longer, which the event then says; whoever reads from it reads its end."""
    killed = threading.Event()

    def kill() -> None:
        killed.set()
        process.kill()

    timer = threading.Timer(seconds, kill)
    timer.daemon = True
    timer.start()
    try:
        yield killed
    finally:
        timer.cancel()


def _exchanged(source: IO[bytes], sink: IO[bytes], asked: bytes) -> bytes | None:
    """Ask and read the whole reply; None at the end of the stream."""
    try:
        source.write(len(asked).to_bytes(_LENGTH, "little") + asked)
        source.flush()
        head = sink.read(_LENGTH)
        size = int.from_bytes(head, "little")
        body = sink.read(size) if len(head) == _LENGTH else b""
    except OSError:
        return None
    return body if body and len(body) == size else None
