"""What people do about alerts and monitors by page and API: done once, through ingest and the prober, within bounds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC

import pytest

from vigie.commands.alerts import CAUSE, NOTE, Outcome
from vigie.commands.monitors import NotNow
from vigie.core.model import CheckResult, Monitor, Status
from vigie.engine.commands.alerts import AlertDesk
from vigie.engine.commands.monitors import MonitorDesk
from vigie.engine.queries.alerts import StoredAlerts
from vigie.errors import VigieError
from vigie.ports import AlertFilter
from vigie.queries.alerts import AlertQueries
from vigie.report.facts import Evidence, FactKind
from vigie.report.render import RenderContext
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel, FakeCollector, FakeVigie, fake_monitor, policies
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
HOUR = 3_600_000
FOUND = Evidence(FactKind.TCP, "other_port", 22, "Le port 22 répond.", "Port 22 answers.", 0, "diagnostics", bad=False)


class House:
    """A Vigie that watches two shops, both down from the start."""

    def __init__(self, store: MemoryStore, clock: VirtualClock) -> None:
        self.status, self.channel = Status.DOWN, FakeChannel(clock)
        policy = policies(confirm=2, confirm_every_ms=1_000, recover=1, flapping=False, to=("mail",), group_wait_ms=5_000)
        watched = [fake_monitor(name, host="one.example", policy=policy) for name in ("shop", "api")]
        self.collector = FakeCollector(clock, (FOUND,))
        self.vigie = FakeVigie(store, clock, watched, lambda _: self.status, {"mail": self.channel}, collectors=[self.collector])
        self.alerts: AlertQueries = StoredAlerts(store, self.vigie.composer, self.vigie.ingest.alerts)
        self.desk = AlertDesk(store, self.vigie.ingest, clock)
        self.monitors = MonitorDesk(
            self._ask, store.archive, clock, self.vigie.ingest.monitor, lambda: [self.collector], lambda: RenderContext("en", UTC)
        )
        self.vigie.ingest.listen_to_results(self.monitors.on_transition)

    async def _ask(self, monitor: str) -> None:
        if self.vigie.agent is not None:
            await self.vigie.agent.check_now(monitor)

    async def one(self) -> str:
        """The alert that there is."""
        page = await self.alerts.alerts(open_only=True)
        return page.items[0].first.id


@asynccontextmanager
async def at_work(store: MemoryStore, clock: VirtualClock) -> AsyncIterator[House]:
    """Until both were announced as one alert."""
    house = House(store, clock)
    async with house.vigie.at_work():
        await clock.sleep(90)
        yield house


async def test_an_alert_is_acknowledged_once_and_by_any_of_its_members(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as house:
        alert = await house.one()
        details = await house.alerts.alert(alert)
        assert details is not None
        assert (details.alert.size, details.alert.open_count) == (2, 2)
        other = next(one.id for one in details.alert.members if one.id != alert)

        assert await house.desk.acknowledge(other, "Zoé", "looking at it") is Outcome.DONE
        assert await house.desk.acknowledge(alert, "Bob") is Outcome.ALREADY
        assert await house.desk.acknowledge("gone-9", "Bob") is Outcome.UNKNOWN

        details = await house.alerts.alert(other)
        assert details is not None
        assert (details.alert.first.id, details.alert.acked_by) == (alert, "Zoé")
        assert [(one.by, one.note) for one in details.details.remarks] == [("Zoé", "looking at it")]
        assert len(details.subject.members) == 1


async def test_a_snoozed_alert_can_be_acknowledged_again(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as house:
        alert = await house.one()
        assert await house.desk.acknowledge(alert, "Zoé") is Outcome.DONE
        assert await house.desk.snooze(alert, "Zoé", clock.now() + HOUR) is Outcome.DONE
        assert (await house.alerts.alerts()).items[0].snoozed_until == clock.now() + HOUR
        for span in (59_000, 31 * 24 * HOUR, -HOUR):
            with pytest.raises(VigieError, match="one minute to 30 days"):
                await house.desk.snooze(alert, "Zoé", clock.now() + span)
        assert await house.desk.acknowledge(alert, "Bob") is Outcome.DONE


async def test_resolving_closes_every_member_and_then_there_is_nothing_left_to_do(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as house:
        alert = await house.one()
        house.status = Status.UP
        assert await house.desk.resolve(alert, "Zoé", "restarted") is Outcome.DONE
        assert (await house.alerts.alerts(open_only=True)).items == ()
        for outcome in (await house.desk.resolve(alert, "Zoé"), await house.desk.acknowledge(alert, "Zoé")):
            assert outcome is Outcome.OVER
        page = await house.alerts.alerts(wanted=AlertFilter(over_only=True))
        assert [(one.size, one.open_count, one.ended_at is not None) for one in page.items] == [(2, 0, True)]


async def test_what_was_found_is_kept_also_once_it_is_over(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as house:
        alert = await house.one()
        await house.desk.resolve(alert, "Zoé")
        assert await house.desk.note(alert, "Zoé", "the disk was full") is Outcome.DONE
        assert await house.desk.note(alert, "Zoé", "the disk was full") is Outcome.DONE
        assert await house.desk.name_cause(alert, "Bob", "Reload with a bad map file") is Outcome.DONE
        for text, most in ((house.desk.note, NOTE), (house.desk.name_cause, CAUSE)):
            with pytest.raises(VigieError, match="too many"):
                await text(alert, "Zoé", "x" * (most + 1))
        details = await house.alerts.alert(alert)
        assert details is not None
        assert details.alert.noted is not None
        assert (details.alert.noted.by, details.alert.noted.cause) == ("Bob", "Reload with a bad map file")
        assert [one.note for one in details.details.remarks] == ["the disk was full", ""]
        outcomes = [await house.desk.note(alert, "Zoé", str(number)) for number in range(250)]
        assert (outcomes[0], outcomes[-1]) == (Outcome.DONE, Outcome.ENOUGH)


async def test_of_two_who_write_the_same_version_of_a_review_one_learns_of_the_other(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as house:
        alert = await house.one()
        assert await house.desk.review(alert, "Zoé", "# Hello", 0) is Outcome.DONE
        assert await house.desk.review(alert, "Bob", "# Mine", 0) is Outcome.ALREADY
        assert await house.desk.review(alert, "Bob", "# Ours", 1) is Outcome.DONE
        details = await house.alerts.alert(alert)
        assert details is not None
        assert details.review is not None
        assert (details.review.version, details.review.by, details.review.text) == (2, "Bob", "# Ours")


async def test_a_check_that_is_asked_for_comes_back_through_ingest(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as house:
        house.status = Status.UP
        result = await house.monitors.check_now("shop")
        assert isinstance(result, CheckResult)
        assert result.status is Status.UP
        assert (await house.vigie.store.archive.last_results(["shop"]))["shop"] == result
        assert result.at >= clock.now() - 1_000
        assert await house.monitors.check_now("gone") is None


async def test_one_check_at_a_time_and_none_a_moment_later(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as house:
        first = asyncio.create_task(house.monitors.check_now("shop"))
        await clock.sleep(0.001)
        with pytest.raises(NotNow, match="just asked"):
            await house.monitors.check_now("shop")
        assert await first is not None
        with pytest.raises(NotNow, match="a moment ago"):
            await house.monitors.check_now("shop")
        assert await house.monitors.check_now("api") is not None
        await clock.sleep(6)
        assert await house.monitors.check_now("shop") is not None


async def test_a_check_that_never_comes_back_is_not_waited_for_for_ever(store: MemoryStore, clock: VirtualClock) -> None:
    async with at_work(store, clock) as house:
        house.vigie.agent = None  # the prober is being restarted
        with pytest.raises(NotNow, match="not come back"):
            await house.monitors.check_now("shop")


async def test_diagnostics_of_a_failure_say_its_cause_and_those_of_a_well_service_only_what_was_looked_at(
    store: MemoryStore, clock: VirtualClock
) -> None:
    async with at_work(store, clock) as house:
        sick = await house.monitors.diagnose("shop")
        assert sick is not None
        assert "Port 22 answers." in sick
        assert any("refused" in one for one in sick)
        with pytest.raises(NotNow, match="a moment ago"):
            await house.monitors.diagnose("shop")
        house.status = Status.UP
        await clock.sleep(90)
        assert await house.monitors.diagnose("shop") == ("Port 22 answers.",)
        assert await house.monitors.diagnose("gone") is None


async def test_a_job_that_reports_in_has_nothing_to_check(store: MemoryStore, clock: VirtualClock) -> None:
    async def ask(monitor: str) -> None:
        raise AssertionError(monitor)

    job = Monitor("backup", "Backup", "heartbeat", "", "", 60_000, 10_000)
    desk = MonitorDesk(
        ask, store.archive, clock, lambda _: job, tuple, lambda: RenderContext("en", UTC), passive=lambda kind: kind == "heartbeat"
    )
    with pytest.raises(VigieError, match="reports in by itself"):
        await desk.check_now("backup")
