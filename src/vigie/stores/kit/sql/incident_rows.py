"""A row of the table of incidents, read back."""

from typing import Any

from vigie.core.detection import Pattern, Severity
from vigie.core.model import Cause, Incident
from vigie.core.subject import SubjectKind

INCIDENT = "id, monitor, severity, cause, started_at, opened_at, closed_at, acked_by, closed_by, note, subject, alert, failures, pattern"


def incident_of(row: tuple[Any, ...]) -> Incident:
    """The incident of a row with the columns of `INCIDENT`."""
    name, monitor, severity, cause, *rest, subject, alert, failures, pattern = row
    started_at, opened_at, closed_at, acked_by, closed_by, note = rest
    what, kind, how = (Severity(severity), Cause(cause)), SubjectKind(subject), Pattern(pattern)
    spent = (started_at, opened_at, closed_at, acked_by, closed_by, note)
    return Incident(name, monitor, *what, *spent, subject=kind, alert=alert, failures=failures, pattern=how)
