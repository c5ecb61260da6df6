"""What history comes to for rows: read when somebody asks, remembered for minutes, in bounded memory, and without what is gone."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from vigie.engine import past
from vigie.engine.past import Pasts, spells_of
from vigie.errors import StoreError, StoreFault
from vigie.observation.availability import Availability, AvailabilitySummary
from vigie.observation.rollup import Resolution, Rollup
from vigie.queries.board import Span, Spell
from vigie.testing import VirtualClock
from vigie.testing.memory import MemoryStore

MINUTE, DAY = 60_000, 86_400_000
pytestmark = pytest.mark.virtual


class CountingHistory:
    """The same for every monitor; `asked` are the monitors of each reading, `ratio` the part of the day that was lost."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.asked, self.summed = clock, list[list[str]](), list[list[str]]()
        self.lost, self.broken = 0, False

    async def rollups(
        self, monitors: Sequence[str], start: int, end: int, resolution: Resolution, location: Any = None
    ) -> dict[str, list[Rollup]]:
        if self.broken:
            raise StoreError(StoreFault.BUSY, "locked")
        first = start // resolution.ms * resolution.ms
        one = [Rollup(at, 100, 100, 0, 0, 1_000.0, 100, 20, 8.0, 11.0, 15.0) for at in range(first, end, resolution.ms)]
        return dict.fromkeys(monitors, one)

    async def uptimes(self, monitors: Sequence[str], now: int, spans_ms: Sequence[int]) -> dict[str, tuple[AvailabilitySummary, ...]]:
        if self.broken:
            raise StoreError(StoreFault.BUSY, "locked")
        self.summed.append(list(monitors))
        return {one: tuple(AvailabilitySummary(Availability(span, self.lost), 0, 0, 0, None) for span in spans_ms) for one in monitors}

    async def sparklines(self, monitors: Sequence[str], now: int, points: int = 48, span_ms: int = DAY) -> dict[str, list[float | None]]:
        self.asked.append(list(monitors))
        return {one: [1.0] * points for one in monitors}


@pytest.fixture
def history(clock: VirtualClock) -> CountingHistory:
    return CountingHistory(clock)


@pytest.fixture
def pasts(store: MemoryStore, clock: VirtualClock, history: CountingHistory) -> Pasts:
    made: Any = history
    return Pasts(made, store.archive, clock)


