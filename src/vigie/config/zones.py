"""Time zones of a configuration, and the dates and times that are read in them."""

from contextlib import suppress
from datetime import datetime, tzinfo
from pathlib import Path as FilePath
from typing import Any
from zoneinfo import ZoneInfo

from vigie.config.tree import Path, Tree
from vigie.planning import wall

_LOCALTIME, _TIMEZONE = FilePath("/etc/localtime"), FilePath("/etc/timezone")


def zone_of(tree: Tree, name: str | None, path: Path, otherwise: tzinfo | None = None) -> tzinfo:
    """The zone of a name, noting one that does not exist; without a name `otherwise`, or else the machine's own."""
    if name is None:
        return otherwise or machine_zone(tree.variables.values.get("TZ"))
    if (found := _zone(name)) is None:
        tree.fault(path, f"{name!r} is not a time zone", "write Europe/Paris or UTC")
    return found or ZoneInfo("UTC")


def machine_zone(environment: str | None) -> tzinfo:
    """The machine's own zone, by its name as POSIX systems note it, so that changes of the clocks are known; else its offset of now."""
    names = [environment.removeprefix(":")] if environment else []
    with suppress(OSError):
        names.append(str(_LOCALTIME.resolve()).partition("zoneinfo/")[2].removeprefix("posix/").removeprefix("right/"))
    with suppress(OSError, UnicodeDecodeError):
        names.append(_TIMEZONE.read_text(encoding="utf-8").strip())
    known = next((zone for name in names if (zone := _zone(name)) is not None), None)
    return known or datetime.now().astimezone().tzinfo or ZoneInfo("UTC")


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def local_time(tree: Tree, value: Any, path: Path) -> datetime | None:
    """A date and time as it is written, or None after noting why not."""
    try:
        return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        tree.fault(path, f"{value!r} is not a date and time", "write 2026-03-01T22:00+01:00")
        return None


def instant(moment: datetime, zone: tzinfo, *, end: bool = False) -> int:
    """Epoch ms of a date and time; one that names no zone is of `zone`, and of one that comes twice an `end` is the second."""
    if moment.tzinfo is not None:
        return round(moment.timestamp() * 1000)
    return wall.ends(moment, zone) if end else wall.begins(moment, zone)


def span(tree: Tree, start: Any, end: Any, zone: tzinfo, path: Path, what: str = "it") -> tuple[int, int] | None:
    """[from, until) in epoch ms, or None after noting why not."""
    first, last = local_time(tree, start, (*path, "from")), local_time(tree, end, (*path, "until"))
    if first is None or last is None:
        return None
    found = instant(first, zone), instant(last, zone, end=True)
    if found[0] >= found[1]:
        tree.fault(path, f"{what} ends before it begins", "swap `from` and `until`")
        return None
    return found
