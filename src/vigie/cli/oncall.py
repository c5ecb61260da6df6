"""Who is on call now and next, and a calendar of it: show, ics."""

from datetime import tzinfo
from typing import Annotated

import typer

from vigie.cli.common import ConfigOption, Group, notes, settings
from vigie.config import Desired
from vigie.errors import VigieError
from vigie.planning.rotation import Rotation
from vigie.text.formatting import timestamp

app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
    add_completion=False,
    invoke_without_command=True,
    help="Who is on call, by the rotations of the configuration (`oncall`).",
)
_DAY_MS = 86_400_000
_NEXT = 3


@app.callback()
def _default(context: typer.Context, *, config: ConfigOption = None) -> None:
    if context.invoked_subcommand is None:
        show(config=config)


@app.command(epilog=notes("vigie oncall", "vigie oncall show"))
def show(*, config: ConfigOption = None) -> None:
    """Show who is on call now, and who takes over when."""
    found = _with_rotations(config)
    zone, now = _zone(found), _now()
    people = dict(found.people)
    for rotation in found.rotations:
        typer.echo("\n".join(_lines(rotation, people, zone, now)))


def _lines(rotation: Rotation, people: dict[str, tuple[str, ...]], zone: tzinfo, now: int) -> list[str]:
    shift = rotation.current(now)
    reached = ", ".join(people.get(shift.person, ()))
    if len({*rotation.people, *(one.person for one in rotation.overrides if one.end > now)}) == 1:
        return [f"{rotation.name}: {shift.person} ({reached}), always"]
    lines = [f"{rotation.name}: {shift.person} ({reached}), until {timestamp(shift.end, zone)}"]
    for _ in range(_NEXT):
        shift = rotation.current(shift.end)
        lines.append(f"  then {shift.person}, from {timestamp(shift.start, zone)} to {timestamp(shift.end, zone)}")
    return lines


@app.command(epilog=notes("vigie oncall ics > oncall.ics", "vigie oncall ics --days 365 primary"))
def ics(
    rotation: Annotated[str | None, typer.Argument(metavar="[ROTATION]", help="One rotation; by default all of them.")] = None,
    *,
    config: ConfigOption = None,
    days: Annotated[int, typer.Option(min=1, max=1_000, help="How many days ahead.")] = 90,
) -> None:
    """Print the shifts as an iCalendar file, from the current ones on."""
    from vigie.planning.feed import calendar

    found = _with_rotations(config)
    wanted = [one for one in found.rotations if rotation in (None, one.name)]
    if not wanted:
        raise VigieError(f"there is no rotation {rotation!r}", f"rotations: {', '.join(one.name for one in found.rotations)}")
    now = _now()
    typer.echo(calendar(wanted, now, now + days * _DAY_MS, now), nl=False)


def _with_rotations(config: ConfigOption) -> Desired:
    """Raises VigieError where nobody takes turns."""
    found = settings(config)
    if not found.rotations:
        raise VigieError("no rotation is configured", "write `oncall: {primary: {people: [anna, bob], starts: 2026-01-05 09:00}}`")
    return found


def _zone(found: Desired) -> tzinfo:
    from vigie.adapters import zone_of

    return zone_of(found)


def _now() -> int:
    from vigie.clock import SystemClock

    return SystemClock().now()
