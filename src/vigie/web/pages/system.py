"""How Vigie itself is: whether it works, how late its checks are, what waits, what it could not see, how much it keeps."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.observation.visibility import Blind
from vigie.queries import Health
from vigie.queries.setup import Running
from vigie.report.wording import cause_words
from vigie.text.dashboard import system as texts
from vigie.text.formatting import byte_size, decimal
from vigie.web.access import Role, route
from vigie.web.managing import unavailable
from vigie.web.page import language_of
from vigie.web.rendering import page
from vigie.web.site import Site

_NAMED = 30
_LATE_MS = 2_000  # from which on a machine has too much to do


def routes(site: Site) -> list[BaseRoute]:
    """The page."""

    async def show(request: Request) -> Response:
        if site.setup is None:
            return unavailable()
        running, health = await site.setup.running(), await site.health.health()
        fleet = None if site.fleet is None else await site.fleet.fleet()
        general, language = site.setup.general(), language_of(request, site.setting().language)
        names = {one.id: one.name for one in site.setup.monitors()}
        context = {
            "section": "settings",
            "running": running,
            "fleet": fleet,
            "general": general,
            "names": names,
            "cause": lambda one: cause_words(one.cause, {}, language),
            "bytes": byte_size,
            "rate": lambda value: decimal(round(value, 1), language),
            "unchecked": health.unchecked[:_NAMED],
            "more": len(health.unchecked) - _NAMED,
            "late": health.late_p99_ms is not None and health.late_p99_ms > _LATE_MS,
            **_headline(running, health),
        }
        return await page(request, site, "system.html.j2", context, texts)

    return [route("/system", show, needs=Role.VIEWER)]


def _headline(running: Running, health: Health) -> dict[str, Any]:
    """The worst that there is to say."""
    blind: Blind | None = next(
        (one for one in running.blinds if one.until is None and not (one.monitor or one.quiet or one.location)), None
    )
    if running.stalled:
        return {"tone": "down", "head": "part", "blind": None}
    if blind is not None:
        return {"tone": "unknown", "head": "blind", "blind": blind}
    if not health.ok:
        return {"tone": "down", "head": "stalled", "blind": None}
    return {"tone": "degraded" if health.unchecked else "ok", "head": "unchecked" if health.unchecked else "fine", "blind": None}
