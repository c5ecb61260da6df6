"""Many small batches of a shard as a few larger ones: what an agent keeps while it is cut off takes less room, and is soon replayed.

The results stay in their order, and so do the numbers: a merged batch has that of its last part. Whoever has taken some of the parts
already takes their results a second time, which changes nothing (law 1 of `core.quorum`).
"""

import struct
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from vigie.fleet import packed
from vigie.fleet.batches import PackedBatch

_HEADER = struct.Struct("<HIIH")
_SPLIT = struct.Struct("<II25s")
_MAX_COUNT = 0xFFFF
_SPAN = 2**32


def merge(batches: Sequence[PackedBatch], most: int) -> list[PackedBatch]:
    """Batches of one agent, shard and spool, in their order, as few as hold them: of at most `most` results, and of one run each.

    Raises ValueError for one that is damaged.
    """
    return [_merged(group) for group in _groups(batches, most)]


def _groups(batches: Sequence[PackedBatch], most: int) -> Iterator[list[PackedBatch]]:
    group: list[PackedBatch] = []
    runs: set[int] = set()
    for batch in batches:
        own = {run for _, run, _, _ in packed.segments(batch.body)}
        together = sum(one.count for one in group) + batch.count <= most and own == runs
        if group and not (together and abs(batch.base - group[0].base) < _SPAN // 2):
            yield group
            group = []
        group.append(batch)
        runs = own
    if group:
        yield group


def _merged(group: Sequence[PackedBatch]) -> PackedBatch:
    if len(group) == 1:
        return group[0]
    base = min(one.base for one in group)
    parts: list[tuple[int, int, int, list[bytes]]] = []
    for one in group:
        for location, run, block, records in packed.segments(one.body):
            key = (location or 0, run, block)
            if not parts or parts[-1][:3] != key or len(parts[-1][3]) + len(records) // packed.SIZE > _MAX_COUNT:
                parts.append((*key, []))
            shift = one.base - base
            parts[-1][3].extend(_SPLIT.pack(number, offset + shift, rest) for number, offset, rest in _SPLIT.iter_unpack(records))
    body = b"".join([_HEADER.pack(*key, len(records)) + b"".join(records) for *key, records in parts])
    whole = tuple([result for one in group for result in one.whole])
    last, count = group[-1], sum(one.count for one in group)
    return replace(last, base=base, count=count, body=bytes([packed.VERSION]) + body, whole=whole)
