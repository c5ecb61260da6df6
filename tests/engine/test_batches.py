"""Batches that carry several turns of one monitor, come late, out of order, or for monitors that changed meanwhile."""

from dataclasses import replace

import pytest

from vigie.core.model import Status
from vigie.engine.ingest import Ingest
from vigie.ports import Batch
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor, fake_result, policies
from vigie.testing.memory import MemoryStore

from .test_ingest import Intake, desk

pytestmark = pytest.mark.virtual
UP, DOWN, DEGRADED = Status.UP, Status.DOWN, Status.DEGRADED


async def take(ours: Intake, *statuses: Status) -> None:
    """All of them in one batch."""
    await ours.ingest.take(ours.batch(*(ours.result(status) for status in statuses)))


async def test_a_whole_story_in_one_batch_is_told_turn_by_turn(store: MemoryStore, clock: VirtualClock) -> None:
    """What an agent brings that was cut off for a while."""
    ours = await desk(store, clock)
    await take(ours, UP, DOWN, DOWN, UP, UP, DOWN, DOWN, DEGRADED, UP)
    assert ours.decisions() == [
        "Suspected",
        "Opened",
        "Announced",
        "Recovered",
        "Ended",
        "Suspected",
        "Opened",
        "Announced",
        "Suspected",
        "Recovered",
        "Ended",
        "Cleared",
    ]
    assert await ours.keys() == ["shop-1:opened:mail", "shop-1:recovered:mail", "shop-2:opened:mail", "shop-2:recovered:mail"]
    assert [one.closed_at is not None for one in await store.archive.incidents()] == [True, True]
    assert ours.ingest.state("shop").resting


async def test_the_same_story_twice_is_told_once(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    story = [ours.result(status) for status in (DOWN, DOWN, UP, UP)]
    for _ in range(3):
        await ours.ingest.take(ours.batch(*story))
    assert await ours.keys() == ["shop-1:opened:mail", "shop-1:recovered:mail"]


async def test_an_older_sequence_of_the_same_run_changes_nothing(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    late = ours.batch(ours.result(DOWN), ours.result(DOWN))
    await take(ours, UP)
    await ours.ingest.take(late)
    assert await ours.keys() == []


async def test_a_new_run_begins_anew_and_an_old_one_is_over(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    await take(ours, UP)
    for run, status in ((2, DOWN), (2, DOWN), (1, UP), (1, UP), (2, DOWN)):
        ours.order += 1
        result = fake_result("shop", status, clock.now(), (run << 32) + ours.order)
        await ours.ingest.take(Batch("local", run, ours.order, (result,)))
    assert await ours.keys() == ["shop-1:opened:mail"]
    assert ours.ingest.state("shop").outage.is_open


async def test_two_agents_do_not_hide_each_others_batches(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    for number in (1, 2):
        for agent in ("paris", "lyon"):
            ours.order += 1
            await ours.ingest.take(Batch(agent, 1, number, (fake_result("shop", DOWN, clock.now(), ours.order),)))
    assert ours.ingest.state("shop").views[0].sequence == 4


async def test_a_monitor_with_another_name_is_the_same_monitor(store: MemoryStore, clock: VirtualClock) -> None:
    ours = await desk(store, clock)
    await take(ours, DOWN, DOWN)
    await ours.ingest.configure([replace(fake_monitor(), name="Shop of Ana")])
    await take(ours, DOWN, UP, UP)
    assert await ours.keys() == ["shop-1:opened:mail", "shop-1:recovered:mail"]
    assert ours.ingest.monitor("shop") is not None
    assert ours.turns[-1].monitor.name == "Shop of Ana"


@pytest.mark.parametrize(("confirm", "opens"), [(1, True), (3, False)])
async def test_a_policy_that_changes_during_a_suspicion_decides_from_the_next_check_on(
    store: MemoryStore, clock: VirtualClock, confirm: int, opens: bool
) -> None:
    ours = await desk(store, clock)
    await take(ours, DOWN)
    await ours.ingest.configure([fake_monitor(policy=policies(confirm=confirm, recover=1, to=("mail",)))])
    assert await ours.keys() == []
    await take(ours, DOWN)
    assert bool(await ours.keys()) is opens


async def test_the_end_goes_to_the_channels_that_were_notified_and_the_next_opening_to_those_of_the_moment(
    store: MemoryStore, clock: VirtualClock
) -> None:
    ours = await desk(store, clock)
    await take(ours, DOWN, DOWN)
    await ours.ingest.configure([fake_monitor(policy=policies(confirm=2, recover=1, to=("chat",)))])
    await take(ours, UP)
    assert await ours.keys() == ["shop-1:opened:mail", "shop-1:recovered:mail"]
    await take(ours, DOWN, DOWN)
    assert (await ours.keys())[2:] == ["shop-2:opened:chat"]


async def test_a_batch_for_nobody_is_still_counted(store: MemoryStore, clock: VirtualClock) -> None:
    """Else it would come again and again."""
    ours = await desk(store, clock)
    batch = ours.batch(fake_result("stranger", DOWN, clock.now(), 1))
    await ours.ingest.take(batch)
    again = Ingest(store.ledger, store.archive, clock, hold_ms=0)
    await again.start()
    assert again._cursors["local"] == (batch.run, batch.sequence)
