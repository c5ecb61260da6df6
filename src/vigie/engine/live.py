"""What changes while somebody looks: gathered for a second, numbered, and given to every reader at once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from vigie.ports import Clock
from vigie.queries.live import Change, ChangeKind

_EVERY_SECONDS = 1.0
_REMEMBERED = 4_096  # changes, for who comes back
_HELD = 1_024  # subjects, for who is slow
_MONITORS = (ChangeKind.RESULT, ChangeKind.STATE)

Batch = tuple[Change, ...]


class LiveHub:
    """The Live port. `gather` is called before each second's changes are given out: it may `note` further ones.

    Numbers begin at the start's instant in ms, so that one of an earlier run is known to be old.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._number = clock.now()
        self._first = self._number
        self._pending: dict[tuple[bool, str], tuple[ChangeKind, str, int]] = {}
        self._ring: deque[Change] = deque(maxlen=_REMEMBERED)
        self._readers: set[_Reader] = set()
        self._gatherers: list[Callable[[], None]] = []

    def gather(self, what: Callable[[], None]) -> None:
        """Call this one before changes are given out."""
        self._gatherers.append(what)

    @property
    def readers(self) -> int:
        """How many there are."""
        return len(self._readers)

    @property
    def number(self) -> int:
        """The number of the newest change."""
        return self._number

    def now(self) -> int:
        """The clock of this machine, epoch ms."""
        return self._clock.now()

    def note(self, kind: ChangeKind, subject: str, at: int) -> None:
        """Something changed. Of several changes of a monitor in one second, that of its state counts."""
        key = kind in _MONITORS, subject or kind.value
        known = self._pending.get(key)
        if known is None or kind is not ChangeKind.RESULT:
            self._pending[key] = kind, subject, at
        else:
            self._pending[key] = known[0], subject, at

    async def run(self) -> None:
        """Give out what changed, once a second."""
        while True:
            await self._clock.sleep(_EVERY_SECONDS)
            self.flush()

    def flush(self) -> None:
        """Give out what changed since the last time."""
        for gather in self._gatherers:
            gather()
        if not self._pending:
            return
        batch = tuple(self._numbered(*one) for one in self._pending.values())
        self._pending.clear()
        self._ring.extend(batch)
        for reader in self._readers:
            reader.put(batch)

    def _numbered(self, kind: ChangeKind, subject: str, at: int) -> Change:
        self._number += 1
        return Change(self._number, kind, subject, at)

    def close(self) -> None:
        """Nothing more comes: every reader's changes end, and it comes back to whoever has them now."""
        for reader in self._readers:
            reader.close()

    @asynccontextmanager
    async def subscribe(self, since: int | None = None) -> AsyncIterator[AsyncIterator[Batch]]:
        """Changes from now on, or those after the number `since` as far as they are remembered."""
        reader = _Reader(self._clock)
        if since is not None and since < self._number:
            reader.put(self._missed(since))
        self._readers.add(reader)
        try:
            yield reader.batches()
        finally:
            self._readers.discard(reader)

    def _missed(self, since: int) -> Batch:
        """What came after a number; where that is not remembered any more, the advice to read everything anew."""
        oldest = self._ring[0].number if self._ring else self._number + 1
        if since < oldest - 1 or since < self._first:
            return (self._anew(),)
        return _last_ones(one for one in self._ring if one.number > since)

    def _anew(self) -> Change:
        return Change(self._number, ChangeKind.CONFIG, "", self._clock.now())


class _Reader:
    """What one reader has not taken yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: Batch = ()
        self._ready, self._closed = asyncio.Event(), False

    def put(self, batch: Batch) -> None:
        """Most readers have taken the last batch, and then all share this one."""
        self._held = _bounded(_last_ones((*self._held, *batch))) if self._held else batch
        self._ready.set()

    def close(self) -> None:
        self._closed = True
        self._ready.set()

    async def batches(self) -> AsyncIterator[Batch]:
        while not self._closed:
            await self._ready.wait()
            self._ready.clear()
            held, self._held = self._held, ()
            yield held


def _last_ones(changes: Iterable[Change]) -> Batch:
    """Of several changes of one subject, the last; a state that changed stays one."""
    found: dict[tuple[bool, str], Change] = {}
    for one in changes:
        key = one.kind in _MONITORS, one.subject or one.kind.value
        before = found.pop(key, None)
        stays = before is not None and before.kind is ChangeKind.STATE and one.kind is ChangeKind.RESULT
        found[key] = Change(one.number, ChangeKind.STATE, one.subject, one.at) if stays else one
    return tuple(found.values())


def _bounded(changes: Batch) -> Batch:
    """For a reader that is too slow: read everything anew."""
    if len(changes) <= _HELD:
        return changes
    return (Change(changes[-1].number, ChangeKind.CONFIG, "", changes[-1].at),)
