"""The port of an agent to the file in which it keeps what its servers do not have yet."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vigie.fleet.wire import Work


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an agent is, as its servers told it; `number` is that of its location in packed results, `spool` that of this spool."""

    agent: str
    location: str
    number: int
    spool: int


@dataclass(frozen=True, slots=True)
class BatchHead:
    """What is known of a batch without reading it.

    `at` is when it was put there or its first result was measured, epoch ms; `failures`: some of its results are not good.
    """

    sequence: int
    shard: int
    at: int
    results: int
    failures: bool
    size: int


@dataclass(frozen=True, slots=True)
class SpoolContents:
    """What a spool holds when it is opened. The numbers from `first_batch` and `first_result` on were never used.

    Those of results are reserved below `results_until`, those of batches for as long as anybody lives. `paces` are (interval, since when,
    epoch ms) by monitor.
    """

    identity: Identity | None
    work: Work | None
    first_batch: int
    first_result: int
    results_until: int
    paces: dict[str, tuple[int, int]] = field(default_factory=dict)


class SpoolFile(Protocol):
    """One file, of one process. Each method raises StoreError and nothing else; what was written is on the disk when it returns."""

    async def open(self) -> SpoolContents:
        """Make it, or read what it holds, and reserve numbers: after a crash none is used twice."""

    async def heads(self, after: int, count: int) -> list[BatchHead]:
        """The next `count` batches whose sequence is larger than `after`, in their order."""

    async def reserve_results(self, until: int) -> None:
        """The numbers of results below `until` may be used from now on."""

    async def adopt(self, identity: Identity) -> None:
        """Keep who one is."""

    async def keep_work(self, work: Work) -> None:
        """Keep what changes; where it is whole, in place of all that was kept."""

    async def keep_pace(self, monitor: str, every_ms: int | None, at: int) -> None:
        """Keep the pace of a monitor, or that it has none."""

    async def append(self, batches: Sequence[tuple[BatchHead, bytes]]) -> None:
        """Keep these, all or none."""

    async def read(self, sequences: Sequence[int]) -> dict[int, bytes]:
        """Those of these batches that are there."""

    async def remove(self, sequences: Sequence[int]) -> None:
        """Keep these no longer."""

    async def replace(self, gone: Sequence[int], batches: Sequence[tuple[BatchHead, bytes]]) -> None:
        """Keep `batches` in place of `gone`, in one step."""

    async def oldest(self, count: int, *, failures: bool) -> list[BatchHead]:
        """The first `count` batches with failures, or those without any."""

    async def move_aside(self) -> str:
        """Rename the file, which is damaged; its new name. It is closed then."""

    async def close(self) -> None:
        """Close it. Closing twice is harmless."""
