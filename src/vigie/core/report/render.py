"""The message of a notice in French and English: first line, scope, evidence, likely cause, first step, facts. Needs no model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from vigie.core.model import Incident, Monitor, Notice, NoticeReason, Severity
from vigie.core.report import rules
from vigie.core.report.facts import Analysis, Bundle, Message, Row, Subject
from vigie.core.report.words import HEADLINES, MARKS, cause_words, clock_time, duration, label, pick, short_time

HEADLINE_LENGTH, SUBJECT_LENGTH = 100, 78
_ROWS = 20


@dataclass(frozen=True, slots=True)
class Setting:
    """How to speak: `language` is fr or en."""

    language: str
    zone: tzinfo


def compose(subject: Subject, notice: Notice, bundle: Bundle, analysis: Analysis | None, setting: Setting) -> Message:
    """What a channel is to say for a notice about an incident."""
    language, incident = setting.language, subject.incident
    headline = _headline(subject, notice, setting)
    return Message(
        key=notice.key,
        thread=incident.id,
        opens_thread=notice.reason in (NoticeReason.OPENED, NoticeReason.DISCLOSED),
        reason=notice.reason,
        severity=incident.severity,
        language=language,
        monitor=subject.monitor.name,
        target=subject.monitor.target,
        at=notice.at,
        headline=shortened(headline, HEADLINE_LENGTH),
        subject=_subject_line(headline, incident.id),
        lines=_lines(subject, notice, bundle, setting),
        rows=_rows(bundle, language) if notice.reason in _WITH_FACTS else (),
        analysis=analysis if analysis is not None and analysis.sentences else None,
        analysis_label=label("analysis", language, model=analysis.model) if analysis is not None and analysis.sentences else "",
        cause=incident.cause,
        footer=label("footer", language, incident=incident.id),
        since=incident.started_at,
    )


_WITH_FACTS = (NoticeReason.OPENED, NoticeReason.DISCLOSED, NoticeReason.REPORT, NoticeReason.REMINDER)


def test_message(channel: str, key: str, at: int, language: str) -> Message:
    """The marked test notice of `vigie notify test`."""
    headline = pick(HEADLINES[NoticeReason.TEST], language)
    lines = (label("test", language),)
    return Message(
        key,
        key,
        True,
        NoticeReason.TEST,
        Severity.OUTAGE,
        language,
        channel,
        "",
        at,
        headline,
        f"{headline} [{key}]"[:SUBJECT_LENGTH],
        lines,
    )


def shortened(text: str, length: int) -> str:
    """At most `length` characters, cut with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _subject_line(headline: str, incident: str) -> str:
    """The headline with the incident's key at its end; the key is never cut."""
    tail = f" [{shortened(incident, 40)}]"
    return shortened(headline, SUBJECT_LENGTH - len(tail)) + tail


def _lasted(incident: Incident, at: int, language: str) -> str:
    return duration((incident.closed_at or at) - incident.started_at, language)


def _headline(subject: Subject, notice: Notice, setting: Setting) -> str:
    incident, language = subject.incident, setting.language
    return pick(HEADLINES[notice.reason], language).format(
        mark=MARKS[incident.severity],
        name=shortened(subject.monitor.name, 40),
        what=_what(subject, language),
        since=short_time(incident.started_at, setting.zone),
        failures=subject.failures,
        lasted=_lasted(incident, notice.at, language),
        by=incident.closed_by or "Vigie",
    )


def _what(subject: Subject, language: str) -> str:
    return cause_words(subject.result.cause or subject.incident.cause, subject.result.figures, language)


def _lines(subject: Subject, notice: Notice, bundle: Bundle, setting: Setting) -> tuple[str, ...]:
    language, incident, monitor = setting.language, subject.incident, subject.monitor
    lasted = label("lasted", language, lasted=_lasted(incident, notice.at, language))
    was = label("was", language, what=_what(subject, language))
    match notice.reason:
        case NoticeReason.RECOVERED:
            at = clock_time(incident.closed_at or notice.at, setting.zone)
            return (label("recovered", language, name=monitor.name, target=monitor.target, at=at), lasted, was)
        case NoticeReason.CLOSED:
            note = (label("note", language, note=incident.note),) if incident.note else ()
            return (label("closed", language, by=incident.closed_by or "Vigie"), *note, lasted, was)
        case NoticeReason.BURIED:
            return (_scope(monitor, incident, setting), label("buried", language, incident=incident.id))
        case NoticeReason.REMINDER:
            lines = _trouble(subject, bundle, setting)
            return (*lines, label("reminder", language, incident=incident.id))
        case _:
            return _trouble(subject, bundle, setting)


def _scope(monitor: Monitor, incident: Incident, setting: Setting) -> str:
    name = "scope" if incident.severity is Severity.OUTAGE else "scope_degraded"
    at = clock_time(incident.started_at, setting.zone)
    return label(name, setting.language, name=monitor.name, target=monitor.target, at=at)


def _trouble(subject: Subject, bundle: Bundle, setting: Setting) -> tuple[str, ...]:
    language = setting.language
    lines = [_scope(subject.monitor, subject.incident, setting), label("observed", language, what=_what(subject, language))]
    hypotheses = rules.shortlist(bundle, subject)
    if not hypotheses:
        return (*lines, label("unknown", language))
    return (*lines, *_likely(hypotheses, language))


def _likely(hypotheses: Sequence[rules.Hypothesis], language: str) -> tuple[str, str]:
    first = hypotheses[0]
    grade, facts = label(first.grade, language), ", ".join(first.facts)
    likely = label("likely", language, grade=grade, cause=pick(first.text, language), facts=facts)
    return likely, label("step", language, step=pick(first.step, language))


_KINDS: dict[str, tuple[str, str]] = {
    "check": ("contrôle", "check"),
    "timings": ("temps", "timing"),
    "dns": ("DNS", "DNS"),
    "tcp": ("réseau", "network"),
    "tls": ("TLS", "TLS"),
    "http": ("HTTP", "HTTP"),
    "page": ("page", "page"),
    "control": ("liaison de Vigie", "Vigie's link"),
    "siblings": ("voisins", "siblings"),
    "change": ("changement", "change"),
    "history": ("passé", "history"),
    "context": ("contexte", "context"),
}


def _rows(bundle: Bundle, language: str) -> tuple[Row, ...]:
    return tuple(
        Row(fact.id, pick(_KINDS[fact.evidence.kind], language), fact.evidence.fr if language == "fr" else fact.evidence.en)
        for fact in bundle.facts[:_ROWS]
    )
