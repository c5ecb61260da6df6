"""What the calendar says: maintenance of the file and of the command line, quiet hours, and who is on call.

Maintenance that came about is put on record while it holds, so that availability leaves it out whatever is planned later.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from vigie.core.model import Monitor
from vigie.core.notification import Circumstances, Notice
from vigie.engine.ingest import Ingest
from vigie.engine.trouble import Trouble
from vigie.planning.maintenance import InMaintenance, Maintenance, MaintenanceSpan, StartedMaintenance, came_about, in_force
from vigie.planning.plan import NOBODY, Plan, Planned, Reached, circumstances, reached, unchanged_until
from vigie.planning.rotation import Handover, Rotation, newest_handover
from vigie.ports import Archive, Catalog, Clock, Commit

log = logging.getLogger("vigie.planner")

_TICK_SECONDS = 0.5
_LOOK_BACK_MS = 3_600_000  # a window that somebody ended is read once more after its end


class _Held(NamedTuple):
    """What holds over [start, end), epoch ms."""

    circumstances: Circumstances
    start: int
    end: int


class Planner:
    """Knows what is planned, and what people began by the command line. `use` comes first."""

    def __init__(self, catalog: Catalog, archive: Archive, clock: Clock) -> None:
        self._catalog, self._archive, self._clock = catalog, archive, clock
        self._planned = Planned()
        self._started: list[StartedMaintenance] = []
        self._plans: dict[str, Plan] = {}
        self._held: dict[str, _Held] = {}
        self._shared: dict[Plan, _Held] = {}
        self._covering: dict[Maintenance, tuple[str, ...]] = {}
        self._reached: Reached | None = None
        self._recorded: dict[str, MaintenanceSpan] | None = None
        self._since = clock.now()

    def use(self, planned: Planned) -> None:
        """What a configuration plans from now on."""
        self._planned, self._reached = planned, None
        self._forget()
        self._covering.clear()

    @property
    def rotations(self) -> tuple[Rotation, ...]:
        """Who takes turns."""
        return self._planned.rotations

    @property
    def entries(self) -> list[Maintenance]:
        """All maintenance that is planned or was begun."""
        return [*self._planned.maintenance, *(one.planned() for one in self._started)]

    def handover(self, rotation: str, at: int) -> Handover | None:
        """The hand-over of a rotation at an instant, epoch ms, as it is planned now."""
        return next((newest_handover(one, at, 0) for one in self._planned.rotations if one.name == rotation), None)

    def at(self, monitor: Monitor, instant: int) -> Circumstances:
        """What holds for a monitor at an instant, epoch ms; worked out where something changes, and once an hour."""
        known = self._held.get(monitor.id)
        if known is None or not known.start <= instant < known.end:
            known = self._held[monitor.id] = self._holding(self._plan(monitor), instant)
        return known.circumstances

    def _holding(self, plan: Plan, instant: int) -> _Held:
        """The same for all monitors of one plan."""
        known = self._shared.get(plan)
        if known is None or not known.start <= instant < known.end:
            who = self._who(instant)
            end = min(unchanged_until(plan, instant), who.end)
            known = self._shared[plan] = _Held(circumstances(plan, instant, who), instant, end)
        return known

    def maintenance_of(self, monitor: Monitor) -> InMaintenance | None:
        """The maintenance that a monitor is in now."""
        return in_force(self._plan(monitor).maintenance, self._clock.now())

    def channels(self, names: Sequence[str]) -> tuple[str, ...]:
        """These names as channels: a person's, or those of who is on call now."""
        by = self._who(self._clock.now()).by
        return tuple(dict.fromkeys(channel for name in names for channel in by.get(name, (name,))))

    def addressed(self, notices: Iterable[Notice]) -> list[Notice]:
        """The same, each to the channels behind its name where that is a person's or a rotation's; one a channel."""
        several = [replace(one, channel=channel) for one in notices for channel in self.channels([one.channel])]
        return list({one.key: one for one in several}.values())

    def _plan(self, monitor: Monitor) -> Plan:
        plan = self._plans.get(monitor.id)
        if plan is None:
            covering = tuple(one for one in self.entries if one.covers(monitor))
            plan = self._plans[monitor.id] = Plan(covering, self._planned.quiet.get(monitor.id))
        return plan

    def _covered(self, entry: Maintenance) -> tuple[str, ...] | None:
        """The monitors that an entry is on; None for all. Looked for once, for it is asked for twice a second."""
        if entry.covers_all:
            return None
        if entry not in self._covering:
            self._covering[entry] = tuple(one.id for one in self._planned.monitors if entry.covers(one))
        return self._covering[entry]

    def _who(self, instant: int) -> Reached:
        """Worked out anew at hand-overs only."""
        if not self._planned.rotations and not self._planned.people:
            return NOBODY
        if self._reached is None or not self._reached.start <= instant < self._reached.end:
            self._reached = reached(self._planned.people, self._planned.rotations, instant)
        return self._reached

    async def refresh(self) -> bool:
        """Read what people began; whether it is another than before. Raises StoreError."""
        if self._recorded is None:
            self._since = min([*await self._archive.activity(1), self._clock.now()])
        started = await self._catalog.maintenance(min(self._since, self._clock.now()) - _LOOK_BACK_MS)
        changed, self._started = started != self._started, started
        if changed:
            self._forget()
        return changed

    def _forget(self) -> None:
        """Whatever was worked out from other windows."""
        self._plans.clear()
        self._held.clear()
        self._shared.clear()

    async def tick(self, ingest: Ingest) -> None:
        """Read what people began, put on record what holds, and wake what no longer waits. Raises StoreError."""
        changed = await self.refresh()
        await self._record(ingest)
        if changed:
            await ingest.wake(self._clock.now(), everything=True)

    async def run(self, ingest: Ingest) -> None:
        """Tick for ever."""
        trouble = Trouble(log, "maintenance could not be read or recorded")
        while True:
            await self._clock.sleep(_TICK_SECONDS)
            with trouble.noted():
                await self.tick(ingest)

    async def _record(self, ingest: Ingest) -> None:
        """Put the spans of maintenance on record that have begun, and the end of those that ended early."""
        now = self._clock.now()
        if self._recorded is None:
            self._recorded = {one.key: one for one in await self._archive.maintained(0)}
        spans = {one.key: one for entry in self.entries for one in came_about(entry, self._since, now, self._covered)}
        rows = [_joined(known, one) for one in spans.values() if (known := self._recorded.get(one.key)) is None or known.end > self._since]
        cut = [replace(one, end=max(one.start, self._since)) for one in self._recorded.values() if one.end > now and one.key not in spans]
        if rows := [one for one in (*rows, *cut) if one != self._recorded.get(one.key)]:
            await ingest.record(Commit(maintenance=tuple(rows)))
            self._recorded.update((one.key, one) for one in rows)
        self._since = now


def _joined(known: MaintenanceSpan | None, span: MaintenanceSpan) -> MaintenanceSpan:
    """A span with every monitor that was in it at some time."""
    if known is None or known.monitors is None or span.monitors is None or known.monitors is span.monitors:
        return span
    return replace(span, monitors=tuple(dict.fromkeys((*known.monitors, *span.monitors))))
