"""From `maintenance` and `quiet` of a file to windows of time."""

import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, time, tzinfo

from vigie.config.planned import Maintenance, Quiet
from vigie.config.tree import Path, Tree
from vigie.config.zones import instant, local_time, span, zone_of
from vigie.core.model import Monitor
from vigie.errors import Fault
from vigie.planning import maintenance
from vigie.planning.windows import ByRule, Once, QuietHours, Recurring, Weekly, held_until

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = tuple(range(7))
_NAMES = {
    name: number
    for number, day in enumerate(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"))
    for name in (day, day[:3])
}
_EVERY = re.compile(r"\s*(?P<days>[a-z]+(?:\s*[-,]\s*[a-z]+)*)\s+(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])\s*", re.IGNORECASE)
_HOURS = re.compile(r"\s*([01]?[0-9]|2[0-3]):([0-5][0-9])\s*[-–]\s*([01]?[0-9]|2[0-4]):([0-5][0-9])\s*")
_WRITE = "write sun 02:00, mon-fri 22:30, or day 03:00"
# What a rule without a beginning is counted from: a Monday, the first of a month and of a year.
_FROM = datetime.fromisoformat("2024-01-01")
_DAY_MS = 86_400_000
_LONGEST_MS, _YEAR_MS = 31 * _DAY_MS, 366 * _DAY_MS


def planned(tree: Tree, entries: Sequence[Maintenance], zone: tzinfo, watched: Sequence[Monitor]) -> tuple[maintenance.Maintenance, ...]:
    """What is planned in the file; a monitor may be named by what people call it."""
    found = []
    for index, entry in enumerate(entries):
        path: Path = ("maintenance", index)
        window = _window(tree, entry, zone_of(tree, entry.timezone, (*path, "timezone"), zone), path)
        monitors = tuple(ids_of(entry.monitors, watched))
        if window is not None:
            found.append(maintenance.Maintenance(f"maintenance[{index}]", window, monitors, tuple(entry.tags), entry.why))
    if not tree.faults:  # a monitor that is faulty is not there, though somebody may name it
        for index, entry in enumerate(entries):
            for key, fault in unknown_names(entry.monitors, entry.tags, watched, tree.absent):
                tree.fault(("maintenance", index, key), fault.message, fault.fix)
    return tuple(found)


def ids_of(names: Sequence[str], watched: Sequence[Monitor]) -> list[str]:
    """The ids of monitors that are named by their names or ids."""
    ids = {one.id for one in watched}
    by_name: dict[str, list[str]] = {}
    for one in watched:
        by_name.setdefault(one.name, []).append(one.id)
    return list(dict.fromkeys(found for name in names for found in ([name] if name in ids else by_name.get(name, [name]))))


def unknown_names(
    monitors: Sequence[str], tags: Sequence[str], watched: Sequence[Monitor], absent: Collection[str] = ()
) -> Iterator[tuple[str, Fault]]:
    """(key, fault) for each monitor and tag that nobody has: nothing would be in maintenance. `absent` are those that nobody has now."""
    ids, names = [one.id for one in watched], {one.name for one in watched}
    known_tags = sorted({tag for one in watched for tag in one.tags})
    for key, named_ones, known, others in (("monitors", monitors, ids, names), ("tags", tags, known_tags, set[str]())):
        for name in named_ones:
            if name in known or name in others or name in absent:
                continue
            near = difflib.get_close_matches(name, [*known, *others], 1)
            fix = f"did you mean {near[0]!r}?" if near else f"{key}: {', '.join(known[:20]) or 'none'}"
            yield key, Fault(f"no monitor has the {'name or id' if key == 'monitors' else 'tag'} {name!r}", fix)


def _window(tree: Tree, entry: Maintenance, zone: tzinfo, path: Path) -> Once | Recurring | None:
    if entry.every is not None and entry.rrule is not None:
        tree.fault((*path, "rrule"), "`every` and `rrule` exclude each other", "remove one of them")
        return None
    if entry.every is None and entry.rrule is None:
        return _once(tree, entry, zone, path)
    return _recurring(tree, entry, zone, path)


def _once(tree: Tree, entry: Maintenance, zone: tzinfo, path: Path) -> Once | None:
    if entry.start is None:
        tree.fault(path, "nothing says when it is", "write `from` and `until`, or `every` and `for`")
        return None
    if (entry.end is None) == (entry.length is None):
        missing = entry.end is None
        tree.fault(path, "nothing says when it ends" if missing else "`until` and `for` exclude each other", "write `until`, or `for`")
        return None
    if entry.length is not None:
        begin = local_time(tree, entry.start, (*path, "from"))
        if begin is None or not _is_length(tree, entry, path):
            return None
        return Once(instant(begin, zone), instant(begin, zone) + int(entry.length))
    found = span(tree, entry.start, entry.end, zone, path, "the window")
    return None if found is None else Once(*found)


def _is_length(tree: Tree, entry: Maintenance, path: Path) -> bool:
    """Whether `for` can be the length of a window."""
    if entry.length is None:
        tree.fault(path, "nothing says how long it takes", "write for: 2h")
    elif not 0 < entry.length <= _LONGEST_MS:
        tree.fault((*path, "for"), "it must be above 0 and at most 31d", "write for: 2h")
    return entry.length is not None and 0 < entry.length <= _LONGEST_MS


def _recurring(tree: Tree, entry: Maintenance, zone: tzinfo, path: Path) -> Recurring | None:
    start, end = (
        None if value is None else local_time(tree, value, (*path, key)) for key, value in (("from", entry.start), ("until", entry.end))
    )
    rules = _by_rule(tree, entry.rrule, start, zone, path) if entry.rrule is not None else _weekly(tree, entry, path)
    if not _is_length(tree, entry, path) or not rules or entry.length is None:
        return None
    bounds = (None if one is None else instant(one, zone) for one in (start, end))
    first, last = bounds
    if first is not None and last is not None and first >= last:
        tree.fault(path, "it ends before it begins", "swap `from` and `until`")
        return None
    found = Recurring(rules, int(entry.length), zone, first, last)
    if last is None and _never_ends(found, instant(_FROM, zone) if first is None else first):
        fix = "write a shorter `for`, or an `until`; `enabled: false` turns a monitor off"
        tree.fault((*path, "for"), "it would never end: each one begins before the previous one is over", fix)
        return None
    return found


def _never_ends(window: Recurring, start: int) -> bool:
    """Whether, from its first time after `start` on, one follows another without a gap for longer than any of them takes."""
    begin = next((one for one, _ in window.spans(start, start + _YEAR_MS) if one >= start), None)
    until = None if begin is None else held_until([window], begin)
    return begin is not None and until is not None and until - begin > _LONGEST_MS + _DAY_MS


def _weekly(tree: Tree, entry: Maintenance, path: Path) -> tuple[Weekly, ...]:
    texts = [entry.every] if isinstance(entry.every, str) else entry.every or []
    found = []
    for text in texts:
        known = _EVERY.fullmatch(text)
        days = None if known is None else days_of(known["days"])
        if known is None or days is None:
            tree.fault((*path, "every"), f"{text!r} is not days and a time", _WRITE)
        else:
            found.append(Weekly(days, time(int(known["hour"]), int(known["minute"]))))
    if not texts:
        tree.fault((*path, "every"), "the list is empty", _WRITE)
    return tuple(found) if len(found) == len(texts) else ()


def days_of(text: str) -> tuple[int, ...] | None:
    """`mon-fri`, `tue, thu` or `day` as numbers, Monday is 0; None where it names something else."""
    if text.strip().lower() in ("day", "daily"):
        return EVERY_DAY
    found: set[int] = set()
    for part in text.lower().split(","):
        first, dash, last = (one.strip() for one in part.partition("-"))
        if first not in _NAMES or (dash and last not in _NAMES):
            return None
        start, count = _NAMES[first], (_NAMES[last] - _NAMES[first]) % 7 if dash else 0
        found |= {(start + number) % 7 for number in range(count + 1)}
    return tuple(sorted(found))


def _by_rule(tree: Tree, text: str, start: datetime | None, zone: tzinfo, path: Path) -> tuple[ByRule, ...]:
    rule = text.strip().removeprefix("RRULE:")
    if start is None and "INTERVAL" in rule.upper():
        tree.fault((*path, "rrule"), "INTERVAL needs a beginning to count from", "write `from: 2026-01-04 02:00`")
        return ()
    begin = _FROM if start is None else start if start.tzinfo is None else start.astimezone(zone).replace(tzinfo=None)
    try:
        return (ByRule(rule, begin),)
    except ValueError as error:
        fix = "use `until` for the end" if "cannot be used" in str(error) else "write FREQ=MONTHLY;BYDAY=1SU;BYHOUR=2"
        tree.fault((*path, "rrule"), str(error), fix)
        return ()


def quiet_hours(tree: Tree, said: Quiet | None, zone: tzinfo, path: Path) -> QuietHours | None:
    """The quiet hours of a policy."""
    if said is None:
        return None
    found = _HOURS.fullmatch(said.hours)
    zone = zone_of(tree, said.timezone, (*path, "timezone"), zone)
    if found is None or (found[3] == "24" and found[4] != "00"):
        tree.fault((*path, "hours"), f"{said.hours!r} is not a span of hours", "write 22:00-07:00")
        return None
    since, until = time(int(found[1]), int(found[2])), None if found[3] == "24" else time(int(found[3]), int(found[4]))
    if since == until:
        tree.fault((*path, "hours"), f"{said.hours!r} ends when it begins", "write 00:00-24:00 for whole days")
        return None
    return QuietHours(since, until, tuple(sorted({DAYS.index(day) for day in said.days})) or EVERY_DAY, zone)
