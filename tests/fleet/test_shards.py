"""Shards are the same everywhere and for ever, and an agent that comes or goes moves its own alone."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from vigie.fleet.assignment import assign
from vigie.fleet.shards import SHARDS, shard_of

NAMES = st.sets(st.text(min_size=1, max_size=12), min_size=1, max_size=8)


def test_a_shard_is_what_streams_and_databases_say() -> None:
    assert [shard_of(one) for one in ("shop-api", "home", "é", "")] == [147, 15, 120, 153]


def test_shards_are_even() -> None:
    sizes = Counter(shard_of(f"monitor-{number}") for number in range(25_600))
    assert len(sizes) == SHARDS
    assert max(sizes.values()) < 160


@given(NAMES)
def test_every_shard_has_an_agent(agents: set[str]) -> None:
    assert set(assign(agents)) == set(range(SHARDS))
    assert set(assign(agents).values()) <= agents


@given(NAMES, st.text(min_size=1, max_size=12))
def test_who_goes_moves_its_own_shards_alone(agents: set[str], other: str) -> None:
    before, after = assign(agents - {other}), assign(agents | {other})
    moved = {shard for shard in after if before.get(shard) != after[shard]}
    assert all(after[shard] == other for shard in moved)


def test_without_an_agent_there_is_nothing() -> None:
    assert assign(()) == {}
