"""Jobs that report over a real socket, on real time: each way to go wrong is found, and a job that does its work never accused."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx
import pytest
from tests.web._made import app_of
from tests.web._served import serving

from vigie.clock import SystemClock
from vigie.core.model import Cause, CheckResult, Status
from vigie.engine.heartbeats import Heartbeats, Watched
from vigie.net import Secret
from vigie.observation.heartbeat import Expected
from vigie.ports import Batch
from vigie.testing.fakes import fake_monitor
from vigie.testing.memory import MemoryStore

LONG = 60_000


@dataclass
class Jobs:
    """The address of a job, and what is said of it."""

    url: str = ""
    results: list[CheckResult] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, batch: Batch) -> None:
        self.results += batch.results
        self.came.set()

    async def report(self, *signals: str) -> None:
        async with httpx.AsyncClient() as client:
            for signal in signals:
                assert (await client.get(self.url + signal)).status_code == 200

    async def until(self, wanted: Callable[[CheckResult], bool]) -> None:
        async with asyncio.timeout(20):
            while not any(wanted(one) for one in self.results):
                self.came.clear()
                await self.came.wait()


@contextlib.asynccontextmanager
async def job(period: int = LONG, longest: int = LONG) -> AsyncIterator[Jobs]:
    """One that reports every `period` ms, a quarter of a second later at most, and runs for `longest` ms at most."""
    jobs, store = Jobs(), MemoryStore()
    heartbeats = Heartbeats(store.inbox, SystemClock(), jobs.publish)
    expected = Expected(f"every {period}", lambda at: at + period, 250, longest)
    await heartbeats.start([Watched(fake_monitor("backup"), Secret("token"), expected)], 1, listening=True)
    watching = asyncio.create_task(heartbeats.run())
    async with serving(app_of(None, heartbeats)) as listener:
        jobs.url = f"http://127.0.0.1:{listener.port}/ping/token"
        try:
            yield jobs
        finally:
            await heartbeats.stop()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


@pytest.mark.parametrize(
    ("times", "signals", "cause"),
    [
        ({"period": 250}, [""], Cause.HEARTBEAT_MISSED),
        ({"longest": 250}, ["/start"], Cause.HEARTBEAT_LATE),
        ({}, ["/start", "/fail"], Cause.HEARTBEAT_FAILED),
        ({}, ["/3"], Cause.HEARTBEAT_FAILED),
    ],
)
async def test_a_job_that_goes_wrong(times: dict[str, int], signals: list[str], cause: Cause) -> None:
    async with job(**times) as jobs:
        await jobs.report(*signals)
        await jobs.until(lambda one: (one.status, one.cause) == (Status.DOWN, cause))


@pytest.mark.parametrize("signals", [[""], ["/0"], ["/start", ""], ["/start", "/log", "/0"], ["/fail", ""]])
async def test_a_job_that_does_its_work(signals: list[str]) -> None:
    async with job() as jobs:
        await jobs.report(*signals)
        await jobs.until(lambda one: one.status is Status.UP)

    assert jobs.results[-1].status is Status.UP
    assert {one.cause for one in jobs.results} <= ({Cause.HEARTBEAT_FAILED, None} if "/fail" in signals else {None})
