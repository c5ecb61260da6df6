"""What the credentials of an agent can do on the real server, in the hands of somebody else: report for that agent, and nothing more."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import msgspec
import pytest
from tests.buses.nats_rig import needs_nats, read

from vigie.buses import BusDeps
from vigie.buses.nats.bus import NatsBus
from vigie.clock import SystemClock
from vigie.errors import BusError, BusFault
from vigie.fleet.batches import PackedBatch, encode
from vigie.fleet.subjects import (
    RESULTS,
    WORK_STREAM,
    hello_subject,
    inbox,
    order_subject,
    permissions,
    result_subject,
    watcher,
    work_subject,
    work_subjects,
)
from vigie.fleet.wire import CheckNow, Hello, Pace, ShardWork, Welcome, Work
from vigie.net.nats.address import Config
from vigie.net.nats.connection import Connection
from vigie.testing.nats_server import NatsServer
from vigie.testing.uplink_suite import SPEC, first
from vigie.uplinks import UplinkDeps
from vigie.uplinks.nats import build

pytestmark = needs_nats
AGENTS = {"paris-1": "paris", "lyon 1": "Lyon.Part-Dieu"}
THIEF, THERE = "lyon 1", "Lyon.Part-Dieu"


def configured() -> str:
    users = ['{user: "vigie", password: "s3cret"}']
    for agent, location in AGENTS.items():
        publish, subscribe = (msgspec.json.encode(one).decode() for one in permissions(location, agent))
        users.append(f'{{user: "{agent}", password: "s3cret", permissions: {{publish: {publish}, subscribe: {subscribe}}}}}')
    return f"accounts {{ VIGIE {{ jetstream: enabled, users: [{', '.join(users)}] }}, SYS {{}} }}\nsystem_account: SYS"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("nats"), configured()) as one:
        yield one


def address(server: NatsServer, user: str, more: str = "") -> Config:
    return Config.of(f"nats://{user.replace(' ', '%20')}:s3cret@{server.address}{more}", Path())


class Fleet:
    """The server's side, and the thief's connection."""

    def __init__(self, server: NatsServer) -> None:
        self.bus = NatsBus(address(server, "vigie"), BusDeps(SystemClock()))
        self.thief = Connection(address(server, THIEF), "thief", inbox(THERE, THIEF))

    async def __aenter__(self) -> Self:
        await self.bus.open()
        await self.thief.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.thief.close()
        await self.bus.close()


def batch_of(agent: str, location: str) -> PackedBatch:
    return PackedBatch(agent, location, 3, 99, 1, 0, 1, bytes([2]))


async def test_an_agent_can_do_all_that_it_needs(server: NatsServer) -> None:
    async with Fleet(server) as fleet:
        dispatch = fleet.bus.dispatch(AGENTS.get)
        work = Work(7, [ShardWork(3, 41, [SPEC], [12])], whole=True)

        async def answer(hello: Hello) -> Welcome:
            return Welcome(hello.at, "1", 1, 4, 99, hello.agent, hello.location)

        async with fleet.bus.answering(answer):
            for agent, location in AGENTS.items():
                await dispatch.work(agent, work)
                config = address(server, agent, f"?agent={agent.replace(' ', '%20')}&location={location}")
                uplink = build(config, UplinkDeps(SystemClock()))
                assert (await uplink.hello(Hello(agent, location, "1", 0, 0))).agent == agent
                orders = uplink.orders(0)
                assert await first(orders) == work
                coming = asyncio.ensure_future(first(orders))
                await dispatch.check_now(agent, "shop")
                assert await coming == CheckNow("shop")
                await dispatch.pace(agent, "shop", 1_000)
                assert await first(orders) == Pace("shop", 1_000)
                await uplink.send([(3, encode(batch_of(agent, location)))])
                await uplink.close()
        assert {one.agent for one in await read(fleet.bus, 2)} == set(AGENTS)


FORBIDDEN: dict[str, tuple[str, Any]] = {
    "report for another location": (result_subject(3, "paris", "paris-1"), b"x"),
    "report for another agent of its location": (result_subject(3, THERE, "lyon-2"), b"x"),
    "introduce itself as another": (hello_subject("paris", "paris-1"), b"x"),
    "order another agent": (order_subject("paris", "paris-1"), b"x"),
    "order itself": (order_subject(THERE, THIEF), b"x"),
    "write its own work": (f"{work_subject(THERE, THIEF, 3)}", b"x"),
    "write another's work": (f"{work_subject('paris', 'paris-1', 3)}", b"x"),
    "look at the account": ("$JS.API.INFO", b""),
    "list the streams": ("$JS.API.STREAM.NAMES", b""),
    "look at the results": (f"$JS.API.STREAM.INFO.{RESULTS}", b""),
    "read a result": (f"$JS.API.STREAM.MSG.GET.{RESULTS}", {"seq": 1}),
    "read a document": (f"$JS.API.STREAM.MSG.GET.{WORK_STREAM}", {"seq": 1}),
    "read a document directly": (f"$JS.API.DIRECT.GET.{WORK_STREAM}.{work_subject('paris', 'paris-1', 3)}", b""),
    "read its own document directly": (f"$JS.API.DIRECT.GET.{WORK_STREAM}.{work_subject(THERE, THIEF, 3)}", b""),
    "delete the results": (f"$JS.API.STREAM.DELETE.{RESULTS}", b""),
    "purge the results": (f"$JS.API.STREAM.PURGE.{RESULTS}", b""),
    "change the results": (f"$JS.API.STREAM.UPDATE.{RESULTS}", {"name": RESULTS}),
    "make a stream": ("$JS.API.STREAM.CREATE.MINE", {"name": "MINE", "subjects": ["mine"]}),
    "list consumers": (f"$JS.API.CONSUMER.NAMES.{WORK_STREAM}", b""),
    "end the consumer of another": (f"$JS.API.CONSUMER.DELETE.{WORK_STREAM}.{watcher('paris', 'paris-1')}", b""),
    "read from the consumer of another": (f"$JS.API.CONSUMER.MSG.NEXT.{WORK_STREAM}.{watcher('paris', 'paris-1')}", {"batch": 1}),
    "read results by a consumer": (f"$JS.API.CONSUMER.CREATE.{RESULTS}.mine", {"stream_name": RESULTS, "config": {"name": "mine"}}),
    "read all work by a consumer": (
        f"$JS.API.CONSUMER.CREATE.{WORK_STREAM}.{watcher(THERE, THIEF)}",
        {"stream_name": WORK_STREAM, "config": {"name": watcher(THERE, THIEF)}},
    ),
    "read another's work by a consumer": (
        f"$JS.API.CONSUMER.CREATE.{WORK_STREAM}.{watcher(THERE, THIEF)}.{work_subjects('paris', 'paris-1')}",
        {"stream_name": WORK_STREAM, "config": {"name": watcher(THERE, THIEF), "filter_subject": work_subjects("paris", "paris-1")}},
    ),
    "make a consumer in the old way": (f"$JS.API.CONSUMER.CREATE.{WORK_STREAM}", {"stream_name": WORK_STREAM, "config": {}}),
    "make a durable one": (
        f"$JS.API.CONSUMER.DURABLE.CREATE.{WORK_STREAM}.mine",
        {"stream_name": WORK_STREAM, "config": {"durable_name": "mine"}},
    ),
    "acknowledge for another": (f"$JS.ACK.{WORK_STREAM}.{watcher('paris', 'paris-1')}.1.1.1.1.0", b"+TERM"),
    "talk to the system": ("$SYS.REQ.SERVER.PING", b""),
}


@pytest.mark.parametrize("what", FORBIDDEN)
async def test_a_thief_cannot(what: str, server: NatsServer) -> None:
    subject, body = FORBIDDEN[what]
    async with Fleet(server) as fleet:
        with pytest.raises(BusError) as raised:
            await fleet.thief.ask(subject, body if isinstance(body, bytes) else msgspec.json.encode(body), seconds=5)
        assert raised.value.fault is BusFault.RIGHTS


@pytest.mark.parametrize(
    "subject",
    [
        *(">", "res.>", "_INBOX.>", "vigie.>", "vigie.hello.*.*", "vigie.order.*.*", "$KV.>", "$JS.>", "$SYS.>"),
        order_subject("paris", "paris-1"),
        f"{inbox('paris', 'paris-1')}.>",
        f"{inbox(THERE, 'lyon-2')}.>",
    ],
)
async def test_a_thief_hears_nothing_of_others(subject: str, server: NatsServer) -> None:
    async def heard(_: object) -> None:
        raise AssertionError

    async with Fleet(server) as fleet:
        with pytest.raises(BusError) as raised:
            await fleet.thief.subscribe(subject, heard)
        assert raised.value.fault is BusFault.RIGHTS


@pytest.mark.parametrize(
    "more",
    [
        {"filter_subject": work_subjects("paris", "paris-1")},
        {"filter_subject": "$KV.vigie-work.>"},
        {"filter_subjects": [work_subjects("paris", "paris-1")]},
        {"filter_subjects": [work_subjects(THERE, THIEF), work_subjects("paris", "paris-1")]},
        {"filter_subject": work_subjects(THERE, THIEF), "filter_subjects": ["$KV.vigie-work.>"]},
        {},
        {"name": "other", "filter_subject": work_subjects(THERE, THIEF)},
        {"name": watcher("paris", "paris-1"), "filter_subject": work_subjects("paris", "paris-1")},
    ],
)
async def test_a_consumer_reads_what_its_subject_says_whatever_its_body_says(more: dict[str, Any], server: NatsServer) -> None:
    own = watcher(THERE, THIEF)
    async with Fleet(server) as fleet:
        await fleet.bus.dispatch(AGENTS.get).work("paris-1", Work(8, [ShardWork(5, 1, [SPEC], [1])]))
        body = {"stream_name": WORK_STREAM, "config": {"name": own, "ack_policy": "none", **more}, "action": "create"}
        what = f"CONSUMER.CREATE.{WORK_STREAM}.{own}.{work_subjects(THERE, THIEF)}"
        try:
            made = (await fleet.thief.api(what, body))["config"]
        except BusError:
            return
        assert (made["name"], made["filter_subject"], made.get("filter_subjects")) == (own, work_subjects(THERE, THIEF), None)


async def test_a_batch_that_says_it_is_another_agents_is_skipped(server: NatsServer, caplog: pytest.LogCaptureFixture) -> None:
    async with Fleet(server) as fleet:
        before = await fleet.bus.waiting(None)
        await fleet.thief.ask(result_subject(3, THERE, THIEF), encode(batch_of("paris-1", "paris")))
        await fleet.thief.ask(result_subject(3, THERE, THIEF), encode(batch_of("lyon-2", THERE)))
        await fleet.thief.ask(result_subject(3, THERE, THIEF), encode(batch_of(THIEF, THERE)))
        found = await read(fleet.bus, before + 1)
        assert found[-1] == batch_of(THIEF, THERE)
        assert len(found) == before + 1
        assert "its subject does not say" in caplog.text