async def settle() -> None:
    """What is read behind the readers' backs has been."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_past_is_read_once_and_again_after_minutes_while_the_reader_gets_the_old_one(
    pasts: Pasts, clock: VirtualClock, history: CountingHistory
) -> None:
    first = await pasts.of(["a", "b"], Span.MONTH)
    await pasts.of(["b", "a"], Span.MONTH)
    assert history.asked == [["a", "b"]]
    assert len(first["a"].spells) == 30
    assert first["a"].ratio == 1.0

    history.lost = 15 * DAY
    await clock.sleep(400)
    assert (await pasts.of(["a"], Span.MONTH))["a"].ratio == 1.0  # nobody waits
    await settle()
    assert history.asked == [["a", "b"], ["a"]]
    assert (await pasts.of(["a"], Span.MONTH))["a"].ratio == 0.5


async def test_a_monitor_whose_state_changed_is_read_again_at_once(pasts: Pasts, history: CountingHistory) -> None:
    await pasts.of(["a", "b"], Span.DAY)
    pasts.forget("a")
    assert set(await pasts.of(["a", "b"], Span.DAY)) == {"a", "b"}
    await settle()
    assert history.asked == [["a", "b"], ["a"]]


async def test_many_readers_of_the_same_old_rows_make_one_reading(pasts: Pasts, clock: VirtualClock, history: CountingHistory) -> None:
    await pasts.of(["a"], Span.DAY)
    await clock.sleep(400)
    await asyncio.gather(*(pasts.of(["a"], Span.DAY) for _ in range(50)))
    await settle()
    assert history.asked == [["a"], ["a"]]


async def test_what_is_held_is_bounded_and_the_least_looked_at_goes_first(
    pasts: Pasts, history: CountingHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "_HELD", 10)
    names = [f"m{number}" for number in range(10)]
    await pasts.of(names, Span.DAY)
    await pasts.of(["m0"], Span.DAY)
    await pasts.of(["new"], Span.DAY)
    assert len(pasts._held) == 10
    await pasts.of(["m0"], Span.DAY)
    assert history.asked == [names, ["new"]]
    await pasts.of(["m1"], Span.DAY)
    assert history.asked[-1] == ["m1"]


async def test_monitors_that_are_gone_are_forgotten_in_every_span(pasts: Pasts) -> None:
    for span in Span:
        await pasts.of(["a", "b"], span)
        pasts.known(span)
    pasts.keep(["a"])
    assert {name for name, _ in pasts._held} == {"a"}
    for span in Span:
        assert set(pasts.known(span)) == {"a"}
        assert set(pasts._summaries[span]) == {"a"}


async def test_summaries_are_read_while_somebody_looks_a_hundred_at_a_time(
    pasts: Pasts, clock: VirtualClock, history: CountingHistory
) -> None:
    names = [f"m{number}" for number in range(250)]
    await pasts.sweep(names)
    assert history.summed == []  # nobody looks
    pasts.known(Span.QUARTER)
    for _ in range(4):
        await pasts.sweep(names)
    assert [len(one) for one in history.summed] == [100, 100, 50]
    assert len(pasts.known(Span.QUARTER)) == 250
    await clock.sleep(901)
    await pasts.sweep(names)
    assert len(history.summed) == 3  # nobody has looked for long
    pasts.known(Span.QUARTER)
    await pasts.sweep(names)
    assert len(history.summed) == 4


async def test_while_history_cannot_be_read_what_is_held_is_shown_and_what_was_never_read_raises(
    pasts: Pasts, clock: VirtualClock, history: CountingHistory, caplog: pytest.LogCaptureFixture
) -> None:
    await pasts.of(["a"], Span.DAY)
    history.broken = True
    await clock.sleep(400)
    assert set(await pasts.of(["a"], Span.DAY)) == {"a"}
    await settle()
    assert "the history of monitors cannot be read now: locked" in caplog.text
    with pytest.raises(StoreError, match="locked"):
        await pasts.of(["b"], Span.DAY)
    pasts.known(Span.DAY)
    await pasts.sweep(["b"])
    assert "the availability of monitors cannot be read now: locked" in caplog.text
    history.broken = False
    assert set(await pasts.of(["a", "b"], Span.DAY)) == {"a", "b"}


def rollup(at: int, *, count: int = 100, degraded: int = 0) -> Rollup:
    return Rollup(at, count, count - degraded, degraded, 0, 1_000.0, 100, 20, 8.0, 11.0, 15.0)


def test_a_spell_is_what_confirmed_outages_cost_less_planned_work() -> None:
    days = range(0, 6 * DAY, DAY)
    known = [rollup(DAY), rollup(3 * DAY), rollup(4 * DAY, degraded=50), rollup(5 * DAY, degraded=2)]
    down = [(DAY + 10 * MINUTE, DAY + 30 * MINUTE), (DAY + 20 * MINUTE, DAY + 40 * MINUTE)]
    work = [(DAY + 35 * MINUTE, DAY + 60 * MINUTE)]
    assert spells_of(known, down, work, days) == [
        None,  # not watched yet
        Spell(25.0),
        Spell(seen=False),
        Spell(),
        Spell(degraded=720.0),
        Spell(),  # two slow checks are not drawn
    ]


def test_what_was_not_observed_during_planned_work_was_planned() -> None:
    assert spells_of([rollup(0), rollup(2 * DAY)], [], [(DAY, 2 * DAY)], range(0, 3 * DAY, DAY)) == [
        Spell(),
        Spell(seen=False, planned=True),
        Spell(),
    ]


async def test_what_the_first_page_shows_is_read_before_anybody_asks(pasts: Pasts, history: CountingHistory) -> None:
    await pasts.warm([f"m{number}" for number in range(3)])
    assert history.asked == [["m0", "m1", "m2"]]
    found = await pasts.of(["m0", "m2"], Span.QUARTER)
    assert set(found) == {"m0", "m2"}
    assert len(history.asked) == 1


async def test_history_that_cannot_be_read_at_the_start_is_read_when_somebody_asks(pasts: Pasts, history: CountingHistory) -> None:
    history.broken = True
    await pasts.warm(["m0"])
    history.broken = False
    assert set(await pasts.of(["m0"], Span.QUARTER)) == {"m0"}
