"""When failures become an incident: values and questions, no state. Durations in ms."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Which of a monitor's two tracks an incident belongs to: an outage pages, a degradation does so only when asked."""

    OUTAGE = "outage"
    DEGRADATION = "degradation"


class PartialOutage(StrEnum):
    """What it means that a service is down from some locations, and from fewer than the quorum."""

    DEGRADED = "degraded"
    DOWN = "down"
    IGNORE = "ignore"


class Pattern(StrEnum):
    """How the failures of an incident come."""

    STEADY = "steady"  # one after the other
    SPREAD = "spread"  # between good checks, more of them than `rate` allows
    FLAPPING = "flapping"  # the service goes up and down


@dataclass(frozen=True, slots=True)
class Rate:
    """`failures` of the last `of` checks, wherever they lie among these, open an incident."""

    failures: int
    of: int


@dataclass(frozen=True, slots=True)
class DetectionPolicy:
    """How failures become an incident.

    `confirm` failures in a row over at least `confirm_ms` open it, at the quick pace `confirm_every_ms` once the first is seen; `recover`
    good checks in a row over at least `recover_ms` close it. `rate` (None: not asked for) and `flapping` are about failures between good
    checks: intermittent.py. Where several locations probe, `quorum` of those that vote must agree (None: a majority), `partial_outage` says
    what it is when fewer do, and one that was silent for `stale_ms` does not vote; what is heard more than `delay_ms` after it was measured
    is late (0: results are judged as they come), and whoever says nothing for `gap_ms` (0: `stale_ms`) was not looking: watermark.py. A
    monitor that cannot be checked for `unchecked_after_ms` is an incident of Vigie itself.
    """

    confirm: int = 3
    confirm_every_ms: int = 5_000
    recover: int = 2
    quorum: int | None = None
    stale_ms: int = 180_000
    unchecked_after_ms: int = 120_000
    confirm_ms: int = 0
    recover_ms: int = 0
    rate: Rate | None = None
    flapping: bool = True
    partial_outage: PartialOutage = PartialOutage.DEGRADED
    delay_ms: int = 0
    gap_ms: int = 0

    @property
    def expected_failures(self) -> int:
        """How many failed checks there will be when an incident opens, at the quick pace."""
        return max(self.confirm, 1 - -self.confirm_ms // max(self.confirm_every_ms, 1)) if self.confirm_ms else self.confirm
