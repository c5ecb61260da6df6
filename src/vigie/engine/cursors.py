"""The name under which a store keeps how far an agent's batches have been taken in.

Databases hold these names, so their form stays: an agent's own, behind `once-` if it made single cycles; of an agent of a fleet with the
shard behind it, `agent#shard`.
"""

from collections.abc import Mapping, Sequence

from vigie.fleet.batches import PackedBatch
from vigie.ports import Batch, RunMode

_SINGLE = "once-"
Cursor = tuple[str, int, int]  # name, (run or spool), sequence


def cursor_of(batch: Batch) -> str:
    """The name for the agent of a batch."""
    return f"{_SINGLE}{batch.agent}" if batch.mode is RunMode.SINGLE else batch.agent


def mode_of(cursor: str) -> RunMode:
    """How the agent behind a name ran."""
    return RunMode.SINGLE if cursor.startswith(_SINGLE) else RunMode.CONTINUOUS


def unseen(
    batches: Sequence[PackedBatch], position: Cursor | None, known: Mapping[str, tuple[int, int]]
) -> tuple[list[PackedBatch], tuple[Cursor, ...]]:
    """The batches that were not taken in, in their order, and the cursors once they are; `position` is one of the bus that brought them."""
    fresh, cursors = list[PackedBatch](), dict[str, tuple[int, int]]()
    for one in batches:
        name, at = f"{one.agent}#{one.shard}", (one.spool, one.sequence)
        if at > (cursors.get(name) or known.get(name, (0, 0))):
            fresh.append(one)
            cursors[name] = at
    if position is not None and position[1:] > known.get(position[0], (0, 0)):
        cursors[position[0]] = position[1:]
    return fresh, tuple([(name, *at) for name, at in cursors.items()])
