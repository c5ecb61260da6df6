"""One full cycle over every monitor: check, confirm, report, notify, exit. For cron, systemd timers, Windows Task Scheduler."""

import logging
import sys
from collections.abc import Sequence

import typer

from vigie.cli.common import ConfigOption, command, counted, logged, need_channels, notes, run, settings, start_log
from vigie.text import formatting

app = command()
log = logging.getLogger("vigie.once")

_MAX_NAMED, _WHY = 10, 120


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
    from vigie.clock import SystemClock
    from vigie.cycle import once as cycle

    found = settings(config)
    start_log(found, brief=not sys.stderr.isatty())
    with logged():
        need_channels(found)
        log.info("cycle starts: %s", counted(len(found.monitors), "monitor"))
        done = run(cycle(found, SystemClock()))
    unsent, unchecked = done.unsent, _unchecked(done.unchecked)
    if unsent:
        log.error("cycle ends: %s%s", formatting.unsent_words(unsent.waiting, unsent.given_up, "run"), unchecked)
        raise typer.Exit(1)
    if unchecked:
        log.warning("cycle ends: everything is sent%s", unchecked)
    else:
        log.info("cycle ends: all done")


def _unchecked(found: Sequence[tuple[str, str]]) -> str:
    """The end of the last line, where there were monitors that could not be checked."""
    if not found:
        return ""
    named = "; ".join(f"{name} ({' '.join(why.split())[:_WHY]})" for name, why in found[:_MAX_NAMED])
    more = f"; and {len(found) - _MAX_NAMED} more" if len(found) > _MAX_NAMED else ""
    return f", but {counted(len(found), 'monitor')} could not be checked: {named}{more}"
