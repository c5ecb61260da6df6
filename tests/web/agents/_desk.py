"""A whole Vigie that takes what agents hand in, on a port of loopback, and agents that talk to it."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tests.web._served import serving

from vigie.clock import SystemClock
from vigie.config import load
from vigie.core.model import CheckResult, Status, Timings
from vigie.fleet import wire
from vigie.fleet.batches import PackedBatch, encode
from vigie.fleet.packing import Packer
from vigie.net import Secret
from vigie.server import Server
from vigie.serving import site_of
from vigie.uplinks import UplinkDeps, https
from vigie.web.app import build

TEXT = """
store: vigie.db
log: {file: null}
llm: {provider: none}
control: []
location: home
notify:
  chat: {type: webhook, url: "http://127.0.0.1:9/hook?key=channelsecret99"}
alerts: {default: {to: [chat], confirm: 2}}
monitors:
  - {id: everywhere, url: "http://127.0.0.1:9/a"}
  - {id: paris-only, url: "http://127.0.0.1:9/b", locations: [paris], headers: {Authorization: "Bearer ${SHOP_KEY}"}}
  - {id: lyon-only, url: "http://127.0.0.1:9/c", locations: [lyon], headers: {Authorization: "Bearer ${LYON_KEY}"}}
  - {id: home-only, url: "http://127.0.0.1:9/d", locations: [home]}
  - {name: nightly, type: heartbeat, token: abcdefghijklmnopqrstuvwx, period: 1h}
"""
KEYS = {"SHOP_KEY": "parissecret77", "LYON_KEY": "lyonsecret88"}


def sealed(batches: Sequence[PackedBatch]) -> bytes:
    """As a request has them."""
    return b"".join(len(blob).to_bytes(4, "little") + blob for blob in map(encode, batches))


def gzipped(body: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


@dataclass
class Caller:
    """An agent's end, without an agent."""

    address: str
    token: str
    name: str = ""
    location: str = ""
    welcome: wire.Welcome | None = None
    work: wire.Work | None = None
    sequence: int = 0
    checks: int = 0
    packer: Packer | None = None
    uplinks: list[Any] = field(default_factory=list)

    def uplink(self) -> Any:
        one = https.build(https.Config.of(self.address), UplinkDeps(SystemClock(), token=Secret(self.token)))
        self.uplinks.append(one)
        return one

    async def introduce(self, spool: int = 0, **more: Any) -> wire.Welcome:
        values: dict[str, Any] = {"at": SystemClock().now(), **more}
        self.welcome = await self.uplink().hello(wire.Hello(self.name, self.location, "1.2.3", spool, **values))
        self.name, self.location = self.welcome.agent, self.welcome.place
        return self.welcome

    async def learn(self) -> wire.Work:
        """All of its work."""
        orders = self.uplink().orders(0)
        async with asyncio.timeout(10):
            async for order in orders:
                if isinstance(order, wire.Work):
                    self.work = order
                    break
        await orders.aclose()
        assert self.work is not None
        return self.work

    @property
    def monitors(self) -> set[str]:
        assert self.work is not None
        return {spec.monitor for one in self.work.shards for spec in one.specs}

    def measured(self, monitor: str, status: Status = Status.UP, at: int | None = None, **more: Any) -> PackedBatch:
        """A batch of one result."""
        assert self.work is not None
        assert self.welcome is not None
        if self.packer is None:
            self.packer = Packer(self.name, self.location, self.welcome.location)
            numbers = {spec.monitor: number for one in self.work.shards for spec, number in zip(one.specs, one.numbers, strict=True)}
            self.packer.use(numbers, {one.shard: one.run for one in self.work.shards})
        self.checks += 1
        self.sequence += 1
        now = SystemClock().now() if at is None else at
        found = CheckResult(monitor, now, status, timings=Timings(total=5.0), run=0, sequence=self.checks, **more)
        ((_, batch),) = self.packer.pack([found])
        from msgspec.structs import replace

        return replace(batch, spool=self.welcome.spool, sequence=self.sequence)

    async def post(self, what: str, body: bytes, **headers: str) -> httpx.Response:
        """A request by hand."""
        async with httpx.AsyncClient() as client:
            return await client.post(
                f"{self.address}/agent/v1/{what}", content=body, headers={"Authorization": f"Bearer {self.token}", **headers}
            )


@dataclass
class Town:
    """What runs."""

    server: Server
    address: str
    callers: list[Caller] = field(default_factory=list)

    async def enrolled(self, name: str, location: str) -> Caller:
        made = await self.server.agents.desk.enroll(name, location, "ann")
        assert made is not None
        self.callers.append(Caller(self.address, made.token))
        return self.callers[-1]

    async def at_work(self, name: str, location: str) -> Caller:
        """An agent that has introduced itself and knows its work."""
        one = await self.enrolled(name, location)
        await one.introduce()
        await one.learn()
        return one


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    """A server with its desk, whose own prober is not started."""
    (folder / "vigie.yaml").write_text(TEXT)
    settings = load(folder / "vigie.yaml", KEYS, folder)
    server = Server(settings, SystemClock(), lambda: settings)
    watched = [one.monitor for one in settings.monitors]
    await server.runtime.store.catalog.sync_monitors(watched)
    await server.runtime.ingest.start(watched)
    await server.runtime.ingest.configure(watched)
    await server.agents.desk.start()
    async with serving(build(site_of(server))) as listener:
        one = Town(server, f"http://127.0.0.1:{listener.port}")
        yield one
        await asyncio.gather(*(uplink.close() for caller in one.callers for uplink in caller.uplinks))
    await server.runtime.close()
