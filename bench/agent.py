"""Memory of `vigie agent` with 1,000 and 10,000 monitors, how late its checks start, and what it costs to be cut off and to replay.

The server is a scripted one in this process; the services are one nginx. What is summed is the resident memory of the agent and of the
process in which pages are read, the files that both map counted once (see ground.resident).
"""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import psutil

from bench.ground import cpu, folder, needed, nginx, resident, say
from vigie.fleet.batches import decode
from vigie.fleet.shards import shard_of
from vigie.fleet.wire import ShardWork, Welcome, Work
from vigie.observation.check_spec import CheckSpec
from vigie.testing.agent_server import TOKEN, AgentServer

WELCOME = Welcome(1, "bench", 1, 4, 99, "paris-1", "paris")
CUT_OFF_SECONDS = 90
COUNTED: dict[AgentServer, int] = {}


def work(url: str, count: int) -> Work:
    """So many monitors every minute: of one nginx, but limited as those of 500 hosts are."""
    shards: dict[int, ShardWork] = {}
    for number in range(count):
        name = f"m{number}"
        spec = CheckSpec(name, name, "http", url, f"host-{number % 500}", 60_000, 10_000, {"url": url})
        one = shards.setdefault(shard_of(name), ShardWork(shard_of(name), 41, [], []))
        one.specs.append(spec)
        one.numbers.append(number)
    return Work(7, list(shards.values()), whole=True)


def taken(server: AgentServer) -> int:
    """Results that the server has. Each batch is read once, and not kept."""
    COUNTED[server] = COUNTED.get(server, 0) + sum(decode(blob).count for _, blob in server.taken)
    server.taken.clear()
    return COUNTED[server]


def pids(agent: int) -> list[int]:
    """The agent and its children."""
    return [agent, *(one.pid for one in psutil.Process(agent).children(recursive=True))]


async def measure(url: str, count: int, target: float) -> None:
    """One size."""
    with folder() as place:
        async with AgentServer(WELCOME, work(url, count)) as server:
            with (place / "console").open("w") as console:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "vigie", "agent", "--server", server.url, "--state", str(place / "state")),
                    stderr=console,
                    env={**os.environ, "VIGIE_AGENT_TOKEN": TOKEN},
                )
            try:
                await linked(server, count, process.pid, target)
                await cut_off(server, count, place, process.pid, target)
            finally:
                process.send_signal(signal.SIGTERM)
                await process.wait()


async def linked(server: AgentServer, count: int, agent: int, target: float) -> None:
    """Once every monitor had its first look."""
    await server.until(lambda: taken(server) >= count, 420)
    before, began = cpu(pids(agent)), time.monotonic()
    await asyncio.sleep(60)
    used = (cpu(pids(agent)) - before) / (time.monotonic() - began) * 100
    together, each = resident(pids(agent))
    say(f"resident, {count:,} monitors", together, "MB", target, "by ps: " + ", ".join(f"{one:.0f}" for one in each))
    say(f"start of a check late at p99, {count:,} monitors", server.hellos[-1].late_ms, "ms", 20)
    say(f"CPU, {count:,} monitors every minute", used, "% of a core")


async def cut_off(server: AgentServer, count: int, place: Path, agent: int, target: float) -> None:
    """The server is away for a while, and comes back."""
    await server.stop()
    before = taken(server)
    await asyncio.sleep(CUT_OFF_SECONDS)
    size = sum(one.stat().st_size for one in (place / "state").iterdir())
    say(f"spool after {CUT_OFF_SECONDS} s without a link, {count:,} monitors", size / 1e6, "MB")
    began = time.monotonic()
    await server.start()
    missed = count * CUT_OFF_SECONDS // 60
    await server.until(lambda: taken(server) - before >= missed, 120)
    say("until all of it was replayed", time.monotonic() - began, "s")
    say(f"resident then, {count:,} monitors", resident(pids(agent))[0], "MB", target)


async def main() -> None:
    """Every size."""
    if needed("nginx", "nginx-light") is None:
        return
    with nginx() as (plain, _, _):
        for count in [int(one) for one in sys.argv[1:]] or [1_000, 10_000]:
            await measure(plain, count, 100 if count <= 1_000 else 150)


if __name__ == "__main__":
    asyncio.run(main())
