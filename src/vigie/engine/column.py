"""What was heard and learnt of settled monitors at one location, in arrays.

101 bytes a monitor: what a hundred thousand results a second touch is neither an object nor looked at by the garbage collector.
"""

from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vigie.fleet.packed import NO_TOTAL, columns_of_tenths
from vigie.fleet.shards import shard_of
from vigie.learning.season import PHASES, SLOTS, samples_of_tenths

NOBODY = 0  # the place of monitors that are not known; nothing is ever heard of it
NOTHING_LEARNT = -1
UNHEARD = 2**32 - 1
_CODES = len(PHASES)
_ROOM = SLOTS * _CODES


class Places:
    """Where each monitor is in the arrays: those of a shard side by side, since a batch is of one shard, and memory is read by the line."""

    def __init__(self) -> None:
        self.by_number = array("I")  # of packed results
        self.monitors = [""]
        self.shards = defaultdict[int, list[str]](list)  # the monitors of each that were ever there
        self._by_id: dict[str, int] = {}

    def __len__(self) -> int:
        """How many places there are."""
        return len(self.monitors)

    def of(self, monitor: str) -> int:
        """The place of a monitor, or NOBODY."""
        return self._by_id.get(monitor, NOBODY)

    def add(self, numbers: Mapping[str, int]) -> None:
        """These monitors have these numbers now. Who is known keeps its place; that of one that is gone stays empty."""
        for monitor in sorted(numbers.keys() - self._by_id.keys(), key=lambda one: (shard_of(one), one)):
            self._by_id[monitor] = len(self.monitors)
            self.monitors.append(monitor)
            self.shards[shard_of(monitor)].append(monitor)
        self._by_id = {monitor: self._by_id[monitor] for monitor in numbers}
        self.by_number = array("I", [NOBODY]) * (max(numbers.values(), default=-1) + 1)
        for monitor, number in numbers.items():
            self.by_number[number] = self._by_id[monitor]


@dataclass(slots=True)
class Column:
    """One location, which has this number: by the place of a monitor (`Places`), what was heard of it last.

    `ready` is its run, 0: it is not here. `slots` and `bounds` are of its baseline there: when a sample was learnt last, and from which
    total on it must be looked at, in 0.1 ms. `pauses` is after how long a silence a location that is one of several was not looking, in
    ms. `samples` are codes of this hour that the baseline was not given yet, `counts` how many samples.
    """

    number: int
    name: str
    ready: "array[int]" = field(default_factory=lambda: array("I"))
    sequences: "array[int]" = field(default_factory=lambda: array("Q"))
    instants: "array[int]" = field(default_factory=lambda: array("q"))
    totals: "array[int]" = field(default_factory=lambda: array("I"))
    slots: "array[int]" = field(default_factory=lambda: array("i"))
    bounds: "array[int]" = field(default_factory=lambda: array("I"))
    pauses: "array[int]" = field(default_factory=lambda: array("q"))
    counts: bytearray = field(default_factory=bytearray)
    samples: bytearray = field(default_factory=bytearray)

    def grow(self, size: int) -> None:
        """Room for so many places."""
        for one in (self.ready, self.sequences, self.instants, self.totals, self.slots, self.bounds, self.pauses):
            one.extend([0] * (size - len(one)))
        self.counts.extend(bytes(max(size - len(self.counts), 0)))
        self.samples.extend(bytes(max(size * _ROOM - len(self.samples), 0)))

    def expect(self, place: int, calm: tuple[int, float]) -> None:
        """What a result must be so that it teaches nothing: `learning.baseline.calm`."""
        self.slots[place], self.bounds[place] = calm[0], _tenths(calm[1]) + 1

    def sample(self, slot: int, records: memoryview, which: Sequence[tuple[int, int]]) -> None:
        """Samples of other five minutes in the hour under way: (index, place) of records of a segment.

        More than an hour has are left out, as a baseline does.
        """
        slots, counts, samples = self.slots, self.counts, self.samples
        codes = samples_of_tenths(*columns_of_tenths(records, [index for index, _ in which]))
        for start, (_, place) in zip(range(0, len(codes), _CODES), which, strict=True):
            if slots[place] == slot:
                continue
            if (count := counts[place]) < SLOTS:
                at = place * _ROOM + count * _CODES
                samples[at : at + _CODES] = codes[start : start + _CODES]
                counts[place] = count + 1
            slots[place] = slot

    def sampled(self, place: int) -> tuple[int, bytes] | None:
        """(five minutes, codes) of what was sampled, once; None where nothing was."""
        count = self.counts[place]
        if not count:
            return None
        self.counts[place] = 0
        at = place * _ROOM
        return self.slots[place], bytes(self.samples[at : at + count * _CODES])


def _tenths(limit: float) -> int:
    """The longest total of a record that is not slower than a limit in ms; -1: none is so quick."""
    if not 0 <= limit < NO_TOTAL / 10:
        return NO_TOTAL if limit > 0 else -1
    longest = int(limit * 10)
    return longest + 1 if (longest + 1) / 10 <= limit else longest if longest / 10 <= limit else longest - 1
