"""How long each phase usually takes at an hour of the week: running medians with bounded steps, in codes of one byte.

A code is one of 255 lengths, each 6 % longer than the one before (0.2 ms to 14 min), which is as fine as "usual" needs to be.

Laws
1. A cell of the week learns once a week, from the median of its hour's samples, so that spikes never reach it.
2. In the first three weeks it takes the mean of what it saw. Then it moves by one code at most: upwards every sixth week (1 % a
   week), downwards every week. A decay that is slow enough to go unnoticed from day to day is still held against what was learnt.
3. What is usual is asked of the slowest of the hour and its two neighbours: summer time moves a rhythm by an hour. Before the
   whole week was seen three times, the same hour of the other days counts too; before it was seen once, the slowest hour of all.
4. How much samples differ within an hour (their median distance from their median), and the worst quarter of an hour that a day
   brings, are learnt the same way: a service that is always restless is allowed to be.

Hours are counted in UTC since the epoch; a week begins on a Thursday, which matters to nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import exp, log

from vigie.core.model import Sensitivity, Timings

PHASES = ("dns", "connect", "tls", "first_byte", "transfer")
HOUR_MS = 3_600_000
SLOTS = 12  # samples of an hour, one every five minutes
LEARNING, WEEK, SETTLED = 48, 168, 504  # hours learnt from: nothing is told, each hour of the week was seen, seen three times

_COUNT = len(PHASES)
_UNIT, _MIN_MS, _MAX_MS = 0.06, 0.2, 850_000.0
_UPWARDS = 6  # weeks
_BLOCKS = 4  # parts of a day whose spreads are kept apart
_FINE = 8  # parts of a code in a kept spread
_QUARTER = 3  # samples in a quarter of an hour
_PEAK_UNIT, _PEAKS = 0.015, 4  # a kept peak is in quarters of a code
_GROSS = 4.0  # while the week is not known, only what no rhythm explains is slow
_MAD_SIGMA = 1.4826  # of a normal distribution: what its median distance has to be multiplied with
_SIGMAS, _ABOVE_PEAK = 2.0, 1.25
_TABLED = 65_536  # tenths of a millisecond whose codes are looked up
Column = Sequence[int]
MS = (0.0, *(_MIN_MS * exp(number * _UNIT) for number in range(255)))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What counts as slow. `ratio` and `floor_ms` above the usual; it is told after so many `checks` and `lasts_ms`."""

    ratio: float
    floor_ms: float
    checks: int
    lasts_ms: int


SENSES = {
    Sensitivity.LOW: Thresholds(1.0, 100.0, 10, 900_000),
    Sensitivity.NORMAL: Thresholds(0.5, 30.0, 6, 300_000),
    Sensitivity.HIGH: Thresholds(0.3, 10.0, 4, 120_000),
}


@dataclass(frozen=True, slots=True)
class Season:
    """What was learnt. `hours` counts the hours learnt from; `week` holds a row of 168 codes for each phase (0: never seen).

    `spread` holds for each block of a day the median distance of each phase and of the total, in eighths of a code plus one (0:
    never seen). `peak` is how far the worst quarter of an hour lies above the usual, `worst` the one of the span under way.
    """

    hours: int = 0
    week: bytes = b""
    spread: bytes = bytes(_BLOCKS * (_COUNT + 1))
    peak: int = 0
    worst: int = 0


def lengths(timings: Timings) -> tuple[float, float, float, float, float]:
    """Each phase in ms; the last takes what the others leave of the total, so that they always add up to it."""
    dns, connect, tls, first = timings.dns or 0.0, timings.connect or 0.0, timings.tls or 0.0, timings.first_byte or 0.0
    return dns, connect, tls, first, max((timings.total or 0.0) - dns - connect - tls - first, 0.0)


def code(ms: float) -> int:
    """The nearest code of a length: 1 up to 0.2 ms, 255 from 14 min on."""
    if _MIN_MS < ms < _MAX_MS:
        return min(int(log(ms / _MIN_MS) / _UNIT + 1.5), 255)
    return 255 if ms >= _MAX_MS else 1


def sample(timings: Timings) -> bytes:
    """The codes of a check's phases."""
    return bytes([code(ms) for ms in lengths(timings)])


def samples_of_tenths(dns: Column, connect: Column, tls: Column, first: Column, total: Column) -> bytes:
    """The codes of the phases of many checks, one check after the other, as `sample` has them; from whole tenths of a millisecond.

    0 where a phase did not happen.
    """
    rest = [max(whole - one - two - three - four, 0) for one, two, three, four, whole in zip(dns, connect, tls, first, total, strict=True)]
    found = bytearray(_COUNT * len(rest))
    for phase, tenths in enumerate((dns, connect, tls, first, rest)):
        found[phase::_COUNT] = _codes_of(tenths)
    return bytes(found)


def _codes_of(tenths: Column) -> bytes:
    if max(tenths, default=0) >= _TABLED:
        return bytes([code(one / 10) for one in tenths])
    return bytes(map(_codes().__getitem__, tenths))


@cache
def _codes() -> bytes:
    return bytes([code(tenths / 10) for tenths in range(_TABLED)])


def usual(season: Season, hour: int) -> tuple[int, ...]:
    """The code of each phase that is usual at an hour; zeros when nothing is known."""
    rows = [season.week[start : start + WEEK] for start in range(0, len(season.week), WEEK)] or [bytes(WEEK)] * _COUNT
    if season.hours < WEEK:
        return tuple([max(row) for row in rows])
    cell = hour % WEEK
    return tuple([_usual(row, cell, settled=season.hours >= SETTLED) for row in rows])


