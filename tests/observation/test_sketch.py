"""The latency sketch: within one percent, the same in whatever order it is put together."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.observation import sketch

VALUES = st.lists(st.integers(0, 16_000_000), max_size=200)
PARTS = (0.0, 0.25, 0.5, 0.95, 0.99, 1.0)


@given(VALUES.filter(bool))
def test_every_quantile_is_within_one_percent(values: list[int]) -> None:
    ordered = sorted(values)
    for part, found in zip(PARTS, sketch.quantiles(sketch.sketch_of(values), PARTS), strict=True):
        exact = ordered[int(part * (len(ordered) - 1))]
        assert found is not None
        assert abs(found - exact) <= exact * (sketch.ACCURACY + 1e-9)


@given(VALUES, VALUES, VALUES)
def test_merging_is_counting_all_at_once_in_whatever_order(one: list[int], two: list[int], three: list[int]) -> None:
    first, second, third = map(sketch.sketch_of, (one, two, three))
    whole = sketch.sketch_of([*one, *two, *three])
    assert sketch.merged([first, second, third]) == whole
    assert sketch.merged([sketch.merged([third, first]), second]) == whole
    assert sketch.merged([first, sketch.merged([second, third])]) == whole


@given(VALUES)
def test_bytes_read_back(values: list[int]) -> None:
    found = sketch.sketch_of(values)
    assert sketch.decoded(sketch.encoded(found)) == found


@given(st.dictionaries(st.integers(0, 2_000), st.integers(1, 10**9)))
def test_bytes_of_large_counts_read_back(found: dict[int, int]) -> None:
    assert sketch.decoded(sketch.encoded(found)) == found


def test_a_day_of_checks_takes_little_room() -> None:
    chance = Random(1)
    day = sketch.sketch_of([round(chance.lognormvariate(4.0, 0.3) * 10) for _ in range(1_440)])
    assert len(sketch.encoded(day)) < 250


def test_nothing_has_no_quantile() -> None:
    assert sketch.quantiles({}, PARTS) == [None] * len(PARTS)
    assert sketch.decoded(sketch.encoded({})) == {}


@pytest.mark.parametrize("blob", [b"", b"\2\1\1", b"\1\1", b"\1\x81"])
def test_what_is_damaged_or_of_a_later_version_is_refused(blob: bytes) -> None:
    with pytest.raises(ValueError, match="sketch"):
        sketch.decoded(blob)
