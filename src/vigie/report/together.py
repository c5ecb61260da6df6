"""The words of a message about an alert of several services: first line, who and since when, how many are back, and the list of them."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from vigie.core.detection import Severity
from vigie.core.model import Cause, Scalar
from vigie.core.notification import OPENINGS, Notice, NoticeReason
from vigie.report.facts import Bundle, FactKind, Members, Row, Subject
from vigie.report.headline import HEADLINE_LENGTH, cause_of, closer, shortened
from vigie.report.members import Group, Service
from vigie.report.wording import cause_words, label, listed, printable, short_words
from vigie.text import Pair, pick, plural
from vigie.text import members as texts
from vigie.text.formatting import at_moment, between, duration, grouped, moment, short_time, since_moment
from vigie.text.messages import HEADLINES, MARKS, OVER

_ROWS, _CAUSES = 12, 3
_NAME, _WHAT, _TARGET = 40, 12, 120


class Together:
    """Writes about the services of one alert. `before`: when this channel was last sent a notice of it, epoch ms; None: never."""

    def __init__(self, subject: Subject, notice: Notice, language: str, zone: tzinfo, before: int | None = None) -> None:
        self._subject, self._notice, self._language, self._zone = subject, notice, language, zone
        self.group = Group.of(subject)
        self._before = notice.at if before is None else before
        self._joined, self._back = self.group.joined(self._before), self.group.back(self._before)
        self._ended_at = self.group.ended_at or (notice.at if notice.reason.ends else None)

    def headline(self) -> str:
        """At most 100 characters; what has to go is taken from the cause's words, never from the numbers."""
        what = self._what(short=True)
        line, values = (
            self._template(),
            {**self._values(), "name": self._who(short=True), "tie": tie_words(self.group, self._language, short=True)},
        )
        over = len(line.format(what=what, **values)) - HEADLINE_LENGTH
        if over > 0:
            what = shortened(what, max(len(what) - over, _WHAT))
        return shortened(line.format(what=what, **values), HEADLINE_LENGTH)

    def _template(self) -> str:
        if self._notice.reason in OPENINGS and self.group.ended_at is not None:
            return pick(OVER, self._language)
        if self._notice.reason is not NoticeReason.UPDATED:
            pair: Pair = texts.HEADLINES.get(self._notice.reason) or HEADLINES[self._notice.reason]
            return pick(pair, self._language)
        if self._joined and self._back:
            return plural(texts.JOINED_AND_BACK, len(self._joined), self._language)
        if self._back:
            return plural(texts.BACK, len(self._back), self._language)
        return plural(texts.JOINED, len(self._joined), self._language) if self._joined else pick(texts.STILL, self._language)

    def _values(self) -> dict[str, str]:
        group, at = self.group, self._notice.at
        return {
            "mark": MARKS[group.severity],
            "tie": tie_words(self.group, self._language),
            "count": self._number(len(group.services)),
            "joined": self._number(len(self._joined)),
            "back": self._number(len(self._back)),
            "open": self._number(len(group.open)),
            "state": self._state(),
            "since": short_time(group.started_at, self._zone, self._language, at),
            "until": short_time(self._ended_at or at, self._zone, self._language),
            "lasted": self.lasted(),
            "by": shortened(closer(self._subject.incident), _NAME),
        }

    def _number(self, number: int) -> str:
        return grouped(number, self._language)

    def _state(self) -> str:
        """What is said of those that are still in trouble."""
        if self.group.severity is Severity.OUTAGE:
            return pick(texts.DOWN, self._language)
        return plural(texts.DEGRADED, len(self.group.open), self._language)

    def lasted(self) -> str:
        """How long the trouble lasted, or has lasted so far."""
        return duration((self._ended_at or self._notice.at) - self.group.started_at, self._language)

    def who(self) -> str:
        """`512 services at 192.0.2.7`."""
        return self._who()

    def _who(self, *, short: bool = False) -> str:
        tie = tie_words(self.group, self._language, short=short)
        return pick(texts.WHO, self._language).format(count=self._number(len(self.group.services)), tie=tie)

    def cause(self) -> str:
        """What was observed."""
        return self._what()

    def _what(self, *, short: bool = False) -> str:
        """What was observed: the commonest cause, which is named as such where others were seen as well."""
        first, count = self.group.causes[0]
        words = (short_words if short else cause_words)(first, common_figures(self.group, self._subject, first), self._language)
        return words if count == len(self.group.services) else pick(texts.MOSTLY, self._language).format(what=words)

    def names(self, services: Sequence[Service]) -> str:
        """The first of them by name: `shop, blog and 510 more`."""
        return listed([shortened(printable(one.name, _NAME), _NAME) for one in services], self._language)

    def scope(self) -> str:
        """Who is in trouble, and since when; or from when to when, where it is over already."""
        group, degraded = self.group, "" if self.group.severity is Severity.OUTAGE else "_degraded"
        at, names = self._notice.at, self.names(group.services)
        if group.ended_at is not None:
            span = between(group.started_at, group.ended_at, self._zone, at, self._language)
            return self._say(f"scope_over{degraded}", who=self.who(), span=span, names=names)
        since = since_moment(group.started_at, self._zone, at, self._language)
        line = self._say(f"scope{degraded}", who=self.who(), since=since, names=names)
        back = group.back()
        if not back:
            return line
        so_far = self._say("so_far", back=self._number(len(back)), count=self._number(len(group.services)), names=self.names(back))
        return f"{line} {so_far}"

    def observed(self, bundle: Bundle) -> str:
        """What was observed, by how many where it differs."""
        shown = [fact.id for fact in bundle.facts if fact.evidence.kind is FactKind.CHECK]
        counts = [fact.id for fact in bundle.facts if fact.evidence.name.startswith("members.") and fact.evidence.bad]
        facts = ", ".join([*shown, *counts[: len(self.group.causes)]])
        if len(self.group.causes) == 1:
            return self._say("observed", what=self._what(), facts=facts)
        each = [
            self._say("of_each", what=cause_words(cause, {}, self._language), count=self._number(count))
            for cause, count in self.group.causes[:_CAUSES]
        ]
        return self._say("observed", what=", ".join(each), facts=facts)

    def changes(self) -> tuple[str, ...]:
        """Who joined and who recovered since the last notice, and how many are still in trouble."""
        since = since_moment(self._before, self._zone, self._notice.at, self._language)
        found = [
            plural(form, len(services), self._language).format_map({**self._values(), "since": since, "names": self.names(services)})
            for form, services in ((texts.JOINED_LINE, self._joined), (texts.BACK_LINE, self._back))
            if services
        ]
        some = plural(texts.STATE_LINE, len(self.group.open), self._language)
        line = some if self.group.back() else pick(texts.ALL_LINE, self._language)
        return *found, line.format(**self._values())

    def recovered(self) -> str:
        """That all are back, and since when."""
        when = self._ended_at or self._notice.at, self._zone, self._notice.at, self._language
        fine = self.group.severity is Severity.DEGRADATION or any(cause.startswith("heartbeat.") for cause, _ in self.group.causes)
        return self._say(
            "fine_again" if fine else "recovered", who=self.who(), since=since_moment(*when), names=self.names(self.group.services)
        )

    def closed(self) -> str:
        """That a person closed it."""
        return self._say("closed", who=self.who(), by=closer(self._subject.incident))

    def past(self) -> tuple[str, str]:
        """How long it lasted, and what it was."""
        start = moment(self.group.started_at, self._zone, self._notice.at, self._language)
        return (
            label("lasted", self._language, lasted=self.lasted(), start=start),
            label("was", self._language, what=self._what()),
        )

    def members(self) -> Members:
        """The services, one a row: those still in trouble first."""
        ordered = [*self.group.open, *self.group.back()]
        left = len(ordered) - _ROWS
        return Members(
            pick(texts.ROSTER, self._language).format(count=self._number(len(ordered))),
            tuple(self._row(one) for one in ordered[:_ROWS]),
            plural(texts.ROSTER_MORE, left, self._language).format(count=self._number(left)) if left > 0 else "",
        )

    def _row(self, one: Service) -> Row:
        at, incident, monitor = self._notice.at, one.first.incident, one.first.monitor
        if one.ended_at is not None:
            when = at_moment(one.ended_at, self._zone, at, self._language)
            state = pick(texts.BACK_AT, self._language).format(at=when)
        else:
            pair = texts.DOWN_SINCE if incident.severity is Severity.OUTAGE else texts.DEGRADED_SINCE
            state = pick(pair, self._language).format(since=since_moment(one.started_at, self._zone, at, self._language))
        name, target = shortened(printable(one.name, _NAME), _NAME), printable(monitor.target, _TARGET)
        return Row(incident.id, state, f"{name} ({target})" if target and target != name else name)

    def _say(self, name: str, /, **values: object) -> str:
        return pick(texts.LABELS[name], self._language).format(**values)


def tie_words(group: Group, language: str, *, short: bool = False) -> str:
    """What the services have in common, after a space; empty where nothing is known."""
    if group.tie is None or group.tie[0] not in texts.TIES:
        return ""
    kind, value = group.tie
    return " " + pick((texts.SHORT_TIES if short else texts.TIES)[kind], language).format(value=shortened(printable(value, _NAME), _NAME))


def common_figures(group: Group, subject: Subject, cause: Cause) -> Mapping[str, Scalar]:
    """The first check's figures, where nothing else is known of the others: a figure that differs somewhere is true of nobody."""
    if cause is not cause_of(subject):
        return {}
    found = dict(subject.result.figures)
    for one in group.members:
        if one.result is not None and one.result.cause is cause:
            found = {name: value for name, value in found.items() if one.result.figures.get(name, value) == value}
    return found
