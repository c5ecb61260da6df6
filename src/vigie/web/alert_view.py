"""What the page of an alert shows, as plain values made of what is on record. Pure: it runs on the threads that render."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from vigie.core.detection import Severity
from vigie.core.model import Incident, Status
from vigie.core.subject import VIGIE_ID, SubjectKind
from vigie.queries.alerts import AlertDetails
from vigie.report import locations
from vigie.report.deliveries import Account, Fate, one_line
from vigie.report.facts import Fact, Subject
from vigie.report.members import Group
from vigie.report.narrative import Narrative, narrative, path, what_failed
from vigie.report.render import RenderContext
from vigie.report.together import tie_words
from vigie.report.wording import cause_words, printable
from vigie.text import pick
from vigie.text.deliveries import FAILURES
from vigie.text.formatting import duration, grouped, seconds
from vigie.text.messages import KINDS
from vigie.text.postmortem import NOTICES
from vigie.web.alert_timeline import NAME as _NAME
from vigie.web.alert_timeline import SHOWN, noted_words, timeline
from vigie.web.rendering import Words

_TEXT, _LATE_MS = 400, 60_000


@dataclass(frozen=True, slots=True)
class Row:
    """A member: its monitor's name, whether that is still watched, what was seen, and from when to when."""

    incident: Incident
    monitor: str
    name: str
    seen: str
    state: str

    @property
    def over(self) -> bool:
        """Whether it has recovered."""
        return self.incident.closed_at is not None


@dataclass(frozen=True, slots=True)
class Strip:
    """The last checks of a member, oldest first: paths of those that were good and of the others, and how many there are of each."""

    good: str
    bad: str
    count: int
    failed: int


def strip_of(statuses: Sequence[Status]) -> Strip:
    """The picture, five units a check, the newest at the right end of 180."""
    first = 36 - len(statuses)
    good = [place for place, one in enumerate(statuses, first) if one is Status.UP]
    bad = [place for place, one in enumerate(statuses, first) if one in (Status.DOWN, Status.DEGRADED)]
    return Strip(
        "".join(f"M{5 * one} 11h3v4h-3z" for one in good), "".join(f"M{5 * one} 2h3v13h-3z" for one in bad), len(statuses), len(bad)
    )


@dataclass(frozen=True, slots=True)
class Told:
    """A notice of the ledger. `answer` is what became of it; `tries` are the failed attempts before."""

    account: Account
    who: str
    way: str
    about: str
    answer: str
    at: int | None
    delay: str
    late: bool
    tries: tuple[tuple[int, str], ...]


def context_of(found: AlertDetails, setting: RenderContext, words: Words, now: int) -> dict[str, Any]:
    """Everything that the template asks for."""
    subject = found.subject
    stored, view = found.details.report, found.alert
    told = narrative(subject, stored.bundle, stored.analysis, setting, now) if stored is not None else None
    facts = stored.bundle.facts if stored is not None else ()
    headline = headline_of(subject, setting, words, now)
    return {
        "found": found,
        "alert": view,
        "headline": headline,
        "state": state_of(view.first, is_open=view.is_open),
        "own": view.first.monitor == VIGIE_ID,
        "started_at": min(one.started_at for one in view.members),
        "told": told,
        "cause": _cause(told, setting.language),
        "analysis": stored.analysis if stored is not None else None,
        "fault": stored.fault if stored is not None else None,
        "facts": [(fact.id, _kind(fact, setting.language), fact.evidence.sentence(setting.language)) for fact in facts],
        "path": path(subject.result),
        "from_where": places_of(subject, setting, now),
        "members": rows(subject, setting.language)[:SHOWN],
        "left": max(view.size - SHOWN, 0),
        "ledger": [ledger_line(one, words, setting.language) for one in found.ledger[-SHOWN:]],
        "ledger_left": max(len(found.ledger) - SHOWN, 0),
        "last_told": _last_told(found.ledger),
        "timeline": timeline(found, setting, words),
        "noted": noted_words(view.noted, setting.language),
        "quote": lambda text: printable(text, _TEXT),
    }


def state_of(incident: Incident, *, is_open: bool) -> str:
    """The mark of an alert."""
    if not is_open:
        return "ok"
    if incident.subject is SubjectKind.VIGIE:
        return "unknown"
    return "down" if incident.severity is Severity.OUTAGE else "degraded"


def places_of(subject: Subject, setting: RenderContext, now: int) -> tuple[str, ...]:
    """From where it fails and since when, and from where not; nothing where one location checks it."""
    if subject.incident.closed_at is None:
        return locations.lines(subject, None, setting.zone, now, setting.language)
    return locations.ended(subject, setting.zone, now, setting.language)


