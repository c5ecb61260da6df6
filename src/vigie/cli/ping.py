"""Report for a job (success, start or failure) without a server, or list the jobs and their ping addresses."""

import sys
from typing import Annotated

import typer

from vigie.adapters import jobs, store_exists
from vigie.cli.common import ConfigOption, command, notes, opened, run, settings
from vigie.cli.results import instant
from vigie.config import Desired
from vigie.engine.heartbeats import BODY_BYTES, Watched
from vigie.errors import VigieError
from vigie.net import redact
from vigie.observation.heartbeat import Ping, Signal

app = command()


@app.command(
    epilog=notes(
        "vigie ping",
        "vigie ping backup --start",
        "vigie ping backup --exit $?",
        "tail -c 9000 backup.log | vigie ping backup --fail --message -",
    )
)
def ping(
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB]", help="ID of its monitor, or its token; without it, all jobs are listed.")
    ] = None,
    *,
    config: ConfigOption = None,
    start: Annotated[bool, typer.Option("--start", help="The job starts.")] = False,
    fail: Annotated[bool, typer.Option("--fail", help="The job failed.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Only record the message.")] = False,
    exit_: Annotated[
        int | None, typer.Option("--exit", help="The job ended with this exit status; 0 means success.", min=0, max=255)
    ] = None,
    run_id: Annotated[str, typer.Option("--run", help="Run ID, which pairs a start with its end when runs overlap.")] = "",
    message: Annotated[str, typer.Option(help="Text to store with it (the first 10 kB); - reads standard input.")] = "",
) -> None:
    """Report for a job, without a server (success by default), or list the jobs.

    The ping is on disk when the command returns; a running `vigie serve` picks it up within a second, otherwise the next `vigie once`.
    """
    found = settings(config)
    if job is None:
        run(_listed(found))
        return
    if sum((start, fail, log, exit_ is not None)) > 1:
        raise VigieError("--start, --fail, --log and --exit are mutually exclusive", "use only one")
    signal = Signal.START if start else Signal.FAIL if fail or exit_ else Signal.LOG if log else Signal.SUCCESS
    text = sys.stdin.buffer.read(BODY_BYTES).decode("utf-8", "replace") if message == "-" else message[:BODY_BYTES]
    watched = _named(found, job)
    run(_enqueue(found, watched, Ping(_now(), signal, run_id, exit_, None, redact(text, found.secrets))))
    typer.echo(f"{watched.monitor.name}: {signal} recorded.")


def _now() -> int:
    from vigie.clock import SystemClock

    return SystemClock().now()


def _named(found: Desired, job: str) -> Watched:
    for one in jobs(found):
        if job in (one.monitor.id, one.token.reveal()):
            return one
    known = ", ".join(one.monitor.id for one in jobs(found)) or "none; add a monitor of `type: heartbeat`"
    raise VigieError("no job has this ID or token", f"jobs: {known}")


async def _enqueue(found: Desired, watched: Watched, ping: Ping) -> None:
    async with opened(found, make=True) as store:
        await store.inbox.enqueue_ping(watched.monitor.id, ping)


async def _listed(found: Desired) -> None:
    """Each job with its address, which is a secret: it is shown here and nowhere else."""
    if not jobs(found):
        raise VigieError("no jobs are configured", "add a monitor of `type: heartbeat`; docs/heartbeat.md shows how")
    pings = await _newest(found)
    for one in jobs(found):
        last = pings.get(one.monitor.id)
        said = "no ping yet" if last is None else f"last ping {instant(last.at)}, {last.signal}"
        listen = found.web.pings_listen or found.web.listen
        typer.echo(f"{one.monitor.id:<20} {one.monitor.target:<24} http://{listen}/ping/{one.token.reveal()}  {said}")


async def _newest(found: Desired) -> dict[str, Ping]:
    if not store_exists(found):
        return {}
    async with opened(found) as store:
        return {one.monitor.id: newest[0] for one in jobs(found) if (newest := await store.inbox.pings(one.monitor.id, 1))}
