"""Starvation: what others on the machine take is told apart from what our own work takes."""

import asyncio
import time

import pytest

from vigie.testing.starvation import Starvation, measured


async def test_who_is_kept_from_running_is_not_to_blame_and_who_computes_is() -> None:
    async with measured() as kept:
        time.sleep(0.15)  # noqa: ASYNC251 - as a machine that runs others  # slow: it is what is measured
    async with measured() as busy:
        end = time.process_time() + 0.15
        while time.process_time() < end:
            """Our own work."""

    assert kept.lost > 0.1
    assert kept.held < 0.1
    assert busy.held > 0.1


async def test_an_idle_loop_is_neither() -> None:
    async with measured() as idle:
        await asyncio.sleep(0.1)  # slow: it is what is measured

    assert idle.held < 0.05


def test_gaps_add_up_and_the_longest_hold_counts() -> None:
    found = Starvation()
    for gap, worked in ((0.3, 0.1), (0.2, 0.2), (-0.001, 0.0), (0.1, 0.5)):
        found.note(gap, worked)

    assert found.lost == pytest.approx(0.2)
    assert found.held == 0.2
