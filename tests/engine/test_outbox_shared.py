"""Two servers send from one outbox."""

import asyncio

import pytest

from vigie.core.notification import Notice, NoticeReason
from vigie.engine.outbox import Outbox
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
