"""The port between those who measure and ingest."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, NamedTuple, Protocol, TypeVar

from vigie.core.model import CheckResult


class RunMode(StrEnum):
    """How an agent runs: all the time, or in single cycles that may be any time apart."""

    CONTINUOUS = "continuous"
    SINGLE = "single"


@dataclass(frozen=True, slots=True)
class Batch:
    """Results of one agent. `sequence` rises by one for each batch of a `run`; a repeated batch is recognised by it."""

    agent: str
    run: int
    sequence: int
    results: tuple[CheckResult, ...]
    mode: RunMode = RunMode.CONTINUOUS


class Position(NamedTuple):
    """How far a bus that keeps what it carries was read: it is committed with what became of that.

    `incarnation` is another one where the bus lost everything, and `sequence` began anew.
    """

    bus: str
    incarnation: int
    sequence: int


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Group(Generic[T]):
    """What is taken in together. Whoever has taken it in goes on after `position`, which is None where the bus keeps nothing."""

    batches: tuple[T, ...]
    position: Position | None = None


class Bus(Protocol[T]):
    """Carries batches to ingest: `Batch` within one process, `PackedBatch` between machines. Those of one source stay in order.

    One that leaves the process raises BusError and nothing else.
    """

    async def publish(self, batch: T) -> None:
        """Hand a batch over; returns once it is accepted: kept, by a bus that keeps what it carries. Full means the publisher waits."""

    def groups(self, after: Position | None = None) -> AsyncIterator[Group[T]]:
        """What was published, as it comes; ends when the bus is closed.

        Asking for the next group says that the one before it is taken in. A bus that keeps what it carries begins after `after`.
        """

    async def close(self) -> None:
        """No more batches will be published. Closing twice is harmless."""
