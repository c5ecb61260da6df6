"""The wallboard: from five metres away, whether it is ours and whether somebody is on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.core.detection import Severity
from vigie.queries import MonitorState
from vigie.queries.board import Board, BoardRow
from vigie.text.dashboard import overview as texts
from vigie.web.access import Role, route
from vigie.web.boxes import boxes, names_of
from vigie.web.drawing import Mosaic, mosaic
from vigie.web.filters import Group, Sort, counted_states, grouped, ordered
from vigie.web.headline import headline
from vigie.web.page import shown
from vigie.web.pages.overview import counts_words
from vigie.web.rendering import Words, frame_of, packed, page, rendered
from vigie.web.rows import cells_of, look_words
from vigie.web.site import Site

_LINES, _GROUPS = 6, 9
_COLUMNS, _LARGE_COLUMNS, _LARGE = 24, 40, 120


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is wrong: `since` is when it began, `until` when planned work ends; the first alert is large."""

    state: str
    name: str
    said: str
    since: int | None = None
    until: int | None = None
    large: bool = False


def routes(site: Site) -> list[BaseRoute]:
    """`/wall`."""
    board = site.board
    if board is None:
        return []

    async def wall(request: Request) -> Response:
        return await page(request, site, "wall.html.j2", await _context(request, site, board), texts)

    async def part(request: Request) -> Response:
        frame = await frame_of(request, site, texts)
        text = await rendered(site, "wall_main.html.j2", {**frame, **await _context(request, site, board)})
        return await packed(request, site, text, "text/html; charset=utf-8")

    return [route("/wall", wall, needs=Role.VIEWER, name="wall"), route("/wall/main", part, needs=Role.VIEWER)]


async def _context(request: Request, site: Site, board: Board) -> dict[str, Any]:
    frame = await frame_of(request, site, texts)
    words, rows = frame["words"], board.rows()
    tag = request.query_params.get("tag", "")
    rows = [row for row in rows if not tag or tag in row.view.monitor.tags]
    found, _ = await boxes(site, board, words, frame["now"], frame["zone"])
    mine = {row.id for row in rows}
    found = [one for one in found if mine.intersection(one.alert.monitors)]
    counts = counted_states(rows)
    return {
        "headline": headline(rows, frame["health"], words, frame["clock_time"]),
        "down": counts.get(MonitorState.DOWN, 0),
        "counts": counts,
        "lines": _lines(rows, found, words, frame["short_time"]),
        "groups": [(one, _dots(one)) for one in _shown(grouped(ordered(rows, Sort.NAME, {})))],
        "counts_words": lambda of: counts_words(of, words),
        "boxes": found,
        "tag": tag,
        "number": site.live.number if site.live is not None else 0,
        "newest": max((row.view.result.at for row in rows if row.view.result is not None), default=None),
    }


def _shown(groups: Sequence[Group]) -> list[Group]:
    """Small ones first, so that the large ones have the room that is left; of very many, the troubled ones."""
    kept = groups if len(groups) <= _GROUPS else sorted(groups, key=lambda one: one.all_up)[:_GROUPS]
    return sorted(kept, key=lambda one: len(one.rows) > _LARGE)


def _dots(group: Group) -> Mosaic:
    return mosaic(cells_of(group.rows), _LARGE_COLUMNS if len(group.rows) > _LARGE else _COLUMNS, whole=True)


def _lines(rows: Sequence[BoardRow], alerts: Sequence[Any], words: Words, short_time: Any) -> list[Line]:
    """Alerts about outages first, then what else is not up."""
    outages = [one for one in alerts if one.alert.severity is Severity.OUTAGE]
    said = {of for one in outages for of in one.alert.monitors}
    found = [Line("down", one.names, one.cause, one.since, None, number == 0) for number, one in enumerate(outages)]
    for row in ordered(rows, Sort.STATE, {}):
        if row.id in said or row.state in (MonitorState.UP, MonitorState.NONE):
            continue
        until = row.view.maintenance.until if row.view.maintenance is not None else None
        why = look_words(row, words, short_time(until) if until is not None else "")
        found.append(Line(row.state.value, names_of([row.view.monitor.name], words), shown(why), row.since, until))
    return found[:_LINES]
