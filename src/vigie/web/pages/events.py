"""The stream that keeps a page up to date: once a second what changed of the rows on screen, and what stands above them.

What many viewers are sent is made once: the head of the page (counts, headline, title) for each language and address, the mark of a state.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from vigie.errors import StoreError
from vigie.queries import MonitorState
from vigie.queries.board import Board, BoardRow
from vigie.queries.live import Change, ChangeKind, Live
from vigie.text import pick
from vigie.text.dashboard import layout
from vigie.text.dashboard import overview as texts
from vigie.web.access import Role, is_still, route
from vigie.web.boxes import names_of
from vigie.web.headline import headline
from vigie.web.page import HEADERS, language_of, shown
from vigie.web.pages.overview import asked_of, calm, outages, tally
from vigie.web.rendering import Words, frame_of, rendered
from vigie.web.rows import observed
from vigie.web.site import Site
from vigie.web.streams import event, streamed

_ROWS = 300  # that one page may follow
_VIEWERS = 1_000
_HEADS = 64
_SYMBOLS = {"suspected": "pend", "recovering": "pend", "maintenance": "maint", "none": "skip-"}
_COLOURS = {"suspected": "degraded", "recovering": "ok", "maintenance": "maint", "none": "up"}


def routes(site: Site) -> list[BaseRoute]:
    """`/events`."""
    if site.board is None or site.live is None:
        return []
    heads, board, live = _Heads(site, site.board), site.board, site.live
    open_ = 0

    async def events(request: Request) -> Response:
        if open_ >= _VIEWERS:
            return PlainTextResponse("Too many viewers.\n", status_code=503, headers={**HEADERS, "Retry-After": "30"})
        return streamed(counted(request), lambda: is_still(request))

    async def counted(request: Request) -> AsyncIterator[bytes]:
        nonlocal open_
        open_ += 1
        try:
            async for one in _events(request, board, live, heads):
                yield one
        finally:
            open_ -= 1

    return [route("/events", events, needs=Role.VIEWER, name="events")]


async def _events(request: Request, board: Board, live: Live, heads: "_Heads") -> AsyncIterator[bytes]:
    params = request.query_params
    rows = frozenset([one for one in params.get("rows", "").split(",") if one][:_ROWS])
    since = params.get("since", "")
    language, wall = heads.language(request), params.get("page") == "wall"
    async with live.subscribe(int(since) if since.isascii() and since.isdecimal() and len(since) < 20 else None) as batches:
        yield event("hello", {"now": live.now()}, live.number)
        alerts = {one.id for one in board.alerts()}
        async for batch in batches:
            if (found := _changed(batch, rows, board, language)) is not None:
                yield event("rows", found, batch[-1].number)
            kinds = {one.kind for one in batch}
            if ChangeKind.CONFIG in kinds and not wall:
                yield event("stale", {}, batch[-1].number)
            if kinds & {ChangeKind.STATE, ChangeKind.ALERT, ChangeKind.CONFIG}:
                fresh = [one for one in board.alerts() if one.id not in alerts]
                alerts = {one.id for one in board.alerts()}
                head = await heads.of(request, language)
                yield event("head", {**head, "alarm": _alarm(fresh, board, language)} if fresh else head)
            if any(one.kind is ChangeKind.ALERT and one.subject == params.get("alert") for one in batch):
                yield event("changed", {}, batch[-1].number)
            if wall and kinds & {ChangeKind.STATE, ChangeKind.ALERT, ChangeKind.CONFIG}:
                yield event("fetch", {"ids": ["main"]})
            elif ChangeKind.ALERT in kinds:
                yield event("fetch", {"ids": ["news"]})
            if wall:
                yield event("beat", {"at": batch[-1].at})


def _alarm(alerts: Iterable[Any], board: Board, language: str) -> str:
    """What is said aloud of alerts that have just begun."""
    words = Words(language, texts.TEXTS, texts.COUNTED)
    names = [row.view.monitor.name for one in alerts for of in one.monitors if (row := board.row(of)) is not None]
    return names_of(names, words)


def _changed(batch: Iterable[Change], rows: frozenset[str], board: Board, language: str) -> dict[str, dict[str, Any]] | None:
    """What is to be changed in the rows on screen."""
    found = {}
    for change in batch:
        if change.subject in rows and (row := board.row(change.subject)) is not None:
            found[row.id] = _cell(row, stated=change.kind is ChangeKind.STATE, language=language)
    return found or None


def _cell(row: BoardRow, *, stated: bool, language: str) -> dict[str, Any]:
    at = None if row.view.result is None else row.view.result.at
    if not stated:
        return {"at": at}
    said = pick(layout.TEXTS["now_state"], language).format(name=shown(row.view.monitor.name), state=_state(row.state, language))
    return {"at": at, "state": row.state.value, "mark": mark(row.state.value, language), "said": said, "why": observed(row, language)}


def _state(state: MonitorState, language: str) -> str:
    return pick(layout.TEXTS[state.value], language)


@lru_cache
def mark(state: str, language: str) -> str:
    """The mark of a state, as the templates make it."""
    name, colour = _SYMBOLS.get(state, state), _COLOURS.get(state, state)
    return f'<svg class="m m-{colour}" role="img" aria-label="{_state(MonitorState(state), language)}"><use href="#{name}"/></svg>'


class _Heads:
    """What stands above the rows, made once for all who look at the same address in the same language."""

    def __init__(self, site: Site, board: Board) -> None:
        self._site, self._board = site, board
        self._made: OrderedDict[tuple[str, str], tuple[int, asyncio.Task[dict[str, Any]]]] = OrderedDict()

    def language(self, request: Request) -> str:
        """Of the reader."""
        return language_of(request, self._site.setting().language)

    async def of(self, request: Request, language: str) -> dict[str, Any]:
        """Title, counts, headline; empty where they cannot be made now."""
        query = "&".join(f"{name}={value}" for name, value in request.query_params.items() if name not in ("rows", "since"))
        key = language, query
        known = self._made.get(key)
        if known is None or known[0] != self._board.version:
            known = self._board.version, asyncio.create_task(self._make(request))
            self._made[key] = known
            self._made.move_to_end(key)
            while len(self._made) > _HEADS:
                self._made.popitem(last=False)
        return await asyncio.shield(known[1])

    async def _make(self, request: Request) -> dict[str, Any]:
        wall = request.query_params.get("page") == "wall"
        asked, rows = asked_of(request), self._board.rows()
        try:
            frame = await frame_of(_as_page(request), self._site, texts)
        except StoreError:
            return {}
        top = headline(rows, frame["health"], frame["words"], frame["clock_time"])
        context = {
            **frame,
            **await calm(self._site, self._board, frame["now"]),
            "asked": asked,
            "headline": top,
            "tally": tally(rows),
            "number_of": frame["grouped"],
            "outages": outages(self._board),
        }
        found: dict[str, Any] = {"title": top.text, "alerts": self._board.open_alerts, "ill": top.state == "down"}
        if wall:
            return found
        parts = (await rendered(self._site, "overview_live.html.j2", context)).split("<hr>")
        return {**found, "parts": dict(zip(("lede", "tally"), (one.strip() for one in parts), strict=True))}


def _as_page(request: Request) -> Request:
    """The request of the page that follows: links are those of its address, not of the stream's."""
    names = [(name, value) for name, value in request.query_params.items() if name not in ("page", "rows", "since")]
    return Request({**request.scope, "path": "/", "query_string": urlencode(names).encode()})
