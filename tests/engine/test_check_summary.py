"""One line a minute about all checks."""

import asyncio
import logging
from dataclasses import replace

import pytest

from vigie.core.incident import DetectionState
from vigie.core.model import Status
from vigie.core.quorum import View
from vigie.engine.check_summary import CheckSummary
from vigie.engine.transition import Transition
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor, fake_result

pytestmark = pytest.mark.virtual


async def test_a_line_a_minute_says_how_many_checks_there_were_and_what_is_not_up(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monitors = [fake_monitor(f"m{number}") for number in range(9)]
    late: list[int | None] = [None]
    summary = CheckSummary(clock, lambda: list(monitors), lambda: late[0])
    running = asyncio.create_task(summary.run())

    async def see(number: int, status: Status) -> None:
        monitor, state = monitors[number], DetectionState(f"m{number}")
        await summary.on_transition(Transition(monitor, state, state, (), fake_result(monitor.id, status, clock.now())))

    for number in range(8):
        await see(number, Status.UP)
        await see(number, Status.DOWN if number else Status.DEGRADED)
    await asyncio.sleep(60.5)
    late[0] = 7
    await see(0, Status.UP)
    del monitors[1:]
    await asyncio.sleep(60)
    running.cancel()
    assert [record.message for record in caplog.records] == [
        "16 checks in the last minute; 0 of 9 monitors up; 7 down (m1, m2, m3, m4, m5 and 2 more); 1 degraded (m0)",
        "1 check in the last minute; 1 of 1 monitor up; started up to 7 ms late (p99)",
    ]


async def test_of_several_locations_the_verdict_counts(clock: VirtualClock) -> None:
    monitor = fake_monitor("shop")
    summary = CheckSummary(clock, lambda: [monitor], lambda: None)
    views = tuple([View(place, 1, 1, 0, Status.UP if place == "rome" else Status.DOWN) for place in ("paris", "rome")])
    state = replace(DetectionState("shop"), views=views, status=Status.DEGRADED)
    for status, place in ((Status.UP, "rome"), (Status.DOWN, "paris"), (Status.UP, "rome")):
        result = replace(fake_result("shop", status, clock.now()), location=place)
        await summary.on_transition(Transition(monitor, state, state, (), result))
        assert summary.line().endswith("0 of 1 monitor up; 1 degraded (shop)")
