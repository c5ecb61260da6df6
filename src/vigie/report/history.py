"""Similar incidents of the past: which they are, and what they say as facts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from vigie.core.model import Incident, Timings
from vigie.report.facts import Evidence, FactKind, Subject
from vigie.report.hypotheses import known_cause
from vigie.report.wording import both, count_of
from vigie.text import Pair
from vigie.text.facts import NOTED_CAUSE, SIMILAR
from vigie.text.formatting import date_time, duration

_WITHIN_MS = 90 * 86_400_000
_DAYS = 90
_ENOUGH = 4  # of six points
_PHASES = ("dns", "connect", "tls", "first_byte", "transfer")


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person said of an incident: whether the report was helpful, the real cause, a note.

    The cause is an id of hypotheses.py, which can be compared, or a person's own words.
    """

    incident: str
    at: int
    by: str
    helpful: bool | None = None
    cause: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """A closed incident with the host it was about, the phases of its failed check, and what was said of it."""

    incident: Incident
    host: str
    timings: Timings
    remarks: tuple[Remark, ...] = ()

    @property
    def noted(self) -> str:
        """The newest cause that a person noted; empty when nobody did."""
        return next((one.cause for one in reversed(self.remarks) if one.cause), "")


def similar(subject: Subject, past: Sequence[Past]) -> list[Past]:
    """Those of the last ninety days that resemble this one enough, the most alike first, then the newest."""
    since = subject.incident.started_at - _WITHIN_MS
    before = [one for one in past if since <= one.incident.started_at < subject.incident.started_at]
    scored = [(_likeness(subject, one), one.incident.started_at, one) for one in before]
    return [one for score, _, one in sorted(scored, key=lambda item: (-item[0], -item[1])) if score >= _ENOUGH]


def _likeness(subject: Subject, one: Past) -> int:
    """Two points for the same monitor, one for its host; two for the same cause, one for its family; one for the same phases reached."""
    ours, theirs = subject.incident, one.incident
    who = 2 if ours.monitor == theirs.monitor else 1 if one.host and one.host == subject.monitor.host else 0
    why = 2 if ours.cause is theirs.cause else 1 if ours.cause.partition(".")[0] == theirs.cause.partition(".")[0] else 0
    how = 1 if _reached(subject.result.timings) == _reached(one.timings) else 0
    return (who + why + how) if who and why else 0


def _reached(timings: Timings) -> tuple[bool, ...]:
    return tuple(getattr(timings, phase) is not None for phase in _PHASES)


def evidence(subject: Subject, past: Sequence[Past], zone: tzinfo) -> list[Evidence]:
    """One fact that counts them and has the most recent, one with the cause that a person noted."""
    found = similar(subject, past)
    if not found:
        return []
    count, now = len(found), subject.result.at
    newest = max(found, key=lambda one: one.incident.started_at).incident
    span = (newest.closed_at or newest.opened_at) - newest.started_at
    lasted = duration(span, "fr"), duration(span, "en")
    values = {"days": _DAYS, "count": count_of(count, "similar incident"), "at": _at(newest, zone), "lasted": lasted}
    facts = [Evidence(FactKind.HISTORY, "similar", count, *both(SIMILAR, **values), at=now, source="memory")]
    noted = next((one for one in found if known_cause(one.noted) is not None), None)
    if noted is not None and (words := known_cause(noted.noted)) is not None:
        pair = both(NOTED_CAUSE, at=_at(noted.incident, zone), cause=words)
        facts.append(Evidence(FactKind.HISTORY, "noted_cause", noted.noted, *pair, at=now, source="memory"))
    return facts


def _at(incident: Incident, zone: tzinfo) -> Pair:
    return date_time(incident.started_at, zone, "fr"), date_time(incident.started_at, zone, "en")


def misled(cause: str, remarks: Sequence[Remark]) -> bool | None:
    """Whether a report that named this cause misled: by the real cause where one was noted, else by thumbs; None when nobody said."""
    noted = next((one.cause for one in reversed(remarks) if known_cause(one.cause) is not None), "")  # others cannot be compared
    if noted and cause not in ("", "unknown"):
        return noted != cause
    helpful = next((one.helpful for one in reversed(remarks) if one.helpful is not None), None)
    return None if helpful is None else not helpful
