"""The laws that every uplink keeps, against a scripted server side that its rig brings.

@pytest.mark.parametrize("law", UPLINK_LAWS)
async def test_the_uplink_keeps_the_law(law):
    async with rig() as one:
        await UPLINK_LAWS[law](one)
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

from vigie.errors import UplinkError, UplinkFault
from vigie.fleet.batches import PackedBatch, encode
from vigie.fleet.wire import CheckNow, Hello, Order, Pace, ShardWork, Welcome, Work
from vigie.net import Secret
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Uplink

PATIENCE = 20.0
SPEC = CheckSpec(
    "shop",
    "Shop",
    "http",
    "https://shop.example/",
    "shop.example",
    60_000,
    10_000,
    {"url": "https://shop.example/", "key": Secret("s3cret")},
)
WORK = Work(7, [ShardWork(3, 41, [SPEC], [12])], whole=True, control=["192.0.2.1:443"])
HELLO = Hello("paris-1", "paris", "1.0", 0, 1_767_225_600_000)
WELCOME = Welcome(1_767_225_600_500, "1.1", 1, 4, 99, "paris-1", "paris")


class Rig(Protocol):
    """A server side that does as it is told, and the way to it. At the start it is running, gives WELCOME and WORK, takes everything."""

    @property
    def hellos(self) -> Sequence[Hello]:
        """Those that came."""

    @property
    def taken(self) -> Sequence[tuple[int, bytes]]:
        """(shard, packed batch) in the order in which they became safe; one that was handed over twice may be there twice."""

    @property
    def refusals(self) -> frozenset[UplinkFault]:
        """Those that this kind of server can answer with."""

    def uplink(self) -> Uplink:
        """Another agent's end. An answer that takes longer than two seconds is too late."""

    async def order(self, order: Order) -> None:
        """Give this to the agents whose orders are being listened to."""

    async def listened(self) -> None:
        """Wait until an agent listens to its orders."""

    def refuse(self, fault: UplinkFault | None) -> None:
        """Answer so from now on, or as at the start again."""

    def stall(self, *, stalled: bool) -> None:
        """Answer nothing from now on, or again."""

    async def stop(self) -> None:
        """Go away, and hang up."""

    async def start(self) -> None:
        """Come back, at the same address."""


Law = Callable[[Rig], Awaitable[None]]


def batch(shard: int, sequence: int, size: int = 34) -> tuple[int, bytes]:
    """One to hand over; a server of this suite does not look into it."""
    return shard, encode(PackedBatch("paris-1", "paris", shard, 99, sequence, 0, 1, bytes(size)))


async def fault_of(work: Awaitable[object]) -> UplinkError:
    """What it raises."""
    try:
        async with asyncio.timeout(PATIENCE):
            await work
    except UplinkError as error:
        return error
    raise AssertionError("nothing was raised")


async def first(orders: AsyncIterator[Order]) -> Order:
    """The next order."""
    async with asyncio.timeout(PATIENCE):
        return await anext(orders)


@contextlib.asynccontextmanager
async def _used(rig: Rig) -> AsyncIterator[Uplink]:
    """An agent's end, closed whatever happens: a law that fails leaves nothing for the next test to find."""
    uplink = rig.uplink()
    try:
        yield uplink
    finally:
        await uplink.close()


async def hello_is_answered(rig: Rig) -> None:
    """As often as it is said."""
    async with _used(rig) as uplink:
        assert [await uplink.hello(HELLO), await uplink.hello(HELLO)] == [WELCOME, WELCOME]
        assert list(rig.hellos) == [HELLO, HELLO]


async def orders_begin_with_all_the_work(rig: Rig) -> None:
    """For whoever does not know it yet; its secrets arrive as secrets."""
    async with _used(rig) as uplink:
        work = await first(uplink.orders(0))
        assert work == WORK
        assert isinstance(work, Work)
        assert isinstance(work.shards[0].specs[0].options["key"], Secret)


async def who_knows_the_newest_work_gets_what_changes(rig: Rig) -> None:
    """As it is decided, in that order."""
    async with _used(rig) as uplink:
        orders = uplink.orders(WORK.epoch)
        coming = asyncio.create_task(first(orders))
        await rig.listened()
        changed: list[Order] = [Pace("shop", 1_000), CheckNow("shop"), Pace("shop", None), Work(8, [ShardWork(3, 41, [], [])])]
        for one in changed:
            await rig.order(one)
        got = [await coming, *[await first(orders) for _ in changed[1:]]]
        assert [one for one in got if not isinstance(one, Work)] == [one for one in changed if not isinstance(one, Work)]
        assert [one for one in got if isinstance(one, Work)] == [one for one in changed if isinstance(one, Work)]


