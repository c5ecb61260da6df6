"""What is usual for a service, on simulated months: healthy ones are never accused, a lasting change is found within a known number of checks."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.model import Cause, CheckResult, Sensitivity, Status, Timings
from vigie.learning.baseline import Baseline, accepted, judge
from vigie.learning.season import MS, SENSES, Season, code, folded, sample, usual
from vigie.report.wording import cause_words, short_words

NORMAL = Sensitivity.NORMAL
NOTHING = Baseline()
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
MONDAY = 1_767_571_200_000  # 2026-01-05T00:00:00Z
USUAL = (5.0, 10.0, 20.0, 120.0, 15.0)
CHECKS = SENSES[NORMAL].checks

Factor = Callable[[float, random.Random], float | tuple[float, ...] | None]


def result(at: int, phases: tuple[float, ...], status: Status = Status.UP, cause: Cause | None = None) -> CheckResult:
    dns, connect, tls, first_byte, transfer = phases
    return CheckResult("shop", at, status, cause, timings=Timings(dns, connect, tls, first_byte, transfer, sum(phases)))


@dataclass
class Watched:
    """A service that is checked every five minutes (or as said); `told` are the days on which it was called slow."""

    known: Baseline = NOTHING
    at: int = MONDAY
    every: int = 5 * MINUTE
    sensitivity: Sensitivity = NORMAL
    rng: random.Random = field(default_factory=lambda: random.Random(7))
    told: list[float] = field(default_factory=list)
    last: CheckResult | None = None

    @property
    def day(self) -> float:
        return (self.at - MONDAY) / DAY

    def check(self, factor: float | tuple[float, ...]) -> CheckResult:
        factors = factor if isinstance(factor, tuple) else (factor,) * 5
        judged, self.known = judge(result(self.at, tuple(a * b for a, b in zip(USUAL, factors, strict=True))), self.known, self.sensitivity)
        if judged.status is not Status.UP:
            self.told.append(self.day)
            self.last = judged
        return judged

    def live(self, days: float, factor: Factor) -> "Watched":
        """So many days, each check as many times the usual as `factor` says of the day; None: no check."""
        end = self.at + round(days * DAY)
        while self.at < end:
            if (said := factor(self.day, self.rng)) is not None:
                self.check(said)
            self.at += self.every
        return self

    def checks_until_told(self, factor: float | tuple[float, ...], most: int = 200) -> int | None:
        """How many checks at this factor it takes until it is told."""
        for number in range(1, most + 1):
            told = self.check(factor).status is Status.DEGRADED
            self.at += self.every
            if told:
                return number
        return None


def noise(rng: random.Random, sigma: float = 0.15) -> float:
    return math.exp(rng.gauss(0, sigma))


def hour_of(day: float) -> float:
    return day % 1 * 24


def daily(day: float, rng: random.Random) -> float:
    return (1 + 2 * max(0.0, math.sin((hour_of(day) - 6) / 12 * math.pi))) * noise(rng)


def office(day: float, rng: random.Random) -> float:
    return (2.5 if day % 7 < 5 and 8 <= hour_of(day) < 18 else 1.0) * noise(rng, 0.2)


def leisure(day: float, rng: random.Random) -> float:
    return (2.5 if day % 7 >= 5 and 10 <= hour_of(day) < 23 else 1.0) * noise(rng, 0.2)


def spikes(_: float, rng: random.Random) -> float:
    return (20 if rng.random() < 0.03 else 1) * noise(rng, 0.2)


def restless(_: float, rng: random.Random) -> float:
    return noise(rng, 0.8)


def heavy(_: float, rng: random.Random) -> float:
    return rng.paretovariate(1.5)


def nightly_job(day: float, rng: random.Random) -> float:
    start = random.Random(int(day)).uniform(1, 4)
    return (3 if start <= hour_of(day) < start + 0.4 else 1) * noise(rng)


def summer_time(day: float, rng: random.Random) -> float:
    local = hour_of(day) + (1 if day > 40 else 0)
    return (2.5 if 8 <= local % 24 < 18 else 1.0) * noise(rng)


def quiet_fortnight(day: float, rng: random.Random) -> float:
    return (0.5 if 30 <= day < 44 else 1.0) * noise(rng)


def with_gaps(day: float, rng: random.Random) -> float | None:
    off = 3 <= day < 4.2 or 20 <= day < 32 or rng.random() < 0.2
    return None if off else daily(day, rng)


def faster_for_good(day: float, rng: random.Random) -> float:
    return (0.4 if day >= 25 else 1.0) * noise(rng)


HEALTHY: list[Factor] = [
    daily, office, leisure, spikes, restless, heavy, nightly_job, summer_time, quiet_fortnight, with_gaps, faster_for_good
]  # fmt: skip


@pytest.mark.parametrize("factor", HEALTHY, ids=lambda one: one.__name__)
def test_a_healthy_service_is_never_accused(factor: Factor) -> None:
    assert Watched().live(60, factor).told == []


@pytest.mark.parametrize("sensitivity", [Sensitivity.LOW, Sensitivity.HIGH])
@pytest.mark.parametrize("factor", [daily, office, spikes], ids=lambda one: one.__name__)
def test_nor_is_it_at_other_sensitivities(factor: Factor, sensitivity: Sensitivity) -> None:
    assert Watched(sensitivity=sensitivity).live(40, factor).told == []


def test_a_service_that_starts_on_a_quiet_weekend_is_not_accused_on_monday() -> None:
    for first in range(7):
        assert Watched(at=MONDAY + first * DAY).live(16, office).told == []


@pytest.mark.parametrize("times", [2.0, 3.0, 10.0])
@pytest.mark.parametrize("age", [10, 30, 60])
def test_a_lasting_step_is_told_within_six_checks(age: int, times: float) -> None:
    watched = Watched().live(age, lambda _, rng: noise(rng, 0.05))
    assert watched.checks_until_told(times) == CHECKS


def test_at_a_quick_pace_it_has_to_last_five_minutes() -> None:
    watched = Watched().live(10, lambda _, rng: noise(rng, 0.05))
    watched.every = 10_000
    assert watched.checks_until_told(3) == 31


@pytest.mark.parametrize("row", range(4))
def test_the_phase_that_moved_is_named_with_its_figures(row: int) -> None:
    watched = Watched().live(10, lambda _, rng: noise(rng, 0.05))
    slow = tuple(1 + 200 / USUAL[row] if row == other else 1.0 for other in range(5))
    assert watched.checks_until_told(slow) == CHECKS
    assert watched.last is not None
    figures = watched.last.figures
    assert (watched.last.cause, figures["phase"]) == (Cause.LATENCY_ANOMALY, ("dns", "connect", "tls", "first_byte")[row])
    assert figures["measured_ms"] == round(USUAL[row] + 200)
    assert isinstance(figures["usual_ms"], int)
    assert abs(figures["usual_ms"] / USUAL[row] - 1) < 0.15
    for language in ("fr", "en"):
        words = cause_words(Cause.LATENCY_ANOMALY, figures, language)
        assert f"{figures['measured_ms']} ms" in words
        assert f"{figures['usual_ms']} ms" in words
        assert short_words(Cause.LATENCY_ANOMALY, figures, language)
    assert f"usually {figures['usual_ms']} ms" in watched.last.message


def test_where_all_phases_moved_the_whole_is_named() -> None:
    watched = Watched().live(10, lambda _, rng: noise(rng, 0.05))
    assert watched.checks_until_told((10.0, 5.0, 4.0, 1.4, 4.0)) == CHECKS
    assert watched.last is not None
    assert watched.last.figures["phase"] == "total"


def test_a_kind_of_check_without_phases_has_a_baseline_too() -> None:
    known = Baseline()
    for number in range(12 * 24 * 9):
        _, known = judge(CheckResult("x", MONDAY + number * 5 * MINUTE, Status.UP, timings=Timings(total=80)), known, NORMAL)
    at, told = MONDAY + 9 * DAY, []
    for number in range(8):
        judged, known = judge(CheckResult("x", at + number * 5 * MINUTE, Status.UP, timings=Timings(total=250)), known, NORMAL)
        told.append(judged.cause)
    assert told == [None] * (CHECKS - 1) + [Cause.LATENCY_ANOMALY] * (9 - CHECKS)
    assert judged.figures["phase"] == "total"


def test_spikes_and_short_slowness_are_not_told() -> None:
    watched = Watched().live(30, lambda _, rng: noise(rng, 0.05))
    for _ in range(20):
        assert watched.checks_until_told(5, CHECKS - 1) is None
        assert watched.checks_until_told(1, CHECKS) is None


def test_it_is_over_when_it_is_over_and_does_not_flap_before() -> None:
    watched = Watched().live(30, lambda _, rng: noise(rng, 0.05))
    assert watched.checks_until_told(3) is not None
    statuses = [watched.check(factor).status for factor in (3, 1, 3, 1, 3, 1, 3)]
    assert set(statuses) == {Status.DEGRADED}
    good = [watched.check(1).status for _ in range(6)]
    assert good[-1] is Status.UP
    assert sum(one is Status.DEGRADED for one in good) <= CHECKS // 2


def test_nothing_is_told_while_it_learns() -> None:
    for days, times in ((0.5, 50.0), (1.9, 50.0), (3, 3.0)):
        watched = Watched().live(days, lambda _, rng: noise(rng, 0.05))
        assert watched.checks_until_told(times) is None, days


def test_what_no_rhythm_explains_is_told_from_the_third_day_on() -> None:
    watched = Watched().live(3, lambda _, rng: noise(rng, 0.05))
    assert watched.checks_until_told(6) == CHECKS


@pytest.mark.parametrize(("a_day", "before"), [(0.02, 1.7), (0.01, 1.7), (0.005, 2.2)])
def test_a_slow_decay_is_not_drifted_into(a_day: float, before: float) -> None:
    watched = Watched().live(30, lambda _, rng: noise(rng))
    watched.live(math.log(before) / math.log(1 + a_day), lambda day, rng: (1 + a_day) ** (day - 30) * noise(rng))
    assert watched.told, "told before it is that many times slower"


def test_nor_is_one_that_begins_with_the_watch() -> None:
    assert Watched().live(80, lambda day, rng: 1.01**day * noise(rng)).told


def test_a_step_that_nobody_closes_stays_told() -> None:
    watched = Watched().live(30, lambda _, rng: noise(rng))
    watched.live(60, lambda _, rng: 3 * noise(rng))
    assert watched.told[-1] > 89.9


def test_a_person_makes_it_the_new_normal() -> None:
    watched = Watched().live(30, lambda _, rng: noise(rng, 0.05))
    assert watched.checks_until_told((1, 1, 1, 3.0, 1)) is not None
    watched.known = accepted(watched.known, NORMAL)
    before = len(watched.told)
    watched.live(20, lambda _, rng: (1, 1, 1, 3 * noise(rng, 0.05), 1))
    assert len(watched.told) == before
    assert watched.checks_until_told((1, 1, 1, 9.0, 1)) == CHECKS, "and it is held to it"


def test_closing_an_incident_of_another_kind_changes_nothing() -> None:
    watched = Watched().live(10, lambda _, rng: noise(rng))
    assert accepted(watched.known, NORMAL) is watched.known


def test_a_long_absence_is_learnt_anew_and_a_short_one_is_not() -> None:
    for off, told in ((40, False), (5, True)):
        watched = Watched().live(30, lambda _, rng: noise(rng, 0.05))
        watched.at += off * DAY
        assert (watched.checks_until_told(3) is not None) is told


@given(steps=st.lists(st.integers(-400 * DAY, 400 * DAY), max_size=4), seed=st.integers(0, 1_000))
@settings(max_examples=25, deadline=None)
def test_whatever_the_clock_does_nobody_healthy_is_accused(steps: list[int], seed: int) -> None:
    watched = Watched(every=20 * MINUTE, rng=random.Random(seed)).live(9, lambda _, rng: noise(rng))
    for step in steps:
        watched.at += step
        watched.live(3, lambda _, rng: noise(rng))
    assert watched.told == []


def test_a_clock_that_stepped_back_keeps_nothing_from_being_found() -> None:
    watched = Watched().live(30, lambda _, rng: noise(rng, 0.05))
    watched.at -= 3 * HOUR
    assert watched.checks_until_told(3) == CHECKS


@given(
    status=st.sampled_from(Status),
    cause=st.sampled_from([None, *Cause]),
    total=st.one_of(st.none(), st.floats(), st.integers(-5, 10**12)),
    at=st.integers(-(10**15), 10**15),
    first=st.one_of(st.none(), st.floats()),
)
def test_judging_is_total_and_never_judges_but_what_is_up(status: Status, cause: Cause | None, total: float, at: int, first: float) -> None:
    given_ = CheckResult("x", at, status, None if status is Status.UP else cause, timings=Timings(first_byte=first, total=total))
    for known in (Baseline(), Watched().live(3, daily).known):
        slow = replace(known, limit=50.0, score=5, since=0)
        assert judge(given_, slow, NORMAL)[0].status in (status, Status.DEGRADED)
        judged, after = judge(given_, known, NORMAL)
        assert judged is given_
        again, _ = judge(replace(given_, at=at + HOUR), after, NORMAL)
        assert again.status is status


def test_only_what_works_is_learnt_from() -> None:
    watched = Watched().live(10, lambda _, rng: noise(rng))
    before = watched.known
    for cause in (Cause.HTTP_STATUS, Cause.LATENCY_THRESHOLD, Cause.TCP_REFUSED):
        failed = result(watched.at, (900.0,) * 5, Status.DEGRADED, cause)
        assert judge(failed, before, NORMAL) == (failed, before)
    expiring = result(watched.at, USUAL, Status.DEGRADED, Cause.TLS_EXPIRING)
    judged, after = judge(expiring, before, NORMAL)
    assert judged is expiring
    assert after != before


@given(st.floats(0, 1e6))
def test_a_code_is_within_three_percent(ms: float) -> None:
    if 0.2 < ms < 8e5:
        assert abs(math.log(MS[code(ms)] / ms)) <= 0.0301


@given(codes=st.lists(st.integers(1, 255), min_size=5, max_size=60), weeks=st.integers(4, 90))
def test_after_the_first_weeks_a_cell_moves_by_one_code_at_most(codes: list[int], weeks: int) -> None:
    season = Season(600, bytes([100]) * 840)
    hour = weeks * 168 + 5
    after = folded(season, hour, bytes(codes[: len(codes) // 5 * 5]), slow=False)
    moved = [new - old for old, new in zip(season.week, after.week, strict=True)]
    assert set(moved) <= ({-1, 0, 1} if weeks % 6 == 0 else {-1, 0})
    assert sum(map(abs, moved)) <= 5


def test_hours_of_the_week_are_told_apart_once_they_are_known() -> None:
    watched = Watched().live(25, office)
    tuesday, sunday = (MONDAY // HOUR + hours for hours in (24 + 12, 6 * 24 + 12))
    at_work, at_rest = usual(watched.known.season, tuesday)[3], usual(watched.known.season, sunday)[3]
    assert 2.1 < MS[at_work] / MS[at_rest] < 2.9


def test_a_baseline_is_small_and_reads_back() -> None:
    known = Watched().live(30, office).known
    packed = msgspec.msgpack.encode(known)
    assert len(packed) < 1_200
    assert msgspec.msgpack.decode(packed, type=Baseline) == known
    assert len(sample(Timings(*USUAL, sum(USUAL)))) == 5
