"""Standing by: what the server that evaluates has committed is read again and again, and what people ask for here is handed to it.

Laws
1. Nothing is decided here, and nothing is written but to the inbox and the catalog.
2. Whoever acts is told that it is done once the evaluating server has committed it; where that does not come in time, that it is kept.
3. Reading takes a small part of the time, however many monitors there are: what is shown is a second old, and some seconds with tens of
   thousands of monitors. A single reading that was slow, because the machine or the database was busy, changes nothing about that.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from vigie.core.alert import AlertState
from vigie.core.events import Decision, PersonEvent
from vigie.core.model import Incident, Monitor
from vigie.engine.ingest import Ingest
from vigie.engine.planner import Planner
from vigie.engine.trouble import Trouble
from vigie.errors import VigieError
from vigie.ports import Archive, Clock, Inbox

log = logging.getLogger("vigie.fleet")

_EVERY_SECONDS = 1.0
_REST, _LONGEST_SECONDS = 10.0, 10.0  # times what a reading takes, but no longer than this
_TAKEN = 3  # readings, the quickest of which tells what one takes
_LOOK_SECONDS = 0.25
_PATIENCE_SECONDS = 15.0  # for the server that evaluates: as long as it takes until another one does


class Follower:
    """Keeps an Ingest that decides nothing as the store says.

    `changed` is called with the monitors whose incidents are others now, `read` whenever it was read.
    """

    def __init__(
        self,
        ingest: Ingest,
        archive: Archive,
        inbox: Inbox,
        planner: Planner,
        clock: Clock,
        monitors: Callable[[], Sequence[Monitor]],
        changed: Callable[[set[str]], None],
        read: Callable[[], Awaitable[None]],
    ) -> None:
        self._ingest, self._archive, self._inbox, self._planner = ingest, archive, inbox, planner
        self._clock, self._monitors, self._changed, self._read = clock, monitors, changed, read
        self._seen: dict[tuple[str, str], int] = {}  # when the newest result was, by monitor and location
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Read it once. Raises StoreError."""
        await self._planner.refresh()
        newest = await self._ingest.start(self._monitors(), anew=True)
        self._seen = {(one.monitor, one.location): one.at for one in newest.values()}

    async def run(self) -> None:
        """Follow for ever."""
        trouble, took = Trouble(log, "what was decided elsewhere cannot be read"), deque[float](maxlen=_TAKEN)
        while True:
            began = self._clock.monotonic()
            with trouble.noted():
                await self.refresh()
            took.append(self._clock.monotonic() - began)
            await self._clock.sleep(min(max(_EVERY_SECONDS, _REST * min(took)), _LONGEST_SECONDS))

    async def refresh(self) -> None:
        """Read what is new, and tell whoever listens to results. Raises StoreError."""
        async with self._lock:
            incidents, alerts = _by_monitor(self._ingest.incidents()), {one.id: one for one in self._ingest.alerts()}
            await self._planner.refresh()
            newest = await self._ingest.start(self._monitors(), anew=True)
            fresh = [one for one in newest.values() if one.at > self._seen.get((one.monitor, one.location), -1)]
            self._seen.update(((one.monitor, one.location), one.at) for one in fresh)
            now = _by_monitor(self._ingest.incidents())
        changed = {one for one in incidents.keys() | now.keys() if incidents.get(one) != now.get(one)}
        if changed or alerts != {one.id: one for one in self._ingest.alerts()}:
            self._changed(changed)
        await self._ingest.show(sorted(fresh, key=lambda one: one.at))
        await self._read()

    def incidents(self) -> list[Incident]:
        """The open incidents."""
        return self._ingest.incidents()

    def alerts(self) -> list[AlertState]:
        """The open alerts."""
        return self._ingest.alerts()

    async def handle(self, monitor_id: str, event: PersonEvent) -> tuple[Decision, ...]:
        """Have the evaluating server take in what a person did; what it decided.

        Raises StoreError, or VigieError where no server has taken it in time: it stays in the inbox.
        """
        known = {one.number for one in await self._inbox.commands()}
        await self._inbox.enqueue_command(monitor_id, event)
        until = self._clock.monotonic() + _PATIENCE_SECONDS
        while any(one.number not in known and (one.monitor, one.event) == (monitor_id, event) for one in await self._inbox.commands()):
            if self._clock.monotonic() > until:
                raise VigieError("no server has taken it yet", "it is kept, and done as soon as one evaluates again")
            await self._clock.sleep(_LOOK_SECONDS)
        concerned = {one.alert for one in self._ingest.incidents() if one.monitor == monitor_id}
        await self.refresh()
        return tuple([one.decision for alert in concerned for one in await self._archive.timeline(alert) if one.at >= event.at])


def _by_monitor(incidents: Sequence[Incident]) -> dict[str, list[Incident]]:
    found: dict[str, list[Incident]] = {}
    for one in incidents:
        found.setdefault(one.monitor, []).append(one)
    return found
