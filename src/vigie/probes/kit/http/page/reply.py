"""What `look` replies, as the process that asked reads it: checked, since it was made where a hostile page was read."""

import msgspec

from vigie.core.model import Cause, PageFacts


class Finding(msgspec.Struct, frozen=True):
    """What was found on a page that is not the right one."""

    cause: Cause
    signature: str
    family: str
    where: str
    beside: bool = False  # the page is there as well


class Look(msgspec.Struct, frozen=True):
    """The reply to one look; `same`: the verdict is that of the last one."""

    finding: Finding | None = None
    facts: PageFacts | None = None
    grounds: int = 0
    same: bool = False


def read(reply: bytes) -> Look:
    """The reply. Raises ValueError for anything else."""
    return msgspec.json.decode(reply, type=Look)
