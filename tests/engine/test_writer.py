"""Asking and certifying: what a reply is known by stays known of the analysis."""

from dataclasses import replace
from datetime import UTC

import pytest

from vigie.engine import writer
from vigie.engine.writer import Mode
from vigie.ports import Prompt, Reply
from vigie.report import measured
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeModel
from vigie.testing.messages import subject

pytestmark = pytest.mark.virtual


class Hosted(FakeModel):
    """The same model on somebody else's machine."""

    async def write(self, prompt: Prompt, deadline_ms: int) -> Reply:
        return replace(await super().write(prompt, deadline_ms), local=False)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(("kind", "local"), [(FakeModel, True), (Hosted, False)])
async def test_an_analysis_knows_whether_the_incident_left_for_it(kind: type[FakeModel], local: bool, mode: Mode) -> None:
    clock, about = VirtualClock(), subject()
    brief = writer.brief(measured.bundle(about, (), clock.now(), UTC), about, "en", mode)

    written = await writer.write(kind(clock), brief, 5_000, clock)

    assert written.analysis.local is local
