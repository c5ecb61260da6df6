"""What the page of a monitor shows, as plain values made of what is on record. Pure: it runs on the threads that render."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from math import log
from typing import Any

from vigie.core.model import Cause, CheckResult, Timings
from vigie.observation.availability import AvailabilitySummary
from vigie.observation.locations import Sightings
from vigie.observation.rollup import Rollup
from vigie.queries import MonitorState, MonitorView
from vigie.queries.board import Past
from vigie.queries.details import MonitorDetails
from vigie.queries.history import PhasePoint
from vigie.report import locations
from vigie.report.render import RenderContext
from vigie.report.wording import cause_words, printable
from vigie.text import pick
from vigie.text.formatting import availability, duration, grouped, local_time, response_time, short_time
from vigie.text.terms import BLIND, SHORT_MONTHS
from vigie.web.drawing import Mark, Spark, Tape, Tick, spark, tape
from vigie.web.rendering import Words

HOUR, DAY = 3_600_000, 86_400_000
PHASES = ("transfer", "first_byte", "tls", "connect", "dns")  # as they are stacked, from the top
_NAME, _TEXT = 120, 300
_NOTABLE_MS, _NOTABLE = 10.0, 0.3  # by how much a phase must differ from what is usual to be said
_BAR = 160
_LEVELS, _SHARE = 6, 0.05
_FLAT = 1.6


@dataclass(frozen=True, slots=True)
class Measured:
    """What history says: availability over a day, a month, a quarter and a year; the last hour; the chart; hours and days; checks."""

    uptimes: tuple[AvailabilitySummary, ...] = ()
    hour: PhasePoint | None = None
    points: tuple[PhasePoint, ...] = ()
    hours: tuple[Rollup, ...] = ()
    days: tuple[Rollup, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    past: Past | None = None


@dataclass(frozen=True, slots=True)
class Heat:
    """Seven days by the hour, oldest day first: one path for each level of latency, the names of the days, and the scale."""

    paths: tuple[tuple[str, str], ...]
    days: tuple[str, ...]
    low: float
    high: float
    worst: tuple[int, float]


@dataclass(slots=True)
class Speaker:
    """How values are written for one reader."""

    setting: RenderContext
    words: Words
    now: int
    language: str = field(init=False)

    def __post_init__(self) -> None:
        """The language by itself."""
        self.language = self.setting.language

    def span(self, ms: float) -> str:
        """A span in words."""
        return duration(round(ms), self.language)

    def brief(self, ms: float | None) -> str:
        """`410 ms`, `1.24 s`, `12.3 s`; a dash for what is not known."""
        return "–" if ms is None else response_time(ms, self.language)

    def share(self, ratio: float | None) -> str:
        """Availability, rounded down: 100 % means no loss."""
        return self.words("unobserved") if ratio is None else availability(ratio, self.language)

    def time(self, at: int) -> str:
        """An instant as a sentence has it."""
        return short_time(at, self.setting.zone, self.language, self.now)


def since_of(view: MonitorView) -> int | None:
    """Since when it is as it is, where an incident or planned work tells."""
    return view.incident.started_at if view.incident is not None else None


def usual_p95(hours: Sequence[Rollup], now: int) -> float | None:
    """The middle one of the last week's hours before the last two; None before a day of them."""
    known = sorted(one.p95 for one in hours if one.p95 is not None and one.start < now - 2 * HOUR)
    return known[len(known) // 2] if len(known) >= 24 else None


def headline_of(found: MonitorDetails, measured: Measured, speaker: Speaker) -> str:
    """The sentence with the number that mattered."""
    view, words = found.view, speaker.words
    name, result = printable(view.monitor.name, 80), view.result
    what = "" if result is None or result.cause is None else cause_words(result.cause, result.figures, speaker.language)
    if view.state is MonitorState.MAINTENANCE and view.maintenance is not None:
        return words("is_maintenance", name=name, time=speaker.time(view.maintenance.until))
    if view.state is MonitorState.UP:
        if view.monitor.kind == "heartbeat":
            return words("job_up", name=name)
        p50 = measured.hour.p50 if measured.hour is not None else None
        p50 = p50 if p50 is not None else result.timings.total if result is not None else None
        return words("is_up_plain", name=name) if p50 is None else words("is_up", name=name, p50=speaker.brief(p50))
    p95, usual = measured.hour.p95 if measured.hour else None, usual_p95(measured.hours, speaker.now)
    slow = result is not None and result.cause in (Cause.LATENCY_ANOMALY, Cause.LATENCY_THRESHOLD)
    if view.state is MonitorState.DEGRADED and slow and p95 is not None and usual is not None and p95 > usual:
        return words("is_slow", name=name, p95=speaker.brief(p95), usual=speaker.brief(usual))
    return words(f"is_{view.state}", name=name, what=what or words(view.state))


def later(found: MonitorDetails, measured: Measured, speaker: Speaker) -> str:
    """Which phase takes longer than usual, and by how much; empty where none does."""
    rows = [(one["more"], one["name"]) for one in phase_rows(found, measured, speaker) if one["more"]]
    if not rows:
        return ""
    more, name = max(rows)
    return speaker.words("phase_later", phase=name, more=speaker.brief(more))


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """One location: how the service is from there, in words too, since when as far as that is known, its newest check, and a day of it."""

    name: str
    state: str
    what: str
    since: int | None
    at: int
    took: float | None
    spark: Spark | None


def place_rows(found: MonitorDetails, seen: Sightings, days: Mapping[str, Sequence[PhasePoint]], speaker: Speaker) -> list[PlaceRow]:
    """A row for each of several locations, by name."""
    known, rows = {one.location: one for one in seen}, list[PlaceRow]()
    for one in found.places:
        here = known.get(one.location)
        silent = here is not None and here.silent
        what = "" if one.cause is None else printable(cause_words(one.cause, one.figures, speaker.language), _NAME)
        state = "unknown" if silent else one.status.value
        since = None if here is None or here.since == here.at else here.since
        line = spark([point.p50 for point in days.get(one.location, ())])
        rows.append(
            PlaceRow(one.location, state, speaker.words("place_silent") if silent else what, since, one.at, one.timings.total, line)
        )
    return rows


def from_where(seen: Sightings, speaker: Speaker) -> str:
    """`Fails from paris, works from oslo and rome.`; empty where nothing fails, or one location checks."""
    said = locations.brief(seen, speaker.language) if any(one.fails for one in seen) else ""
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def figures(measured: Measured, speaker: Speaker) -> list[tuple[str, str, str]]:
    """The availability of each span: its name, the share, and what is missing to all of it."""
    names = ("available", "days_30", "days_90", "year")
    spans = (DAY, 30 * DAY, 90 * DAY, 365 * DAY)
    return [
        (speaker.words(name), speaker.share(one.known.ratio), _missing(one, span, speaker))
        for name, span, one in zip(names, spans, measured.uptimes, strict=False)
    ]


def _missing(one: AvailabilitySummary, span: int, speaker: Speaker) -> str:
    words, parts = speaker.words, list[str]()
    if one.known.down_ms:
        parts.append(words("down_for", span=speaker.span(one.known.down_ms)))
    if one.blind_ms >= 60_000:
        parts.append(words("unseen_for", span=speaker.span(one.blind_ms)))
    if one.maintenance_ms:
        parts.append(words("planned_for", span=speaker.span(one.maintenance_ms)))
    if one.since is not None and speaker.now - one.since < span - HOUR:
        parts.append(words("since_watched", span=speaker.span(speaker.now - one.since)))
    return ", ".join(parts)


def phase_rows(found: MonitorDetails, measured: Measured, speaker: Speaker) -> list[dict[str, Any]]:
    """The table that says the chart without the picture: each phase in the last hour, usually, and what differs."""
    last = measured.hour.timings if measured.hour is not None else Timings()
    usual, rows = found.usual, []
    for number, phase in enumerate(PHASES):
        now = getattr(last, phase)
        if now is None:
            continue
        before = None if usual is None else getattr(usual, phase) or 0.0
        more = 0.0 if before is None or now - before < max(_NOTABLE_MS, before * _NOTABLE) else now - before
        rows.append({"key": f"s{5 - number}", "name": speaker.words(f"phase_{phase}"), "now": now, "usual": before, "more": more})
    return rows


def chart(measured: Measured, speaker: Speaker, mark: tuple[int, str, bool] | None) -> dict[str, Any] | None:
    """The points for the script, in ms: instants, the sums of the phases from the bottom, p95, failures; and what is usual."""
    points = measured.points
    if not any(one.count for one in points):
        return None
    columns: list[list[int | None]] = []
    for depth in range(len(PHASES)):
        parts = PHASES[depth:]
        columns.append([None if one.p50 is None else round(sum(getattr(one.timings, part) or 0.0 for part in parts)) for one in points])
    p95 = [None if one.p95 is None else round(one.p95) for one in points]
    return {
        "x": [one.start // 1000 for one in points],
        "phases": columns,
        "p95": p95,
        "failed": [number for number, one in enumerate(points) if one.failed],
        "usual": None if (usual := usual_p95(measured.hours, speaker.now)) is None else round(usual),
        "since": None if mark is None else mark[0] // 1000,
        "flag": "" if mark is None else mark[1],
        "flagDown": mark is not None and mark[2],
        "names": [speaker.words(f"phase_{phase}") for phase in PHASES],
    }


def chart_words(measured: Measured, span: str, speaker: Speaker) -> str:
    """The chart in a sentence."""
    known = [one.p95 for one in measured.points if one.p95 is not None]
    if not known:
        return speaker.words("chart_empty")
    return speaker.words("chart", span=speaker.words(f"span_{span}"), low=speaker.brief(min(known)), high=speaker.brief(max(known)))


def bars(checks: Sequence[CheckResult]) -> list[list[tuple[str, float, float]]]:
    """For each check its phases as bars: class, start and width, on one scale of `_BAR`."""
    longest = max((one.timings.total or 0.0 for one in checks), default=0.0) or 1.0
    return [_bars(one.timings, longest) for one in checks]


def _bars(timings: Timings, longest: float) -> list[tuple[str, float, float]]:
    found, x = [], 0.0
    for number, phase in enumerate(reversed(PHASES), 1):
        if (ms := getattr(timings, phase)) is not None:
            width = ms / longest * _BAR
            found.append((f"g{number}", round(x, 1), round(max(width, 0.8), 1)))
            x += width
    return found


def tape_of(measured: Measured, now: int) -> tuple[Tape, list[tuple[int, float]]]:
    """Ninety days: the picture, and the days that lost time with their minutes."""
    ticks = _by_past(measured.past) if measured.past is not None else _by_days(measured.days, now)
    lost = [(now - (len(ticks) - 1 - at) * DAY, one.minutes) for at, one in enumerate(ticks) if one.minutes and one.mark is Mark.DOWN]
    return tape(ticks), lost


def _by_past(past: Past) -> list[Tick]:
    found = []
    for one in past.spells:
        if one is None:
            found.append(Tick(Mark.NONE))
        elif not one.seen:
            found.append(Tick(Mark.PLANNED if one.planned else Mark.UNSEEN))
        elif one.down:
            found.append(Tick(Mark.DOWN, one.down))
        else:
            found.append(Tick(Mark.DEGRADED, one.degraded) if one.degraded else Tick(Mark.FINE))
    return found


def _by_days(days: Sequence[Rollup], now: int) -> list[Tick]:
    known = {one.start // DAY: one for one in days}
    first, today = min(known, default=now // DAY), now // DAY
    return [Tick(Mark.NONE) if day < first else _day(known.get(day)) for day in range(today - 89, today + 1)]


def _day(one: Rollup | None) -> Tick:
    if one is None or not one.count:
        return Tick(Mark.UNSEEN)
    if one.down:
        return Tick(Mark.DOWN, max(one.down / one.count * 1_440, 1.0))
    return Tick(Mark.DEGRADED, max(one.degraded / one.count * 1_440, 1.0)) if one.degraded else Tick(Mark.FINE)


def heat(hours: Sequence[Rollup], now: int, zone: tzinfo, language: str) -> Heat | None:
    """A week by the hour of the reader's zone; None where there is too little of it."""
    known = {one.start: one.p95 for one in hours if one.p95}
    if len(known) < 6:
        return None
    values = sorted(known.values())
    low, high = values[int(len(values) * _SHARE)], values[-1 - int(len(values) * _SHARE)]
    high = max(high, low * _FLAT)
    today = local_time(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    cells: dict[str, list[str]] = {}
    days = []
    for row in range(7):
        begin = today - timedelta(days=6 - row)
        days.append(_weekday(begin.weekday(), language))
        for column in range(24):
            at = round((begin + timedelta(hours=column)).timestamp() * 1000) // HOUR * HOUR
            if (p95 := known.get(at)) is not None:
                level = min(max(int(log(p95 / low) / log(high / low) * _LEVELS), 0), _LEVELS - 1)
                cells.setdefault(f"h{level}", []).append(f"M{10 * column}.4 {18 * row + 1}h9.2v16h-9.2z")
    worst = max(known.items(), key=lambda one: one[1])
    return Heat(tuple((name, "".join(found)) for name, found in sorted(cells.items())), tuple(days), low, high, worst)


def _weekday(number: int, language: str) -> str:
    days = (("lun", "Mon"), ("mar", "Tue"), ("mer", "Wed"), ("jeu", "Thu"), ("ven", "Fri"), ("sam", "Sat"), ("dim", "Sun"))
    return pick(days[number], language)


def lost_words(lost: Sequence[tuple[int, float]], speaker: Speaker) -> str:
    """The tape in words."""
    if not lost:
        return speaker.words("tape_fine")
    listed = ", ".join(_lost(at, minutes, speaker) for at, minutes in lost[-5:])
    return speaker.words("lost_days", count=len(lost), list=listed)


def _lost(at: int, minutes: float, speaker: Speaker) -> str:
    local = local_time(at, speaker.setting.zone)
    return f"{local.day} {pick(SHORT_MONTHS[local.month - 1], speaker.language)} ({speaker.span(minutes * 60_000)})"


def chain(found: MonitorDetails, now: int, speaker: Speaker) -> list[tuple[str, int, str, bool]]:
    """The certificates, the server's own first: whom it names, when it expires, what is left, whether that is little."""
    result = found.view.result
    whole = found.whole if found.whole is not None and found.whole.tls is not None else result
    tls = whole.tls if whole is not None else None
    if tls is None:
        return []
    links = [(one.subject, one.not_after) for one in tls.chain] or ([(tls.subject or "", tls.expires_at)] if tls.expires_at else [])
    return [(_common(name), ends, _left(ends - now, speaker), ends - now < 14 * DAY) for name, ends in links]


def _common(name: str) -> str:
    """The common name of a distinguished one, with the organisation where it has one."""
    parts = dict(part.strip().partition("=")[::2] for part in name.split(",") if "=" in part)
    shown = ", ".join(filter(None, (parts.get("CN"), parts.get("O")))) or name
    return printable(shown, _NAME)


def _left(ms: int, speaker: Speaker) -> str:
    if ms <= 0:
        return speaker.words("expired")
    days = ms // DAY
    if days >= 730:
        return speaker.words("years", count=days // 365)
    return speaker.words("left", count=days, number=grouped(days, speaker.language))


def unseen(found: MonitorDetails, speaker: Speaker) -> list[tuple[int, int | None, str]]:
    """The newest spans in which it was not seen, or was in planned work: from, until (None: still), and why."""
    words = speaker.words
    spans: list[tuple[int, int | None, str]] = [
        (
            one.start,
            one.until,
            words("blind_quiet")
            if one.quiet
            else words("blind", why=pick(BLIND[one.cause], speaker.language) if one.cause in BLIND else str(one.cause)),
        )
        for one in found.blind
    ]
    spans += [
        (
            one.start,
            None if one.end > speaker.now else one.end,
            f"{words('planned')}: {printable(one.why, _TEXT)}" if one.why else words("planned"),
        )
        for one in found.maintenance
    ]
    return sorted(spans, reverse=True)[:8]
