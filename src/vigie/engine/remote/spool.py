"""The spool of an agent: what it measured is on the disk before anybody relies on it, and leaves it once it is safe with its servers.

A disk that is full or broken costs no check: batches are held in memory, within bounds, handed over from there, and written as soon as
there is room. While nobody takes batches the small ones of a shard are put together and compressed: days without a link are about 12
bytes a check. At its bounds the oldest good results are dropped first, and it is said loudly.
"""

import asyncio
import contextlib
import logging
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from vigie.engine.remote.backlog import Backlog
from vigie.errors import StoreError, StoreFault
from vigie.fleet.batches import PackedBatch, decode, encode
from vigie.fleet.merging import merge
from vigie.fleet.wire import Work
from vigie.ports import BatchHead, Clock, Identity, SpoolFile

log = logging.getLogger("vigie.spool")

_HELD_BYTES = 32 * 1024 * 1024
_AT_ONCE = 256  # batches held in memory that are written in one go
_LOADED = 5_000
_DROPPED_AT_ONCE = 2_000
_ROOM = 0.95  # of its bounds, to which a full spool is brought
_MANY = 1_000  # batches that wait: nobody takes them
_TOGETHER = 1_000  # results of batches that are put together
_FOLDED_AT_ONCE = 32
_ABSURD_MS = 60 * 86_400_000  # of an age: a clock was wrong
_ZLIB = b"x"  # how compressed batches begin, which no version of theirs does
_PACE_MS = 3_600_000  # of a pace that was never taken back: whoever gave it may be gone


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept: bytes, and for how long good results are, in ms."""

    size: int = 1024 * 1024 * 1024
    age_ms: int = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Picked:
    """A batch to hand over."""

    shard: int
    sequence: int
    body: bytes


class Spool:
    """Over a SpoolFile. `keep_seconds` is how long batches stay after they were handed over. A damaged file is StoreError(CORRUPT)."""

    def __init__(self, file: SpoolFile, clock: Clock, bounds: Bounds, keep_seconds: float = 0.0) -> None:
        self._file, self._clock, self._bounds, self._keep_seconds = file, clock, bounds, keep_seconds
        self.backlog = Backlog()
        self.identity: Identity | None = None
        self.work: Work | None = None
        self.paces: dict[str, int] = {}
        self.filled, self.urgent = asyncio.Event(), asyncio.Event()
        self._next_batch = self._next_result = self._results_until = 1
        self._held: dict[int, tuple[BatchHead, bytes]] = {}  # in memory alone
        self._held_size = 0
        self._gone: set[int] = set()  # that could not be removed yet
        self._broken: StoreFault | None = None
        self._handing_over = asyncio.Lock()
        self._adding = asyncio.Lock()

    async def open(self) -> None:
        """Read what is there. A damaged file is moved aside, and a new one begun. Raises StoreError."""
        try:
            await self._load()
        except StoreError as error:
            if error.fault is not StoreFault.CORRUPT:
                raise
            name = await self._file.move_aside()
            log.error("%s. It was renamed to %s, and a new one is begun: what waited in it is not handed over", error, name)  # noqa: TRY400 - the trace says nothing more
            self.backlog = Backlog()
            await self._load()

    async def _load(self) -> None:
        found = await self._file.open()
        self.identity, self.work = found.identity, found.work
        self._next_batch, self._next_result, self._results_until = found.first_batch, found.first_result, found.results_until
        now = self._clock.now()
        self.paces = {one: every for one, (every, at) in found.paces.items() if abs(now - at) < _PACE_MS}
        newest = 0
        while heads := await self._file.heads(newest, _LOADED):
            for head in heads:
                self.backlog.add(head)
            newest = heads[-1].sequence
        if self.backlog.batches:
            self.filled.set()

    def number(self) -> int:
        """The next result's; never the same twice, whatever happens to this process."""
        self._next_result += 1
        return self._next_result - 1

    async def adopt(self, identity: Identity) -> None:
        """From now on this is who one is. Raises StoreError."""
        await self._file.adopt(identity)
        self.identity = identity

    async def keep_work(self, change: Work, whole: Work) -> None:
        """The work as it is now, and what changed."""
        self.work = whole
        with self._said("the work that the servers gave is not kept, so that it is lost at a restart while there is no link"):
            await self._file.keep_work(change)

    async def keep_pace(self, monitor: str, every_ms: int | None) -> None:
        """The pace of a monitor, or that it has none."""
        if every_ms is None:
            self.paces.pop(monitor, None)
        else:
            self.paces[monitor] = every_ms
        with self._said("paces are not kept"):
            await self._file.keep_pace(monitor, every_ms, self._clock.now())

    async def add(self, batches: Sequence[tuple[int, PackedBatch]]) -> None:
        """Keep these; on the disk when this returns, unless it cannot be written."""
        spool = self.identity.spool if self.identity is not None else 0
        now, failures = self._clock.now(), False
        for shard, batch in batches:
            body = encode(msgspec.structs.replace(batch, spool=spool, sequence=self._next_batch))
            head = BatchHead(self._next_batch, shard, now, batch.count, any(not one.is_good for one in batch.whole), len(body))
            self._next_batch += 1
            self._held[head.sequence] = (head, body)
            self._held_size += head.size
            self.backlog.add(head)
            failures = failures or head.failures
        await self._write()
        self.filled.set()
        if failures:
            self.urgent.set()

    async def _write(self) -> None:
        """What is held in memory alone, the oldest first."""
        async with self._adding:
            while self._held:
                rows = list(self._held.values())[:_AT_ONCE]
                try:
                    await self._file.append(rows)
                except StoreError as error:
                    self._say(error, "results are held in memory and handed over from there")
                    self._bound_held()
                    return
                for head, _ in rows:
                    if self._held.pop(head.sequence, None) is not None:
                        self._held_size -= head.size
        if self._broken is not None:
            self._broken = None
            log.warning("the spool can be written again")

    def _bound_held(self) -> None:
        """Memory is bounded: the oldest good results go first."""
        dropped = 0
        for failures in (False, True):
            for head, _ in list(self._held.values()):
                if self._held_size <= _HELD_BYTES:
                    break
                if head.failures is failures:
                    self._release(head.sequence)
                    self.backlog.forget(head.shard, head.sequence)
                    dropped += head.results
        if dropped:
            log.error("%d results were dropped: the disk of the spool takes nothing, and memory is bounded", dropped)

    def _release(self, sequence: int) -> bool:
        """A batch that is in memory alone is there no longer; whether there was one."""
        found = self._held.pop(sequence, None)
        if found is not None:
            self._held_size -= found[0].size
        return found is not None

    @contextlib.asynccontextmanager
    async def next(self, most: int) -> AsyncIterator[list[Picked]]:
        """What to hand over next, about so many bytes; nobody touches them meanwhile. Empty: nothing waits."""
        async with self._handing_over:
            chosen = self.backlog.next(most)
            held = {sequence: self._held[sequence][1] for _, sequence in chosen if sequence in self._held}
            bodies = held
            with self._said("what waits in it cannot be read"):
                bodies = held | await self._file.read([sequence for _, sequence in chosen if sequence not in held])
                for shard, sequence in chosen:
                    if sequence not in bodies:
                        self.backlog.forget(shard, sequence)
            found = [Picked(shard, sequence, _plain(bodies[sequence])) for shard, sequence in chosen if sequence in bodies]
            if not found:
                self.filled.clear()
            yield found

    async def handed_over(self, batches: Sequence[Picked]) -> None:
        """These are safe with the servers."""
        self.backlog.handed_over([(one.shard, one.sequence) for one in batches], self._clock.monotonic() + self._keep_seconds)
        if not self._keep_seconds:
            await self._remove_due()

    async def refused(self, batch: Picked) -> None:
        """The servers will never take this one."""
        self.backlog.forget(batch.shard, batch.sequence)
        await self._remove([batch.sequence])

    def again(self) -> None:
        """What was handed over lately may be lost there: it is handed over again."""
        if count := self.backlog.again():
            log.info("%d batches that were handed over within the last %g s are handed over again", count, self._keep_seconds)
            self.filled.set()

    async def tidy(self) -> None:
        """What is to be done now and then. A damaged file is StoreError(CORRUPT)."""
        await self._remove_due()
        await self._write()
        if self._next_result > self._results_until - (1 << 23):
            with self._said("no more numbers can be reserved"):
                await self._file.reserve_results(self._next_result + (1 << 24))
                self._results_until = self._next_result + (1 << 24)
        if self._broken is None:
            await self._bound()
            if self.backlog.batches > _MANY:
                async with self._handing_over:
                    await self._put_together()

    async def _remove_due(self) -> None:
        due = self.backlog.due(self._clock.monotonic())
        if due or self._gone:
            await self._remove([sequence for _, sequence in due])

    async def _remove(self, sequences: Sequence[int]) -> None:
        self._gone |= {one for one in sequences if not self._release(one)}
        gone = list(self._gone)
        with self._said("what was handed over cannot be removed from it"):
            for start in range(0, len(gone), _DROPPED_AT_ONCE):
                await self._file.remove(gone[start : start + _DROPPED_AT_ONCE])
            self._gone.difference_update(gone)

    async def _bound(self) -> None:
        """Good results that are too old go, and the oldest ones of a spool that is full; failures only where nothing else is left."""
        with self._said("it cannot be kept within its bounds"):
            oldest = self._clock.now() - self._bounds.age_ms
            await self._drop(lambda head: oldest - _ABSURD_MS < head.at < oldest, failures=False)
            if self.backlog.size > self._bounds.size:
                for failures in (False, True):
                    await self._drop(lambda _: self.backlog.size > self._bounds.size * _ROOM, failures=failures)

    async def _drop(self, wanted: Callable[[BatchHead], bool], *, failures: bool) -> None:
        """Batches from the oldest on, for as long as they are wanted away."""
        results, since, until = 0, 0, 0
        while heads := await self._file.oldest(_DROPPED_AT_ONCE, failures=failures):
            gone = []
            for head in heads:
                if not wanted(head):
                    break
                gone.append(head.sequence)
                self.backlog.forget(head.shard, head.sequence)
                results, since, until = results + head.results, since or head.at, head.at
            await self._file.remove(gone)
            if len(gone) < _DROPPED_AT_ONCE:
                break
        if results:
            what = "results, failures among them," if failures else "good results"
            fix = "give it more room with --spool-max, or bring the link to the servers back"
            hours = (until - since) / 3_600_000
            log.error("the spool is full: %d %s of %.1f hours were dropped, the oldest ones. Fix: %s", results, what, hours, fix)

    async def _put_together(self) -> None:
        """Small batches become large ones; a step for several shards, so that what is added meanwhile waits for none of it long."""
        runs = list(self.backlog.small(_TOGETHER))
        with self._said("what waits cannot be put together"):
            for start in range(0, len(runs), _FOLDED_AT_ONCE):
                some = [(shard, run) for shard, run in runs[start : start + _FOLDED_AT_ONCE] if not self._held.keys() & set(run)]
                bodies = await self._file.read([one for _, run in some for one in run])
                folded = await asyncio.to_thread(_folded, some, bodies)
                await self._file.replace([one for _, run, _ in folded for one in run], [row for _, _, rows in folded for row in rows])
                for shard, run, rows in folded:
                    self.backlog.put_together(shard, run, [head for head, _ in rows])

    async def close(self) -> None:
        """Write what is held, and close it."""
        with contextlib.suppress(StoreError):
            await self._write()
        if self._held:
            log.error("%d batches could not be written to the spool and are lost", len(self._held))
        await self._file.close()

    @contextlib.contextmanager
    def _said(self, what: str) -> Iterator[None]:
        """What goes wrong with the file is said, and costs no check."""
        try:
            yield
        except StoreError as error:
            self._say(error, what)

    def _say(self, error: StoreError, what: str) -> None:
        """Once, until it works again. Raises the error of a damaged file."""
        if error.fault is StoreFault.CORRUPT:
            raise error
        if self._broken is not error.fault:
            self._broken = error.fault
            log.error("the spool: %s; %s; checks go on. Fix: %s", error, what, error.fix)


def _plain(body: bytes) -> bytes:
    """A batch as it is handed over."""
    return zlib.decompress(body) if body[:1] == _ZLIB else body


Folded = tuple[int, list[int], list[tuple[BatchHead, bytes]]]  # shard, what it was made of, what it is now


def _folded(runs: Sequence[tuple[int, list[int]]], bodies: Mapping[int, bytes]) -> list[Folded]:
    """Batches put together and compressed; those that cannot be read are left as they are."""
    found: list[Folded] = []
    for shard, run in runs:
        try:
            parts = [decode(_plain(bodies[one])) for one in run]
            together = merge(parts, _TOGETHER)
        except (KeyError, ValueError, zlib.error, msgspec.MsgspecError):
            continue
        if len(together) == len(parts):
            continue
        rows = [(one, zlib.compress(encode(one))) for one in together]
        failures = any(not one.is_good for part in parts for one in part.whole)
        found.append((shard, run, [(BatchHead(one.sequence, shard, one.base, one.count, failures, len(body)), body) for one, body in rows]))
    return found
