"""History in a format that other programs read: the results of checks, and incidents."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vigie.cli._tables import Columns, Format, Row, Table, table
from vigie.cli.common import ConfigOption, group, instant_in, notes, reading, run, settings
from vigie.cli.results import instant
from vigie.config import Desired
from vigie.core.model import CheckResult, Incident
from vigie.errors import VigieError

if TYPE_CHECKING:
    from vigie.queries import Queries

app = group("Export results and incidents as CSV, JSON lines or Parquet.")

RESULTS: Columns = {
    "time": str, "monitor": str, "name": str, "location": str, "status": str, "cause": str, "http_status": int, "dns_ms": float,
    "connect_ms": float, "tls_ms": float, "first_byte_ms": float, "transfer_ms": float, "total_ms": float, "message": str, "run": int,
    "sequence": int,
}  # fmt: skip
INCIDENTS: Columns = {
    "id": str, "monitor": str, "name": str, "severity": str, "cause": str, "started_at": str, "opened_at": str, "closed_at": str,
    "lasted_ms": int, "acked_by": str, "closed_by": str, "note": str, "alert": str, "failures": int, "pattern": str,
}  # fmt: skip
_EVERY_SECONDS = 0.5

FormatOption = Annotated[Format, typer.Option("--format", help="CSV, one JSON object a line, or Parquet (`pip install 'vigie[parquet]'`).")]
Monitors = Annotated[list[str] | None, typer.Option("--monitor", help="Name or ID of a monitor; repeatable; by default all.")]
Tag = Annotated[str | None, typer.Option(help="Only monitors with this tag.")]
From = Annotated[str | None, typer.Option("--from", help="From when (`2026-03-01`), or how far back (`7d`); by default all that is kept.")]
Until = Annotated[str | None, typer.Option(help="Until when, exclusive; by default now.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="File to write; by default standard output.")]


@app.command(
    epilog=notes("vigie export results --from 30d > results.csv", "vigie export results --monitor shop --format parquet -o shop.parquet")
)
def results(
    *,
    config: ConfigOption = None,
    format_: FormatOption = "csv",
    monitor: Monitors = None,
    tag: Tag = None,
    since: From = None,
    until: Until = None,
    output: Output = None,
) -> None:
    """Export the results of checks: by monitor, oldest first; older ones have their status, cause and total time alone."""
    found = settings(config)
    chosen, span = _chosen(found, monitor or [], tag), _span(found, since, until, found.history.totals_ms)

    async def work() -> int:
        async with reading(found) as queries:
            with table(format_, RESULTS, output) as rows, _progress() as progress:
                return await _write_results(queries, rows, chosen, span, progress)

    _said(run(work()), "result", output)


async def _write_results(
    queries: "Queries", rows: Table, chosen: dict[str, str], span: tuple[int, int], progress: Callable[[int], None]
) -> int:
    """A day of a monitor at a time."""
    from vigie.observation.rollup import DAY_MS, Resolution

    written, (start, end) = 0, span
    for monitor, name in chosen.items():
        days = await queries.history.rollups([monitor], start // DAY_MS * DAY_MS, end, Resolution.DAY)
        for day in [one.start for one in days[monitor]]:
            for one in await _of_day(queries, monitor, max(day, start), min(day + DAY_MS, end)):
                rows.write(_result_row(one, name))
                written += 1
            progress(written)
    return written


async def _of_day(queries: "Queries", monitor: str, start: int, end: int) -> list[CheckResult]:
    """Oldest first."""
    from vigie.queries import collected

    listed = queries.history.results
    return (await collected(lambda cursor, limit: listed(monitor, start, end, cursor=cursor, limit=limit)))[::-1]


def _result_row(one: CheckResult, name: str) -> Row:
    times = one.timings
    return {
        "time": instant(one.at), "monitor": one.monitor, "name": name, "location": one.location, "status": one.status.value,
        "cause": None if one.cause is None else one.cause.value, "http_status": None if one.http is None else one.http.status,
        "dns_ms": _ms(times.dns), "connect_ms": _ms(times.connect), "tls_ms": _ms(times.tls), "first_byte_ms": _ms(times.first_byte),
        "transfer_ms": _ms(times.transfer), "total_ms": _ms(times.total), "message": one.message or None, "run": one.run,
        "sequence": one.sequence,
    }  # fmt: skip


@app.command(epilog=notes("vigie export incidents --from 2026-01-01 --until 2026-04-01 --format jsonl"))
def incidents(
    *,
    config: ConfigOption = None,
    format_: FormatOption = "csv",
    monitor: Monitors = None,
    tag: Tag = None,
    since: From = None,
    until: Until = None,
    output: Output = None,
) -> None:
    """Export incidents, newest first: those that were not over before --from and began before --until."""
    found = settings(config)
    named = bool(monitor or tag)
    chosen, span = _chosen(found, monitor or [], tag), _span(found, since, until, None)

    async def work() -> int:
        async with reading(found) as queries:
            with table(format_, INCIDENTS, output) as rows, _progress() as progress:
                return await _write_incidents(queries, rows, chosen, span, progress, named=named)

    _said(run(work()), "incident", output)


async def _write_incidents(
    queries: "Queries", rows: Table, chosen: dict[str, str], span: tuple[int, int], progress: Callable[[int], None], *, named: bool
) -> int:
    """A page at a time. Without names also those of monitors that are not configured any more, and Vigie's own."""
    written, cursor = 0, None
    while True:
        page = await queries.incidents.incidents(cursor=cursor)
        for one in page.items:
            over = one.closed_at is not None and one.closed_at < span[0]
            if one.started_at < span[1] and not over and (one.monitor in chosen or not named):
                rows.write(_incident_row(one, chosen.get(one.monitor, one.monitor)))
                written += 1
        progress(written)
        cursor = page.next
        if cursor is None:
            return written


