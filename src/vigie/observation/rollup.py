"""What the checks of one monitor come to in an hour or a day."""

from dataclasses import dataclass
from enum import StrEnum


class Resolution(StrEnum):
    """How long the span of a roll-up is."""

    HOUR = "hour"
    DAY = "day"  # of UTC

    @property
    def ms(self) -> int:
        """The span in ms."""
        return 3_600_000 if self is Resolution.HOUR else 86_400_000


@dataclass(frozen=True, slots=True)
class Rollup:
    """The checks of [start, start + span). `count` are those that say something of the service: `up`, `degraded`, and the rest down.

    `excluded` are the others: unknown, or in maintenance. Latencies in ms of the good checks (up or degraded), None where none was good.
    """

    start: int
    count: int
    up: int
    degraded: int
    excluded: int = 0
    sum_ms: float = 0.0
    min_ms: float | None = None
    max_ms: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None

    @property
    def down(self) -> int:
        """How many checks found it down."""
        return self.count - self.up - self.degraded
