"""Monitor continuously, with the status page and the health endpoint."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from vigie.cli._stopping import on_signals
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
    from vigie.server import STOP_SECONDS
    from vigie.serving import serve as run

    stop, again = asyncio.Event(), asyncio.Event()
    on_signals(stop, STOP_SECONDS, "what is unsent is sent at the next start", again)
    await run(found, SystemClock(), reload, stop, again, log_of, edit)
