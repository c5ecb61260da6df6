"""What is handed over when: a failure at once, a long backlog within bounds, a refused batch without holding up the others."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.remote.test_spool import Numbers, numbers_of, opened

from vigie.core.model import Status
from vigie.engine.remote.link import LinkLog, wait_ms
from vigie.engine.remote.posting import Poster
from vigie.engine.remote.spool import Spool
from vigie.errors import UplinkError, UplinkFault
from vigie.fleet.batches import decode
from vigie.testing import VirtualClock


@dataclass
class Recorder:
    """Takes what it is given, or raises; `refused` are the results (by their first number) of batches that it never takes."""

    clock: VirtualClock
    raising: UplinkError | None = None
    refused: frozenset[int] = frozenset()
    calls: list[tuple[float, list[int]]] = field(default_factory=list)

    async def send(self, batches: Sequence[tuple[int, bytes]]) -> None:
        numbers = numbers_of([decode(body) for _, body in batches])
        self.calls.append((self.clock.monotonic(), numbers))
        if self.raising is not None:
            raise self.raising
        if self.refused & set(numbers):
            raise UplinkError(UplinkFault.REFUSED, "not of this agent", permanent=True)

    @property
    def taken(self) -> list[int]:
        return [number for _, numbers in self.calls if not self.refused.intersection(numbers) for number in numbers]


def poster_of(spool: Spool, clock: VirtualClock, uplink: Recorder) -> Poster:
    return Poster(uplink, spool, clock, LinkLog(clock, lambda: "so much waits"), "key")  # type: ignore[arg-type]  # only what it calls


@pytest.mark.virtual
async def test_once_a_second_and_a_failure_at_once(tmp_path: Path) -> None:
    made = Numbers()
    async with opened(tmp_path / "spool.db", threads=False) as (spool, clock):
        uplink = Recorder(clock)
        task = asyncio.create_task(poster_of(spool, clock, uplink).run())
        for _ in range(20):
            await spool.add([made.batch()])
            await asyncio.sleep(0.25)
        assert 4 <= len(uplink.calls) <= 7
        await asyncio.sleep(3)
        calls = len(uplink.calls)
        await spool.add([made.batch()])
        await asyncio.sleep(0.1)
        await spool.add([made.batch(status=Status.DOWN)])
        before = clock.monotonic()
        await asyncio.sleep(0.05)
        assert uplink.calls[-1][1] == [made.last]
        assert uplink.calls[-1][0] - before < 0.2
        assert len(uplink.calls) == calls + 2
        assert uplink.taken == list(range(1, made.last + 1))
        task.cancel()


@pytest.mark.virtual
async def test_a_refused_batch_is_found_and_given_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = Numbers()
    async with opened(tmp_path / "spool.db", threads=False) as (spool, clock):
        uplink = Recorder(clock, refused=frozenset((3, 17)))
        for _ in range(20):
            await spool.add([made.batch()])
        assert await poster_of(spool, clock, uplink).post()
        assert uplink.taken == [one for one in range(1, 21) if one not in (3, 17)]
        assert spool.backlog.batches == 0
        assert caplog.text.count("It is given up") == 1


@pytest.mark.virtual
async def test_a_link_that_is_down_is_said_once_and_tried_ever_less_often(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = Numbers()
    async with opened(tmp_path / "spool.db", threads=False) as (spool, clock):
        uplink = Recorder(clock, UplinkError(UplinkFault.UNREACHABLE, "nobody there", fix="start it"))
        task = asyncio.create_task(poster_of(spool, clock, uplink).run())
        await spool.add([made.batch()])
        await asyncio.sleep(1_800)
        assert 140 < len(uplink.calls) < 240
        assert [record.message for record in caplog.records] == [
            "nobody there. Checks go on, and what they find is kept here (so much waits). Fix: start it."
        ]
        uplink.raising = None
        await asyncio.sleep(60)
        assert "reached again after" in caplog.text
        assert spool.backlog.batches == 0
        task.cancel()


@pytest.mark.virtual
async def test_what_was_handed_over_lately_is_handed_over_again_after_a_fault(tmp_path: Path) -> None:
    """A broker that acknowledged may have lost it with its machine: what it had within the margin comes again, and then goes."""
    made = Numbers()
    async with opened(tmp_path / "spool.db", keep_seconds=600, threads=False) as (spool, clock):
        uplink = Recorder(clock)
        poster = poster_of(spool, clock, uplink)
        await spool.add([made.batch()])
        await poster.post()
        await asyncio.sleep(400)
        await spool.add([made.batch()])
        await poster.post()
        await asyncio.sleep(300)
        await spool.tidy()
        assert spool.backlog.size < 200  # the first is gone, the second is kept
        task = asyncio.create_task(poster.run())
        uplink.raising = UplinkError(UplinkFault.UNREACHABLE, "away")
        await spool.add([made.batch()])
        await asyncio.sleep(2)
        uplink.raising = None
        await asyncio.sleep(60)
        task.cancel()
        assert uplink.calls[-1][1] == [2, 3]
        await asyncio.sleep(601)
        await spool.tidy()
        assert spool.backlog.size == 0
    async with opened(tmp_path / "spool.db", threads=False) as (spool, _):
        assert spool.backlog.batches == 0


@pytest.mark.virtual
async def test_a_backlog_goes_out_a_megabyte_a_second(tmp_path: Path) -> None:
    made = Numbers()
    async with opened(tmp_path / "spool.db", threads=False) as (spool, clock):
        uplink = Recorder(clock)
        for _ in range(60):
            await spool.add([made.batch(shard, count=1_000) for shard in (1, 2)])
        size = spool.backlog.size
        task = asyncio.create_task(poster_of(spool, clock, uplink).run())
        await asyncio.sleep(size / 1024 / 1024 + 30)
        assert spool.backlog.batches == 0
        task.cancel()
        assert len(uplink.calls) >= size // (1024 * 1024)
        assert all(later - sooner >= 0.99 for (sooner, _), (later, _) in zip(uplink.calls, uplink.calls[1:], strict=False))
        assert sorted(uplink.taken) == list(range(1, made.last + 1))


def test_waits_grow_and_differ_by_agent() -> None:
    passing, refused = UplinkError(UplinkFault.TIMEOUT, "late"), UplinkError(UplinkFault.AUTH, "no", permanent=True)
    waits = [wait_ms(passing, attempt, "a") for attempt in range(1, 12)]
    assert 750 <= waits[0] <= 1_250
    assert 7_500 <= waits[-1] <= 12_500
    assert wait_ms(passing, 5, "a") != wait_ms(passing, 5, "b")
    assert 45_000 <= wait_ms(refused, 1, "a") <= 75_000
    assert wait_ms(UplinkError(UplinkFault.BUSY, "wait", retry_after_ms=120_000), 1, "a") == 120_000
    assert wait_ms(UplinkError(UplinkFault.BUSY, "wait", retry_after_ms=10**9), 1, "a") == 300_000
