"""One server after another in one process: which is shown, which is ended, and in what order."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from vigie.engine.leases import Duty
from vigie.errors import StoreError, StoreFault
from vigie.ports import Lease
from vigie.terms import Terms
from vigie.testing.loop import VirtualClock

pytestmark = pytest.mark.virtual
LEASE = Lease("evaluator", "one/a.1", 3, 10_000)


@dataclass
class House:
    """What happened to the servers, in order; `away`: the store cannot be reached, `broken`: a start fails."""

    said: list[str] = field(default_factory=list)
    away: bool = False
    broken: bool = False

    def make(self, duty: Duty, settings: Any) -> Any:
        return Fake(self, "evaluator" if duty.evaluates else "standby", settings)

    def show(self, server: Any) -> None:
        self.said.append(f"show {server.name}")

    async def reach(self) -> None:
        if self.away:
            self.said.append("away")
            raise StoreError(StoreFault.UNREACHABLE, "away")

    def terms(self) -> Terms:
        return Terms("settings", self.make, self.show, self.reach, Duty(evaluates=False), VirtualClock())  # type: ignore[arg-type]  # it only hands them on


@dataclass
class Fake:
    """A server that says what is done to it."""

    house: House
    name: str
    settings: Any

    async def start(self) -> None:
        await asyncio.sleep(0.1)
        if self.house.broken:
            raise StoreError(StoreFault.OTHER, "broken")
        self.house.said.append(f"start {self.name}")

    def halt(self) -> None:
        self.house.said.append(f"halt {self.name}")

    async def retire(self) -> None:
        await asyncio.sleep(0.1)
        self.house.said.append(f"retire {self.name}")


async def _evaluating(terms: Terms) -> "asyncio.Task[None]":
    task = asyncio.create_task(terms.evaluate(LEASE))
    await asyncio.sleep(1)
    return task


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(1)


async def test_a_new_one_is_shown_once_it_has_started_and_then_the_old_one_ends() -> None:
    house = House()
    terms = house.terms()
    await terms.start()
    task = await _evaluating(terms)
    assert house.said == [
        "start standby", "show standby", "start evaluator", "show evaluator", "halt standby", "retire standby",
    ]  # fmt: skip
    house.said.clear()
    await _cancelled(task)
    assert house.said[:3] == ["halt evaluator", "start standby", "show standby"]  # nothing is decided from the first moment on
    assert "retire evaluator" in house.said


async def test_one_that_cannot_begin_to_evaluate_leaves_the_old_one() -> None:
    house = House()
    terms = house.terms()
    await terms.start()
    house.broken = True
    with pytest.raises(StoreError):
        await terms.evaluate(LEASE)
    await asyncio.sleep(1)
    assert house.said == ["start standby", "show standby", "halt evaluator", "retire evaluator"]
    assert terms.server.name == "standby"  # type: ignore[attr-defined]  # of a fake


async def test_a_store_that_is_away_is_waited_for_and_pages_are_served_meanwhile() -> None:
    house = House()
    terms = house.terms()
    await terms.start()
    task = await _evaluating(terms)
    house.said.clear()
    house.away = True
    task.cancel()
    await asyncio.sleep(5)
    assert house.said[0] == "halt evaluator"
    assert set(house.said[1:]) == {"away"}
    house.away = False
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(1)
    assert house.said[-3:] == ["start standby", "show standby", "retire evaluator"]


async def test_who_stops_takes_up_nothing_else() -> None:
    house = House()
    terms = house.terms()
    await terms.start()
    task = await _evaluating(terms)
    house.said.clear()
    assert terms.stop().name == "evaluator"  # type: ignore[attr-defined]  # of a fake
    await _cancelled(task)
    await terms.close(1)
    assert house.said == []


async def test_who_is_stopped_while_it_begins_to_evaluate_ends_what_it_began() -> None:
    house = House()
    terms = house.terms()
    await terms.start()
    task = asyncio.create_task(terms.evaluate(LEASE))
    await asyncio.sleep(0.05)
    house.said.clear()
    stopped: Any = terms.stop()
    await asyncio.wait_for(task, 10)
    await terms.close(10)
    assert stopped.name == "standby"
    assert house.said == ["start evaluator", "halt evaluator", "retire evaluator"]
