"""The incidents, their timelines and reports: list, show, ack, resolve."""

import difflib
import getpass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vigie.cli.common import ConfigOption, run, settings
from vigie.cli.results import instant
from vigie.config import Settings
from vigie.core.events import Acked, Resolved
from vigie.core.model import Incident
from vigie.core.report.history import Remark
from vigie.core.report.words import duration
from vigie.errors import VigieError
from vigie.ports import Store

if TYPE_CHECKING:
    from vigie.core.report.postmortem import Document

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="The incidents, their timelines and reports.")

Id = Annotated[str, typer.Argument(metavar="ID", help="Incident, as `vigie incidents list` names it.")]


def _open(found: Settings) -> Store:
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


async def _told(store: Store, identity: str) -> list[str]:
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
    lines += ["", "Deliveries"]
    for one in await store.deliveries(identity):
        lines.append(f"  {instant(one.at)}  {one.key}  try {one.attempt}: {one.reason or 'delivered'} ({one.answer})")
    waiting = [row for row in await store.unsent() if row.notice.incident == identity]
    lines += [f"  unsent: {row.notice.key}, next try {instant(row.due_at)}" for row in waiting]
    return lines


@app.command()
def ack(identity: Id, *, config: ConfigOption = None, by: Annotated[str | None, typer.Option(help="Who.")] = None) -> None:
    """Say that somebody is on it: no more reminders."""
    found = settings(config)
    now = _now()
    _handle(found, identity, Acked(now, by or getpass.getuser()))
    typer.echo(f"{identity} is acknowledged: no more reminders.")


@app.command()
def report(
    identity: Id,
    *,
    config: ConfigOption = None,
    format_: Annotated[Literal["md", "html"], typer.Option("--format", help="Markdown, or one page of HTML.")] = "md",
    language: Annotated[Literal["fr", "en"] | None, typer.Option(help="Language; the configuration's when not given.")] = None,
) -> None:
    """The post-incident report, with what people have to add marked. Example: vigie incidents report shop-3 --format html > shop-3.html."""
    found = settings(config)
    store = _open(found)

    async def work() -> "Document":
        from vigie.clock import SystemClock
        from vigie.records import postmortem

        try:
            return await postmortem(found, store, SystemClock(), identity, language or found.language)
        finally:
            await store.close()

    typer.echo(_written(run(work()), format_))


def _written(document: "Document", format_: str) -> str:
    from vigie.core.report.postmortem import markdown
    from vigie.web.paper import html

    return html(document) if format_ == "html" else markdown(document)


@app.command()
def resolve(
    identity: Id,
    *,
    config: ConfigOption = None,
    by: Annotated[str | None, typer.Option(help="Who.")] = None,
    note: Annotated[str, typer.Option(help="What it was, in your words.")] = "",
    cause: Annotated[str, typer.Option(help="The real cause, by its id (`vigie incidents causes` lists them).")] = "",
    helpful: Annotated[bool | None, typer.Option("--helpful/--misleading", help="Whether the report helped.")] = None,
) -> None:
    """Close an incident by hand, or add to a closed one what it really was: it is remembered, and told at the next similar one.

    If the service still fails, a new incident opens after confirmation. Example: vigie incidents resolve shop-3 --cause behind_proxy.
    """
    found = settings(config)
    who = by or getpass.getuser()
    _known(cause)
    said = Remark(identity, _now(), who, helpful, cause, note) if cause or note or helpful is not None else None
    was_open = run(_resolved(found, Resolved(_now(), who, note), identity, said))
    typer.echo(f"{identity} is closed." if was_open else f"{identity}: noted.")


@app.command()
def causes() -> None:
    """The causes that `resolve --cause` knows, by id."""
    from vigie.core.report.causes import catalogue

    for identity, (_, en) in catalogue().items():
        typer.echo(f"{identity:<18} {en}")


def _known(cause: str) -> None:
    """Raise VigieError for a cause that nobody could look up again."""
    from vigie.core.report.causes import catalogue

    if cause and cause not in catalogue():
        near = difflib.get_close_matches(cause, catalogue(), 1)
        fix = f"did you mean {near[0]!r}?" if near else "`vigie incidents causes` lists them; say anything else with --note"
        raise VigieError(f"{cause!r} is no cause that Vigie knows", fix)


async def _resolved(found: Settings, event: Resolved, identity: str, said: Remark | None) -> bool:
    """Keep what was said, then close what is open; whether it was open. Raises VigieError when there is nothing to do."""
    store = _open(found)
    try:
        incident = await store.incident(identity)
        if incident is None:
            raise _unknown(identity)
        if incident.closed_at is not None and said is None:
            raise VigieError(f"{identity} is closed already", "say what it was with --cause, --note, --helpful or --misleading")
        if said is not None:
            await store.remark(said)
    finally:
        await store.close()
    if incident.closed_at is None:
        await _handled(found, identity, event)
    return incident.closed_at is None


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
