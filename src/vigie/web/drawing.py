"""The small pictures of pages as paths of SVG: tape, mosaic, sparkline. Pure; what they show in words is their caller's.

Units are those of the view box. Only what differs from the usual is drawn: a healthy tape is one symbol (`#t90`, `#t30`, `#t24`), the
ordinary dots of a mosaic are one dashed line a row. So a row of the overview costs some hundred bytes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from math import ceil, log, log1p

_BASE, _LOWEST, _TALLEST, _FULL_MINUTES = 19, 4.0, 15.0, 720
_STEP, _HEIGHT, _MARGIN = 2, 40, 5
_FLATTEST = 0.4  # of its height: a latency that hardly varies is a flat line, however small its own scale would be
_PITCH = 10
_SIZES = (1.6, 2.4, 3.2, 4.0, 4.8)  # of a dot, by how far a latency is above its usual
_LEVELS = (1.25, 1.5, 2.0, 3.0)


class Mark(StrEnum):
    """What a tick of a tape stands for."""

    FINE = "fine"
    DEGRADED = "degraded"
    DOWN = "down"
    PLANNED = "planned"  # maintenance
    UNSEEN = "unseen"  # watched, but it could not be observed
    NONE = "none"  # not watched yet


@dataclass(frozen=True, slots=True)
class Tick:
    """One day or hour; `minutes` of it were lost."""

    mark: Mark
    minutes: float = 0.0


@dataclass(frozen=True, slots=True)
class Tape:
    """`count` ticks, of which those that are not fine are drawn: what is left out, then what is drawn there instead, and bars."""

    count: int
    off: str = ""
    gap: str = ""
    planned: str = ""
    degraded: str = ""
    down: str = ""


def tape(ticks: Sequence[Tick]) -> Tape:
    """The picture; a tick rises with the logarithm of the minutes lost, a whole half day is the full height."""
    gaps = "".join(f"M{3 * at} 16.5h2" for at, one in enumerate(ticks) if one.mark is Mark.UNSEEN)
    planned = "".join(f"M{3 * at}.5 12v7M{3 * at + 1}.5 15v4" for at, one in enumerate(ticks) if one.mark is Mark.PLANNED)
    bars = {
        mark: "".join(_bar(3 * at, one.minutes) for at, one in enumerate(ticks) if one.mark is mark) for mark in (Mark.DEGRADED, Mark.DOWN)
    }
    return Tape(len(ticks), _left_out(ticks), gaps, planned, bars[Mark.DEGRADED], bars[Mark.DOWN])


def _bar(x: int, minutes: float) -> str:
    height = round(_LOWEST + _TALLEST * min(log1p(max(minutes, 0.0)) / log(_FULL_MINUTES + 1), 1.0))
    return f"M{x} {_BASE - height}h2v{height}h-2z"


def _left_out(ticks: Sequence[Tick]) -> str:
    """Rectangles over the ticks that are not to be seen, one for each run of them."""
    found, at = "", 0
    for hidden, run in groupby(ticks, lambda one: one.mark in (Mark.UNSEEN, Mark.PLANNED, Mark.NONE)):
        length = len(list(run))
        found += f"M{3 * at - 0.5:g} 15h{3 * length}v5h-{3 * length}z" if hidden else ""
        at += length
    return found


@dataclass(frozen=True, slots=True)
class Spark:
    """A line in a box of `width` by 40; `hot` is its end where that is out of the ordinary, `cut` a base line where nothing answered."""

    width: int
    line: str
    hot: str = ""
    cut: str = ""


def spark(points: Sequence[float | None], *, hot: int = 0, cut: int = 0) -> Spark | None:
    """The last points in steps that are equal; `hot` and `cut` are how many at the end are marked. None without a line to draw."""
    known = [one for one in points if one is not None]
    if len(known) < 2:
        return None
    low, high = min(known), max(known)
    span = max(high - low, _FLATTEST * high) or 1.0
    middle = (high + low) / 2
    ys = [None if one is None else round(_HEIGHT / 2 - (one - middle) / span * (_HEIGHT - 2 * _MARGIN)) for one in points]
    marked = _line(ys, len(ys) - hot - 1) if hot else ""
    width = _STEP * (len(points) - 1)
    return Spark(width, _line(ys, 0), marked, f"M{width - _STEP * cut} 38h{_STEP * cut}" if cut else "")


def _line(ys: Sequence[int | None], start: int) -> str:
    """From the point `start` on, in relative steps, which pack well; broken where a point is missing."""
    found, last = "", None
    for at in range(max(start, 0), len(ys)):
        y = ys[at]
        if y is not None:
            found += f"M{_STEP * at} {y}l" if last is None else f"{_STEP}{y - last:+d} "
        last = y
    return found.rstrip("l ")


class Dot(StrEnum):
    """What a dot of a mosaic stands for, by its shape."""

    UP = "up"
    DOWN = "down"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class Cell:
    """One service; `above` is its latency as a multiple of its usual one."""

    dot: Dot
    above: float = 1.0


@dataclass(frozen=True, slots=True)
class Mosaic:
    """The dots of a group, row by row in a box of `width` by `height`: `dots` are dashed lines, the others single shapes."""

    width: int
    height: int
    dots: str
    larger: str = ""
    degraded: str = ""
    down: str = ""
    unknown: str = ""
    planned: str = ""


def mosaic(cells: Sequence[Cell], columns: int, *, whole: bool = False) -> Mosaic:
    """The picture, at most `columns` dots a row; `whole`: as wide as if a row were full, so that dots of several are of one size."""
    rows = max(ceil(len(cells) / columns), 1)
    dots = "".join(_dashes(row, min(len(cells) - row * columns, columns)) for row in range(rows) if len(cells) > row * columns)
    shapes: dict[str, list[str]] = {"larger": [], "degraded": [], "down": [], "unknown": [], "planned": []}
    for at, cell in enumerate(cells):
        if cell.dot is Dot.UP and cell.above < _LEVELS[0]:
            continue  # most of them: the dashes are theirs
        drawn = _shape(cell, _PITCH * (at % columns) + _PITCH // 2, _PITCH * (at // columns) + _PITCH // 2)
        if drawn is not None:
            shapes[drawn[0]].append(drawn[1])
    width = _PITCH * (columns if whole else min(max(len(cells), 1), columns))
    return Mosaic(width, _PITCH * rows, dots, **{name: "".join(found) for name, found in shapes.items()})


def _dashes(row: int, count: int) -> str:
    """`count` dots of the smallest size: the sheet dashes the line by 1.6 and 8.4."""
    return f"M4.2 {_PITCH * row + _PITCH // 2}h{_PITCH * count - 8}"


def _shape(cell: Cell, x: int, y: int) -> tuple[str, str] | None:
    match cell.dot:
        case Dot.UP:
            size = _SIZES[_level(cell.above)]
            return None if size == _SIZES[0] else ("larger", f"M{x - size / 2:g} {y - size / 2:g}h{size:g}v{size:g}h-{size:g}z")
        case Dot.DOWN:
            return "down", f"M{x - 4.5:g} {y - 4.5:g}h9v9h-9z"
        case Dot.DEGRADED:
            return "degraded", f"M{x} {y - 4.5:g}l5 9h-10z"
        case Dot.UNKNOWN:
            return "unknown", f"M{x - 4} {y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0"
        case Dot.PLANNED:
            return "planned", f"M{x - 4} {y - 4}h8v8h-8z"


def _level(above: float) -> int:
    return sum(above >= bound for bound in _LEVELS)


def counted_dots(cells: Iterable[Cell]) -> dict[Dot, int]:
    """How many there are of each."""
    found = dict.fromkeys(Dot, 0)
    for one in cells:
        found[one.dot] += 1
    return found
