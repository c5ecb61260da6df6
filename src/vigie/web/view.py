"""What the status page shows, as plain values: made from the store's answers, worst first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vigie.core.model import CheckResult, Incident, Monitor, Status

_ORDER = {Status.DOWN: 0, Status.DEGRADED: 1, Status.UNKNOWN: 2, None: 3, Status.UP: 4}


@dataclass(frozen=True, slots=True)
class Line:
    """One monitor: its newest result (None before the first) and its open incident, if any."""

    monitor: Monitor
    result: CheckResult | None
    incident: Incident | None

    @property
    def status(self) -> Status | None:
        """The newest status; None before the first check."""
        return self.result.status if self.result else None


@dataclass(frozen=True, slots=True)
class Health:
    """Vigie's own health. `stalled` says that results stopped coming in; instants are epoch ms; `late_p99_ms` is how late checks start."""

    version: str
    started_at: int
    now: int
    last_result_at: int | None
    unsent: int
    buried: int
    stalled: bool
    late_p99_ms: int | None = None

    @property
    def ok(self) -> bool:
        """Whether Vigie itself works: results come in."""
        return not self.stalled


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything one rendering needs."""

    lines: tuple[Line, ...]
    recent: tuple[Incident, ...]
    health: Health
    language: str

    def count(self, status: Status | None) -> int:
        """How many monitors have this status."""
        return sum(line.status is status for line in self.lines)


def lines(monitors: Sequence[Monitor], results: Mapping[str, CheckResult], open_incidents: Sequence[Incident]) -> tuple[Line, ...]:
    """Join monitors, results and open incidents; worst first, then by name."""
    by_monitor = {incident.monitor: incident for incident in reversed(open_incidents)}
    found = [Line(monitor, results.get(monitor.id), by_monitor.get(monitor.id)) for monitor in monitors]
    return tuple(sorted(found, key=lambda line: (line.incident is None, _ORDER[line.status], line.monitor.name.lower())))
