"""HTTP/3 with a relay before its server that flips, cuts, drops, repeats, delays and forges datagrams: as test_fuzz.py has it for TCP."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.probes._fuzz import seeds

from vigie.core.model import CheckResult, Status
from vigie.testing.version_server import Answer, serving_versions

from .looking import Deps, bounded_memory, look

AT_ONCE, TIMEOUT = 12, 300
KINDS = ("flip", "cut", "drop", "repeat", "delay", "noise", "version", "retry", "echo", "flood")


class Back(asyncio.DatagramProtocol):
    """The far side of one client: what the server says is spoilt now and then before it is passed on."""

    def __init__(self, chance: random.Random, relay: "Relay", client: Any) -> None:
        self.chance, self.relay, self.client = chance, relay, client
        self.kinds = chance.sample(KINDS, chance.randrange(1, 4))
        self.often = chance.choice([0.05, 0.3, 1.0])
        self.asked = b""

    def datagram_received(self, data: bytes, _: Any) -> None:
        for part, pause in self.spoilt(data) if self.chance.random() < self.often else [(data, 0.0)]:
            asyncio.get_running_loop().call_later(pause, self.relay.say, part, self.client)

    def spoilt(self, data: bytes) -> list[tuple[bytes, float]]:
        """What is said instead, and how much later."""
        chance, at = self.chance, self.chance.randrange(len(data))
        kind = chance.choice(self.kinds)
        ids = self.asked[6 + self.asked[5] :] if len(self.asked) > 6 else b"\0"
        answer = ids[: 1 + ids[0]] + self.asked[5 : 6 + self.asked[5]] if len(self.asked) > 6 and ids else b"\0\0"
        return {
            "flip": [(data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :], 0.0)],
            "cut": [(data[:at], 0.0)],
            "drop": [],
            "repeat": [(data, 0.0)] * 5,
            "delay": [(data, chance.choice([0.01, 0.1]))],
            "noise": [(chance.randbytes(at), 0.0), (data, 0.0)],
            # RFC 9000 §17.2.1 and §17.2.5: both are told before anything is verified.
            "version": [(b"\xc0\0\0\0\0" + answer + chance.randbytes(4 * chance.randrange(1, 9)), 0.0)],
            "retry": [(b"\xf0\0\0\0\1" + answer + chance.randbytes(chance.randrange(16, 99)), 0.0)],
            "echo": [(self.asked, 0.0)],
            "flood": [(data[: at + 1], 0.0)] * 200,
        }[kind]


class Relay(asyncio.DatagramProtocol):
    """Passes what clients say to a server, each by a socket of its own."""

    def __init__(self, chance: random.Random, to: int) -> None:
        self.chance, self.to = chance, to
        self.backs: dict[Any, tuple[Back, asyncio.DatagramTransport]] = {}
        self.tasks = set[asyncio.Task[None]]()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        task = asyncio.create_task(self.forth(data, addr))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def forth(self, data: bytes, addr: Any) -> None:
        if addr not in self.backs:
            far, back = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: Back(self.chance, self, addr), remote_addr=("127.0.0.1", self.to)
            )
            self.backs[addr] = back, far
        back, far = self.backs[addr]
        back.asked = back.asked or data
        far.sendto(data)

    def say(self, data: bytes, client: Any) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(data, client)


@contextlib.asynccontextmanager
async def relaying(chance: random.Random, to: int) -> AsyncIterator[int]:
    transport, relay = await asyncio.get_running_loop().create_datagram_endpoint(lambda: Relay(chance, to), local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.abort()
        await asyncio.gather(*relay.tasks, return_exceptions=True)
        for _, far in relay.backs.values():
            far.abort()
        await asyncio.sleep(0)


@pytest.fixture(scope="module")
def cert(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder, leaf = tmp_path_factory.mktemp("quic"), authority.issue_cert("127.0.0.1")
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(one.bytes() for one in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(key)
    return chain, key


@pytest.mark.parametrize("seed", seeds(6))
async def test_http_3(seed: int, make_deps: Deps, cert: tuple[Path, Path]) -> None:
    chance = random.Random(seed)

    async def one(chance: random.Random, to: int) -> CheckResult:
        async with relaying(chance, to) as port:
            return await look(make_deps, f"https://127.0.0.1:{port}/", TIMEOUT, http="3")

    async with bounded_memory(), serving_versions(Answer(), cert) as to:
        results = await asyncio.gather(*(one(random.Random(chance.random()), to) for _ in range(AT_ONCE)))

    assert {result.status for result in results} <= {Status.UP, Status.DOWN}, results
