"""The name under which a store keeps how far an agent's batches have been taken in.

Databases hold these names, so their form stays: an agent's own, behind `once-` if it made single cycles; of an agent of a fleet with the
shard behind it, `agent#shard`; of a bus, that of the bus, and behind `@` when it kept the message up to which it was read.
"""

from collections.abc import Mapping, Sequence

from vigie.fleet.batches import PackedBatch
from vigie.ports import Batch, Position, RunMode

_SINGLE = "once-"
Cursor = tuple[str, int, int]  # name, (run or spool), sequence


def cursor_of(batch: Batch) -> str:
    """The name for the agent of a batch."""
    return f"{_SINGLE}{batch.agent}" if batch.mode is RunMode.SINGLE else batch.agent


def mode_of(cursor: str) -> RunMode:
    """How the agent behind a name ran."""
    return RunMode.SINGLE if cursor.startswith(_SINGLE) else RunMode.CONTINUOUS


def position_of(bus: str, known: Mapping[str, tuple[int, int]]) -> Position | None:
    """How far a bus was read; None where it never was."""
    if (found := known.get(bus)) is None:
        return None
    sequence, kept_at = known.get(_kept(bus), (0, 0))
    return Position(bus, *found, kept_at if sequence == found[1] else 0)


def unseen(
    batches: Sequence[PackedBatch], position: Position | None, known: Mapping[str, tuple[int, int]]
) -> tuple[list[PackedBatch], tuple[Cursor, ...]]:
    """The batches that were not taken in, in their order, and the cursors once they are; `position` is that of the bus that brought them.

    It may go back: a bus that lost its end gives the same numbers to what comes then.
    """
    fresh, cursors = list[PackedBatch](), dict[str, tuple[int, int]]()
    for one in batches:
        name, at = f"{one.agent}#{one.shard}", (one.spool, one.sequence)
        if at > (cursors.get(name) or known.get(name, (0, 0))):
            fresh.append(one)
            cursors[name] = at
    if position is not None and position != position_of(position.bus, known):
        cursors[position.bus] = position.incarnation, position.sequence
        cursors[_kept(position.bus)] = position.sequence, position.kept_at
    return fresh, tuple([(name, *at) for name, at in cursors.items()])


def _kept(bus: str) -> str:
    """When it kept the message up to which it was read, with that one's number, because older servers do not write it."""
    return f"{bus}@"
