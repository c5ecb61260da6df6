"""Codes of lengths are the same, whether phases come in milliseconds or in the tenths that are packed."""

from hypothesis import given
from hypothesis import strategies as st

from vigie.core.model import CheckResult, Status, Timings
from vigie.fleet import packed
from vigie.learning.season import sample, sample_of_tenths

tenths = st.none() | st.integers(0, 40_000) | st.integers(65_530, 70_000)


@given(tenths, tenths, tenths, tenths, st.integers(0, 60_000))
def test_a_sample_of_tenths_is_that_of_milliseconds(
    dns: int | None, connect: int | None, tls: int | None, first: int | None, total: int
) -> None:
    times = Timings(*[None if one is None else one / 10 for one in (dns, connect, tls, first, None, total)])
    _, _, body = packed.pack([CheckResult("a", 0, Status.UP, timings=times)], {"a": 3}, {"local": 1})
    ((_, _, _, records),) = packed.segments(body)
    assert packed.tenths_at(records, 0) == (dns or 0, connect or 0, tls or 0, first or 0, total)
    assert sample_of_tenths(*packed.tenths_at(records, 0)) == sample(times)
