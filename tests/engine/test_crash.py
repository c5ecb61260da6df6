"""`kill -9` at every point where something leaves the process: no incident and no page is lost, at most one page comes twice a kill."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from vigie.core.events import Acked, AckRecorded, Opened
from vigie.core.model import Status
from vigie.core.notification import Notice
from vigie.ports import OutboxState, Receipt, Store
from vigie.report.facts import Message
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing import VirtualClock, run_virtual
from vigie.testing.fakes import FakeChannel, FakeModel, FakeVigie, fake_monitor
from vigie.testing.memory import MemoryStore

START = 1_767_225_600_000
DOWN_FROM, DOWN_TO, END = START + 6_000, START + 25_000, START + 150_000
AWAY_MS = 3_000
CHUNKS = 12
WRITES = ("commit", "record", "save_report", "sync_monitors", "next_run")


class Fate:
    """Counts the points at which a process may be killed; at the `last`-th, and ever after, nothing comes back any more."""

    def __init__(self, last: int | None = None) -> None:
        self.count, self._last = 0, last
        self.dead = asyncio.Event()

    def kill_after(self, points: int) -> None:
        """At the `points`-th from now."""
        self._last = self.count + points

    async def point(self) -> None:
        self.count += 1
        if self._last is not None and self.count >= self._last:
            self.dead.set()
        if self.dead.is_set():
            await asyncio.Event().wait()


class MortalStore:
    """A real store with a point before and after everything it writes."""

    def __init__(self, store: Store, fate: Fate) -> None:
        self.ledger: Any = MortalSide(store.ledger, fate)
        self.archive, self.inbox, self.accounts, self.close = store.archive, store.inbox, store.accounts, store.close
        self.fleet = store.fleet
        self.history = store.history
        self.catalog: Any = MortalSide(store.catalog, fate)


class MortalSide:
    def __init__(self, side: Any, fate: Fate) -> None:
        self._side, self._fate = side, fate

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._side, name)
        return self._mortal(real) if name in WRITES else real

    def _mortal(self, real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **named: Any) -> Any:
            await self._fate.point()
            found = await real(*args, **named)
            await self._fate.point()
            return found

        return call

    async def claim(self, *args: Any) -> Any:
        if self._fate.dead.is_set():
            await asyncio.Event().wait()
        rows = await self._side.claim(*args)
        if rows:
            await self._fate.point()
        return rows


class MortalChannel:
    """A channel with a point before and after the outside world has the message."""

    def __init__(self, inner: FakeChannel, fate: Fate) -> None:
        self._inner, self._fate = inner, fate

    async def deliver(self, message: Message) -> Receipt:
        await self._fate.point()
        answer = await self._inner.deliver(message)
        await self._fate.point()
        return answer

    async def examine(self) -> str:
        return ""


class History:
    """The outside world: a service that fails once, a mailbox that outlives every process, and the clock on the wall."""

    def __init__(self, path: Path) -> None:
        self.path, self.now = path, START
        self.told: list[str] = []
        self.points = 0

    def status(self, at: int) -> Status:
        return Status.DOWN if DOWN_FROM <= at < DOWN_TO else Status.UP

    def live(self, last: int | None) -> None:
        """One life of Vigie: until it is killed, or until the end of the story."""
        run_virtual(self._life(last))

    async def _life(self, last: int | None) -> None:
        clock = VirtualClock(self.now)
        fate, channel = Fate(last), FakeChannel(clock)
        store = MortalStore(SqliteStore(self.path, threads=False), fate)
        vigie = FakeVigie(
            store,
            clock, [fake_monitor(every_ms=5_000)], self.status, {"mail": MortalChannel(channel, fate)},
            model=FakeModel(clock), hold_ms=2_000,
        )  # fmt: skip
        starting = asyncio.create_task(vigie.start())
        dying = asyncio.create_task(fate.dead.wait())
        await asyncio.wait({dying}, timeout=max(END - self.now, 1) / 1000)
        self.told += channel.keys()
        self.points = fate.count
        self.now = clock.now() + AWAY_MS
        starting.cancel()

    async def books(self) -> tuple[list[Any], list[Notice], list[Notice]]:
        store = SqliteStore(self.path, threads=False)
        found = (
            await store.archive.incidents(),
            [row.notice for row in await store.ledger.outbox(OutboxState.WAITING)],
            [row.notice for row in await store.ledger.outbox(OutboxState.UNDELIVERABLE)],
        )
        await store.close()
        return found


def judge(history: History, kills: int) -> None:
    """Everything is accounted for."""
    incidents, unsent, buried = asyncio.run(history.books())
    assert [one.id for one in incidents] == ["shop-1"]
    assert incidents[0].closed_at is not None
    assert unsent == buried == []
    counts = Counter(history.told)
    assert {"shop-1:opened:mail", "shop-1:recovered:mail"} <= counts.keys() <= {
        "shop-1:opened:mail", "shop-1:recovered:mail", "shop-1:report:mail",
    }  # fmt: skip
    assert sum(count - 1 for count in counts.values()) <= kills
    assert history.told.index("shop-1:opened:mail") < history.told.index("shop-1:recovered:mail")


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> int:
    """At how many points the story could be cut."""
    history = History(tmp_path_factory.mktemp("whole") / "vigie.db")
    history.live(None)
    judge(history, 0)
    assert history.points > 40
    return history.points


@pytest.mark.parametrize("chunk", range(1, CHUNKS + 1))
def test_a_process_killed_at_any_point_loses_no_incident_and_no_page(tmp_path: Path, points: int, chunk: int) -> None:
    for last in range(chunk, points + 1, CHUNKS):
        history = History(tmp_path / f"{last}.db")
        history.live(last)
        history.live(None)
        judge(history, 1)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("point", [1, 2, 3])
def test_an_acknowledgement_survives_a_kill(kind: str, point: int, tmp_path: Path) -> None:
    """Before, between and after the write that applies it: it is applied once, or it waits for the next start."""
    memory = MemoryStore()
    path = tmp_path / "vigie.db"

    def opened() -> Store:
        return memory.reopen() if kind == "memory" else SqliteStore(path, threads=False)

    async def life(now: int, *, killed: bool) -> int:
        clock, fate, store = VirtualClock(now), Fate(), opened()
        vigie = FakeVigie(
            MortalStore(store, fate), clock, [fake_monitor(every_ms=5_000)], lambda _: Status.DOWN, {"mail": FakeChannel(clock)}
        )
        starting = asyncio.create_task(vigie.start())
        await clock.sleep(20)
        if killed:
            await store.inbox.enqueue_command("shop", Acked(clock.now(), "ana"))
            fate.kill_after(point)
            await clock.sleep(5)
            assert fate.dead.is_set()
        else:
            assert (await store.archive.incidents())[0].acked_by == "ana"
            assert await store.inbox.commands() == []
            assert [type(one.decision) for one in await store.archive.timeline("shop-1")] == [Opened, AckRecorded]
        starting.cancel()
        return clock.now()

    later: list[int] = []
    run_virtual(_into(later, life(START, killed=True)))
    run_virtual(_into(later, life(later[0] + AWAY_MS, killed=False)))


async def _into(found: list[int], work: Awaitable[int]) -> None:
    found.append(await work)


@pytest.mark.parametrize("seed", range(8))
def test_a_process_killed_again_and_again_loses_nothing_either(tmp_path: Path, points: int, seed: int) -> None:
    chance, kills = random.Random(seed), 0
    history = History(tmp_path / "vigie.db")
    while history.now < DOWN_TO - 12_000 and kills < 4:
        history.live(chance.randint(1, points // 2))
        kills += 1
    history.live(None)
    judge(history, kills)
