"""When failures become an incident: values and questions, no state. Durations in ms."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Which of a monitor's two tracks an incident belongs to: an outage pages, a degradation does so only when asked."""

    OUTAGE = "outage"
    DEGRADATION = "degradation"


@dataclass(frozen=True, slots=True)
class DetectionPolicy:
    """How failures become an incident.

    `confirm` failures in a row open it, at the quick pace `confirm_every_ms` once the first is seen; `recover` good checks in
    a row close it. Where several locations probe, `quorum` of those that vote must agree (None: a majority), and one that was silent
    for `stale_ms` does not vote. A monitor that cannot be checked for `unchecked_after_ms` is an incident of Vigie itself.
    """

    confirm: int = 3
    confirm_every_ms: int = 5_000
    recover: int = 2
    quorum: int | None = None
    stale_ms: int = 180_000
    unchecked_after_ms: int = 120_000
