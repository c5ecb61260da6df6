"""The port between agents and ingest."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

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


class Bus(Protocol):
    """Carries batches from agents to ingest, in order; full means the publisher waits."""

    async def publish(self, batch: Batch) -> None:
        """Hand a batch over; returns once it is accepted."""

    def batches(self) -> AsyncIterator[Batch]:
        """The batches, as they come; ends when the bus is closed and drained."""

    async def close(self) -> None:
        """No more batches will be published."""
