"""Reports: evidence during the suspicion, the model within its deadline, the report joins the page or follows it."""

import asyncio
from dataclasses import replace
from datetime import UTC

import pytest

from vigie.core.model import Status
from vigie.core.notification import NoticeReason
from vigie.engine.reporter import ReportOptions
from vigie.errors import ModelError, ModelFault, StoreError, StoreFault
from vigie.report.facts import Evidence, FactKind
from vigie.report.history import Remark
from vigie.report.pace import Speed
from vigie.report.render import RenderContext
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel, FakeCollector, FakeModel, FakeVigie, fake_monitor, policies
from vigie.testing.memory import MemoryStore
from vigie.text import prompts

pytestmark = pytest.mark.virtual
MISSING = ModelError(ModelFault.NOT_PULLED, "the model llama3 is not there", "ollama pull llama3")
SECOND_LOOK = Evidence(FactKind.CONTROL, "link", True, "Notre lien répond.", "Our own link answers.", 0, "control")


class World:
    """One service that fails from `down_from` to `down_to` (seconds), watched by the whole engine."""

    def __init__(self, store: MemoryStore, clock: VirtualClock, *, down_to: float = 1e9, count: int = 1) -> None:
        self.clock, self.store, self.start = clock, store, clock.now()
        self.down_to = down_to
        self.flaps: tuple[float, ...] = ()  # where each of several outages of twenty seconds begins
        self.mail, self.model = FakeChannel(clock), FakeModel(clock)
        self.collector = FakeCollector(clock, (SECOND_LOOK,))
        made = [fake_monitor(f"shop{number}" if number else "shop", every_ms=5_000) for number in range(count)]
        self.monitors = [replace(one, detection=replace(one.detection, flapping=False)) for one in made]  # each outage is an incident
        self.hold_ms = 2_000
        self.model_or_none: FakeModel | None = self.model

    def status(self, at: int) -> Status:
        second = (at - self.start) / 1000
        if self.flaps:
            return Status.DOWN if any(begin <= second < begin + 20 for begin in self.flaps) else Status.UP
        return Status.DOWN if 10 <= second < self.down_to else Status.UP

    def vigie(self) -> FakeVigie:
        return FakeVigie(
            self.store, self.clock, self.monitors, self.status, {"mail": self.mail},
            model=self.model_or_none, collectors=[self.collector], hold_ms=self.hold_ms,
        )  # fmt: skip

    async def opened_at(self) -> int:
        return (await self.store.archive.incidents())[-1].opened_at

    def kinds(self) -> list[NoticeReason]:
        return [message.reason for _, message in self.mail.told]


