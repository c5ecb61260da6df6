"""Who is due: steady phases, quick pace, reconfiguration."""

from collections import Counter
from itertools import pairwise

from vigie.engine.scheduler import Scheduler
from vigie.observation.check_spec import CheckSpec
from vigie.planning.schedule import next_due
from vigie.testing.fakes import fake_spec

MINUTE = 60_000
START = 1_767_225_600_000


def specs(count: int, every_ms: int = MINUTE) -> list[CheckSpec]:
    return [fake_spec(f"m{number}", every_ms=every_ms) for number in range(count)]


def popped(scheduler: Scheduler, start: int, end: int) -> list[tuple[str, int]]:
    """Everyone due up to `end`, popped on time."""
    found = []
    while (at := scheduler.next_at()) is not None and at <= end:
        found.extend(scheduler.pop(max(at, start)))
    return found


def test_ten_thousand_monitors_each_have_one_turn_a_minute_and_no_second_is_crowded() -> None:
    scheduler = Scheduler()
    scheduler.assign(specs(10_000), START)
    popped(scheduler, START, START + MINUTE)
    turns = popped(scheduler, START + MINUTE, START + 2 * MINUTE)
    assert set(Counter(monitor for monitor, _ in turns).values()) == {1}
    per_second = Counter(at // 1000 for _, at in turns)
    assert max(per_second.values()) < 1.4 * 10_000 / 60


def test_ten_thousand_newcomers_are_looked_at_within_a_minute_but_not_all_at_once() -> None:
    scheduler = Scheduler()
    scheduler.assign(specs(10_000), START)
    turns = popped(scheduler, START, START + MINUTE)
    assert len({monitor for monitor, _ in turns}) == 10_000
    assert max(Counter(at // 1000 for _, at in turns).values()) < 500


def test_a_few_newcomers_are_looked_at_within_ten_seconds() -> None:
    scheduler = Scheduler()
    scheduler.assign(specs(20, every_ms=3_600_000), START)
    assert len(popped(scheduler, START, START + 10_000)) == 20


def test_a_monitor_keeps_its_phase_after_its_first_look_and_over_a_restart() -> None:
    one = specs(1)
    turns = []
    for start in (START, START + 12_345):
        scheduler = Scheduler()
        scheduler.assign(one, start)
        turns.append([at % MINUTE for _, at in popped(scheduler, start, start + 5 * MINUTE)][1:])
    assert set(turns[0]) == set(turns[1]) == {next_due("m0", MINUTE, START) % MINUTE}


def test_quick_pace_starts_at_once_and_the_own_phase_comes_back_after_it() -> None:
    scheduler = Scheduler()
    scheduler.assign(specs(1), START)
    popped(scheduler, START, START + MINUTE)
    now = START + MINUTE
    scheduler.pace("m0", 5_000, now)
    assert [at for _, at in popped(scheduler, now, now + 15_000)] == [now + 5_000, now + 10_000, now + 15_000]
    scheduler.pace("m0", None, now + 15_000)
    assert popped(scheduler, now, now + 2 * MINUTE)[0][1] == next_due("m0", MINUTE, now + 15_000)


def test_the_same_pace_again_does_not_put_a_check_off() -> None:
    scheduler = Scheduler()
    scheduler.assign(specs(1), START)
    scheduler.pace("m0", 5_000, START)
    scheduler.pace("m0", 5_000, START + 4_000)
    assert scheduler.pop(START + 5_000) == [("m0", START + 5_000)]


def test_a_pace_for_nobody_is_ignored() -> None:
    scheduler = Scheduler()
    scheduler.pace("nobody", 5_000, START)
    assert scheduler.next_at() is None


def test_a_reload_keeps_the_places_of_those_who_stay() -> None:
    scheduler = Scheduler()
    scheduler.assign(specs(3), START)
    popped(scheduler, START, START + MINUTE)
    fresh = Scheduler()
    fresh.assign(specs(3), START)
    popped(fresh, START, START + MINUTE)
    scheduler.assign([*specs(2), fake_spec("new")], START + MINUTE)
    later = {turn for turn in popped(scheduler, START + MINUTE, START + 3 * MINUTE) if turn[0] != "new"}
    assert later == {turn for turn in popped(fresh, START + MINUTE, START + 3 * MINUTE) if turn[0] != "m2"}


def test_another_interval_takes_effect_and_a_quick_pace_outlives_it() -> None:
    scheduler = Scheduler()
    scheduler.assign(specs(1), START)
    scheduler.pace("m0", 5_000, START)
    scheduler.assign(specs(1, every_ms=10 * MINUTE), START + 1_000)
    assert [at for _, at in popped(scheduler, START, START + 11_000)] == [START + 6_000, START + 11_000]
    scheduler.pace("m0", None, START + 11_000)
    turns = [at for _, at in popped(scheduler, START, START + 30 * MINUTE)]
    assert {after - before for before, after in pairwise(turns)} == {10 * MINUTE}


def test_a_monitor_that_went_and_came_back_has_one_turn_not_two() -> None:
    scheduler = Scheduler()
    scheduler.assign(specs(1), START)
    scheduler.assign([], START + 1)
    assert popped(scheduler, START, START) == []
    scheduler.assign(specs(1), START + 2)
    turns = popped(scheduler, START, START + 2 * MINUTE)
    assert len(turns) <= 3
    assert len({at for _, at in turns}) == len(turns)


def test_a_long_sleep_yields_one_turn_not_all_that_were_missed() -> None:
    scheduler = Scheduler()
    scheduler.assign(specs(1), START)
    assert len(scheduler.pop(START + 60 * MINUTE)) == 1
    assert scheduler.next_at() == next_due("m0", MINUTE, START + 60 * MINUTE)


def test_one_wake_up_serves_the_checks_of_20_ms_and_none_of_them_twice() -> None:
    scheduler = Scheduler()
    scheduler.assign(specs(3_000), START)
    end, ahead = START + 3 * MINUTE, []
    turns = dict[str, list[int]]()
    while (at := scheduler.next_at() or 0) <= end:
        for monitor, due in scheduler.pop(at):
            ahead.append(due - at)
            turns.setdefault(monitor, []).append(due)
    assert min(ahead) == 0
    assert max(ahead) <= 20
    assert ahead.count(0) < len(ahead) / 1.5  # at 50 a second
    assert all(then - before == MINUTE for dues in turns.values() for before, then in pairwise(dues[1:]))


def test_a_wake_up_for_nobody_takes_nobody_early() -> None:
    scheduler = Scheduler()
    scheduler.assign(specs(1), START)
    due = scheduler.next_at() or 0
    assert scheduler.pop(due - 1) == []
    assert scheduler.pop(due) == [("m0", due)]


def test_a_quick_check_taken_early_counts_from_when_it_was_due() -> None:
    scheduler = Scheduler()
    scheduler.assign(specs(2), START)
    scheduler.pace("m0", 5_000, START)
    scheduler.pace("m1", 5_000, START + 15)
    assert [monitor for monitor, _ in scheduler.pop(START + 5_000)] == ["m0", "m1"]
    assert scheduler.pop(START + 10_000) == [("m0", START + 10_000), ("m1", START + 10_015)]
