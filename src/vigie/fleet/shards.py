"""The unit of work of a fleet: each monitor is in one of 256 shards, which is assigned, published and configured as a whole."""

import xxhash

SHARDS = 256


def shard_of(monitor: str) -> int:
    """The shard of a monitor id, 0 to 255: the same everywhere and in every version, because streams and databases hold it."""
    return xxhash.xxh64_intdigest(monitor.encode("utf-8", "surrogatepass")) % SHARDS
