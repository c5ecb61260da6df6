"""Several servers: the one that evaluates is reported to, another one within seconds once it is away, and nothing is lost or said for ever."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import pytest

from vigie.engine.remote.failover import Failover
from vigie.engine.remote.link import wait_ms
from vigie.errors import UplinkError, UplinkFault
from vigie.fleet.wire import CheckNow, Hello, Order, Welcome
from vigie.testing import VirtualClock

HELLO = Hello("paris-1", "paris", "1", 99, 0)
BATCH = [(3, b"one")]


class Is(Enum):
    """How a server is."""

    EVALUATING = auto()
    STANDING_BY = auto()
    RELAYING = auto()  # it stands by, and has a bus
    AWAY = auto()
    MUTE = auto()  # it takes connections and answers nothing
    ANOTHER = auto()  # the token is not known there


@dataclass
class Server:
    """One server, as its uplink shows it; a call that is not answered ends after as long as the uplink waits."""

    name: str
    clock: VirtualClock
    state: Is = Is.STANDING_BY
    spool: int = 7
    hellos: list[Hello] = field(default_factory=list)
    posts: int = 0
    taken: list[bytes] = field(default_factory=list)
    closed: bool = False
    orders_of: asyncio.Queue[Order] = field(default_factory=asyncio.Queue)

    async def _answer(self, seconds: float) -> None:
        if self.state is Is.AWAY:
            raise UplinkError(UplinkFault.UNREACHABLE, f"{self.name} refused the connection", fix="start it")
        if self.state is Is.ANOTHER:
            raise UplinkError(UplinkFault.AUTH, f"{self.name} knows no such token", fix="enroll", permanent=True)
        if self.state is Is.MUTE:
            await asyncio.sleep(seconds)
            raise UplinkError(UplinkFault.TIMEOUT, f"{self.name} did not answer")

    async def hello(self, hello: Hello) -> Welcome:
        self.hellos.append(hello)
        await self._answer(5.0)
        evaluates = self.state is Is.EVALUATING
        takes = evaluates or self.state is Is.RELAYING
        return Welcome(0, "1", 1, 4, hello.spool or self.spool, "paris-1", "paris", evaluates, takes)

    async def send(self, batches: Sequence[tuple[int, bytes]]) -> None:
        self.posts += 1
        await self._answer(30.0)
        if self.state is Is.STANDING_BY:
            raise UplinkError(UplinkFault.STANDBY, f"{self.name} stands by")
        self.taken += [body for _, body in batches]

    async def orders(self, epoch: int) -> AsyncIterator[Order]:
        await self._answer(45.0)
        while self.state is not Is.AWAY:
            yield await self.orders_of.get()

    async def close(self) -> None:
        self.closed = True


def fleet(*states: Is) -> tuple[Failover, list[Server]]:
    clock = VirtualClock()
    servers = [Server(name, clock, state) for name, state in zip("abcdef", states, strict=False)]
    return Failover({one.name: one for one in servers}, clock), servers


async def delivered(uplink: Failover, seconds: float = 60.0) -> float:
    """Hand a batch over as an agent does, again and again; how long it took."""
    began, attempt = asyncio.get_running_loop().time(), 0
    async with asyncio.timeout(seconds):
        while True:
            try:
                await uplink.send(BATCH)
            except UplinkError as error:
                attempt += 1
                await asyncio.sleep(wait_ms(error, attempt, "batches") / 1000)
            else:
                return asyncio.get_running_loop().time() - began


@pytest.mark.virtual
async def test_the_one_that_evaluates_is_found_wherever_it_is() -> None:
    uplink, (a, b, c) = fleet(Is.AWAY, Is.STANDING_BY, Is.EVALUATING)
    assert (await uplink.hello(HELLO)).evaluates
    await uplink.send(BATCH)
    assert (a.posts, b.posts, c.taken) == (0, 0, [b"one"])
    for _ in range(20):
        await uplink.hello(HELLO)
        await asyncio.sleep(15)
    assert (len(a.hellos), len(b.hellos)) == (2, 2)  # the others are looked at once more, and then in ten minutes
    await uplink.close()
    assert all(one.closed for one in (a, b, c))


@pytest.mark.virtual
@pytest.mark.parametrize("gone", [Is.AWAY, Is.MUTE, Is.STANDING_BY])
async def test_another_one_is_reported_to_within_seconds_once_it_evaluates(gone: Is) -> None:
    """However the former one went; a batch that was on its way to it is handed over again."""
    uplink, (a, b) = fleet(Is.EVALUATING, Is.STANDING_BY)
    await uplink.hello(HELLO)
    await uplink.send(BATCH)
    a.state = gone
    waiting = asyncio.create_task(delivered(uplink))
    await asyncio.sleep(12)
    assert not waiting.done()
    b.state = Is.EVALUATING
    took = await waiting - 12
    assert took <= 10
    assert b.taken == [b"one"]
    assert b.posts == 1  # what would be refused is not sent
    await uplink.close()


@pytest.mark.virtual
async def test_a_slow_answer_is_waited_for_while_nobody_else_evaluates() -> None:
    uplink, (a, b) = fleet(Is.EVALUATING, Is.STANDING_BY)
    await uplink.hello(HELLO)

    async def slow(batches: Sequence[tuple[int, bytes]]) -> None:
        await asyncio.sleep(25)
        a.taken += [body for _, body in batches]

    a.send = slow  # type: ignore[method-assign]
    await uplink.send(BATCH)
    assert (a.taken, b.taken) == ([b"one"], [])
    await uplink.close()


@pytest.mark.virtual
async def test_orders_come_from_the_one_that_is_reported_to() -> None:
    """Those of the former one end as soon as it is left, so that nobody waits for what it will never say."""
    uplink, (a, b) = fleet(Is.EVALUATING, Is.STANDING_BY)
    await uplink.hello(HELLO)
    a.orders_of.put_nowait(CheckNow("first"))
    orders = uplink.orders(0)
    assert await anext(orders) == CheckNow("first")
    a.state, b.state = Is.STANDING_BY, Is.EVALUATING
    coming = asyncio.ensure_future(anext(orders))
    await asyncio.sleep(2)
    await uplink.send(BATCH)
    with pytest.raises(UplinkError):
        await coming
    b.orders_of.put_nowait(CheckNow("second"))
    orders = uplink.orders(0)
    assert await anext(orders) == CheckNow("second")
    await orders.aclose()  # type: ignore[attr-defined]
    await uplink.close()


@pytest.mark.virtual
async def test_orders_that_break_look_for_another_server() -> None:
    uplink, (a, b) = fleet(Is.EVALUATING, Is.STANDING_BY)
    await uplink.hello(HELLO)
    await asyncio.sleep(2)
    a.state, b.state = Is.AWAY, Is.EVALUATING
    with pytest.raises(UplinkError, match="a refused"):
        await anext(uplink.orders(0))
    b.orders_of.put_nowait(CheckNow("shop"))
    orders = uplink.orders(0)
    assert await anext(orders) == CheckNow("shop")
    await orders.aclose()  # type: ignore[attr-defined]
    await uplink.close()


@pytest.mark.virtual
async def test_a_server_with_a_bus_takes_what_the_one_that_evaluates_cannot_be_brought() -> None:
    uplink, (a, b, c) = fleet(Is.AWAY, Is.STANDING_BY, Is.RELAYING)
    assert not (await uplink.hello(HELLO)).evaluates
    await uplink.send(BATCH)
    assert (c.taken, b.posts) == ([b"one"], 0)
    a.state = Is.EVALUATING
    assert (await uplink.hello(HELLO)).evaluates
    await uplink.send(BATCH)
    assert a.taken == [b"one"]
    await uplink.close()


@pytest.mark.virtual
async def test_a_new_spool_has_one_number_with_all_servers() -> None:
    """Else the second one that is asked would make the agent a stranger to the first."""
    uplink, (a, b) = fleet(Is.STANDING_BY, Is.EVALUATING)
    a.spool, b.spool = 5, 6
    assert (await uplink.hello(Hello("", "", "1", 0, 0))).spool == 5
    assert [one.spool for one in b.hellos] == [5]
    await uplink.close()


@pytest.mark.virtual
async def test_each_server_is_told_the_time_of_its_own_hello() -> None:
    """It is what a clock's skew is measured by: the seconds that another one took to be given up are no skew."""
    uplink, (a, b) = fleet(Is.MUTE, Is.EVALUATING)
    await uplink.hello(HELLO)
    assert b.hellos[0].at - a.hellos[0].at == 5_000
    await uplink.close()


