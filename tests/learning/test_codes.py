"""Codes of lengths are the same, whether phases come in milliseconds or in the tenths that are packed."""

from hypothesis import given
from hypothesis import strategies as st

from vigie.core.model import CheckResult, Status, Timings
from vigie.fleet import packed
from vigie.learning.season import sample, samples_of_tenths

tenths = st.none() | st.integers(0, 40_000) | st.integers(65_530, 70_000)


@given(st.lists(st.tuples(tenths, tenths, tenths, tenths, st.integers(0, 200_000)), min_size=1, max_size=6))
def test_samples_of_packed_records_are_those_of_their_results(
    checks: list[tuple[int | None, int | None, int | None, int | None, int]],
) -> None:
    results = [
        CheckResult("a", 0, Status.UP, timings=Timings(*[None if one is None else one / 10 for one in (*phases, None, total)]))
        for *phases, total in checks
    ]
    _, _, body = packed.pack(results, {"a": 3}, {"local": 1})
    ((_, _, _, records),) = packed.segments(body)
    expected = b"".join([sample(one.timings) for one in results])
    assert samples_of_tenths(*packed.columns_of_tenths(records, range(len(results)))) == expected
    assert samples_of_tenths(*packed.columns_of_tenths(records, [0])) == expected[:5]
