"""A real agent as a process, against a scripted server over real HTTP: it starts, is killed, cut off, refused, stopped, and goes on."""

import asyncio
import signal
from pathlib import Path

from tests.remote.conftest import WELCOME, agent, results_of, spec_of, work_of
from vigie.core.model import Status
from vigie.errors import UplinkFault
from vigie.testing.agent_server import AgentServer
from vigie.testing.servers import page, serving


async def test_what_is_assigned_is_checked_and_handed_over(tmp_path: Path) -> None:
    async with serving(page(b"hello")) as port:
        specs = [spec_of(name, port) for name in ("shop", "api", "blog")]
        async with AgentServer(WELCOME, work_of(specs)) as server, agent(server.url, tmp_path / "state") as one:
            await server.until(lambda: len({result.monitor for result in results_of(server, specs)}) == 3)
            await server.until(lambda: len(results_of(server, specs)) >= 30)
            one.signal(signal.SIGTERM)
            assert await one.ended() == 0
    found = results_of(server, specs)
    assert {(result.location, result.run, result.status) for result in found} == {("paris", 41, Status.UP)}
    for name in ("shop", "api", "blog"):
        numbers = [result.sequence for result in found if result.monitor == name]
        assert numbers == sorted(set(numbers))
    assert [hello.spool for hello in server.hellos][:1] == [0]
