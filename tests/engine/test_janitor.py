"""What is due without anybody calling: wake-ups, clock steps, events left by the command line, and tasks that break."""

import asyncio
from itertools import pairwise

import pytest

from vigie.core.events import Acked, Resolved
from vigie.core.model import Status
from vigie.core.notification import NoticeReason
from vigie.engine.alive import keep_alive
from vigie.errors import StoreError, StoreFault
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel, FakeVigie, Policies, fake_monitor, policies
from vigie.testing.memory import MemoryStore
from vigie.testing.windows import Window

pytestmark = pytest.mark.virtual
OPENED, REMINDER, RECOVERED, CLOSED = NoticeReason.OPENED, NoticeReason.REMINDER, NoticeReason.RECOVERED, NoticeReason.CLOSED


class World:
    """One service whose status the test sets, watched by the whole engine."""

    def __init__(self, store: MemoryStore, clock: VirtualClock, policy: Policies | None = None) -> None:
        self.status, self.mail = Status.UP, FakeChannel(clock)
        monitor = fake_monitor(every_ms=5_000, policy=policy)
        self.vigie = FakeVigie(store, clock, [monitor], lambda _: self.status, {"mail": self.mail})

    def kinds(self) -> list[NoticeReason]:
        return [message.reason for _, message in self.mail.told]


