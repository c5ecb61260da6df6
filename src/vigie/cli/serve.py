"""Watch continuously, with the status page and the health endpoint."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable

import typer

from vigie.cli.common import ConfigOption, settings_apart, start_log
from vigie.config import Settings

app = typer.Typer(rich_markup_mode=None)
log = logging.getLogger("vigie.serve")


@app.command(epilog="SIGTERM or Ctrl-C drains and stops; SIGHUP or a changed file reloads the configuration, as a whole or not at all.")
def serve(*, config: ConfigOption = None) -> None:
    """Watch every monitor until stopped; status page and health endpoint on web.listen (127.0.0.1:8080)."""
    found = settings_apart(config)
    start_log(found)
    if not found.channels:
        log.warning("no channel is configured: incidents are recorded and shown, but nobody is told (vigie init sets one up)")
    asyncio.run(_serve(found, lambda: settings_apart(config)))


async def _serve(found: Settings, reload: Callable[[], Settings]) -> None:
    from vigie.clock import SystemClock
    from vigie.service import serve as run

    stop, again = asyncio.Event(), asyncio.Event()
    _signals(stop, again)
    await run(found, SystemClock(), reload, stop, again)


def _signals(stop: asyncio.Event, again: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        for number in (signal.SIGINT, signal.SIGBREAK):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, again.set)
