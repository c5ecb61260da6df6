"""The newest packed result of every monitor from each location, in memory: what came so has the facts of the whole one before it.

Almost nobody asks, so rows are only remembered as they come. They are indexed when several times as many records as places wait: then
most rows hold nothing that a later one does not, which is quickly seen.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import repeat

from vigie.core.model import CheckResult
from vigie.fleet import packed
from vigie.fleet.packed import Rows
from vigie.fleet.packing import with_facts
from vigie.fleet.shards import shard_of

_Held = tuple[tuple[int, int, int], tuple[bytes]]  # base, run, block of its segment; the record
_FEW, _TIMES = 1_000, 4  # records that wait: so many, and so many times as many as there are places


@dataclass(slots=True)
class _Recent:
    """Rows of one location and shard that are not indexed yet, oldest first."""

    rows: list[Rows] = field(default_factory=list)
    count: int = 0
    enough: int = _FEW


class Latest:
    """Takes rows as they are kept, at next to no cost."""

    def __init__(self) -> None:
        self._held: dict[int, dict[int, _Held]] = {}  # by the numbers of location and monitor
        self._recent: dict[tuple[int, int], _Recent] = {}

    def take(self, rows: Sequence[Rows]) -> None:
        """Newer ones than before, oldest first."""
        for one in rows:
            if one.place is None:
                self.settle()
                self._index([one])
                continue
            recent = self._recent.get(one.place)
            if recent is None:
                recent = self._recent[one.place] = _Recent()
            recent.rows.append(one)
            recent.count += one.count
            if recent.count >= recent.enough:
                self._indexed(recent)

    def settle(self) -> None:
        """Index everything, for who asks for many."""
        for one in self._recent.values():
            self._indexed(one)

    def _indexed(self, recent: _Recent) -> None:
        recent.enough = max(_FEW, _TIMES * self._index(recent.rows))
        recent.rows, recent.count = [], 0

    def _index(self, rows: Sequence[Rows]) -> int:
        """Keep the newest records of these rows; of how many places there are any."""
        known = defaultdict[int, set[int]](set)
        for one in reversed(rows):
            for location, run, block, records in reversed(packed.segments(one.body)):
                each, numbers = known[location or 0], packed.numbers_of(records)
                if each.issuperset(numbers):
                    continue
                found: dict[int, _Held] = dict(
                    zip(numbers, zip(repeat((one.base, run, block)), packed.raw(records), strict=False), strict=True)
                )
                for number in each.intersection(found):
                    del found[number]
                self._held.setdefault(location or 0, {}).update(found)
                each.update(found)
        return sum(map(len, known.values()))

    def keep(self, monitors: Collection[int]) -> None:
        """Forget the others."""
        self.settle()
        for held in self._held.values():
            for gone in held.keys() - monitors:
                del held[gone]

    def merged(self, whole: CheckResult | None, monitor: int | None, location: int | None) -> CheckResult | None:
        """The newest result of a monitor from a location, by their numbers, where `whole` is the newest that was not packed."""
        if whole is None or monitor is None or location is None:
            return whole
        found = self._newest(monitor, location, shard_of(whole.monitor))
        if found is None:
            return whole
        at, run, sequence, body = found
        if (run, sequence) <= (whole.run, whole.sequence) and whole.run:
            return whole
        return with_facts(packed.result_of(whole.monitor, whole.location, at, run, sequence, body), whole)

    def _newest(self, monitor: int, location: int, shard: int) -> tuple[int, int, int, bytes] | None:
        """(instant, run, sequence, body) of the newest record of a place."""
        recent = self._recent.get((location, shard))
        for one in reversed(recent.rows) if recent is not None else ():
            if own := list(packed.of_monitor(one.base, one.body, monitor)):
                return own[-1][1:]
        held = self._held.get(location, {}).get(monitor)
        if held is None:
            return None
        (base, run, block), (record,) = held
        _, offset, body, low = packed.part_at(memoryview(record), 0)
        return base + offset, run, block << 16 | low, body
