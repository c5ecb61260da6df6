"""The name under which a store keeps how far an agent's batches have been taken in.

Databases hold these names, so their form stays: an agent's own, behind `once-` if it made single cycles.
"""

from vigie.ports import Batch, RunMode

_SINGLE = "once-"


def cursor_of(batch: Batch) -> str:
    """The name for the agent of a batch."""
    return f"{_SINGLE}{batch.agent}" if batch.mode is RunMode.SINGLE else batch.agent


def mode_of(cursor: str) -> RunMode:
    """How the agent behind a name ran."""
    return RunMode.SINGLE if cursor.startswith(_SINGLE) else RunMode.CONTINUOUS
