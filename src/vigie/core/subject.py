"""What can be in trouble: a monitor, or Vigie itself, which has no monitor and is never `down`."""

from enum import StrEnum


class SubjectKind(StrEnum):
    """Whose trouble an incident, an alert or a notice is about."""

    MONITOR = "monitor"
    VIGIE = "vigie"  # it could not see


VIGIE_ID = "vigie"  # what its incidents are numbered by; the configuration refuses it as the id of a monitor
