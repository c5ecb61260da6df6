"""How long an agent takes to get its work from the bus, and to get a change of it: 10,000 monitors in 256 documents, a real NATS server.

`python -m bench.watch [MONITORS]`. Target (scale.md): a watch of 10,000 configurations within 0.5 s.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from vigie.buses import BusDeps
from vigie.buses.nats.bus import NatsBus
from vigie.clock import SystemClock
from vigie.fleet.shards import SHARDS, shard_of
from vigie.fleet.wire import CheckNow, ShardWork, Work
from vigie.net.nats.address import Config
from vigie.observation.check_spec import CheckSpec
from vigie.testing.nats_server import NatsServer
from vigie.uplinks import UplinkDeps
from vigie.uplinks.nats import build

ROUNDS = 5


def work_of(monitors: int, epoch: int, every_ms: int = 60_000) -> Work:
    shards: dict[int, list[CheckSpec]] = {shard: [] for shard in range(SHARDS)}
    for number in range(monitors):
        name = f"shop-{number:06}"
        url = f"https://{name}.example.com/health"
        options: dict[str, object] = {"url": url, "expect": {"status": "200-299", "keyword": "ok"}, "headers": {"X-Request": name}}
        shards[shard_of(name)].append(CheckSpec(name, f"Shop {number}", "http", url, f"{name}.example.com", every_ms, 10_000, options))
    found = [ShardWork(shard, 1, specs, list(range(len(specs)))) for shard, specs in shards.items() if specs]
    return Work(epoch, found, whole=True, control=["example.com:443"])


async def measured(monitors: int) -> None:
    with tempfile.TemporaryDirectory() as folder, NatsServer(Path(folder)) as server:
        bus = NatsBus(Config.of(server.url), BusDeps(SystemClock()))
        await bus.open()
        dispatch, work = bus.dispatch(lambda _: "paris"), work_of(monitors, 1)
        started = time.perf_counter()
        await dispatch.work("paris-1", work)
        print(f"written: {monitors:,} monitors in {len(work.shards)} documents in {time.perf_counter() - started:.3f} s")
        whole, changed, told = [], [], []
        for epoch in range(2, 2 + ROUNDS):
            uplink = build(Config.of(f"{server.url}?agent=paris-1&location=paris"), UplinkDeps(SystemClock()))
            started = time.perf_counter()
            orders = uplink.orders(0)
            got = await anext(orders)
            whole.append(time.perf_counter() - started)
            assert isinstance(got, Work)
            assert sum(len(one.specs) for one in got.shards) == monitors
            one = work.shards[epoch]
            started = time.perf_counter()
            await dispatch.work("paris-1", Work(epoch, [ShardWork(one.shard, epoch, one.specs, one.numbers)]))
            got = await anext(orders)
            changed.append(time.perf_counter() - started)
            assert isinstance(got, Work)
            assert len(got.shards) == 1
            started = time.perf_counter()
            await dispatch.check_now("paris-1", "shop-000001")
            assert isinstance(await anext(orders), CheckNow)
            told.append(time.perf_counter() - started)
            await uplink.close()
        print(f"watched from nothing: median {median(whole):.3f} s of {ROUNDS}, worst {max(whole):.3f} s")
        print(f"one shard changed, written and received: median {median(changed) * 1000:.1f} ms, worst {max(changed) * 1000:.1f} ms")
        print(f"an order, sent and received: median {median(told) * 1000:.1f} ms, worst {max(told) * 1000:.1f} ms")
        await bus.close()


if __name__ == "__main__":
    asyncio.run(measured(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
