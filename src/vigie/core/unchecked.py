"""A monitor that cannot be checked, through a fault of Vigie's own that concerns no other: a file, a program or a right that is missing.

Laws
1. It begins with the first such check. What keeps Vigie from checking anything at all (its network, its machine: visibility.py)
   neither begins nor ends it.
2. When a check fails so `unchecked_after_ms` later, it is an incident of Vigie itself, once: never one of the target.
3. It ends with the first check that tells how the target is, or by a person.
"""

import re
from dataclasses import dataclass, replace

from vigie.core.detection import DetectionPolicy, Severity
from vigie.core.events import Closed, Observed, Opened, Recovered, Resolved
from vigie.core.model import Cause, Status
from vigie.core.subject import SubjectKind


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Since when (epoch ms; None: it can be checked), why by the newest check, and the incident once it is one."""

    since: int | None = None
    reason: str = ""
    incident: str = ""


Step = tuple[Unchecked, tuple[Opened | Recovered | Closed, ...]]
CHECKED = Unchecked()
NUMBER = re.compile(r"[0-9]+")
_SEVERITY, _SUBJECT = Severity.DEGRADATION, SubjectKind.VIGIE  # Vigie works, but not as it should


def alike(first: str, second: str) -> bool:
    """Whether two reasons are one but for the numbers in them."""
    return first == second or NUMBER.sub("#", first) == NUMBER.sub("#", second)


def step(known: Unchecked, event: Observed | Resolved, status: Status | None, incident: str, policy: DetectionPolicy) -> Step:
    """What an event makes of it. `status` is the verdict of all locations (None: not yet), `incident` the id of an incident to come."""
    if isinstance(event, Resolved):
        return CHECKED, (Closed(_SEVERITY, known.incident, event.at, event.by, event.note, _SUBJECT),) if known.incident else ()
    if status is not None and status is not Status.UNKNOWN:
        return CHECKED, (Recovered(_SEVERITY, known.incident, event.at, _SUBJECT),) if known.incident else ()
    if status is None or not event.obstacle:
        return known, ()
    since = event.at if known.since is None else known.since
    after = replace(known, since=since, reason=event.obstacle)
    if known.incident or event.at - since < policy.unchecked_after_ms:
        return after, ()
    return replace(after, incident=incident), (
        Opened(_SEVERITY, incident, event.at, since, event.cause or Cause.PROBE_ERROR, subject=_SUBJECT),
    )
