"""Small batches put together: the same results in the same order, fewer batches."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.model import Cause, CheckResult, Status, Timings
from vigie.fleet import packed
from vigie.fleet.batches import PackedBatch
from vigie.fleet.merging import merge

NUMBERS, LOCATIONS = {"a": 1, "b": 2}, {"paris": 4}
NAMES = {number: name for name, number in NUMBERS.items()}


def batch_of(results: list[CheckResult], sequence: int) -> PackedBatch:
    base, count, body = packed.pack(results, NUMBERS, LOCATIONS)
    return PackedBatch("one", "paris", 3, 9, sequence, base, count, body, tuple(one for one in results if one.status is not Status.UP))


def read(batches: list[PackedBatch]) -> list[CheckResult]:
    return [one for batch in batches for one in packed.unpack(batch.base, batch.body, NAMES, {4: "paris"})]


RESULTS = st.builds(
    lambda monitor, at, status, total: CheckResult(
        monitor, at, status, Cause.TCP_REFUSED if status is Status.DOWN else None, timings=Timings(total=total), location="paris"
    ),
    st.sampled_from("ab"),
    st.integers(1_767_225_600_000, 1_767_225_600_000 + 86_400_000),
    st.sampled_from([Status.UP, Status.DOWN]),
    st.sampled_from([None, 1.5, 20.25]),
)


@given(st.lists(st.tuples(st.lists(RESULTS, min_size=1, max_size=6), st.integers(1, 2)), min_size=1, max_size=12), st.integers(1, 20))
def test_nothing_is_lost_or_moved(groups: list[tuple[list[CheckResult], int]], most: int) -> None:
    number, batches = 65_530, []
    for sequence, (results, run) in enumerate(groups, 1):
        numbered = [replace(one, run=run, sequence=number + place) for place, one in enumerate(results)]
        number += len(results)
        batches.append(batch_of(numbered, sequence))
    together = merge(batches, most)
    assert read(together) == read(batches)
    assert [one for batch in together for one in batch.whole] == [one for batch in batches for one in batch.whole]
    assert [one.sequence for one in together] == sorted({one.sequence for one in together})
    assert together[-1].sequence == batches[-1].sequence
    for one in together:
        assert one.count <= max(most, *(len(results) for results, _ in groups))
        assert len({run for _, run, _, _ in packed.segments(one.body)}) == 1


def test_many_become_one_with_the_number_of_the_last() -> None:
    one = CheckResult("a", 1_767_225_600_000, Status.UP, location="paris", run=7)
    parts = [batch_of([replace(one, at=one.at + 1_000 * number, sequence=number)], number) for number in range(1, 401)]
    (together,) = merge(parts, 1_000)
    assert (together.sequence, together.count) == (400, 400)
    assert len(together.body) == 1 + packed.HEADER_SIZE + 400 * packed.SIZE


def test_instants_that_are_weeks_apart_stay_apart() -> None:
    """A clock that was stepped: one base cannot serve both."""
    one = CheckResult("a", 1_767_225_600_000, Status.UP, location="paris", run=7, sequence=1)
    parts = [batch_of([one], 1), batch_of([replace(one, at=one.at + 40 * 86_400_000, sequence=2)], 2)]
    assert read(merge(parts, 100)) == read(parts)


def test_a_damaged_one_is_said() -> None:
    good = batch_of([CheckResult("a", 1, Status.UP, location="paris", run=7, sequence=1)], 1)
    with pytest.raises(ValueError, match="cut off"):
        merge([good, msgspec.structs.replace(good, body=good.body[:-3])], 100)
