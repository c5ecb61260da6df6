"""What 1,000 monitors cost in a form of Vigie, measured part by part: CPU, memory, disk, network, WAL.

Real processes watch services of loopback, each in a network of its own, so that what it sends and is sent is counted apart. Checks are
made more often than people have them made (`--every`), so that a minute says enough; everything that comes by the check is then given for
1,000 monitors at 60 seconds. Memory is as it is.

    python -m bench.sizing [--form embedded|pair|fleet] [--monitors 1000] [--every 5] [--seconds 60]

Needs namespaces (Linux, `unshare`); without them no network is counted.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from tests.chaos.fleet import READY_SECONDS, Deployment
from tests.chaos.forms import FORMS
from tests.chaos.network import INSIDE, Namespaces, Relays, enter
from tests.chaos.script import Script
from tests.chaos.world import World, until

_SETTLE_SECONDS = 15.0
_A_MINUTE = 1_000 / 60  # checks a second of 1,000 monitors at 60 s
_A_DAY = 1_000 * 1_440  # checks a day of the same


@dataclass(frozen=True, slots=True)
class Reading:
    """One part at one moment: seconds of CPU, bytes of memory (shared pages by their share), of its folder, and of its network both ways."""

    cpu: float
    memory: int
    disk: int
    network: int


def read(deployment: Deployment, name: str) -> Reading:
    """One part now."""
    pid = deployment.parts[name].pid
    assert pid is not None, f"{name} does not run"
    own = psutil.Process(pid)
    family = [own, *own.children(recursive=True)]
    cpu = (
        sum(each.cpu_times().user + each.cpu_times().system for each in family)
        + own.cpu_times().children_user
        + own.cpu_times().children_system
    )
    memory = sum(each.memory_full_info().pss for each in family)
    disk = sum(file.stat().st_blocks * 512 for file in (deployment.folder / name).rglob("*") if file.is_file())
    return Reading(cpu, memory, disk, _network(name))


def _network(name: str) -> int:
    if INSIDE not in os.environ:
        return 0
    said = subprocess.run(["ip", "-n", name, "-j", "-s", "link", "show", "eth0"], capture_output=True, check=True).stdout
    counted = json.loads(said)[0]["stats64"]
    return int(counted["rx"]["bytes"] + counted["tx"]["bytes"])


async def wal(address: str) -> int:
    """How many bytes of write-ahead log PostgreSQL has written; 0 where there is none."""
    if not address.startswith("postgresql:"):
        return 0
    import asyncpg

    connection = await asyncpg.connect(address)
    try:
        return int(await connection.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"))
    finally:
        await connection.close()


async def main(form: str, monitors: int, every: int, seconds: float) -> None:
    """Start it, let it settle, look at it twice, and print the difference."""
    parts = FORMS[form].parts
    network = Namespaces(list(parts)) if INSIDE in os.environ else Relays()
    world = World(Script(round(seconds * 1000), {f"m{number:04}": () for number in range(monitors)}))
    await world.open(network.host("world"))
    with tempfile.TemporaryDirectory(prefix="vigie-sizing-") as name:
        deployment = Deployment(network, world, Path(name), each={"every": f"{every}s"}, small_disks=False)
        try:
            await FORMS[form].prepare(deployment)
            await until("each monitor was checked", lambda: world.checks > monitors, READY_SECONDS + 2 * every)
            await asyncio.sleep(_SETTLE_SECONDS)
            before, checks, log, began = (
                {one: read(deployment, one) for one in parts},
                world.checks,
                await wal(deployment.store),
                time.monotonic(),
            )
            await asyncio.sleep(seconds)
            after, lasted = {one: read(deployment, one) for one in parts}, time.monotonic() - began
            tell(form, monitors, before, after, world.checks - checks, await wal(deployment.store) - log, lasted)
        finally:
            await deployment.stop()
            await world.close()


def tell(form: str, monitors: int, before: dict[str, Reading], after: dict[str, Reading], checks: int, log: int, seconds: float) -> None:
    """A table in Markdown."""
    print(
        f"{form}: {monitors} monitors, {checks / seconds:.0f} checks/s for {seconds:.0f} s, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n"
    )
    print("| part | CPU, µs a check | CPU for 1,000 monitors at 60 s | memory | network for the same | disk grew meanwhile by |")
    print("|---|---|---|---|---|---|")
    for name, last in after.items():
        first, mine = (
            before[name],
            checks / len([one for one in after if one.startswith("agent")] or [1]) if name.startswith("agent") else checks,
        )
        cpu, disk, bytes_ = (last.cpu - first.cpu) / mine, last.disk - first.disk, (last.network - first.network) / mine
        print(
            f"| {name} | {cpu * 1e6:.0f} | {cpu * _A_MINUTE:.2%} of a core | {last.memory / 2**20:.0f} MiB | {bytes_ * 8 * _A_MINUTE / 1e3:.0f} kbit/s | {disk / 1e6:.1f} MB |"
        )
    if log:
        print(
            f"\nWAL: {log / checks:.0f} bytes a check, {log / checks * _A_DAY / 1e6:.0f} MB a day for 1,000 monitors at 60 s from one place"
        )


if __name__ == "__main__":
    if INSIDE not in os.environ and (namespaces := enter()) is not None:
        os.environ[INSIDE] = "1"
        os.execvp(namespaces[0], [*namespaces, sys.executable, "-m", "bench.sizing", *sys.argv[1:]])
    parser = argparse.ArgumentParser(prog="python -m bench.sizing")
    parser.add_argument("--form", choices=FORMS, default="fleet")
    parser.add_argument("--monitors", type=int, default=1_000)
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0)
    found = parser.parse_args()
    asyncio.run(main(found.form, found.monitors, found.every, found.seconds))
