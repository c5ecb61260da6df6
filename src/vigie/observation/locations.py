"""What each of several locations sees of a service: for people, beside the verdict that they make together (core/quorum.py)."""

from collections.abc import Iterable
from dataclasses import dataclass

from vigie.core.model import Cause, Status
from vigie.core.quorum import Views

_GONE_MS = 86_400_000  # a location that was silent for so long is not spoken of any more


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one location sees: since when, and when it was heard last, epoch ms. `silent`: not for so long that it has no vote."""

    location: str
    status: Status
    cause: Cause | None = None
    since: int = 0
    at: int = 0
    silent: bool = False

    @property
    def fails(self) -> bool:
        """Whether the service is in trouble, seen from there."""
        return not self.silent and self.status in (Status.DOWN, Status.DEGRADED)

    @property
    def works(self) -> bool:
        """Whether it is well, seen from there."""
        return not self.silent and self.status is Status.UP


Sightings = tuple[Sighting, ...]


def sightings(views: Views, stale_ms: int) -> Sightings:
    """What each location sees, by name; empty where there is one alone, for that is the verdict."""
    newest = max((one.at for one in views), default=0)
    near = [one for one in views if newest - one.at <= max(_GONE_MS, stale_ms)]
    if len(near) <= 1:
        return ()
    return tuple(
        Sighting(one.location, one.status, one.cause, one.since or one.at, one.at, silent=newest - one.at > stale_ms)
        for one in sorted(near, key=lambda one: one.location)
    )


def failing(seen: Iterable[Sighting]) -> tuple[str, ...]:
    """The locations from which it fails."""
    return tuple(one.location for one in seen if one.fails)