async def test_a_report_that_is_ready_in_time_is_in_the_page(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    async with world.vigie().at_work():
        await clock.sleep(40)
        (at, message), opened_at = world.mail.told[0], (await store.archive.incidents())[0].opened_at
    assert world.kinds() == [NoticeReason.OPENED]
    assert message.analysis is not None
    assert "2 consecutive checks have failed" in message.analysis.sentences[0]
    assert at - opened_at < 1_000
    assert world.model.loaded == 1


async def test_a_report_that_is_late_follows_in_the_same_thread(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    world.model.takes = 20
    async with world.vigie().at_work():
        await clock.sleep(60)
        opened_at = (await store.archive.incidents())[0].opened_at
    assert world.kinds() == [NoticeReason.OPENED, NoticeReason.REPORT]
    (page_at, page), (_, report) = world.mail.told
    assert 2_000 <= page_at - opened_at < 2_300
    assert page.analysis is None
    assert report.analysis is not None
    assert report.thread == page.thread
    assert page.opens_thread
    assert not report.opens_thread


async def test_the_second_look_is_taken_during_the_suspicion_and_is_in_the_report(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    async with world.vigie().at_work():
        await clock.sleep(40)
        stored = await store.archive.report("shop-1")
    assert stored is not None
    assert SECOND_LOOK in [fact.evidence for fact in stored.bundle.facts]
    assert world.collector.looks == ["shop"]


@pytest.mark.parametrize("fault", [MISSING, ValueError("not a ModelError at all")])
async def test_a_model_that_fails_costs_only_its_paragraph(
    store: MemoryStore, clock: VirtualClock, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    world = World(store, clock)
    world.model.fault = fault
    async with world.vigie().at_work():
        await clock.sleep(60)
        stored, opened_at = await store.archive.report("shop-1"), await world.opened_at()
    assert world.kinds() == [NoticeReason.OPENED]
    assert world.mail.told[0][0] - opened_at < 1_000
    assert stored is not None
    assert stored.analysis is None
    assert str(fault) in (stored.fault or "")


async def test_a_fault_of_the_model_is_told_once_in_the_log_with_its_fix(
    store: MemoryStore, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING")
    world = World(store, clock, count=3)
    world.model.fault = MISSING
    async with world.vigie().at_work():
        await clock.sleep(60)
    assert caplog.text.count("ollama pull llama3") == 1
    assert len(world.mail.told) == 3


async def test_without_a_model_the_page_leaves_at_once_with_the_plain_report(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    world.model_or_none, world.hold_ms = None, 0
    async with world.vigie().at_work():
        await clock.sleep(40)
        opened_at = await world.opened_at()
    assert world.mail.told[0][0] - opened_at < 100
    assert world.mail.told[0][1].lines


async def test_a_model_that_never_answers_is_given_up_at_its_deadline(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    world.model.takes = 1e6
    async with world.vigie().at_work():
        await clock.sleep(100)
        stored = await store.archive.report("shop-1")
    assert world.kinds() == [NoticeReason.OPENED]
    assert stored is not None
    assert (stored.fault or "").startswith(ModelFault.TIMEOUT_TOTAL)


@pytest.mark.parametrize("text", ["", "garbage", '{"cause": "unknown", "sentences": [{"text": "HTTP 999 since 04:04.", "facts": ["F1"]}]}'])
async def test_a_model_that_lies_or_babbles_is_not_quoted(store: MemoryStore, clock: VirtualClock, text: str) -> None:
    world = World(store, clock)
    world.model.text = text
    async with world.vigie().at_work():
        await clock.sleep(40)
        stored = await store.archive.report("shop-1")
    assert world.kinds() == [NoticeReason.OPENED]
    assert world.mail.told[0][1].analysis is None
    assert stored is not None
    assert (stored.fault or "").startswith("no sentence of the model passed the checks (")


async def test_after_three_failures_the_model_is_left_alone_for_five_minutes(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    world.model.fault = ModelError(ModelFault.SERVER, "out of memory")
    world.flaps = (10, 100, 190, 250)
    async with world.vigie().at_work():
        await clock.sleep(300)
        faults = [(await store.archive.report(one.id)).fault or "" for one in reversed(await store.archive.incidents())]  # type: ignore[union-attr]
    assert world.model.asked == 3
    assert [ModelFault.BREAKER in fault for fault in faults] == [False, False, False, True]


async def test_a_report_whose_incident_is_over_is_kept_but_not_sent(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock, down_to=20)
    world.model.takes = 30
    async with world.vigie().at_work():
        await clock.sleep(90)
        stored = await store.archive.report("shop-1")
    assert world.kinds() == [NoticeReason.OPENED, NoticeReason.RECOVERED]
    assert stored is not None
    assert stored.analysis is not None


@pytest.mark.parametrize("takes", [0.5, 30])
async def test_a_storm_asks_the_model_three_times_and_every_page_is_on_time(store: MemoryStore, clock: VirtualClock, takes: float) -> None:
    world = World(store, clock, count=60)
    world.model.takes = takes
    async with world.vigie().at_work():
        await clock.sleep(59)
        incidents = await store.archive.incidents(limit=100)
        reports = [await store.archive.report(one.id) for one in incidents]
    assert world.model.asked <= 3
    opened = {one.id: one.opened_at for one in incidents}
    pages = {message.thread: at for at, message in world.mail.told if message.reason is NoticeReason.OPENED}
    assert len(opened) == len(pages) == 60
    assert max(pages[one] - opened[one] for one in opened) < 2_500
    assert sum(report is not None and report.fault == "too many incidents at once" for report in reports) >= 57


async def test_a_draft_is_written_while_the_failure_is_being_confirmed(store: MemoryStore, clock: VirtualClock) -> None:
    """The model takes nearly as long as the confirmation, so that only a draft can be in time."""
    world = World(store, clock)
    world.monitors = [fake_monitor(every_ms=5_000, policy=policies(confirm=4, confirm_every_ms=2_000, to=("mail",)))]
    world.model.takes = 5
    async with world.vigie().at_work():
        await clock.sleep(40)
        opened_at = await world.opened_at()
    assert world.kinds() == [NoticeReason.OPENED]
    at, page = world.mail.told[0]
    assert page.analysis is not None
    assert "4 consecutive checks have failed" in page.analysis.sentences[0]
    assert at - opened_at < 1_000
    assert world.model.asked == 1


async def test_where_one_failure_is_enough_the_log_names_the_incident_that_it_opened(
    store: MemoryStore, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "vigie")
    world = World(store, clock)
    world.monitors = [fake_monitor(every_ms=5_000, policy=policies(confirm=1, to=("mail",)))]
    async with world.vigie().at_work():
        await clock.sleep(40)

    assert "opened shop-1" in caplog.text
    assert "shop-1: report by" in caplog.text
    assert "shop-2" not in caplog.text
    assert "suspected" not in caplog.text


async def test_a_model_that_misled_is_let_choose_instead_of_write(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    world.flaps = (10, 100, 190, 280)
    async with world.vigie().at_work():
        await clock.sleep(260)
        assert not any("Choose" in system for system in world.model.systems)
        for one in await store.archive.incidents():
            await store.catalog.save_remark(Remark(one.id, clock.now(), "ann", helpful=False))
        await clock.sleep(60)
    assert "Choose" in world.model.systems[-1]


async def test_a_second_look_that_breaks_or_hangs_holds_up_nothing(store: MemoryStore, clock: VirtualClock) -> None:
    for takes, fault in ((0.1, RuntimeError("a bug")), (1e6, None)):
        world = World(store, clock)
        world.collector.takes, world.collector.fault = takes, fault
        vigie = world.vigie()
        vigie.reporter._collectors.append(FakeCollector(clock, (SECOND_LOOK,)))
        await vigie.start()
        await clock.sleep(60)
        incident = (await store.archive.incidents())[0]
        stored = await store.archive.report(incident.id)
        assert stored is not None
        assert SECOND_LOOK in [fact.evidence for fact in stored.bundle.facts]
        assert vigie.agent is not None
        await vigie.agent.stop()
        await vigie.ingest.configure([])
        for task in vigie._tasks:
            task.cancel()
        await asyncio.gather(*vigie._tasks, return_exceptions=True)
        await vigie.reporter.close()


async def test_a_blip_collects_nothing_that_lasts(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock, down_to=10.9)
    world.monitors = [fake_monitor(every_ms=1_000, policy=policies(confirm=3, confirm_every_ms=1_000, to=("mail",)))]
    vigie = world.vigie()
    async with vigie.at_work():
        await clock.sleep(30)
        assert not vigie.reporter._evidence
        assert not vigie.reporter._drafts
        assert await store.archive.report("shop-1") is None
    assert world.mail.told == []


async def test_a_report_that_breaks_lets_its_page_go(
    store: MemoryStore, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("a bug in the rules")

    monkeypatch.setattr("vigie.report.rules.shortlist", broken)
    world = World(store, clock)
    world.hold_ms = 3_600_000
    async with world.vigie().at_work():
        await clock.sleep(40)
        stored = await store.archive.report("shop-1")
    assert world.kinds() == [NoticeReason.OPENED]
    assert stored is not None
    assert stored.fault == "the report crashed: KeyError"
    assert "the report crashed" in caplog.text
    assert world.mail.told[0][1].headline == "shop: tcp.refused (opened)"


async def test_a_report_that_cannot_be_stored_leaves_the_page_to_its_hold(
    store: MemoryStore, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def full(*_: object) -> None:
        raise StoreError(StoreFault.FULL, "the disk is full", "free some space")

    monkeypatch.setattr(store.ledger, "save_report", full)
    world = World(store, clock)
    async with world.vigie().at_work():
        await clock.sleep(40)
        opened_at = await world.opened_at()
    assert 2_000 <= world.mail.told[0][0] - opened_at < 2_300
    assert "free some space" in caplog.text


async def test_a_report_left_unwritten_by_a_crash_is_written_at_the_next_start(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    vigie = world.vigie()
    vigie.reporter.on_transition = _deaf  # type: ignore[method-assign]
    vigie.ingest._announcer._of_decisions = [vigie._wake, vigie._pace]
    await vigie.start()
    await clock.sleep(30)
    assert vigie.agent is not None
    await vigie.agent.stop()
    for task in vigie._tasks:
        task.cancel()
    await asyncio.gather(*vigie._tasks, return_exceptions=True)
    assert await store.archive.report("shop-1") is None
    async with world.vigie().at_work():
        await clock.sleep(30)
        assert await store.archive.report("shop-1") is not None
    assert world.kinds() == [NoticeReason.OPENED, NoticeReason.REPORT]


async def _deaf(transition: object) -> None:
    """Hear nothing."""


async def test_another_configuration_brings_another_model(store: MemoryStore, clock: VirtualClock) -> None:
    world, other = World(store, clock), FakeModel(clock)
    vigie = world.vigie()
    vigie.reporter.use(ReportOptions(other, 60_000, "en", None, RenderContext("en", UTC)), [])
    async with vigie.at_work():
        await clock.sleep(40)
    assert (world.model.asked, other.asked) == (0, 1)


async def test_waiting_for_idle_ends_when_every_report_is_written(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock, count=3)
    world.model.takes = 3
    vigie = world.vigie()
    async with vigie.at_work():
        await vigie.reporter.idle()
        while not await store.archive.incidents():
            await clock.sleep(0.1)
        await vigie.reporter.idle()
        assert not vigie.reporter._reports
        assert await store.archive.report((await store.archive.incidents())[-1].id) is not None


FAST = {"prefill_tokens": 1_000, "prefill_ms": 10_000.0, "reply_tokens": 100, "decode_ms": 10_000.0}


async def test_how_fast_the_model_is_is_learnt_and_kept_for_the_next_process(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    world.model.told = FAST
    async with world.vigie().at_work():
        await clock.sleep(40)
        speed = await store.catalog.speed("fake")
    assert speed is not None
    assert (speed.prefill, speed.decode) == (100.0, 10.0)


@pytest.mark.parametrize(
    ("prefill", "decode", "note", "system"),
    [
        (100_000.0, 4.0, "asked for 2 of 3 sentences", prompts.COMPOSE["en"]),
        (100_000.0, 1.8, "asked to select facts only", prompts.SELECT["en"]),
    ],
)
async def test_a_model_that_is_slow_here_is_asked_for_less(
    store: MemoryStore, clock: VirtualClock, prefill: float, decode: float, note: str, system: str
) -> None:
    world = World(store, clock)
    async with world.vigie().at_work():
        await store.catalog.save_speed("fake", Speed(prefill, decode, clock.now()))
        await clock.sleep(40)
        stored = await store.archive.report("shop-1")
    assert stored is not None
    assert stored.analysis is not None
    assert stored.analysis.note.startswith(note)
    assert stored.analysis.sentences
    assert world.model.systems[0].startswith(system)


async def test_a_model_that_cannot_be_in_time_is_not_asked_and_the_record_says_so(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    async with world.vigie().at_work():
        await store.catalog.save_speed("fake", Speed(5.0, 0.5, clock.now()))
        await clock.sleep(40)
        stored = await store.archive.report("shop-1")
    assert stored is not None
    assert stored.analysis is None
    assert str(stored.fault).startswith("the model was not asked: ")
    assert world.model.asked == 0
    assert world.kinds() == [NoticeReason.OPENED]


async def test_a_model_that_was_too_late_is_asked_for_less_the_next_time(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    world.model.fault = ModelError(ModelFault.TIMEOUT_TOTAL, "no complete response within 60 s")
    async with world.vigie().at_work():
        await clock.sleep(40)
        speed = await store.catalog.speed("fake")
    assert speed is not None
    assert speed.decode < 10
