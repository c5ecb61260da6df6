"""The timeline of an alert: what was decided, who joined, what people did and said. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vigie.core.detection import Pattern
from vigie.core.events import (
    AckRecorded,
    Announced,
    Closed,
    Decision,
    Disclosed,
    Escalated,
    Opened,
    Recovered,
    Reminded,
    Settled,
    SnoozeEnded,
    SnoozeRecorded,
    Steadied,
    Withheld,
)
from vigie.core.subject import VIGIE_ID
from vigie.observation.locations import sightings
from vigie.queries.alerts import AlertDetails
from vigie.report.facts import Subject
from vigie.report.history import Remark
from vigie.report.hypotheses import known_cause
from vigie.report.locations import brief
from vigie.report.render import RenderContext
from vigie.report.wording import cause_words, printable
from vigie.text import pick
from vigie.text.formatting import grouped, short_time
from vigie.web.rendering import Words

SHOWN = 50  # members, notices and entries of a timeline: the rest is folded or paged
NAME = 80  # characters of a name
_TEXT, _NOTE, _JOINED = 400, 2_000, 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timeline. `icon` is a symbol of the sprite, or empty for a dot; `colour` its class."""

    at: int
    text: str
    icon: str = ""
    colour: str = ""


# The words of a decision, with its symbol and colour; those that withhold have others in quiet hours.
_DECIDED: dict[type[Decision], tuple[str, str, str]] = {
    Opened: ("opened", "down", "m-down"),
    Announced: ("announced", "push", ""),
    Withheld: ("withheld", "maint", "m-maint"),
    Disclosed: ("disclosed", "push", ""),
    Steadied: ("steadied", "", ""),
    Settled: ("settled", "push", ""),
    Reminded: ("reminded", "push", ""),
    Escalated: ("escalated", "push", ""),
    AckRecorded: ("acked", "ok", "m-ok"),
    SnoozeRecorded: ("snoozed", "", ""),
    SnoozeEnded: ("snooze_ended", "push", ""),
    Recovered: ("recovered", "ok", "m-ok"),
    Closed: ("closed", "ok", "m-ok"),
}


def timeline(found: AlertDetails, setting: RenderContext, words: Words) -> list[Entry]:
    """Newest first while it is open, oldest first once it is over."""
    subject = found.subject
    entries = [*_decided(found, setting, words), *_joined(subject, words, setting.language), *_said(found.details.remarks, setting, words)]
    if found.details.report is not None:
        entries.append(Entry(found.details.report.made_at, words("report_ready")))
    delivered = [(one.delivered_at, one.channel) for one in found.ledger if one.delivered_at is not None]
    if delivered:
        at, channel = min(delivered)
        entries.append(Entry(at, words("sent_first", channel=printable(channel, NAME)), "push"))
    name, incident = printable(subject.monitor.name, NAME), subject.incident
    what = cause_words(incident.cause, subject.result.figures, setting.language)
    begun = Entry(incident.started_at, words("first_failure", name=name, what=what), "degraded", "m-degraded")
    ordered = [begun, *sorted(entries, key=lambda one: one.at)][-2 * SHOWN :]
    return ordered[::-1] if found.alert.is_open else ordered


def _decided(found: AlertDetails, setting: RenderContext, words: Words) -> Iterator[Entry]:
    for one in found.details.timeline:
        decision = one.decision
        if type(decision) not in _DECIDED:
            continue
        key, icon, colour = _DECIDED[type(decision)]
        if getattr(decision, "quiet", False):
            key += "_quiet"
        if isinstance(decision, Opened) and decision.pattern is Pattern.FLAPPING:
            key = "flapping"
        yield Entry(one.at, words(key, **_values(decision, setting)) + _from(decision, found, setting), icon, colour)


def _from(decision: Decision, found: AlertDetails, setting: RenderContext) -> str:
    """From where it failed and from where not, where several locations check it."""
    views = getattr(decision, "views", ())
    said = brief(sightings(views, found.subject.monitor.detection.stale_ms), setting.language) if views else ""
    return f" ({said})" if said else ""


def _values(decision: Decision, setting: RenderContext) -> dict[str, object]:
    by, until = getattr(decision, "by", ""), getattr(decision, "until", None)
    return {
        "by": printable("Vigie" if by == VIGIE_ID else by, NAME),
        "number": getattr(decision, "number", getattr(decision, "step", 0)),
        "until": "" if until is None else short_time(until, setting.zone, setting.language, decision.at),
    }


def _joined(subject: Subject, words: Words, language: str) -> Iterator[Entry]:
    for one in subject.members[:_JOINED]:
        yield Entry(one.incident.opened_at, words("joined", name=printable(one.monitor.name, NAME)), "down", "m-down")
    if (more := len(subject.members) - _JOINED) > 0:
        yield Entry(subject.members[-1].incident.opened_at, words("joined_more", number=grouped(more, language)), "down", "m-down")


def _said(remarks: Sequence[Remark], setting: RenderContext, words: Words) -> Iterator[Entry]:
    for one in remarks:
        by = printable(one.by, NAME)
        if (named := noted_words(one, setting.language)) is not None and one.cause:
            yield Entry(one.at, words("caused", by=by, text=named[0]))
        if one.note:
            yield Entry(one.at, words("noted", by=by, text=printable(one.note, _NOTE)))
        if one.helpful is not None:
            yield Entry(one.at, words("helpful" if one.helpful else "misleading", by=by))


def noted_words(noted: Remark | None, language: str) -> tuple[str, str] | None:
    """The real cause as a person named it, and who that was; None where nobody did."""
    if noted is None:
        return None
    known = known_cause(noted.cause)
    return printable(noted.cause, _TEXT) if known is None else pick(known, language), printable(noted.by, NAME)
