"""Newest results that came packed, for who shows the newest result of each monitor: once a second, and only so many at a time.

In between they are not even unpacked: what is shown of a hundred thousand monitors is a few seconds old, and costs the same.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from vigie.engine.ingest import Ingest
from vigie.engine.steady import Plain
from vigie.engine.transition import Transition
from vigie.ports import Archive, Clock

_EVERY_SECONDS = 1.0
_AT_ONCE, _SLICE = 4_000, 200  # places each time; and between two looks at what else is to be done


class Refresher:
    """Gives listeners a transition, which changes nothing, with the newest result of each place that was heard packed."""

    def __init__(
        self, ingest: Ingest, archive: Archive, clock: Clock, listeners: Sequence[Callable[[Transition], Awaitable[None]]]
    ) -> None:
        self._ingest, self._archive, self._clock, self._listeners = ingest, archive, clock, listeners
        self._due: dict[str, dict[int, None]] = {}  # by location the numbers of monitors, the longest due first
        self._ids: Sequence[str] = ()

    @property
    def each(self) -> bool:
        """Nothing is waited for."""
        return False

    async def on_plain(self, plain: Plain) -> None:
        """These are due."""
        self._ids = plain.ids
        self._due.setdefault(plain.location, {}).update(dict.fromkeys(plain.numbers))

    async def run(self) -> None:
        """Once a second, for ever."""
        while True:
            await self._clock.sleep(_EVERY_SECONDS)
            await self.refresh()

    async def refresh(self) -> None:
        """Show some of what is due. Raises StoreError."""
        for location, due in self._due.items():
            for place, number in enumerate(list(due)[: _AT_ONCE // len(self._due)]):
                del due[number]
                await self._show(self._ids[number], location)
                if place % _SLICE == _SLICE - 1:
                    await asyncio.sleep(0)  # results come first

    async def _show(self, name: str, location: str) -> None:
        monitor, result = self._ingest.monitor(name), await self._archive.newest(name, location)
        if monitor is None or result is None:
            return
        state = self._ingest.state(name)
        for listener in self._listeners:
            await listener(Transition(monitor, state, state, (), result))
