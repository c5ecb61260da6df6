"""The bus inside one process."""

import asyncio

import pytest

from vigie.buses.local import LocalBus
from vigie.ports import Batch
from vigie.testing.bus_suite import BUS_LAWS

pytestmark = pytest.mark.virtual


def batch(sequence: int) -> Batch:
    return Batch("local", 1, sequence, ())


class Rig:
    async def bus(self) -> LocalBus:
        return LocalBus()

    def batch(self, sequence: int) -> Batch:
        return batch(sequence)

    def sequence_of(self, one: Batch) -> int:
        return one.sequence


@pytest.mark.parametrize("law", BUS_LAWS)
async def test_the_bus_keeps_the_law(law: str) -> None:
    await BUS_LAWS[law](Rig())


async def test_batches_come_in_the_order_they_were_published_and_end_when_the_bus_is_closed() -> None:
    bus = LocalBus()
    for sequence in range(5):
        await bus.publish(batch(sequence))
    await bus.close()
    assert [one.sequence async for group in bus.groups() for one in group.batches] == [0, 1, 2, 3, 4]


async def test_a_full_bus_makes_the_publisher_wait_and_loses_nothing() -> None:
    bus, found = LocalBus(capacity=2), list[int]()

    async def publish() -> None:
        for sequence in range(10):
            await bus.publish(batch(sequence))
        await bus.close()

    publishing = asyncio.create_task(publish())
    await asyncio.sleep(1)
    assert not publishing.done()
    async for group in bus.groups():
        found += [one.sequence for one in group.batches]
        await asyncio.sleep(1)
    assert found == list(range(10))
    await publishing
