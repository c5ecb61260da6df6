"""The newest packed result of every monitor from each location, in memory: what came so has the facts of the whole one before it."""

from collections.abc import Collection, Sequence
from itertools import repeat

from vigie.core.model import CheckResult
from vigie.fleet import packed
from vigie.fleet.packed import Rows
from vigie.fleet.packing import with_facts

_Held = tuple[tuple[int, int, int], tuple[bytes]]  # base, run, block of its segment; the record


class Latest:
    """Takes records as they are kept, at next to no cost: they are unpacked where somebody asks."""

    def __init__(self) -> None:
        self._held: dict[int, dict[int, _Held]] = {}  # by the numbers of location and monitor

    def take(self, rows: Sequence[Rows]) -> None:
        """Newer ones than before, oldest first."""
        for one in rows:
            for location, run, block, records in packed.segments(one.body):
                numbers, each = packed.numbered(records)
                self._held.setdefault(location or 0, {}).update(
                    zip(numbers, zip(repeat((one.base, run, block)), each, strict=False), strict=False)
                )

    def keep(self, monitors: Collection[int]) -> None:
        """Forget the others."""
        for held in self._held.values():
            for gone in held.keys() - monitors:
                del held[gone]

    def merged(self, whole: CheckResult | None, monitor: int | None, location: int | None) -> CheckResult | None:
        """The newest result of a monitor from a location, by their numbers, where `whole` is the newest that was not packed."""
        held = self._held.get(location, {}).get(monitor) if location is not None and monitor is not None else None
        if held is None or whole is None:
            return whole
        (base, run, block), (record,) = held
        _, offset, body, low = packed.part_at(memoryview(record), 0)
        at, sequence = base + offset, block << 16 | low
        if (run, sequence) <= (whole.run, whole.sequence) and whole.run:
            return whole
        return with_facts(packed.result_of(whole.monitor, whole.location, at, run, sequence, body), whole)
