"""The port between those who measure and ingest."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, NamedTuple, Protocol, TypeVar

from vigie.core.model import CheckResult
from vigie.fleet.batches import PackedBatch
from vigie.fleet.wire import Hello, Welcome, Work


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

    `incarnation` is another one where the bus lost everything, and `sequence` began anew. `kept_at` is when the bus kept that message, ns
    since the epoch, 0 where that is not known: one that lost its end gives the same numbers again, to other messages.
    """

    bus: str
    incarnation: int
    sequence: int
    kept_at: int = 0


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


Answer = Callable[[Hello], Awaitable[Welcome]]


class BusDispatch(Protocol):
    """How agents behind a bus are given their work. Each method raises BusError."""

    async def work(self, agent: str, work: Work) -> None:
        """Have an agent do this from now on; what it has already is not sent again."""

    async def pace(self, agent: str, monitor: str, every_ms: int | None) -> None:
        """Have it check a monitor every `every_ms`, or at its own interval again (None); also when it comes back later."""

    async def paces(self, agent: str, paces: Mapping[str, int]) -> None:
        """Have it check these monitors faster, and no others."""

    async def check_now(self, agent: str, monitor: str) -> None:
        """Have it check a monitor once, if it listens now."""

    async def changed_by_others(self) -> Collection[str]:
        """Agents whose work on the bus is not (any more) what was written there. What is to be there has to be given once more."""


class FleetBus(Bus[PackedBatch], Protocol):
    """A bus between machines. Each method raises BusError."""

    async def open(self) -> None:
        """Connect, and make what is missing. What is there with other settings is said in the log."""

    @property
    def name(self) -> str:
        """What its positions are called."""

    async def publish_all(self, blobs: Sequence[bytes]) -> None:
        """Hand encoded batches over; returns once all of them are kept."""

    async def waiting(self, after: Position | None) -> int:
        """How many messages there are behind a position."""

    def dispatch(self, location_of: Callable[[str], str | None]) -> BusDispatch:
        """How its agents are given their work; `location_of` tells where an agent is, None where nobody knows it."""

    def answering(self, answer: Answer) -> AbstractAsyncContextManager[None]:
        """Have agents that introduce themselves answered by this, for as long as the context lasts. UplinkError refuses one."""

    async def examine(self) -> str:
        """For `vigie doctor`: what is there, in a line. Nothing is made."""
