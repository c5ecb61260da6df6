"""The outbox under clocks that jump, machines that sleep, stores that fail at the wrong moment, and an end that comes in between."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from vigie.core.notification import NoticeReason
from vigie.engine.outbox import LEASE_MS
from vigie.errors import DeliveryError, DeliveryReason, StoreError, StoreFault
from vigie.ports import OutboxRow, OutboxState, Receipt
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel
from vigie.testing.memory import MemoryStore

from .post import AUTH, OPENED, REFUSED, Post, channels

pytestmark = pytest.mark.virtual
DAY = 86_400_000


# Clocks


async def test_what_was_put_off_while_the_clock_was_ahead_does_not_wait_for_that_day(store: MemoryStore, clock: VirtualClock) -> None:
    """A wrong clock that is set right a minute later: neither a new page nor a retry waits for tomorrow."""
    post = Post(store, clock, channels(clock, "mail", "chat"))
    post.channels["mail"].script = [REFUSED]
    post.start()
    clock.step(DAY)
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(1)
    await post.put(("shop-2", OPENED, "chat"))
    clock.step(-DAY)
    await clock.sleep(20)
    assert post.channels["mail"].keys() == ["shop-1:opened:mail"]
    assert post.channels["chat"].keys() == ["shop-2:opened:chat"]
    await post.stop()


async def test_nor_does_it_wait_after_a_restart(store: MemoryStore, clock: VirtualClock) -> None:
    clock.step(DAY)
    first = Post(store, clock, channels(clock, "mail"))
    first.channels["mail"].always = REFUSED
    await first.put(("shop-1", OPENED, "mail"))
    assert await first.outbox.drain(clock.now() + 5_000) == 1
    clock.step(-DAY)
    again = Post(store, clock, channels(clock, "mail"))
    again.start()
    await clock.sleep(10)
    assert again.channels["mail"].keys() == ["shop-1:opened:mail"]
    await again.stop()


@pytest.mark.parametrize("ahead_ms", [40_000, 3_000_000, 7_200_000, DAY])
async def test_what_was_being_sent_by_a_clock_that_ran_ahead_when_vigie_was_killed_is_sent_again_soon(
    store: MemoryStore, clock: VirtualClock, ahead_ms: int
) -> None:
    """It was set right before, but the outbox never goes back: its claim ends by the time that it had."""
    first = Post(store, clock, channels(clock, "mail"))
    first.channels["mail"].always = 1e6  # it is on its way when the process dies
    first.start()
    clock.step(ahead_ms)
    await clock.sleep(6)
    clock.step(-ahead_ms)
    await first.put(("shop-1", OPENED, "mail"))
    await clock.sleep(1)
    assert await store.ledger.claim(clock.now(), LEASE_MS, 9, clock.now()) == []
    await first.outbox.close(0)
    await first.stop()
    again = Post(store, clock, channels(clock, "mail"))
    again.start()
    await clock.sleep(LEASE_MS / 1000 + 10)
    assert again.channels["mail"].keys() == ["shop-1:opened:mail"]
    await again.stop()


async def test_a_machine_that_slept_over_a_notice_does_not_give_it_up_at_the_next_failure(store: MemoryStore, clock: VirtualClock) -> None:
    """A laptop closed on Friday: on Monday the network needs a moment."""
    post = Post(store, clock, channels(clock, "mail"))
    post.channels["mail"].script = [REFUSED] * 4
    post.start()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(1)
    clock.step(3 * DAY)
    await clock.sleep(120)
    assert post.channels["mail"].keys() == ["shop-1:opened:mail"]
    await post.stop()


async def test_nor_does_a_vigie_that_was_away(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail"))
    post.channels["mail"].script = [REFUSED] * 4
    post.start()
    await post.put(("shop-1", OPENED, "mail"), age_ms=3 * DAY)
    await clock.sleep(120)
    assert post.channels["mail"].keys() == ["shop-1:opened:mail"]
    await post.stop()


async def test_a_channel_that_asks_for_a_week_is_asked_again_within_the_hour(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "chat"))
    post.channels["chat"].script = [DeliveryError(DeliveryReason.RATE_LIMIT, "slow down", retry_after_ms=7 * DAY)]
    post.start()
    await post.put(("shop-1", OPENED, "chat"))
    await clock.sleep(3_700)
    assert post.channels["chat"].keys() == ["shop-1:opened:chat"]
    await post.stop()


@pytest.mark.parametrize("delta_ms", [-DAY, -3_000, 3_000, DAY])
async def test_a_step_while_a_send_is_under_way_sends_nothing_twice(store: MemoryStore, clock: VirtualClock, delta_ms: int) -> None:
    post = Post(store, clock, channels(clock, "mail"))
    post.channels["mail"].always = 20.0
    post.start()
    await post.put(*[(f"shop-{number}", OPENED, "mail") for number in range(12)])
    await clock.sleep(5)
    clock.step(delta_ms)
    await clock.sleep(30)
    clock.step(-delta_ms)
    await clock.sleep(120)
    keys = post.channels["mail"].keys()
    assert sorted(keys) == sorted(f"shop-{number}:opened:mail" for number in range(12))
    assert await store.ledger.outbox(OutboxState.WAITING) == []
    await post.stop()


# The store


async def test_a_success_is_not_sent_again_because_the_disk_is_full(
    store: MemoryStore, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was sent is remembered until it can be written down; only a crash in between sends it twice."""
    post, real, full = Post(store, clock, channels(clock, "mail")), store.ledger.record, [True]

    async def delivered(delivery: Any, *_: Any, **__: Any) -> bool:
        if full[0]:
            raise StoreError(StoreFault.FULL, "the disk is full")
        return await real(delivery)

    monkeypatch.setattr(store.ledger, "record", delivered)
    post.start()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(3_600)
    assert post.channels["mail"].keys() == ["shop-1:opened:mail"]
    assert "could not be recorded" in caplog.text
    full[0] = False
    await clock.sleep(120)
    assert post.channels["mail"].keys() == ["shop-1:opened:mail"]
    assert await store.ledger.outbox(OutboxState.WAITING) == []
    assert [one.failure for one in await store.archive.deliveries("shop-1")] == [None]
    await post.stop()