async def orders_end_with_the_link_and_begin_anew(rig: Rig) -> None:
    """A server that went away is an error that passes."""
    async with _used(rig) as uplink:
        orders = uplink.orders(0)
        await first(orders)
        await rig.stop()
        error = await fault_of(anext(orders))
        assert not error.permanent
        await rig.start()
        assert await first(uplink.orders(0)) == WORK


async def batches_are_safe_when_it_returns(rig: Rig) -> None:
    """In their order."""
    async with _used(rig) as uplink:
        handed = [batch(shard, sequence) for sequence in range(1, 6) for shard in (3, 7, 250)]
        await uplink.hello(HELLO)
        await uplink.send(handed)
        assert list(rig.taken) == handed
        await uplink.send([])
        await uplink.send([batch(3, 6)])
        assert list(rig.taken) == [*handed, batch(3, 6)]


async def much_arrives_as_it_was_handed_over(rig: Rig) -> None:
    """Also what is more than fits into one message."""
    async with _used(rig) as uplink:
        handed = [batch(sequence % 256, sequence, 700_000) for sequence in range(1, 25)]
        await uplink.hello(HELLO)
        await uplink.send(handed)
        assert list(rig.taken) == handed


async def who_is_away_takes_nothing(rig: Rig) -> None:
    """And takes it when it is back: nothing of the uplink must be made anew."""
    async with _used(rig) as uplink:
        await uplink.hello(HELLO)
        await rig.stop()
        for work in (uplink.send([batch(3, 1)]), uplink.hello(HELLO)):
            error = await fault_of(work)
            assert error.fault in (UplinkFault.UNREACHABLE, UplinkFault.TIMEOUT)
            assert not error.permanent
        assert list(rig.taken) == []
        await rig.start()
        await _until_sent(uplink, [batch(3, 1)])
        assert set(rig.taken) == {batch(3, 1)}


async def _until_sent(uplink: Uplink, handed: Sequence[tuple[int, bytes]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await uplink.send(handed)
            except UplinkError:
                await asyncio.sleep(0.05)  # slow: a client may take a moment to find out that the server is back
                continue
            return


async def who_answers_nothing_is_not_waited_for(rig: Rig) -> None:
    """An answer that does not come in time is an error that passes."""
    async with _used(rig) as uplink:
        await uplink.hello(HELLO)
        rig.stall(stalled=True)
        for work in (uplink.send([batch(3, 1)]), uplink.hello(HELLO)):
            error = await fault_of(work)
            assert error.fault is UplinkFault.TIMEOUT
            assert not error.permanent
        rig.stall(stalled=False)
        await _until_sent(uplink, [batch(3, 1)])


async def a_refusal_says_why(rig: Rig) -> None:
    """And whether it can pass."""
    permanent = {UplinkFault.AUTH: True, UplinkFault.VERSION: True, UplinkFault.REFUSED: True, UplinkFault.BUSY: False}
    for fault in permanent.keys() & rig.refusals:
        async with _used(rig) as uplink:
            if fault is UplinkFault.REFUSED:
                await uplink.hello(HELLO)
            rig.refuse(fault)
            error = await fault_of(uplink.send([batch(3, 1)]) if fault is UplinkFault.REFUSED else uplink.hello(HELLO))
            assert (error.fault, error.permanent) == (fault, permanent[fault])
            assert error.fix or fault is UplinkFault.BUSY
            rig.refuse(None)
    assert list(rig.taken) == []


async def after_the_end_there_is_nothing(rig: Rig) -> None:
    """Closing twice is harmless."""
    async with _used(rig) as uplink:
        await uplink.hello(HELLO)
        await uplink.close()
        await uplink.close()
        await fault_of(uplink.hello(HELLO))
        await fault_of(uplink.send([batch(3, 1)]))
        assert list(rig.taken) == []


UPLINK_LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        hello_is_answered,
        orders_begin_with_all_the_work,
        who_knows_the_newest_work_gets_what_changes,
        orders_end_with_the_link_and_begin_anew,
        batches_are_safe_when_it_returns,
        much_arrives_as_it_was_handed_over,
        who_is_away_takes_nothing,
        who_answers_nothing_is_not_waited_for,
        a_refusal_says_why,
        after_the_end_there_is_nothing,
    )
}
