"""A fleet's results from publish to commit: how many a second on this machine, how late they are evaluated, and what it takes to hold them.

One evaluator with the listeners that a server has, a real nats-server with JetStream on a disk, a real PostgreSQL that syncs its commits.
Monitors are checked every minute from three locations, all well but one in two thousand; every result comes as an agent packs it:
33 bytes, and whole once an hour. The floor is nats-py publishing and reading the same messages while asyncpg writes the same bytes, and
nothing else. Throughput: messages of 400 results, from the first publish to the commit of the last. Lateness: on a simulated clock,
agents publish once a second, the evaluator takes as long as it takes. All on the cores of this machine, the servers included.
"""

import asyncio
import logging
import multiprocessing
import os
import random
import struct
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.ground import quantile, say
from vigie.buses import BusDeps
from vigie.buses import nats as nats_bus
from vigie.clock import SystemClock
from vigie.core.model import Cause, Certificate, CheckResult, Expiry, ExpiryKind, HttpFacts, Monitor, Status, Timings, TlsFacts
from vigie.engine.board import LiveBoard
from vigie.engine.check_summary import CheckSummary
from vigie.engine.ingest import Ingest
from vigie.engine.live import LiveHub
from vigie.engine.past import Pasts
from vigie.engine.refreshing import Refresher
from vigie.engine.self_monitor import SelfMonitor
from vigie.fleet import packed
from vigie.fleet.batches import PackedBatch, encode
from vigie.fleet.shards import SHARDS, shard_of
from vigie.memory import keep_collections_short
from vigie.net.nats.address import Config as NatsConfig
from vigie.ports import Commit, Store
from vigie.stores import StoreDeps, postgresql
from vigie.testing.fakes import fake_monitor, policies
from vigie.testing.nats_server import NatsServer
from vigie.testing.postgres_server import packaged_server, postgres, system_server

MONITORS = int(os.environ.get("FLEET_MONITORS", "110000"))  # some 430 in each shard
LOCATIONS = ("oslo", "paris", "rome")
START = 1_795_000_000_000 // 3_600_000 * 3_600_000 + 300_000
MINUTE, HOUR = 60_000, 3_600_000
ROUNDS = int(os.environ.get("FLEET_ROUNDS", "8"))
TARGET, LATE_MS = 300_000, 2_000
RECORD = struct.Struct("<IIBBH3s3s3s3s3s3sBH")
ROOMY = {"shared_buffers": "128MB", "wal_level": "replica"}
SAFE = {"fsync": "on", "full_page_writes": "on"}


