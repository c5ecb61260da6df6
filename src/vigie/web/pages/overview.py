"""The overview: whether something is wrong, who has it, and every monitor with what its history comes to, worst first.

What the address says is what is shown. Rows come in slices, and those of folded groups when they are opened, so that ten thousand
monitors are one light page. States come from memory; the past of the rows that are sent is asked for by the row.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.core.detection import Severity
from vigie.errors import StoreError
from vigie.queries import Health, MonitorState
from vigie.queries.board import Board, BoardRow, Past, Span, Summary
from vigie.report.deliveries import because
from vigie.text import pick
from vigie.text.dashboard import errors
from vigie.text.dashboard import overview as texts
from vigie.text.formatting import grouped as written
from vigie.web.access import Role, route
from vigie.web.boxes import Box, boxes
from vigie.web.drawing import Mosaic
from vigie.web.drawn import DrawnRows
from vigie.web.filters import STATES, Filter, Group, Sort, counted_states, grouped, meant, ordered, parsed
from vigie.web.headline import Headline, headline
from vigie.web.page import shown
from vigie.web.rendering import Words, frame_of, packed, page, rendered
from vigie.web.rows import look_words, ratio_words, sea_of, strip_of, summed
from vigie.web.site import Site

_SLICE = 40
_ROWS = 120  # of all groups together, in the first answer
_FOLDED = 200  # a group of more services that are all up arrives folded
_LOOKS = 8
_NAMED = 10
_TALLIED = (MonitorState.DOWN, MonitorState.DEGRADED, MonitorState.UNKNOWN, MonitorState.MAINTENANCE, MonitorState.UP)
_LOOKED_AT = (
    MonitorState.SUSPECTED,
    MonitorState.DEGRADED,
    MonitorState.RECOVERING,
    MonitorState.UNKNOWN,
    MonitorState.MAINTENANCE,
)


def routes(site: Site) -> list[BaseRoute]:
    """The overview, and its parts that are fetched by themselves."""
    board, drawn = site.board, DrawnRows(site.pages)
    if board is None:
        return []

    async def overview(request: Request) -> Response:
        return await _overview(request, site, board, drawn)

    async def rows(request: Request) -> Response:
        return await _rows(request, site, board, drawn)

    async def alerts(request: Request) -> Response:
        return await _alerts(request, site, board, drawn)

    return [
        route("/", overview, needs=Role.VIEWER, name="overview"),
        route("/overview/rows", rows, needs=Role.VIEWER),
        route("/overview/alerts", alerts, needs=Role.VIEWER),
    ]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    text: str
    state: str
    tag: str
    span: Span
    sort: Sort
    group: str | None
    start: int

    @property
    def filter(self) -> Filter:
        """Of the line and the tallies together."""
        return parsed(self.text, self.state, self.tag)

    @property
    def filtered(self) -> bool:
        """Whether not everything is asked for."""
        return bool(self.text or self.tag or self.state not in ("", "any"))


def asked_of(request: Request) -> Asked:
    """From the address; what is unknown there counts as not said."""
    params = request.query_params
    start = params.get("from", "")
    return Asked(
        params.get("q", "").strip(),
        params.get("state", ""),
        params.get("tag", ""),
        Span(params["span"]) if params.get("span") in list(Span) else Span.QUARTER,
        Sort(params["sort"]) if params.get("sort") in list(Sort) else Sort.STATE,
        params.get("group"),
        int(start) if start.isascii() and start.isdecimal() and len(start) < 8 else 0,
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """A group as it is sent: the first slice of its rows, or folded. `first` is the number of its first row here, `rest` what follows."""

    name: str
    title: str
    counts: Mapping[MonitorState, int]
    total: int
    first: int
    chosen: tuple[BoardRow, ...]
    all_rows: tuple[BoardRow, ...]
    open: bool
    rest: int
    large: bool


def shown_groups(groups: Sequence[Group], words: Words) -> list[Shown]:
    """Which rows are sent at once: those of troubled groups first, as far as the budget goes."""
    found, left, alone = [], _ROWS, len(groups) == 1
    for one in groups:
        large = len(one.rows) > _FOLDED
        opened = alone or not one.all_up or (left > 0 and not large)
        troubled = sum(count for state, count in one.counts.items() if state is not MonitorState.UP)
        size = min(len(one.rows), _SLICE, max(left, min(troubled, _SLICE), _SLICE if alone else 0)) if opened else 0
        left -= size
        title = one.name or words("services" if alone else "untagged")
        found.append(
            Shown(one.name, shown(title), one.counts, len(one.rows), 0, one.rows[:size], one.rows, opened, len(one.rows) - size, large)
        )
    return found


async def _overview(request: Request, site: Site, board: Board, drawn: DrawnRows) -> Response:
    asked, rows = asked_of(request), board.rows()
    frame = await frame_of(request, site, texts)
    words: Words = frame["words"]
    known = board.known(asked.span)
    loop = asyncio.get_running_loop()
    chosen, groups = await loop.run_in_executor(site.renderer, partial(_chosen, rows, asked, known, words))
    pasts, fault = await _pasts(board, [row.id for one in groups for row in one.chosen], asked.span)
    found, more = await boxes(site, board, words, frame["now"], frame["zone"])
    worries, failing = await _worries(site, frame["health"], words)
    fault = frame["store_fault"] or fault or failing
    context = {
        **_context(rows, asked, frame, known, pasts, drawn),
        **await calm(site, board, frame["now"]),
        "worries": worries,
        "groups": groups,
        "matching": len(chosen),
        "near": meant(asked.filter, rows) if asked.filtered and not chosen else None,
        "boxes": found,
        "more_boxes": more,
        "fault": pick(errors.TEXTS[f"what_{fault.fault}"], words.language) if fault is not None else "",
        "outages": outages(board),
        "notice": words("done_deleted") if request.query_params.get("done") == "deleted" else "",
        "number": site.live.number if site.live is not None else 0,
    }
    return await page(request, site, "overview.html.j2", context, texts)


def _chosen(rows: Sequence[BoardRow], asked: Asked, known: Mapping[str, Summary], words: Words) -> tuple[list[BoardRow], list[Shown]]:
    wanted = asked.filter
    chosen = ordered((row for row in rows if wanted.fits(row)), asked.sort, known)
    if asked.group is None:
        return chosen, shown_groups(grouped(chosen), words)
    own = [row for row in chosen if row.group == asked.group]
    part = own[asked.start : asked.start + 2 * _ROWS]
    title = asked.group or words("untagged")
    rest = len(own) - asked.start - len(part)
    one = Shown(
        asked.group, shown(title), counted_states(own), len(own), asked.start, tuple(part), tuple(own), True, rest, len(own) > _FOLDED
    )
    return own, [one] if own else []


async def calm(site: Site, board: Board, now: int) -> dict[str, Any]:
    """What is said while nothing is wrong: when the last alert was over, and what runs out next."""
    if board.open_alerts:
        return {"last_ended": None, "expiry": None}
    ends = board.next_expiry()
    return {"last_ended": await _last_ended(site), "expiry": ends if ends is not None and ends.ends_at > now else None}


async def _last_ended(site: Site) -> int | None:
    """When the newest alert was over, epoch ms; None where there was none, or nobody can tell."""
    try:
        newest = await site.queries.incidents.incidents(limit=5)
    except StoreError:
        return None
    return max((one.closed_at for one in newest.items if one.closed_at is not None), default=None)


async def _pasts(board: Board, monitors: Sequence[str], span: Span) -> tuple[Mapping[str, Past], StoreError | None]:
    """The history of rows; without it where it cannot be read, which the page then says."""
    try:
        return await board.past(monitors, span), None
    except StoreError as error:
        return {}, error


def _context(
    rows: Sequence[BoardRow],
    asked: Asked,
    frame: Mapping[str, Any],
    known: Mapping[str, Summary],
    pasts: Mapping[str, Past],
    drawn: DrawnRows,
) -> dict[str, Any]:
    """What templates need to write rows and groups."""
    words: Words = frame["words"]
    language = words.language

    def line_of(one: BoardRow) -> str:
        return drawn.line(one, pasts.get(one.id), asked.span, words)

    def sea(one: Shown) -> Mosaic:
        return sea_of(one.all_rows) if one.large else strip_of(one.all_rows)

    def looks() -> list[BoardRow]:
        return ordered((one for one in rows if one.state in _LOOKED_AT), Sort.STATE, known)

    return {
        "asked": asked,
        "spans": list(Span),
        "sorts": list(Sort),
        "headline": headline(rows, frame["health"], words, frame["clock_time"]),
        "tally": tally(rows),
        "number_of": lambda value: written(value, language),
        "line_of": line_of,
        "sea": sea,
        "group_sum": lambda one: summed(one.all_rows, known),
        "ratio_words": lambda value: ratio_words(value, language),
        "counts_words": lambda counts: counts_words(counts, words),
        "looks": looks(),
        "looks_shown": _LOOKS,
        "look_words": lambda one: look_words(one, words, frame["short_time"](one.view.maintenance.until) if one.view.maintenance else ""),
        "slice": _SLICE,
    }


def tally(rows: Sequence[BoardRow]) -> list[tuple[MonitorState, int]]:
    """The counts that are filters: the five states that are always there, and the passing ones while there are any."""
    counts = counted_states(rows)
    return [(state, counts.get(state, 0)) for state in STATES if state in _TALLIED or counts.get(state)]


def outages(board: Board) -> int:
    """How many open alerts are about outages."""
    return sum(one.severity is Severity.OUTAGE for one in board.alerts())


def counts_words(counts: Mapping[MonitorState, int], words: Words) -> str:
    """`1 down, 8 up`."""
    return ", ".join(words(f"n_{state}", count=count) for state, count in counts.items())


async def _worries(site: Site, health: Health, words: Words) -> tuple[list[str], StoreError | None]:
    """What is wrong with Vigie itself, in sentences; and why not all of it could be read."""
    found = []
    if health.notices.waiting:
        found.append(words("unsent", count=health.notices.waiting))
    if health.notices.undeliverable:
        found.append(words("undeliverable", count=health.notices.undeliverable))
    try:
        channels, fault = await site.queries.notices.failing(), None
    except StoreError as error:
        channels, fault = [], error
    for one in channels:
        if (spell := one.failing) is not None:
            why = because(spell.failure, spell.answer, spell.attempts, words.language)
            lasted = words.duration(health.now - spell.since)
            found.append(shown(words("channel_fails", channel=one.channel, lasted=lasted, why=why)))
    if health.unchecked:
        names = ", ".join(health.unchecked[:_NAMED]) + (f" … +{len(health.unchecked) - _NAMED}" if len(health.unchecked) > _NAMED else "")
        found.append(shown(words("unchecked", count=len(health.unchecked), names=names)))
    return found, fault


async def _rows(request: Request, site: Site, board: Board, drawn: DrawnRows) -> Response:
    """A slice of the rows of one group."""
    asked, rows = asked_of(request), board.rows()
    frame = await frame_of(request, site, texts)
    known, wanted = board.known(asked.span), asked.filter

    def chosen() -> list[BoardRow]:
        return ordered((row for row in rows if row.group == (asked.group or "") and wanted.fits(row)), asked.sort, known)

    own = await asyncio.get_running_loop().run_in_executor(site.renderer, chosen)
    part = own[asked.start : asked.start + _SLICE]
    pasts, _ = await _pasts(board, [row.id for row in part], asked.span)
    context = {
        **frame,
        **_context(part, asked, frame, known, pasts, drawn),
        "part": part,
        "name": asked.group or "",
        "following": asked.start + len(part),
        "rest": len(own) - asked.start - len(part),
    }
    return await packed(request, site, await rendered(site, "overview_rows.html.j2", context), "text/html; charset=utf-8")


async def _alerts(request: Request, site: Site, board: Board, drawn: DrawnRows) -> Response:
    """The boxes of open alerts and what is worth a look, as they are now."""
    frame = await frame_of(request, site, texts)
    found, more = await boxes(site, board, frame["words"], frame["now"], frame["zone"])
    context = {**frame, **_context(board.rows(), asked_of(request), frame, {}, {}, drawn), "boxes": found, "more_boxes": more}
    return await packed(request, site, await rendered(site, "overview_alerts.html.j2", context), "text/html; charset=utf-8")


__all__ = ["Box", "Headline", "asked_of", "counts_words", "outages", "routes", "shown_groups", "tally"]
