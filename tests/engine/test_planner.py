"""What the calendar says reaches the engine: windows of the file and of the command line, who is on call, and what is put on record."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from vigie.core.model import CheckResult, Monitor, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.engine.availability import standings
from vigie.engine.ingest import Ingest
from vigie.engine.planner import Planner
from vigie.engine.queries import StoredQueries
from vigie.observation.availability import Availability, AvailabilitySummary
from vigie.planning.maintenance import InMaintenance, Maintenance, MaintenanceSpan, StartedMaintenance
from vigie.planning.plan import Planned
from vigie.planning.rotation import Rotation
from vigie.planning.windows import Once, QuietHours, Recurring, Weekly
from vigie.ports import Batch, Commit, OutboxState, Store
from vigie.queries import MonitorState
from vigie.report.availability import availability_report
from vigie.report.render import RenderContext
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor, fake_result, policies
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
PARIS = ZoneInfo("Europe/Paris")
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
BASIC = policies(confirm=2, confirm_every_ms=1_000, recover=1, remind_ms=0, to=("mail",))
SHOP, BLOG = fake_monitor("shop", policy=BASIC), fake_monitor("blog", policy=BASIC)


class Watch:
    """One life of the engine, with what is planned."""

    def __init__(self, store: Store, clock: VirtualClock, planned: Planned, run: int = 1) -> None:
        self.store, self.clock, self.monitors = store, clock, planned.monitors
        self.planner = Planner(store.catalog, store.archive, clock)
        self.planner.use(planned)
        self.ingest = Ingest(
            store.ledger, store.archive, clock, hold_ms=0, circumstances_at=self.planner.at, addressed=self.planner.addressed
        )
        self.run, self.sequence = run, 0

    async def start(self) -> "Watch":
        await self.store.catalog.sync_monitors(self.monitors)
        await self.planner.refresh()
        await self.ingest.start(self.monitors)
        await self.planner.tick(self.ingest)
        return self

    async def see(self, *statuses: Status, monitor: Monitor = SHOP) -> None:
        for status in statuses:
            await self.clock.sleep(1)
            self.sequence += 1
            result = replace(fake_result(monitor.id, status, self.clock.now(), self.sequence), run=self.run)
            await self.ingest.take(Batch("local", self.run, self.sequence, (result,)))

    async def tick(self, seconds: float = 0) -> None:
        await self.clock.sleep(seconds)
        await self.planner.tick(self.ingest)
        await self.ingest.wake(self.clock.now())

    async def keys(self) -> list[str]:
        return [row.notice.key for row in await self.store.ledger.outbox(OutboxState.WAITING)]


def planned(*entries: Maintenance, monitors: Sequence[Monitor] = (SHOP, BLOG)) -> Planned:
    return Planned(tuple(monitors), entries)


def started(clock: VirtualClock, length_ms: int = HOUR, *monitors: str) -> StartedMaintenance:
    return StartedMaintenance(0, clock.now(), clock.now() + length_ms, monitors, (), "new disk", "ann")


async def test_what_is_started_elsewhere_withholds_within_a_tick_and_what_is_ended_discloses(
    store: MemoryStore, clock: VirtualClock
) -> None:
    ours = await Watch(store, clock, planned()).start()
    number = await store.catalog.start_maintenance(started(clock, HOUR, "shop"))
    await ours.tick(0.5)

    await ours.see(Status.DOWN, Status.DOWN)
    await ours.see(Status.DOWN, Status.DOWN, monitor=BLOG)
    assert await ours.keys() == ["blog-1:opened:mail"]

    await store.catalog.end_maintenance(number, clock.now())
    await ours.tick(0.5)
    assert await ours.keys() == ["blog-1:opened:mail", "shop-1:disclosed:mail"]


async def test_a_window_that_leaves_the_configuration_ends_at_once(store: MemoryStore, clock: VirtualClock) -> None:
    begin = clock.now()
    ours = await Watch(store, clock, planned(Maintenance("maintenance[0]", Once(begin, begin + DAY), why="new disk"))).start()
    await ours.see(Status.DOWN, Status.DOWN)
    await ours.tick()
    assert await ours.keys() == []

    ours.planner.use(planned())
    await ours.ingest.wake(clock.now(), everything=True)
    await ours.tick()

    assert await ours.keys() == ["shop-1:disclosed:mail"]
    (span,) = await store.archive.maintained(0)
    assert (span.start, span.end, span.why) == (begin, clock.now(), "new disk")


async def test_the_end_of_a_window_wakes_what_it_withheld(store: MemoryStore, clock: VirtualClock) -> None:
    begin = clock.now()
    ours = await Watch(store, clock, planned(Maintenance("maintenance[0]", Once(begin, begin + MINUTE)))).start()
    await ours.see(Status.DOWN, Status.DOWN)

    await ours.tick(57)
    assert await ours.keys() == []
    await ours.tick(2)
    assert await ours.keys() == ["shop-1:disclosed:mail"]


async def test_maintenance_is_left_out_of_availability_whatever_is_planned_later(store: MemoryStore, clock: VirtualClock) -> None:
    begin = clock.now()
    await store.ledger.commit(Commit(details=(CheckResult("shop", begin, Status.UP), CheckResult("blog", begin, Status.UP))))
    works = Maintenance("maintenance[0]", Once(begin + HOUR, begin + 2 * HOUR), ("shop",))
    ours = await Watch(store, clock, planned(works)).start()
    await ours.see(Status.UP)
    await ours.tick(3_600)  # one second of it
    await ours.see(Status.DOWN, Status.DOWN)
    for _ in range(8):
        await ours.tick(450)
    await ours.see(Status.UP)
    ours.planner.use(planned())
    await ours.tick(3_600)

    found = await standings(store.archive, begin, begin + 3 * HOUR)

    assert (found["shop"].known.observed_ms, found["shop"].maintenance_ms, found["blog"].maintenance_ms) == (2 * HOUR, HOUR, 0)
    assert 0 < found["shop"].known.down_ms < 10 * SECOND  # what was seen after the window
    assert found["blog"].known.observed_ms == 3 * HOUR


async def test_a_cycle_an_hour_records_every_night_between_two_of_them(store: MemoryStore, clock: VirtualClock) -> None:
    """Windows that came and went while nothing ran, by the time at which results were last taken in."""
    nightly = Maintenance("maintenance[0]", Recurring((Weekly(tuple(range(7)), time(2)),), HOUR, PARIS))
    first = await Watch(store, clock, planned(nightly)).start()
    await first.see(Status.UP)
    clock.step(3 * DAY)

    await Watch(store, clock, planned(nightly), run=2).start()

    nights = await store.archive.maintained(0)
    assert len(nights) == 3
    assert {datetime.fromtimestamp(one.start / 1000, PARIS).hour for one in nights} == {2}


async def test_a_window_that_nobody_plans_any_more_ended_when_vigie_last_saw_it(store: MemoryStore, clock: VirtualClock) -> None:
    begin = clock.now()
    first = await Watch(store, clock, planned(Maintenance("maintenance[0]", Once(begin, begin + DAY)))).start()
    await first.see(Status.UP)
    seen = clock.now()
    clock.step(HOUR)

    await Watch(store, clock, planned(), run=2).start()

    assert [(one.start, one.end) for one in await store.archive.maintained(0)] == [(begin, seen)]


async def test_a_monitor_that_comes_later_is_in_the_maintenance_too(store: MemoryStore, clock: VirtualClock) -> None:
    begin = clock.now()
    works = Maintenance("maintenance[0]", Once(begin, begin + HOUR), tags=("eu",))
    shop, blog = (replace(one, tags=("eu",)) for one in (SHOP, BLOG))
    ours = await Watch(store, clock, planned(works, monitors=[shop])).start()
    ours.planner.use(planned(works, monitors=[blog]))
    await ours.tick(1)

    assert await store.archive.maintained(0) == [
        MaintenanceSpan((await store.archive.maintained(0))[0].key, begin, begin + HOUR, ("shop", "blog"))
    ]


async def test_a_monitor_in_maintenance_is_shown_as_such(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await Watch(store, clock, planned()).start()
    await ours.see(Status.DOWN)
    await store.catalog.start_maintenance(started(clock, HOUR, "shop"))
    await ours.tick(1)

    page = await StoredQueries(store, lambda: [SHOP, BLOG], ours.planner.maintenance_of).monitors.monitors()

    shop = next(one for one in page.items if one.monitor is SHOP)
    assert shop.state is MonitorState.MAINTENANCE
    assert shop.maintenance == InMaintenance(clock.now() - SECOND + HOUR, "new disk")
    assert [one.state for one in page.items if one.monitor is BLOG] == [MonitorState.NONE]


async def test_a_rotation_reaches_who_is_on_call_when_the_notice_is_made(store: MemoryStore, clock: VirtualClock) -> None:
    begin = datetime.fromtimestamp(clock.now() / 1000, PARIS).replace(tzinfo=None)
    rotation = Rotation("primary", ("anna", "bob"), timedelta(hours=12), begin, PARIS)
    people = (("anna", ("anna.mail", "chat")), ("bob", ("sms",)))
    shop = fake_monitor("shop", policy=policies(confirm=1, recover=1, remind_ms=13 * HOUR, to=("primary", "chat")))
    ours = await Watch(store, clock, Planned((shop,), rotations=(rotation,), people=people)).start()

    await ours.see(Status.DOWN, monitor=shop)
    assert await ours.keys() == ["shop-1:opened:anna.mail", "shop-1:opened:chat"]
    await ours.tick(13 * 3_600)
    assert (await ours.keys())[2:] == ["shop-1:reminder:1:sms", "shop-1:reminder:1:chat"]
    assert ours.planner.channels(["primary", "mail"]) == ("sms", "mail")
    notice = Notice("x", "vigie", "primary", NoticeReason.BLIND, clock.now())
    assert [one.channel for one in ours.planner.addressed([notice, replace(notice, channel="sms")])] == ["sms"]


async def test_quiet_hours_are_those_of_the_monitors_alert(store: MemoryStore, clock: VirtualClock) -> None:
    nights = QuietHours(time(22), time(7), tuple(range(7)), PARIS)
    ours = await Watch(store, clock, Planned((SHOP, BLOG), quiet={"shop": nights})).start()
    midnight = round(datetime(2026, 3, 29, tzinfo=PARIS).timestamp() * 1000)

    assert ours.planner.at(SHOP, midnight).quiet_until == midnight + 6 * HOUR  # the clocks go forward
    assert ours.planner.at(BLOG, midnight).quiet_until is None


@pytest.mark.parametrize(
    ("language", "line", "row"),
    [
        (
            "en",
            "Time under maintenance does not count: up to 2 h 00 min per monitor.",
            "Shop: no outages, under maintenance for 2 h 00 min",
        ),
        (
            "fr",
            "Le temps de maintenance ne compte pas : jusqu'à 2 h 00 min par service.",
            "Shop : aucune panne, en maintenance pendant 2 h 00 min",
        ),
    ],
)
def test_the_availability_report_says_what_was_left_out(language: str, line: str, row: str) -> None:
    notice = Notice("availability-2026-W47", "vigie", "mail", NoticeReason.AVAILABILITY, 0)
    known = AvailabilitySummary(Availability(7 * DAY - 2 * HOUR, 0), 0, 0, 0, None, 2 * HOUR)

    message = availability_report(notice, {"shop": replace(SHOP, name="Shop")}, {"shop": known}, RenderContext(language, PARIS))

    assert line in message.lines
    assert [one.value for one in message.rows] == [row]