@dataclass
class Agents:
    """What the agents of all locations pack: records as `Packer` makes them, built from parts, so that they cost this program little."""

    numbers: dict[str, int]
    locations: dict[str, int]
    monitors: Sequence[Monitor]
    sequence: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LOCATIONS, 65_536))
    batches: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Monitors by shard, and a stock of lengths: log-normal, as those of services are."""
        chance = random.Random(7)
        self.shards: list[list[str]] = [[] for _ in range(SHARDS)]
        for one in self.monitors:
            self.shards[shard_of(one.id)].append(one.id)
        self.bodies = [
            packed.body_of(CheckResult("", 0, Status.UP, timings=lengths(chance), http=HttpFacts(200, ""))) for _ in range(4_093)
        ]

    def batch(self, shard: int, location: str, base: int, names: Sequence[str], spread_ms: int, *, first: bool = False) -> PackedBatch:
        """One check of each of these; whole at the start, once an hour, and where it failed."""
        records: dict[int, list[bytes]] = {}
        whole: list[CheckResult] = []
        sequence, step = self.sequence[location], spread_ms // max(len(names), 1)
        for place, name in enumerate(names):
            sequence += 1
            number, offset = self.numbers[name], place * step
            fails = (number + base // MINUTE // 3) % 2_000 == 0
            if fails or first or (base // MINUTE + number) % 60 == 0:
                one = checked(name, base + offset, location, sequence, fails=fails)
                whole.append(one)
                body = packed.body_of(one)
            else:
                body = self.bodies[(number * 31 + sequence) % 4_093]
            records.setdefault(sequence >> 16, []).append(HEAD.pack(number, offset) + body + LOW.pack(0, sequence & 0xFFFF))
        self.sequence[location] = sequence
        key = location, shard
        self.batches[key] = self.batches.get(key, 0) + 1
        rows = packed.rows_of(base, [(self.locations[location], 7, block, b"".join(of)) for block, of in records.items()])
        return PackedBatch(f"probe-{location}", location, shard, 3, self.batches[key], base, rows.count, rows.body, tuple(whole))

    def minute(self, base: int, *, first: bool = False) -> list[PackedBatch]:
        """A minute of all of them, in a message for each shard and location."""
        return [
            self.batch(shard, place, base, names, MINUTE, first=first) for shard, names in enumerate(self.shards) for place in LOCATIONS
        ]

    def second(self, base: int, *, first: bool = False) -> list[PackedBatch]:
        """What is published in one second: a sixtieth of every shard."""
        turn = base // 1_000 % 60
        parts = ((shard, names[turn::60]) for shard, names in enumerate(self.shards))
        return [self.batch(shard, place, base, part, 1_000, first=first) for shard, part in parts if part for place in LOCATIONS]


HEAD, LOW = struct.Struct("<II"), struct.Struct("<BH")
LEAF = Certificate(
    "shop.example", "R11", START - 10**9, START + 5 * 10**9, "EC 256", "sha256", ("shop.example", "www.shop.example"), "ab" * 32
)
TLS = TlsFacts("TLSv1.3", "R11", "shop.example", START + 5 * 10**9, 57, (LEAF,))
ENDS = (Expiry("shop.example:443", ExpiryKind.CERTIFICATE, "shop.example", START + 5 * 10**9, START + 3 * 10**9, place="192.0.2.7"),)


def lengths(chance: random.Random) -> Timings:
    """Of one check, in ms."""
    dns, connect, tls, first, rest = (chance.lognormvariate(mean, 0.3) for mean in (0.5, 1.5, 2.5, 3.5, 0.0))
    return Timings(dns, connect, tls, first, rest, dns + connect + tls + first + rest)


def checked(name: str, at: int, location: str, sequence: int, *, fails: bool) -> CheckResult:
    """As a probe says it."""
    status, cause = (Status.DOWN, Cause.HTTP_STATUS) if fails else (Status.UP, None)
    facts = HttpFacts(503 if fails else 200, "2", bytes=18_213, type="text/html", headers={"server": "nginx", "via": "1.1 cache"})
    timings = Timings(1.6, 4.5, 12.2, 33.1, 1.0, 52.4)
    return CheckResult(
        name, at, status, cause, f"HTTP {facts.status}", timings, {"status": facts.status}, "192.0.2.7", ("192.0.2.7",), facts, TLS,
        location=location, run=7, sequence=sequence, expiries=ENDS,
    )  # fmt: skip


class Simulated:
    """A Clock that stands where it is put; what must be waited for takes real time."""

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        """Epoch ms."""
        return self.at

    def monotonic(self) -> float:
        """Seconds."""
        return self.at / 1000

    async def sleep(self, seconds: float) -> None:
        """Real ones."""
        await asyncio.sleep(seconds)


class Evaluator:
    """Ingest over a store with what listens to it in a server."""

    def __init__(self, store: Store, clock: Simulated, monitors: list[Monitor]) -> None:
        self.store, self.clock, self.monitors = store, clock, monitors
        self.ingest = Ingest(store.ledger, store.archive, clock, hold_ms=2_000, routine_level=logging.DEBUG, fleet=store.fleet)
        own = SelfMonitor(store.ledger, store.archive, self.ingest, clock, lambda: None, continuous=True, elapsed=clock.monotonic)
        own.use(monitors, 120_000, monitors)
        board = LiveBoard(self.ingest, clock, LiveHub(clock), lambda: monitors, lambda _: None, Pasts(None, store.archive, clock))
        summary = CheckSummary(clock, lambda: monitors, lambda: None)
        self.refresher = Refresher(self.ingest, store.archive, clock, board)
        self.ingest.listen_to_results(own.on_transition, own)
        self.ingest.listen_to_results(board.on_transition, self.refresher)
        self.ingest.listen_to_results(summary.on_transition, summary)
        self.board = board

    async def start(self) -> Agents:
        """Ready to evaluate; the agents that it gets results from."""
        await self.store.catalog.sync_monitors(self.monitors)
        await self.ingest.start(self.monitors)
        await self.ingest.configure(self.monitors)
        self.board.configure()
        locations = {place: await self.store.fleet.location_number(place) for place in LOCATIONS}
        return Agents(await self.store.fleet.monitor_numbers(), locations, self.monitors)

    async def flush(self) -> None:
        """Everything that was taken in is in the database."""
        await self.store.ledger.commit(Commit(commands=(2**40,)))


def published(url: str, blobs: Sequence[bytes], go: "multiprocessing.synchronize.Event") -> None:
    """The agents' side, a process of its own: what their spools hold, through the bus."""

    async def run() -> None:
        bus = nats_bus.build(NatsConfig.of(url, Path()), BusDeps(SystemClock()))
        await bus.open()
        go.set()
        for start in range(0, len(blobs), 256):
            await bus.publish_all(blobs[start : start + 256])
        await bus.close()

    logging.getLogger("vigie").setLevel(logging.ERROR)
    asyncio.run(run())