@pytest.mark.virtual
async def test_what_all_of_them_say_is_said(caplog: pytest.LogCaptureFixture) -> None:
    uplink, (a, b) = fleet(Is.AWAY, Is.AWAY)
    with pytest.raises(UplinkError) as raised:
        await uplink.hello(HELLO)
    assert (raised.value.fault, raised.value.message) == (UplinkFault.UNREACHABLE, "a refused the connection; b refused the connection")
    b.state = Is.ANOTHER
    with pytest.raises(UplinkError) as raised:
        await uplink.hello(HELLO)
    assert (raised.value.fault, raised.value.permanent, raised.value.fix) == (UplinkFault.AUTH, True, "enroll")
    b.state = Is.STANDING_BY
    await uplink.hello(HELLO)
    with pytest.raises(UplinkError) as raised:
        await uplink.send(BATCH)
    assert (raised.value.fault, raised.value.permanent) == (UplinkFault.STANDBY, False)
    assert raised.value.message == "no server takes results now: b stands by; a refused the connection"
    assert a.posts + b.posts == 0
    await uplink.close()


@pytest.mark.virtual
async def test_a_wrong_address_is_known_before_it_is_needed(caplog: pytest.LogCaptureFixture) -> None:
    """Said once, and that it is right."""
    uplink, (_, b) = fleet(Is.EVALUATING, Is.ANOTHER)
    for _ in range(200):
        await uplink.hello(HELLO)
        await asyncio.sleep(15)
    assert caplog.text.count("b knows no such token") == 1
    assert len(b.hellos) <= 6
    b.state = Is.STANDING_BY
    with caplog.at_level("INFO"):
        await asyncio.sleep(600)
        await uplink.hello(HELLO)
        await asyncio.sleep(1)
    assert "b answers again" in caplog.text
    await uplink.close()
