"""Planned work on services, during which nobody is notified: start, end, list."""

import getpass
from collections.abc import Sequence
from datetime import tzinfo
from typing import Annotated

import typer

from vigie.cli.common import ConfigOption, counted, duration_in, group, notes, opened, run, settings
from vigie.config import Desired
from vigie.core.model import Monitor
from vigie.errors import ConfigError, VigieError
from vigie.planning.maintenance import Maintenance, StartedMaintenance
from vigie.text.formatting import duration, timestamp

app = group("Maintenance: planned work on services, during which nobody is notified.")

_DAY_MS = 86_400_000
_SHORTEST_MS, _LONGEST_MS = 60_000, 365 * _DAY_MS
_AHEAD_MS = 400 * _DAY_MS


@app.command(
    epilog=notes(
        "vigie maintenance start 30m",
        "vigie maintenance start 2h --tag shop --why 'new database server'",
        "vigie maintenance start 1h --monitor 'Shop API' --monitor blog",
    )
)
def start(
    length: Annotated[str, typer.Argument(metavar="DURATION", help="How long it takes: 30m, 2h, 1d.")],
    *,
    config: ConfigOption = None,
    monitor: Annotated[list[str] | None, typer.Option(help="Name or ID of a monitor; repeatable.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Tag of monitors; repeatable.")] = None,
    why: Annotated[str, typer.Option(help="What is being done; shown wherever the maintenance is.")] = "",
    by: Annotated[str | None, typer.Option(help="Who does it; by default the user of this session.")] = None,
) -> None:
    """Begin maintenance now, on every monitor or on those named.

    A running `vigie serve` follows within a second, otherwise the next `vigie once`.
    """
    from vigie.config.maintenance import ids_of

    found, now = settings(config), _now()
    watched = [one.monitor for one in found.monitors]
    names, tags = monitor or [], tag or []
    length_ms = _length(length)
    _check_names(names, tags, watched)
    begun = StartedMaintenance(
        0, now, now + length_ms, tuple(ids_of(names, watched)), tuple(tags), " ".join(why.split())[:500], by or _user()
    )
    number = run(_started(found, begun))
    covered = sum(begun.planned().covers(one) for one in watched)
    until = timestamp(begun.end, _zone(found))
    which = f"{covered} of {counted(len(watched), 'monitor')}"
    typer.echo(f"Maintenance m{number} until {until}, on {which}. To end it early: vigie maintenance end m{number}")


def _length(text: str) -> int:
    found = duration_in(text)
    if not _SHORTEST_MS <= found <= _LONGEST_MS:
        raise VigieError(f"maintenance takes from 1m to 365d, not {text}", "write 30m, 2h or 1d")
    return found


def _check_names(monitors: Sequence[str], tags: Sequence[str], watched: Sequence[Monitor]) -> None:
    """Raise ConfigError with every name that nobody has."""
    from vigie.config.maintenance import unknown_names

    if wrong := [fault for _, fault in unknown_names(monitors, tags, watched)]:
        raise ConfigError(wrong, "nothing was started")


async def _started(found: Desired, begun: StartedMaintenance) -> int:
    async with opened(found, make=True) as store:
        return await store.catalog.start_maintenance(begun)


@app.command(epilog=notes("vigie maintenance end m3"))
def end(
    identity: Annotated[str, typer.Argument(metavar="ID", help="ID of the maintenance, as shown by `vigie maintenance list`.")],
    *,
    config: ConfigOption = None,
) -> None:
    """End maintenance that was started from the command line; what is still failing is announced then."""
    found, now = settings(config), _now()
    if any(one.id == identity for one in found.maintenance):
        raise VigieError(f"{identity} is in {found.file}", "change it there; a running Vigie follows when the file changes")
    if not (identity[:1] == "m" and identity[1:].isdecimal() and len(identity) < 20):
        raise VigieError(f"no such maintenance: {identity}", "see `vigie maintenance list`")
    known = run(_ended(found, int(identity[1:]), now))
    if known is None:
        raise VigieError(f"no such maintenance: {identity}", "see `vigie maintenance list`")
    if known.end <= now:
        raise VigieError(f"{identity} ended at {timestamp(known.end, _zone(found))}", "there is nothing left to do")
    typer.echo(f"{identity} is over. What is still failing is announced now, or by the next `vigie once`.")


async def _ended(found: Desired, number: int, now: int) -> StartedMaintenance | None:
    """End it; as it was before, or None where there is none."""
    async with opened(found) as store:
        known = next((one for one in await store.catalog.maintenance(0) if one.number == number), None)
        if known is not None and known.end > now:
            await store.catalog.end_maintenance(number, now)
    return known


@app.command("list", epilog=notes("vigie maintenance list"))
def list_(*, config: ConfigOption = None) -> None:
    """List maintenance of the configuration and of the command line: what is under way, and what comes next."""
    found, now = settings(config), _now()
    watched, zone = [one.monitor for one in found.monitors], _zone(found)
    begun = [one.planned() for one in run(_begun(found, now))]
    rows = [_row(one, watched, zone, now) for one in (*found.maintenance, *begun)]
    if not rows:
        typer.echo("No maintenance is planned.")
        return
    rows.insert(0, ("ID", "STATE", "FROM", "UNTIL", "MONITORS", "WHY"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


async def _begun(found: Desired, now: int) -> list[StartedMaintenance]:
    from vigie.adapters import store_exists

    if not store_exists(found):
        return []
    async with opened(found) as store:
        return [one for one in await store.catalog.maintenance(now) if one.end > now]


def _row(one: Maintenance, watched: Sequence[Monitor], zone: tzinfo, now: int) -> tuple[str, ...]:
    span = next((span for span in one.window.spans(now, now + _AHEAD_MS) if span[1] > now), None)
    covered = [monitor for monitor in watched if one.covers(monitor)]
    which = "all" if one.covers_all else covered[0].name if len(covered) == 1 else str(len(covered))
    why = one.why + (f" ({one.by})" if one.by else "")
    if span is None:
        return (one.id, "over", "", "", which, why)
    state = f"under way, {duration(span[1] - now, 'en')} left" if span[0] <= now else "planned"
    return (one.id, state, timestamp(span[0], zone), timestamp(span[1], zone), which, why)


def _zone(found: Desired) -> tzinfo:
    from vigie.adapters import zone_of

    return zone_of(found)


def _now() -> int:
    from vigie.clock import SystemClock

    return SystemClock().now()


def _user() -> str:
    """Who is at the keyboard; containers have users without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "somebody"
