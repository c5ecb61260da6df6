"""The side of the store for what comes from outside the engine: commands of people, pings of jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from vigie.core.events import PersonEvent
from vigie.observation.heartbeat import Job, Ping


@dataclass(frozen=True, slots=True)
class Command:
    """What a person asked for in another process. `Commit.commands` takes its number, and it is gone with what it changed."""

    number: int
    monitor: str
    event: PersonEvent


@dataclass(frozen=True, slots=True)
class PingUpdate:
    """What a ping made of a job. `ping` None: the job alone changed; `number` is that of a ping that waited in the inbox."""

    job: Job
    ping: Ping | None = None
    number: int | None = None


class Inbox(Protocol):
    """What comes from outside the engine: commands of people, pings of jobs. Raises StoreError and nothing else, from any task."""

    async def enqueue_command(self, monitor: str, event: PersonEvent) -> None:
        """Hand an event to the Vigie that is at work on this store; it takes it within a second. Fsynced before it returns."""

    async def commands(self) -> list[Command]:
        """What nobody has applied yet, oldest first; it stays until `Commit.commands` names it."""

    async def enqueue_ping(self, monitor: str, ping: Ping) -> None:
        """Hand a ping to the Vigie that is at work on this store, or the next one; fsynced before it returns."""

    async def waiting_pings(self) -> list[tuple[int, str, Ping]]:
        """(number, monitor, ping) of what was handed over and not yet recorded, oldest first."""

    async def record_pings(self, updates: Sequence[PingUpdate]) -> None:
        """Write them whole, fsynced before it returns; of each monitor's pings the newest hundred are kept."""

    async def jobs(self) -> dict[str, Job]:
        """Every watched job by monitor id; `Catalog.sync_monitors` forgets the others."""

    async def pings(self, monitor: str, limit: int = 100) -> list[Ping]:
        """The pings of a monitor, newest first."""

    async def listening(self, at: int, link_worked: int | None = None) -> None:
        """Somebody listens for pings at `at`; the link that they come over last worked at `link_worked`, if it ever did."""

    async def link_worked(self) -> int | None:
        """When that link last worked, as far as is known."""

    async def listened(self) -> int | None:
        """When somebody last listened; None when nobody ever did."""


class Answer(StrEnum):
    """What becomes of a ping that came over the network. `NOT_NOW`: it could not be kept, and the job should try again."""

    TAKEN = "taken"
    UNKNOWN = "unknown"
    TOO_MANY = "too_many"
    NOT_NOW = "not_now"
