"""How batches of results travel from those who probe to ingest.

`bus:` names one by its address, whose scheme is the kind. Such a file or package has a `Config` (BusConfig) and `build(config, deps)`,
which gives a `FleetBus`. Without it there are two that need no address: `local` within a process, `process` to the prober's own.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from vigie.fleet.batches import PackedBatch
from vigie.fleet.wire import Hello, Welcome, Work
from vigie.ports import Bus, Clock, Position

UNADDRESSED = frozenset({"local", "process"})
_ALSO = {"tls": "nats"}
Answer = Callable[[Hello], Awaitable[Welcome]]


@dataclass(frozen=True, slots=True)
class BusDeps:
    """What a bus is given. `name` is what its administrator sees of this server."""

    clock: Clock
    name: str = "vigie"


class BusConfig(Protocol):
    """What the `Config` of every bus with an address can tell."""

    @classmethod
    def of(cls, address: str, base: Path) -> Self:
        """From its address; relative paths start at `base`. Raises ValueError."""

    @property
    def shown(self) -> str:
        """As people read it, without secrets."""


class Dispatch(Protocol):
    """How agents behind a bus are given their work. Each method raises BusError."""

    async def work(self, agent: str, work: Work) -> None:
        """Have an agent do this from now on; what it has already is not sent again."""

    async def pace(self, agent: str, monitor: str, every_ms: int | None) -> None:
        """Have it check a monitor every `every_ms`, or at its own interval again (None); also when it comes back later."""

    async def check_now(self, agent: str, monitor: str) -> None:
        """Have it check a monitor once, if it listens now."""


class FleetBus(Bus[PackedBatch], Protocol):
    """A bus between machines. Each method raises BusError."""

    async def open(self) -> None:
        """Connect, and make what is missing. What is there with other settings is said in the log."""

    async def publish_all(self, batches: Sequence[PackedBatch]) -> None:
        """Hand batches over; returns once all of them are kept."""

    async def waiting(self, after: Position | None) -> int:
        """How many messages there are behind a position."""

    def dispatch(self, location_of: Callable[[str], str | None]) -> Dispatch:
        """How its agents are given their work; `location_of` tells where an agent is, None where nobody knows it."""

    def answering(self, answer: Answer) -> AbstractAsyncContextManager[None]:
        """Have agents that introduce themselves answered by this, for as long as the context lasts. UplinkError refuses one."""

    async def examine(self) -> str:
        """For `vigie doctor`: what is there, in a line. Nothing is made."""


def kind_of(address: str) -> str:
    """The kind of bus that an address asks for: its scheme, or another that the same package serves."""
    scheme = address.partition("://")[0].lower()
    return _ALSO.get(scheme, scheme)
