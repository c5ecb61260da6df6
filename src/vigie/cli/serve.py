"""Watch continuously, with the status page and the health endpoint."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable

from vigie.cli.common import ConfigOption, command, log_of, logged, notes, settings_apart, start_log
from vigie.config import Desired

app = command()
log = logging.getLogger("vigie.serve")


@app.command(
    epilog="SIGTERM or Ctrl-C drains and stops; SIGHUP or a changed file reloads the configuration, as a whole or not at all.\n\n"
    + notes(
        "vigie serve",
        "vigie serve --config /etc/vigie.yaml",
        "curl http://127.0.0.1:8080/health",
        status="0 stopped when asked, 3 it could not run: unusable configuration or database, busy port, or another run is at work",
    )
)
def serve(*, config: ConfigOption = None) -> None:
    """Watch every monitor until stopped; status page and health endpoint on web.listen (127.0.0.1:8080)."""
    found = settings_apart(config)
    start_log(found)
    _warn(found)
    with logged():
        asyncio.run(_serve(found, lambda: settings_apart(config)))


def _warn(found: Desired) -> None:
    """Watching without telling anybody is allowed here, but never in silence."""
    if found.channels:
        for fault in found.missing:
            log.warning("mail cannot be sent yet: %s", fault)
        return
    names = f"not set: {', '.join(fault.key for fault in found.missing)}; " if found.missing else ""
    log.warning("no channel is configured: incidents are recorded and shown, but nobody is told (%s`vigie init` sets one up)", names)


async def _serve(found: Desired, reload: Callable[[], Desired]) -> None:
    from vigie.clock import SystemClock
    from vigie.server import serve as run

    stop, again = asyncio.Event(), asyncio.Event()
    _signals(stop, again)
    await run(found, SystemClock(), reload, stop, again, log_of)


def _signals(stop: asyncio.Event, again: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        for number in (signal.SIGINT, signal.SIGBREAK):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, again.set)
