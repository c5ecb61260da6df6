"""What is asked of a model fits the time that is left, by how fast it was; the speed follows what replies tell."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.report.pace import Measured, Plan, Sizes, Speed, Way, learned, plan, slowed

SIZES = Sizes(1_200, 900)
NOW = 1_795_525_325_000
DAY = 86_400_000
rates = st.floats(0.01, 100_000)
speeds = st.builds(Speed, rates, rates, st.integers(NOW - 2 * DAY, NOW + DAY))
sizes = st.builds(Sizes, st.integers(1, 5_000), st.integers(1, 5_000))


def fast(prefill: float, decode: float) -> Speed:
    return Speed(prefill, decode, NOW - 60_000)


@pytest.mark.parametrize(
    ("speed", "left_ms", "may_compose", "way", "sentences"),
    [
        (None, 60_000, True, Way.COMPOSE, 3),
        (None, 60_000, False, Way.SELECT, 3),
        (fast(200, 20), 60_000, True, Way.COMPOSE, 3),  # 6 s + 12.75 s, and a quarter
        (fast(100, 6), 60_000, True, Way.COMPOSE, 2),  # three: 12 s + 42.5 s, and a quarter
        (fast(60, 4), 60_000, True, Way.COMPOSE, 1),
        (fast(40, 2), 60_000, True, Way.PLAIN, 3),
        (fast(22, 30), 60_000, True, Way.SELECT, 3),  # the shorter prompt of the choice fits
        (fast(10, 30), 60_000, True, Way.PLAIN, 3),
        (fast(10, 30), 60_000, False, Way.PLAIN, 3),
        (fast(200, 20), 10_000, True, Way.SELECT, 3),
        (fast(200, 20), 2_000, True, Way.PLAIN, 3),
        (Speed(1, 1, NOW - 2 * DAY), 60_000, True, Way.COMPOSE, 3),  # of long ago
        (Speed(1, 1, NOW + DAY), 60_000, True, Way.COMPOSE, 3),  # a clock that stepped back
    ],
)
def test_what_is_asked_fits_the_time(speed: Speed | None, left_ms: int, may_compose: bool, way: Way, sentences: int) -> None:
    found = plan(speed, SIZES, left_ms, NOW, may_compose=may_compose)
    assert (found.way, found.sentences) == (way, sentences)
    usual = Way.COMPOSE if may_compose else Way.SELECT
    assert bool(found.why) == (found.way is not usual or found.sentences < 3)


def test_what_was_left_out_is_said_with_its_figures() -> None:
    assert plan(fast(100, 6), SIZES, 60_000, NOW, may_compose=True).why == (
        "asked for 2 of 3 sentences: 68 s expected of 60 s (100 tokens/s read, 6.0 written)"
    )


@given(speeds, sizes, st.integers(0, 600_000), st.booleans())
def test_more_time_never_asks_for_less(speed: Speed, of: Sizes, left: int, may_compose: bool) -> None:
    order = {Way.PLAIN: 0, Way.SELECT: 1, Way.COMPOSE: 2}

    def much(found: Plan) -> tuple[int, int]:
        return order[found.way], found.sentences

    less, more = (plan(speed, of, ms, NOW, may_compose=may_compose) for ms in (left, left * 2 + 1))
    assert much(less) <= much(more) or of.select > of.compose  # ids alone may need the longer prompt
    assert may_compose or less.way is not Way.COMPOSE


figures = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False, min_value=0), st.just(0.0))
counts = st.one_of(st.none(), st.integers(0, 10**9))


@given(st.one_of(st.none(), speeds), counts, figures, counts, figures)
def test_a_speed_stays_a_speed_whatever_replies_tell(
    before: Speed | None, prompt: int | None, prefill: float | None, reply: int | None, decode: float | None
) -> None:
    found = learned(before, Measured(prompt, prefill, reply, decode), NOW)
    assert found is None or (found.prefill > 0 and found.decode > 0 and not math.isnan(found.prefill + found.decode))
    assert before is None or found is not None


def test_a_speed_is_known_after_one_reply_and_follows_slowly() -> None:
    first = learned(None, Measured(1_000, 10_000.0, 100, 10_000.0), NOW)
    assert first == Speed(100.0, 10.0, NOW)
    assert learned(first, Measured(1_000, 5_000.0, 100, 5_000.0), NOW + 1) == Speed(130.0, 13.0, NOW + 1)
    assert learned(first, Measured(None, None, None, None), NOW + 1) == first
    assert learned(first, Measured(3, 0.1, 2, 0.1), NOW + 1) == first  # all of it came from a cache
    assert learned(None, Measured(1_000, 5_000.0, None, None), NOW) is None


@given(st.one_of(st.none(), speeds), sizes)
def test_what_came_too_late_is_asked_for_less_until_it_fits(before: Speed | None, of: Sizes) -> None:
    speed = before
    for step in range(60):
        found = plan(speed, of, 60_000, NOW + step, may_compose=True)
        if found.way is Way.PLAIN:
            return
        speed = slowed(speed, of, found.sentences, 60_000, NOW + step)
    raise AssertionError("a model that is never in time is asked for ever")
