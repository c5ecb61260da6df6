"""What happened, and what was decided. Plain values; every instant is epoch ms and comes from outside.

The first machine (incident.py) takes `Observed` and `Resolved` and decides about incidents. The second (alert.py) takes what the first
decided, `Acked`, `Snoozed`, `Woke` and `Stepped`, and decides about alerts; a decision that notifies says by which channels (`to`).
Records of decisions are kept for ever: a field that is added needs a default, one that goes is ignored when it is read.
"""

from dataclasses import dataclass

from vigie.core.detection import Pattern, Severity
from vigie.core.model import LOCAL, Cause, Status
from vigie.core.quorum import Views
from vigie.core.subject import SubjectKind


@dataclass(frozen=True, slots=True)
class Observed:
    """A check concluded at one location. (`run`, `sequence`) rises strictly for each location; what is not newer changes nothing.

    `heard` is when it was taken in (0: it is judged as it comes). `first`: it is the last of several alike without a pause, the first of
    which was then.
    """

    at: int
    run: int
    sequence: int
    status: Status
    cause: Cause | None = None
    location: str = LOCAL
    obstacle: str = ""  # why this monitor alone could not be checked: a fault of Vigie's own that concerns no other service
    heard: int = 0
    first: int = 0


@dataclass(frozen=True, slots=True)
class Resolved:
    """A person closed the open incidents."""

    at: int
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Acked:
    """A person has seen the alert: no more reminders."""

    at: int
    by: str


@dataclass(frozen=True, slots=True)
class Snoozed:
    """A person wants to hear nothing of the alert before `until`, unless it ends."""

    at: int
    by: str
    until: int


@dataclass(frozen=True, slots=True)
class Woke:
    """The instant that the alert asked to be woken at has come (or any other: waking early or twice is harmless)."""

    at: int


@dataclass(frozen=True, slots=True)
class Stepped:
    """The wall clock jumped by `delta_ms` (a step or a suspended machine): waits are moved along, nothing else."""

    at: int
    delta_ms: int


DetectionEvent = Observed | Resolved
PersonEvent = Acked | Resolved | Snoozed  # what people ask for, in whatever process


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
    """An incident is confirmed, by `failures` failed checks that came in this pattern (0: an old record, which says nothing of them).

    `shares`: it may be one of many with a cause in common, which are waited for. `views` are those of the locations, where there are
    several.

    `page` is False only in old records, of what opened in a maintenance window; now `Withheld` says so.
    """

    severity: Severity
    incident: str
    at: int
    started_at: int
    cause: Cause
    page: bool = True
    subject: SubjectKind = SubjectKind.MONITOR
    shares: bool = False
    failures: int = 0
    pattern: Pattern = Pattern.STEADY
    views: Views = ()


@dataclass(frozen=True, slots=True)
class Steadied:
    """A service that went up and down is down for good: its incident is an ordinary one from now on."""

    severity: Severity
    incident: str
    at: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """The service is back: the incident is closed. `views` as in `Opened`."""

    severity: Severity
    incident: str
    at: int
    subject: SubjectKind = SubjectKind.MONITOR
    views: Views = ()


@dataclass(frozen=True, slots=True)
class Closed:
    """A person closed the incident."""

    severity: Severity
    incident: str
    at: int
    by: str
    note: str
    subject: SubjectKind = SubjectKind.MONITOR


IncidentDecision = Suspected | Cleared | Opened | Steadied | Recovered | Closed
AlertEvent = Opened | Steadied | Recovered | Closed | Acked | Snoozed | Woke | Stepped


@dataclass(frozen=True, slots=True)
class Announced:
    """An alert is open: notify the people in charge. `flapping`: its service fails and recovers all the time."""

    at: int
    alert: str = ""
    to: tuple[str, ...] = ()
    flapping: bool = False


@dataclass(frozen=True, slots=True)
class Withheld:
    """An alert is open, and maintenance or (`quiet`) quiet hours hold: nobody is notified for now."""

    at: int
    alert: str = ""
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """Another incident became a member of an alert that is open already."""

    at: int
    alert: str = ""
    incident: str = ""


@dataclass(frozen=True, slots=True)
class Disclosed:
    """Maintenance or (`quiet`) quiet hours are over and the alert that they withheld is still open: notify now."""

    at: int
    alert: str = ""
    to: tuple[str, ...] = ()
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """What was announced as flapping is an ordinary alert from now on."""

    at: int
    alert: str = ""
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reached:
    """Further channels are notified of an open alert: their delay is over, or a member that joined brought them."""

    at: int
    alert: str = ""
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Updated:
    """Members joined since the last notice. `number` counts from 1."""

    at: int
    number: int
    alert: str = ""
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reminded:
    """Still open, and nobody has acknowledged it. `number` counts from 1."""

    at: int
    number: int
    alert: str = ""
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Escalated:
    """Nobody has acknowledged it for as long as a step of the escalation waits. `step` counts from 1."""

    at: int
    step: int
    alert: str = ""
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AckRecorded:
    """The acknowledgement is on record. `number` tells it from an earlier one of the same alert, that a snooze came after."""

    at: int
    by: str
    alert: str = ""
    number: int = 0
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SnoozeRecorded:
    """Nobody is notified before `until`, unless it ends."""

    at: int
    by: str
    until: int
    alert: str = ""


@dataclass(frozen=True, slots=True)
class SnoozeEnded:
    """The snooze is over, and the alert is still open. `number` counts the snoozes from 1."""

    at: int
    number: int
    alert: str = ""
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """No member is open any more. `announced`: people were notified of it, so they are of its end. `by` None: it recovered."""

    at: int
    announced: bool
    by: str | None = None
    alert: str = ""
    to: tuple[str, ...] = ()
    flapping: bool = False


AlertDecision = (
    Announced
    | Withheld
    | Joined
    | Disclosed
    | Settled
    | Reached
    | Updated
    | Reminded
    | Escalated
    | AckRecorded
    | SnoozeRecorded
    | SnoozeEnded
    | Ended
)
Decision = IncidentDecision | AlertDecision
