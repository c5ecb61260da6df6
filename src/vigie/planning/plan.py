"""What the calendar holds, and what it says of one monitor at an instant."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vigie.core.model import Monitor
from vigie.core.notification import Circumstances
from vigie.planning.maintenance import Maintenance
from vigie.planning.rotation import Rotation
from vigie.planning.windows import QuietHours, held_until

_HOUR_MS = 3_600_000
People = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """The channels of each person, and of each rotation over [start, end), epoch ms: nobody hands over in between."""

    by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    start: int = 0
    end: int = 2**63


NOBODY = Reached()


@dataclass(frozen=True, slots=True)
class Plan:
    """Maintenance that a monitor is in at times, and the quiet hours of its policy."""

    maintenance: tuple[Maintenance, ...] = ()
    quiet: QuietHours | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """What a configuration plans: maintenance, the quiet hours of monitors by id, rotations, and the channels of people."""

    monitors: tuple[Monitor, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    quiet: Mapping[str, QuietHours] = field(default_factory=dict)
    rotations: tuple[Rotation, ...] = ()
    people: People = ()


def reached(people: People, rotations: Sequence[Rotation], at: int) -> Reached:
    """Who is reached how at an instant, epoch ms."""
    known, start, end = dict(people), NOBODY.start, NOBODY.end
    for rotation in rotations:
        shift = rotation.shift(at)
        known[rotation.name] = known.get(shift.person, ())
        start, end = max(start, shift.start), min(end, shift.end)
    return Reached(known, start, end)


def unchanged_until(plan: Plan, at: int) -> int:
    """An instant up to which `circumstances` stay what they are at `at`, but for who is reached: an hour later at most."""
    windows = (*(one.window for one in plan.maintenance), *((plan.quiet,) if plan.quiet is not None else ()))
    edges: list[int] = [edge for one in windows for span in one.spans(at, at + _HOUR_MS) for edge in span if edge > at]
    return min([at + _HOUR_MS, *edges])


def circumstances(plan: Plan, at: int, who: Reached = NOBODY) -> Circumstances:
    """What holds at an instant, epoch ms."""
    muted = held_until([one.window for one in plan.maintenance], at) if plan.maintenance else None
    quiet = held_until([plan.quiet], at) if plan.quiet is not None else None
    return Circumstances(muted, quiet, who.by)


def joint(several: Iterable[Circumstances]) -> Circumstances:
    """What holds for several monitors at once: maintenance or quiet hours only where they hold for each of them, up to the first end."""
    found = list(several)
    reached = {name: channels for one in found for name, channels in one.reached_by.items()}
    return Circumstances(_first_end([one.muted_until for one in found]), _first_end([one.quiet_until for one in found]), reached)


def _first_end(ends: list[int | None]) -> int | None:
    known = [one for one in ends if one is not None]
    return min(known) if known and len(known) == len(ends) else None
