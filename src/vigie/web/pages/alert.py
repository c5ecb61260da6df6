"""The page of an alert, and what people do on it: acknowledge, snooze, resolve, note, name the real cause."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from vigie.commands.alerts import AlertCommands, Outcome
from vigie.errors import VigieError
from vigie.queries.alerts import AlertDetails
from vigie.report.hypotheses import catalogue
from vigie.report.render import RenderContext
from vigie.text import pick
from vigie.text.dashboard import alert as words_of_alert
from vigie.text.formatting import grouped
from vigie.web.access import ActorKind, Role, actor_of, route
from vigie.web.alert_timeline import SHOWN
from vigie.web.alert_view import Row, Strip, context_of, rows, strip_of
from vigie.web.forms import body_of, fields_of, is_form, line
from vigie.web.page import HEADERS, language_of
from vigie.web.rendering import LINKS, Words, frame_of, packed, page, rendered
from vigie.web.site import Site

SNOOZES_MS = (1_800_000, 3_600_000, 14_400_000, 28_800_000, 86_400_000)
_PAGE = 200  # members that a click brings
_STRIPS, _LAST, _LOOK_BACK = 12, 36, 86_400_000
_ACTS = ("acknowledge", "snooze", "note", "cause", "resolve")

Act = Callable[[AlertCommands, str, str, dict[str, str]], Awaitable[Outcome]]


def routes(site: Site) -> list[BaseRoute]:
    """The page, its members, and a route for each act."""

    async def show(request: Request) -> Response:
        found = await _found(site, request)
        if found is None:
            return await unknown(request, site)
        return await _page(site, request, found)

    async def members(request: Request) -> Response:
        found = await _found(site, request)
        if found is None:
            return await unknown(request, site)
        setting, words = setting_of(request, site)
        skip = int(text) if (text := request.query_params.get("after", "0")).isdecimal() and len(text) < 7 else 0
        listed = await asyncio.get_running_loop().run_in_executor(site.renderer, rows, found.subject, setting.language)
        frame = await frame_of(request, site, words_of_alert)
        after = skip + _PAGE if skip + _PAGE < len(listed) else None
        left = grouped(len(listed) - skip - _PAGE, words.language)
        context: dict[str, Any] = {"members": listed[skip : skip + _PAGE], "after": after, "alert": found.alert, "number": left}
        if request.query_params.get("checks"):  # what the page shows first, with their last checks
            context = {"members": listed[:SHOWN], "alert": found.alert, "after": None, "strips": await _strips(site, listed, frame["now"])}
            context |= {"after": SHOWN if len(listed) > SHOWN else None, "number": grouped(max(len(listed) - SHOWN, 0), words.language)}
        if "hx-request" in request.headers:
            text = await rendered(site, "alert_members.html.j2", {**frame, **context})
            return await packed(request, site, text, "text/html; charset=utf-8")
        return await page(request, site, "alert_all_members.html.j2", context, words_of_alert)

    def act(name: str) -> BaseRoute:
        async def done(request: Request) -> Response:
            return await _done(site, request, name)

        return route(f"/alerts/{{alert}}/{name}", done, needs=Role.RESPONDER, methods=["POST"], name=f"alert_{name}")

    return [
        route("/alerts/{alert}", show, needs=Role.VIEWER, name="alert"),
        route("/alerts/{alert}/members", members, needs=Role.VIEWER, name="alert_members"),
        *(act(name) for name in _ACTS),
    ]


async def _strips(site: Site, members: Sequence[Row], now: int) -> dict[str, Strip]:
    """The last checks of the first members, by monitor."""
    history = site.history
    names = list(dict.fromkeys(one.monitor for one in members))[:_STRIPS]
    if history is None:
        return {}
    pages = await asyncio.gather(*(history.results(one, now - _LOOK_BACK, now + 1, limit=_LAST) for one in names))
    return {name: strip_of([one.status for one in found.items][::-1]) for name, found in zip(names, pages, strict=True) if found.items}


def _publishing(site: Site, found: AlertDetails) -> str:
    """Where something can be published about it: the first status page with a service of its own; empty where there is none."""
    if site.status_pages is None:
        return ""
    own = {one.monitor for one in found.alert.members}
    pages = (one for one in site.status_pages.pages() if any(part.monitor in own for part in one.components))
    return next((f"/status-pages/{quote(one.name, safe='')}?draft={quote(found.alert.first.id, safe='')}" for one in pages), "")


async def _found(site: Site, request: Request) -> AlertDetails | None:
    return None if site.alerts is None else await site.alerts.alert(request.path_params["alert"])


def setting_of(request: Request, site: Site) -> tuple[RenderContext, Words]:
    """How this reader is spoken to."""
    setting = site.setting()
    language = language_of(request, setting.language)
    return RenderContext(language, setting.zone), Words(language, words_of_alert.TEXTS, words_of_alert.COUNTED)


async def unknown(request: Request, site: Site) -> Response:
    """There is no such alert."""
    return await page(request, site, "alert_unknown.html.j2", {}, words_of_alert, status=404)


async def _page(site: Site, request: Request, found: AlertDetails, *, said: str = "", status: int = 200) -> Response:
    setting, words = setting_of(request, site)
    now = (await site.health.health()).now
    loop = asyncio.get_running_loop()
    context: dict[str, Any] = await loop.run_in_executor(site.renderer, context_of, found, setting, words, now)
    done = request.query_params.get("done", "")
    notice = words(said) if said else words(f"done_{done}") if done in (*_ACTS, "review") else ""
    context |= {
        "notice": notice if status == 200 else "",
        "fault": context["fault"],
        "said": notice if status != 200 else "",
        "snoozes": [(one // 60_000, _span(one)) for one in SNOOZES_MS],
        "causes": sorted(pick(pair, setting.language) for pair in catalogue().values()),
        "section": "alerts",
        "publishing": _publishing(site, found) if found.alert.is_open else "",
        "lists_checks": site.history is not None,
        "follows": site.live is not None,
    }
    return await page(request, site, "alert.html.j2", context, words_of_alert, status=status)


def _span(ms: int) -> str:
    """One of the durations offered, in both languages alike."""
    hours = ms // 3_600_000
    return f"{hours} h" if hours else f"{ms // 60_000} min"


async def _done(site: Site, request: Request, name: str) -> Response:
    """Do it, and show the alert again: by a redirect, so that a reload does not do it twice."""
    alert, commands = request.path_params["alert"], site.commands.alerts
    body = await body_of(request) if is_form(request) else b"" if not request.headers.get("content-type") else None
    found = await _found(site, request)
    if found is None or commands is None:
        return await unknown(request, site)
    _, words = setting_of(request, site)
    if body is None:
        return await _page(site, request, found, said="said_bad", status=400)
    try:
        outcome = await _act(site, commands, alert, name, by_of(request, words), fields_of(body))
    except VigieError:
        return await _page(site, request, found, said="said_bad", status=400)
    request.state.audit = {"outcome": outcome.value}
    if outcome is Outcome.UNKNOWN:
        return await unknown(request, site)
    if outcome is not Outcome.DONE:
        return await _page(site, request, found, said=f"said_{outcome}", status=409)
    return gone_to(request, f"{LINKS.alert(alert)}?done={name}")


def by_of(request: Request, words: Words) -> str:
    """Who does it, as it is shown afterwards."""
    actor = actor_of(request)
    return words("here") if actor is None or actor.kind is ActorKind.LOCAL else actor.name


def gone_to(request: Request, address: str) -> Response:
    """A redirect that a form and a script understand."""
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={**HEADERS, "HX-Redirect": address})
    return RedirectResponse(address, status_code=303, headers=HEADERS)


async def _act(site: Site, commands: AlertCommands, alert: str, name: str, by: str, fields: dict[str, str]) -> Outcome:
    """One of the acts. Raises VigieError for what a form of ours does not send."""
    text = fields.get("text", "").strip()
    match name:
        case "acknowledge":
            return await commands.acknowledge(alert, by, line(text))
        case "snooze":
            minutes = fields.get("minutes", str(SNOOZES_MS[0] // 60_000))
            if not minutes.isascii() or not minutes.isdecimal() or len(minutes) > 6:
                raise VigieError("that is not a number of minutes")
            now = (await site.health.health()).now
            return await commands.snooze(alert, by, now + int(minutes) * 60_000)
        case "resolve":
            return await commands.resolve(alert, by, line(text))
    if not text:
        raise VigieError("nothing was written")
    return await (commands.note if name == "note" else commands.name_cause)(alert, by, line(text))