async def test_an_outage_is_paged_within_two_seconds_of_its_confirmation_and_recovers_once(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    async with world.vigie.at_work():
        await clock.sleep(20)
        world.status = Status.DOWN
        await clock.sleep(60)
        world.status = Status.UP
        await clock.sleep(60)
        incident = (await store.archive.incidents())[0]
    assert world.kinds() == [OPENED, RECOVERED]
    assert world.mail.told[0][0] - incident.opened_at < 2_000
    assert incident.opened_at - incident.started_at <= 1_100  # the quick pace


async def test_the_pace_is_quick_only_while_something_is_in_doubt(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock, policies(confirm=4, confirm_every_ms=500, recover=4, to=("mail",)))
    async with world.vigie.at_work():
        await clock.sleep(20)
        looks = world.vigie.probes["shop"].looks
        world.status = Status.DOWN
        await clock.sleep(30)
        world.status = Status.UP
        await clock.sleep(30)
    gaps = [after - before for before, after in pairwise(looks)]
    assert len([gap for gap in gaps if gap < 1_000]) == 6, gaps
    assert all(gap > 4_000 for gap in gaps[-3:])


async def test_reminders_come_in_their_time_until_somebody_acknowledges(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock, policies(confirm=1, remind_ms=60_000, to=("mail",)))
    world.status = Status.DOWN
    async with world.vigie.at_work():
        await clock.sleep(150)
        assert world.kinds() == [OPENED, REMINDER, REMINDER]
        await store.inbox.enqueue_command("shop", Acked(clock.now(), "ana"))
        await clock.sleep(150)
    assert world.kinds() == [OPENED, REMINDER, REMINDER]


async def test_who_acknowledged_before_a_crash_is_not_reminded_after_it(store: MemoryStore, clock: VirtualClock) -> None:
    """The command waited in the inbox, and the reminder is due when Vigie starts again."""
    policy = policies(confirm=1, remind_ms=600_000, to=("mail",))
    world = World(store, clock, policy)
    world.status = Status.DOWN
    async with world.vigie.at_work():
        await clock.sleep(150)
    again = store.reopen()
    await again.inbox.enqueue_command("shop", Acked(clock.now(), "ana"))
    await clock.sleep(1_200)

    after = World(again, clock, policy)
    after.status = Status.DOWN
    async with after.vigie.at_work():
        await clock.sleep(150)
    assert after.kinds() == []


@pytest.mark.parametrize("delta_ms", [7 * 86_400_000, -7 * 86_400_000])
async def test_a_step_of_the_clock_or_a_suspended_machine_pages_nobody(store: MemoryStore, clock: VirtualClock, delta_ms: int) -> None:
    world = World(store, clock, policies(confirm=1, remind_ms=600_000, to=("mail",)))
    async with world.vigie.at_work():
        await clock.sleep(30)
        clock.step(delta_ms)
        await clock.sleep(30)
        assert world.kinds() == []
        world.status = Status.DOWN
        await clock.sleep(30)
        clock.step(delta_ms)
        await clock.sleep(30)
        assert world.kinds() == [OPENED]
        await clock.sleep(3_600)
    assert world.kinds() == [OPENED, *[REMINDER] * 6]  # one every ten minutes, as without the steps


async def test_a_person_resolves_and_the_service_is_watched_on(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    world.status = Status.DOWN
    async with world.vigie.at_work():
        await clock.sleep(20)
        world.status = Status.UP
        await store.inbox.enqueue_command("shop", Resolved(clock.now(), "ana"))
        await clock.sleep(20)
        assert world.kinds() == [OPENED, CLOSED]
        world.status = Status.DOWN
        await clock.sleep(20)
    assert [message.key for _, message in world.mail.told] == ["shop-1:opened:mail", "shop-1:closed:mail", "shop-2:opened:mail"]


async def test_what_a_person_asked_for_is_not_lost_when_the_store_fails(
    store: MemoryStore, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, real, failures = World(store, clock), store.ledger.commit, list[int]()
    world.status = Status.DOWN

    async def commit(change: object) -> None:
        if failures:
            failures.pop()
            raise StoreError(StoreFault.FULL, "the disk is full")
        await real(change)  # type: ignore[arg-type]

    monkeypatch.setattr(store.ledger, "commit", commit)
    async with world.vigie.at_work():
        await clock.sleep(20)
        failures.extend([1, 1])
        await store.inbox.enqueue_command("shop", Acked(clock.now(), "ana"))
        await clock.sleep(10)
        assert (await store.archive.incidents())[0].acked_by == "ana"
        assert await store.inbox.commands() == []


async def test_what_is_asked_of_a_monitor_that_went_is_consumed_too(store: MemoryStore, clock: VirtualClock) -> None:
    world = World(store, clock)
    async with world.vigie.at_work():
        await store.inbox.enqueue_command("gone", Acked(clock.now(), "ana"))
        await store.inbox.enqueue_command("shop", Acked(clock.now(), "ana"))  # and what changes nothing
        await clock.sleep(2)
        assert await store.inbox.commands() == []


async def test_a_maintenance_window_that_ends_discloses_what_is_still_broken(store: MemoryStore, clock: VirtualClock) -> None:
    window = Window(clock.now(), clock.now() + 60_000)
    world = World(store, clock, policies(confirm=1, to=("mail",), windows=(window,)))
    world.status = Status.DOWN
    async with world.vigie.at_work():
        await clock.sleep(55)
        assert world.kinds() == []
        await clock.sleep(10)
    assert world.kinds() == [NoticeReason.DISCLOSED]


async def test_retention_runs_every_hour(
    store: MemoryStore, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    pruned = list[int]()

    async def prune(now: int) -> int:
        pruned.append(now)
        return 3

    monkeypatch.setattr(store.archive, "prune", prune)
    world = World(store, clock)
    housekeeping = asyncio.create_task(world.vigie.janitor.run())
    await clock.sleep(2.5 * 3_600)
    housekeeping.cancel()
    assert len(pruned) == 2
    assert "3 rows" in caplog.text


async def test_a_store_that_fails_does_not_end_the_housekeeping(
    store: MemoryStore, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def commands() -> None:
        raise StoreError(StoreFault.BUSY, "the database is locked")

    monkeypatch.setattr(store.inbox, "commands", commands)
    world = World(store, clock)
    async with world.vigie.at_work():
        await clock.sleep(10)
        assert world.vigie.janitor.ticked_at >= clock.monotonic() - 2
    assert caplog.text.count("housekeeping failed: the database is locked") == 1, "said once, however often it is tried"


async def test_a_task_that_breaks_is_told_loudly_and_started_again(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    starts = list[float]()

    async def breaking() -> None:
        starts.append(clock.monotonic())
        raise RuntimeError("a bug")

    kept = asyncio.create_task(keep_alive("the outbox", breaking, clock))
    await clock.sleep(3.5)
    kept.cancel()
    assert starts == [0.0, 1.0, 2.0, 3.0]
    assert "the outbox crashed and is being restarted" in caplog.text
    with pytest.raises(asyncio.CancelledError):
        await kept


async def test_a_step_that_cannot_be_written_down_is_not_taken_twice(
    store: MemoryStore, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some monitors moved and some not would give some of them the same step again a second later."""
    policy = policies(confirm=1, remind_ms=600_000, to=("mail",))
    mail, status, failures, real = FakeChannel(clock), [Status.UP], list[int](), store.ledger.commit
    monitors = [fake_monitor(f"shop{number}", every_ms=5_000, policy=policy) for number in range(3)]
    vigie = FakeVigie(store, clock, monitors, lambda _: status[0], {"mail": mail})

    async def commit(change: object) -> None:
        if failures:
            count = failures.pop()
            failures.extend([count - 1] if count > 1 else [])
            if count % 2 == 0:
                raise StoreError(StoreFault.FULL, "the disk is full")
        await real(change)  # type: ignore[arg-type]

    monkeypatch.setattr(store.ledger, "commit", commit)
    async with vigie.at_work():
        status[0] = Status.DOWN
        await clock.sleep(20)
        due = {one.id: one.wake_at for one in vigie.ingest.alerts()}
        failures.append(6)
        clock.step(86_400_000)
        await clock.sleep(10)
        moved = [(one.wake_at or 0) - (due[one.id] or 0) for one in vigie.ingest.alerts()]
    assert all(abs(delta - 86_400_000) < 2_000 for delta in moved), moved
