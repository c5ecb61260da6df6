"""A batch as it is kept in a spool, carried by a bus and posted by an agent: the same bytes everywhere, behind a version byte.

The records are those of `fleet.packed` (the same bytes that a store keeps). What a record has no room for (addresses, headers,
certificates, messages) is in `whole`: the results that are not good, and the first good one whose facts are not those of the one before.
Whoever reads a record without such a result takes the facts of the last whole one of its monitor and location.
"""

from typing import Final

import msgspec

from vigie.core.model import CheckResult

VERSION: Final = 1
_HEAD = bytes([VERSION])
MAX_BYTES: Final = 4 * 1024 * 1024
MAX_RESULTS: Final = 20_000


class PackedBatch(msgspec.Struct, frozen=True, array_like=True):
    """Results of one agent about monitors of one shard, in the order in which they were measured.

    `spool` and `sequence` identify it among those of this agent and shard: `sequence` rises by one with each. `body` holds `count`
    packed records, their instants after `base`, epoch ms.
    """

    agent: str
    location: str
    shard: int
    spool: int
    sequence: int
    base: int
    count: int
    body: bytes
    whole: tuple[CheckResult, ...] = ()


def encode(batch: PackedBatch) -> bytes:
    """As it travels and is kept."""
    return _HEAD + msgspec.msgpack.encode(batch)


def decode(blob: bytes | memoryview) -> PackedBatch:
    """And back. Raises ValueError for a batch that a later version wrote, or that is damaged, however it is."""
    if blob[:1] != _HEAD:
        raise ValueError(f"a batch of version {blob[0] if blob else 'none'} cannot be read by this program")
    try:
        batch: PackedBatch = msgspec.msgpack.decode(blob[1:], type=PackedBatch)
    except RecursionError:
        raise ValueError("a batch of lists within lists") from None
    return batch
