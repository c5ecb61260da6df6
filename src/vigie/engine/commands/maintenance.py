"""Planned work that people begin, change and end by hand: kept in the catalog, in force on return."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from vigie.planning.maintenance import StartedMaintenance
from vigie.ports import Catalog, Clock

log = logging.getLogger("vigie.planner")


class MaintenanceDesk:
    """Implements MaintenanceCommands. `replan` puts into force what is in the catalog."""

    def __init__(self, catalog: Catalog, clock: Clock, replan: Callable[[], Awaitable[None]]) -> None:
        self._catalog, self._clock, self._replan = catalog, clock, replan

    async def start(self, start: int, until: int, monitors: Sequence[str], tags: Sequence[str], why: str, by: str) -> int:
        """Plan it; its number."""
        number = await self._catalog.start_maintenance(StartedMaintenance(0, start, until, tuple(monitors), tuple(tags), why, by))
        log.info("maintenance m%d is planned by %s", number, by)
        await self._replan()
        return number

    async def change(self, number: int, until: int, why: str, by: str) -> bool:
        """Have it end at another instant, and say otherwise why."""
        known = await self._known(number)
        if known is None:
            return False
        await self._catalog.change_maintenance(replace(known, end=until, why=why))
        log.info("maintenance m%d is changed by %s", number, by)
        await self._replan()
        return True

    async def end(self, number: int, by: str) -> bool:
        """End it now."""
        if await self._known(number) is None:
            return False
        await self._catalog.end_maintenance(number, self._clock.now())
        log.info("maintenance m%d is ended by %s", number, by)
        await self._replan()
        return True

    async def _known(self, number: int) -> StartedMaintenance | None:
        """What has this number and is not over."""
        now = self._clock.now()
        return next((one for one in await self._catalog.maintenance(now) if one.number == number and one.end > now), None)
