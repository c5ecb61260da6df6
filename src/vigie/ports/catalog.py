"""The side of the store for what people set up and edit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vigie.core.model import Incident, Monitor
from vigie.planning.maintenance import StartedMaintenance
from vigie.ports.publications import Publications
from vigie.report.facts import Analysis
from vigie.report.history import Remark
from vigie.report.pace import Speed
from vigie.report.scores import Scores


@dataclass(frozen=True, slots=True)
class StoredReview:
    """A post-incident report as a person left it: Markdown. `version` counts from 1."""

    alert: str
    version: int
    at: int
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class StoredDefinition:
    """A part of the configuration that was made by a page or the API: of which kind, and its id among those of its kind.

    `body` is JSON, its secrets as they were given; `version` rises by one with each change, `at` is when that was, epoch ms, and `by` who
    did it. `trusted`: it was somebody who may have any address probed.
    """

    kind: str
    id: str
    body: str = field(repr=False)
    version: int
    by: str
    at: int
    trusted: bool = False


class Catalog(Protocol):
    """What people set up and edit. Raises StoreError and nothing else, from any task."""

    @property
    def publications(self) -> Publications:
        """What people publish on status pages, and who follows them."""

    async def sync_monitors(self, monitors: Sequence[Monitor]) -> None:
        """Make the stored monitors equal to these; history of the others stays."""

    async def definitions(self) -> list[StoredDefinition]:
        """What was made by a page or the API and is still there, in the order in which it was made; `Commit` writes it."""

    async def start_maintenance(self, started: StartedMaintenance) -> int:
        """Keep what a person began; the number that it has from now on. Fsynced before it returns."""

    async def change_maintenance(self, changed: StartedMaintenance) -> None:
        """Keep this in place of what has its number; nothing where nothing has it. Fsynced before it returns."""

    async def end_maintenance(self, number: int, at: int) -> None:
        """Have it end at an instant, epoch ms, or never have been where it had not begun."""

    async def maintenance(self, since: int) -> list[StartedMaintenance]:
        """What people began and was not over before `since`, epoch ms, by number."""

    async def save_remark(self, remark: Remark) -> None:
        """Keep what a person said of an incident."""

    async def remarks(self, incidents: Sequence[str]) -> list[Remark]:
        """What was said of these incidents, oldest first."""

    async def save_review(self, review: StoredReview) -> bool:
        """Keep a post-incident report as its next version; False where there is one of this number, or the one before is missing."""

    async def review(self, alert: str) -> StoredReview | None:
        """The newest version of the post-incident report of an alert."""

    async def save_scores(self, scores: Scores) -> None:
        """Keep how a model did on the frozen incidents."""

    async def scores(self, model: str) -> list[Scores]:
        """How a model did, newest first."""

    async def save_speed(self, model: str, speed: Speed) -> None:
        """Keep how fast a model is on this machine, in place of what was kept."""

    async def speed(self, model: str) -> Speed | None:
        """How fast a model is, if it is known."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader is asked about: the incident, what its monitor is called, and the analysis that is on record."""

    incident: Incident
    name: str
    analysis: Analysis | None
