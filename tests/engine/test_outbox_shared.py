"""Two servers send from one outbox."""

import asyncio

import pytest

from vigie.core.notification import Notice, NoticeReason
from vigie.engine.outbox import Outbox
from vigie.errors import DeliveryError, DeliveryReason
from vigie.ports import Commit, OutboxRow, Receipt
from vigie.report.facts import Message
from vigie.testing import VirtualClock
from vigie.testing.memory import MemoryStore

from .post import bare

pytestmark = pytest.mark.virtual


class Slow:
    """A channel that takes its time; `sent` are the keys of all of them."""

    def __init__(self, sent: list[str], takes: float) -> None:
        self._sent, self._takes = sent, takes

    async def deliver(self, message: Message) -> Receipt:
        await asyncio.sleep(self._takes)
        self._sent.append(message.key)
        return Receipt("ok")

    async def examine(self) -> str:
        return "ok"


async def _all_sent(clocks: tuple[VirtualClock, VirtualClock], takes: tuple[float, float]) -> list[str]:
    store_clock = VirtualClock()
    store, sent = MemoryStore(store_clock.now), list[str]()
    now = store_clock.now()
    rows = [OutboxRow(Notice(f"shop-{number}", "shop", "mail", NoticeReason.OPENED, now), now) for number in range(12)]
    await store.ledger.commit(Commit(outbox=tuple(rows)))

    both = [
        Outbox(side.ledger, side.archive, clock, {"mail": Slow(sent, seconds)}, bare, lambda _: (), store_now=side.fleet.now)
        for side, clock, seconds in zip((store, store.beside()), clocks, takes, strict=True)
    ]
    tasks = [asyncio.create_task(one.run()) for one in both]
    await asyncio.sleep(600)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert {row.notice.key for row in rows} == set(sent)
    return sent


async def test_each_notice_is_sent_once() -> None:
    assert len(await _all_sent((VirtualClock(), VirtualClock()), (0.2, 0.3))) == 12


async def test_a_claim_that_grew_old_in_a_queue_is_left_to_whoever_claims_it_next() -> None:
    """The first one's channel takes so long that most of what it claimed waits for longer than a claim is good."""
    assert len(await _all_sent((VirtualClock(), VirtualClock()), (20.0, 1.0))) == 12


async def test_clocks_that_differ_by_an_hour_have_nothing_sent_twice() -> None:
    ahead = VirtualClock()
    ahead.step(3_600_000)
    assert len(await _all_sent((VirtualClock(), ahead), (20.0, 5.0))) == 12


class Broken(Slow):
    """One that delivers, and does not learn it."""

    async def deliver(self, message: Message) -> Receipt:
        await super().deliver(message)
        raise DeliveryError(DeliveryReason.TIMEOUT, "no answer")


async def test_who_stood_still_while_it_sent_takes_nothing_from_who_sends_it_now() -> None:
    """Its claim ends meanwhile, so that another one sends it: twice in all, with one key, and not a third time for a failure that is late."""
    store_clock, sent = VirtualClock(), list[str]()
    store = MemoryStore(store_clock.now)
    notice = Notice("shop-1", "shop", "mail", NoticeReason.OPENED, store_clock.now())
    await store.ledger.commit(Commit(outbox=(OutboxRow(notice, notice.at),)))
    channels = Broken(sent, 5.0), Slow(sent, 20.0)
    one, other = (
        Outbox(side.ledger, side.archive, VirtualClock(), {"mail": channel}, bare, lambda _: (), store_now=side.fleet.now)
        for side, channel in zip((store, store.beside()), channels, strict=True)
    )
    tasks = [asyncio.create_task(one.run())]
    await asyncio.sleep(1)
    store_clock.step(60_000)
    tasks.append(asyncio.create_task(other.run()))
    await asyncio.sleep(120)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert sent == [notice.key] * 2
    assert [found.failure for found in await store.archive.deliveries("shop-1")] == ["timeout", None]
    assert (await store.ledger.counts()).waiting == 0
