"""The stream of changes: gathered for a second, the last of a subject, nothing lost to who comes back."""

import asyncio
from typing import Any

from vigie.clock import SystemClock
from vigie.engine.live import LiveHub
from vigie.queries.live import Change, ChangeKind


async def taken(batches: Any) -> list[tuple[ChangeKind, str]]:
    """The next batch."""
    batch: tuple[Change, ...] = await asyncio.wait_for(anext(batches), 5)
    return [(one.kind, one.subject) for one in batch]


async def test_of_several_changes_of_one_subject_a_reader_has_the_last_and_a_state_stays_one() -> None:
    hub = LiveHub(SystemClock())
    async with hub.subscribe() as batches:
        hub.note(ChangeKind.STATE, "shop", 1)
        hub.note(ChangeKind.RESULT, "shop", 2)
        hub.note(ChangeKind.RESULT, "atlas", 3)
        hub.note(ChangeKind.ALERT, "shop", 4)
        hub.flush()

        assert await taken(batches) == [(ChangeKind.STATE, "shop"), (ChangeKind.RESULT, "atlas"), (ChangeKind.ALERT, "shop")]


async def test_who_comes_back_gets_what_was_missed_and_who_was_away_too_long_reads_anew() -> None:
    hub = LiveHub(SystemClock())
    seen = hub.number
    hub.note(ChangeKind.STATE, "shop", 1)
    hub.flush()
    async with hub.subscribe(seen) as batches:
        assert await taken(batches) == [(ChangeKind.STATE, "shop")]
    for number in range(5_000):
        hub.note(ChangeKind.RESULT, f"m{number}", 1)
    hub.flush()
    async with hub.subscribe(seen) as batches:
        assert await taken(batches) == [(ChangeKind.CONFIG, "")]
    async with hub.subscribe(0) as batches:  # a number of an earlier run
        assert await taken(batches) == [(ChangeKind.CONFIG, "")]


async def test_a_reader_that_is_too_slow_is_told_to_read_anew_and_holds_no_more() -> None:
    hub = LiveHub(SystemClock())
    async with hub.subscribe() as batches:
        for start in (0, 1_000):
            for number in range(start, start + 1_000):
                hub.note(ChangeKind.RESULT, f"m{number}", 1)
            hub.flush()
        assert await taken(batches) == [(ChangeKind.CONFIG, "")]
        hub.note(ChangeKind.STATE, "shop", 1)
        hub.flush()
        assert await taken(batches) == [(ChangeKind.STATE, "shop")]
    assert hub.readers == 0
