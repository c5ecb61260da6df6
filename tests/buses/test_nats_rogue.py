"""An agent's login in the hands of somebody else, with the permissions that `vigie bus permissions` prints: it must not harm the others."""

import asyncio
import contextlib
import json
import zlib
from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest
from tests.buses.nats_rig import batch, connected, emptied, needs_nats, read

from vigie.buses import BusDeps
from vigie.buses.nats.bus import NatsBus
from vigie.clock import SystemClock
from vigie.fleet import wire
from vigie.fleet.batches import MAX_BYTES, PackedBatch, encode
from vigie.fleet.subjects import WORK_STREAM, hello_subject, inbox, order_subject, permissions, result_subject, work_subject
from vigie.fleet.wire import Hello, ShardWork, Welcome, Work
from vigie.net.nats.address import Config
from vigie.net.nats.connection import Connection
from vigie.ports import Group
from vigie.testing.nats_server import NatsServer
from vigie.testing.uplink_suite import SPEC, first
from vigie.uplinks import UplinkDeps
from vigie.uplinks.nats import build

pytestmark = needs_nats
OWN = result_subject(3, "lyon", "lyon-1").encode()


def configured() -> str:
    publish, subscribe = (json.dumps(one) for one in permissions("lyon", "lyon-1"))
    rogue = f'{{user: "lyon-1", password: "s3cret", permissions: {{publish: {publish}, subscribe: {subscribe}}}}}'
    users = f'{{user: "vigie", password: "s3cret"}}, {rogue}, {{user: "paris-1", password: "s3cret"}}'
    return f"accounts {{ VIGIE {{ jetstream: enabled, users: [{users}] }}, SYS {{}} }}\nsystem_account: SYS"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("nats"), configured(), login="vigie:s3cret@") as server:
        yield server


@pytest.fixture
def server(running: NatsServer) -> Iterator[NatsServer]:
    with emptied(running) as one:
        yield one


@contextlib.asynccontextmanager
async def opened(server: NatsServer) -> AsyncIterator[NatsBus]:
    bus = NatsBus(Config.of(server.url), BusDeps(SystemClock()))
    try:
        await bus.open()
        yield bus
    finally:
        await bus.close()


