"""First lines of messages, and the subjects of mails: all that a phone shows, within its bounds."""

from collections.abc import Mapping
from datetime import tzinfo

from vigie.core.model import Cause, Incident, Scalar
from vigie.core.notification import OPENINGS, Notice, NoticeReason
from vigie.core.subject import VIGIE_ID
from vigie.report.facts import Subject
from vigie.report.locations import short
from vigie.report.wording import short_words
from vigie.text import Pair, pick
from vigie.text.causes import TIMED
from vigie.text.formatting import counted, duration, short_time
from vigie.text.messages import BLIND_AT, HEADLINES, HEARTBEAT_BACK, MARKS, OVER, TIMED_HEADLINES
from vigie.text.terms import BLIND

HEADLINE_LENGTH, SUBJECT_LENGTH = 100, 78
_NAME, _KEY, _WHAT = 40, 24, 12


def shortened(text: str, length: int) -> str:
    """At most `length` characters, cut with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def subject_line(headline: str, incident: str, *, clause: bool) -> str:
    """The headline with the incident's key at its end; of a key too long, its ordinal stays.

    When it is too long, what is in brackets is cut first, then the last clause (where the reason ends with one), then letters.
    """
    head, _, ordinal = incident.rpartition("-")
    key = incident if len(incident) <= _KEY else f"{shortened(head, _KEY - len(ordinal) - 1)}-{ordinal}"
    room = SUBJECT_LENGTH - len(key) - 3
    for text in (headline, headline.rpartition(", ")[0] if clause else headline.rpartition(" (")[0]):
        if text and len(text) <= room:
            return f"{text} [{key}]"
    return f"{shortened(headline, room)} [{key}]"


def headline(subject: Subject, notice: Notice, language: str, zone: tzinfo) -> str:
    """At most 100 characters; what has to go is taken from the cause's words, never from the times."""
    incident = subject.incident
    what = short_words(cause_of(subject), _figures(subject, notice), language)
    if notice.reason is NoticeReason.BLIND and incident.cause in BLIND:
        what = pick(BLIND[incident.cause], language)
    values = {
        "mark": MARKS[incident.severity],
        "name": shortened(" ".join(subject.monitor.name.split()), _NAME),
        "since": short_time(incident.started_at, zone, language, notice.at),
        "until": short_time(incident.closed_at or notice.at, zone, language),
        "checks": ", ".join(filter(None, (counted(subject.failures, "check", language), short(subject.seen)))),
        "lasted": lasted(incident, notice.at, language),
        "by": shortened(closer(incident), _NAME),
        "location": shortened(subject.location, _NAME),
    }
    line = pick(_template(subject, notice), language)
    over = len(line.format(what=what, **values)) - HEADLINE_LENGTH
    if over > 0:
        what = shortened(what, max(len(what) - over, _WHAT))
    return shortened(line.format(what=what, **values), HEADLINE_LENGTH)


def _template(subject: Subject, notice: Notice) -> Pair:
    """The template: a cause that carries its own date or span has no "since", a job does not recover but reports in again."""
    if notice.reason is NoticeReason.BLIND and subject.location:
        return BLIND_AT
    if notice.reason is NoticeReason.RECOVERED and is_job(subject):
        return HEARTBEAT_BACK
    if notice.reason in OPENINGS and subject.incident.closed_at is not None:
        return OVER
    return (TIMED_HEADLINES if cause_of(subject) in TIMED else {}).get(notice.reason, HEADLINES[notice.reason])


def _figures(subject: Subject, notice: Notice) -> Mapping[str, Scalar]:
    """Those that the first line shows: a reminder leaves out days and spans, which have moved on since the check."""
    return {} if notice.reason is NoticeReason.REMINDER and cause_of(subject) in TIMED else subject.result.figures


def lasted(incident: Incident, at: int, language: str) -> str:
    """How long an incident lasted, or has lasted so far."""
    return duration((incident.closed_at or at) - incident.started_at, language)


def closer(incident: Incident) -> str:
    """Who closed an incident; the program is called by its name, however it signs."""
    by = incident.closed_by or VIGIE_ID
    return "Vigie" if by == VIGIE_ID else by


def is_job(subject: Subject) -> bool:
    """Whether the incident is about a job that reports in."""
    return subject.incident.cause.startswith("heartbeat.")


def cause_of(subject: Subject) -> Cause:
    """The cause that the check found, else that of the incident."""
    return subject.result.cause or subject.incident.cause
