"""How available monitors were, by what a store has on record."""

from collections.abc import Sequence

from vigie.engine.availability import standings
from vigie.engine.queries.paging import check_limit
from vigie.observation.availability import AvailabilitySummary
from vigie.ports import Archive


class StoredAvailability:
    """The AvailabilityQueries port."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    async def availability(self, monitors: Sequence[str], start: int, end: int) -> dict[str, AvailabilitySummary]:
        """Of these monitors over [start, end)."""
        if not monitors:
            return {}
        check_limit(len(monitors))
        return await standings(self._archive, start, end, frozenset(monitors))
