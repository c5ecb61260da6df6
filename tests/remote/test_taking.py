"""What a prober publishes again after an interruption is taken once."""

import asyncio
from pathlib import Path
from typing import Any

from tests.remote.conftest import WELCOME, spec_of, work_of
from tests.remote.test_spool import handed, opened

from vigie.core.model import CheckResult, Status
from vigie.engine.remote.agent import RemoteAgent
from vigie.ports import Batch


class Nothing:
    """A prober that checks nothing."""

    def compact(self, specs: Any) -> Any:
        return list(specs)

    async def use(self, *_: Any) -> None:
        pass


def batch(*numbers: int) -> Batch:
    return Batch("local", 0, 1, tuple(CheckResult("shop", 1_767_225_600_000 + one, Status.UP, sequence=one) for one in numbers))


async def test_a_repeated_publication_is_taken_once(tmp_path: Path) -> None:
    async with opened(tmp_path / "spool.db") as (spool, clock):
        agent = RemoteAgent(None, spool, clock, "1", lambda _: Nothing())  # type: ignore[arg-type, return-value]  # neither is used
        await agent._known(WELCOME)
        await agent._do(work_of([spec_of("shop", 80)]))
        first = asyncio.create_task(agent.take(batch(1, 2, 3)))
        await asyncio.sleep(0)
        first.cancel()  # as a prober is that stops in the middle of it
        await asyncio.gather(first, return_exceptions=True)
        await agent.take(batch(1, 2, 3, 4))
        await agent.take(batch(5))
        found = await handed(spool)
        assert [one.count for one in found] == [3, 1, 1]
        for loop in agent._loops:
            loop.cancel()
