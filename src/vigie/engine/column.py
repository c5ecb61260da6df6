"""What was heard and learnt of settled monitors at one location, in arrays by the numbers that packed results have for them.

101 bytes a monitor: what a hundred thousand results a second touch is neither an object nor looked at by the garbage collector.
"""

from array import array
from dataclasses import dataclass, field

from vigie.fleet.packed import NO_TOTAL
from vigie.learning.season import PHASES, SLOTS

NOTHING_LEARNT = -1
UNHEARD = 2**32 - 1
_CODES = len(PHASES)
_ROOM = SLOTS * _CODES


@dataclass(slots=True)
class Column:
    """One location, which has this number: by the number of a monitor, what was heard of it last. `ready` is its run, 0: it is not here.

    `slots` and `bounds` are of its baseline there: when a sample was learnt last, and from which total on it must be looked at, in 0.1 ms.
    `pauses` is after how long a silence a location that is one of several was not looking, in ms. `samples` are codes of this hour that
    the baseline was not given yet, `counts` how many samples.
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
        """Room for monitors with smaller numbers than this."""
        for one in (self.ready, self.sequences, self.instants, self.totals, self.slots, self.bounds, self.pauses):
            one.extend([0] * (size - len(one)))
        self.counts.extend(bytes(max(size - len(self.counts), 0)))
        self.samples.extend(bytes(max(size * _ROOM - len(self.samples), 0)))

    def expect(self, number: int, calm: tuple[int, float]) -> None:
        """What a result must be so that it teaches nothing: `learning.baseline.calm`."""
        self.slots[number], self.bounds[number] = calm[0], _tenths(calm[1]) + 1

    def sample(self, number: int, slot: int, codes: bytes) -> None:
        """A sample of other five minutes in the hour under way. More than an hour has are left out, as a baseline does."""
        count = self.counts[number]
        if count < SLOTS:
            at = number * _ROOM + count * _CODES
            self.samples[at : at + _CODES] = codes
            self.counts[number] = count + 1
        self.slots[number] = slot

    def sampled(self, number: int) -> tuple[int, bytes] | None:
        """(five minutes, codes) of what was sampled, once; None where nothing was."""
        count = self.counts[number]
        if not count:
            return None
        self.counts[number] = 0
        at = number * _ROOM
        return self.slots[number], bytes(self.samples[at : at + count * _CODES])


def _tenths(limit: float) -> int:
    """The longest total of a record that is not slower than a limit in ms; -1: none is so quick."""
    if not 0 <= limit < NO_TOTAL / 10:
        return NO_TOTAL if limit > 0 else -1
    longest = int(limit * 10)
    return longest + 1 if (longest + 1) / 10 <= limit else longest if longest / 10 <= limit else longest - 1
