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
        self._due: dict[int, None] = {}  # the numbers of monitors, the longest due first
        self._told: set[int] = set()  # of which new facts came
        self._locations: dict[str, None] = {}
        self._ids: Sequence[str] = ()

    @property
    def each(self) -> bool:
        """Nothing is waited for."""
        return False

    async def on_plain(self, plain: Plain) -> None:
        """These are due."""
        self._ids = plain.ids
        self._locations[plain.location] = None
        self._due.update(dict.fromkeys(plain.numbers))
        self._told.update(plain.whole)

    async def run(self) -> None:
        """Once a second, for ever."""
        while True:
            await self._clock.sleep(_EVERY_SECONDS)
            await self.refresh()

    async def refresh(self) -> None:
        """Show some of what is due. Raises StoreError."""
        left = _AT_ONCE
        for count, number in enumerate(list(self._due)[:_AT_ONCE], start=1):
            del self._due[number]
            told = number in self._told
            self._told.discard(number)
            left -= await self._show(self._ids[number], whole=told)
            if left <= 0:
                return
            if count % _SLICE == 0:
                await asyncio.sleep(0)  # results come first

    async def _show(self, name: str, *, whole: bool) -> int:
        """What it cost."""
        heard = self._ingest.heard(name)
        shown = bool(heard) and not whole and self._rows.hear(name, heard)
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
