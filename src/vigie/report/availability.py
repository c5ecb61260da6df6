"""The availability report: a message with how available each monitor was in a week or month, worst first. Needs no model."""

from collections.abc import Mapping, Sequence

from vigie.core.detection import Severity
from vigie.core.model import Monitor
from vigie.core.notification import Notice
from vigie.observation.availability import Availability, AvailabilitySummary
from vigie.planning.period import Every, Period, named
from vigie.report.facts import Message, Row
from vigie.report.headline import shortened, subject_line
from vigie.report.render import RenderContext
from vigie.text import pick
from vigie.text.availability import HEADLINE, LABELS, OTHERS_DOWN, OTHERS_WELL
from vigie.text.formatting import counted, date, duration, percent
from vigie.text.terms import MONTHS

_NAME = 40
_ROWS = 39  # and one for all others: no channel lays out more than forty
_UNSEEN = 2.0  # sorts behind every share of time

Line = tuple[Monitor, AvailabilitySummary]


def thread(period: Period) -> str:
    """What the notices of a period have in place of an incident."""
    return f"availability-{period.name}"


def availability_report(
    notice: Notice, monitors: Mapping[str, Monitor], summaries: Mapping[str, AvailabilitySummary], setting: RenderContext
) -> Message:
    """The message of a period's notice; monitors without a summary were not monitored in it."""
    return _Layout(notice, monitors, summaries, setting).message()


def period_of(notice: Notice, setting: RenderContext) -> Period:
    """The period that a notice is about. Raises ValueError when it is about none."""
    return named(notice.alert.removeprefix("availability-"), setting.zone)


class _Layout:
    """Lays one report out."""

    def __init__(
        self, notice: Notice, monitors: Mapping[str, Monitor], summaries: Mapping[str, AvailabilitySummary], setting: RenderContext
    ) -> None:
        self._notice, self._language, self._zone = notice, setting.language, setting.zone
        self._period = period_of(notice, setting)
        self._lines: list[Line] = sorted(((monitor, summaries[one]) for one, monitor in monitors.items() if one in summaries), key=_worst)

    def message(self) -> Message:
        headline = pick(HEADLINE, self._language).format(
            period=self._name(), share=self._share(self._lines), monitors=self._monitors(self._lines)
        )
        return Message(
            key=self._notice.key,
            thread=self._notice.alert,
            opens_thread=True,
            reason=self._notice.reason,
            severity=Severity.OUTAGE,
            language=self._language,
            monitor="Vigie",
            target="",
            at=self._notice.at,
            headline=headline,
            subject=subject_line(headline, self._notice.alert, clause=False),
            lines=tuple(self._texts()),
            rows=tuple(self._rows()),
            footer=self._say("footer", thread=self._notice.alert),
        )

    def _say(self, name: str, /, **values: object) -> str:
        return pick(LABELS[name], self._language).format(**values)

    def _span(self, ms: int) -> str:
        return duration(ms, self._language)

    def _name(self) -> str:
        if self._period.every is Every.WEEKLY:
            year, week, _ = self._period.first.isocalendar()
            return self._say("week", number=week, year=year)
        return self._say("month", month=pick(MONTHS[self._period.first.month - 1], self._language), year=self._period.first.year)

    def _share(self, lines: Sequence[Line]) -> str:
        ratio = Availability(sum(one.known.observed_ms for _, one in lines), _down(lines)).ratio
        return "–" if ratio is None else percent(ratio, self._language)

    def _monitors(self, lines: Sequence[Line]) -> str:
        return counted(len(lines), "monitor", self._language)

    def _outages(self, number: int) -> str:
        return counted(number, "outage", self._language)

    def _texts(self) -> list[str]:
        start, end = (date(at, self._zone, self._language) for at in (self._period.start, self._period.end - 1))
        texts = [self._say("span", start=start, end=end)]
        outages, blind = sum(one.outages for _, one in self._lines), max((one.blind_ms for _, one in self._lines), default=0)
        if outages:
            monitor, longest = max(self._lines, key=lambda line: line[1].longest_ms)
            all_down = {"outages": self._outages(outages), "down": self._span(_down(self._lines))}
            texts.append(self._say("all_down", **all_down, longest=self._span(longest.longest_ms), name=_called(monitor)))
            texts.append(self._say("worst", name=_called(self._lines[0][0]), share=self._share(self._lines[:1])))
        elif any(one.known.observed_ms for _, one in self._lines):
            texts.append(self._say("all_well"))
        texts += [self._say("left_out", blind=self._span(blind))] * bool(blind)
        maintained = max((one.maintenance_ms for _, one in self._lines), default=0)
        return [*texts, self._say("maintained", maintenance=self._span(maintained))] if maintained else texts

    def _rows(self) -> list[Row]:
        shown = len(self._lines) if len(self._lines) <= _ROWS + 1 else _ROWS
        rows = [Row(self._share([line]), line[0].kind, self._row(*line)) for line in self._lines[:shown]]
        if others := self._lines[shown:]:
            outages = sum(one.outages for _, one in others)
            values = {"monitors": self._monitors(others), "outages": self._outages(outages), "down": self._span(_down(others))}
            rows.append(Row(self._share(others), "…", pick(OTHERS_DOWN if outages else OTHERS_WELL, self._language).format(**values)))
        return rows

    def _row(self, monitor: Monitor, one: AvailabilitySummary) -> str:
        state = "one_unseen" if not one.known.observed_ms else "one_down" if one.outages else "one_well"
        parts = [self._say(state, name=_called(monitor), outages=self._outages(one.outages), down=self._span(one.known.down_ms))]
        if one.outages > 1:
            parts.append(self._say("one_longest", longest=self._span(one.longest_ms)))
        if one.blind_ms and one.known.observed_ms:
            parts.append(self._say("one_blind", blind=self._span(one.blind_ms)))
        if one.maintenance_ms:
            parts.append(self._say("one_maintained", maintenance=self._span(one.maintenance_ms)))
        if one.since is not None:
            parts.append(self._say("one_since", since=date(one.since, self._zone, self._language)))
        return ", ".join(parts)


def _worst(line: Line) -> tuple[float, int, str]:
    monitor, one = line
    return _UNSEEN if one.known.ratio is None else one.known.ratio, -one.known.down_ms, _called(monitor).casefold()


def _down(lines: Sequence[Line]) -> int:
    return sum(one.known.down_ms for _, one in lines)


def _called(monitor: Monitor) -> str:
    return shortened(" ".join(monitor.name.split()), _NAME)
