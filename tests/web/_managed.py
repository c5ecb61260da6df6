"""A site with what its pages manage: a configuration out of a file, a store in memory, and what works on them, without a running Vigie."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp
from tests.web._definitions import MemoryDefinitions

from vigie.adapters import zone_of
from vigie.administration.channels import ChannelDesk
from vigie.administration.running import Parts
from vigie.administration.setup import Setup
from vigie.administration.trials import Trials
from vigie.config import Desired, load
from vigie.config.forms import Forms
from vigie.core.model import Status
from vigie.engine.commands.maintenance import MaintenanceDesk
from vigie.engine.ingest import Ingest
from vigie.engine.planner import Planner
from vigie.engine.queries import StoredQueries
from vigie.ports import OutboxCounts
from vigie.queries import Health
from vigie.report.render import RenderContext
from vigie.testing.memory import MemoryStore
from vigie.web.app import build
from vigie.web.site import Site

NOW = 1_795_946_400_000  # Sunday, 29 November 2026, 10:00 UTC
HOSTILE = "<script>alert(1)</script>\"'&"

BASE = """
language: en
timezone: Europe/Paris
web: {listen: "127.0.0.1:0"}
log: {file: null}
llm: {provider: none}
control: []
"""


class StillClock:
    """It is NOW."""

    def now(self) -> int:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class _Pulse:
    def __init__(self, office: "Office") -> None:
        self._office = office

    async def health(self) -> Health:
        now, count = self._office.clock.now(), len(self._office.desired.monitors)
        return Health("1.0", now - 60_000, now, now - 1_000, OutboxCounts(0, 0), {Status.UP: count}, 0, stalled=False, late_p99_ms=12)


@dataclass
class Office:
    """The parts, and the application over them."""

    desired: Desired
    clock: Any
    store: MemoryStore = field(default_factory=MemoryStore)
    definitions: MemoryDefinitions = field(default_factory=MemoryDefinitions)
    stalled: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        watched = [one.monitor for one in self.desired.monitors]
        self.planner = Planner(self.store.catalog, self.store.archive, self.clock)
        self.planner.use(self.desired.planned)
        self.ingest = Ingest(self.store.ledger, self.store.archive, self.clock, hold_ms=0, circumstances_at=self.planner.at)
        parts = Parts(lambda: (12, 40), lambda: 4_711, self.clock.monotonic, lambda: self.stalled, lambda: None)
        queries = StoredQueries(self.store, lambda: watched, self.planner.maintenance_of)
        pulse: Any = _Pulse(self)
        self.site = Site(queries, pulse, lambda: RenderContext(self.desired.language, zone_of(self.desired)))
        self.site.setup = Setup(lambda: self.desired, self.store, self.clock, lambda: self.planner.entries, parts)
        self.site.forms = Forms(lambda: self.desired.policies)
        self.site.commands.definitions = self.definitions
        self.site.commands.trials = Trials(lambda: self.desired)
        self.site.commands.channels = ChannelDesk(lambda: self.desired, self.clock, self.store.ledger, lambda: None)
        self.site.commands.maintenance = MaintenanceDesk(self.store.catalog, self.clock, lambda: self.planner.tick(self.ingest))

    @property
    def app(self) -> ASGIApp:
        return build(self.site)


def office(folder: Path, text: str, clock: Any = None, **values: Any) -> Office:
    """Out of the text of a file, below the usual settings."""
    (folder / "vigie.yaml").write_text(BASE + text)
    return Office(load(folder / "vigie.yaml", {}, folder), clock or StillClock(), **values)


Opened = Callable[..., Office]
