"""Who else looks at the same place, and who depends on whom: what a failure is compared with, at the same cost however many there are."""

from collections.abc import Iterable, Mapping

from vigie.core.correlation import Tie
from vigie.core.model import CheckResult, Monitor
from vigie.observation.place import Place, place_of, shared_by


class Neighbours:
    """The places of all monitors that may be grouped, by what is configured and what their checks saw last: facts, no decisions."""

    def __init__(self) -> None:
        self._monitors: Mapping[str, Monitor] = {}
        self._places: dict[str, Place] = {}
        self._counts: dict[int, int] = {}  # by a hash of a key of a place: names would be megabytes
        self._ancestors: dict[str, tuple[str, ...]] = {}
        self._parents: frozenset[str] = frozenset()
        self._seen: Mapping[str, CheckResult] = {}

    def load(self, seen: Mapping[str, CheckResult]) -> None:
        """The newest result of each monitor, as a start finds it; `use` takes what it needs."""
        self._seen = seen

    def use(self, monitors: Iterable[Monitor]) -> None:
        """These are watched from now on."""
        before, known = self._monitors, self._places
        self._monitors = {one.id: one for one in monitors if one.notification.group}
        self._places, self._counts = {}, {}
        for one in self._monitors.values():
            same = one.id in before and _aim(before[one.id]) == _aim(one)
            self._put(one.id, known[one.id] if same else place_of(one, self._seen.get(one.id)))
        self._seen = {}
        self._ancestors = {one.id: _ancestors(one, self._monitors) for one in self._monitors.values() if one.depends_on}
        self._parents = frozenset(parent for one in self._monitors.values() for parent in one.depends_on)

    def learn(self, monitor: Monitor, result: CheckResult) -> None:
        """Where a check got to."""
        before = self._places.get(monitor.id)
        if before is None or _same(before, monitor, result):
            return
        after = place_of(monitor, result, before)
        if after is not before:
            self._count(before, -1)
            self._put(monitor.id, after)

    def place(self, monitor: Monitor) -> Place:
        """Where a monitor looks."""
        return self._places.get(monitor.id) or place_of(monitor, None)

    def ancestors(self, monitor: str) -> tuple[str, ...]:
        """Whom it depends on, directly or not, the nearest first."""
        return self._ancestors.get(monitor, ())

    def is_parent(self, monitor: str) -> bool:
        """Whether another one depends on it."""
        return monitor in self._parents

    def shares(self, monitor: str, ties: Iterable[Tie]) -> bool:
        """Whether another monitor may fail for the same reason."""
        if monitor in self._ancestors or monitor in self._parents:
            return True
        return any(self._counts.get(hash(shared_by(one)), 0) > 1 for one in ties)

    def _put(self, monitor: str, place: Place) -> None:
        self._places[monitor] = place
        self._count(place, 1)

    def _count(self, place: Place, by: int) -> None:
        for key in map(hash, place.keys()):
            count = self._counts.get(key, 0) + by
            if count:
                self._counts[key] = count
            else:
                del self._counts[key]


def _same(place: Place, monitor: Monitor, result: CheckResult) -> bool:
    """Whether a check plainly got to the place that is known; what is not plain is looked at closely."""
    if result.address is not None and result.address != place.address:
        return False
    tls = result.tls
    if tls is not None and tls.chain and (tls.limit is not None or (tls.chain[0].sha256,) != place.certificates):
        return False
    return (result.host or monitor.host) == place.host


def _aim(monitor: Monitor) -> tuple[str, str, int | None]:
    return monitor.target, monitor.host, monitor.port


def _ancestors(monitor: Monitor, monitors: Mapping[str, Monitor]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    level = list(monitor.depends_on)
    while level:
        fresh = [one for one in dict.fromkeys(level) if one not in found and one != monitor.id]
        found |= dict.fromkeys(fresh)
        level = [parent for one in fresh if one in monitors for parent in monitors[one].depends_on]
    return tuple(found)
