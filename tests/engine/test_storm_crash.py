"""`kill -9` at random moments of a storm: no alert is lost, no member forgotten, and what is one failure stays one alert over every start."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from vigie.core.model import CheckResult, Incident, Status
from vigie.core.notification import OPENINGS, NoticeReason
from vigie.ports import OutboxState
from vigie.report.facts import Message
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing import VirtualClock, run_virtual
from vigie.testing.fakes import FakeChannel, FakeProbe, FakeVigie, fake_monitor, policies

from .test_crash import Fate, MortalChannel, MortalStore

START = 1_767_225_600_000
DOWN_FROM, DOWN_TO, END = START + 12_000, START + 60_000, START + 190_000
AWAY_MS, MONITORS = 2_000, 24
POLICY = policies(confirm=2, confirm_every_ms=1_000, recover=1, to=("mail", "chat"), flapping=False)


class AtOnePlace:
    """A probe of a service at the address that all of them have; some are well all the time."""

    def __init__(self, probe: FakeProbe) -> None:
        self._probe = probe

    async def check(self, timeout_ms: int) -> CheckResult:
        return replace(await self._probe.check(timeout_ms), address="192.0.2.7")


class Storm:
    """The outside world: it outlives every process."""

    def __init__(self, path: Path) -> None:
        self.path, self.now, self.points = path, START, 0
        self.told: list[tuple[str, Message]] = []
        self.kills = 0

    def live(self, last: int | None) -> None:
        """One life of Vigie, until it is killed at this point, or until all is over."""
        self.kills += last is not None
        run_virtual(self._life(last))

    async def _life(self, last: int | None) -> None:
        clock = VirtualClock(self.now)
        fate = Fate(last)
        channels = {name: FakeChannel(clock) for name in ("mail", "chat")}
        monitors = [fake_monitor(f"s{number}", every_ms=8_000, policy=POLICY) for number in range(MONITORS)]
        vigie = FakeVigie(
            MortalStore(SqliteStore(self.path, threads=False), fate), clock, monitors,
            lambda at: Status.DOWN if DOWN_FROM <= at < DOWN_TO else Status.UP,
            {name: MortalChannel(channel, fate) for name, channel in channels.items()},
        )  # fmt: skip
        vigie.probes = {name: AtOnePlace(probe) for name, probe in vigie.probes.items()}  # type: ignore[misc]
        starting = asyncio.create_task(vigie.start())
        dying = asyncio.create_task(fate.dead.wait())
        await asyncio.wait({dying}, timeout=max(END - self.now, 1) / 1000)
        self.told += [(name, message) for name, channel in channels.items() for _, message in channel.told]
        self.points, self.now = fate.count, clock.now() + AWAY_MS
        starting.cancel()

    async def incidents(self) -> tuple[list[Incident], int]:
        """All that is on record, and how many notices were never sent."""
        store = SqliteStore(self.path, threads=False)
        found = await store.archive.incidents(limit=1_000)
        unsent = len(await store.ledger.outbox(OutboxState.WAITING)) + len(await store.ledger.outbox(OutboxState.UNDELIVERABLE))
        for alert in {one.alert for one in found}:
            assert [one.id for one in await store.archive.members(alert)] == [one.id for one in reversed(found) if one.alert == alert]
        await store.close()
        return found, unsent


def judge(storm: Storm) -> None:
    found, unsent = asyncio.run(storm.incidents())
    ours = [one for one in found if one.monitor != "vigie"]
    assert unsent == 0
    assert {one.monitor for one in ours} == {f"s{number}" for number in range(MONITORS)}, "no member is forgotten"
    assert all(one.closed_at is not None for one in ours)
    alerts = {one.alert for one in ours}
    assert len(alerts) == 1, "one cause, however often Vigie was killed"
    for channel in ("mail", "chat"):
        once = {message.key: message.reason for name, message in storm.told if name == channel and message.thread in alerts}
        assert sum(reason in OPENINGS for reason in once.values()) == 1
        assert sum(reason is NoticeReason.RECOVERED for reason in once.values()) == 1
    counts = Counter((name, message.key) for name, message in storm.told)
    assert sum(count - 1 for count in counts.values()) <= 2 * storm.kills, "at most a repetition a kill and channel"


def test_a_storm_without_a_kill(tmp_path: Path) -> None:
    storm = Storm(tmp_path / "vigie.db")
    storm.live(None)
    judge(storm)


@pytest.mark.parametrize("seed", range(5))
def test_a_storm_of_a_process_that_is_killed_again_and_again(tmp_path: Path, seed: int) -> None:
    chance, storm = random.Random(seed), Storm(tmp_path / "vigie.db")
    while storm.kills < 6 and storm.now < DOWN_TO - 20_000:
        storm.live(chance.randint(2, 60))
    storm.live(None)
    judge(storm)
