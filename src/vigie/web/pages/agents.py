"""Agents in other places: how each is; to enroll one, whose token is shown once, and to revoke one."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.errors import VigieError
from vigie.text import pick
from vigie.text.dashboard import agents as texts
from vigie.text.formatting import duration
from vigie.web.access import Role, route
from vigie.web.managing import by, moved, submitted, unavailable
from vigie.web.page import language_of
from vigie.web.rendering import page
from vigie.web.site import Site

_PATH = "/settings/agents"
_RIGHT_MS = 1_000


def routes(site: Site) -> list[BaseRoute]:
    """The page, and what is done there."""

    async def show(request: Request) -> Response:
        return await _page(request, site)

    async def enroll(request: Request) -> Response:
        form, commands = await submitted(request), site.commands.agents
        if isinstance(form, Response):
            return form
        if commands is None:
            return unavailable()
        name, location = form.line("name", 64), form.line("location", 64)
        given = {"name": name, "location": location}
        request.state.audit = {"agent": name, "location": location}
        try:
            made = await commands.enroll(name, location, by(request))
        except VigieError:
            return await _page(request, site, 422, fault="form", form=given)
        if made is None:
            return await _page(request, site, 409, fault="taken", form=given)
        return await _page(request, site, secret=made.token)

    async def revoke(request: Request) -> Response:
        if site.commands.agents is None:
            return unavailable()
        name = str(request.path_params["name"])
        if not await site.commands.agents.revoke(name):
            return await _page(request, site, 404, fault="unknown")
        return moved(_PATH, done="revoked")

    return [
        route(_PATH, show, needs=Role.VIEWER, name="agents"),
        route(_PATH, enroll, needs=Role.ADMIN, methods=["POST"], name="agent_enroll"),
        route(f"{_PATH}/{{name}}/revoke", revoke, needs=Role.ADMIN, methods=["POST"], name="agent_revoke"),
    ]


async def _page(request: Request, site: Site, status: int = 200, **more: Any) -> Response:
    if site.agents is None:
        return unavailable()
    language = language_of(request, site.setting().language)
    done = request.query_params.get("done", "")

    def clock(skew_ms: int) -> str:
        if abs(skew_ms) <= _RIGHT_MS:
            return pick(texts.TEXTS["clock_right"], language)
        return pick(texts.TEXTS["clock_fast" if skew_ms > 0 else "clock_slow"], language).format(off=duration(abs(skew_ms), language))

    context = {
        "section": "settings",
        "agents": await site.agents.agents(),
        "clock": clock,
        "server": site.access.public_url or site.access.base,
        "done": done if f"done_{done}" in texts.TEXTS else "",
        "fault": "",
        "form": {},
        "secret": "",
        **more,
    }
    return await page(request, site, "agents.html.j2", context, texts, status=status)
