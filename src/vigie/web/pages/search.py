"""The palette and the page that does the same without a script: services, alerts and commands by a word or two."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.queries import MonitorState
from vigie.queries.board import Board
from vigie.text.dashboard import overview as texts
from vigie.web.access import Role, may, route
from vigie.web.boxes import names_of
from vigie.web.filters import Sort, ordered, parsed
from vigie.web.page import shown
from vigie.web.rendering import LINKS, Words, frame_of, packed, page, rendered
from vigie.web.site import Site

_SERVICES, _ALERTS, _SHOWN = 8, 3, 12


@dataclass(frozen=True, slots=True)
class Hit:
    """One result. `post` is done by a form, `act` by the page itself, `key` pressed where the page has such a button."""

    text: str
    href: str = ""
    detail: str = ""
    state: str = ""
    icon: str = ""
    post: str = ""
    act: str = ""
    key: str = ""


_COMMANDS: tuple[tuple[str, Role, Hit], ...] = (
    ("do_check", Role.RESPONDER, Hit("", icon="find", key="c")),
    ("do_maintenance", Role.RESPONDER, Hit("", "/maintenance", icon="maint", key="m")),
    ("do_new", Role.EDITOR, Hit("", "/monitors/new", icon="up")),
    ("do_overview", Role.VIEWER, Hit("", "/", icon="logo")),
    ("do_alerts", Role.VIEWER, Hit("", "/alerts", icon="logo")),
    ("do_status_pages", Role.VIEWER, Hit("", "/status-pages", icon="logo")),
    ("do_oncall", Role.VIEWER, Hit("", "/oncall", icon="logo")),
    ("do_channels", Role.VIEWER, Hit("", "/channels", icon="mail")),
    ("do_settings", Role.VIEWER, Hit("", "/settings", icon="logo")),
    ("do_system", Role.VIEWER, Hit("", "/system", icon="logo")),
    ("do_wall", Role.VIEWER, Hit("", "/wall", icon="lamp")),
    ("do_theme", Role.VIEWER, Hit("", act="theme", icon="theme")),
    ("do_keys", Role.VIEWER, Hit("", "/keyboard", act="keys", icon="find")),
)


def routes(site: Site) -> list[BaseRoute]:
    """`/palette`, `/search` and `/keyboard`."""
    board = site.board
    if board is None:
        return []

    async def palette(request: Request) -> Response:
        frame = await frame_of(request, site, texts)
        text = await rendered(site, "palette.html.j2", {**frame, "hits": hits(request, board, frame["words"])})
        return await packed(request, site, text, "text/html; charset=utf-8")

    async def search(request: Request) -> Response:
        words = (await frame_of(request, site, texts))["words"]
        context: dict[str, Any] = {"hits": hits(request, board, words), "asked": request.query_params.get("q", "")}
        return await page(request, site, "search.html.j2", context, texts)

    async def keyboard(request: Request) -> Response:
        return await page(request, site, "keyboard.html.j2", {}, texts)

    return [
        route("/palette", palette, needs=Role.VIEWER),
        route("/search", search, needs=Role.VIEWER),
        route("/keyboard", keyboard, needs=Role.VIEWER),
    ]


def hits(request: Request, board: Board, words: Words) -> list[Hit]:
    """What fits, what needs somebody first: alerts to acknowledge, services, commands."""
    asked = request.query_params.get("q", "").strip()
    found = [*_alerts(request, board, words, asked), *_services(board, asked), *_commands(request, words, asked)]
    return found[: _SHOWN if asked else 9]


def _alerts(request: Request, board: Board, words: Words, asked: str) -> list[Hit]:
    found: list[Hit] = []
    for one in board.alerts():
        names = names_of([row.view.monitor.name for of in one.monitors[:3] if (row := board.row(of)) is not None] or [one.monitor], words)
        text = words("to_acknowledge", alert=one.id) if one.acked_by is None and may(request, Role.RESPONDER) else one.id
        if _fits(asked, f"{text} {names}"):
            post = f"{LINKS.alert(one.id)}/acknowledge" if one.acked_by is None and may(request, Role.RESPONDER) else ""
            found.append(Hit(text, LINKS.alert(one.id), names, "down", post=post, key="a" if post and not found else ""))
    return found[:_ALERTS]


def _services(board: Board, asked: str) -> list[Hit]:
    """Those that fit, and without a word those that are not up."""
    wanted = parsed(asked)
    rows = [row for row in board.rows() if (wanted.fits(row) if asked else row.state is not MonitorState.UP)]
    return [
        Hit(shown(row.view.monitor.name), LINKS.monitor(row.id), shown(row.view.monitor.target), row.state.value)
        for row in ordered(rows, Sort.STATE, {})[: _SERVICES if asked else 3]
    ]


def _commands(request: Request, words: Words, asked: str) -> Sequence[Hit]:
    return [
        Hit(words(name), one.href, icon=one.icon, act=one.act, key=one.key)
        for name, least, one in _COMMANDS
        if may(request, least) and _fits(asked, words(name))
    ]


def _fits(asked: str, text: str) -> bool:
    return all(word in text.casefold() for word in asked.casefold().split())
