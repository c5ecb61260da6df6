"""What the status page shows, as plain values: made from the store's answers, worst first."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from enum import StrEnum

from vigie.core.detection import Severity
from vigie.core.model import CheckResult, Incident, Monitor, Status


class State(StrEnum):
    """The state of a monitor for its reader, worst first: what an incident confirms is told apart from what one check saw."""

    DOWN = "down"
    SUSPECTED = "suspected"  # the newest check failed, no incident confirms it yet
    DEGRADED = "degraded"
    RECOVERING = "recovering"  # good again, the incident is not closed yet
    UNKNOWN = "unknown"
    NONE = "none"  # not checked yet
    UP = "up"


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

    @property
    def state(self) -> State:
        """Its state."""
        outage = self.incident is not None and self.incident.severity is Severity.OUTAGE
        match self.status:
            case None:
                return State.NONE
            case Status.DOWN:
                return State.DOWN if outage else State.SUSPECTED
            case Status.DEGRADED:
                return State.RECOVERING if outage else State.DEGRADED
            case Status.UP:
                return State.RECOVERING if self.incident else State.UP
            case _:
                return State.UNKNOWN


@dataclass(frozen=True, slots=True)
class Health:
    """Vigie's own health. `stalled` says that results stopped coming in; instants are epoch ms; `late_p99_ms` is how late checks start."""

    version: str
    started_at: int
    now: int
    last_result_at: int | None
    unsent: int
    undeliverable: int
    stalled: bool
    late_p99_ms: int | None = None

    @property
    def ok(self) -> bool:
        """Whether Vigie itself works: results come in."""
        return not self.stalled


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything one rendering needs; times are shown in `zone`."""

    lines: tuple[Line, ...]
    recent: tuple[Incident, ...]
    health: Health
    language: str
    zone: tzinfo = UTC

    def count(self, status: Status | None) -> int:
        """How many monitors have this newest status."""
        return sum(line.status is status for line in self.lines)

    def standing(self, state: State) -> int:
        """How many monitors stand so."""
        return sum(line.state is state for line in self.lines)

    def name(self, monitor: str) -> str:
        """What people call a monitor; its id once it is gone."""
        return next((line.monitor.name for line in self.lines if line.monitor.id == monitor), monitor)


def lines(monitors: Sequence[Monitor], results: Mapping[str, CheckResult], open_incidents: Sequence[Incident]) -> tuple[Line, ...]:
    """Join monitors, results and open incidents (an outage before a degradation); worst first, then by name."""
    ordered = sorted(open_incidents, key=lambda incident: incident.severity is Severity.OUTAGE)
    by_monitor = {incident.monitor: incident for incident in ordered}
    found = [Line(monitor, results.get(monitor.id), by_monitor.get(monitor.id)) for monitor in monitors]
    order = list(State)
    return tuple(sorted(found, key=lambda line: (order.index(line.state), _natural(line.monitor.name))))


def _natural(name: str) -> list[tuple[int, str]]:
    """`Node 2` before `Node 10`."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", name.casefold())]
