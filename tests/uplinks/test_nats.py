"""An agent's way to its servers over NATS, against the real server and the bus of `vigie serve`."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
from tests.buses.nats_rig import connected, emptied, needs_nats

from vigie.buses import BusDeps
from vigie.buses.nats.bus import NatsBus
from vigie.clock import SystemClock
from vigie.errors import BusError, UplinkError, UplinkFault, VigieError
from vigie.fleet.batches import encode
from vigie.fleet.subjects import WORK_STREAM, watcher
from vigie.fleet.wire import CheckNow, Hello, Order, Pace, ShardWork, Welcome, Work
from vigie.net.nats.address import Config
from vigie.testing.nats_server import NatsServer
from vigie.testing.uplink_suite import HELLO, SPEC, UPLINK_LAWS, WELCOME, WORK, fault_of, first
from vigie.uplinks import UplinkDeps, kind_of
from vigie.uplinks.nats import NatsUplink, build

pytestmark = needs_nats
AGENT = "paris-1"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
def server(running: NatsServer) -> Iterator[NatsServer]:
    with emptied(running) as one:
        yield one


def uplink_to(server: NatsServer, agent: str = AGENT, location: str = "paris") -> NatsUplink:
    return build(Config.of(f"{server.url}?agent={agent}&location={location}"), UplinkDeps(SystemClock(), timeout_seconds=2.0))


class Rig:
    """The bus as `vigie serve` has it."""

    refusals = frozenset({UplinkFault.AUTH, UplinkFault.VERSION, UplinkFault.BUSY})

    def __init__(self, server: NatsServer, bus: NatsBus) -> None:
        self._server, self._bus = server, bus
        self._dispatch = bus.dispatch(lambda agent: "paris" if agent == AGENT else None)
        self._refusal: UplinkFault | None = None
        self._taken: list[tuple[int, bytes]] = []
        self._away = False
        self.hellos: list[Hello] = []

    async def answer(self, hello: Hello) -> Welcome:
        if self._refusal is not None:
            raise UplinkError(self._refusal, "not you")
        self.hellos.append(hello)
        return WELCOME

    @property
    def taken(self) -> Sequence[tuple[int, bytes]]:
        """What the stream holds, read by somebody else."""
        if not self._away:
            thread = threading.Thread(target=lambda: asyncio.run(self._read()))
            thread.start()
            thread.join()
        return self._taken

    async def _read(self) -> None:
        bus = NatsBus(Config.of(self._server.url), BusDeps(SystemClock()))
        try:
            await bus.open()
            count, found = await bus.waiting(None), list[tuple[int, bytes]]()
            groups = bus.groups()
            while len(found) < count:
                found += [(one.shard, encode(one)) for one in (await anext(groups)).batches]
            self._taken = found
        finally:
            await bus.close()

    def uplink(self) -> NatsUplink:
        return uplink_to(self._server)

    async def order(self, order: Order) -> None:
        if isinstance(order, Work):
            await self._dispatch.work(AGENT, order)
        elif isinstance(order, Pace):
            await self._dispatch.pace(AGENT, order.monitor, order.every_ms)
        else:
            await self._dispatch.check_now(AGENT, order.monitor)

    async def listened(self) -> None:
        async with connected(self._server.url) as connection, asyncio.timeout(10):
            while True:
                with contextlib.suppress(BusError):
                    watching = await connection.api(f"CONSUMER.INFO.{WORK_STREAM}.{watcher('paris', AGENT)}")
                    if not watching["num_pending"]:  # it has been sent all there was: what is written now is a change to it
                        return

    def refuse(self, fault: UplinkFault | None) -> None:
        self._refusal = fault

    def stall(self, *, stalled: bool) -> None:
        self._away = stalled
        if stalled:
            self._server.pause()
        else:
            self._server.resume()

    async def stop(self) -> None:
        self._away = True
        self._server.kill()

    async def start(self) -> None:
        self._away = False
        self._server.start()
        await self._bus._connection.ready(10)


@contextlib.asynccontextmanager
async def rig(server: NatsServer) -> AsyncIterator[Rig]:
    bus = NatsBus(Config.of(server.url), BusDeps(SystemClock()))
    try:
        await bus.open()
        one = Rig(server, bus)
        async with bus.answering(one.answer):
            await one.order(WORK)
            yield one
    finally:
        server.resume()
        if server._process is None:
            server.start()
        await bus.close()


@pytest.mark.parametrize("law", UPLINK_LAWS)
async def test_the_uplink_keeps_the_law(law: str, server: NatsServer) -> None:
    async with rig(server) as one:
        await UPLINK_LAWS[law](one)


async def collected(orders: AsyncIterator[Order], count: int) -> list[Order]:
    return [await first(orders) for _ in range(count)]


async def test_what_changes_is_written_and_nothing_else(server: NatsServer) -> None:
    async with rig(server) as one, connected(server.url) as admin:

        async def written() -> int:
            return int((await admin.api(f"STREAM.INFO.{WORK_STREAM}"))["state"]["last_seq"])

        shards = [ShardWork(shard, 41, [SPEC], [12]) for shard in range(20)]
        await one.order(Work(9, shards, whole=True))
        before = await written()
        await one.order(Work(9, shards, whole=True))
        assert await written() == before
        await one.order(Work(10, [*shards[:-1], ShardWork(19, 42, [SPEC], [12])], whole=True))
        assert await written() == before + 2  # the shard, and the state with its epoch
        other = one._bus.dispatch(lambda _: "paris")  # another server coordinates from now on
        await other.work(AGENT, Work(10, [*shards[:-1], ShardWork(19, 42, [SPEC], [12])], whole=True))
        assert await written() == before + 2
        await other.work(AGENT, Work(11, shards[:1], whole=True))
        uplink = one.uplink()
        assert await first(uplink.orders(0)) == Work(11, shards[:1], whole=True)
        await uplink.close()


async def test_a_shard_that_went_is_told_to_who_listens(server: NatsServer) -> None:
    async with rig(server) as one:
        uplink = one.uplink()
        orders = uplink.orders(0)
        assert await first(orders) == WORK
        await one.order(Work(8, [ShardWork(5, 50, [SPEC], [12])], whole=True))
        assert await first(orders) == Work(8, [ShardWork(3, 0, [], []), ShardWork(5, 50, [SPEC], [12])])
        await orders.aclose()  # type: ignore[attr-defined]
        await uplink.close()


async def test_paces_are_known_to_who_comes_back(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vigie.buses.nats.dispatch._GATHER_SECONDS", 0.0)
    async with rig(server) as one:
        await one.order(Pace("shop", 1_000))
        await one.order(Pace("other", 2_000))
        await asyncio.gather(*one._dispatch._saving.values())
        uplink = one.uplink()
        orders = uplink.orders(WORK.epoch)
        assert await collected(orders, 2) == [Pace("other", 2_000), Pace("shop", 1_000)]
        await orders.aclose()  # type: ignore[attr-defined]
        await one.order(Pace("shop", None))  # it does not listen now
        await asyncio.gather(*one._dispatch._saving.values())
        orders = uplink.orders(WORK.epoch)
        assert await collected(orders, 2) == [Pace("shop", None), Pace("other", 2_000)]
        await uplink.close()


async def test_work_that_was_never_given_is_waited_for(server: NatsServer) -> None:
    async with rig(server) as one:
        uplink = uplink_to(server, "new")
        orders = uplink.orders(0)
        coming = asyncio.create_task(first(orders))
        dispatch = one._bus.dispatch(lambda _: "paris")
        await dispatch.work("new", Work(3, [ShardWork(7, 12, [SPEC], [12])], control=["192.0.2.1:443"]))
        assert await coming == Work(3, [ShardWork(7, 12, [SPEC], [12])], whole=True, control=["192.0.2.1:443"])
        await uplink.close()


async def test_an_agent_that_says_it_is_another_is_refused(server: NatsServer) -> None:
    async with rig(server) as one:
        uplink = uplink_to(server, "lyon-1", "lyon")
        error = await fault_of(uplink.hello(HELLO))
        assert (error.fault, error.permanent) == (UplinkFault.AUTH, True)
        assert one.hellos == []
        await uplink.close()


async def test_an_agent_that_does_not_know_who_it_is_yet_is_told(server: NatsServer) -> None:
    async with rig(server) as one:
        uplink = one.uplink()
        assert await uplink.hello(Hello("", "", "1.0", 0, 5)) == WELCOME
        assert one.hellos == [Hello(AGENT, "paris", "1.0", 0, 5)]
        await uplink.close()


async def test_nobody_coordinates_for_the_moment(server: NatsServer) -> None:
    uplink = uplink_to(server)
    error = await fault_of(uplink.hello(HELLO))
    assert (error.fault, error.permanent) == (UplinkFault.UNREACHABLE, False)
    assert error.fix
    await uplink.close()


async def test_a_server_that_cannot_answer_says_so(server: NatsServer) -> None:
    async def answer(_: Hello) -> Welcome:
        raise ValueError("the store is away")

    bus = NatsBus(Config.of(server.url), BusDeps(SystemClock()))
    try:
        async with bus.answering(answer):
            uplink = uplink_to(server)
            error = await fault_of(uplink.hello(HELLO))
            assert (error.fault, error.permanent) == (UplinkFault.BUSY, False)
            await uplink.close()
    finally:
        await bus.close()


async def test_who_the_agent_is_has_to_be_said() -> None:
    assert kind_of("nats://127.0.0.1") == kind_of("tls://127.0.0.1") == "nats"
    with pytest.raises(VigieError) as raised:
        build(Config.of("nats://127.0.0.1", Path()), UplinkDeps(SystemClock()))
    assert "agent=NAME" in raised.value.fix


async def test_orders_that_cannot_be_read_are_said(server: NatsServer, caplog: pytest.LogCaptureFixture) -> None:
    async with rig(server) as one, connected(server.url) as other:
        uplink = one.uplink()
        orders = uplink.orders(WORK.epoch)
        coming = asyncio.create_task(first(orders))
        await one.listened()
        for _ in range(5):
            await other.publish("vigie.order.paris.paris-1", b"nonsense")
            await other.ask("$KV.vigie-work.paris.paris-1.9", b"nonsense")
        await one.order(CheckNow("shop"))
        assert await coming == CheckNow("shop")
        assert caplog.text.count("cannot be read") in (1, 2)  # each once; the document may come later than the order
        await uplink.close()
