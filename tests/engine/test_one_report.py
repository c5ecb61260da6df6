"""One report for an alert, however many members it has: examined once, asked once, with the members as facts."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

import pytest

from vigie.core.detection import Severity
from vigie.core.events import Announced, Decision, Joined, Opened, Suspected
from vigie.core.incident import DetectionState
from vigie.core.model import Cause, CheckResult, Incident, Monitor, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.engine.messages import Composer
from vigie.engine.reporter import Reporter, ReportOptions
from vigie.engine.transition import Transition
from vigie.ports import Commit, Delivery, OutboxRow
from vigie.report.render import RenderContext
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeCollector, FakeModel, fake_monitor, fake_result
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
ADDRESS = "192.0.2.7"


class Storm:
    """So many services that refuse connections within a second; `addresses` gives each its address."""

    def __init__(self, clock: VirtualClock, addresses: Sequence[str]) -> None:
        self.clock, self.store, self.start = clock, MemoryStore(), clock.now()
        self.model, self.collector = FakeModel(clock), FakeCollector(clock)
        self.monitors = [replace(fake_monitor(f"shop{number}"), host=f"shop{number}.example") for number in range(len(addresses))]
        self.results = [
            replace(fake_result(one.id, Status.DOWN, self.start), address=where, cause=Cause.TCP_REFUSED)
            for one, where in zip(self.monitors, addresses, strict=True)
        ]
        setting = RenderContext("en", UTC)
        known = {one.id: one for one in self.monitors}
        self.composer = Composer(self.store.archive, clock, setting, known, outbox=self.store.ledger.outbox)
        writing = ReportOptions(self.model, 60_000, "en", None, setting)
        store = self.store
        self.reporter = Reporter(store.ledger, store.archive, store.catalog, clock, self.composer, [self.collector], writing)

    async def suspect(self) -> None:
        """The first failure of each."""
        for monitor, result in zip(self.monitors, self.results, strict=True):
            await self._told(monitor, (Suspected(Severity.OUTAGE, result.at, Cause.TCP_REFUSED),), result)

    async def open(self, alerts: Sequence[str]) -> None:
        """The incident of each, as a member of the alert that is named; the first of each alert announces it."""
        incidents = tuple(
            Incident(f"{one.id}-1", one.id, Severity.OUTAGE, Cause.TCP_REFUSED, self.start, self.clock.now(), alert=alert)
            for one, alert in zip(self.monitors, alerts, strict=True)
        )
        notices = tuple(
            OutboxRow(Notice(one, "shop0", "mail", NoticeReason.OPENED, self.start), self.start) for one in dict.fromkeys(alerts)
        )
        await self.store.catalog.sync_monitors(self.monitors)
        await self.store.ledger.commit(
            Commit(results=tuple(self.results), incidents=incidents, details=tuple(self.results), outbox=notices)
        )
        for monitor, incident in zip(self.monitors, incidents, strict=True):
            opened = Opened(Severity.OUTAGE, incident.id, self.clock.now(), self.start, Cause.TCP_REFUSED)
            first = incident.id == incident.alert
            joined = Announced(self.clock.now(), incident.id) if first else Joined(self.clock.now(), incident.alert, incident.id)
            await self._told(monitor, (opened, joined), None)
        await self.reporter.idle()

    async def _told(self, monitor: Monitor, decisions: tuple[Decision, ...], result: CheckResult | None) -> None:
        state = DetectionState(monitor.id)
        await self.reporter.on_transition(Transition(monitor, state, state, decisions, result))


@pytest.mark.parametrize("pause", [0.0, 3.0])
async def test_five_hundred_services_are_examined_once_and_the_model_is_asked_once(clock: VirtualClock, pause: float) -> None:
    storm = Storm(clock, [ADDRESS] * 500)
    await storm.suspect()
    await clock.sleep(pause)
    await storm.open(["shop0-1"] * 500)
    assert storm.collector.looks == ["shop0"]
    assert storm.model.asked == 1
    stored = await storm.store.archive.report("shop0-1")
    assert stored is not None
    assert [one.id for one in await storm.store.archive.incidents(limit=1_000) if await storm.store.archive.report(one.id)] == ["shop0-1"]
    said = {fact.evidence.name: fact.evidence.en for fact in stored.bundle.facts}
    assert said["members.address"] == "500 services at 192.0.2.7 are affected: connection refused."
    assert said["members.names"] == "Among these services: shop0, shop1, shop2, shop3 and shop4."


async def test_unrelated_failures_have_a_report_each(clock: VirtualClock) -> None:
    storm = Storm(clock, [ADDRESS, ADDRESS, "198.51.100.9"])
    await storm.suspect()
    await clock.sleep(3)
    await storm.open(["shop0-1", "shop0-1", "shop2-1"])
    assert storm.collector.looks == ["shop0", "shop2"]
    assert await storm.store.archive.report("shop2-1") is not None


async def test_who_was_examined_for_another_alert_is_examined_after_all(clock: VirtualClock) -> None:
    storm = Storm(clock, [ADDRESS, ADDRESS])
    await storm.suspect()
    await clock.sleep(3)
    await storm.open(["shop0-1", "shop1-1"])
    assert storm.collector.looks == ["shop0", "shop1"]


async def test_the_report_follows_by_every_channel_that_has_the_opening(clock: VirtualClock) -> None:
    storm = Storm(clock, [ADDRESS] * 3)
    storm.model.takes = 30
    await storm.suspect()
    at_work = asyncio.create_task(storm.open(["shop0-1"] * 3))
    await clock.sleep(5)
    row = (await storm.store.ledger.claim(clock.now(), 60_000, 10))[0]
    await storm.store.ledger.record(Delivery.of(row.notice, clock.now(), 1, None, "ok", 5))
    await at_work
    rows = await storm.store.ledger.claim(clock.now(), 60_000, 10)
    assert [(one.notice.reason, one.notice.channel, one.notice.alert) for one in rows] == [(NoticeReason.REPORT, "mail", "shop0-1")]
    message = await storm.composer.compose(rows[0].notice)
    assert message.headline == "📝 3 services at 192.0.2.7: incident analysis (connection refused)"
    assert message.lines[-1] != "No other channel is notified."


async def test_a_message_says_who_else_has_it_and_who_could_not_be_reached(clock: VirtualClock) -> None:
    storm = Storm(clock, [ADDRESS])
    notices = [Notice("shop0-1", "shop0", to, NoticeReason.OPENED, storm.start) for to in ("mail", "slack", "sms", "pager", "later")]
    await storm.open(["shop0-1"])
    rows = [OutboxRow(one, storm.start + (900_000 if one.channel == "later" else 0)) for one in notices]
    await storm.store.ledger.commit(Commit(outbox=tuple(rows)))
    claimed = {row.notice.channel: row.notice for row in await storm.store.ledger.claim(clock.now(), 60_000, 10)}
    await storm.store.ledger.record(Delivery.of(claimed["slack"], clock.now(), 1, None, "ok", 5))
    await storm.store.ledger.record(Delivery.of(claimed["sms"], clock.now(), 1, "refused", "no", 5), retry_at=clock.now() + 9_000)
    message = await storm.composer.compose(claimed["mail"])
    assert message.lines[-1] == "Also notified: pager, slack; not reached so far: sms."
