"""The same step gives the same answer: a history that was watched, put to the policy under which it was, gives the notices that were sent."""

import random

import pytest

from vigie.core.events import Acked, Resolved
from vigie.core.model import Monitor, Status
from vigie.core.notification import NoticeReason
from vigie.engine.rehearsal import Rehearsal
from vigie.ports import Notifier, OutboxState
from vigie.replay import people, recorded, replay
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel, FakeVigie, fake_monitor, policies
from vigie.testing.memory import MemoryStore
from vigie.testing.windows import one_off

pytestmark = pytest.mark.virtual
SECONDS = 3 * 3600
OURS = policies(confirm=2, confirm_every_ms=5_000, recover=2, remind_ms=1_800_000, to=("mail", "chat"), degraded_to=("mail",))


def troubled(seed: int) -> list[tuple[float, Status]]:
    """When the service becomes how: spells of seconds to half an hour."""
    chance, second, found = random.Random(seed), 0.0, list[tuple[float, Status]]()
    while second < SECONDS:
        found.append((second, chance.choice([Status.UP, Status.UP, Status.UP, Status.DOWN, Status.DOWN, Status.DEGRADED, Status.UNKNOWN])))
        second += chance.choice([7, 40, 90, 300, 600, 1_800])
    return found


@pytest.mark.parametrize("seed", range(2))
async def test_a_history_put_to_its_own_policy_gives_the_notices_that_were_sent(store: MemoryStore, clock: VirtualClock, seed: int) -> None:
    spells, start = troubled(seed), clock.now()

    def status(at: int) -> Status:
        return next(one for second, one in reversed(spells) if (at - start) / 1000 >= second)

    monitors = [fake_monitor(name, every_ms=30_000, host=f"{name}.example", policy=OURS) for name in ("shop", "blog")]
    channels: dict[str, Notifier] = {name: FakeChannel(clock) for name in ("mail", "chat")}
    async with FakeVigie(store, clock, monitors, status, channels).at_work() as vigie:
        await clock.sleep(3_600)
        await vigie.ingest.handle("shop", Acked(clock.now(), "ann"))
        await clock.sleep(3_600)
        await vigie.ingest.handle("shop", Resolved(clock.now(), "ann", "mended"))
        await clock.sleep(SECONDS - 7_200)
        rows = await store.ledger.notices(states=list(OutboxState))
        sent = {one.row.notice.key for one in rows if one.row.notice.reason not in (NoticeReason.REPORT, NoticeReason.BLIND)}
        sent -= {one.row.notice.key for one in rows if one.row.notice.subject == "vigie"}
        again = await put_again(store, monitors)

    assert again == sent
    assert len(sent) >= 4


async def put_again(store: MemoryStore, monitors: list[Monitor]) -> set[str]:
    """The keys of the notices of a rehearsal."""
    rehearsal, keys = Rehearsal(monitors, one_off), set[str]()
    waiting = sorted(await people(store.archive, 0), key=lambda one: one[1].at)
    async for result in recorded(store.archive, 0):
        while waiting and waiting[0][1].at < result.at:
            monitor, event = waiting.pop(0)
            keys |= {notice.key for one in rehearsal.say(monitor, event) for notice in one.notices}
        keys |= {notice.key for one in rehearsal.take(result) for notice in one.notices}
    return keys


async def test_what_is_false_and_missed_is_counted_and_a_confirm_is_suggested(store: MemoryStore, clock: VirtualClock) -> None:
    """Blips of 45 s at a pace of ten seconds, and an outage of ten minutes."""
    start, ours = clock.now(), policies(confirm=3, confirm_every_ms=10_000, recover=2, remind_ms=0, to=("mail",))
    blips = (600, 4_500, 8_300)

    def status(at: int) -> Status:
        second = (at - start) / 1000
        return Status.DOWN if any(one <= second < one + 45 for one in blips) or 9_500 <= second < 10_100 else Status.UP

    monitors = [fake_monitor(every_ms=10_000, policy=ours)]
    async with FakeVigie(store, clock, monitors, status, {"mail": FakeChannel(clock)}).at_work():
        await clock.sleep(SECONDS)
        loose = [fake_monitor(every_ms=10_000, policy=policies(confirm=100, flapping=False, remind_ms=0, to=("mail",)))]
        found = await replay((monitors, one_off), (loose, one_off), recorded(store.archive, 0), blip_ms=120_000)

    today = found.today.assessment
    assert (today.outages, today.blips, len(today.false), len(today.missed), today.openings) == (1, 3, 3, 0, 4)
    assert 20_000 <= (today.longest_ms or 0) <= 31_000
    assert found.suggestions == {"shop": 6}
    assert found.proposed is not None
    assert (len(found.proposed.sent), len(found.proposed.assessment.missed)) == (0, 1)


async def test_of_a_monitor_that_the_configuration_lacks_nothing_is_made(store: MemoryStore, clock: VirtualClock) -> None:
    async with FakeVigie(store, clock, [fake_monitor("gone")], lambda _: Status.UP, {}).at_work():
        await clock.sleep(300)
        found = await replay(([fake_monitor("shop")], one_off), None, recorded(store.archive, 0), blip_ms=120_000)

    assert found.results == 0
    assert found.unknown["gone"] >= 5
