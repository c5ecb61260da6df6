"""One whole cycle over every monitor: check, confirm, report, notify, exit. For cron, systemd timers, Windows Task Scheduler."""

import logging

import typer

from vigie.cli.common import ConfigOption, need_channels, run, settings, start_log

app = typer.Typer(rich_markup_mode=None)
log = logging.getLogger("vigie.once")


@app.command(
    epilog="Exit status: 0 complete and everything sent, 1 a notice is unsent (the next run tries again), 3 unusable configuration. "
    "Example for cron: */5 * * * * cd /srv/vigie && .venv/bin/vigie once"
)
def once(*, config: ConfigOption = None) -> None:
    """One whole cycle over every monitor: check, confirm, incident, report, notify, store, log, exit."""
    from vigie.app import once as cycle
    from vigie.clock import SystemClock

    found = settings(config)
    need_channels(found)
    start_log(found)
    log.info("cycle begins: %d monitor(s)", len(found.monitors))
    unsent = run(cycle(found, SystemClock()))
    if unsent:
        log.error("cycle ends: %d notice(s) unsent, they stay in the outbox and the next run tries again", unsent)
        raise typer.Exit(1)
    log.info("cycle ends: everything is done")
