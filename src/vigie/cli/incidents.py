"""The incidents, their timelines and reports: list, show, ack, resolve."""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from vigie.cli.common import ConfigOption, run, settings
from vigie.cli.results import instant
from vigie.config import Settings
from vigie.core.events import Acked, Resolved
from vigie.core.model import Incident
from vigie.core.report.words import duration
from vigie.errors import VigieError
from vigie.ports import PingStore, Store

if TYPE_CHECKING:
    from vigie.stores.sqlite import SqliteStore

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="The incidents, their timelines and reports.")

_PINGS, _BODY_LINES, _BODY_WIDTH = 5, 10, 160

Id = Annotated[str, typer.Argument(metavar="ID", help="Incident, as `vigie incidents list` names it.")]


def _open(found: Settings) -> "SqliteStore":
    from vigie.stores.sqlite import SqliteStore

    if not found.store.exists():
        raise VigieError(f"there is no database at {found.store}", "run `vigie once` or `vigie serve` first")
    return SqliteStore(found.store, threads=False)


@app.command("list")
def list_(
    *,
    config: ConfigOption = None,
    only_open: Annotated[bool, typer.Option("--open", help="Only open ones.")] = False,
    limit: Annotated[int, typer.Option(help="How many at most.")] = 30,
) -> None:
    """The newest incidents. Example: vigie incidents list --open."""
    store = _open(settings(config))

    async def work() -> list[Incident]:
        try:
            return await store.incidents(open_only=only_open, limit=limit)
        finally:
            await store.close()

    found = run(work())
    for one in found:
        ended = "open" if one.closed_at is None else duration(one.closed_at - one.started_at, "en")
        acked = f"  acknowledged by {one.acked_by}" if one.acked_by else ""
        typer.echo(f"{one.id:<30} {instant(one.started_at)}  {ended:<12} {one.cause}{acked}")
    if not found:
        typer.echo("No incident on record.")


@app.command()
def show(identity: Id, *, config: ConfigOption = None) -> None:
    """One incident: what happened when, the report, and every attempt to tell somebody."""
    store = _open(settings(config))

    async def work() -> list[str]:
        try:
            return await _told(store, identity)
        finally:
            await store.close()

    typer.echo("\n".join(run(work())))


async def _told(store: "SqliteStore", identity: str) -> list[str]:
    incident = await store.incident(identity)
    if incident is None:
        raise _unknown(identity)
    ended = "still open" if incident.closed_at is None else f"closed after {duration(incident.closed_at - incident.started_at, 'en')}"
    lines = [f"{incident.id}: {incident.severity}, {incident.cause}, {ended}", "", "Timeline"]
    lines += [f"  {instant(entry.at)}  {type(entry.decision).__name__.lower()}" for entry in await store.timeline(identity)]
    if (report := await store.report(identity)) is not None:
        lines += ["", "Facts", *(f"  {fact.id:<4} {fact.evidence.en}" for fact in report.bundle.facts)]
        if report.analysis is not None and report.analysis.sentences:
            lines += ["", f"Analysis by {report.analysis.model}", *(f"  {sentence}" for sentence in report.analysis.sentences)]
        if report.analysis is not None and report.analysis.dropped:
            lines += ["", "Dropped", *(f"  {one.rule}: {one.text}" for one in report.analysis.dropped)]
        if report.fault:
            lines += ["", f"No analysis: {report.fault}"]
    lines += [*await _picture(store, incident), *await _pings(store, incident)]
    lines += ["", "Deliveries"]
    for one in await store.deliveries(identity):
        lines.append(f"  {instant(one.at)}  {one.key}  try {one.attempt}: {one.reason or 'delivered'} ({one.answer})")
    waiting = [row for row in await store.unsent() if row.notice.incident == identity]
    lines += [f"  unsent: {row.notice.key}, next try {instant(row.due_at)}" for row in waiting]
    return lines


async def _picture(store: Store, incident: Incident) -> list[str]:
    """Where the newest picture of the trouble lies, if one was taken."""
    bad = await store.last_detail(incident.monitor, good=False, before=(incident.closed_at or _now()) + 1)
    path = bad.figures.get("screenshot") if bad is not None and bad.at >= incident.started_at else None
    return [] if path is None else ["", f"Screenshot: {path}"]


async def _pings(store: PingStore, incident: Incident) -> list[str]:
    """What the job itself reported lately, where the monitor is one that jobs report to."""
    pings = await store.pings(incident.monitor, _PINGS)
    lines = ["", "Newest pings of the job"] if pings else []
    for one in pings:
        status = "" if one.exit_status is None else f", exit status {one.exit_status}"
        lines.append(f"  {instant(one.at)}  {one.signal}{status}" + (f"  run {one.run}" if one.run else ""))
        lines += [f"    {_printable(line)}" for line in one.body.splitlines()[-_BODY_LINES:]]
    return lines


def _printable(line: str) -> str:
    """A line that a job wrote, harmless on a terminal."""
    return "".join(character if character.isprintable() else " " for character in line)[:_BODY_WIDTH]


@app.command()
def ack(identity: Id, *, config: ConfigOption = None, by: Annotated[str | None, typer.Option(help="Who.")] = None) -> None:
    """Say that somebody is on it: no more reminders."""
    found = settings(config)
    now = _now()
    _handle(found, identity, Acked(now, by or getpass.getuser()))
    typer.echo(f"{identity} is acknowledged: no more reminders.")


@app.command()
def resolve(
    identity: Id,
    *,
    config: ConfigOption = None,
    by: Annotated[str | None, typer.Option(help="Who.")] = None,
    note: Annotated[str, typer.Option(help="What it was.")] = "",
) -> None:
    """Close an incident by hand; if the service still fails, a new one opens after confirmation."""
    found = settings(config)
    _handle(found, identity, Resolved(_now(), by or getpass.getuser(), note))
    typer.echo(f"{identity} is closed.")


def _now() -> int:
    from vigie.clock import SystemClock

    return SystemClock().now()


def _unknown(identity: str) -> VigieError:
    return VigieError(f"there is no incident {identity}", "see `vigie incidents list`")


def _handle(found: Settings, identity: str, event: Acked | Resolved) -> None:
    """Take the event in here, or leave it to the Vigie that is at work, which takes it within a second."""
    run(_handled(found, identity, event))


async def _handled(found: Settings, identity: str, event: Acked | Resolved) -> None:
    from vigie.app import Core, locked
    from vigie.clock import SystemClock
    from vigie.errors import AlreadyRunning

    store = _open(found)
    try:
        incident = await store.incident(identity)
        if incident is None:
            raise _unknown(identity)
        if incident.closed_at is not None:
            raise VigieError(f"{identity} is closed already")
    finally:
        await store.close()
    try:
        with locked(found.store):
            core = Core(found, SystemClock(), hold_ms=0, threads=False)
            try:
                await core.start()
                await core.ingest.handle(incident.monitor, event)
                await core.outbox.drain(core.clock.now() + 5_000)
            finally:
                await core.close()
    except AlreadyRunning:
        await _leave(found, incident.monitor, event)


async def _leave(found: Settings, monitor: str, event: Acked | Resolved) -> None:
    store = _open(found)
    try:
        await store.leave(monitor, event)
    finally:
        await store.close()
