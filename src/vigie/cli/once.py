"""One full cycle over every monitor: check, confirm, report, notify, exit. For cron, systemd timers, Windows Task Scheduler."""

import logging
import sys

import typer

from vigie.cli.common import ConfigOption, command, counted, logged, need_channels, notes, run, settings, start_log
from vigie.text import formatting

app = command()
log = logging.getLogger("vigie.once")


@app.command(
    epilog=notes(
        "vigie once",
        "*/5 * * * * cd /srv/vigie && .venv/bin/vigie once          (a crontab line)",
        status="0 complete and everything sent, 1 a notice was not delivered (the next run tries again what waits), 3 could not run: "
        "invalid configuration, unusable database, or another run in progress",
    )
)
def once(*, config: ConfigOption = None) -> None:
    """One full cycle over every monitor: check, confirm, open incidents, report, notify, store, log, exit."""
    from vigie.app import once as cycle
    from vigie.clock import SystemClock

    found = settings(config)
    start_log(found, brief=not sys.stderr.isatty())
    with logged():
        need_channels(found)
        log.info("cycle starts: %s", counted(len(found.monitors), "monitor"))
        unsent = run(cycle(found, SystemClock()))
    if unsent:
        log.error("cycle ends: %s", formatting.unsent_words(unsent.waiting, unsent.given_up, "run"))
        raise typer.Exit(1)
    log.info("cycle ends: all done")
