"""What the checks of a monitor gave: single results, and what they come to by hour and day.

Instants are epoch ms; spans are half open, [start, end). Every method raises StoreError; those that take a limit or a cursor raise
VigieError, too, as in `vigie.queries`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vigie.core.model import CheckResult
from vigie.observation.availability import AvailabilitySummary
from vigie.observation.phases import PhasePoint as PhasePoint  # noqa: PLC0414 - pages take it from here
from vigie.observation.rollup import Resolution, Rollup
from vigie.queries import MAX_LIMIT, Page


@dataclass(frozen=True, slots=True)
class StorageSize:
    """How much history takes on the disk, in bytes. `per_day` is what a day adds now, None before that is known.

    `kept_days` is how far back single results go; `settled` is what it will come to once retention drops as much as is added, None
    before that can be told. `free` is what the disk has left, None where that cannot be asked.
    """

    total: int
    parts: Mapping[str, int]
    per_day: int | None = None
    kept_days: int = 0
    settled: int | None = None
    free: int | None = None


class HistoryQueries(Protocol):
    """What was measured, by hour, by day, and check by check."""

    async def rollups(
        self, monitors: Sequence[str], start: int, end: int, resolution: Resolution, location: str | None = None
    ) -> dict[str, list[Rollup]]:
        """Of each monitor, oldest first, without the hours or days that had no check; of one location, or of all together.

        The hour and the day that are under way are in it. At most `MAX_LIMIT` monitors.
        """

    async def phases(self, monitor: str, start: int, end: int, points: int, location: str | None = None) -> list[PhasePoint]:
        """The span in `points` equal steps (at most 500), oldest first; a step without checks has a count of 0."""

    async def results(
        self, monitor: str, start: int, end: int, *, location: str | None = None, cursor: str | None = None, limit: int = MAX_LIMIT
    ) -> Page[CheckResult]:
        """Newest first. Those that were kept whole are whole; the others have their status, cause, HTTP status and phases."""

    async def uptimes(self, monitors: Sequence[str], now: int, spans_ms: Sequence[int]) -> dict[str, tuple[AvailabilitySummary, ...]]:
        """How available each was in the spans that end now, in the order of the spans; at most `MAX_LIMIT` monitors."""

    async def sparklines(
        self, monitors: Sequence[str], now: int, points: int = 48, span_ms: int = 86_400_000
    ) -> dict[str, list[float | None]]:
        """The median latency of good checks in equal steps that end now, oldest first; None where there was none."""

    async def size(self) -> StorageSize:
        """How much history takes."""
