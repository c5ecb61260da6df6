"""What an agent's work is as documents in a key-value store: one for each shard, one for its paces, and one for all the rest.

The last is written when the others are there: whoever reads them waits for it.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from vigie.fleet import wire
from vigie.fleet.wire import ShardWork, Work

STATE: Final = "state"
PACES: Final = "paces"
_PACES = msgspec.msgpack.Decoder(dict[str, int])


def shard_document(work: ShardWork) -> bytes:
    """The work of a shard: the same bytes for the same work."""
    return wire.encode(Work(0, [work]))


def read_shard(body: bytes) -> ShardWork:
    """And back. Raises ValueError."""
    found = wire.decode(body)
    if not isinstance(found, Work) or len(found.shards) != 1:
        raise ValueError("a document that is not the work of one shard")
    return found.shards[0]


def state_document(work: Work) -> bytes:
    """All but the shards."""
    return wire.encode(msgspec.structs.replace(work, shards=[], whole=False))


def read_state(body: bytes) -> Work:
    """And back. Raises ValueError."""
    found = wire.decode(body)
    if not isinstance(found, Work):
        raise ValueError("a document that is not the state of an agent's work")  # noqa: TRY004 - it came from outside
    return found


def paces_document(paces: Mapping[str, int]) -> bytes:
    """The interval of each monitor that is not checked at its own, in ms."""
    return msgspec.msgpack.encode(dict(sorted(paces.items())))


def read_paces(body: bytes) -> dict[str, int]:
    """And back. Raises ValueError."""
    return _PACES.decode(body)
