"""The laws that every bus keeps.

@pytest.mark.parametrize("law", BUS_LAWS)
async def test_the_bus_keeps_the_law(law):
    await BUS_LAWS[law](rig())

A bus that keeps what it carries keeps those of `KEEPING_LAWS` as well.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol, TypeVar

from vigie.ports import Bus, Group, Position

T = TypeVar("T")
PATIENCE = 20.0
_MANY = 40


class Rig(Protocol[T]):
    """A bus and what it carries."""

    async def bus(self) -> Bus[T]:
        """Ready to use; the same place whenever it is called."""

    def batch(self, sequence: int) -> T:
        """The batch of one source with this sequence, which is positive; the same whenever it is called."""

    def sequence_of(self, batch: T) -> int:
        """And back."""


Law = Callable[[Rig[T]], Awaitable[None]]


@contextlib.asynccontextmanager
async def using(rig: Rig[T]) -> AsyncIterator[Bus[T]]:
    """A bus, which is closed at the end; nothing takes for ever."""
    async with asyncio.timeout(PATIENCE):
        bus = await rig.bus()
        try:
            yield bus
        finally:
            await bus.close()


async def read(rig: Rig[T], groups: AsyncIterator[Group[T]], count: int) -> list[int]:
    """The sequences of so many batches."""
    found: list[int] = []
    while len(found) < count:
        found += [rig.sequence_of(one) for one in (await anext(groups)).batches]
    return found


async def batches_come_in_their_order(rig: Rig[T]) -> None:
    """Each once."""
    async with using(rig) as bus:
        for sequence in range(1, _MANY):
            await bus.publish(rig.batch(sequence))
        assert await read(rig, bus.groups(), _MANY - 1) == list(range(1, _MANY))


async def what_comes_later_is_read_as_well(rig: Rig[T]) -> None:
    """By the same reader, at once."""
    async with using(rig) as bus:
        groups = bus.groups()
        for sequence in range(1, 6):
            await bus.publish(rig.batch(sequence))
            assert await read(rig, groups, 1) == [sequence]


async def a_reader_that_waits_is_given_what_comes(rig: Rig[T]) -> None:
    """However long it waited."""
    async with using(rig) as bus:
        waiting = asyncio.create_task(read(rig, bus.groups(), 1))
        await asyncio.sleep(0)
        await bus.publish(rig.batch(1))
        assert await waiting == [1]


async def the_groups_end_when_it_is_closed(rig: Rig[T]) -> None:
    """Closing twice is harmless."""
    async with using(rig) as bus:
        groups = bus.groups()
        await bus.publish(rig.batch(1))
        assert await read(rig, groups, 1) == [1]
        ended = asyncio.create_task(_all(rig, groups))
        await asyncio.sleep(0)
        await bus.close()
        await bus.close()
        assert await ended == []


async def _all(rig: Rig[T], groups: AsyncIterator[Group[T]]) -> list[int]:
    return [rig.sequence_of(one) async for group in groups for one in group.batches]


async def who_asks_for_the_next_group_has_taken_in_the_last(rig: Rig[T]) -> None:
    """And who goes on after its position gets what comes behind it."""
    async with using(rig) as bus:
        for sequence in range(1, 11):
            await bus.publish(rig.batch(sequence))
        groups, position, seen = bus.groups(), None, list[int]()
        while len(seen) < 10:
            group = await anext(groups)
            seen += [rig.sequence_of(one) for one in group.batches]
            assert group.position is not None
            assert position is None or group.position > position
            position = group.position
        for sequence in range(11, 14):
            await bus.publish(rig.batch(sequence))
        assert await read(rig, bus.groups(position), 3) == [11, 12, 13]


async def what_was_published_outlives_who_published_it(rig: Rig[T]) -> None:
    """It was kept when publishing returned."""
    async with using(rig) as bus:
        await bus.publish(rig.batch(1))
    async with using(rig) as bus:
        assert await read(rig, bus.groups(), 1) == [1]


async def what_is_published_again_is_there_once(rig: Rig[T]) -> None:
    """Whoever does not know whether it was kept publishes it again."""
    async with using(rig) as bus:
        for sequence in (1, 2, 1, 2, 3):
            await bus.publish(rig.batch(sequence))
    async with using(rig) as bus:
        await bus.publish(rig.batch(3))
        await bus.publish(rig.batch(4))
        assert await read(rig, bus.groups(), 4) == [1, 2, 3, 4]


async def every_reader_reads_everything(rig: Rig[T]) -> None:
    """One that reads takes nothing away from another."""
    async with using(rig) as bus, using(rig) as other:
        for sequence in range(1, 6):
            await bus.publish(rig.batch(sequence))
        assert await read(rig, bus.groups(), 5) == await read(rig, other.groups(), 5) == [1, 2, 3, 4, 5]


async def a_position_of_what_was_lost_is_that_of_nothing(rig: Rig[T]) -> None:
    """A bus that began anew is read from its beginning."""
    async with using(rig) as bus:
        await bus.publish(rig.batch(1))
        position = (await anext(bus.groups())).position
        assert position is not None
        lost = Position(position.bus, position.incarnation - 1, position.sequence + 5)
        assert await read(rig, bus.groups(lost), 1) == [1]


BUS_LAWS: dict[str, Law[Any]] = {
    law.__name__: law
    for law in (
        batches_come_in_their_order,
        what_comes_later_is_read_as_well,
        a_reader_that_waits_is_given_what_comes,
        the_groups_end_when_it_is_closed,
    )
}
KEEPING_LAWS: dict[str, Law[Any]] = {
    law.__name__: law
    for law in (
        who_asks_for_the_next_group_has_taken_in_the_last,
        what_was_published_outlives_who_published_it,
        what_is_published_again_is_there_once,
        every_reader_reads_everything,
        a_position_of_what_was_lost_is_that_of_nothing,
    )
}