async def test_an_end_while_rows_are_being_claimed_leaves_none_of_them_leased(
    store: MemoryStore, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, real = Post(store, clock, channels(clock, "mail")), store.ledger.claim

    async def claim(now: int, lease_ms: int, limit: int, held_at: int | None = None) -> list[OutboxRow]:
        rows = await real(now, lease_ms, limit, held_at)
        await clock.sleep(0.2)  # as a busy writer's thread answers
        return rows

    monkeypatch.setattr(store.ledger, "claim", claim)
    await post.put(("shop-1", OPENED, "mail"))
    post.start()
    await clock.sleep(0.1)
    for task in post.tasks:
        task.cancel()
    await asyncio.gather(*post.tasks, return_exceptions=True)
    assert await post.outbox.drain(clock.now() + 10_000) == 0
    assert post.channels["mail"].keys() == ["shop-1:opened:mail"]


async def test_many_failures_do_not_read_the_whole_outbox_each(
    store: MemoryStore, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, real, reads = Post(store, clock, channels(clock, "mail", "chat"), ("chat",)), store.ledger.outbox, list[int]()
    post.channels["mail"].always = AUTH

    async def outbox(state: OutboxState) -> list[OutboxRow]:
        reads.append(1)
        return await real(state)

    monkeypatch.setattr(store.ledger, "outbox", outbox)
    post.start()
    await post.put(*[(f"shop-{number}", OPENED, "mail") for number in range(200)])
    await clock.sleep(30)
    assert len(await store.ledger.outbox(OutboxState.UNDELIVERABLE)) == 200
    assert len(post.channels["chat"].told) == 203, "each of them, two that something is undeliverable, and one that the channel fails"
    assert len(reads) < 40
    await post.stop()


# The end


async def test_draining_a_stalled_channel_holds_up_no_others_retry(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail", "chat"))
    post.channels["mail"].always = 1e6
    post.channels["chat"].script = [REFUSED, REFUSED]
    await post.put(("shop-1", OPENED, "mail"), ("shop-1", OPENED, "chat"))
    assert await post.outbox.drain(clock.now() + 20_000) == 1
    assert post.channels["chat"].keys() == ["shop-1:opened:chat"]
    await post.outbox.close()


async def test_what_is_buried_while_draining_counts_as_not_told(store: MemoryStore, clock: VirtualClock) -> None:
    """Else `vigie once` would end as if everything had been sent."""
    post = Post(store, clock, channels(clock, "mail"))
    post.channels["mail"].always = AUTH
    await post.put(("shop-1", OPENED, "mail"), ("shop-2", OPENED, "mail"))
    assert await post.outbox.drain(clock.now() + 20_000) == 2
    post.channels["mail"].always = None
    await post.put(("shop-3", OPENED, "mail"))
    assert await post.outbox.drain(clock.now() + 20_000) == 0
    await post.outbox.close()


async def test_what_waited_for_a_slot_when_the_end_came_is_sent_at_the_next_start(tmp_path: Path, clock: VirtualClock) -> None:
    store = SqliteStore(tmp_path / "vigie.db", threads=False)
    post = Post(store, clock, channels(clock, "mail"))
    post.channels["mail"].always = 5.0
    post.start()
    await post.put(*[(f"shop-{number}", OPENED, "mail") for number in range(10)])
    await clock.sleep(1)
    await post.stop()
    assert len(post.channels["mail"].told) == 4
    again = Post(store, clock, channels(clock, "mail"))
    again.start()
    await clock.sleep(LEASE_MS / 1000 + 5)
    assert len(again.channels["mail"].told) == 6
    assert sorted([*post.channels["mail"].keys(), *again.channels["mail"].keys()]) == sorted(f"shop-{n}:opened:mail" for n in range(10))
    await again.stop()


async def test_a_channel_that_is_cancelled_from_within_is_a_failure_like_another(store: MemoryStore, clock: VirtualClock) -> None:
    """Some libraries raise CancelledError for a deadline of their own."""
    post = Post(store, clock, channels(clock, "mail"))
    deliver, left = post.channels["mail"].deliver, [1]

    class Odd(FakeChannel):
        async def deliver(self, message: Any) -> Receipt:
            if left:
                left.pop()
                raise asyncio.CancelledError
            return await deliver(message)

    post.outbox.use({"mail": Odd(clock)})
    post.start()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(30)
    assert post.channels["mail"].keys() == ["shop-1:opened:mail"]
    await post.stop()


async def test_a_new_configuration_takes_over_a_waiting_notice(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail"))
    post.channels["mail"].always = REFUSED
    post.start()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(1)
    mended = FakeChannel(clock)
    post.outbox.use({"mail": mended})
    await clock.sleep(10)
    assert mended.keys() == ["shop-1:opened:mail"]
    assert NoticeReason.OPENED in [message.reason for _, message in mended.told]
    await post.stop()
