"""What waits in a spool, by shard, without the batches themselves: some thirty bytes each, also after days without a link.

Order matters within a shard only (ports/uplink.py). So what is handed over first is what a person may be waiting for: the shards with
failures, the newest failure first, each from its oldest batch on; then the others, those that have waited longest first.
"""

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from vigie.ports import BatchHead

SMALL = 400  # results; smaller batches are put together while nobody takes them


@dataclass(slots=True)
class _Line:
    """One shard: its batches in order. The first `sent` of them were handed over, and are kept for a while."""

    sequences: "array[int]" = field(default_factory=lambda: array("q"))
    ats: "array[int]" = field(default_factory=lambda: array("q"))
    results: "array[int]" = field(default_factory=lambda: array("i"))
    sizes: "array[int]" = field(default_factory=lambda: array("q"))  # twice, and one more with failures
    sent: int = 0
    failures: int = 0  # batches with failures that wait
    newest_failure: int = 0

    def add(self, head: BatchHead) -> None:
        self.sequences.append(head.sequence)
        self.ats.append(head.at)
        self.results.append(head.results)
        self.sizes.append(head.size << 1 | head.failures)
        if head.failures:
            self.failures += 1
            self.newest_failure = head.sequence

    def drop(self, start: int, end: int) -> None:
        for one in (self.sequences, self.ats, self.results, self.sizes):
            del one[start:end]

    def count_failures(self) -> None:
        self.failures = sum(size & 1 for size in self.sizes[self.sent :])


class Backlog:
    """The batches of a spool."""

    def __init__(self) -> None:
        self._lines: dict[int, _Line] = {}
        self._kept: deque[tuple[float, int, int]] = deque()  # until when, shard, sequence: handed over, and not removed yet
        self.batches = self.results = self.size = 0  # that wait to be handed over; the size also of those that are kept beyond it

    def add(self, head: BatchHead) -> None:
        """One more, the last of its shard."""
        self._lines.setdefault(head.shard, _Line()).add(head)
        self.batches += 1
        self.results += head.results
        self.size += head.size

    @property
    def since(self) -> int | None:
        """When the oldest batch that waits was put there, epoch ms."""
        firsts = [line.ats[line.sent] for line in self._lines.values() if line.sent < len(line.ats)]
        return min(firsts, default=None)

    def next(self, most: int) -> list[tuple[int, int]]:
        """(shard, sequence) of what to hand over next: so many bytes, and one at least, if anything waits."""
        chosen: list[tuple[int, int]] = []
        size = 0
        for shard in self._ordered():
            line = self._lines[shard]
            for place in range(line.sent, len(line.sequences)):
                size += line.sizes[place] >> 1
                if chosen and size > most:
                    return chosen
                chosen.append((shard, line.sequences[place]))
        return chosen

    def _ordered(self) -> list[int]:
        waiting = [(shard, line) for shard, line in self._lines.items() if line.sent < len(line.sequences)]
        failing = sorted((-line.newest_failure, shard) for shard, line in waiting if line.failures)
        well = sorted((line.ats[line.sent], shard) for shard, line in waiting if not line.failures)
        return [shard for _, shard in (*failing, *well)]

    def handed_over(self, batches: Iterable[tuple[int, int]], until: float) -> None:
        """These were, each the first of its shard that waited; they are `due` for removal from `until` on, by a clock that never steps."""
        for shard, sequence in batches:
            line = self._lines.get(shard)
            place = line.sent if line is not None else 0
            if line is None or place >= len(line.sequences) or line.sequences[place] != sequence:
                continue  # it was dropped meanwhile
            line.sent += 1
            self._kept.append((until, shard, sequence))
            self.batches -= 1
            self.results -= line.results[place]
            line.failures -= line.sizes[place] & 1

    def due(self, now: float) -> list[tuple[int, int]]:
        """(shard, sequence) of those that were handed over long enough ago; they are forgotten here."""
        found = []
        while self._kept and self._kept[0][0] <= now:
            _, shard, sequence = self._kept.popleft()
            if self.forget(shard, sequence):
                found.append((shard, sequence))
        return found

    def again(self) -> int:
        """What was handed over and is still kept is to be handed over again; how many batches."""
        for line in self._lines.values():
            self.batches += line.sent
            self.results += sum(line.results[: line.sent])
            line.sent = 0
            line.count_failures()
        count = len(self._kept)
        self._kept.clear()
        return count

    def forget(self, shard: int, sequence: int) -> bool:
        """It is not in the spool any more; whether it was."""
        line = self._lines.get(shard)
        place = bisect_left(line.sequences, sequence) if line is not None else 0
        if line is None or place >= len(line.sequences) or line.sequences[place] != sequence:
            return False
        self.size -= line.sizes[place] >> 1
        if place < line.sent:
            line.sent -= 1
        else:
            self.batches -= 1
            self.results -= line.results[place]
            line.failures -= line.sizes[place] & 1
        line.drop(place, place + 1)
        if not line.sequences:
            del self._lines[shard]
        return True

    def small(self, most: int) -> Iterator[tuple[int, list[int]]]:
        """(shard, sequences) of small batches that wait one after the other, and are all with failures or all without: `most` results."""
        for shard, line in list(self._lines.items()):
            run: list[int] = []
            results = 0
            for place in range(line.sent, len(line.sequences)):
                alike = not run or line.sizes[place] & 1 == line.sizes[place - 1] & 1
                small = line.results[place] < SMALL
                if not (alike and small and results + line.results[place] <= most):
                    if len(run) > 1:
                        yield shard, run
                    run, results = [], 0
                if small:
                    run.append(line.sequences[place])
                    results += line.results[place]
            if len(run) > 1:
                yield shard, run

    def put_together(self, shard: int, gone: Collection[int], heads: Iterable[BatchHead]) -> None:
        """Batches that wait one after the other are these now; each has the number of one of them."""
        line = self._lines[shard]
        start = bisect_left(line.sequences, min(gone))
        for place in range(start, start + len(gone)):
            self.batches -= 1
            self.results -= line.results[place]
            self.size -= line.sizes[place] >> 1
        line.drop(start, start + len(gone))
        for place, head in enumerate(heads, start):
            line.sequences.insert(place, head.sequence)
            line.ats.insert(place, head.at)
            line.results.insert(place, head.results)
            line.sizes.insert(place, head.size << 1 | head.failures)
            self.batches += 1
            self.results += head.results
            self.size += head.size
        line.count_failures()
