"""A storm from the first failed check to the last recovery: what each channel gets, in which words, and with which report."""

import pytest

from vigie.core.model import Status
from vigie.core.notification import NoticeReason
from vigie.report.facts import Evidence, FactKind
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel, FakeCollector, FakeModel, FakeVigie, fake_monitor
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
FOUND = Evidence(FactKind.CONTROL, "link", True, "La connexion réseau fonctionne.", "Vigie's own network link works.", 0, "control")


async def test_a_host_that_dies_under_forty_services(store: MemoryStore, clock: VirtualClock) -> None:
    start, channels = clock.now(), {"mail": FakeChannel(clock)}
    monitors = [fake_monitor(f"shop{number}", every_ms=5_000, host="host.example") for number in range(40)]
    model, collector = FakeModel(clock), FakeCollector(clock, (FOUND,))

    def status(at: int) -> Status:
        return Status.DOWN if 10_000 <= at - start < 100_000 else Status.UP

    vigie = FakeVigie(store, clock, monitors, status, dict(channels), model=model, collectors=[collector], hold_ms=2_000)
    async with vigie.at_work():
        await clock.sleep(200)
        incidents = await store.archive.incidents(limit=100)
        reported = [one.id for one in incidents if await store.archive.report(one.id) is not None]
    told = [message for _, message in channels["mail"].told]
    reasons = [one.reason for one in told]
    assert [reasons.count(one) for one in (NoticeReason.OPENED, NoticeReason.RECOVERED)] == [1, 1]
    opened, recovered = told[0], told[-1]
    assert opened.headline.startswith("🔴 40 services on host.example: connection refused since ")
    assert opened.members is not None
    assert opened.members.label == "Services affected (40)"
    assert opened.lines[-1] == "No other channel is notified."
    assert any(row.value == "40 services on host.example are affected: connection refused." for row in opened.rows)
    assert recovered.headline.startswith("🟢 40 services on host.example: recovered after ")
    assert len(collector.looks) == 1
    assert model.asked == 1
    assert reported == [opened.thread]


async def test_one_of_several_on_a_host_has_its_analysis_when_its_alert_leaves(store: MemoryStore, clock: VirtualClock) -> None:
    """It waits for others that may fail too, and they do not."""
    start, channel, model = clock.now(), FakeChannel(clock), FakeModel(clock)
    monitors = [fake_monitor(f"shop{number}", every_ms=5_000, host="host.example") for number in range(3)]
    vigie = FakeVigie(store, clock, monitors, lambda at: Status.UP, {"mail": channel}, model=model, hold_ms=2_000)
    vigie.probes["shop1"].status_at = lambda at: Status.DOWN if at - start > 10_000 else Status.UP
    async with vigie.at_work():
        await clock.sleep(60)
    assert [message.reason for _, message in channel.told] == [NoticeReason.OPENED]
    assert channel.told[0][1].analysis is not None
    assert model.asked == 1
