"""The audit log: who had what done, when, from where, and what came of it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.text.dashboard import audit as words
from vigie.web.access import Role, route
from vigie.web.auth.sessions import accounts_of
from vigie.web.forms import line
from vigie.web.rendering import page
from vigie.web.site import Site

_SHOWN = 100


def routes(site: Site) -> list[BaseRoute]:
    """The route of a site that has accounts."""
    if site.accounts is None:
        return []

    async def show(request: Request) -> Response:
        asked = request.query_params
        actor, action = line(asked.get("actor", ""))[:64], line(asked.get("action", ""))[:64]
        before = asked.get("before", "")
        start = int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None
        found = await accounts_of(site).audit(actor=actor or None, action=action or None, before=start, limit=_SHOWN + 1)
        context = {
            "section": "settings",
            "entries": found[:_SHOWN],
            "older": found[_SHOWN - 1].number if len(found) > _SHOWN else None,
            "by": actor,
            "action": action,
            "first": start is None,
        }
        return await page(request, site, "audit.html.j2", context, words)

    return [route("/settings/audit", show, needs=Role.ADMIN, name="audit")]
