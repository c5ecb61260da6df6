"""The message of monitors that Vigie cannot check, through a fault of its own: which, since when, why, and what to do. Needs no model."""

from collections.abc import Sequence
from dataclasses import dataclass

from vigie.core.detection import Severity
from vigie.core.model import CheckResult, Incident, Monitor
from vigie.core.notification import OPENINGS, Notice, NoticeReason
from vigie.report.facts import Message
from vigie.report.headline import HEADLINE_LENGTH, lasted, shortened, subject_line
from vigie.report.render import RenderContext
from vigie.report.wording import cause_words, label
from vigie.text import Pair, pick, plural
from vigie.text.formatting import moment, since_moment
from vigie.text.obstacles import HEADLINES, LABELS, NOT_MEANT, REASONS, SEVERAL

_NAME, _WHY, _MAX_MEMBERS = 40, 200, 30


@dataclass(frozen=True, slots=True)
class Obstructed:
    """A monitor that cannot be checked, with its newest such check (None: not on record) and its incident."""

    monitor: Monitor
    incident: Incident
    result: CheckResult | None = None


def reason(result: CheckResult | None, language: str) -> str:
    """Why a check could not be made: in the reader's language where the reason is a known one, else in the check's own words."""
    if result is None or result.cause is None:
        return pick(("raison inconnue", "the reason is not on record"), language)
    known = str(result.figures.get("obstacle", "")) in REASONS
    words = cause_words(result.cause, result.figures, language) if known or not result.message else result.message
    return " ".join(words.split()).rstrip(".")[:_WHY]


def message(notice: Notice, first: Incident, members: Sequence[Obstructed], setting: RenderContext) -> Message:
    """What a channel is to say; `first` is the incident that the alert is named after."""
    return _Layout(notice, first, members, setting).message()


class _Layout:
    """Lays one message out."""

    def __init__(self, notice: Notice, first: Incident, members: Sequence[Obstructed], setting: RenderContext) -> None:
        self._notice, self._first, self._setting, self._language = notice, first, setting, setting.language
        over = notice.reason in (NoticeReason.RECOVERED, NoticeReason.CLOSED)
        self._members = [one for one in members if over or one.incident.closed_at is None] or list(members)
        self._why = reason(self._members[0].result, self._language) if self._members else ""

    def message(self) -> Message:
        notice, first = self._notice, self._first
        headline = self._headline()
        return Message(
            key=notice.key,
            thread=notice.alert,
            opens_thread=notice.reason in OPENINGS,
            reason=notice.reason,
            severity=Severity.DEGRADATION,
            language=self._language,
            monitor="Vigie",
            target="",
            at=notice.at,
            headline=headline,
            subject=subject_line(headline, first.id, clause=False),
            lines=tuple(self._lines()),
            cause=first.cause,
            footer=self._footer(),
            since=first.started_at,
        )

    def _footer(self) -> str:
        """Where to read more and, while nobody has, how to acknowledge."""
        footer = label("footer", self._language, incident=self._first.id)
        if self._first.acked_by is not None or self._notice.reason in (NoticeReason.RECOVERED, NoticeReason.CLOSED):
            return footer
        return f"{footer} · {label('acknowledge', self._language, incident=self._first.id)}"

    def _say(self, pair: Pair, /, **values: object) -> str:
        return pick(pair, self._language).format(**values)

    def _who(self) -> str:
        if len(self._members) == 1:
            return _flat(self._members[0].monitor.name)
        return plural(SEVERAL, len(self._members), self._language).format(count=len(self._members))

    def _headline(self) -> str:
        line = HEADLINES.get(self._notice.reason, HEADLINES[NoticeReason.REMINDER])
        by = _flat(self._first.closed_by or "Vigie")
        return shortened(self._say(line, who=self._who(), why=self._why, by=by), HEADLINE_LENGTH)

    def _since(self, one: Obstructed) -> str:
        return since_moment(one.incident.started_at, self._setting.zone, self._notice.at, self._language)

    def _lines(self) -> list[str]:
        if self._notice.reason in (NoticeReason.RECOVERED, NoticeReason.CLOSED):
            return self._over()
        one = self._members[0]
        lines = [self._say(LABELS["cannot"], who=self._who(), since=self._since(one), why=self._why)]
        if len(self._members) > 1:
            lines += [self._member(each) for each in self._members[:_MAX_MEMBERS]]
            lines += [f"… +{left}"] if (left := len(self._members) - _MAX_MEMBERS) > 0 else []
        lines.append(plural(NOT_MEANT, len(self._members), self._language))
        lines.append(self._step(one))
        if self._notice.reason is NoticeReason.UNDELIVERABLE:
            lines.append(label("undeliverable", self._language, incident=self._first.id))
        if self._notice.reason is NoticeReason.REMINDER:
            lines.append(self._say(LABELS["reminder"], incident=self._first.id))
        return lines

    def _member(self, one: Obstructed) -> str:
        why = reason(one.result, self._language)
        name = "member" if why == self._why else "member_why"
        return self._say(LABELS[name], name=_flat(one.monitor.name), target=one.monitor.target, since=self._since(one), why=why)

    def _step(self, one: Obstructed) -> str:
        """The check's own advice, in the language that it has; else where to look."""
        if self._language == "en" and one.result is not None and one.result.advice:
            advice = one.result.advice[0]
            return self._say(LABELS["step"], step=advice[:1].lower() + advice[1:])
        return self._say(LABELS["check"], name=one.monitor.id)

    def _over(self) -> list[str]:
        first, now = self._first, self._notice.at
        since = since_moment(first.closed_at or now, self._setting.zone, now, self._language)
        start = moment(min(one.incident.started_at for one in self._members), self._setting.zone, now, self._language)
        closed = self._notice.reason is NoticeReason.CLOSED
        head = label("closed", self._language, who=self._who(), by=first.closed_by or "Vigie") if closed else ""
        return [
            head or self._say(LABELS["again"], who=self._who(), since=since),
            self._say(LABELS["lasted"], lasted=lasted(first, now, self._language), start=start),
        ]


def _flat(text: str) -> str:
    return shortened(" ".join(text.split()), _NAME)
