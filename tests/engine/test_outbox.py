"""The outbox: retries, stand-ins, burial, order, leases, and channels that stall, lie or break."""

from itertools import pairwise

import pytest

from vigie.core.notification import Notice, NoticeReason
from vigie.engine.outbox import LEASE_MS
from vigie.errors import DeliveryError, DeliveryReason, StoreError, StoreFault
from vigie.ports import OutboxRow, OutboxState
from vigie.report.facts import Message
from vigie.testing import VirtualClock
from vigie.testing.memory import MemoryStore

from .post import AUTH, OPENED, RECOVERED, REFUSED, Post, bare, channels

pytestmark = pytest.mark.virtual


async def test_what_is_due_leaves_at_once_and_once(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail"))
    post.start()
    await clock.sleep(3)
    put_at = clock.now()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(600)
    assert [(at - put_at < 50, message.key) for at, message in post.channels["mail"].told] == [(True, "shop-1:opened:mail")]
    assert [(one.failure, one.answer) for one in await store.archive.deliveries("shop-1")] == [(None, "250 taken")]
    await post.stop()


async def test_a_channel_that_fails_is_tried_again_with_growing_waits(
    store: MemoryStore, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    post = Post(store, clock, channels(clock, "mail"))
    post.channels["mail"].script = [REFUSED] * 4
    post.start()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(120)
    attempts = await store.archive.deliveries("shop-1")
    assert [one.failure for one in attempts] == ["refused"] * 4 + [None]
    assert [one.attempt for one in attempts] == [1, 2, 3, 4, 5]
    waits = [after.at - before.at for before, after in pairwise(attempts)]
    for wait, base in zip(waits, (2_000, 4_000, 8_000, 16_000), strict=True):
        assert 0.8 * base <= wait <= 1.2 * base + 50
    assert "start the mail server" in caplog.text
    await post.stop()


async def test_a_channel_that_asks_for_a_wait_gets_it(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "chat"))
    post.channels["chat"].script = [DeliveryError(DeliveryReason.RATE_LIMIT, "slow down", retry_after_ms=90_000)]
    post.start()
    await post.put(("shop-1", OPENED, "chat"))
    await clock.sleep(200)
    first, second = await store.archive.deliveries("shop-1")
    assert 90_000 <= second.at - first.at < 91_000
    await post.stop()


async def test_a_permanent_fault_buries_loudly_and_another_channel_says_so(
    store: MemoryStore, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    post = Post(store, clock, channels(clock, "mail", "chat"), ("mail", "chat"))
    post.channels["mail"].always = AUTH
    post.start()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(10)
    assert post.channels["chat"].keys() == ["shop-1:opened:instead:chat", "shop-1:opened:mail:buried:chat"]
    assert [message.reason for _, message in post.channels["chat"].told] == [OPENED, NoticeReason.UNDELIVERABLE]
    assert [row.notice.key for row in await store.ledger.outbox(OutboxState.UNDELIVERABLE)] == ["shop-1:opened:mail"]
    assert any(record.levelname == "CRITICAL" and "app password" in record.message for record in caplog.records)
    await post.stop()


async def test_two_channels_that_are_both_dead_for_good_do_not_page_each_other_for_ever(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail", "chat"), ("mail", "chat"))
    for channel in post.channels.values():
        channel.always = AUTH
    post.start()
    await post.put(("shop-1", OPENED, "mail"), ("shop-1", OPENED, "chat"))
    await clock.sleep(600)
    assert await store.ledger.outbox(OutboxState.WAITING) == []
    assert len(await store.archive.deliveries("shop-1")) <= 6
    await post.stop()


@pytest.mark.parametrize("mail", ["mail", "ops:mail"])
async def test_a_channel_that_is_told_anyway_does_not_stand_in(store: MemoryStore, clock: VirtualClock, mail: str) -> None:
    post = Post(store, clock, channels(clock, mail, "chat"), (mail, "chat"))
    post.channels[mail].always = REFUSED
    post.start()
    await post.put(("shop-1", OPENED, mail), ("shop-1", OPENED, "chat"))
    await clock.sleep(600)
    assert post.channels["chat"].keys() == ["shop-1:opened:chat"]
    await post.stop()


async def test_after_three_failures_the_fallback_is_told_once_and_hears_of_the_recovery_too(
    store: MemoryStore, clock: VirtualClock
) -> None:
    post = Post(store, clock, channels(clock, "mail", "pager"), ("pager",))
    post.channels["mail"].always = REFUSED
    post.start()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(60)
    assert post.channels["pager"].keys() == ["shop-1:opened:instead:pager"]
    await post.put(("shop-1", RECOVERED, "mail"))
    await clock.sleep(1_300)
    told = [message for _, message in post.channels["pager"].told if message.reason is not NoticeReason.CHANNEL_FAILING]
    assert [message.key for message in told] == ["shop-1:opened:instead:pager", "shop-1:recovered:instead:pager"]
    post.channels["mail"].always = None
    await clock.sleep(1_300)
    assert post.channels["mail"].keys() == ["shop-1:opened:mail", "shop-1:recovered:mail"]
    await post.stop()


async def test_a_failover_channel_that_knows_the_end_hears_of_nothing_before_it(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail", "phone"), ("mail",))
    post.channels["phone"].always = REFUSED
    post.start()
    await post.put(("shop-1", OPENED, "mail"), ("shop-1", NoticeReason.ESCALATED, "phone"))
    await clock.sleep(3)
    await post.put(("shop-1", RECOVERED, "mail"), ("shop-1", RECOVERED, "phone"))
    await clock.sleep(300)
    assert post.channels["mail"].keys() == ["shop-1:opened:mail", "shop-1:recovered:mail"]
    await post.stop()


async def test_a_notice_that_failed_for_a_day_is_buried(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail"))
    post.channels["mail"].always = REFUSED
    post.start()
    await post.put(("shop-1", OPENED, "mail"), age_ms=82_000_000)
    await clock.sleep(4_300)
    assert await store.ledger.outbox(OutboxState.UNDELIVERABLE) == []
    await clock.sleep(1_000)
    assert len(await store.ledger.outbox(OutboxState.UNDELIVERABLE)) == 1
    assert len(await store.archive.deliveries("shop-1")) < 20
    await post.stop()


async def test_a_recovery_never_overtakes_its_opening(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail", "chat"))
    post.channels["mail"].script = [REFUSED, REFUSED]
    post.start()
    await post.put(("shop-1", OPENED, "mail"), ("shop-1", OPENED, "chat"), ("shop-1", RECOVERED, "mail"), ("shop-1", RECOVERED, "chat"))
    await clock.sleep(1)
    assert post.channels["mail"].keys() == []
    assert post.channels["chat"].keys() == ["shop-1:opened:chat", "shop-1:recovered:chat"]
    await clock.sleep(60)
    assert post.channels["mail"].keys() == ["shop-1:opened:mail", "shop-1:recovered:mail"]
    await post.stop()


async def test_a_stalled_channel_is_cut_off_and_holds_up_no_other(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail", "chat"))
    post.channels["mail"].always = 1e6
    post.start()
    put_at = clock.now()
    await post.put(*[(f"shop-{number}", OPENED, "mail") for number in range(100)])
    await post.put(*[(f"shop-{number}", OPENED, "chat") for number in range(100)])
    await clock.sleep(5)
    assert len(post.channels["chat"].told) == 100
    assert max(at for at, _ in post.channels["chat"].told) - put_at < 1_000
    await clock.sleep(40)
    assert {one.failure for one in await store.archive.deliveries("shop-0") if one.channel == "mail"} == {"timeout"}
    assert post.channels["mail"].most == 4
    for task in post.tasks:
        task.cancel()
    before = clock.now()
    await post.outbox.close()
    assert clock.now() - before <= 30_000


async def test_waiting_for_a_slow_channel_longer_than_the_lease_sends_nothing_twice(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail"))
    post.channels["mail"].always = 20.0
    post.start()
    await post.put(*[(f"shop-{number}", OPENED, "mail") for number in range(60)])
    await clock.sleep(60 / 4 * 20 + 5)
    assert LEASE_MS * 4 < 60 / 4 * 20_000
    assert len(post.channels["mail"].told) == 60
    assert len(set(post.channels["mail"].keys())) == 60
    await post.stop()


async def test_a_row_leased_by_a_process_that_died_is_sent_when_the_lease_ends(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail"))
    await post.put(("shop-1", OPENED, "mail"))
    assert len(await store.ledger.claim(clock.now(), LEASE_MS, 10)) == 1
    post.start()
    await clock.sleep(LEASE_MS / 1000 - 1)
    assert post.channels["mail"].keys() == []
    await clock.sleep(2)
    assert post.channels["mail"].keys() == ["shop-1:opened:mail"]
    await post.stop()


async def test_a_store_that_cannot_be_read_is_asked_again(
    store: MemoryStore, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    post, real, broken = Post(store, clock, channels(clock, "mail")), store.ledger.claim, [True]

    async def claim(now: int, lease_ms: int, limit: int, held_at: int | None = None) -> list[OutboxRow]:
        if broken[0]:
            raise StoreError(StoreFault.BUSY, "the database is locked")
        return await real(now, lease_ms, limit, held_at)

    monkeypatch.setattr(store.ledger, "claim", claim)
    post.start()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(20)
    broken[0] = False
    await clock.sleep(10)
    assert post.channels["mail"].keys() == ["shop-1:opened:mail"]
    assert "the database is locked" in caplog.text
    await post.stop()


async def test_what_cannot_be_read_is_not_the_channels_fault(store: MemoryStore, clock: VirtualClock) -> None:
    post, broken = Post(store, clock, channels(clock, "mail")), [True]

    async def compose(notice: Notice) -> Message:
        if broken.pop() if broken else False:
            raise StoreError(StoreFault.BUSY, "the database is locked")
        return await bare(notice)

    post.outbox._compose = compose
    post.start()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(70)
    assert [one.attempt for one in await store.archive.deliveries("shop-1")] == [1]
    assert post.channels["mail"].keys() == ["shop-1:opened:mail"]
    await post.stop()


async def test_a_channel_that_breaks_is_tried_again(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail"))
    post.channels["mail"].script = [KeyError("a bug"), ValueError("another")]
    post.start()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(30)
    assert post.channels["mail"].keys() == ["shop-1:opened:mail"]
    assert [one.failure for one in await store.archive.deliveries("shop-1")] == ["other", None]  # the first attempt was made in two ways
    await post.stop()


async def test_a_message_that_a_channel_cannot_lay_out_leaves_as_a_minimal_one(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail"))
    post.channels["mail"].script = [UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")]
    post.start()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(1)
    ((_, message),) = post.channels["mail"].told
    assert message.key == "shop-1:opened:mail"
    assert (message.rows, message.analysis, message.links) == ((), None, ())
    assert message.lines[0] == message.headline
    assert [one.failure for one in await store.archive.deliveries("shop-1")] == [None]
    await post.stop()


async def test_a_channel_that_is_configured_no_more_is_buried_and_stood_in_for(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail", "chat"), ("chat",))
    post.outbox.use({"chat": post.channels["chat"]})
    post.start()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(5)
    assert post.channels["chat"].keys()[0] == "shop-1:opened:instead:chat"
    await post.stop()


@pytest.mark.parametrize("delta_ms", [-86_400_000, 86_400_000])
async def test_a_page_does_not_wait_because_the_clock_was_set_back(store: MemoryStore, clock: VirtualClock, delta_ms: int) -> None:
    post = Post(store, clock, channels(clock, "mail"))
    post.channels["mail"].script = [REFUSED]
    post.start()
    await post.put(("shop-1", OPENED, "mail"))
    await clock.sleep(0.5)
    clock.step(delta_ms)
    await clock.sleep(10)
    assert post.channels["mail"].keys() == ["shop-1:opened:mail"]
    await post.put(("shop-2", OPENED, "mail"))
    await clock.sleep(10)
    assert len(post.channels["mail"].keys()) == 2
    await post.stop()


async def test_draining_sends_what_is_due_waits_for_what_soon_is_and_counts_the_rest(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail", "chat"))
    post.channels["mail"].script = [REFUSED]
    post.channels["chat"].always = REFUSED
    await post.put(("shop-1", OPENED, "mail"), ("shop-1", RECOVERED, "mail"), ("shop-1", OPENED, "chat"))
    started = clock.now()
    assert await post.outbox.drain(started + 20_000) == 1
    assert post.channels["mail"].keys() == ["shop-1:opened:mail", "shop-1:recovered:mail"]
    assert clock.now() - started <= 20_000
    await post.outbox.close()


async def test_draining_an_empty_outbox_takes_no_time(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail"))
    started = clock.now()
    assert await post.outbox.drain(started + 20_000) == 0
    assert clock.now() == started


async def test_draining_ends_in_time_though_a_channel_stalls(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail"))
    post.channels["mail"].always = 1e6
    await post.put(("shop-1", OPENED, "mail"))
    started = clock.now()
    assert await post.outbox.drain(started + 10_000) == 1
    assert clock.now() - started <= 10_000
    await post.outbox.close()
    assert clock.now() - started <= 31_000


async def test_a_later_message_of_a_thread_has_the_reference_of_its_first(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail"))
    post.channels["mail"].reference = "C1/17.5"
    post.start()
    await post.put(("shop-1", NoticeReason.OPENED, "mail"))
    await clock.sleep(1)
    await post.put(("shop-1", NoticeReason.RECOVERED, "mail"), ("shop-2", NoticeReason.OPENED, "mail"))
    await clock.sleep(1)

    found = [(message.thread, message.reference) for _, message in post.channels["mail"].told]
    assert found == [("shop-1", ""), ("shop-1", "C1/17.5"), ("shop-2", "")]
    await post.stop()


async def test_what_waits_behind_a_channel_that_stalls_fails_over_in_the_same_time(store: MemoryStore, clock: VirtualClock) -> None:
    """A hundred notices at once: with four at a time, the last one would be tried after twelve minutes."""
    post = Post(store, clock, channels(clock, "mail", "chat"), ("mail", "chat"))
    post.channels["mail"].always = 10_000.0
    post.start()
    put_at = clock.now()
    names = [f"s{number}-1" for number in range(100)]
    await post.put(*[(name, OPENED, "mail") for name in names])
    await clock.sleep(91)
    told = post.channels["chat"].told
    assert sorted(message.thread for _, message in told) == sorted(names), "each once"
    assert max(at for at, _ in told) - put_at <= 90_000
    await clock.sleep(600)
    assert len(post.channels["chat"].told) == 100
    await post.stop()


async def test_what_waits_behind_a_channel_that_is_only_slow_does_not_fail_over(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail", "chat"), ("mail", "chat"))
    post.channels["mail"].always = 10.0
    post.start()
    await post.put(*[(f"s{number}-1", OPENED, "mail") for number in range(60)])
    await clock.sleep(200)
    assert (len(post.channels["mail"].told), post.channels["chat"].told) == (60, [])
    await post.stop()
