"""What is configured: the file, what of it needs attention, with line and fix; and what is in force."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.errors import Fault
from vigie.queries.setup import Examined, General
from vigie.text.dashboard import settings as texts
from vigie.text.formatting import byte_size
from vigie.web.access import Role, route
from vigie.web.managing import partial, unavailable
from vigie.web.rendering import page
from vigie.web.site import Site

_MAX_POINTS = 100

Point = tuple[str, Fault]


def routes(site: Site) -> list[BaseRoute]:
    """The page, and what reading the file anew gives."""

    async def show(request: Request) -> Response:
        examined = await _examined(site) if "examine" in request.query_params else None
        return await _page(request, site, examined)

    async def examine(request: Request) -> Response:
        if site.setup is None:
            return unavailable()
        examined = await _examined(site)
        if partial(request) and examined is not None:
            return await page(request, site, "settings_points.html.j2", _points(site.setup.general(), examined), texts)
        return await _page(request, site, examined)

    return [route("/settings", show, needs=Role.VIEWER), route("/settings/points", examine, needs=Role.VIEWER)]


async def _examined(site: Site) -> Examined | None:
    return None if site.setup is None else await site.setup.examined()


async def _page(request: Request, site: Site, examined: Examined | None) -> Response:
    if site.setup is None:
        return unavailable()
    general = site.setup.general()
    size = None if site.history is None else await site.history.size()
    context = {"section": "settings", "general": general, "size": size, "bytes": byte_size, **_points(general, examined)}
    return await page(request, site, "settings.html.j2", context, texts)


def _points(general: General, examined: Examined | None) -> dict[str, object]:
    """What needs attention, the worst first; `examined` is None while nobody has read the file anew."""
    known = examined or Examined(warnings=general.warnings)
    several = {
        "fault": known.faults,
        "problem": known.problems,
        "missing": general.missing,
        "doubt": known.doubts,
        "warning": known.warnings,
    }
    points: list[Point] = [(kind, fault) for kind, faults in several.items() for fault in faults]
    return {
        "points": points[:_MAX_POINTS],
        "faults": len(known.faults),
        "serious": len(known.problems) + len(general.missing),
        "unreadable": known.unreadable,
        "examined": examined is not None,
        "swapped": False,
    }
