"""Who checks what: tables and properties of the laws of coordinator.py."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from vigie.engine.agents.coordinator import Alive, Key, changed, moved, runs_of, work_of
from vigie.fleet.shards import SHARDS, shard_of
from vigie.fleet.wire import ShardWork
from vigie.ports import ShardRun
from vigie.testing.fakes import fake_spec

AGENTS = st.sets(st.sampled_from([Alive(f"{place}-{n}", place, 1) for place in ("paris", "lyon") for n in range(3)]), max_size=6)


def settled(alive: set[Alive], former: dict[Key, ShardRun], run: int) -> dict[Key, ShardRun]:
    return former | {(one.location, one.shard): one for one in runs_of(moved(alive, former), run)}


@given(st.lists(AGENTS, min_size=1, max_size=5))
def test_every_shard_of_a_location_with_a_live_agent_has_exactly_one(lives: list[set[Alive]]) -> None:
    """Whatever came before; runs only grow, and nothing moves that need not."""
    runs: dict[Key, ShardRun] = {}
    for number, alive in enumerate(lives, 2):
        before, runs = runs, settled(alive, runs, number)
        places = {one.location for one in alive}
        names = {one.name for one in alive}
        assert all(runs[place, shard].agent in names for place in places for shard in range(SHARDS))
        assert all(one.run >= before[key].run for key, one in runs.items() if key in before)
        for key, one in runs.items():
            had = before.get(key)
            assert (had == one) == (one.run != number)
            if key[0] not in places:
                assert had == one  # nobody there can take it
        assert moved(alive, runs) == {}


@given(AGENTS.filter(lambda alive: len(alive) > 1), st.data())
def test_one_that_goes_moves_its_own_shards_alone(alive: set[Alive], data: st.DataObject) -> None:
    """And gets them back when it comes back."""
    runs = settled(alive, {}, 1)
    gone = data.draw(st.sampled_from(sorted(alive, key=lambda one: one.name)))
    after = settled(alive - {gone}, runs, 2)
    assert all(runs[key].agent == gone.name for key, one in after.items() if one != runs[key])
    back = settled(alive, after, 3)
    assert {key: one.agent for key, one in back.items()} == {key: one.agent for key, one in runs.items()}


def test_one_that_restarts_keeps_its_runs_and_one_with_a_new_spool_has_new_ones() -> None:
    here = Alive("paris-1", "paris", 4)
    runs = settled({here}, {}, 5)
    assert settled({here}, runs, 6) == runs
    again = settled({Alive("paris-1", "paris", 6)}, runs, 7)
    assert {(one.agent, one.run, one.spool) for one in again.values()} == {("paris-1", 7, 6)}


def test_the_last_one_of_a_location_keeps_its_shards_while_it_is_silent() -> None:
    runs = settled({Alive("paris-1", "paris", 1)}, {}, 2)
    assert settled(set(), runs, 3) == runs


@given(st.sets(st.text("abcdef", min_size=1, max_size=3), max_size=40), AGENTS.filter(bool))
def test_every_monitor_of_a_location_is_with_one_agent(monitors: set[str], alive: set[Alive]) -> None:
    runs = settled(alive, {}, 9)
    specs = [fake_spec(name) for name in sorted(monitors)]
    numbers = {name: number for number, name in enumerate(sorted(monitors))}
    checked = defaultdict[tuple[str, str], list[str]](list)
    for one in alive:
        for shard, work in work_of(one.name, one.location, specs, runs, numbers).items():
            assert (work.shard, work.run, len(work.specs)) == (shard, 9, len(work.numbers))
            for spec, number in zip(work.specs, work.numbers, strict=True):
                assert (shard_of(spec.monitor), numbers[spec.monitor]) == (shard, number)
                checked[one.location, spec.monitor].append(one.name)
    assert set(checked) == {(one.location, name) for one in alive for name in monitors}
    assert all(len(names) == 1 for names in checked.values())


def test_a_monitor_that_has_no_number_yet_waits() -> None:
    runs = settled({Alive("paris-1", "paris", 1)}, {}, 1)
    assert work_of("paris-1", "paris", [fake_spec("shop")], runs, {}) == {}


def test_what_changed_is_told_and_nothing_else() -> None:
    one, two = fake_spec("shop"), fake_spec("api")
    before = {1: ShardWork(1, 5, [one], [1]), 2: ShardWork(2, 5, [two], [2])}
    assert list(changed(before, dict(before))) == []
    assert list(changed(before, {1: before[1]})) == [ShardWork(2, 5, [], [])]
    assert list(changed({}, before)) == list(before.values())
    other = before | {1: ShardWork(1, 6, [one], [1])}
    assert list(changed(before, other)) == [other[1]]
