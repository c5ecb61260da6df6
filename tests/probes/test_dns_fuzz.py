"""Name servers that send random bytes, cuts, delays, floods and bombs: never an exception, never past the deadline, never much memory.

Nothing here asks a zone's own servers, nor connects to what a name leads to: spoilt addresses would lead out of this machine.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import dns.message
import dns.rcode
import pytest
from tests.probes._dns_zone import NameServer, serving, signed, wire
from tests.probes._fuzz import in_time, seeds
from tests.probes.http.looking import bounded_memory

from vigie.core.model import Cause, Status
from vigie.net import Resolver
from vigie.probes import dns as probe
from vigie.probes.kit.deps import configured
from vigie.testing.probe_suite import make_deps, told
from vigie.testing.servers import Handler, reset
from vigie.testing.servers import serving as serving_tcp

AT_ONCE, TIMEOUT = 16, 300
SHOP = """
@     60 IN A 192.0.2.1
@     60 IN AAAA 2001:db8::1
@     60 IN MX 10 mx1
@     60 IN TXT "v=spf1 -all"
www   60 IN CNAME @
round 60 IN CNAME round2
round2 60 IN CNAME round
"""
SIGNED = signed("shop.test", SHOP)
CAUSES = {
    Cause.DNS_NXDOMAIN, Cause.DNS_SERVFAIL, Cause.DNS_REFUSED, Cause.DNS_TIMEOUT, Cause.DNS_NO_ANSWER, Cause.DNS_MISMATCH, None
}  # fmt: skip


POINTER = b"\xc0\x0c"  # to the name that was asked for


def many(query: bytes, records: Iterable[bytes], most: int) -> bytes:
    """A bare answer with so many bytes of these records; made by hand, because a library would be busy with it itself."""
    end, count = query.index(b"\0", 12) + 5, 0
    body = bytearray(query[:2] + b"\x81\x80\0\1\0\0\0\0\0\0" + query[12:end])
    for record in records:
        if len(body) + len(record) > most:
            break
        body += record
        count += 1
    body[6:8] = count.to_bytes(2)
    return bytes(body)


def chained(query: bytes, most: int) -> bytes:
    """Names that are pointers to pointers to a long one: cheap to send, dear to read."""
    end, kind = query.index(b"\0", 12) + 5, query[query.index(b"\0", 12) + 1 :][:2]
    rest = kind + b"\0\1\0\0\0\x3c\0\2" + POINTER
    return many(query, [b"\x01a" * 60 + POINTER + rest, *[b"\xc0" + bytes([end]) + rest] * 6_000], most)


def crowded(query: bytes, most: int) -> bytes:
    """Aliases of aliases without end."""
    names = [bytes([len(str(number)) + 1]) + f"a{number}".encode() + POINTER for number in range(4_000)]
    fixed = b"\0\5\0\1\0\0\0\x3c\0"
    return many(query, (one + fixed + bytes([len(then)]) + then for one, then in pairwise([POINTER, *names])), most)


def spoilt(chance: random.Random, data: bytes) -> bytes:
    """An answer with a few things done to it; its id stays, mostly, so that it is looked at."""
    found = bytearray(data)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(2, max(len(found), 3))
        what = chance.randrange(5)
        if what == 0:
            found[at : at + 1] = chance.randbytes(chance.randrange(1, 60))
        elif what == 1:
            del found[at : at + chance.randrange(1, 30)]
        elif what == 2:
            found[at : at + 2] = b"\xc0" + bytes([chance.randrange(256)])
        elif what == 3:
            found[4:12] = chance.randbytes(8)
        else:
            found = found[:at]
    return bytes(found)


@dataclass
class Fate:
    """What one server does to its answers: decided anew for each, by chance."""

    chance: random.Random
    kinds: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        every = ["good", "spoilt", "noise", "cut", "other", "code", "tc", "chained", "crowded", "silent", "empty"]
        self.kinds = self.chance.sample(every, self.chance.randrange(1, 4))

    def change(self, query: dns.message.Message, answer: dns.message.Message, by: str) -> bytes | None:
        """The bytes instead of the answer."""
        kind, chance = self.chance.choice(self.kinds), self.chance
        if kind == "code":
            answer.set_rcode(dns.rcode.Rcode(chance.randrange(24)))
        good, asked, most = wire(answer, by), query.to_wire(), 65_000 if by == "tcp" else 1_232
        made: dict[str, Callable[[], bytes | None]] = {
            "chained": lambda: chained(asked, most),
            "crowded": lambda: crowded(asked, most),
            "spoilt": lambda: spoilt(chance, good),
            "noise": lambda: good[:2] + chance.randbytes(chance.randrange(1_200)),
            "cut": lambda: good[: chance.randrange(len(good))],
            "other": lambda: chance.randbytes(2) + good[2:],
            "tc": lambda: good[:2] + bytes([good[2] | 2]) + good[3:],
            "silent": lambda: None,
            "empty": lambda: b"",
        }
        return made.get(kind, lambda: good)()


@contextlib.asynccontextmanager
async def fuzzing(chance: random.Random) -> AsyncIterator[str]:
    """The address of a server that spoils its answers, over UDP and over TCP."""
    server = NameServer([SIGNED.zone])
    server.change = Fate(chance).change
    async with serving(server):
        yield server.address


KEYS: list[dict[str, Any]] = [
    {},
    {"record": "MX", "expect": {"min_count": 1}},
    {"record": "TXT", "expect": {"regex": "spf"}},
    {"name": "www.shop.test", "record": "AAAA"},
    {"name": "round.shop.test"},
    {"name": "nothing.shop.test", "expect": {"rcode": "NXDOMAIN"}},
    {"dnssec": True, "trust_anchors": [SIGNED.anchor]},
]


async def checked(address: str, keys: dict[str, Any]) -> None:
    deps = make_deps()
    try:
        config = configured(probe.Config, {"name": "shop.test", "resolver": address, **keys})
        result = await in_time(probe.build(config, deps).check(TIMEOUT), TIMEOUT)
    finally:
        deps.close()
    told(result)
    assert result.status is not Status.UNKNOWN, result


async def resolved(address: str, name: str) -> None:
    resolver = Resolver()
    try:
        answer = await in_time(resolver.resolve(name, timeout_ms=TIMEOUT, server=address), TIMEOUT)
    finally:
        resolver.close()
    assert answer.cause in CAUSES, answer
    assert bool(answer.addresses) == (answer.cause is None)
    assert len(answer.addresses) < 5_000


@pytest.mark.parametrize("seed", seeds(6))
async def test_a_check_of_a_hostile_name_server(seed: int) -> None:
    chance = random.Random(seed)

    async def one(chance: random.Random) -> None:
        async with fuzzing(chance) as address:
            await checked(address, chance.choice(KEYS))

    async with bounded_memory():
        await asyncio.gather(*(one(random.Random(chance.random())) for _ in range(AT_ONCE)))


@pytest.mark.parametrize("seed", seeds(6))
async def test_a_name_looked_up_at_a_hostile_name_server(seed: int) -> None:
    chance = random.Random(seed)

    async def one(chance: random.Random) -> None:
        async with fuzzing(chance) as address:
            await resolved(address, chance.choice(["shop.test", "www.shop.test", "round.shop.test", "nothing.shop.test"]))

    async with bounded_memory():
        await asyncio.gather(*(one(random.Random(chance.random())) for _ in range(AT_ONCE)))


def framed(chance: random.Random) -> Handler:
    """Over TCP: lengths that lie, drips, floods, cuts and resets (UDP only says that the answer is to be had here)."""
    kind = chance.choice(["long", "short", "drip", "flood", "cut", "reset", "nought", "hold", "noise"])

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        query = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        answer = wire(NameServer([SIGNED.zone]).answer(dns.message.from_wire(query)), "tcp")
        size = len(answer).to_bytes(2)
        data = {
            "long": b"\xff\xff" + answer,
            "short": b"\0\x05" + answer,
            "nought": b"\0\0" * 5_000,
            "cut": (size + answer)[: chance.randrange(len(answer))],
            "noise": chance.randbytes(chance.randrange(2_000)),
        }.get(kind, size + answer)
        if kind == "drip":
            for position in range(len(data)):
                writer.write(data[position : position + 1])
                await writer.drain()
                await asyncio.sleep(0.01)
        while kind == "flood":
            writer.write(b"\xff\xff" + chance.randbytes(65_535))
            await writer.drain()
        writer.write(b"" if kind in ("hold", "reset") else data)
        await writer.drain()
        if kind == "reset":
            reset(writer)
        if kind == "hold" or chance.random() < 0.3:
            await reader.read()

    return handler


class Cut(asyncio.DatagramProtocol):
    """Answers that everything is to be had over TCP."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.transport.sendto(data[:2] + b"\x83\x80" + data[4:], addr)


@contextlib.asynccontextmanager
async def over_tcp(chance: random.Random) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    for _ in range(20):  # a port that is free for one may be taken for the other
        async with serving_tcp(framed(chance)) as port:
            with contextlib.suppress(OSError):
                transport, _proto = await loop.create_datagram_endpoint(Cut, local_addr=("127.0.0.1", port))
                try:
                    yield f"127.0.0.1:{port}"
                finally:
                    transport.abort()
                return


@pytest.mark.parametrize("seed", seeds(6))
async def test_answers_over_tcp_that_lie_about_themselves(seed: int) -> None:
    chance = random.Random(seed)

    async def one(chance: random.Random) -> None:
        async with over_tcp(chance) as address:
            await (checked(address, chance.choice(KEYS)) if chance.random() < 0.5 else resolved(address, "shop.test"))

    async with bounded_memory():
        await asyncio.gather(*(one(random.Random(chance.random())) for _ in range(AT_ONCE)))
