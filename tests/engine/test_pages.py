"""What a page holds, over the whole engine: its own incident's check, its report once, and no figure that nobody measured."""

import asyncio
from dataclasses import replace

import pytest

from vigie.core.events import Acked
from vigie.core.model import Cause, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.ports import OutboxRow, OutboxState, StoredReport
from vigie.report.facts import Analysis, Bundle, Message
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel, FakeModel, FakeVigie, Policies, fake_monitor, policies
from vigie.testing.memory import MemoryStore
from vigie.testing.windows import Window

from .post import OPENED, Post, bare, channels

pytestmark = pytest.mark.virtual
UP, DOWN, DEGRADED = Status.UP, Status.DOWN, Status.DEGRADED


class World:
    """Services that are as the test says, from `at` seconds on, watched by the whole engine."""

    def __init__(
        self, store: MemoryStore, clock: VirtualClock, *, count: int = 1, policy: Policies | None = None, hold_ms: int = 0
    ) -> None:
        self.store, self.clock, self.start = store, clock, clock.now()
        self.days: dict[float, Status] = {0: UP}
        self.mail, self.model = FakeChannel(clock), FakeModel(clock)
        ours = policy or policies(confirm=2, confirm_every_ms=1_000, recover=2, to=("mail",), degraded_to=("mail",))
        self.monitors = [fake_monitor(f"shop{number}" if number else "shop", every_ms=5_000, policy=ours) for number in range(count)]
        self.hold_ms = hold_ms

    def status(self, at: int) -> Status:
        return next(status for begins, status in sorted(self.days.items(), reverse=True) if begins <= (at - self.start) / 1000)

    def vigie(self) -> FakeVigie:
        model = self.model if self.hold_ms else None
        return FakeVigie(self.store, self.clock, self.monitors, self.status, {"mail": self.mail}, model=model, hold_ms=self.hold_ms)


