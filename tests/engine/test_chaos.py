"""Everything at once: a store and channels that fail at random, a clock that jumps, reloads, people who acknowledge; no page lost, none twice.

A failure names its seed: `random.Random(seed)` makes the same story again.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from vigie.core.events import Acked, Opened, Resolved
from vigie.core.model import Status
from vigie.core.notification import NoticeReason
from vigie.core.subject import VIGIE_ID
from vigie.errors import DeliveryError, DeliveryReason, StoreError, StoreFault
from vigie.ports import OutboxState, Receipt
from vigie.testing import VirtualClock
from vigie.testing.fakes import FakeChannel, FakeModel, FakeVigie, fake_monitor, policies
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
ROUGH_S, CALM_S = 240, 1_400
ENDS = (NoticeReason.RECOVERED, NoticeReason.CLOSED)


class Moody:
    """A store that fails now and then; what fails has changed nothing."""

    def __init__(self, store: MemoryStore, chance: random.Random) -> None:
        self.chance, self.mood = chance, 0.0
        self.ledger: Any = MoodySide(store.ledger, self)
        self.archive: Any = MoodySide(store.archive, self)
        self.inbox: Any = MoodySide(store.inbox, self)
        self.history: Any = MoodySide(store.history, self)
        self.catalog: Any = MoodySide(store.catalog, self)
        self.accounts: Any = MoodySide(store.accounts, self)
        self.fleet: Any = MoodySide(store.fleet, self)
        self.close = store.close


class MoodySide:
    def __init__(self, side: object, store: Moody) -> None:
        self._side, self._store = side, store

    def __getattr__(self, name: str) -> Any:
        real: Callable[..., Any] = getattr(self._side, name)
        if name.startswith("_") or name == "next_run":
            return real

        async def call(*args: Any, **more: Any) -> Any:
            chance = self._store.chance
            await asyncio.sleep(chance.choice([0, 0, 0.001, 0.05]))
            if chance.random() < self._store.mood:
                raise StoreError(chance.choice([StoreFault.FULL, StoreFault.BUSY]), "in a mood")
            return await real(*args, **more)

        return call


class MoodyChannel(FakeChannel):
    """A channel that refuses, stalls or breaks now and then; it never takes a message and then says that it did not."""

    chance = random.Random(0)
    mood = 0.0

    async def deliver(self, message: Any) -> Receipt:
        if self.chance.random() < self.mood:
            what = self.chance.randrange(4)
            if what == 0:
                raise DeliveryError(DeliveryReason.REFUSED, "in a mood")
            if what == 1:
                raise KeyError("a bug")
            await self.clock.sleep(100 if what == 2 else self.chance.random() * 5)
            if what == 2:
                raise DeliveryError(DeliveryReason.TIMEOUT, "too late")
        return await FakeChannel.deliver(self, message)


class Story:
    """Three services that come and go by chance, and an engine that watches them meanwhile."""

    def __init__(self, store: MemoryStore, clock: VirtualClock, seed: int) -> None:
        self.chance, self.clock = random.Random(seed), clock
        self.store = Moody(store, self.chance)
        self.channels = {name: MoodyChannel(clock) for name in ("mail", "chat")}
        for channel in self.channels.values():
            channel.chance = self.chance
        policy = policies(
            confirm=2, confirm_every_ms=1_000, recover=2, remind_ms=120_000, to=("mail", "chat"), degraded_to=("mail", "chat")
        )
        self.monitors = [fake_monitor(f"shop{number}", every_ms=20_000, policy=policy) for number in range(3)]
        self.day = Status.UP
        model = FakeModel(clock, takes=3.0)
        self.vigie = FakeVigie(
            self.store, clock, self.monitors, lambda _: self.day, dict(self.channels), model=model, hold_ms=2_000,
        )  # fmt: skip

    async def rough(self) -> None:
        """Five minutes of everything."""
        self.store.mood = self.chance.choice([0.0, 0.02, 0.1])
        mood = self.chance.choice([0.0, 0.3, 0.7])
        for channel in self.channels.values():
            channel.mood = mood
        begun = self.clock.monotonic()
        while self.clock.monotonic() - begun < ROUGH_S:
            await self.clock.sleep(self.chance.random() * 20)
            await self.chance.choice([self.turn, self.turn, self.step, self.reload, self.leave, self.nothing])()

    async def turn(self) -> None:
        self.day = self.chance.choice([Status.UP, Status.DOWN, Status.DOWN, Status.DEGRADED, Status.UNKNOWN])

    async def step(self) -> None:
        self.clock.step(self.chance.choice([-86_400_000, -5_000, 5_000, 3_600_000, 86_400_000]))

    async def reload(self) -> None:
        changed = [replace(one, detection=replace(one.detection, recover=self.chance.randrange(1, 4))) for one in self.monitors]
        for attempt in range(50):
            try:
                await self.vigie.ingest.configure(changed)
            except StoreError:
                await self.clock.sleep(attempt)
            else:
                return

    async def leave(self) -> None:
        event = self.chance.choice([Acked(self.clock.now(), "ana"), Resolved(self.clock.now(), "ana", "done")])
        mood, self.store.mood = self.store.mood, 0.0
        await self.store.inbox.enqueue_command(self.chance.choice(self.monitors).id, event)
        self.store.mood = mood

    async def nothing(self) -> None:
        """Also a thing that happens."""

    async def calm(self) -> None:
        """All is well again, long enough for the longest wait."""
        self.day, self.store.mood = Status.UP, 0.0
        for channel in self.channels.values():
            channel.mood = 0.0
        await self.clock.sleep(CALM_S)


@pytest.mark.parametrize("seed", range(6))
async def test_every_page_is_told_once_to_every_channel(store: MemoryStore, clock: VirtualClock, seed: int) -> None:
    story = Story(store, clock, seed)
    await story.vigie.start()
    await story.rough()
    await story.calm()
    incidents = await store.archive.incidents(limit=1_000)
    timelines = {one.id: await store.archive.timeline(one.id) for one in incidents}
    unsent, buried = await store.ledger.outbox(OutboxState.WAITING), await store.ledger.outbox(OutboxState.UNDELIVERABLE)
    await story.vigie.stop()

    assert (unsent, buried) == ([], []), seed
    assert all(one.closed_at is not None for one in incidents), seed
    for name, channel in story.channels.items():
        heard = channel.keys()
        assert not [key for key, count in Counter(heard).items() if count > 1], (seed, heard)
        told = [key for key in heard if ":instead:" not in key]
        for one in incidents:
            if one.monitor == VIGIE_ID:  # nothing was seen for minutes: told once, at its end
                assert f"{one.id}:blind:{name}" in told, (seed, one.id)
                continue
            assert f"{one.id}:opened:{name}" in told, (seed, one.id)
            assert len([reason for reason in ENDS if f"{one.id}:{reason}:{name}" in told]) == 1, (seed, one.id)
            mine = [key for key in told if key.startswith(f"{one.id}:")]
            assert mine[0] == f"{one.id}:opened:{name}", (seed, mine)
    for one in [one for one in incidents if one.monitor != VIGIE_ID]:
        assert len([entry for entry in timelines[one.id] if isinstance(entry.decision, Opened)]) == 1
