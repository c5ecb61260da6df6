"""Roll-ups: a whole is its parts, and exclusions are in neither side."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vigie.core.model import Timings
from vigie.observation.availability import Spans, common, length, merged
from vigie.observation.phases import bounds, points_of
from vigie.observation.rollup import DEGRADED, DOWN, HOUR_MS, NO_LATENCY, UNKNOWN, UP, Tally, split, tally_of
from vigie.observation.rollup import merged as merged_tallies

CHECK = st.tuples(
    st.integers(0, 5 * HOUR_MS), st.sampled_from([UP, UP, UP, DEGRADED, DOWN, UNKNOWN]), st.integers(0, 90_000) | st.just(NO_LATENCY)
)
CHECKS = st.lists(CHECK, max_size=80).map(sorted)
SPANS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60)), max_size=12).map(lambda found: [(a, a + b) for a, b in found])


def columns(checks: list[tuple[int, int, int]]) -> tuple[list[int], list[int], list[int]]:
    return [one[0] for one in checks], [one[1] for one in checks], [one[2] for one in checks]


@given(CHECKS, st.integers(0, 80), st.integers(0, 80))
def test_the_rollup_of_parts_is_that_of_the_whole(checks: list[tuple[int, int, int]], one: int, two: int) -> None:
    cuts = [0, *sorted((min(one, len(checks)), min(two, len(checks)))), len(checks)]
    excluded = [(HOUR_MS, HOUR_MS * 2)]
    parts = [tally_of(*columns(checks[first:last]), excluded) for first, last in pairwise(cuts)]
    whole = tally_of(*columns(checks), excluded)
    assert merged_tallies(parts) == whole
    assert merged_tallies(parts).rollup(7) == whole.rollup(7)


@given(CHECKS)
def test_every_check_is_counted_once(checks: list[tuple[int, int, int]]) -> None:
    found = tally_of(*columns(checks), [(0, HOUR_MS)])
    assert found.count + found.excluded == len(checks)
    assert found.count == sum(at >= HOUR_MS and status != UNKNOWN for at, status, _ in checks)
    assert found.rollup(0).down == sum(at >= HOUR_MS and status == DOWN for at, status, _ in checks)
    hours = list(split([one[0] for one in checks], HOUR_MS))
    assert sum(last - first for _, first, last in hours) == len(checks)
    assert all(checks[place][0] // HOUR_MS == hour for hour, first, last in hours for place in range(first, last))


def test_nothing_comes_to_nothing() -> None:
    assert tally_of([], [], [], [(0, 1)]) == Tally()
    assert Tally().rollup(5).p50 is None


@given(SPANS, SPANS)
def test_what_two_lists_share(one: list[tuple[int, int]], two: list[tuple[int, int]]) -> None:
    first, second = merged(one), merged(two)
    naive = [(max(a, c), min(b, d)) for a, b in first for c, d in second if max(a, c) < min(b, d)]
    assert common(first, second) == naive


@given(SPANS, st.integers(0, 460), st.integers(0, 460))
def test_a_part_of_spans_is_measured(spans: list[tuple[int, int]], start: int, end: int) -> None:
    inside = [(max(a, start), min(b, end)) for a, b in merged(spans) if max(a, start) < min(b, end)]
    assert Spans(spans).within(start, end) == length(inside)


def test_a_point_has_medians_of_good_checks() -> None:
    instants = [0, 10, 20, 30, 110]
    statuses = bytes([UP, DOWN, DEGRADED, UNKNOWN, UP])
    totals = [100, 900, 300, NO_LATENCY, 50]
    nothing = [NO_LATENCY] * 5
    first, second, third = points_of(instants, statuses, [nothing] * 5 + [totals], bounds(0, 300, 3))
    assert (first.count, first.failed, first.timings, first.p50, first.p99) == (3, 1, Timings(total=10.0), 10.0, 10.0)
    assert (second.count, second.p50, third.count, third.timings) == (1, 5.0, 0, Timings())
