"""A real agent as a process of its own, against a scripted server on loopback that checks a page there."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from vigie.core.model import CheckResult
from vigie.fleet.packing import expand
from vigie.fleet.shards import shard_of
from vigie.fleet.wire import ShardWork, Welcome, Work
from vigie.observation.check_spec import CheckSpec
from vigie.testing.agent_server import TOKEN, AgentServer

PATIENCE = 60.0
WELCOME = Welcome(1_767_225_600_500, "1.1", 1, 4, 99, "paris-1", "paris")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test of the whole program may be slow where the machine has other work."""
    for one in items:
        if one.path.parent == Path(__file__).parent and one.get_closest_marker("timeout") is None:
            one.add_marker(pytest.mark.timeout(3 * PATIENCE))


def spec_of(name: str, port: int, every_ms: int = 200) -> CheckSpec:
    """A page on loopback, looked at five times a second."""
    url = f"http://127.0.0.1:{port}/{name}"
    return CheckSpec(name, name, "http", url, "127.0.0.1", every_ms, 2_000, {"url": url})


def work_of(specs: Sequence[CheckSpec], epoch: int = 7, run: int = 41) -> Work:
    """All the work: these monitors, by their shards."""
    shards: dict[int, ShardWork] = {}
    for number, spec in enumerate(specs, 1):
        one = shards.setdefault(shard_of(spec.monitor), ShardWork(shard_of(spec.monitor), run, [], []))
        one.specs.append(spec)
        one.numbers.append(number)
    return Work(epoch, list(shards.values()), whole=True)


def results_of(server: AgentServer, specs: Sequence[CheckSpec]) -> list[CheckResult]:
    """What was taken, in the order in which it came."""
    ids, known = {number: spec.monitor for number, spec in enumerate(specs, 1)}, dict[tuple[str, str], CheckResult]()
    return [result for batch in server.batches for result in expand(batch, ids, known)]


class Running:
    """An agent as a process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._read = asyncio.create_task(self._collect())
        self._said = asyncio.Event()

    async def _collect(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.lines.append(line.decode())
            self._said.set()
        self._said.set()

    async def says(self, words: str) -> None:
        """Wait for a line of its log."""
        async with asyncio.timeout(PATIENCE):
            while not any(words in line for line in self.lines):
                self._said.clear()
                await self._said.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    async def ended(self) -> int:
        """Its exit status."""
        async with asyncio.timeout(PATIENCE):
            status = await self.process.wait()
            await self._read
        return status

    async def kill(self) -> None:
        """Kill -9."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        await self._read


@contextlib.asynccontextmanager
async def agent(url: str, state: Path, *more: str, environ: Mapping[str, str] | None = None, token: str = TOKEN) -> AsyncIterator[Running]:
    """A real `vigie agent`; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vigie", "agent", "--server", url, "--state", str(state), *more),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "VIGIE_AGENT_TOKEN": token, **(environ or {})},
        cwd=state.parent,
    )
    running = Running(process)
    try:
        yield running
    finally:
        await running.kill()
