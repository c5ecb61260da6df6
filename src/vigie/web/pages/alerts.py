"""The list of alerts: those that are open first, then the others, a page at a time; by monitor, state, cause and tag."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from vigie.core.detection import Severity
from vigie.core.model import Cause, Monitor
from vigie.core.subject import VIGIE_ID
from vigie.errors import VigieError
from vigie.ports import AlertFilter
from vigie.queries import MAX_LIMIT, Page, collected
from vigie.queries.alerts import AlertView
from vigie.report.wording import cause_words, printable
from vigie.text.dashboard import alerts as words_of_alerts
from vigie.text.formatting import duration, grouped
from vigie.web.access import Role, route
from vigie.web.alert_timeline import noted_words
from vigie.web.alert_view import state_of
from vigie.web.filters import Filter, parsed
from vigie.web.page import HEADERS, language_of
from vigie.web.rendering import Words, page
from vigie.web.site import Site

_OPEN, _PAST = 200, 50
_SEVERITIES = {"down": Severity.OUTAGE, "degraded": Severity.DEGRADATION}
_NONE: Page[AlertView] = Page(())


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for. `monitors` is None for all of them; `show` is `open`, `over` or empty for both."""

    text: str
    monitor: str
    state: str
    tag: str
    show: str
    wanted: AlertFilter

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.text or self.monitor or self.state or self.tag)


def routes(site: Site) -> list[BaseRoute]:
    """The list."""

    async def show(request: Request) -> Response:
        watched = await _watched(site)
        asked = _asked(request, watched)
        try:
            open_, past = await asyncio.gather(_open(site, request, asked), _past(site, request, asked))
        except VigieError:
            return RedirectResponse("/alerts", status_code=303, headers=HEADERS)  # a cursor of another list
        return await _page(site, request, asked, watched, open_, past)

    return [route("/alerts", show, needs=Role.VIEWER, name="alerts")]


async def _watched(site: Site) -> Sequence[Monitor]:
    if site.board is not None:
        return [one.view.monitor for one in site.board.rows()]
    return [one.monitor for one in await collected(lambda cursor, limit: site.queries.monitors.monitors(cursor=cursor, limit=limit))]


def _asked(request: Request, watched: Sequence[Monitor]) -> Asked:
    query = request.query_params
    text, monitor, state, tag = (query.get(name, "")[:200] for name in ("q", "monitor", "state", "tag"))
    show = query.get("show", "") if query.get("show") in ("open", "over") else ""
    found = parsed(text, state, tag)
    states = [one for one in found.state if one in _SEVERITIES]
    if "open" in found.state or "over" in found.state:
        show = "open" if "open" in found.state else "over"
    wanted = AlertFilter(
        monitors=_monitors(found, monitor, watched),
        causes=[one for one in Cause if one.value.startswith(found.cause)] if found.cause else None,
        severity=_SEVERITIES[states[0]] if states else None,
    )
    return Asked(text, monitor, state, tag, show, wanted)


def _monitors(found: Filter, monitor: str, watched: Sequence[Monitor]) -> list[str] | None:
    """The ids of those that are asked for; None where nothing is said of them."""
    if not (found.words or found.tag or found.kind):
        return [monitor] if monitor else None
    fits = [one.id for one in watched if _fits(one, found)]
    return [one for one in fits if one == monitor] if monitor else fits


def _fits(monitor: Monitor, found: Filter) -> bool:
    text = f"{monitor.name} {monitor.target} {monitor.id}".casefold()
    return (
        all(word in text for word in found.words)
        and (not found.tag or any(one.casefold() in found.tag for one in monitor.tags))
        and (not found.kind or monitor.kind in found.kind)
    )


async def _open(site: Site, request: Request, asked: Asked) -> Page[AlertView]:
    """Those that are open, on the first page alone."""
    if site.alerts is None or asked.show == "over" or "after" in request.query_params:
        return _NONE
    return await site.alerts.alerts(open_only=True, wanted=asked.wanted, limit=_OPEN)


async def _past(site: Site, request: Request, asked: Asked) -> Page[AlertView]:
    if site.alerts is None or asked.show == "open":
        return _NONE
    wanted = replace(asked.wanted, over_only=True)
    return await site.alerts.alerts(wanted=wanted, cursor=request.query_params.get("after"), limit=min(_PAST, MAX_LIMIT))


async def _page(
    site: Site, request: Request, asked: Asked, watched: Sequence[Monitor], open_: Page[AlertView], past: Page[AlertView]
) -> Response:
    setting = site.setting()
    language = language_of(request, setting.language)
    words = Words(language, words_of_alerts.TEXTS, words_of_alerts.COUNTED)
    now = (await site.health.health()).now
    names = {one.id: one.name for one in watched}

    def build() -> dict[str, Any]:
        rows = [_row(one, names, words, now) for one in worst_first(open_.items)]
        unacked = sum(not one.acked_by for one in open_.items)
        return {
            "asked": asked,
            "open": rows,
            "past": [_row(one, names, words, now) for one in past.items],
            "after": past.next,
            "headline": words("open_title", count=len(rows), number=grouped(len(rows), language)) if rows else words("none_open"),
            "state": max((one["state"] for one in rows), key=("unknown", "degraded", "down").index, default="ok"),
            "unacked": words("unacked", count=unacked, number=unacked) if unacked else "",
            "section": "alerts",
            "follows": site.live is not None,
        }

    context = await asyncio.get_running_loop().run_in_executor(site.renderer, build)
    return await page(request, site, "alerts.html.j2", context, words_of_alerts)


def worst_first(found: Sequence[AlertView]) -> list[AlertView]:
    """Outages before the others; those that nobody has acknowledged before those that somebody has; the newest first."""
    return sorted(found, key=lambda one: (one.first.severity is not Severity.OUTAGE, bool(one.acked_by), -one.first.opened_at))


def _row(one: AlertView, names: dict[str, str], words: Words, now: int) -> dict[str, Any]:
    first, language = one.first, words.language
    what = cause_words(first.cause, {}, language)
    name = words("own") if first.monitor == VIGIE_ID else printable(names.get(first.monitor, first.monitor), 80)
    services = words("services", count=one.size, number=grouped(one.size, language))
    return {
        "id": first.id,
        "state": state_of(first, is_open=True),
        "name": name if one.size == 1 else services,
        "what": what if one.size == 1 else f"{what} ({name}…)",
        "at": first.started_at,
        "age": now - first.started_at,
        "lasted": None if one.ended_at is None else duration(one.ended_at - first.started_at, language),
        "acked_by": printable(one.acked_by, 80) if one.acked_by else "",
        "snoozed": one.snoozed_until is not None and one.snoozed_until > now,
        "noted": noted_words(one.noted, language),
    }
