"""One whole cycle over every monitor: check, confirm, report, notify, exit. For cron, systemd timers, Windows Task Scheduler."""

import logging

import typer

from vigie.cli.common import ConfigOption, command, counted, logged, need_channels, notes, run, settings, start_log

app = command()
log = logging.getLogger("vigie.once")


@app.command(
    epilog=notes(
        "vigie once",
        "*/5 * * * * cd /srv/vigie && .venv/bin/vigie once          (a line of a crontab)",
        status="0 complete and everything sent, 1 a notice is unsent (the next run tries again), 3 it could not run: "
        "unusable configuration or database, or another run is at work",
    )
)
def once(*, config: ConfigOption = None) -> None:
    """One whole cycle over every monitor: check, confirm, incident, report, notify, store, log, exit."""
    from vigie.app import once as cycle
    from vigie.clock import SystemClock

    found = settings(config)
    start_log(found)
    with logged():
        need_channels(found)
        log.info("cycle begins: %s", counted(len(found.monitors), "monitor"))
        unsent = run(cycle(found, SystemClock()))
    if unsent:
        log.error("cycle ends: %s unsent; the outbox keeps them and the next run tries again", counted(unsent, "notice"))
        raise typer.Exit(1)
    log.info("cycle ends: everything is done")
