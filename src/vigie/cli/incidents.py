"""Incidents, their timelines and reports: list, show, ack, resolve, report."""

import difflib
from datetime import tzinfo
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vigie.cli.common import ConfigOption, duration_in, group, notes, opened, reading, run, settings, user
from vigie.config import Desired
from vigie.core.events import (
    Acked,
    PersonEvent,
    Resolved,
    Snoozed,
)
from vigie.core.model import Incident
from vigie.core.subject import VIGIE_ID, SubjectKind
from vigie.errors import VigieError
from vigie.observation.availability import Availability
from vigie.report.history import Remark
from vigie.text.formatting import duration, percent, timestamp

if TYPE_CHECKING:
    from vigie.queries import IncidentDetails
    from vigie.report.postmortem import Document

app = group("Incidents, their timelines and reports.")

_LONGEST_SNOOZE_MS = 30 * 86_400_000

Id = Annotated[str, typer.Argument(metavar="ID", help="Incident ID, as shown by `vigie incidents list`.")]
By = Annotated[str | None, typer.Option(help="Who does it; by default the user of this session.")]


def _zone(found: Desired) -> tzinfo:
    from vigie.adapters import zone_of

    return zone_of(found)


@app.command("list", epilog=notes("vigie incidents list", "vigie incidents list --open"))
def list_(
    *,
    config: ConfigOption = None,
    only_open: Annotated[bool, typer.Option("--open", help="Show only open incidents.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number of incidents.")] = 30,
) -> None:
    """List the most recent incidents."""
    known = settings(config)

    zone = _zone(known)
    rows = [_row(one, zone) for one in run(_newest(known, limit, only_open=only_open))]
    if not rows:
        typer.echo("No open incidents." if only_open else "No incidents on record.")
        return
    rows.insert(0, ("ID", "SINCE", "LASTED", "SEVERITY", "CAUSE", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


async def _newest(found: Desired, limit: int, *, only_open: bool) -> list[Incident]:
    from vigie.queries import collected

    async with reading(found) as queries:
        listed = queries.incidents.incidents
        return await collected(lambda cursor, limit: listed(open_only=only_open, cursor=cursor, limit=limit), limit)


def _row(one: Incident, zone: tzinfo) -> tuple[str, ...]:
    lasted = "still open" if one.closed_at is None else duration(one.closed_at - one.started_at, "en")
    alert = f"in alert {one.alert}" if one.alert not in ("", one.id) else ""
    who = f"closed by {one.closed_by}" if one.closed_by else f"acknowledged by {one.acked_by}" if one.acked_by else ""
    severity = "vigie" if one.subject is SubjectKind.VIGIE else one.severity.value
    return (one.id, timestamp(one.started_at, zone), lasted, severity, one.cause.value, ", ".join(filter(None, (alert, who))))


@app.command(epilog=notes("vigie incidents show shop-api-7"))
def show(identity: Id, *, config: ConfigOption = None) -> None:
    """Show one incident: the timeline, the report, and every delivery attempt."""
    from vigie.cli._incident import lines_of

    known = settings(config)

    typer.echo("\n".join(lines_of(run(_details(known, identity)), known.language, _zone(known), _now())))


async def _details(found: Desired, identity: str) -> "IncidentDetails":
    async with reading(found) as queries:
        details = await queries.incidents.incident(identity)
    if details is None:
        raise _unknown(identity)
    return details


@app.command(epilog=notes("vigie incidents ack shop-api-7", "vigie incidents ack shop-api-7 --by Zoé"))
def ack(identity: Id, *, config: ConfigOption = None, by: By = None) -> None:
    """Acknowledge an incident: somebody is working on it, so no more reminders."""
    found = settings(config)
    _handle(found, identity, Acked(_now(), by or user()))
    typer.echo(f"{identity} is acknowledged: no more reminders will be sent.")


@app.command(epilog=notes("vigie incidents snooze shop-api-7", "vigie incidents snooze shop-api-7 8h --by Zoé"))
def snooze(
    identity: Id,
    span: Annotated[str, typer.Argument(metavar="[DURATION]", help="How long: 30m, 2h, 1d.")] = "1h",
    *,
    config: ConfigOption = None,
    by: By = None,
) -> None:
    """Snooze an incident's alert: no reminders and no escalation for a while; then it resumes if the incident is still open."""
    found = settings(config)
    lasts, now = _span(span), _now()
    _handle(found, identity, Snoozed(now, by or user(), now + lasts))
    typer.echo(f"{identity} is snoozed until {timestamp(now + lasts, _zone(found))}.")


def _span(text: str) -> int:
    """A duration in ms. Raises VigieError for a text that is not one, or a span longer than anybody means."""
    lasts = duration_in(text)
    if not 60_000 <= lasts <= _LONGEST_SNOOZE_MS:
        raise VigieError(f"an alert can be snoozed for one minute to 30 days, not for {text}", "write 30m, 2h or 1d")
    return lasts


@app.command(epilog=notes("vigie incidents report shop-3 --format html > shop-3.html"))
def report(
    identity: Id,
    *,
    config: ConfigOption = None,
    format_: Annotated[Literal["md", "html"], typer.Option("--format", help="Markdown, or a single HTML page.")] = "md",
    language: Annotated[Literal["fr", "en"] | None, typer.Option(help="Language; by default the configured one.")] = None,
) -> None:
    """Write the post-incident report, with the parts for people to fill in marked."""
    found = settings(config)

    async def work() -> "Document":
        from vigie.clock import SystemClock
        from vigie.records import postmortem

        async with opened(found) as store:
            return await postmortem(found, store, SystemClock(), identity, language or found.language)

    typer.echo(_written(run(work()), format_))


def _written(document: "Document", format_: str) -> str:
    from vigie.report.postmortem import markdown
    from vigie.web.export import html

    return html(document) if format_ == "html" else markdown(document)


@app.command(
    epilog=notes(
        "vigie incidents resolve shop-api-7 --note 'the cable was cut'",
        "vigie incidents resolve shop-api-7 --cause behind_proxy --misleading",
    )
)
def resolve(
    identity: Id,
    *,
    config: ConfigOption = None,
    by: By = None,
    note: Annotated[str, typer.Option(help="What it was, in your own words.")] = "",
    cause: Annotated[str, typer.Option(help="ID of the real cause (`vigie incidents causes` lists them).")] = "",
    helpful: Annotated[bool | None, typer.Option("--helpful/--misleading", help="Whether the report was helpful.")] = None,
) -> None:
    """Close an incident by hand, or record the real cause of a closed one; the next similar incident mentions it.

    If the service is still failing, a new incident opens after confirmation.
    """
    found = settings(config)
    who = by or user()
    _known(cause)
    said = Remark(identity, _now(), who, helpful, cause, note) if cause or note or helpful is not None else None
    was_open = run(_resolved(found, Resolved(_now(), who, note), identity, said))
    typer.echo(f"{identity} is closed." if was_open else f"{identity}: noted.")


@app.command(epilog=notes("vigie incidents causes"))
def causes() -> None:
    """List the causes that `resolve --cause` accepts, by ID."""
    from vigie.report.hypotheses import catalogue

    for identity, (_, en) in catalogue().items():
        typer.echo(f"{identity:<18} {en}")


def _known(cause: str) -> None:
    """Raise VigieError for a cause that nobody could look up again."""
    from vigie.report.hypotheses import catalogue

    if cause and cause not in catalogue():
        near = difflib.get_close_matches(cause, catalogue(), 1)
        fix = f"did you mean {near[0]!r}?" if near else "`vigie incidents causes` lists them; use --note for anything else"
        raise VigieError(f"{cause!r} is not a cause that Vigie knows", fix)


async def _resolved(found: Desired, event: Resolved, identity: str, said: Remark | None) -> bool:
    """Keep what was said, then close what is open; whether it was open. Raises VigieError when there is nothing to do."""
    async with opened(found) as store:
        incident = await store.archive.incident(identity)
        if incident is None:
            raise _unknown(identity)
        if incident.closed_at is not None and said is None:
            raise VigieError(f"{identity} is already closed", "use --cause, --note, --helpful or --misleading")
        if said is not None:
            await store.catalog.save_remark(said)
    if incident.closed_at is None:
        await _handled(found, identity, event)
    return incident.closed_at is None


def _now() -> int:
    from vigie.clock import SystemClock

    return SystemClock().now()


def _unknown(identity: str) -> VigieError:
    return VigieError(f"no such incident: {identity}", "see `vigie incidents list`")


def _handle(found: Desired, identity: str, event: PersonEvent) -> None:
    """Take the event in here, or leave it to the Vigie that is at work, which takes it within a second."""
    run(_handled(found, identity, event))


async def _handled(found: Desired, identity: str, event: PersonEvent) -> None:
    from vigie.app import Runtime, at_work
    from vigie.clock import SystemClock
    from vigie.engine.janitor import apply_commands
    from vigie.errors import AlreadyRunning

    async with opened(found) as store:
        incident = await store.archive.incident(identity)
        if incident is None:
            raise _unknown(identity)
        if incident.closed_at is not None:
            raise VigieError(f"{identity} is already closed", "there is nothing left to do; see `vigie incidents show`")
        if incident.monitor == VIGIE_ID:
            raise VigieError(f"{identity} is about Vigie itself: it closes by itself once Vigie can check again")
    try:
        async with at_work(found, SystemClock()) as duty:
            runtime = Runtime(found, SystemClock(), hold_ms=0, threads=False, duty=duty)
            try:
                await runtime.start()
                await apply_commands(runtime.store.inbox, runtime.ingest)
                await runtime.ingest.handle(incident.monitor, event)
                await runtime.outbox.drain(runtime.clock.now() + 5_000)
            finally:
                await runtime.close()
    except AlreadyRunning:
        async with opened(found) as store:
            await store.inbox.enqueue_command(incident.monitor, event)


@app.command(epilog=notes("vigie incidents uptime --days 7"))
def uptime(*, config: ConfigOption = None, days: Annotated[int, typer.Option(min=1, max=3_650, help="Number of days.")] = 30) -> None:
    """Show the availability of each monitor; time in which Vigie could not check is left out."""
    found = settings(config)
    end = _now()

    known = run(_availabilities(found, end - days * 86_400_000, end))
    for one in found.monitors:
        typer.echo(f"{one.monitor.id:<30} {_available(known.get(one.monitor.id))}")


async def _availabilities(found: Desired, start: int, end: int) -> dict[str, Availability]:
    from vigie.queries import MAX_LIMIT

    known: dict[str, Availability] = {}
    async with reading(found) as queries:
        for first in range(0, len(found.monitors), MAX_LIMIT):
            asked = [one.monitor.id for one in found.monitors[first : first + MAX_LIMIT]]
            summaries = await queries.availability.availability(asked, start, end)
            known |= {monitor: one.known for monitor, one in summaries.items()}
    return known


def _available(found: Availability | None) -> str:
    if found is None or found.ratio is None:
        return "not observed"
    down = f", down for {duration(found.down_ms, 'en')}" if found.down_ms else ""
    return f"{percent(found.ratio, 'en')}{down}, observed for {duration(found.observed_ms, 'en')}"
