"""What waits, by shard: whatever happens, each shard's batches go in order, each once, failures before the others."""

import random

import pytest

from vigie.engine.remote.backlog import Backlog
from vigie.ports import BatchHead


def head(sequence: int, shard: int = 0, *, failures: bool = False, results: int = 1, size: int = 100) -> BatchHead:
    return BatchHead(sequence, shard, 1_000 + sequence, results, failures, size)


def test_failures_go_first_and_each_shard_from_its_oldest_on() -> None:
    backlog = Backlog()
    for sequence in range(1, 13):
        backlog.add(head(sequence, sequence % 3, failures=sequence in (5, 9)))
    assert backlog.next(10_000) == [(0, 3), (0, 6), (0, 9), (0, 12), (2, 2), (2, 5), (2, 8), (2, 11), (1, 1), (1, 4), (1, 7), (1, 10)]
    assert (backlog.batches, backlog.results, backlog.size, backlog.since) == (12, 12, 1_200, 1_001)


def test_no_more_than_asked_for_and_one_at_least() -> None:
    backlog = Backlog()
    assert backlog.next(100) == []
    assert backlog.since is None
    for sequence in range(1, 5):
        backlog.add(head(sequence, size=1_000))
    assert backlog.next(10) == [(0, 1)]
    assert backlog.next(2_500) == [(0, 1), (0, 2)]


def test_what_is_kept_after_it_was_handed_over_may_be_handed_over_again() -> None:
    backlog = Backlog()
    for sequence in range(1, 5):
        backlog.add(head(sequence, failures=sequence == 2))
    backlog.handed_over([(0, 1), (0, 2)], until=60.0)
    assert backlog.next(10_000) == [(0, 3), (0, 4)]
    assert (backlog.batches, backlog.size) == (2, 400)
    assert backlog.due(59.0) == []
    assert backlog.again() == 2
    assert backlog.next(10_000) == [(0, 1), (0, 2), (0, 3), (0, 4)]
    backlog.handed_over([(0, 1), (0, 2), (0, 3)], until=70.0)
    assert backlog.due(70.0) == [(0, 1), (0, 2), (0, 3)]
    assert backlog.due(80.0) == []
    assert (backlog.batches, backlog.size, backlog.next(10_000)) == (1, 100, [(0, 4)])


def test_small_ones_are_put_together_but_failures_with_failures_only() -> None:
    backlog = Backlog()
    for sequence in range(1, 11):
        backlog.add(head(sequence, failures=sequence in (4, 5), results=400 if sequence == 8 else 10))
    assert list(backlog.small(1_000)) == [(0, [1, 2, 3]), (0, [4, 5]), (0, [6, 7]), (0, [9, 10])]
    assert list(backlog.small(20)) == [(0, [1, 2]), (0, [4, 5]), (0, [6, 7]), (0, [9, 10])]
    backlog.put_together(0, [1, 2, 3], [BatchHead(3, 0, 1_001, 30, False, 90)])
    backlog.put_together(0, [4, 5], [BatchHead(5, 0, 1_004, 20, True, 60)])
    assert [sequence for _, sequence in backlog.next(10_000)] == [3, 5, 6, 7, 8, 9, 10]
    assert (backlog.batches, backlog.results, backlog.size) == (7, 490, 650)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_order_holds_within_a_shard_and_counts_are_right(seed: int) -> None:
    chance, backlog, there = random.Random(seed), Backlog(), dict[int, BatchHead]()
    sequence, now, done = 0, 0.0, dict[int, int]()
    for _ in range(300):
        match chance.randrange(5):
            case 0 | 1:
                for _ in range(chance.randrange(1, 6)):
                    sequence += 1
                    one = head(sequence, chance.randrange(3), failures=chance.random() < 0.2, results=chance.randrange(1, 500))
                    there[sequence] = one
                    backlog.add(one)
            case 2:
                picked = backlog.next(chance.randrange(100, 2_000))
                lost = chance.choice(picked)[1] if picked and chance.random() < 0.3 else None
                if lost is not None:
                    assert backlog.forget(there[lost].shard, lost)
                    del there[lost]
                for shard, number in picked:
                    assert number > done.get(shard, 0)
                    done[shard] = number
                backlog.handed_over(picked, now + 5)
            case 3:
                now += chance.random() * 4
                for _, number in backlog.due(now):
                    del there[number]
            case _:
                for shard, run in list(backlog.small(1_000)):
                    parts = [there.pop(number) for number in run]
                    whole = BatchHead(run[-1], shard, parts[0].at, sum(one.results for one in parts), parts[0].failures, 150)
                    there[whole.sequence] = whole
                    backlog.put_together(shard, run, [whole])
        assert backlog.size == sum(one.size for one in there.values())
        waiting = backlog.next(10**9)
        assert backlog.batches == len(waiting)
        assert backlog.results == sum(there[number].results for _, number in waiting)
        for shard in range(3):
            assert [number for at, number in waiting if at == shard] == sorted(
                number for number, one in there.items() if one.shard == shard and number > done.get(shard, 0)
            )
