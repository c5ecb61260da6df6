"""The catalog in memory."""

from collections.abc import Sequence
from dataclasses import replace

from vigie.core.model import Monitor
from vigie.planning.maintenance import StartedMaintenance
from vigie.ports import StoredDefinition, StoredReview
from vigie.report.history import Remark
from vigie.report.pace import Speed
from vigie.report.scores import Scores
from vigie.testing.memory.data import Data
from vigie.testing.memory.publications import MemoryPublications


class MemoryCatalog:
    """The Catalog port without a disk."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self.publications = MemoryPublications(data)

    async def sync_monitors(self, monitors: Sequence[Monitor]) -> None:
        """Make the stored monitors equal to these; history of the others stays."""
        self._data.check()
        self._data.watch({monitor.id for monitor in monitors})

    async def definitions(self) -> list[StoredDefinition]:
        """What was made by a page or the API, in the order in which it was made."""
        self._data.check()
        return list(self._data.definitions.values())

    async def start_maintenance(self, started: StartedMaintenance) -> int:
        """Keep what a person began; its number."""
        self._data.check()
        number = max(self._data.maintenance, default=0) + 1
        self._data.maintenance[number] = replace(started, number=number)
        return number

    async def change_maintenance(self, changed: StartedMaintenance) -> None:
        """Keep this in place of what has its number."""
        self._data.check()
        if changed.number in self._data.maintenance:
            self._data.maintenance[changed.number] = changed

    async def end_maintenance(self, number: int, at: int) -> None:
        """Have it end at an instant."""
        self._data.check()
        known = self._data.maintenance.get(number)
        if known is not None and known.end > at:
            self._data.maintenance[number] = replace(known, end=max(known.start, at))

    async def maintenance(self, since: int) -> list[StartedMaintenance]:
        """What people began and was not over before `since`."""
        self._data.check()
        return [one for _, one in sorted(self._data.maintenance.items()) if one.end >= since]

    async def save_remark(self, remark: Remark) -> None:
        """Keep what a person said of an incident."""
        self._data.check()
        self._data.remarks.append(remark)

    async def remarks(self, incidents: Sequence[str]) -> list[Remark]:
        """What was said of these incidents, oldest first."""
        self._data.check()
        return [one for one in self._data.remarks if one.incident in incidents]

    async def save_review(self, review: StoredReview) -> bool:
        """Keep a post-incident report as its next version."""
        self._data.check()
        known = self._data.reviews.setdefault(review.alert, [])
        if review.version != len(known) + 1:
            return False
        known.append(review)
        return True

    async def review(self, alert: str) -> StoredReview | None:
        """The newest version of the post-incident report of an alert."""
        self._data.check()
        known = self._data.reviews.get(alert)
        return known[-1] if known else None

    async def save_scores(self, scores: Scores) -> None:
        """Keep how a model did on the frozen incidents."""
        self._data.check()
        self._data.scores.append(scores)

    async def scores(self, model: str) -> list[Scores]:
        """How a model did, newest first."""
        self._data.check()
        return [one for one in reversed(self._data.scores) if one.model == model]

    async def save_speed(self, model: str, speed: Speed) -> None:
        """Keep how fast a model is on this machine, in place of what was kept."""
        self._data.check()
        self._data.speeds[model] = speed

    async def speed(self, model: str) -> Speed | None:
        """How fast a model is, if it is known."""
        self._data.check()
        return self._data.speeds.get(model)
