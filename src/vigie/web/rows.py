"""Rows of the overview as templates take them: what is drawn and what is said of each monitor. Pure; it runs on the threads for pages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from vigie.core.model import Cause
from vigie.queries import MonitorState
from vigie.queries.board import BoardRow, Past, Span, Spell, Summary
from vigie.report.wording import cause_words, printable
from vigie.text.formatting import availability, response_time
from vigie.web.drawing import Cell, Dot, Mark, Mosaic, Spark, Tape, Tick, mosaic, spark, tape
from vigie.web.page import shown
from vigie.web.rendering import LINKS, Words

_NO_TIME = 1 / 60  # minutes: less than a second is not drawn
_SEA, _STRIP_COLUMNS = 120, 40
_DRAWN = 1_000  # pictures that are remembered: a row is drawn far more often than its past changes
_HOT = (Cause.LATENCY_THRESHOLD, Cause.LATENCY_ANOMALY)
_DOTS = {
    MonitorState.DOWN: Dot.DOWN,
    MonitorState.SUSPECTED: Dot.DEGRADED,
    MonitorState.DEGRADED: Dot.DEGRADED,
    MonitorState.MAINTENANCE: Dot.PLANNED,
    MonitorState.UNKNOWN: Dot.UNKNOWN,
    MonitorState.NONE: Dot.UNKNOWN,
}

_line = lru_cache(_DRAWN)(spark)


@dataclass(frozen=True, slots=True)
class Row:
    """One monitor as a row shows it."""

    id: str
    href: str
    state: MonitorState
    name: str
    target: str
    tape: Tape | None
    tape_label: str
    ratio: str
    spark: Spark | None
    p95: str
    hot: bool


def row_of(row: BoardRow, past: Past | None, span: Span, words: Words) -> Row:
    """The row; `past` is None where nothing is on record."""
    monitor = row.view.monitor
    silent = row.state in (MonitorState.DOWN, MonitorState.UNKNOWN, MonitorState.MAINTENANCE, MonitorState.NONE)
    return Row(
        monitor.id,
        LINKS.monitor(monitor.id),
        row.state,
        shown(monitor.name),
        _placed(shown(monitor.target), row, words),
        None if past is None else _tape(past.spells, row.state),
        "" if past is None else _said(past, span, words),
        "–" if past is None else ratio_words(past.ratio, words.language),
        None if past is None else _spark(past, row),
        "–" if past is None or past.p95 is None or silent else response_time(past.p95, words.language),
        hot(row),
    )


def _placed(target: str, row: BoardRow, words: Words) -> str:
    """The target, with from how many locations it works, where there are several."""
    seen = row.view.seen
    if not seen:
        return target
    fine = sum(one.works for one in seen)
    said = words("places_all", count=fine) if fine == len(seen) else words("places_of", works=fine, count=len(seen))
    return f"{target} · {said}" if target else said


def hot(row: BoardRow) -> bool:
    """Whether its latency is what is wrong with it."""
    result = row.view.result
    return result is not None and result.cause in _HOT and row.state is MonitorState.DEGRADED


@lru_cache(_DRAWN)
def _tape(spells: Sequence[Spell | None], state: MonitorState) -> Tape:
    return tape(ticks_of(spells, state))


def ticks_of(spells: Sequence[Spell | None], state: MonitorState) -> list[Tick]:
    """The ticks of a tape; the last one is under way, and of planned work it says so."""
    ticks = [_tick(one) for one in spells]
    if ticks and state is MonitorState.MAINTENANCE:
        ticks[-1] = Tick(Mark.PLANNED)
    return ticks


def _tick(spell: Spell | None) -> Tick:
    if spell is None:
        return Tick(Mark.NONE)
    if spell.down > _NO_TIME:
        return Tick(Mark.DOWN, spell.down)
    if spell.degraded > _NO_TIME:
        return Tick(Mark.DEGRADED, spell.degraded)
    if not spell.seen:
        return Tick(Mark.PLANNED if spell.planned else Mark.UNSEEN)
    return Tick(Mark.FINE)


def _said(past: Past, span: Span, words: Words) -> str:
    over = words(f"over_{span}")
    if past.ratio is None:
        return words("tape_nothing", span=over)
    said = words("tape_says", span=over, ratio=ratio_words(past.ratio, words.language))
    lost = sum(one is not None and one.down > _NO_TIME for one in past.spells)
    return f"{said}, {words('down_hours' if span is Span.DAY else 'down_days', count=lost)}" if lost else said


def _spark(past: Past, row: BoardRow) -> Spark | None:
    trailing = next((at for at, one in enumerate(reversed(past.latencies)) if one is not None), 0)
    cut = trailing if row.state is MonitorState.DOWN else 0
    return _line(past.latencies, hot=4 if hot(row) else 0, cut=max(cut, 1) if row.state is MonitorState.DOWN else 0)


def ratio_words(ratio: float | None, language: str) -> str:
    """Availability in a column; a dash where nothing was observed."""
    if ratio is None:
        return "–"
    return availability(ratio, language)


def observed(row: BoardRow, language: str) -> str:
    """What the newest check saw, in words; empty when all is well."""
    result = row.view.result
    return "" if result is None or result.cause is None else cause_words(result.cause, result.figures, language)


def cells_of(rows: Iterable[BoardRow]) -> list[Cell]:
    """The dots of a mosaic."""
    return [_cell(row) for row in rows]


def _cell(row: BoardRow) -> Cell:
    dot = _DOTS.get(row.state, Dot.UP)
    total = row.view.result.timings.total if row.view.result is not None else None
    return Cell(dot, total / row.usual_ms if dot is Dot.UP and total is not None and row.usual_ms else 1.0)


def sea_of(rows: Sequence[BoardRow]) -> Mosaic:
    """The mosaic of a large group, over the whole width."""
    return mosaic(cells_of(rows), _SEA)


def strip_of(rows: Sequence[BoardRow]) -> Mosaic:
    """The mosaic beside the name of a folded group: its first forty."""
    return mosaic(cells_of(rows[:_STRIP_COLUMNS]), _STRIP_COLUMNS)


def summed(rows: Iterable[BoardRow], known: Mapping[str, Summary]) -> Summary:
    """Of a group: the mean availability and the slowest p95; None before all of it is at hand."""
    found = [known.get(row.id) for row in rows]
    ratios = [one.ratio for one in found if one is not None and one.ratio is not None]
    slowest = [one.p95 for one in found if one is not None and one.p95 is not None]
    complete = bool(found) and all(one is not None for one in found)
    return Summary(sum(ratios) / len(ratios) if complete and ratios else None, max(slowest) if complete and slowest else None)


def look_words(row: BoardRow, words: Words, until: str) -> str:
    """Why a row is worth a look; `until` is the end of planned work in words."""
    planned = row.view.maintenance
    if row.state is MonitorState.MAINTENANCE and planned is not None:
        why = printable(planned.why, 200).rstrip(". ") if planned.why else ""
        return words("planned_why", time=until, why=why) if why else words("planned_until", time=until)
    if row.state is MonitorState.RECOVERING:
        return words("recovering_how")
    seen = observed(row, words.language)
    if row.state is MonitorState.UNKNOWN and seen:
        return words("cannot_tell", cause=seen.rstrip("."))
    return seen[:1].upper() + seen[1:] + ("" if seen.endswith((".", "!", "?")) or not seen else ".")