def _usual(row: bytes, cell: int, *, settled: bool) -> int:
    near = max(row[cell - 1], row[cell], row[(cell + 1) % WEEK])
    if settled and near:
        return near
    days = sorted([known for known in row[cell % 24 :: 24] if known])
    return max(near, days[len(days) // 2]) if days else near or max(row)


def total_ms(codes: bytes | tuple[int, ...]) -> float:
    """The phases' codes as one length."""
    return sum([MS[one] for one in codes])


def spread_ms(season: Season, hour: int, phase: int, usual_ms: float) -> float:
    """How far above the usual a phase often is (one standard deviation, were it normal); phase 5 is the total."""
    kept = season.spread[_block(hour) + phase]
    return usual_ms * (exp(_sigma(kept)) - 1)


def limit_ms(season: Season, hour: int, sense: Thresholds) -> float:
    """From which total on a check of this hour is slow; infinite while too little is known."""
    if season.hours < LEARNING:
        return float("inf")
    expected = total_ms(usual(season, hour))
    noise = exp(_SIGMAS * _sigma(season.spread[_block(hour) + _COUNT]))
    ratio = max(1 + sense.ratio, noise, _ABOVE_PEAK * exp(_PEAK_UNIT * season.peak), _GROSS if season.hours < WEEK else 0.0)
    return max(expected * ratio, expected + sense.floor_ms)


def folded(season: Season, hour: int, samples: bytes, *, slow: bool) -> Season:
    """The season after an hour with these samples. Of a `slow` one nothing is learnt but the bounded step."""
    columns = [sorted(samples[phase::_COUNT]) for phase in range(_COUNT)]
    totals = [code(total_ms(samples[start : start + _COUNT])) for start in range(0, len(samples), _COUNT)]
    known = replace(season, hours=season.hours + 1)
    if slow and season.hours < SETTLED:
        return known
    expected = usual(season, hour)
    known = replace(known, week=_week(season, hour, [column[len(column) // 2] for column in columns]))
    if slow:
        return known
    few = len(totals) < _QUARTER
    if not few:
        # Before the week is known, against the hour itself: its daily rhythm is not instability.
        middle = code(total_ms(expected)) if season.hours >= WEEK else sorted(totals)[len(totals) // 2]
        known = replace(known, worst=max(season.worst, _worst(totals, middle)))
    if few and (season.hours >= SETTLED or not expected[0]):
        return known
    middles = (*expected, code(total_ms(expected))) if few else ()
    return replace(known, spread=_spread(season, hour, [*columns, sorted(totals)], middles))


def rolled(season: Season, before: int, now: int) -> Season:
    """The season when the hour `now` follows `before`: the worst quarter of the day (later: week) that ended is learnt."""
    learning = season.hours < SETTLED
    span = 24 if learning else WEEK
    if before // span == now // span:
        return season
    gap = season.worst - season.peak
    step = gap if learning and gap > 0 else -(-gap // 8) if learning else _step(gap, now)
    return replace(season, peak=season.peak + step, worst=0)


def shifted(season: Season, steps: tuple[int, ...]) -> Season:
    """The season with each phase so many codes slower (or quicker) at every hour: a new normal, accepted by a person."""
    week = bytearray(season.week)
    for phase, step in enumerate(steps):
        row = slice(phase * WEEK, (phase + 1) * WEEK)
        week[row] = bytes([known and min(max(known + step, 1), 255) for known in week[row]])
    return replace(season, week=bytes(week))


def _week(season: Season, hour: int, medians: list[int]) -> bytes:
    week, cell, weeks = bytearray(season.week or bytes(_COUNT * WEEK)), hour % WEEK, season.hours // WEEK + 1
    for phase, new in enumerate(medians):
        old = week[phase * WEEK + cell]
        if not old:
            week[phase * WEEK + cell] = new
        elif season.hours < SETTLED:
            week[phase * WEEK + cell] = old + round((new - old) / weeks)
        else:
            week[phase * WEEK + cell] = old + _step(new - old, hour)
    return bytes(week)


def _spread(season: Season, hour: int, columns: list[list[int]], middles: tuple[int, ...]) -> bytes:
    """Of few samples the distance is taken from what is usual, which their own median cannot tell."""
    spread, start = bytearray(season.spread), _block(hour)
    for row, column in enumerate(columns):
        middle = middles[row] if middles else column[len(column) // 2]
        distances = sorted([abs(one - middle) for one in column])
        new, old = min(_FINE * distances[len(distances) // 2] + 1, 255), spread[start + row]
        step = (new - old) // 4 if season.hours < SETTLED else 0
        spread[start + row] = old + (step or _sign(new - old)) if old else new
    return bytes(spread)


def _worst(totals: list[int], expected: int) -> int:
    quarters = [sorted(totals[start : start + _QUARTER])[1] for start in range(0, len(totals) - _QUARTER + 1, _QUARTER)]
    return min(max(_PEAKS * (max(quarters) - expected), 0), 255)


def _block(hour: int) -> int:
    return hour % 24 * _BLOCKS // 24 * (_COUNT + 1)


def _sigma(kept: int) -> float:
    return _MAD_SIGMA * _UNIT * max(kept - 1, 0) / _FINE


def _step(gap: int, hour: int) -> int:
    """One code towards what was seen; upwards only in every sixth week."""
    return _sign(gap) if gap < 0 or hour // WEEK % _UPWARDS == 0 else 0


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
