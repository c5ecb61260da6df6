"""Work that is seen through to its end, whoever waits for it."""

import asyncio

import pytest

from vigie.engine.alive import seen_through
from vigie.errors import StoreError, StoreFault
from vigie.testing import VirtualClock

pytestmark = pytest.mark.virtual


class Work:
    """Takes a second, then says so; or breaks."""

    def __init__(self, clock: VirtualClock, fault: Exception | None = None) -> None:
        self.clock, self.fault, self.done = clock, fault, False

    async def go(self) -> str:
        await self.clock.sleep(1)
        if self.fault is not None:
            raise self.fault
        self.done = True
        return "done"


async def test_what_it_brings_is_handed_on(clock: VirtualClock) -> None:
    assert await seen_through(Work(clock).go()) == "done"


async def test_what_it_breaks_with_is_handed_on(clock: VirtualClock) -> None:
    with pytest.raises(StoreError):
        await seen_through(Work(clock, StoreError(StoreFault.FULL, "the disk is full")).go())


@pytest.mark.parametrize("fault", [None, StoreError(StoreFault.FULL, "the disk is full"), KeyError("a bug")])
async def test_who_is_cancelled_meanwhile_ends_after_it(clock: VirtualClock, fault: Exception | None) -> None:
    work, begun = Work(clock, fault), clock.monotonic()
    waiting = asyncio.create_task(seen_through(work.go()))
    await clock.sleep(0.3)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert work.done is (fault is None)
    assert clock.monotonic() - begun >= 1
