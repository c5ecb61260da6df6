"""Which agent of a location checks which shards: rendezvous hashing (Thaler and Ravishankar, 1998).

Each shard goes to the agent with the highest hash of the two, so that an agent that comes or goes moves its own shards and no others.
"""

from collections.abc import Collection

import xxhash

from vigie.fleet.shards import SHARDS


def assign(agents: Collection[str]) -> dict[int, str]:
    """The agent of each shard; nothing where there is no agent."""
    return {shard: _winner(shard, agents) for shard in range(SHARDS)} if agents else {}


def _winner(shard: int, agents: Collection[str]) -> str:
    return max(agents, key=lambda agent: (xxhash.xxh64_intdigest(agent.encode(), seed=shard), agent))