def _incident_row(one: Incident, name: str) -> Row:
    closed = one.closed_at
    return {
        "id": one.id, "monitor": one.monitor, "name": name, "severity": one.severity.value, "cause": one.cause.value,
        "started_at": instant(one.started_at), "opened_at": instant(one.opened_at), "closed_at": instant(closed),
        "lasted_ms": None if closed is None else closed - one.started_at, "acked_by": one.acked_by, "closed_by": one.closed_by,
        "note": one.note, "alert": one.alert or one.id, "failures": one.failures, "pattern": one.pattern.value,
    }  # fmt: skip


def _ms(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _chosen(found: Desired, names: Sequence[str], tag: str | None) -> dict[str, str]:
    """Monitors by id with their names: those that were named and have the tag. Raises VigieError."""
    monitors = [one.monitor for one in found.monitors]
    known = {one.name: one for one in monitors} | {one.id: one for one in monitors}
    for name in names:
        if name not in known:
            raise VigieError(f"there is no monitor {name[:80]!r}", f"known: {', '.join(sorted({one.id for one in monitors})[:20])}")
    wanted = {known[name].id for name in names} or {one.id for one in monitors}
    chosen = {one.id: one.name for one in monitors if one.id in wanted and (tag is None or tag in one.tags)}
    if not chosen:
        raise VigieError(f"no monitor has the tag {tag!r}", "`vigie config show` lists monitors with their tags")
    return chosen


def _span(found: Desired, since: str | None, until: str | None, kept_ms: int | None) -> tuple[int, int]:
    from vigie.adapters import zone_of
    from vigie.clock import SystemClock

    zone, now = zone_of(found), SystemClock().now()
    start = (0 if kept_ms is None else now - kept_ms) if since is None else instant_in(since, "--from", zone, now)
    end = now + 1 if until is None else instant_in(until, "--until", zone, now)
    if start >= end:
        raise VigieError("--from is not before --until", "give an earlier --from, or a later --until")
    return start, end


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """How far it is, on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    last = time.monotonic()

    def show(count: int) -> None:
        nonlocal last
        if time.monotonic() - last > _EVERY_SECONDS:
            last = time.monotonic()
            typer.echo(f"\r{count:,} rows", nl=False, err=True)

    try:
        yield show
    finally:
        typer.echo("\r\x1b[K", nl=False, err=True)


def _said(written: int, what: str, output: Path | None) -> None:
    """What was done, where the rows themselves do not say it."""
    if output is not None or not written:
        typer.echo(f"{written:,} {what}{'' if written == 1 else 's'}{'' if output is None else f' written to {output}'}.", err=True)
