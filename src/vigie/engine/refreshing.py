"""Newest results that came packed, for who shows the newest result of each monitor: once a second, and only so many at a time.

In between they are not even unpacked: what is shown of a hundred thousand monitors is a few seconds old, and costs the same.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from vigie.core.model import CheckResult
from vigie.engine.ingest import Ingest
from vigie.engine.steady import Heard, Plain
from vigie.engine.transition import Transition
from vigie.ports import Archive, Clock

_EVERY_SECONDS = 1.0
_AT_ONCE, _SLICE = 4_000, 200  # monitors each time; and between two looks at what else is to be done
_WHOLE = 5  # as many monitors as the whole result of one place costs
_MANY = 100  # results of a batch: from so many on its whole shard is looked at, and nobody unpacks whose they are


class Rows(Protocol):
    """Who shows monitors."""

    def hear(self, monitor: str, heard: Sequence[Heard]) -> bool:
        """A monitor is as well as it was; False where that cannot be shown without whole results."""

    async def on_transition(self, transition: Transition) -> None:
        """The newest whole result of a place; it changes nothing."""


class Details(Protocol):
    """Who keeps more of the newest results than when they were."""

    @property
    def wanted(self) -> bool:
        """Whether anybody asks for it."""

    def on_newest(self, result: CheckResult) -> None:
        """The newest result of a place, which was counted already."""


class Refresher:
    """Shows `rows` what was heard of monitors packed, and gives `details` the results where these are wanted."""

    def __init__(self, ingest: Ingest, archive: Archive, clock: Clock, rows: Rows, details: Details | None = None) -> None:
        self._ingest, self._archive, self._clock, self._rows, self._details = ingest, archive, clock, rows, details
        self._due: dict[str, bool] = {}  # monitors, the longest due first; and whether something is known to have come
        self._shards: dict[int, None] = {}  # whose monitors are due next
        self._told: set[str] = set()  # monitors of which new facts came
        self._locations: dict[str, None] = {}

    @property
    def each(self) -> bool:
        """Nothing is waited for."""
        return False

    async def on_plain(self, plain: Plain) -> None:
        """These are due."""
        self._locations[plain.location] = None
        if plain.count >= _MANY:
            self._shards[plain.shard] = None
        else:
            self._due.update(dict.fromkeys(plain.monitors, True))
        self._told.update(plain.monitors_whole)

    async def run(self) -> None:
        """Once a second, for ever."""
        while True:
            await self._clock.sleep(_EVERY_SECONDS)
            await self.refresh()

    async def refresh(self) -> None:
        """Show some of what is due. Raises StoreError."""
        left = _AT_ONCE
        self._look_at_shards()
        for count, name in enumerate(list(self._due)[:_AT_ONCE], start=1):
            left -= await self._show(name, came=self._due.pop(name))
            if left <= 0:
                return
            if count % _SLICE == 0:
                await asyncio.sleep(0)  # results come first

    def _look_at_shards(self) -> None:
        while self._shards and len(self._due) < _AT_ONCE:
            shard = next(iter(self._shards))
            del self._shards[shard]
            for name in self._ingest.in_shard(shard):
                self._due.setdefault(name, False)

    async def _show(self, name: str, *, came: bool) -> int:
        """What it cost."""
        whole = name in self._told
        self._told.discard(name)
        heard = self._ingest.heard(name)
        if not (heard or came or whole):
            return 0
        shown = not whole and bool(heard) and self._rows.hear(name, heard)
        if shown and not (self._details is not None and self._details.wanted):
            return 1
        monitor = self._ingest.monitor(name)
        for location in self._locations if monitor is not None else ():
            result = await self._archive.newest(name, location)
            if monitor is None or result is None:
                continue
            if self._details is not None and self._details.wanted:
                self._details.on_newest(result)
            if not shown:
                state = self._ingest.state(name)
                await self._rows.on_transition(Transition(monitor, state, state, (), result))
        return _WHOLE * len(self._locations)
