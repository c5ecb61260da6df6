"""The endpoints of agents over real HTTP, by the uplink that agents have."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.web.agents._desk import Caller, gzipped, sealed, town

from vigie.clock import SystemClock
from vigie.core.model import Cause, Status
from vigie.errors import UplinkError, UplinkFault
from vigie.fleet import wire
from vigie.fleet.shards import shard_of


async def test_an_agent_learns_who_it_is_and_what_to_check(tmp_path: Path) -> None:
    """Monitors of its location and those of everywhere, one document a shard, each with its number and a run."""
    async with town(tmp_path) as one:
        paris = await one.enrolled("paris-1", "paris")
        welcome = await paris.introduce()
        assert (welcome.agent, welcome.place, welcome.protocol) == ("paris-1", "paris", 1)
        assert abs(welcome.at - SystemClock().now()) < 60_000
        work = await paris.learn()
        assert (work.whole, paris.monitors) == (True, {"everywhere", "paris-only"})
        for held in work.shards:
            assert held.run > 0
            assert all(shard_of(spec.monitor) == held.shard and spec.location == "paris" for spec in held.specs)
        again = await paris.introduce(welcome.spool)
        assert (again.spool, again.location) == (welcome.spool, welcome.location)
        assert {held.run for held in (await paris.learn()).shards} == {held.run for held in work.shards}


async def test_what_it_measures_is_on_the_disk_when_it_is_answered(tmp_path: Path) -> None:
    """And is evaluated: with another location, or alone."""
    async with town(tmp_path) as one:
        paris = await one.at_work("paris-1", "paris")
        down = {"cause": Cause.TCP_REFUSED, "message": "refused"}
        for number in range(2):
            batch = paris.measured("paris-only", Status.DOWN, SystemClock().now() - 20_000 + number * 10_000, **down)
            answer = await paris.post("batches", gzipped(sealed([batch])), **{"Content-Encoding": "gzip"})
            assert (answer.status_code, answer.content) == (204, b"")
        await paris.uplink().send([(batch.shard, b"".join([sealed([paris.measured("everywhere")])[4:]]))])
        runtime = one.server.runtime
        results = await runtime.store.archive.last_results()
        assert (results["paris-only"].status, results["paris-only"].location) == (Status.DOWN, "paris")
        assert results["everywhere"].location == "paris"
        assert [found.monitor for found in runtime.ingest.incidents()] == ["paris-only"]


async def test_a_batch_that_comes_again_changes_nothing(tmp_path: Path) -> None:
    async with town(tmp_path) as one:
        paris = await one.at_work("paris-1", "paris")
        body = sealed([paris.measured("paris-only")])
        for _ in range(3):
            assert (await paris.post("batches", body)).status_code == 204
        now = SystemClock().now()
        assert len(await one.server.runtime.store.history.results("paris-only", now - 60_000, now + 1)) == 1


async def test_orders_come_as_they_are_decided(tmp_path: Path) -> None:
    """Paces and checks out of turn of what it checks, changes of work, and nothing of others."""
    async with town(tmp_path) as one:
        paris, desk = await one.at_work("paris-1", "paris"), one.server.agents.desk
        assert paris.work is not None
        heard: asyncio.Queue[wire.Order] = asyncio.Queue()

        epoch = paris.work.epoch

        async def listen() -> None:
            async for order in paris.uplink().orders(epoch):
                heard.put_nowait(order)

        await desk.pace("paris-only", 1_000)  # before it listens
        listening = asyncio.create_task(listen())
        async with asyncio.timeout(20):
            assert await heard.get() == wire.Pace("paris-only", 1_000)
            await desk.pace("lyon-only", 1_000)
            await desk.pace("paris-only", None)
            await desk.check_now("paris-only")
            assert [await heard.get(), await heard.get()] == [wire.Pace("paris-only", None), wire.CheckNow("paris-only")]
            fewer = replace(
                one.server.settings, monitors=tuple(held for held in one.server.settings.monitors if held.monitor.id != "paris-only")
            )
            one.server.agents.use(fewer)
            await desk.settle()
            gone = await heard.get()
        assert isinstance(gone, wire.Work)
        assert [(held.shard, held.specs) for held in gone.shards] == [(shard_of("paris-only"), [])]
        assert (gone.whole, gone.epoch > paris.work.epoch) == (False, True)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_two_agents_of_a_location_share_its_work(tmp_path: Path) -> None:
    async with town(tmp_path) as one:
        first = await one.at_work("paris-1", "paris")
        second = await one.at_work("paris-2", "paris")
        await first.learn()
        assert first.monitors | second.monitors == {"everywhere", "paris-only"}
        assert first.monitors & second.monitors == set()


async def fault_of(work: Any) -> UplinkFault:
    with pytest.raises(UplinkError) as raised:
        await work
    return raised.value.fault


async def test_two_with_one_name_are_noticed(tmp_path: Path) -> None:
    """The one with the newer spool reports; the other one is refused, and that is shown."""
    async with town(tmp_path) as one:
        first = await one.at_work("paris-1", "paris")
        second = Caller(one.address, first.token)
        one.callers.append(second)
        assert first.welcome is not None
        newer = await second.introduce()
        assert newer.spool > first.welcome.spool
        assert await fault_of(first.introduce(first.welcome.spool)) is UplinkFault.REFUSED
        assert [(view.agent.name, view.copied) for view in await one.server.agents.desk.agents()] == [("paris-1", True)]
        assert (await first.post("batches", sealed([first.measured("paris-only")]))).status_code == 422
        assert (await second.introduce(newer.spool)).spool == newer.spool


async def test_a_clock_that_is_off_is_measured_and_corrected_for(tmp_path: Path) -> None:
    async with town(tmp_path) as one:
        paris, now = await one.at_work("paris-1", "paris"), SystemClock().now()
        assert paris.welcome is not None
        await paris.introduce(paris.welcome.spool, at=now + 3_600_000)
        (view,) = await one.server.agents.desk.agents()
        assert view.status is not None
        assert 3_590_000 < view.status.skew_ms <= 3_600_000
        assert (await paris.post("batches", sealed([paris.measured("paris-only", at=now + 3_599_000)]))).status_code == 204
        found = (await one.server.runtime.store.archive.last_results())["paris-only"]
        assert abs(found.at - now) < 60_000
