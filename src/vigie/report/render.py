"""The message of a notice in French and English: first line, scope, evidence, supposed cause, first step, facts. Needs no model.

Observed and supposed are kept apart, every number comes from code, and nothing that the target wrote is repeated.

Long: the lines of one message are read together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from vigie.core.detection import Severity
from vigie.core.model import LOCAL, Incident, Monitor
from vigie.core.notification import OPENINGS, Notice, NoticeReason
from vigie.report import locations, rules
from vigie.report.changes import Change, changes
from vigie.report.facts import Analysis, Bundle, Fact, FactKind, Link, Message, Notified, Row, Subject
from vigie.report.feedback import Feedback
from vigie.report.headline import HEADLINE_LENGTH, cause_of, closer, headline, is_job, lasted, subject_line
from vigie.report.responses import ResponseLinks
from vigie.report.together import Together
from vigie.report.wording import cause_words, label, printable
from vigie.text import Pair, pick
from vigie.text.formatting import at_moment, between, moment, since_moment
from vigie.text.members import KIND as MEMBERS
from vigie.text.messages import KINDS, NOTES, TEST_HEADLINE
from vigie.text.terms import BLIND

_ROWS = 20
_MAX_CHANGES, _MAX_ADDRESSES = 3, 3


@dataclass(frozen=True, slots=True)
class RenderContext:
    """How to speak: `language` is fr or en; with `feedback`, an analysis is followed by links that say whether it helped.

    With `responses`, a message has links that acknowledge, snooze or resolve its alert. `location` is where Vigie itself looks from.
    """

    language: str
    zone: tzinfo
    feedback: Feedback | None = None
    responses: ResponseLinks | None = None
    location: str = LOCAL


def compose(
    subject: Subject, notice: Notice, bundle: Bundle, analysis: Analysis | None, setting: RenderContext, notified: Notified | None = None
) -> Message:
    """What a channel is to say for a notice about an incident, or about all those of its alert; `notified` None: not known."""
    language, incident = setting.language, subject.incident
    together = Together(subject, notice, language, setting.zone, notified.before if notified else None)
    several = together.group.several
    first = together.headline() if several else headline(subject, notice, language, setting.zone)
    shown = analysis if analysis is not None and analysis.sentences and _timely(notice, incident, bundle, analysis) else None
    lines = _lines_of_several(subject, notice, bundle, setting, together) if several else _lines(subject, notice, bundle, setting)
    return Message(
        key=notice.key,
        thread=incident.id,
        opens_thread=notice.reason in OPENINGS,
        reason=notice.reason,
        severity=together.group.severity,
        language=language,
        monitor=subject.monitor.name,
        target=subject.monitor.target,
        at=notice.at,
        headline=first,
        subject=subject_line(first, incident.id, clause=notice.reason in _CLAUSES),
        lines=(*lines, *others(notice, notified, language)),
        rows=_rows(bundle, language) if notice.reason in _WITH_FACTS else (),
        analysis=shown,
        analysis_label=analysis_label(shown, language) if shown else "",
        links=setting.feedback.links(incident, language) if shown and setting.feedback else (),
        cause=incident.cause,
        footer=_footer(notice, incident, setting, asks=shown is not None, is_open=together.group.ended_at is None),
        since=incident.started_at,
        members=together.members() if several and notice.reason in _WITH_MEMBERS else None,
        ended=together.group.ended_at is not None,
        locations=subject.seen_at_end or subject.seen,
        actions=_actions(notice, incident, setting) if together.group.ended_at is None else (),
    )


def minimal(message: Message) -> Message:
    """What is left of a message that a channel could not lay out: its first line and where the trouble is, in plain characters."""
    first, target = printable(message.headline, HEADLINE_LENGTH), printable(message.target, HEADLINE_LENGTH)
    return replace(
        message,
        monitor=printable(message.monitor, HEADLINE_LENGTH),
        target=target,
        headline=first,
        subject=printable(message.subject, HEADLINE_LENGTH),
        lines=tuple(line for line in (first, target) if line),
        rows=(),
        analysis=None,
        analysis_label="",
        links=(),
        footer="",
        members=None,
        actions=(),
    )


_CLAUSES = (  # whose first line ends with a clause
    NoticeReason.DISCLOSED,
    NoticeReason.QUIET_OVER,
    NoticeReason.REMINDER,
    NoticeReason.ESCALATED,
    NoticeReason.ACKNOWLEDGED,
    NoticeReason.SNOOZE_ENDED,
    NoticeReason.UNDELIVERABLE,
)
_WITH_FACTS = (
    *OPENINGS,
    NoticeReason.REPORT,
    NoticeReason.REMINDER,
    NoticeReason.ESCALATED,
    NoticeReason.SNOOZE_ENDED,
)
_WITH_MEMBERS = tuple(reason for reason in NoticeReason if reason not in (NoticeReason.REPORT, NoticeReason.UNDELIVERABLE))
_SAYS_NOBODY = (
    NoticeReason.OPENED,
    NoticeReason.FLAPPING,
    NoticeReason.DISCLOSED,
    NoticeReason.QUIET_OVER,
    NoticeReason.REMINDER,
    NoticeReason.ESCALATED,
)  # where it matters that nobody else knows


def _timely(notice: Notice, incident: Incident, bundle: Bundle, analysis: Analysis) -> bool:
    """Whether the analysis belongs here: while there is trouble, or at its end when it came too late for the notices before."""
    if notice.reason in _WITH_FACTS:
        return True
    late = incident.closed_at is not None and bundle.made_at + analysis.duration_ms >= incident.closed_at
    return late and notice.reason.ends


def _footer(notice: Notice, incident: Incident, setting: RenderContext, *, asks: bool, is_open: bool) -> str:
    """Where to read more and how to acknowledge; below an analysis without links, also how to say whether it helped."""
    parts = [label("footer", setting.language, incident=incident.id)]
    open_ = is_open and incident.acked_by is None and not notice.reason.ends and notice.reason is not NoticeReason.BLIND
    if open_ and setting.responses is None:
        parts.append(label("acknowledge", setting.language, incident=incident.id))
    if asks and setting.feedback is None:
        parts.append(label("ask", setting.language, incident=incident.id))
    return " · ".join(parts)


def _actions(notice: Notice, first: Incident, setting: RenderContext) -> tuple[Link, ...]:
    """The links that acknowledge, snooze and resolve; the first of them not where somebody has acknowledged."""
    if setting.responses is None or notice.reason.ends or notice.reason in (NoticeReason.BLIND, NoticeReason.UNDELIVERABLE):
        return ()
    links = setting.responses.links(first, notice.channel, notice.at, setting.language)
    return links if first.acked_by is None else links[1:]


def others(notice: Notice, notified: Notified | None, language: str) -> tuple[str, ...]:
    """Who else is notified, and who could not be."""
    if notified is None:
        return ()
    also, failed = ", ".join(notified.also), ", ".join(notified.failed)
    if also and failed:
        return (label("also_failed", language, also=also, failed=failed),)
    if failed:
        return (label("only_failed", language, failed=failed),)
    if also:
        return (label("also", language, also=also),)
    return (label("nobody_else", language),) if notice.reason in _SAYS_NOBODY else ()


def analysis_label(analysis: Analysis, language: str) -> str:
    """Who wrote the analysis, and whether it left the house for it."""
    return label("analysis" if analysis.local else "analysis_remote", language, model=analysis.model)


def late(notice: Notice, now: int, setting: RenderContext) -> str:
    """The line above a message that could not be sent when it was due."""
    return label("late", setting.language, at=at_moment(notice.at, setting.zone, now, setting.language))


def test_message(channel: str, key: str, at: int, language: str) -> Message:
    """The marked test notice of `vigie notify test`."""
    first = pick(TEST_HEADLINE, language)
    return Message(
        key=key,
        thread=key,
        opens_thread=True,
        reason=NoticeReason.TEST,
        severity=Severity.OUTAGE,
        language=language,
        monitor=channel,
        target="",
        at=at,
        headline=first,
        subject=first,
        lines=(label("test", language, channel=channel),),
        footer=label("test_footer", language),
    )


def _what(subject: Subject, language: str) -> str:
    return cause_words(cause_of(subject), subject.result.figures, language)


def _who(monitor: Monitor) -> str:
    name = " ".join(monitor.name.split())
    return f"{name} ({monitor.target})" if monitor.target and monitor.target != name else name


def _lines(subject: Subject, notice: Notice, bundle: Bundle, setting: RenderContext) -> tuple[str, ...]:
    language, incident = setting.language, subject.incident
    match notice.reason:
        case NoticeReason.RECOVERED:
            return _recovered(subject, notice, setting)
        case NoticeReason.BLIND:
            return _blind(incident, notice, setting, subject.location)
        case NoticeReason.CLOSED:
            closed = label("closed", language, who=_who(subject.monitor), by=closer(incident))
            return (closed, *_note(incident, language), *_past(subject, notice, setting))
        case NoticeReason.UNDELIVERABLE:
            return (_scope(subject, notice, setting), label("undeliverable", language, incident=incident.id))
        case NoticeReason.FLAPPING:
            return (label("flapping", language, who=_who(subject.monitor)), *_trouble(subject, notice, bundle, setting)[1:])
        case NoticeReason.STABLE | NoticeReason.STEADY:
            return _stable(subject, notice, bundle, setting)
        case NoticeReason.ACKNOWLEDGED if incident.acked_by:
            return (_scope(subject, notice, setting), label("acknowledged", language, by=incident.acked_by))
        case _:
            why = _why(notice, incident, language) if incident.closed_at is None else ()
            return (*_trouble(subject, notice, bundle, setting, brief=bool(why)), *why)


_WHY = {
    NoticeReason.REMINDER: "reminder",
    NoticeReason.DISCLOSED: "maintenance",
    NoticeReason.QUIET_OVER: "quiet_over",
    NoticeReason.ESCALATED: "escalated",
    NoticeReason.SNOOZE_ENDED: "snooze_ended",
}


def _why(notice: Notice, incident: Incident, language: str) -> tuple[str, ...]:
    """Why somebody is notified of what is open already."""
    name = _WHY.get(notice.reason)
    return (label(name, language, incident=incident.id, number=notice.number),) if name else ()


def _stable(subject: Subject, notice: Notice, bundle: Bundle, setting: RenderContext) -> tuple[str, ...]:
    """The end of flapping: what the service is now."""
    who, ended_at = _who(subject.monitor), subject.incident.closed_at
    if ended_at is None:
        return (label("steady", setting.language, who=who), *_trouble(subject, notice, bundle, setting, brief=True))
    return (label("stable", setting.language, who=who, since=since_moment(ended_at, setting.zone, notice.at, setting.language)),)


def _lines_of_several(subject: Subject, notice: Notice, bundle: Bundle, setting: RenderContext, together: Together) -> tuple[str, ...]:
    """The lines about an alert of several services."""
    language, incident = setting.language, subject.incident
    match notice.reason:
        case NoticeReason.RECOVERED | NoticeReason.STABLE:
            return (together.recovered(), *together.past())
        case NoticeReason.CLOSED:
            return (together.closed(), *_note(incident, language), *together.past())
        case NoticeReason.UNDELIVERABLE:
            return (together.scope(), label("undeliverable", language, incident=incident.id))
        case NoticeReason.UPDATED:
            return together.changes()
        case NoticeReason.ACKNOWLEDGED if incident.acked_by:
            return (together.scope(), label("acknowledged", language, by=incident.acked_by))
    why = _why(notice, incident, language) if together.group.ended_at is None else ()
    more = () if why else _diagnostics(bundle, language)
    return (together.scope(), together.observed(bundle), *more, *_supposed(bundle, subject, language), *why)


def _note(incident: Incident, language: str) -> tuple[str, ...]:
    """What was noted at the end: a sentence of Vigie's own, or a person's words as they are."""
    if incident.note in NOTES:
        words = pick(NOTES[incident.note], language)
        return (f"{words[:1].upper()}{words[1:]}.",)
    words = " ".join((incident.note or "").split())
    return (label("note", language, note=words),) if words else ()


def _blind(incident: Incident, notice: Notice, setting: RenderContext, location: str) -> tuple[str, ...]:
    """From when to when Vigie itself could not check, and that no service is marked down for it."""
    language, until = setting.language, incident.closed_at or notice.at
    why = label("blind_why", language, why=pick(BLIND[incident.cause], language)) if incident.cause in BLIND else ""
    span = between(incident.started_at, until, setting.zone, notice.at, language)
    name, means = ("blind_at", "blind_at_means") if location else ("blind", "blind_means")
    blind = label(name, language, span=span, lasted=lasted(incident, notice.at, language), location=location)
    return tuple(line for line in (blind, why, label(means, language)) if line)


def _past(subject: Subject, notice: Notice, setting: RenderContext) -> tuple[str, str]:
    """How long it lasted, and what it was."""
    start = moment(subject.incident.started_at, setting.zone, notice.at, setting.language)
    span = lasted(subject.incident, notice.at, setting.language)
    was = label("was", setting.language, what=_what(subject, setting.language))
    return label("lasted", setting.language, lasted=span, start=start), was


def _recovered(subject: Subject, notice: Notice, setting: RenderContext) -> tuple[str, ...]:
    language, incident = setting.language, subject.incident
    when = incident.closed_at or notice.at, setting.zone, notice.at, language
    name = "reported_in" if is_job(subject) else "recovered" if incident.severity is Severity.OUTAGE else "fine_again"
    back = label(name, language, who=_who(subject.monitor), at=at_moment(*when), since=since_moment(*when))
    lines = (back, *locations.ended(subject, setting.zone, notice.at, language), *_past(subject, notice, setting))
    if subject.first_good is None:
        return lines
    different = [one for one in changes(subject.result, subject.first_good) if one.differs]
    what = label("changed", language, what=_clauses(different, language)) if different else label("unchanged", language)
    return (*lines, what)


def _clauses(found: Sequence[Change], language: str) -> str:
    return _joined([one.clause(language) for one in found[:_MAX_CHANGES]], language)


def _joined(clauses: Sequence[str], language: str) -> str:
    return pick((" ; ", "; "), language).join(clauses)


def _scope(subject: Subject, notice: Notice, setting: RenderContext) -> str:
    incident, language = subject.incident, setting.language
    degraded = "" if incident.severity is Severity.OUTAGE else "_degraded"
    who = _who(subject.monitor)
    if incident.closed_at is not None:  # announced late: it is over
        span = between(incident.started_at, incident.closed_at, setting.zone, notice.at, language)
        return label(f"scope_over{degraded}", language, who=who, span=span)
    since = since_moment(incident.started_at, setting.zone, notice.at, language)
    return label("scope_own" if cause_of(subject).own else f"scope{degraded}", language, who=who, since=since)


def _trouble(subject: Subject, notice: Notice, bundle: Bundle, setting: RenderContext, *, brief: bool = False) -> tuple[str, ...]:
    """Scope, what was observed, what is supposed, first step: three to six lines."""
    language = setting.language
    checks = ", ".join(fact.id for fact in bundle.facts if fact.evidence.kind is FactKind.CHECK)
    lines = [_scope(subject, notice, setting), label("observed", language, what=_what(subject, language), facts=checks)]
    if subject.incident.closed_at is None:
        known = bundle if notice.reason in (NoticeReason.OPENED, NoticeReason.FLAPPING) else None
        lines += locations.lines(subject, known, setting.zone, notice.at, language)
    if not brief:
        lines += [*_diagnostics(bundle, language), *_differs(subject, bundle, language)]
    return (*lines, *_supposed(bundle, subject, language))


def _supposed(bundle: Bundle, subject: Subject, language: str) -> tuple[str, ...]:
    """The suspected cause with the first step, or that none is known."""
    hypotheses = rules.shortlist(bundle, subject)
    return _likely(hypotheses, language) if hypotheses else (label("unknown", language),)


def _diagnostics(bundle: Bundle, language: str) -> list[str]:
    """What the diagnostics add: the addresses together, and every resolver or link that is at fault."""
    addresses = [fact for fact in bundle.facts if fact.evidence.name.startswith("address.")]
    others = [fact for fact in bundle.facts if fact.evidence.kind in (FactKind.DNS, FactKind.CONTROL) and fact.evidence.source != "check"]
    faulty = [fact for fact in others if fact.evidence.bad]
    clauses = [_addresses(addresses, language)] if addresses else []
    clauses += [_clause(fact, language) for fact in faulty]
    if not clauses:
        return []
    facts = ", ".join(fact.id for fact in (*addresses[:_MAX_ADDRESSES], *faulty))
    location = next((str(fact.evidence.value) for fact in bundle.facts if fact.evidence.name == "locations.diagnostics"), None)
    name = "diagnostics" if location is None else "diagnostics_from"
    return [label(name, language, what=_joined(clauses, language), facts=facts, location=location)]


def _addresses(found: Sequence[Fact], language: str) -> str:
    if len(found) == 1:
        return _clause(found[0], language)
    bad = [fact.evidence.name.removeprefix("address.") for fact in found if fact.evidence.bad]
    name = "all_accept" if not bad else "none_accepts" if len(bad) == len(found) else "one_refuses" if len(bad) == 1 else "some_refuse"
    return label(name, language, count=len(found), number=len(bad), bad=", ".join(bad[:_MAX_ADDRESSES]))


def _clause(fact: Fact, language: str) -> str:
    """A fact's sentence inside another: no capital, no full stop."""
    text = fact.evidence.sentence(language).rstrip(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == "'" else text


def _differs(subject: Subject, bundle: Bundle, language: str) -> list[str]:
    """What changed since the last successful check, beside the status that the line before already has."""
    if subject.last_good is None:
        return []
    found = [one for one in changes(subject.last_good, subject.result) if one.differs and one.name != "status"][:_MAX_CHANGES]
    names = {one.name for one in found}
    ids = [fact.id for fact in bundle.facts if fact.evidence.kind is FactKind.CHANGE and fact.evidence.name in names]
    return [label("differs", language, what=_clauses(found, language), facts=", ".join(ids))] if found and ids else []


def _likely(hypotheses: Sequence[rules.Hypothesis], language: str) -> tuple[str, str]:
    first = hypotheses[0]
    grade, facts = label(first.grade, language), ", ".join(first.facts)
    likely = label("likely", language, grade=grade, cause=pick(first.text, language), facts=facts)
    return likely, label("step", language, step=pick(first.step, language))


def _rows(bundle: Bundle, language: str) -> tuple[Row, ...]:
    return tuple(Row(fact.id, pick(_kind(fact), language), fact.evidence.sentence(language)) for fact in bundle.facts[:_ROWS])


def _kind(fact: Fact) -> Pair:
    return MEMBERS if fact.evidence.name.startswith("members.") else KINDS[fact.evidence.kind]
