"""What the calendar holds for one monitor, and what it says at an instant."""

from dataclasses import dataclass

from vigie.core.notification import Circumstances
from vigie.planning.maintenance import Maintenance
from vigie.planning.rotation import Rotation
from vigie.planning.windows import QuietHours, held_until

People = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Maintenance that a monitor is in, the quiet hours of its policy, the rotations, and by which channels people are reached."""

    maintenance: tuple[Maintenance, ...] = ()
    quiet: QuietHours | None = None
    rotations: tuple[Rotation, ...] = ()
    people: People = ()


def circumstances(plan: Plan, at: int) -> Circumstances:
    """What holds at an instant, epoch ms."""
    known = dict(plan.people)
    reached = known | {one.name: known.get(one.on_call(at), ()) for one in plan.rotations}
    quiet = None if plan.quiet is None else held_until([plan.quiet], at)
    return Circumstances(held_until([one.window for one in plan.maintenance], at), quiet, reached)
