"""Who checks what: pure. Shards of a location go to its agents by rendezvous hashing, and each change of hands begins a new run.

Laws
1. Every shard of a location with a live agent has exactly one agent there. Where none is live, it stays with the one that had it.
2. A shard that goes to another agent, or to one with another spool, has a new run; otherwise it keeps its run. Runs only grow.
3. An agent that comes or goes moves its own shards and no others.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from vigie.fleet.assignment import assign
from vigie.fleet.shards import shard_of
from vigie.fleet.wire import ShardWork
from vigie.observation.check_spec import CheckSpec
from vigie.ports import ShardRun

Key = tuple[str, int]  # location, shard


@dataclass(frozen=True, slots=True)
class Alive:
    """An agent that is heard, and the number of its spool."""

    name: str
    location: str
    spool: int


def moved(alive: Collection[Alive], former: Mapping[Key, ShardRun]) -> dict[Key, Alive]:
    """The shards that change hands, and to whom; each of them needs a new run."""
    here = defaultdict[str, dict[str, Alive]](dict)
    for one in alive:
        here[one.location][one.name] = one
    found = dict[Key, Alive]()
    for location, agents in here.items():
        for shard, name in assign(sorted(agents)).items():
            had, wanted = former.get((location, shard)), agents[name]
            if had is None or (had.agent, had.spool) != (wanted.name, wanted.spool):
                found[location, shard] = wanted
    return found


def runs_of(moving: Mapping[Key, Alive], run: int) -> list[ShardRun]:
    """What is kept of shards that change hands: all of one decision have its run, which is larger than any before it."""
    return [ShardRun(location, shard, one.name, run, one.spool) for (location, shard), one in moving.items()]


def work_of(
    agent: str, location: str, specs: Iterable[CheckSpec], runs: Mapping[Key, ShardRun], numbers: Mapping[str, int]
) -> dict[int, ShardWork]:
    """What an agent is to check, by shard. `specs` are those of all monitors of its location; one without a number is not watched yet."""
    shards = defaultdict[int, list[CheckSpec]](list)
    for spec in specs:
        if spec.monitor in numbers:
            shards[shard_of(spec.monitor)].append(spec)
    found = dict[int, ShardWork]()
    for shard, of in shards.items():
        held = runs.get((location, shard))
        if held is not None and held.agent == agent:
            found[shard] = ShardWork(shard, held.run, of, [numbers[one.monitor] for one in of])
    return found


def changed(before: Mapping[int, ShardWork], after: Mapping[int, ShardWork]) -> Sequence[ShardWork]:
    """The shards that are otherwise than before; those that went have no specs."""
    gone = [ShardWork(shard, had.run, [], []) for shard, had in before.items() if shard not in after and had.specs]
    return [*gone, *(one for shard, one in after.items() if before.get(shard) != one)]
