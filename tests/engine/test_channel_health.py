"""A channel that keeps failing is reported on the others, once, and so is its recovery; over restarts and whatever it failed to send."""

import pytest

from vigie.core.notification import NoticeReason
from vigie.ports import OutboxState
from vigie.testing import VirtualClock
from vigie.testing.memory import MemoryStore

from .post import AUTH, OPENED, REFUSED, Post, channels

pytestmark = pytest.mark.virtual
FAILING, RESTORED, AVAILABILITY = NoticeReason.CHANNEL_FAILING, NoticeReason.CHANNEL_RESTORED, NoticeReason.AVAILABILITY


def told(post: Post, name: str) -> list[NoticeReason]:
    return [message.reason for _, message in post.channels[name].told if message.reason in (FAILING, RESTORED)]


async def test_the_others_are_notified_after_a_quarter_of_an_hour_and_when_it_works_again(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "mail", "chat", "pager"))
    post.channels["mail"].always = REFUSED
    post.start()
    await post.put(("availability-2026-W01", AVAILABILITY, "mail"))
    await clock.sleep(890)
    assert told(post, "chat") == []
    await clock.sleep(20)
    assert (told(post, "chat"), told(post, "pager"), told(post, "mail")) == ([FAILING], [FAILING], [])
    await clock.sleep(7_200)
    post.channels["mail"].always = None
    await clock.sleep(1_300)
    assert (told(post, "chat"), told(post, "pager"), told(post, "mail")) == ([FAILING, RESTORED], [FAILING, RESTORED], [])
    await post.stop()


async def test_a_thousand_notices_of_a_dead_channel_are_no_storm(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "hook", "chat"), ("chat",))
    post.channels["hook"].always = AUTH
    post.start()
    await post.put(*((f"shop-{number}", OPENED, "hook") for number in range(1_000)))
    await clock.sleep(600)
    reasons = [message.reason for _, message in post.channels["chat"].told]
    assert reasons.count(FAILING) == 1
    assert reasons.count(NoticeReason.UNDELIVERABLE) <= 3
    assert reasons.count(OPENED) == 1_000, "each of them still goes out by the other channel"
    await post.stop()


async def test_it_is_said_once_over_restarts(store: MemoryStore, clock: VirtualClock) -> None:
    for _ in range(4):
        post = Post(store, clock, channels(clock, "mail", "chat"))
        post.channels["mail"].always = REFUSED
        post.start()
        await post.put(("shop-1", OPENED, "mail"))
        await clock.sleep(400)
        await post.stop()
    assert [one.reason for one in store.data.deliveries if one.channel == "chat"] == [FAILING]
    post = Post(store, clock, channels(clock, "mail", "chat"))
    post.start()
    await clock.sleep(1_300)
    assert [one.reason for one in store.data.deliveries if one.channel == "chat"] == [FAILING, RESTORED]
    await post.stop()


async def test_a_channel_that_fails_itself_is_not_asked_to_say_so(
    store: MemoryStore, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    post = Post(store, clock, channels(clock, "mail", "chat"))
    for one in post.channels.values():
        one.always = REFUSED
    post.start()
    await post.put(("shop-1", OPENED, "mail"), ("shop-1", OPENED, "chat"))
    await clock.sleep(3_600)
    assert {row.notice.reason for row in await store.ledger.outbox(OutboxState.WAITING)} == {OPENED}
    assert "No other channel can say so" in caplog.text
    assert post.outbox.is_stuck()
    post.channels["chat"].always = None
    await clock.sleep(1_300)
    assert not post.outbox.is_stuck()
    await post.stop()


async def test_a_channel_that_is_no_longer_configured_does_not_fail(store: MemoryStore, clock: VirtualClock) -> None:
    post = Post(store, clock, channels(clock, "chat"))
    post.start()
    await post.put(*((f"shop-{number}", OPENED, "gone") for number in range(5)))
    await clock.sleep(3_600)
    assert told(post, "chat") == []
    await post.stop()