def headline_of(subject: Subject, setting: RenderContext, words: Words, now: int) -> str:
    """The sentence that answers what broke."""
    what, incident, name = what_failed(subject, setting, now), subject.incident, printable(subject.monitor.name, _NAME)
    group = Group.of(subject)
    is_open = group.ended_at is None
    if subject.monitor.id == VIGIE_ID:
        return words("blind_open" if is_open else "blind_over", what=what)
    if incident.subject is SubjectKind.VIGIE and is_open:
        return words("unchecked", name=name, what=what)
    severity = "down" if group.severity is Severity.OUTAGE else "degraded"
    if not group.several:
        return words(f"one_{severity}" if is_open else "one_over", name=name, what=what)
    count = len(group.open) if is_open else len(group.services)
    key = f"several_{severity}" if is_open else "several_over"
    return words(key, count=count, number=grouped(count, setting.language), tie=tie_words(group, setting.language), what=what)


def _cause(told: Narrative | None, language: str) -> dict[str, Any] | None:
    if told is None or told.cause is None:
        return None
    text, step = pick(told.cause.text, language), pick(told.cause.step, language)
    grade = pick({"high": ("élevée", "high"), "medium": ("moyenne", "medium")}.get(told.cause.grade, ("faible", "low")), language)
    return {"text": text[:1].upper() + text[1:], "step": step[:1].upper() + step[1:], "grade": grade, "facts": told.cause.facts}


def _kind(fact: Fact, language: str) -> str:
    return pick(KINDS[fact.evidence.kind], language)


def rows(subject: Subject, language: str) -> list[Row]:
    """The members, those still in trouble first, each with what was seen of it at first."""
    own = Group.of(subject).members
    ordered = sorted(own, key=lambda one: (one.incident.closed_at is not None, one.incident.started_at))
    return [
        Row(
            one.incident,
            one.monitor.id,
            printable(one.monitor.name, _NAME),
            cause_words(one.incident.cause, one.result.figures if one.incident is subject.incident and one.result else {}, language),
            state_of(one.incident, is_open=one.incident.closed_at is None),
        )
        for one in ordered
    ]


def who_and_way(channel: str) -> tuple[str, str]:
    """Of `anna.mail`, a person's own channel: the person, and by what; another channel is its own name."""
    who, _, way = printable(channel, _NAME).rpartition(".")
    return (who, way) if who else (way, "")


def ledger_line(one: Account, words: Words, language: str) -> Told:
    """What became of a notice."""
    about = pick(NOTICES.get(one.reason, (str(one.reason), str(one.reason))), language)
    failed = _tries(one, words, language)
    at = one.delivered_at
    spent = "" if at is None else _spent(at - one.raised_at, language)
    late = at is not None and at - one.raised_at >= _LATE_MS
    delay = words("late", span=spent) if late else spent
    return Told(one, *who_and_way(one.channel), about, _answer(one, words), at, delay, late, tuple(failed[-5:]))


def _tries(one: Account, words: Words, language: str) -> list[tuple[int, str]]:
    """The failed attempts: when, and what came of it; those in a row that gave the same are one line, with the time of the last."""
    found = list[tuple[int, str]]()
    for why, attempts in groupby(
        enumerate(one.failed, 1), lambda each: one_line(each[1].answer) or pick(FAILURES.get(each[1].failure, FAILURES["other"]), language)
    ):
        numbers = list(attempts)
        first, last = numbers[0][0], numbers[-1][0]
        key = "tried" if first == last else "tried_often"
        found.append((numbers[-1][1].at, words(key, first=first, last=last, why=why)))
    return found


def _answer(one: Account, words: Words) -> str:
    if one.fate is Fate.DROPPED:
        return words("dropped_by", by=printable(one.dropped_by, _NAME))
    if one.fate is Fate.UNDELIVERABLE:
        return words("undeliverable")
    taken = next((one_line(each.answer) for each in one.attempts if not each.failure), "")
    if one.failed and one.delivered_at is not None:
        return f"{taken} ({words('attempts', count=len(one.failed) + 1)})"
    return taken


def _spent(ms: int, language: str) -> str:
    return seconds(max(ms, 0), language) if ms < _LATE_MS else duration(ms, language)


def _last_told(ledger: Sequence[Account]) -> tuple[str, int] | None:
    """The channel that was notified last, and when."""
    told = [(one.delivered_at, one.channel) for one in ledger if one.delivered_at is not None]
    if not told:
        return None
    at, channel = max(told)
    who, way = who_and_way(channel)
    return f"{who} ({way})" if way else who, at
