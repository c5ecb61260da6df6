"""What the sides of a store share in memory."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from vigie.core.model import CheckResult
from vigie.ports import Commit
from vigie.stores.kit.sql.latest import Latest
from vigie.stores.kit.sql.newest import Newest
from vigie.stores.kit.sql.waiting import Waiting

_MANY = 500  # monitors that are asked for at once, as a page does


@dataclass(slots=True)
class Cache:
    """`numbers` and `locations` are those in packed results, by name; `writing` is what waited and is on its way to the disk."""

    numbers: Mapping[str, int]
    locations: Mapping[str, int]
    newest: Newest = field(default_factory=Newest)
    latest: Latest = field(default_factory=Latest)
    waiting: Waiting = field(default_factory=Waiting)
    writing: Commit = field(default_factory=Commit)

    @property
    def details(self) -> list[CheckResult]:
        """The whole results that are not on the disk yet, oldest first."""
        return [*self.writing.details, *self.waiting.details]

    def result(self, monitor: str, location: str) -> CheckResult | None:
        """The newest result of a monitor from a location."""
        whole = self.newest.result(monitor, location)
        return self.latest.merged(whole, self.numbers.get(monitor), self.locations.get(location))

    def results(self, monitors: Collection[str] | None = None) -> dict[str, CheckResult]:
        """By monitor id, of all or of these: of several locations, the newest."""
        found: dict[str, CheckResult] = {}
        self._expect_to_be_asked(monitors)
        for whole in self.newest.each(monitors):
            one = self.latest.merged(whole, self.numbers.get(whole.monitor), self.locations.get(whole.location)) or whole
            if (other := found.get(one.monitor)) is None or other.at <= one.at:
                found[one.monitor] = one
        return found

    def everywhere(self, monitors: Collection[str] | None = None) -> dict[str, tuple[CheckResult, ...]]:
        """By monitor id, the newest of each location, by its name, where there are several."""
        if not self.newest.several:
            return {}
        found: dict[str, list[CheckResult]] = {}
        self._expect_to_be_asked(monitors)
        for whole in self.newest.each(monitors):
            one = self.latest.merged(whole, self.numbers.get(whole.monitor), self.locations.get(whole.location)) or whole
            found.setdefault(one.monitor, []).append(one)
        return {monitor: tuple(sorted(ones, key=lambda one: one.location)) for monitor, ones in found.items() if len(ones) > 1}

    def _expect_to_be_asked(self, monitors: Collection[str] | None) -> None:
        if monitors is None or len(monitors) > _MANY:
            self.latest.settle()
