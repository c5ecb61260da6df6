"""What happened, and what was decided. Plain values; every instant is epoch ms and comes from outside."""

from dataclasses import dataclass

from vigie.core.detection import Severity
from vigie.core.model import Cause, Status


@dataclass(frozen=True, slots=True)
class Observed:
    """A check concluded. `order` rises strictly for one monitor; an order already seen changes nothing."""

    at: int
    order: int
    status: Status
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Acked:
    """A person has seen the open incident: no more reminders."""

    at: int
    by: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """A person closed the open incident."""

    at: int
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Woke:
    """The instant that the state asked to be woken at has come (or any other: waking early or twice is harmless)."""

    at: int


@dataclass(frozen=True, slots=True)
class Stepped:
    """The wall clock jumped by `delta_ms` (a step or a suspended machine): waits are moved along, nothing else."""

    at: int
    delta_ms: int


Event = Observed | Acked | Resolved | Woke | Stepped


@dataclass(frozen=True, slots=True)
class Suspected:
    """The first failure after health: check again quickly, collect evidence."""

    severity: Severity
    at: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class Cleared:
    """A suspicion came to nothing."""

    severity: Severity
    at: int


@dataclass(frozen=True, slots=True)
class Opened:
    """An incident is confirmed. `page` is False inside a maintenance window."""

    severity: Severity
    incident: str
    at: int
    started_at: int
    cause: Cause
    page: bool


@dataclass(frozen=True, slots=True)
class Disclosed:
    """The maintenance window is over and the incident it hid is still open: page now."""

    severity: Severity
    incident: str
    at: int


@dataclass(frozen=True, slots=True)
class Reminded:
    """Still open, still nobody acknowledged. `number` counts from 1."""

    severity: Severity
    incident: str
    at: int
    number: int


@dataclass(frozen=True, slots=True)
class AckRecorded:
    """The acknowledgement is on record."""

    severity: Severity
    incident: str
    at: int
    by: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """The service is back: the incident is closed. `page` is True when its opening was told."""

    severity: Severity
    incident: str
    at: int
    page: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """A person closed the incident. `page` is True when its opening was told."""

    severity: Severity
    incident: str
    at: int
    by: str
    note: str
    page: bool


Decision = Suspected | Cleared | Opened | Disclosed | Reminded | AckRecorded | Recovered | Closed
