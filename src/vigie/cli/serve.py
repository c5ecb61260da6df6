"""Monitor continuously, with the status page and the health endpoint."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence

from vigie.cli.common import ConfigOption, command, log_of, logged, notes, settings_apart, start_log
from vigie.config import Desired
from vigie.ports import StoredDefinition

app = command()
log = logging.getLogger("vigie.serve")


@app.command(
    epilog="SIGTERM or Ctrl-C stops it gracefully, within 15 seconds; a second one ends it at once. "
    "SIGHUP or a changed file reloads the configuration, all of it or none.\n\n"
    + notes(
        "vigie serve",
        "vigie serve --config /etc/vigie.yaml",
        "curl http://127.0.0.1:8080/health",
        status="0 stopped on request, 1 the stop took longer than 15 seconds and was cut short, "
        "3 could not run: invalid configuration, unusable database, port in use, or another run in progress",
    )
)
def serve(*, config: ConfigOption = None) -> None:
    """Run every monitor until stopped, with the status page and health endpoint on web.listen (127.0.0.1:8080)."""
    found = settings_apart(config)
    start_log(found)
    _warn(found)
    with logged():
        asyncio.run(_serve(found, lambda: settings_apart(config), lambda stored: settings_apart(config, stored)))


def _warn(found: Desired) -> None:
    """Watching without telling anybody is allowed here, but never in silence."""
    if found.channels:
        for fault in found.missing:
            log.warning("email cannot be sent yet: %s", fault)
        return
    names = f"not set: {', '.join(fault.key for fault in found.missing)}; " if found.missing else ""
    log.warning("no channel is configured: incidents are recorded and shown, but no alert is sent (%s`vigie init` sets one up)", names)


async def _serve(found: Desired, reload: Callable[[], Desired], edit: Callable[[Sequence[StoredDefinition]], Desired]) -> None:
    from vigie.clock import SystemClock
    from vigie.serving import serve as run

    stop, again = asyncio.Event(), asyncio.Event()
    _signals(stop, again)
    await run(found, SystemClock(), reload, stop, again, log_of, edit)


def _signals(stop: asyncio.Event, again: asyncio.Event) -> None:
    """The first SIGTERM or Ctrl-C asks for a graceful stop; a second one ends the process, whatever it is doing."""
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        stopping: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGBREAK)
    else:
        stopping = (signal.SIGINT, signal.SIGTERM)
        loop.add_signal_handler(signal.SIGHUP, again.set)

    def first(_number: int, _frame: object) -> None:
        for number in stopping:
            signal.signal(number, signal.SIG_DFL)
        _end_at_last()
        loop.call_soon_threadsafe(stop.set)

    for number in stopping:
        signal.signal(number, first)


def _end_at_last() -> None:
    """End the process when a graceful stop takes longer than it may; what is stored is as safe as with `kill -9`."""
    from vigie.server import STOP_SECONDS

    def end() -> None:
        log.critical("stopping took longer than %g s; what is unsent is sent at the next start", STOP_SECONDS)
        os._exit(1)

    timer = threading.Timer(STOP_SECONDS, end)
    timer.daemon = True
    timer.start()
