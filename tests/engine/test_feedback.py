"""What readers say by links counts as what people say by the command: it demotes a model that misleads."""

from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from vigie.clock import SystemClock
from vigie.config import load
from vigie.core.subject import VIGIE_ID, SubjectKind
from vigie.engine.analyst import Analyst, ReportOptions
from vigie.engine.feedback import FeedbackService, cause_of
from vigie.engine.messages import Composer
from vigie.engine.writer import Mode
from vigie.ports import Asked, Commit, StoredReport
from vigie.report import measured
from vigie.report.facts import Analysis
from vigie.report.feedback import Feedback
from vigie.report.hypotheses import catalogue
from vigie.report.render import RenderContext
from vigie.server import Server
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeModel
from vigie.testing.memory import MemoryStore
from vigie.testing.messages import subject

LINKS = Feedback("https://vigie.example.com", b"k" * 32)


async def world(clock: VirtualClock) -> tuple[FeedbackService, Analyst, FakeModel, list[Asked]]:
    """Three incidents, each with an analysis of the model that said `behind_proxy`; each is found by its link."""
    store, model, setting = MemoryStore(), FakeModel(clock), RenderContext("en", UTC, LINKS)
    incidents = [replace(subject().incident, id=f"shop-api-{number}") for number in range(1, 4)]
    await store.ledger.commit(Commit(incidents=tuple(incidents)))
    analysis = Analysis(model.name, "en", ("The nginx server answers HTTP 502.",), cause="behind_proxy")
    for one in incidents:
        bundle = measured.bundle(replace(subject(), incident=one), (), one.opened_at, UTC)
        await store.ledger.save_report(StoredReport(one.id, bundle, analysis, None, one.opened_at), one.opened_at, ())
    desk = FeedbackService(store.archive, store.catalog, clock, Composer(store.archive, clock, setting, {}))
    found = [await desk.find(one.id, LINKS.signature(one)) for one in incidents]
    analyst = Analyst(store.archive, store.catalog, clock, ReportOptions(model, 60_000, "en", None, setting))
    return desk, analyst, model, [one for one in found if one is not None]


@pytest.mark.parametrize(
    ("helpful", "cause", "mode"),
    [
        (False, "", Mode.SELECT),
        (True, "", Mode.COMPOSE),
        (True, "not_listening", Mode.SELECT),  # the real cause outweighs a thumb
        (False, "behind_proxy", Mode.COMPOSE),
        (False, "a mouse in the cable", Mode.SELECT),
        (True, "a mouse in the cable", Mode.COMPOSE),  # words that cannot be compared accuse nobody
    ],
)
async def test_three_reports_that_misled_demote_the_model(helpful: bool, cause: str, mode: Mode, clock: VirtualClock) -> None:
    desk, analyst, model, asked = await world(clock)
    for one in asked:
        assert await analyst._mode(model) is Mode.COMPOSE
        assert await desk.keep(one, helpful=helpful, cause=cause, note="")

    assert len(asked) == 3
    assert await analyst._mode(model) is mode


async def test_a_reader_may_think_again(clock: VirtualClock) -> None:
    desk, analyst, model, asked = await world(clock)
    for one in asked:
        await desk.keep(one, helpful=False, cause="", note="")
    await desk.keep(asked[0], helpful=True, cause="", note="")

    assert await analyst._mode(model) is Mode.COMPOSE


async def test_a_monitor_that_is_gone_still_has_a_name(clock: VirtualClock) -> None:
    _, _, _, asked = await world(clock)
    composer = Composer(MemoryStore().archive, clock, RenderContext("en", UTC), {"shop-api": subject().monitor})

    assert asked[0].name == "shop-api"
    known = replace(asked[0].incident, monitor="shop-api")
    assert composer.name_of(known) == "Boutique É-Shop"
    assert composer.name_of(replace(known, monitor=VIGIE_ID, subject=SubjectKind.VIGIE)) == "Vigie"


def test_every_cause_is_known_by_its_id_and_by_its_words() -> None:
    for known, pair in catalogue().items():
        assert cause_of(known) == known
        for words in pair:
            assert catalogue()[cause_of(f" {words.upper()}  ")] == pair
    assert cause_of("") == cause_of("a mouse") == ""


async def test_links_begin_with_the_page_that_answers_them(tmp_path: Path) -> None:
    """`web` needs a restart: a reload must not send links that nobody answers."""
    file, plain = tmp_path / "vigie.yaml", "llm: {provider: none}\nmonitors: [https://a.test/]\n"
    file.write_text(plain)
    settings = load(file, {}, tmp_path)
    file.write_text(f"web: {{public_url: 'https://vigie.test'}}\n{plain}")
    service = Server(settings, SystemClock(), lambda: load(file, {}, tmp_path))
    try:
        assert await service.reloading.reload()
        assert service.feedback is None
        assert service.runtime.composer.setting.feedback is None
    finally:
        await service.runtime.close()
    after = Server(load(file, {}, tmp_path), SystemClock(), lambda: settings)
    try:
        assert after.feedback is not None
        assert after.runtime.composer.setting.feedback is not None
    finally:
        await after.runtime.close()
