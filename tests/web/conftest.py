"""A desk over a store in memory with one incident and its analysis; the browser's tests and the sockets' share it."""

from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from tests.web._made import app_of

from vigie.clock import SystemClock
from vigie.core.model import Incident
from vigie.engine.feedback import FeedbackService
from vigie.engine.messages import Composer
from vigie.ports import Commit, StoredReport
from vigie.report import measured
from vigie.report.facts import Analysis
from vigie.report.feedback import Feedback
from vigie.report.history import Remark
from vigie.report.render import RenderContext
from vigie.testing.memory import MemoryStore
from vigie.testing.messages import subject

KEY = b"k" * 32
_BROWSER_SECONDS = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser's test may be slow where the machine has other work."""
    for one in items:
        if one.path.is_relative_to(Path(__file__).parent) and one.get_closest_marker("needs") and not one.get_closest_marker("timeout"):
            one.add_marker(pytest.mark.timeout(_BROWSER_SECONDS))


@dataclass
class Office:
    """A store with one incident, and the application over it."""

    store: MemoryStore
    incident: Incident
    links: Feedback
    app: Any

    @property
    def path(self) -> str:
        return f"/feedback/{self.incident.id}/{self.links.signature(self.incident)}"

    async def said(self) -> list[Remark]:
        return await self.store.catalog.remarks([self.incident.id])


async def office(
    *, name: str = "Shop API", language: str = "en", sentences: tuple[str, ...] = ("The nginx server answers HTTP 502.",)
) -> Office:
    store, clock, about = MemoryStore(), SystemClock(), subject()
    links = Feedback("https://vigie.example.com", KEY)
    monitor = replace(about.monitor, name=name)
    await store.ledger.commit(Commit(incidents=(about.incident,)))
    bundle = measured.bundle(about, (), about.result.at, UTC)
    analysis = Analysis("llama3", language, sentences, cause="behind_proxy")
    await store.ledger.save_report(StoredReport(about.incident.id, bundle, analysis, None, about.result.at), about.result.at, ())
    composer = Composer(store.archive, clock, RenderContext(language, UTC, links), {monitor.id: monitor})

    return Office(store, about.incident, links, app_of(None, None, FeedbackService(store.archive, store.catalog, clock, composer)))


@pytest.fixture
def open_office() -> Any:
    return office