class Rogue:
    """Speaks the protocol of NATS by the byte: no client library keeps it from anything."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, *commands: bytes) -> None:
        """All of it is done when this returns, and was allowed."""
        self._writer.write(b"".join(commands) + b"PING\r\n")
        assert await self._reader.readline() == b"PONG\r\n"


@contextlib.asynccontextmanager
async def rogue(server: NatsServer) -> AsyncIterator[Rogue]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    await reader.readline()
    login = {"user": "lyon-1", "pass": "s3cret", "headers": True, "no_responders": True, "verbose": False}
    writer.write(b"CONNECT " + json.dumps(login).encode() + b"\r\n")
    one = Rogue(reader, writer)
    await one.send()
    try:
        yield one
    finally:
        writer.close()


def message(subject: bytes, body: bytes = b"", reply: bytes = b"") -> bytes:
    return b"PUB %s %s %d\r\n%s\r\n" % (subject, reply, len(body), body)


def headed(headers: bytes, body: bytes = b"", subject: bytes = OWN, reply: bytes = b"") -> bytes:
    return b"HPUB %s %s %d %d\r\n%s%s\r\n" % (subject, reply, len(headers), len(headers) + len(body), headers, body)


OWN_BATCH = encode(batch(1, agent="lyon-1", location="lyon"))
POISON = {
    "a subject that is not UTF-8": message(OWN.replace(b".3.", b".\xff\xfe."), OWN_BATCH),
    "a header that is not UTF-8": headed(b"NATS/1.0\r\nA: \xff\xfe\r\n\r\n"),
    "the name of a header that is not UTF-8": headed(b"NATS/1.0\r\n\xff: a\r\n\r\n"),
    "a status that is not UTF-8": headed(b"NATS/1.0 \xff\xfe\xfd\r\n\r\n"),
    "a description that is not UTF-8": headed(b"NATS/1.0 409 \xff\xfe\xfd\r\n\r\n"),
    "no end of headers": headed(b"NATS/1.0\r\n"),
    "a status": headed(b"NATS/1.0 409 Consumer Deleted\r\n\r\n"),
    "a heartbeat": headed(b"NATS/1.0 100 Idle Heartbeat\r\n\r\n"),
    "a header that looks like a status": headed(b"NATS/1.0\r\nStatus: 409\r\nDescription: Consumer Deleted\r\n\r\n"),
    "a header that looks like the end of asking": headed(b"NATS/1.0\r\nStatus: 408\r\nNats-Pending-Messages: -99999\r\n\r\n"),
    "nothing": message(OWN),
    "something else": message(OWN, b"\x01nonsense"),
    "a bomb": headed(b"NATS/1.0\r\nContent-Encoding: deflate\r\n\r\n", zlib.compress(bytes(200_000_000), 9)),
    "nested lists": message(OWN, b"\x01" + b"\x91" * 900_000),
    "nested lists behind a batch": message(OWN, b"\x01\x9a" + OWN_BATCH[2:] + b"\x91" * 900_000 + b"\xc0"),
}


@pytest.mark.parametrize("what", POISON)
async def test_no_message_of_its_own_keeps_the_others_from_being_read(what: str, server: NatsServer) -> None:
    async with opened(server) as bus, rogue(server) as thief:
        await thief.send(POISON[what])
        await bus.publish(batch(5))
        async with asyncio.timeout(5):
            assert await read(bus, 1) == [batch(5)]


async def test_few_bytes_that_become_many_do_not_fill_the_memory(server: NatsServer) -> None:
    large = zlib.compress(b"\x01" + bytes(MAX_BYTES - 1), 9)
    assert len(large) < 10_000
    async with opened(server) as bus, rogue(server) as thief:
        await thief.send(*[headed(b"NATS/1.0\r\nContent-Encoding: deflate\r\n\r\n", large)] * 20)
        await bus.publish(batch(5))
        groups: list[Group[PackedBatch]] = []
        async for group in bus.groups():
            groups.append(group)
            if group.batches:
                break
        assert len(groups) >= 10  # of two messages each: a group holds what it has unpacked


async def test_a_login_that_writes_to_many_subjects_is_one_line_of_the_log(server: NatsServer, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(server) as bus, rogue(server) as thief:
        await thief.send(*[message(b"res.a\x1b[2Jb%d.lyon.lyon-1" % number, b"x" * number) for number in range(500)])
        await bus.publish(batch(5))
        assert await read(bus, 1) == [batch(5)]
        assert caplog.text.count("is not a batch and is skipped") == 1
        assert "\x1b" not in caplog.text


STRANGE_REPLIES = {
    "nothing": b"",
    "not UTF-8": b"_INBOX.lyon.lyon-1.\xff\xfe",
    "the work of another": f"{work_subject('paris', 'paris-1', 'state')}".encode(),
    "its own work": f"{work_subject('lyon', 'lyon-1', 'state')}".encode(),
    "the results of another": result_subject(3, "paris", "paris-1").encode(),
    "orders to another": order_subject("paris", "paris-1").encode(),
    "the inbox of another": b"_INBOX.paris.paris-1.7",
    "a request to JetStream": b"$JS.API.STREAM.LEADER.STEPDOWN.VIGIE_RESULTS",
}


@pytest.mark.parametrize("what", STRANGE_REPLIES)
async def test_who_introduces_itself_cannot_have_the_server_write_elsewhere(what: str, server: NatsServer) -> None:
    heard: list[str] = []

    async def hear(one: object) -> None:
        heard.append(one.subject)  # type: ignore[attr-defined]

    async def answer(hello: Hello) -> Welcome:
        return Welcome(hello.at, "1", 1, 4, 99, hello.agent, hello.location)

    subject, hello = hello_subject("lyon", "lyon-1").encode(), wire.encode(Hello("lyon-1", "lyon", "1", 0, 0))
    paris = Connection(Config.of(server.url), "paris-1", inbox("paris", "paris-1"))
    async with opened(server) as bus, rogue(server) as thief, bus.answering(answer):
        await paris.subscribe(STRANGE_REPLIES[what].decode("utf-8", "replace").replace("\N{REPLACEMENT CHARACTER}", "x") or "unused", hear)
        await thief.send(
            message(subject, hello, STRANGE_REPLIES[what]),
            headed(b"NATS/1.0 \xff\xfe\xfd\r\n\r\n", hello, subject, STRANGE_REPLIES[what]),
        )
        good = await paris.ask(hello_subject("paris", "paris-1"), wire.encode(Hello("paris-1", "paris", "1", 0, 0)), seconds=5)
        assert isinstance(wire.decode(good.data), Welcome)
        await paris.api("INFO")  # whatever was written before is there by now
        assert heard == []
        await paris.close()


@pytest.fixture
def work() -> Work:
    return Work(7, [ShardWork(3, 41, [SPEC], [12]), ShardWork(4, 42, [SPEC], [12])], whole=True)


async def given(server: NatsServer, agent: str, location: str) -> object:
    """What an agent that starts now is told first."""
    uplink = build(Config.of(f"{server.url}?agent={agent}&location={location}"), UplinkDeps(SystemClock()))
    try:
        return await first(uplink.orders(0))
    finally:
        await uplink.close()


@pytest.mark.parametrize("part", ["state", "3", "paces", "anything"])
async def test_work_that_an_answer_was_written_over_is_written_again(
    part: str, work: Work, server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    victim = work_subject("paris", "paris-1", part).encode()
    async with opened(server) as bus, rogue(server) as thief:
        dispatch = bus.dispatch({"paris-1": "paris", "lyon-1": "lyon"}.get)
        await dispatch.work("paris-1", work)
        assert await dispatch.changed_by_others() == set()
        await dispatch.work("lyon-1", work)
        assert await dispatch.changed_by_others() == set()
        await thief.send(message(OWN, OWN_BATCH, victim))  # JetStream acknowledges it there
        async with asyncio.timeout(5):
            while (changed := await dispatch.changed_by_others()) == set():
                await dispatch.work("lyon-1", msgspec.structs.replace(work, epoch=work.epoch + 1))  # what is written here hides nothing
        assert changed == {"paris-1"}
        assert "somebody else wrote what paris-1 is to check" in caplog.text
        await dispatch.work("paris-1", work)
        assert await given(server, "paris-1", "paris") == work
        assert await dispatch.changed_by_others() == set()


@pytest.mark.parametrize("how", ["deleted", "purged", "one document deleted"])
async def test_work_that_an_administrator_deleted_is_written_again(how: str, work: Work, server: NatsServer) -> None:
    async with opened(server) as bus, connected(server.url) as admin:
        dispatch = bus.dispatch({"paris-1": "paris"}.get)
        await dispatch.work("paris-1", work)
        assert await dispatch.changed_by_others() == set()
        if how == "deleted":
            await admin.api(f"STREAM.DELETE.{WORK_STREAM}")
        else:
            await admin.api(f"STREAM.PURGE.{WORK_STREAM}", None if how == "purged" else {"filter": work_subject("paris", "paris-1", 3)})
        assert await dispatch.changed_by_others() == {"paris-1"}
        await dispatch.work("paris-1", work)
        assert await given(server, "paris-1", "paris") == work
        assert await dispatch.changed_by_others() == set()
