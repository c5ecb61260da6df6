"""The process in which templates are rendered: whatever one of them costs, it is killed, and Vigie sends its standard message.

It ends by itself when nothing was asked of it for a minute, and when the parent goes away.
"""

import contextlib
import json
import os
import signal
import sys
import threading
from typing import Any, BinaryIO

from jinja2 import Template, TemplateError

from vigie.templating import MAX_TEXT
from vigie.templating.syntax import environment

_LENGTH = 4
_IDLE_SECONDS = 60.0
_MEMORY_BYTES = 1 << 29  # of address space beyond what it has at its start


def main() -> None:
    """Render until the parent goes away."""
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent drains first
        signal.signal(number, signal.SIG_IGN)
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    made, known = environment(), dict[str, Template]()
    _limit_memory()
    _send(sink, b"+")
    while (asked := _received(source)) is not None:
        reply = json.dumps(_rendered(made, known, json.loads(asked))).encode()
        _send(sink, len(reply).to_bytes(_LENGTH, "little") + reply)


def _limit_memory() -> None:
    """Where the system can (setrlimit(2)); elsewhere the clock alone limits it."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - not a path of ours
            taken = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + _MEMORY_BYTES, taken + _MEMORY_BYTES))


def _rendered(made: Any, known: dict[str, Template], asked: dict[str, Any]) -> dict[str, object]:
    """The texts, or why there are none."""
    try:
        return {"texts": {name: _text(made, known, text, asked["values"]) for name, text in asked["templates"].items()}}
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        return {"error": (f"line {line}: " if line else "") + str(error.message or error)[:200]}
    except MemoryError:
        return {"error": "the template took too much memory"}
    except RecursionError:
        return {"error": "the template calls itself without an end"}
    except Exception as error:  # noqa: BLE001 - a template may raise anything
        return {"error": f"{type(error).__name__}: {error}"[:200]}


def _text(made: Any, known: dict[str, Template], text: str, values: dict[str, Any]) -> str:
    """One text, of bounded length."""
    if text not in known:
        known[text] = made.from_string(text)
    found = ""
    for piece in known[text].generate(values):
        found += piece
        if len(found) > MAX_TEXT:
            raise ValueError(f"its text is longer than {MAX_TEXT} characters")
    return found


def _received(source: BinaryIO) -> bytes | None:
    """What is asked; None at the end of the stream. Nothing for a minute ends the process."""
    idle = threading.Timer(_IDLE_SECONDS, os._exit, (0,))
    idle.daemon = True
    idle.start()
    try:
        head = source.read(_LENGTH)
        return source.read(int.from_bytes(head, "little")) if len(head) == _LENGTH else None
    finally:
        idle.cancel()


def _send(sink: BinaryIO, data: bytes) -> None:
    sink.write(data)
    sink.flush()


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(0)
