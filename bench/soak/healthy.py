"""The monitors that are always up, and those that go down and come back by the script: a row for each kind."""

import asyncio
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import asyncssh

from bench.soak import talks
from bench.soak.plan import Group
from bench.soak.world import EVERYWHERE, ZONE, World
from vigie.testing.dns_server import DnsServer, Says
from vigie.testing.servers import Handler

SCRIPTED = 40  # monitors
Keys = dict[str, Any]
_EVERY, _TIMEOUT = "10s", "5s"


@dataclass(frozen=True, slots=True)
class Row:
    """So many parts in a hundred of the healthy monitors are of this kind; `keys` of an address, a name and a port."""

    kind: str
    share: float
    handler: Handler | None
    keys: Callable[[World, str, str, int], Keys]
    secure: bool = False
    every: str = _EVERY


def _service(kind: str, **more: Any) -> Callable[[World, str, str, int], Keys]:
    """Keys of a kind that has a host and a port."""
    return lambda _world, address, _name, port: {"type": kind, "host": address, "port": port, **more}


def _secure(kind: str, **more: Any) -> Callable[[World, str, str, int], Keys]:
    """The same with TLS, by a name that the zone's server knows."""
    return lambda world, _address, name, port: {
        "type": kind, "host": name, "port": port, "resolver": world.resolver, "ca_file": str(world.ca_file), **more,
    }  # fmt: skip


def _steps(_world: World, address: str, _name: str, port: int) -> Keys:
    return {"type": "steps", "steps": [{"url": f"http://{address}:{port}/{path}"} for path in ("login", "cart", "logout")]}


def _https(world: World, _address: str, name: str, port: int) -> Keys:
    return {"url": f"https://{name}:{port}/", "resolver": world.resolver, "ca_file": str(world.ca_file)}


ROWS = (
    Row("http", 30, talks.web(), lambda _world, address, _name, port: {"url": f"http://{address}:{port}/", "expect": {"keyword": "Welcome"}}),
    Row("https", 17, talks.web(), _https, secure=True),
    Row("tcp", 9, talks.BANNER, _service("tcp", exchange=[{"expect": "220 ready"}])),
    Row("tls", 3, talks.BANNER, _secure("tls", revocation="off"), secure=True),
    Row("dns", 7, None, lambda world, *_: {"type": "dns", "record": "A", "resolver": world.resolver}),
    Row("smtp", 4, talks.SMTP, _service("smtp")),
    Row("imap", 4, talks.imap, _service("imap")),
    Row("redis", 5, talks.REDIS, _service("redis")),
    Row("redis-tls", 1, talks.REDIS, _secure("redis", tls="implicit"), secure=True),
    Row("mysql", 3, talks.MYSQL, _service("mysql")),
    Row("postgres", 3, talks.POSTGRES, _service("postgres")),
    Row("mqtt", 3, talks.MQTT, _service("mqtt")),
    Row("websocket", 3, talks.websocket, lambda _world, address, _name, port: {"type": "websocket", "url": f"ws://{address}:{port}/"}),
    Row("grpc", 1.5, talks.grpc, _service("grpc")),
    Row("steps", 1.5, talks.web(), _steps, every="20s"),
    Row("domain", 0.5, talks.registry(), lambda _world, address, name, port: {"type": "domain", "domain": name, "rdap_server": f"http://{address}:{port}/"}),
    Row("icmp", 2, None, lambda _world, address, _name, _port: {"type": "icmp", "host": address, "count": 2}),
    Row("exec", 1, None, lambda *_: {"type": "exec", "command": ["true"]}, every="20s"),
    Row("ssh", 0.5, None, _service("ssh"), every="30s"),
)  # fmt: skip


async def build(world: World, count: int) -> None:
    """Every server, and so many monitors; the scripted ones first."""
    server = await world.stack.enter_async_context(DnsServer({"*": Says("A 127.0.0.1")}))
    world.resolver = server.address
    world.stack.callback(_forgetting(server).cancel)
    for number in range(SCRIPTED):
        await _scripted(world, number)
    rows = [row for row in ROWS if row.kind != "icmp" or can_ping()]
    parts = sum(row.share for row in rows)
    left = count - len(world.monitors)
    for row in rows:
        port = await _port(world, row)
        for _ in range(max(round(left * row.share / parts), 1)):
            _add(world, row, port)


def _forgetting(server: DnsServer) -> "asyncio.Task[None]":
    """Keep the server from remembering every question that it was ever asked."""

    async def forget() -> None:
        while True:
            await asyncio.sleep(10)
            server.asked.clear()

    return asyncio.create_task(forget())


async def _port(world: World, row: Row) -> int:
    if row.kind == "ssh":
        key = asyncssh.generate_private_key("ssh-ed25519")
        return int((await world.stack.enter_async_context(asyncssh.listen(EVERYWHERE, 0, server_host_keys=[key]))).get_port())
    return 0 if row.handler is None else await world.listen(row.handler, world.context() if row.secure else None)


def _add(world: World, row: Row, port: int) -> None:
    name = f"h{len(world.monitors)}.{ZONE}"
    keys = {"every": row.every, "timeout": _TIMEOUT, **row.keys(world, world.address(), name, port)}
    world.add(Group.HEALTHY, row.kind, keys)


async def _scripted(world: World, number: int) -> None:
    """One that goes down: a web site, one over TLS, a port that closes, a Redis that loads, by turns."""
    gone, address, timing = world.outage(number), world.address(), {"every": "5s", "timeout": "3s"}
    kind = ("http", "https", "tcp", "redis")[number % 4]
    if kind in ("http", "https"):
        port = await world.listen(talks.web(is_down=gone), world.context() if kind == "https" else None)
        keys = _https(world, address, f"s{number}.{ZONE}", port) if kind == "https" else {"url": f"http://{address}:{port}/"}
    else:
        good = talks.BANNER if kind == "tcp" else talks.REDIS
        bad = talks.replying(b"") if kind == "tcp" else talks.replying(b"", b"-LOADING Redis is loading the dataset in memory\r\n")
        port = await world.listen(_either(good, bad, gone))
        keys = _service(kind, **({"exchange": [{"expect": "220 ready"}]} if kind == "tcp" else {}))(world, address, "", port)
    world.add(Group.SCRIPTED, kind, {**timing, **keys}, "up|down")


def _either(good: Handler, bad: Handler, gone: Callable[[], bool]) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await (bad if gone() else good)(reader, writer)

    return handle


def can_ping() -> bool:
    """Whether this user gets a socket for pings here."""
    if sys.platform == "win32":
        return False
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP).close()
        except OSError:
            continue
        return True
    return False