async def through(evaluator: Evaluator, url: str, blobs: Sequence[bytes]) -> float:
    """Seconds from the first publish to the commit of the last batch."""
    bus = nats_bus.build(NatsConfig.of(url, Path()), BusDeps(SystemClock()))
    await bus.open()
    context = multiprocessing.get_context("spawn")
    go = context.Event()
    process = context.Process(target=published, args=(url, blobs, go))
    process.start()
    await asyncio.to_thread(go.wait)
    began, taken = time.perf_counter(), 0
    async for group in bus.groups():
        await evaluator.ingest.take_packed(group.batches, group.position)
        taken += len(group.batches)
        if taken >= len(blobs):
            break
    await evaluator.flush()
    took = time.perf_counter() - began
    process.join()
    await bus.close()
    return took


def floor_published(url: str, blobs: Sequence[bytes], go: "multiprocessing.synchronize.Event") -> None:
    """The same messages by nats-py alone."""
    import nats

    async def run() -> None:
        client = await nats.connect(url)
        stream = client.jetstream()
        go.set()
        for start in range(0, len(blobs), 256):
            await asyncio.gather(*[stream.publish("floor.a", one) for one in blobs[start : start + 256]])
        await client.close()

    asyncio.run(run())


async def floor(url: str, database: str, blobs: Sequence[bytes]) -> float:
    """nats-py and asyncpg alone: publish, fetch, and write the same bytes in transactions of as many messages."""
    import asyncpg
    import nats

    client, pg = await nats.connect(url), await asyncpg.connect(database)
    stream = client.jetstream()
    await stream.add_stream(name="FLOOR", subjects=["floor.*"])
    await pg.execute("CREATE TABLE floor (id bigserial, base bigint, count int, body bytea)")
    pull = await stream.pull_subscribe("floor.a", "floor")
    context = multiprocessing.get_context("spawn")
    go = context.Event()
    process = context.Process(target=floor_published, args=(url, blobs, go))
    process.start()
    await asyncio.to_thread(go.wait)
    began: float = time.perf_counter()
    taken = 0
    while taken < len(blobs):
        messages = await pull.fetch(256, timeout=5)
        await pg.copy_records_to_table("floor", records=[(0, 400, one.data) for one in messages], columns=["base", "count", "body"])
        await asyncio.gather(*[one.ack() for one in messages])
        taken += len(messages)
    took: float = time.perf_counter() - began
    process.join()
    await client.close()
    await pg.close()
    return float(took)


