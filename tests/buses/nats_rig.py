"""What the tests of the bus on NATS share: a server for a module, and the bus of a test, with streams of its own."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from vigie.buses import BusDeps
from vigie.buses.nats.bus import NatsBus
from vigie.clock import SystemClock
from vigie.core.model import CheckResult, Status
from vigie.errors import BusError
from vigie.fleet.batches import PackedBatch
from vigie.fleet.packed import pack
from vigie.fleet.subjects import RESULTS, WORK_STREAM
from vigie.net.nats.address import Config
from vigie.net.nats.connection import Connection
from vigie.testing.nats_server import NatsServer

needs_nats = pytest.mark.skipif(sys.platform == "win32", reason="there is no nats-server for tests here")
AT = 1_767_225_600_000


@contextlib.contextmanager
def emptied(server: NatsServer) -> Iterator[NatsServer]:
    """Without what the test before left there."""

    async def empty() -> None:
        async with connected(server.url) as connection:
            for stream in (RESULTS, WORK_STREAM):
                with contextlib.suppress(BusError):
                    await connection.api(f"STREAM.DELETE.{stream}")

    asyncio.run(empty())
    yield server


@contextlib.asynccontextmanager
async def connected(address: str, base: Path = Path()) -> AsyncIterator[Connection]:
    connection = Connection(Config.of(address, base), "tests")
    try:
        await connection.open()
        yield connection
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def opened(address: str) -> AsyncIterator[NatsBus]:
    bus = NatsBus(Config.of(address), BusDeps(SystemClock(), "tests"))
    try:
        await bus.open()
        yield bus
    finally:
        await bus.close()


def batch(sequence: int, shard: int = 3, agent: str = "paris-1", location: str = "paris", size: int = 1) -> PackedBatch:
    results = [CheckResult(f"m{one}", AT + sequence * 1000 + one, Status.UP, location=location, run=7, sequence=one) for one in range(size)]
    base, count, body = pack(results, {f"m{one}": one for one in range(size)}, {location: 4})
    return PackedBatch(agent, location, shard, 99, sequence, base, count, body)


async def read(bus: NatsBus, count: int, **how: object) -> list[PackedBatch]:
    found: list[PackedBatch] = []
    async with asyncio.timeout(30):
        async for group in bus.groups(**how):  # type: ignore[arg-type]
            found += group.batches
            if len(found) >= count:
                return found
    return found
