"""What the sides of a store share in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vigie.core.model import CheckResult
from vigie.ports import Commit
from vigie.stores.kit.sql.newest import Newest
from vigie.stores.kit.sql.waiting import Waiting


@dataclass(slots=True)
class Cache:
    """`numbers` and `locations` are those in packed results, by name; `writing` is what waited and is on its way to the disk."""

    numbers: Mapping[str, int]
    locations: Mapping[str, int]
    newest: Newest = field(default_factory=Newest)
    waiting: Waiting = field(default_factory=Waiting)
    writing: Commit = field(default_factory=Commit)

    @property
    def details(self) -> list[CheckResult]:
        """The whole results that are not on the disk yet, oldest first."""
        return [*self.writing.details, *self.waiting.details]
