"""The side of the store for single results and what they come to by hour and day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vigie.core.model import CheckResult
from vigie.observation.phases import PhasePoint
from vigie.observation.rollup import Resolution, Retention, Rollup


@dataclass(frozen=True, slots=True)
class HistorySize:
    """How much is on the disk, in bytes: `parts` by what they hold (`recent`, `chunks`, `rollups`, `other`).

    `whole_day` is what the single results of the newest whole day take, `thin_day` those of a day of which only status and total are
    kept, `hourly_day` and `daily_day` the roll-ups of a day; None where there is no such day yet. `oldest` and `newest` are when
    the oldest and the newest single result were, epoch ms. `free` is what the disk has left, None where that cannot be asked.
    """

    parts: Mapping[str, int]
    whole_day: int | None = None
    thin_day: int | None = None
    hourly_day: int | None = None
    daily_day: int | None = None
    oldest: int | None = None
    newest: int | None = None
    free: int | None = None


ResultKey = tuple[int, str, int, int]  # instant, location, run, sequence: where a list of results goes on


class History(Protocol):
    """Single results and what they come to. Raises StoreError and nothing else, from any task.

    Instants are epoch ms; spans are half open. A result counts once, by its location, run and sequence (of those that have neither run
    nor sequence, and of those of which only status and total are kept, by location and instant). What is unknown, was not seen, or was
    planned when it is counted is excluded. `location` None: all of them together.
    """

    async def compact(self, now: int, keep: Retention) -> bool:
        """Do a little of what is due: recent results become chunks and roll-ups, what is too old is dropped; whether there is more to do.

        It may be ended at any instant, also by a kill: nothing is lost and nothing counts twice.
        """

    async def take_in(self, results: Sequence[CheckResult], now: int, keep: Retention) -> int:
        """Add results of whatever time, such as late ones, or older ones from elsewhere; how many were new.

        Those of monitors that were never watched, and those older than single results are kept, are left out.
        """

    async def rollups(
        self, monitors: Sequence[str], start: int, end: int, resolution: Resolution, location: str | None = None
    ) -> dict[str, list[Rollup]]:
        """The hours or days that begin within [start, end) and had a check, oldest first, by monitor; with those under way."""

    async def phases(
        self, monitor: str, edges: Sequence[int], resolution: Resolution | None = None, location: str | None = None
    ) -> list[PhasePoint]:
        """A point for each step between `edges`: of single results, or of roll-ups where a resolution is given."""

    async def results(
        self, monitor: str, start: int, end: int, *, location: str | None = None, before: ResultKey | None = None, limit: int = 500
    ) -> list[CheckResult]:
        """Newest first by (instant, location, run, sequence); those that were kept whole are whole. `before`: those that come after it."""

    async def sparklines(self, monitors: Sequence[str], edges: Sequence[int]) -> dict[str, list[float | None]]:
        """The median latency of good checks, in ms, in each step between `edges`; None where there was none.

        Steps of less than an hour, where single results are in chunks, share the median of their hour.
        """

    async def size(self) -> HistorySize:
        """How much history takes."""
