"""The report after an incident: what is on record, in order, in French or English; what only people can know is left for them, marked.

A document is plain sections of paragraphs, lists and tables; `markdown` writes it, the web page has a template for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from vigie.core.detection import Pattern, Severity
from vigie.core.events import (
    AckRecorded,
    Closed,
    Decision,
    Disclosed,
    Escalated,
    Opened,
    Recovered,
    Reminded,
    SnoozeEnded,
    SnoozeRecorded,
    Steadied,
    Withheld,
)
from vigie.core.model import Incident
from vigie.core.notification import NoticeReason
from vigie.observation.availability import Availability
from vigie.report import rules
from vigie.report.changes import changes
from vigie.report.deliveries import Account, story
from vigie.report.facts import Analysis, Bundle, Subject
from vigie.report.headline import cause_of
from vigie.report.history import Past, Remark, similar
from vigie.report.hypotheses import known_cause
from vigie.report.render import analysis_label
from vigie.report.wording import cause_words, label
from vigie.text import Pair, pick
from vigie.text import postmortem as texts
from vigie.text.formatting import date_time, duration, percent, seconds, timestamp

_MAX_SIMILAR = 5
_MINUTE_MS = 60_000
_MOST_OF_A_MONTH_MS = 29 * 86_400_000  # an availability "over 30 days" that was observed for less says for how long

_PLAIN: dict[type[Decision], Pair] = {
    Opened: texts.OPENED,
    Steadied: texts.STEADIED,
    SnoozeEnded: texts.SNOOZE_ENDED,
    Recovered: texts.RECOVERED,
}


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One attempt to deliver a notice: `reason` is the notice's, `failure` is empty when it was delivered. Instants in epoch ms.

    `dropped_by`: it was no attempt, but this person dropped the notice.
    """

    at: int
    channel: str
    reason: NoticeReason | str
    failure: str = ""
    dropped_by: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """All that is on record of one incident. `month` is the availability over the last thirty days, or since monitoring began.

    `accounts` are the notices of its alert.
    """

    subject: Subject
    bundle: Bundle
    analysis: Analysis | None
    decisions: tuple[tuple[int, Decision], ...]
    attempts: tuple[DeliveryAttempt, ...]
    remarks: tuple[Remark, ...]
    past: tuple[Past, ...]
    month: Availability
    now: int
    accounts: tuple[Account, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A title and what is under it; `rows` make a table, `items` a list, `fill` marks what a person has to write."""

    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    fill: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report."""

    title: str
    language: str
    sections: tuple[Section, ...]


def document(record: Record, language: str, zone: tzinfo) -> Document:
    """The report of an incident, open or closed."""
    writer = _Writer(record, language, zone)
    parts = (
        writer.summary(), writer.impact(), writer.detection(), writer.timeline(), writer.observed(), writer.unknown(),
        writer.ending(), writer.similar(), *writer.for_people(),
    )  # fmt: skip
    title = pick(texts.TITLE, language).format(incident=record.subject.incident.id, name=record.subject.monitor.name)
    return Document(title, language, parts)


class _Writer:
    """Writes the sections one by one."""

    def __init__(self, record: Record, language: str, zone: tzinfo) -> None:
        self._record, self._language, self._zone = record, language, zone
        self._incident, self._subject = record.subject.incident, record.subject
        self._end = self._incident.closed_at or record.now

    def _say(self, pair: Pair, /, **values: object) -> str:
        return pick(pair, self._language).format(**values)

    def _section(
        self, name: str, paragraphs: Sequence[str] = (), items: Sequence[str] = (), rows: Sequence[tuple[str, ...]] = ()
    ) -> Section:
        return Section(self._say(texts.SECTIONS[name]), tuple(paragraphs), tuple(items), tuple(rows))

    def _span(self, ms: int) -> str:
        return duration(ms, self._language)

    def _exact(self, ms: int) -> str:
        return seconds(ms, self._language) if ms < _MINUTE_MS else self._span(ms)

    def _at(self, instant: int) -> str:
        return date_time(instant, self._zone, self._language)

    def summary(self) -> Section:
        what = cause_words(cause_of(self._subject), self._subject.result.figures, self._language)
        lines = [self._lasted(), label("was", self._language, what=what), *self._cause()]
        written = self._record.analysis
        if written is not None and written.sentences and written.language == self._language:  # a text in another language helps nobody here
            named = analysis_label(written, self._language)
            lines.append(self._say(texts.ANALYSIS, label=named, text=" ".join(written.sentences)))
        return self._section("summary", lines)

    def _lasted(self) -> str:
        outage, over = self._incident.severity is Severity.OUTAGE, self._incident.closed_at is not None
        past, present = (texts.WAS_DOWN, texts.IS_DOWN) if outage else (texts.WAS_DEGRADED, texts.IS_DEGRADED)
        span, start = self._span(self._end - self._incident.started_at), self._at(self._incident.started_at)
        return self._say(past if over else present, who=self._subject.monitor.name, lasted=span, at=start)

    def _cause(self) -> list[str]:
        noted = next((one for one in reversed(self._record.remarks) if one.cause), None)
        if noted is not None and (words := known_cause(noted.cause)) is not None:
            return [self._say(texts.NOTED_CAUSE, by=noted.by, cause=pick(words, self._language))]
        found = rules.shortlist(self._record.bundle, self._subject)
        if not found:
            return [label("unknown", self._language)]
        grade, facts = label(found[0].grade, self._language), ", ".join(found[0].facts)
        return [label("likely", self._language, grade=grade, cause=pick(found[0].text, self._language), facts=facts)]

    def impact(self) -> Section:
        month = self._record.month
        share = "–" if month.ratio is None else percent(month.ratio, self._language)
        if month.observed_ms < _MOST_OF_A_MONTH_MS:
            share = self._say(texts.OBSERVED, share=share, span=self._span(month.observed_ms))
        rows = (
            (texts.DURATION, self._span(self._end - self._incident.started_at)),
            (texts.AVAILABILITY, share),
            (texts.DOWNTIME, self._span(month.down_ms)),
            (texts.AFFECTED, self._say(texts.AFFECTED_FILL)),
        )
        return self._section("impact", rows=[(self._say(name), value) for name, value in rows])

    def detection(self) -> Section:
        opened = self._incident.opened_at
        rows = [(self._say(texts.CONFIRMED_AFTER), self._exact(opened - self._incident.started_at))]
        first = next((one for one in self._record.attempts if not one.failure and not one.dropped_by), None)
        if first is not None:
            rows.append((self._say(texts.ALERTED_AFTER, channel=first.channel), self._exact(max(first.at - opened, 0))))
        acked = next((at for at, decision in self._record.decisions if isinstance(decision, AckRecorded)), None)
        if acked is not None:
            rows.append((self._say(texts.ACKED_AFTER), self._exact(acked - opened)))
        late = story(self._record.accounts, self._language, self._zone, self._record.now)
        return self._section("detection", late, rows=rows)

    def timeline(self) -> Section:
        lines = [(at, words) for at, decision in self._record.decisions if (words := self._decided(decision))]
        lines += [(one.at, self._delivered(one)) for one in self._record.attempts]
        lines.append((self._incident.started_at, self._say(texts.FIRST_FAILURE)))
        ordered = sorted(lines, key=lambda line: line[0])
        return self._section("timeline", rows=[(timestamp(at, self._zone), words) for at, words in ordered])

    def _decided(self, decision: Decision) -> str:
        match decision:
            case Withheld(quiet=quiet):
                return self._say(texts.WITHHELD_QUIET if quiet else texts.WITHHELD)
            case Opened(pattern=Pattern.FLAPPING):
                return self._say(texts.OPENED_FLAPPING)
            case Disclosed(quiet=quiet):
                return self._say(texts.QUIET_OVER if quiet else texts.DISCLOSED)
            case Reminded(number=number):
                return self._say(texts.REMINDED, number=number)
            case Escalated(step=number):
                return self._say(texts.ESCALATED, number=number)
            case AckRecorded(by=by):
                return self._say(texts.ACKED, by=by)
            case SnoozeRecorded(by=by, until=until):
                return self._say(texts.SNOOZED, by=by, until=timestamp(until, self._zone))
            case Closed(by=by):
                return self._say(texts.CLOSED, by=by)
            case _:  # the others are of no interest, or lie in another line
                return self._say(_PLAIN[type(decision)]) if type(decision) in _PLAIN else ""

    def _delivered(self, one: DeliveryAttempt) -> str:
        what = pick(texts.NOTICES.get(one.reason, (str(one.reason), str(one.reason))), self._language)
        if one.dropped_by:
            return self._say(texts.DROPPED, what=what, channel=one.channel, by=one.dropped_by)
        return self._say(texts.NOT_SENT if one.failure else texts.SENT, what=what, channel=one.channel, failure=one.failure)

    def observed(self) -> Section:
        return self._section("observed", rows=[(fact.id, fact.evidence.sentence(self._language)) for fact in self._record.bundle.facts])

    def unknown(self) -> Section:
        kinds = {str(fact.evidence.kind) for fact in self._record.bundle.facts}
        missing = [pick(name, self._language) for kind, name in texts.EXPECTED.items() if kind not in kinds]
        items = [self._say(texts.NOT_MEASURED, name=name) for name in missing]
        if not any(one.cause for one in self._record.remarks):
            items.append(self._say(texts.NO_CAUSE_NOTED))
        return self._section("unknown", items=[*items, self._say(texts.NOT_SEEN)])

    def ending(self) -> Section:
        if self._incident.closed_at is None:
            return self._section("ending", [self._say(texts.STILL_OPEN)])
        at, by = self._at(self._incident.closed_at), self._incident.closed_by
        ended = self._say(texts.ENDED, at=at) if by is None else self._say(texts.CLOSED_BY, by=by, at=at)
        notes = [label("note", self._language, note=" ".join(note.split())) for note in self._notes()]
        good = self._subject.first_good
        found = [one for one in changes(self._subject.result, good) if one.differs] if good is not None else []
        items = [one.clause(self._language) for one in found]
        if good is not None and not items:
            items = [label("unchanged", self._language)]
        return self._section("ending", [ended, *notes], items)

    def _notes(self) -> list[str]:
        return list(dict.fromkeys(note for note in (self._incident.note or "", *(one.note for one in self._record.remarks)) if note))

    def similar(self) -> Section:
        found = similar(self._subject, self._record.past)[:_MAX_SIMILAR]
        if not found:
            return self._section("similar", [self._say(texts.NO_SIMILAR)])
        return self._section("similar", rows=[self._alike(one) for one in found])

    def _alike(self, one: Past) -> tuple[str, ...]:
        past: Incident = one.incident
        words = known_cause(one.noted)
        cause = pick(words, self._language) if words else cause_words(past.cause, {}, self._language)
        span = self._span((past.closed_at or past.opened_at) - past.started_at)
        return past.id, timestamp(past.started_at, self._zone), span, cause

    def for_people(self) -> tuple[Section, ...]:
        """What no program can know."""
        return tuple(Section(self._say(title), fill=self._say(texts.TO_FILL)) for title in texts.FOR_PEOPLE)


def markdown(found: Document) -> str:
    """The document as Markdown (CommonMark with tables)."""
    lines = [f"# {_flat(found.title)}", ""]
    for section in found.sections:
        lines += [f"## {_flat(section.title)}", ""]
        for paragraph in section.paragraphs:
            lines += [_flat(paragraph), ""]
        if section.items:
            lines += [*(f"- {_flat(item)}" for item in section.items), ""]
        if section.rows:
            lines += [*_table(section.rows), ""]
        if section.fill:
            lines += [f"> ✍ {section.fill}", ""]
    return "\n".join(lines)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    width = len(rows[0])
    return ["|" + " |" * width, "|" + "---|" * width, *("| " + " | ".join(_flat(cell) for cell in row) + " |" for row in rows)]


def _flat(text: str) -> str:
    """One line in which nothing is markup: names and notes come from people."""
    return "".join("\\" + character if character in "\\`*_[]<>|#" else character for character in " ".join(text.split()))