async def test_a_degradation_is_told_by_its_own_check_and_not_by_an_older_outage(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    world.days = {0: UP, 10: DOWN, 40: UP, 80: DEGRADED}
    vigie = world.vigie()
    async with vigie.at_work():
        await clock.sleep(120)
        incidents = {one.id: one for one in await store.archive.incidents()}
        subjects = {name: await vigie.composer.subject(one) for name, one in incidents.items()}
    assert subjects["shop-1"].result.status is DOWN
    assert subjects["shop-2"].result.status is DEGRADED
    assert subjects["shop-2"].result.cause is Cause.LATENCY_THRESHOLD
    opened = [message for _, message in world.mail.told if message.key.startswith("shop-2:opened")]
    assert opened[0].cause is Cause.LATENCY_THRESHOLD
    assert not any("tcp.refused" in line or "refused" in line for line in opened[0].lines)


async def test_an_outage_is_told_by_its_own_check_when_an_older_ones_is_all_that_is_kept(store: MemoryStore, clock: VirtualClock) -> None:
    """A check that was not kept is not replaced by one of another incident."""
    world = World(store, clock)
    world.days = {0: UP, 10: DOWN, 40: UP, 80: DOWN}
    vigie = world.vigie()
    async with vigie.at_work():
        await clock.sleep(120)
        newest = (await store.archive.incidents())[0]
        store.data.details = [one for one in store.data.details if one.at < newest.started_at]
        subject = await vigie.composer.subject(newest)
    assert subject.result.at == newest.started_at
    assert (subject.result.status, subject.result.cause) == (DOWN, newest.cause)


async def test_the_end_of_a_monitor_that_went_claims_no_count_of_failures(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock, policy=policies(confirm=1, to=("mail",)))
    world.days = {0: DOWN}
    async with world.vigie().at_work():
        await clock.sleep(20)
    world.monitors, world.store = [fake_monitor("other")], store.reopen()
    async with world.vigie().at_work():
        await clock.sleep(20)
    closed = [message for _, message in world.mail.told if message.reason is NoticeReason.CLOSED]
    assert len(closed) == 1
    assert "3 checks" not in " ".join([closed[0].headline, *closed[0].lines])


@pytest.mark.parametrize(("comes_after_s", "told"), [(3, ["opened"]), (12, ["opened", "report"])])
async def test_a_report_that_comes_while_its_page_waits_for_the_channel_is_told_once(
    store: MemoryStore, clock: VirtualClock, comes_after_s: float, told: list[str]
) -> None:
    """Four sends at once: the fifth page is claimed, and the report that comes then is in it; one that comes later follows."""
    post = Post(store, clock, channels(clock, "mail"))
    post.channels["mail"].always = 10.0

    async def compose(notice: Notice) -> Message:
        stored = await store.archive.report(notice.alert)
        return replace(await bare(notice), analysis=stored.analysis if stored else None)

    post.outbox._compose = compose
    post.start()
    await post.put(*[(f"shop-{number}", OPENED, "mail") for number in range(5)])
    await clock.sleep(comes_after_s)
    now = clock.now()
    report = StoredReport("shop-4", Bundle("shop-4", now, ()), Analysis("llama3", "en", ("It is down.",)), None, now)
    follow_up = OutboxRow(Notice("shop-4", "shop", "mail", NoticeReason.REPORT, now), now)
    await store.ledger.save_report(report, now, [follow_up])
    post.outbox.wake()
    await clock.sleep(60)
    ours = [message for _, message in post.channels["mail"].told if message.thread == "shop-4"]
    assert [message.reason for message in ours] == told
    assert [message.analysis is not None for message in ours] == [reason == told[-1] for reason in told]
    assert await store.ledger.outbox(OutboxState.WAITING) == []
    await post.stop()


async def test_what_a_maintenance_window_hid_does_not_wait_for_a_report_that_is_there(store: MemoryStore, clock: VirtualClock) -> None:
    window = Window(clock.now(), clock.now() + 60_000)
    world = World(store, clock, policy=policies(confirm=2, confirm_every_ms=1_000, to=("mail",), windows=(window,)), hold_ms=30_000)
    world.days = {0: DOWN}
    async with world.vigie().at_work():
        await clock.sleep(70)
    assert [message.reason for _, message in world.mail.told] == [NoticeReason.DISCLOSED]
    at, message = world.mail.told[0]
    assert at - window.end < 2_000
    assert message.analysis is not None


async def test_a_reload_while_an_incident_is_open_neither_pages_again_nor_forgets_its_end(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    world.days = {0: UP, 10: DOWN, 60: UP}
    vigie = world.vigie()
    async with vigie.at_work():
        await clock.sleep(30)
        renamed = [fake_monitor("shop", every_ms=5_000, policy=policies(confirm=1, recover=1, to=("mail",)))]
        for _ in range(3):
            await store.catalog.sync_monitors(renamed)
            await vigie.ingest.configure(renamed)
            await clock.sleep(5)
        await clock.sleep(60)
    assert [message.key for _, message in world.mail.told] == ["shop-1:opened:mail", "shop-1:recovered:mail"]


async def test_an_acknowledgement_that_comes_with_the_end_is_not_lost(store: MemoryStore, clock: VirtualClock) -> None:
    """A SIGTERM between reading what a person asked for and writing it down: it waits for the next start."""
    world = World(store, clock)
    world.days = {0: DOWN}
    vigie = world.vigie()
    await vigie.start()
    await clock.sleep(20)
    real, slow = store.ledger.commit, asyncio.Event()

    async def commit(change: object) -> None:
        slow.set()
        await clock.sleep(0.5)
        await real(change)  # type: ignore[arg-type]

    store.ledger.commit = commit  # type: ignore[method-assign]
    await store.inbox.enqueue_command("shop", Acked(clock.now(), "ana"))
    await slow.wait()
    await vigie.stop()
    store.ledger.commit = real  # type: ignore[method-assign]
    world.store = store.reopen()
    async with world.vigie().at_work():
        await clock.sleep(2)
        assert (await store.archive.incidents())[0].acked_by == "ana"
        assert await store.inbox.commands() == []
