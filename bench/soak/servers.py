"""A process of servers (`python -m bench.soak.servers healthy …`): says on one line which monitors look at them, hears when the script began, and
serves until its input ends.
"""

import argparse
import asyncio
import contextlib
import json
import sys
from pathlib import Path

from bench.soak import healthy, hostile
from bench.soak.plan import Group
from bench.soak.world import World
from vigie.descriptors import raise_limit

_NETWORKS = {Group.HEALTHY: 20, Group.HOSTILE: 40}


async def serve(group: Group, folder: Path, seconds: float, count: int) -> None:
    """Until nobody wants it any more."""
    async with contextlib.AsyncExitStack() as stack:
        world = World(folder, seconds, _NETWORKS[group], stack)
        await (healthy.build(world, count) if group is Group.HEALTHY else hostile.build(world))
        print(json.dumps([one.wire() for one in world.monitors]), flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            world.began = float(line)


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("group", type=Group)
    parser.add_argument("folder", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("count", type=int)
    given = parser.parse_args()
    raise_limit()
    asyncio.run(serve(given.group, given.folder, given.seconds, given.count))


if __name__ == "__main__":
    main()
