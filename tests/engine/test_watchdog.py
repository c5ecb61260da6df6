"""Vigie's own heartbeat: only while it works, and every fault is logged once."""

import pytest

from vigie.engine.watchdog import Watchdog
from vigie.errors import DeliveryError, DeliveryReason
from vigie.testing import VirtualClock


class World:
    """What holds at the moment: why Vigie does not work, and what the other watcher answers."""

    def __init__(self) -> None:
        self.why, self.fault, self.pings = "", False, 0

    async def why_not(self) -> str:
        return self.why

    async def ping(self) -> str:
        if self.fault:
            raise DeliveryError(DeliveryReason.REFUSED, "hc.test refused the connection", fix="check it")
        self.pings += 1
        return "HTTP 200: OK"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def watchdog(world: World) -> Watchdog:
    made = Watchdog(VirtualClock(), world.why_not)
    made.use(world.ping, 60_000)
    return made


async def test_it_is_pinged_while_vigie_works_and_not_while_it_does_not(world: World, watchdog: Watchdog) -> None:
    assert await watchdog.beat()
    world.why = "no results are coming in"
    assert not await watchdog.beat()
    assert world.pings == 1


async def test_faults_are_logged_once_and_their_end_too(world: World, watchdog: Watchdog, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world.fault = True
    assert not any([await watchdog.beat() for _ in range(100)])
    world.fault = False
    assert all([await watchdog.beat() for _ in range(100)])
    assert [record.message for record in caplog.records] == [
        "the watchdog did not take the heartbeat: hc.test refused the connection (check it)",
        "the watchdog takes heartbeats again: HTTP 200: OK",
    ]


async def test_without_an_address_nothing_is_sent(world: World) -> None:
    assert not await Watchdog(VirtualClock(), world.why_not).beat()
