"""The process in which foreign documents are read: whatever one of them costs, the checks of the others keep their time.

It is a child of the process that probes, which kills it when a document takes too long. A document whose reading takes more than its
CPU time ends the process by itself (setitimer(2), ITIMER_PROF, whose signal kills by default, also inside a library that never returns),
so that a busy machine is not taken for a hostile page. It imports as little as it can: its memory is paid for by everybody.
"""

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, BinaryIO

_LENGTH = 4
_USUAL_START = 0.1  # seconds of CPU that the imports take; on a slower machine documents may take longer in the same measure
_SLOWEST = 8.0
_NICE = 5  # it never takes the processor from the loop that measures

Job = Callable[[dict[str, Any], bytes], dict[str, Any]]


def main() -> None:
    """Read documents until the parent goes away. The last argument is what is read first, `pages` or `searches`: it is ready by then."""
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent drains first
        signal.signal(number, signal.SIG_IGN)
    source, sink = _connection()
    _job("page" if sys.argv[-1] == "pages" else "content")
    if hasattr(os, "nice"):
        os.nice(_NICE)
    gc.collect()
    gc.freeze()  # what was imported stays: no collection looks at it again
    pace = min(max(time.process_time() / _USUAL_START, 1.0), _SLOWEST)
    _write(sink, b"+")
    while (head := _frame(source)) is not None and (body := _frame(source)) is not None:
        asked = json.loads(head)
        job = _job(asked.pop("job"))
        with _CpuLimit(asked.pop("cpu") * pace):
            reply = _done(job, asked, body)
        _write(sink, len(reply).to_bytes(_LENGTH, "little") + reply)


def _connection() -> tuple[BinaryIO, BinaryIO]:
    """The parent's socket, both ways; it is standard input, and on Windows comes through it. Nothing that a library prints gets there."""
    if sys.platform == "win32":
        import socket

        with os.fdopen(os.dup(0), "rb") as stdin:
            shared = socket.fromshare(_frame(stdin) or b"")
        return shared.makefile("rb"), shared.makefile("wb")
    found = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(0), "wb")
    os.dup2(1, 0)
    return found


def _job(name: str) -> Job:
    """A job by its name; what it needs is imported with the first."""
    if name in ("content", "select"):
        from vigie.probes.kit.http import content

        return content.JOBS[name]
    if name == "search":
        from vigie.probes.kit import search

        return search.JOBS[name]
    from vigie.probes.kit.http.page import look

    return look.JOBS[name]


def _done(job: Job, asked: dict[str, Any], body: bytes) -> bytes:
    """The reply as JSON; a job that raises has a fault of its own, which is told and ends nothing."""
    try:
        return json.dumps(job(asked, body)).encode()
    except Exception as error:  # noqa: BLE001 - every fault of a reader is told to the parent
        return json.dumps({"error": f"{type(error).__name__}: {error}"[:300]}).encode()


class _CpuLimit:
    """Ends this process when the block takes more seconds of CPU; on Windows, which cannot, the parent's clock alone does."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_PROF, self._seconds)

    def __exit__(self, *_: object) -> None:
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_PROF, 0)


def _frame(source: BinaryIO) -> bytes | None:
    """The next length-prefixed frame; None at the end."""
    head = source.read(_LENGTH)
    if len(head) < _LENGTH:
        return None
    size = int.from_bytes(head, "little")
    body = source.read(size)
    return body if len(body) == size else None


def _write(sink: BinaryIO, data: bytes) -> None:
    sink.write(data)
    sink.flush()