async def lateness(evaluator: Evaluator, agents: Agents, seconds: int, *, first: bool) -> tuple[list[float], float]:
    """(ms from measured to decided and announced, of results all over each second; share of the time that the evaluator worked)."""
    lags, free, busy = list[float](), 0.0, 0.0
    begun = evaluator.clock.at
    for second in range(seconds):
        at = begun + second * 1_000
        batches = agents.second(at, first=first)
        evaluator.clock.at = at + 1_000
        started = time.perf_counter()
        await evaluator.ingest.take_packed(batches)
        await evaluator.refresher.refresh()
        took = (time.perf_counter() - started) * 1000
        busy += took
        free = max(free, second * 1_000 + 1_000) + took
        lags += [free - (second * 1_000 + part) for part in range(0, 1_000, 50)]
        await asyncio.sleep(0)
    return lags, busy / seconds / 1_000


@contextmanager
def services() -> Iterator[tuple[str, str]]:
    """The addresses of a bus and a database, with their data on a disk."""
    bins = packaged_server() or system_server()
    if bins is None:
        raise SystemExit("there is no PostgreSQL here")
    with tempfile.TemporaryDirectory(prefix="vigie-fleet-") as name, NatsServer(Path(name)) as bus, postgres(bins, ROOMY) as server:
        address = server.address(server.database())
        asyncio.run(made(address))
        server.stop()
        server.settings |= SAFE
        server.start()
        yield bus.url, address


async def made(database: str) -> None:
    """The tables, before anything is synced: thousands of new files would take a minute."""
    await opened(database).ledger.close()


def opened(database: str) -> Store:
    """The store."""
    return postgresql.build(postgresql.Config.of(database, Path()), StoreDeps(SystemClock()))


def memory() -> float:
    """MiB of this process."""
    return float(psutil.Process().memory_info().rss) / 2**20


async def measure(bus: str, database: str) -> None:
    """All of it, on one evaluator."""
    policy = policies(confirm=2, recover=2, to=("mail",), confirm_every_ms=10_000)
    monitors = [fake_monitor(f"service-{number}", policy=policy) for number in range(MONITORS)]
    keep_collections_short()  # as `vigie serve` does
    empty = memory()
    store = opened(database)
    evaluator = Evaluator(store, Simulated(START), monitors)
    agents = await evaluator.start()
    at_rest = memory()
    cold, share = await lateness(evaluator, agents, 60, first=True)
    say("lag, everything is new, p99", quantile(cold, 0.99), "ms", None, f"{MONITORS} monitors x {len(LOCATIONS)}; busy {share:.0%}")
    evaluator.clock.at = START + MINUTE
    steady, share = await lateness(evaluator, agents, 60, first=False)
    more = f"{MONITORS * 3 / 60:.0f} results/s; busy {share:.0%} of a core; agents publish once a second"
    say("lag from measured to decided, p99", quantile(steady, 0.99), "ms", LATE_MS, more)
    await evaluator.flush()
    say("memory of the evaluator", memory(), "MiB", None, f"{empty:.0f} before it had monitors, {at_rest:.0f} before results")
    rounds = [encode(one) for turn in range(ROUNDS) for one in agents.minute(START + (turn + 2) * MINUTE)]
    results = ROUNDS * MONITORS * len(LOCATIONS)
    size = sum(map(len, rounds)) / len(rounds)
    evaluator.clock.at = START + (ROUNDS + 2) * MINUTE
    least = results / await floor(bus, database, rounds)
    load = os.getloadavg()[0]
    cpu = time.process_time()
    ours = results / await through(evaluator, bus, rounds)
    cpu = (time.process_time() - cpu) / results * 1e6
    more = f"{len(rounds)} messages of {results / len(rounds):.0f} results, {size:.0f} bytes; {cpu:.2f} µs CPU of the evaluator each; load {load:.1f}"
    print(
        f"{'publish, consume, evaluate, commit':<52} {ours:>7.0f} /s    target {TARGET} {'ok' if ours >= TARGET else 'BELOW'}  {more}",
        flush=True,
    )
    print(f"{'nats-py and asyncpg alone':<52} {least:>7.0f} /s    x {least / ours:.2f}", flush=True)
    await store.ledger.close()


def main() -> None:
    """Print the figures."""
    logging.getLogger("vigie").setLevel(logging.CRITICAL)
    with services() as (bus, database):
        asyncio.run(measure(bus, database))


if __name__ == "__main__":
    main()
