"""A process that checks one monitor once: what comes in is the work of a prober, what goes out is one result. Then it ends."""

import asyncio
import os
import sys

from vigie.agent import check_once
from vigie.buses.process import Assign, Results, frame, read_down
from vigie.ports import Batch, RunMode

_LENGTH = 4


def main() -> None:
    """The process."""
    source = sys.stdin.buffer
    message = read_down(source.read(int.from_bytes(source.read(_LENGTH), "little")))
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is not part of the answer
    if isinstance(message, Assign):
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:  # as libcurl needs it
            results = runner.run(check_once(message.specs, message.control, message.second_resolver))
        sink.write(frame(Results(Batch("trial", 0, 1, tuple(results), RunMode.SINGLE))))
        sink.flush()


if __name__ == "__main__":
    main()
