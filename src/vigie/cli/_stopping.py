"""How a program that stays is stopped: the first signal asks for a graceful end, the second one ends it at once."""

import asyncio
import logging
import os
import signal
import sys
import threading

log = logging.getLogger("vigie.serve")


def on_signals(stop: asyncio.Event, seconds: float, left: str, again: asyncio.Event | None = None) -> None:
    """SIGTERM or Ctrl-C sets `stop`; a second one ends the process, whatever it is doing, and so does a stop of more than `seconds`.

    `left` says what becomes of what is not done by then. SIGHUP sets `again`, where there is one.
    """
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        stopping: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGBREAK)
    else:
        stopping = (signal.SIGINT, signal.SIGTERM)
        if again is not None:
            loop.add_signal_handler(signal.SIGHUP, again.set)

    def first(_number: int, _frame: object) -> None:
        for number in stopping:
            signal.signal(number, signal.SIG_DFL)
        _end_at_last(seconds, left)
        loop.call_soon_threadsafe(stop.set)

    for number in stopping:
        signal.signal(number, first)


def _end_at_last(seconds: float, left: str) -> None:
    """End the process when a graceful stop takes longer than it may; what is stored is as safe as with `kill -9`."""

    def end() -> None:
        log.critical("stopping took longer than %g s; %s", seconds, left)
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
