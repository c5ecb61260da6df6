"""What each of several locations sees of a service: for people, beside the verdict that they make together (core/quorum.py)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from vigie.core.detection import DetectionPolicy
from vigie.core.model import Cause, CheckResult, Status
from vigie.core.quorum import View, Views, judge

_FAILING = (Status.DOWN, Status.DEGRADED)
_GONE_MS = 86_400_000  # a location that was silent for so long is not spoken of any more


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one location sees: since when, and when it was heard last, epoch ms. `silent`: not lately enough to count."""

    location: str
    status: Status
    cause: Cause | None = None
    since: int = 0
    at: int = 0
    silent: bool = False

    @property
    def fails(self) -> bool:
        """Whether the service is in trouble, seen from there."""
        return not self.silent and self.status in _FAILING

    @property
    def works(self) -> bool:
        """Whether it is well, seen from there."""
        return not self.silent and self.status is Status.UP


Sightings = tuple[Sighting, ...]


def sightings(views: Views, stale_ms: int) -> Sightings:
    """What each location sees, by name; empty where there is one alone, for that is the verdict."""
    begun = min((one.since for one in views if one.since and one.status in _FAILING), default=0)
    found = [
        Sighting(one.location, one.status, one.cause, one.since or one.at, one.at, silent=one.unresponsive or _is_before(one, begun))
        for one in sorted(views, key=lambda one: one.location)
    ]
    return _compared(found, stale_ms)


def heard_again(seen: Sightings, instants: Mapping[str, int], stale_ms: int) -> Sightings:
    """Sightings after these locations saw the same as before, at these instants (epoch ms)."""
    heard = [replace(one, at=instants[one.location], silent=False) if one.location in instants else one for one in seen]
    return _compared(heard, stale_ms)


def _is_before(one: View, begun: int) -> bool:
    """Whether a location found the service well, but not since others began to see it fail: that says nothing of now."""
    return one.status is Status.UP and one.at < begun


def _compared(seen: Sequence[Sighting], stale_ms: int) -> Sightings:
    """With who is silent, and without who has been for long."""
    newest = max([one.at for one in seen], default=0)
    near = [one for one in seen if newest - one.at <= max(_GONE_MS, stale_ms)]
    if len(near) <= 1:
        return ()
    return tuple([replace(one, silent=True) if newest - one.at > stale_ms else one for one in near])


def failing(seen: Iterable[Sighting]) -> tuple[str, ...]:
    """The locations from which it fails."""
    return tuple(one.location for one in seen if one.fails)


def views_of(results: Iterable[CheckResult]) -> Views:
    """The views that the newest result of each location makes."""
    return tuple(View(one.location, one.run, one.sequence, one.at, one.status, one.cause) for one in results)


def later(known: View, found: View) -> View:
    """The newer of two views of one location; since when it sees that, where both see the same."""
    if (found.run, found.sequence) <= (known.run, known.sequence):
        return known
    return replace(found, since=known.since) if found.status is known.status else found


def verdict_of(results: Sequence[CheckResult], policy: DetectionPolicy) -> Status | None:
    """What the newest results of several locations come to; None where there is one alone, which is its own verdict."""
    return judge(views_of(results), policy).status if len(results) > 1 else None


def telling(results: Sequence[CheckResult], verdict: Status) -> CheckResult:
    """The newest result that says what the verdict says; the newest of all where none does."""
    bad = verdict in _FAILING
    alike = [one for one in results if (one.status in _FAILING) is bad]
    return max(alike or results, key=lambda one: one.at)
