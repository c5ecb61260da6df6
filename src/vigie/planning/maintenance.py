"""Planned work on services: what is in maintenance, when and why."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vigie.core.model import Monitor
from vigie.planning.windows import Once, Recurring, Span, held_until


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Planned work; without monitors (by id) and tags it is on everything.

    `id` says where it was written: `maintenance[0]` in the file, `m3` by a command.
    """

    id: str
    window: Once | Recurring
    monitors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    why: str = ""
    by: str = ""

    @property
    def covers_all(self) -> bool:
        """Whether it is on everything."""
        return not (self.monitors or self.tags)

    def covers(self, monitor: Monitor) -> bool:
        """Whether it is on this one."""
        return self.covers_all or monitor.id in self.monitors or not set(self.tags).isdisjoint(monitor.tags)


@dataclass(frozen=True, slots=True)
class StartedMaintenance:
    """What `vigie maintenance start` began and the database keeps: [start, end) in epoch ms, `number` as the database counts them."""

    number: int
    start: int
    end: int
    monitors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    why: str = ""
    by: str = ""

    def planned(self) -> Maintenance:
        """The same as what a file plans."""
        return Maintenance(f"m{self.number}", Once(self.start, self.end), self.monitors, self.tags, self.why, self.by)


@dataclass(frozen=True, slots=True)
class MaintenanceSpan:
    """One span of maintenance as it came about, [start, end) in epoch ms: kept for availability, whatever is planned later.

    `monitors` are those that were in it; all of them where it is None. `key` is the same however often it is written.
    """

    key: str
    start: int
    end: int
    monitors: tuple[str, ...] | None = None
    why: str = ""

    def concerns(self, monitor: str) -> bool:
        """Whether this monitor was in it."""
        return self.monitors is None or monitor in self.monitors


def spans_of(spans: Iterable[MaintenanceSpan], monitor: str) -> list[Span]:
    """When a monitor was in maintenance."""
    return [(one.start, one.end) for one in spans if one.concerns(monitor)]


@dataclass(frozen=True, slots=True)
class InMaintenance:
    """What is being done on a monitor, and until when, epoch ms."""

    until: int
    why: str


def in_force(entries: Iterable[Maintenance], at: int) -> InMaintenance | None:
    """What holds at an instant of what a monitor is in at times; why is that of the first that says so."""
    several = list(entries)
    until = held_until([one.window for one in several], at)
    if until is None:
        return None
    holding = [one for one in several if any(True for _ in one.window.spans(at, at + 1))]
    return InMaintenance(until, next((one.why for one in holding if one.why), ""))


def came_about(entry: Maintenance, since: int, at: int, covered: Callable[[Maintenance], tuple[str, ...] | None]) -> list[MaintenanceSpan]:
    """The spans of an entry that had begun by `at`: of recurring ones those that were not over before `since`.

    `covered` tells which monitors an entry is on, None for all; it is asked only where there is a span.
    """
    spans = [(entry.window.start, entry.window.end)] if isinstance(entry.window, Once) else entry.window.spans(since, at + 1)
    return [MaintenanceSpan(_key(entry, start), start, end, covered(entry), entry.why) for start, end in spans if start <= at]


def _key(entry: Maintenance, start: int) -> str:
    """The same for what a file plans, wherever in the file it is."""
    if entry.id.startswith("m") and entry.id[1:].isdecimal():
        return entry.id
    said = "\n".join((*entry.monitors, "", *entry.tags)).encode()
    return f"{hashlib.blake2b(said, digest_size=8).hexdigest()}@{start}"
