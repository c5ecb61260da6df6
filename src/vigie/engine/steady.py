"""Results that decide nothing, by the hundred thousand a second: a fleet's good checks of services that have been good all along.

Laws
1. A result is taken here only where the engine would do nothing with it but note when the location was last heard, and learn its
   lengths: it is `up` and nothing else and came without facts of its own, its run is the one known, it is newer than what is known, its
   monitor is settled (core/incident.py), its location was neither silent for long before it nor awaited in vain, and its baseline, which
   is asked wherever it may matter, leaves it as it is. Everything else goes the ordinary way, in its order, with all that was noted and
   learnt here before it.
2. What is noted becomes views of the state as soon as anybody looks at the state, by the state machine itself.
3. A monitor leaves with the first result that is not taken here, at every location, and comes back when it is settled again after it.
4. Records that are taken are kept as they came; the others are cut out and kept as the results that they became.

5. A result that came whole only because its facts are to be known (once an hour) is taken here as well: it is kept by itself, with them.

Long: what a record may skip and what it must not is read together.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vigie.core import incident, quorum
from vigie.core.events import Observed
from vigie.core.model import CheckResult, Monitor, Status
from vigie.engine.baselines import Baselines
from vigie.engine.books import Books
from vigie.engine.column import NOBODY, NOTHING_LEARNT, UNHEARD, Column, Places
from vigie.fleet import packed
from vigie.fleet.batches import PackedBatch
from vigie.fleet.packed import GOOD, NO_TOTAL, SIZE, Rows
from vigie.fleet.packing import Place, with_facts
from vigie.learning.baseline import SLOT_MS, slot_at
from vigie.learning.season import SLOTS
from vigie.ports import Fleet

log = logging.getLogger("vigie.ingest")

Newest = Callable[[str, str], Awaitable[CheckResult | None]]
Note = tuple[str, str, bool] | CheckResult
_MAX_RUN = 2**32 - 1
_NEVER = 2**62


@dataclass(frozen=True, slots=True)
class Left:
    """A record that goes the ordinary way."""

    place: Place
    at: int
    run: int
    sequence: int
    body: bytes
    notes: int  # how many of `Sifted.notes` come before it


@dataclass(frozen=True, slots=True)
class Heard:
    """That a location found a monitor well, at an instant (epoch ms) and how long that took (ms; None: it was not measured).

    `fresh`: since the monitor was last looked at closely; else there is no `total`.
    """

    location: str
    at: int
    total: float | None
    fresh: bool


@dataclass(frozen=True, slots=True)
class Plain:
    """Results of one location and shard that were taken here: `count` of them, the first and the last at these instants, epoch ms.

    `rows` are those that came bare, `whole` the numbers of the monitors of the others.
    """

    location: str
    shard: int
    count: int
    first: int
    last: int
    rows: Rows
    ids: Sequence[str]
    whole: tuple[int, ...] = ()

    @property
    def monitors(self) -> list[str]:
        """Whose they are, one for each result."""
        return [*map(self.ids.__getitem__, packed.numbers_in(self.rows.body)), *self.monitors_whole]

    @property
    def monitors_whole(self) -> list[str]:
        """Whose came whole."""
        return [self.ids[number] for number in self.whole]


@dataclass(slots=True)
class Sifted:
    """What came of batches: rows to be kept as they are, results that go the ordinary way, and the monitors that left for them.

    `told` are results that were taken and came whole. `notes` are for the baselines and neighbours, in the order of the results: that a
    monitor is slow now or is so no more at a location, or where a check got to.
    """

    plain: list[Plain] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    whole: dict[tuple[str, str, int, int], CheckResult] = field(default_factory=dict)
    monitors: set[str] = field(default_factory=set)
    told: dict[Place, list[CheckResult]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    last_at: int | None = None

    @property
    def rows(self) -> tuple[Rows, ...]:
        """What is kept as it came."""
        return tuple([one.rows for one in self.plain if one.rows.count])

    @property
    def results(self) -> tuple[CheckResult, ...]:
        """What is kept whole, the results of a place in their order."""
        return tuple([one for of in self.told.values() for one in of])


class Steady:
    """Holds what was heard of settled monitors since their states were last looked at."""

    def __init__(self, books: Books, baselines: Baselines, monitors: Mapping[str, Monitor], fleet: Fleet | None) -> None:
        self._books, self._baselines, self._monitors, self._fleet = books, baselines, monitors, fleet
        self._columns: dict[str, Column] = {}
        self._numbers: dict[str, int] = {}
        self._ids: list[str] = []
        self._places = Places()
        self._numbers_due = True

    def __bool__(self) -> bool:
        """Whether anything ever came packed."""
        return bool(self._columns)

    def use(self, monitors: Mapping[str, Monitor]) -> None:
        """These are watched from now on; who changed is looked at closely once."""
        for one in [one for one in self._monitors.values() if self._columns and monitors.get(one.id) != one]:
            self._leave(one.id)
        self._monitors, self._numbers_due = monitors, True

    async def know(self, batches: Iterable[PackedBatch]) -> None:
        """Make ready for these: the numbers of monitors and locations. Raises StoreError."""
        if self._fleet is None:
            raise TypeError("packed results need the numbers that the store has for monitors and locations")
        if self._numbers_due:
            self._count(await self._fleet.monitor_numbers())
            self._numbers_due = False
        for name in {one.location for one in batches} - self._columns.keys():
            column = Column(await self._fleet.location_number(name), name)
            column.grow(len(self._places))
            self._columns[name] = column
            self._books.settle, self._baselines.elsewhere = self.settle, self

    def _count(self, numbers: dict[str, int]) -> None:
        size = max([len(self._ids) - 1, *numbers.values()], default=-1) + 1
        for gone in [one for one, number in self._numbers.items() if numbers.get(one) != number]:
            self._leave(gone)
            for location in self._columns:
                self._baselines.of(gone, location)  # takes up what was sampled
        self._numbers = numbers
        self._ids = [""] * size
        for monitor, number in numbers.items():
            self._ids[number] = monitor
        self._places.add(numbers)
        for column in self._columns.values():
            column.grow(len(self._places))

    def sift(self, batches: Iterable[PackedBatch], *, each: bool = False) -> Sifted:
        """Take what can be taken here. `each`: nothing can, every result must be seen by itself."""
        sifted = Sifted()
        for batch in batches:
            try:
                self._sift(batch, sifted, each=each)
            except ValueError as error:  # it can never be read: what comes after it must not wait for it
                log.error("%d results of %s are lost: %s", batch.count, batch.agent, error)  # noqa: TRY400 - the trace says nothing more
        return sifted

    def _sift(self, batch: PackedBatch, sifted: Sifted, *, each: bool) -> None:
        column, location = self._columns[batch.location], batch.location
        segments = packed.segments(batch.body)
        if any(number != column.number for number, _, _, _ in segments):
            raise ValueError(f"they are not of the location {location}")
        told = self._told(column, batch, sifted, each=each)
        kept: list[tuple[int, int, int, bytes]] = []
        left, whole = len(sifted.left), list[int]()
        for _, run, block, records in segments:
            count = len(records) // SIZE
            out = range(count) if each or not run else self._scan(column, batch.base, run, block << 16, records, sifted)
            self._let_go(batch, (run, block, records), out, sifted)
            cut = self._kept_whole(batch, (run, block, records), (told, out), (sifted, whole)) if told else out
            if len(cut) < count:
                kept.append((column.number, run, block, packed.without(records, cut) if cut else bytes(records)))
        if any(len(records) for _, _, _, records in segments):
            first, sifted.last_at = packed.ends_of(batch.base, segments)
            if kept or whole:
                count = sum(len(one[3]) for one in kept) // SIZE
                same = len(sifted.left) == left and not whole
                place = column.number, batch.shard
                rows = Rows(batch.base, count, batch.body, place) if same else packed.rows_of(batch.base, kept, place)
                sifted.plain.append(Plain(location, batch.shard, count + len(whole), first, sifted.last_at, rows, self._ids, tuple(whole)))

    def _told(self, column: Column, batch: PackedBatch, sifted: Sifted, *, each: bool) -> dict[tuple[int, int], CheckResult]:
        """Law 5: those of the whole results of a batch, by run and sequence; the monitors of the others leave."""
        found = dict[tuple[int, int], CheckResult]()
        own = [one for one in batch.whole if one.location == batch.location]
        for one in own:
            sifted.whole[one.monitor, one.location, one.run, one.sequence] = one
            if each or not _only_tells(one):
                self._leave(one.monitor, sifted)
        for one in own:
            place = self._places.of(one.monitor)
            if not column.ready[place]:
                continue
            total = packed.tenths(one.timings.total)
            unbroken = one.at - column.instants[place] <= column.pauses[place]
            newer = column.ready[place] == one.run and one.sequence > column.sequences[place]
            if newer and unbroken and total < column.bounds[place]:
                found[one.run, one.sequence] = one
                sifted.notes.append(one)
            else:
                self._leave(one.monitor, sifted)
        return found

    def _kept_whole(
        self,
        batch: PackedBatch,
        segment: tuple[int, int, memoryview],
        which: tuple[Mapping[tuple[int, int], CheckResult], Sequence[int]],
        into: tuple[Sifted, list[int]],
    ) -> Sequence[int]:
        """The records of a segment that are not kept as they came: those that left, and those that were taken and came whole."""
        (run, block, records), (told, out), (sifted, whole) = segment, which, into
        blob, left = bytes(records), set(out)
        for (of, sequence), one in told.items():
            if of != run or sequence >> 16 != block:
                continue
            index = packed.index_of(blob, self._numbers[one.monitor], sequence & 0xFFFF)
            if index is not None and index not in left and batch.base + packed.part_at(records, index)[1] == one.at:
                left.add(index)
                whole.append(self._numbers[one.monitor])
                sifted.told.setdefault((one.monitor, one.location), []).append(one)
        return sorted(left)

    def _scan(self, column: Column, base: int, run: int, high: int, records: memoryview, sifted: Sifted) -> list[int]:
        """Take what can be taken of a segment; the places of the other records. Every instruction here counts."""
        ready, sequences, instants, totals, slots, bounds, pauses = (
            *(column.ready, column.sequences, column.instants, column.totals),
            *(column.slots, column.bounds, column.pauses),
        )
        places, slot = self._places.by_number, slot_at(base)
        size, hour = len(places), slot // SLOTS
        end = (slot + 1) * SLOT_MS - base
        out, fresh = list[int](), list[tuple[int, int]]()
        for index, (number, offset, verdict, total, low) in enumerate(packed.scanned(records)):
            if (
                number < size
                and ready[place := places[number]] == run
                and verdict == GOOD
                and sequences[place] < (sequence := high | low)
                and base + offset - instants[place] <= pauses[place]
                and (
                    (total < bounds[place] and offset < end and (slots[place] == slot or slots[place] // SLOTS == hour))
                    or self._learn(column, (base, run, high, records), (index, fresh), sifted)
                )
            ):
                sequences[place] = sequence
                instants[place] = base + offset
                totals[place] = total
                if slots[place] != slot and slots[place] // SLOTS == hour and total < bounds[place] and offset < end and total != NO_TOTAL:
                    fresh.append((index, place))
            else:
                out.append(index)
                if number < size and self._ids[number]:
                    column.sample(slot, records, fresh)
                    fresh.clear()
                    self._leave(self._ids[number], sifted)
        column.sample(slot, records, fresh)
        return out

    def _learn(
        self, column: Column, segment: tuple[int, int, int, memoryview], which: tuple[int, list[tuple[int, int]]], sifted: Sifted
    ) -> bool:
        """What a result teaches that may be more than nothing; whether nothing else is to be done with it."""
        (base, run, high, records), (index, fresh) = segment, which
        column.sample(slot_at(base), records, fresh)
        fresh.clear()
        number, offset, body, low = packed.part_at(records, index)
        at, total = base + offset, packed.total_of(body)
        place = self._places.by_number[number]
        slot, newest = slot_at(at), column.slots[place]
        if newest == NOTHING_LEARNT or total == NO_TOTAL:
            return True
        if total < column.bounds[place]:
            if newest == slot:
                return True
            if newest // SLOTS == slot // SLOTS:
                column.sample(slot, records, [(index, place)])
                return True
        monitor = self._ids[number]
        known = self._monitors[monitor]
        learnt = self._baselines.learn(known, packed.result_of(monitor, column.name, at, run, high | low, body))
        if learnt is None:
            return False
        if learnt[1] is not None:
            sifted.notes.append((monitor, column.name, learnt[1]))
        self._expect(column, place, known)
        return True

    def _expect(self, column: Column, place: int, monitor: Monitor) -> bool:
        """What a result must be so that it teaches nothing, as long as it does not matter what it teaches."""
        calm = self._baselines.calm(monitor, column.name)
        if calm is not None:
            column.expect(place, calm)
        return calm is not None

    def _let_go(self, batch: PackedBatch, segment: tuple[int, int, memoryview], out: Sequence[int], sifted: Sifted) -> None:
        """These records of a segment go the ordinary way."""
        run, block, records = segment
        for one in out:
            number, offset, body, low = packed.part_at(records, one)
            if number < len(self._ids) and (monitor := self._ids[number]):
                if monitor not in sifted.monitors:
                    self._leave(monitor, sifted)
                place, notes = (monitor, batch.location), len(sifted.notes)
                sifted.left.append(Left(place, batch.base + offset, run, block << 16 | low, body, notes))

    async def results(self, sifted: Sifted, newest: Newest) -> Iterator[CheckResult]:
        """What goes the ordinary way, with its facts. `newest` tells the newest result of a place that is stored.

        It must be taken one by one: who is slow is told the baselines in between.
        """
        known: dict[Place, CheckResult] = {}
        found = list[tuple[int, CheckResult]]()
        for one in sifted.left:
            given = sifted.whole.get((*one.place, one.run, one.sequence))
            if given is not None:
                known[one.place] = given
            else:
                given = await self._with_facts(one, known.get(one.place) or _before(sifted, one), newest)
            if given is not None:
                found.append((one.notes, given))
        return self._in_order(found, sifted.notes)

    def _in_order(self, found: Sequence[tuple[int, CheckResult]], notes: Sequence[Note]) -> Iterator[CheckResult]:
        noted = 0
        for before, result in (*found, (len(notes), None)):
            for one in notes[noted:before]:
                self._note(one)
            noted = max(noted, before)
            if result is not None:
                yield result

    def _note(self, one: Note) -> None:
        if isinstance(one, CheckResult):
            monitor = self._monitors[one.monitor]
            self._baselines.place(monitor, one)
            self._books.neighbours.learn(monitor, one)
        else:
            self._baselines.note(one[0], one[1], slow=one[2])

    async def _with_facts(self, one: Left, known: CheckResult | None, newest: Newest) -> CheckResult | None:
        try:
            record = packed.result_of(*one.place, one.at, one.run, one.sequence, one.body)
        except ValueError as error:
            log.error("a result of %s is lost: %s", one.place[0], error)  # noqa: TRY400 - the trace says nothing more
            return None
        return with_facts(record, known or await newest(*one.place))

    async def newest(self, sifted: Sifted, monitor: str, location: str, stored: Newest) -> CheckResult | None:
        """The newest result of a place among those that were taken, or else the newest that is stored."""
        told = sifted.told.get((monitor, location))
        known, plain = told[-1] if told else await stored(monitor, location), self._last_plain(sifted, monitor, location)
        if plain is None or (told and plain.sequence < told[-1].sequence):
            return known
        return with_facts(plain, known)

    def _last_plain(self, sifted: Sifted, monitor: str, location: str) -> CheckResult | None:
        """The newest result of a place among those that were taken and came bare."""
        number = self._numbers[monitor]
        for plain in reversed(sifted.plain):
            if plain.location == location and (records := list(packed.of_monitor(plain.rows.base, plain.rows.body, number))):
                return packed.result_of(monitor, location, *records[-1][1:])
        return None

    def enter(self, monitors: Iterable[str]) -> None:
        """These may be settled now."""
        for monitor in monitors:
            place, known = self._places.of(monitor), self._monitors.get(monitor)
            if place == NOBODY or known is None:
                continue
            state = self._books.states.get(monitor)
            for column in self._columns.values():
                column.ready[place] = 0
            if state is not None and incident.is_settled(state):
                self._hear(place, known, state)

    def _hear(self, place: int, monitor: Monitor, state: incident.DetectionState) -> None:
        pause = quorum.longest_pause_ms(monitor.detection) if len(state.views) > 1 else _NEVER
        for view in state.views:
            column = self._columns.get(view.location)
            if column is None or view.unresponsive or not 0 < view.run <= _MAX_RUN:
                continue
            if not self._baselines.is_placed(monitor, view.location):
                continue
            if self._expect(column, place, monitor):
                column.ready[place], column.sequences[place] = view.run, view.sequence
                column.instants[place], column.totals[place], column.pauses[place] = view.at, UNHEARD, pause

    def _leave(self, monitor: str, sifted: Sifted | None = None) -> None:
        """Law 3."""
        place = self._places.of(monitor)
        if place == NOBODY:
            return
        self.settle(monitor)
        for column in self._columns.values():
            column.ready[place] = 0
        if sifted is not None:
            sifted.monitors.add(monitor)

    def settle(self, monitor: str) -> None:
        """Law 2: the state of a monitor, with what was heard of it since it was last looked at."""
        state, place = self._books.states.get(monitor), self._places.of(monitor)
        if state is None or place == NOBODY:
            return
        heard, several = [], len(state.views) > 1
        for view in state.views:
            column = self._columns.get(view.location)
            if column is not None and column.ready[place] and column.sequences[place] > view.sequence:
                heard.append(
                    Observed(
                        column.instants[place],
                        view.run,
                        column.sequences[place],
                        Status.UP,
                        None,
                        view.location,
                        first=view.at if several else 0,
                    )
                )
        for event in sorted(heard, key=lambda one: one.at):
            state, _ = incident.step(state, event, self._monitors[monitor].detection)
        if heard:
            self._books.states[monitor] = state

    def sampled(self, monitor: str, location: str) -> tuple[int, bytes] | None:
        """What was sampled of a place since its baseline was last looked at, once: Baselines.take_up."""
        column, place = self._columns.get(location), self._places.of(monitor)
        return None if column is None or place == NOBODY else column.sampled(place)

    def sampled_places(self) -> Iterator[Place]:
        """Of which places there is something sampled."""
        for column in self._columns.values():
            for place in [one for one, count in enumerate(column.counts) if count]:
                yield self._places.monitors[place], column.name

    def in_shard(self, shard: int) -> Sequence[str]:
        """The monitors of a shard, and maybe some that are gone."""
        return self._places.shards.get(shard, ())

    def heard(self, monitor: str) -> list[Heard]:
        """When each location heard a settled monitor last; nothing of any other."""
        place = self._places.of(monitor)
        here = [(one, one.totals[place]) for one in self._columns.values() if one.ready[place]]
        return [Heard(one.name, one.instants[place], _ms(total), total != UNHEARD) for one, total in here]


def _ms(total: int) -> float | None:
    return None if total in (NO_TOTAL, UNHEARD) else total / 10


def _only_tells(one: CheckResult) -> bool:
    """Whether a whole result brings nothing but facts: nothing is wrong, no page was read, and nothing that it saw is about to run out."""
    if one.status is not Status.UP or one.cause is not None or one.page is not None:
        return False
    return all(one.at < end.warn_at for end in one.expiries)


def _before(sifted: Sifted, left: Left) -> CheckResult | None:
    """The last whole result of its place that was taken before a record."""
    told = sifted.told.get(left.place, ())
    return next((one for one in reversed(told) if one.sequence < left.sequence), None)
