"""`/live`: this process answers. An orchestrator restarts one that does not; what it needs from elsewhere is for `/ready` to say."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from vigie.web.access import Public, route
from vigie.web.page import HEADERS
from vigie.web.site import Site


def routes(_: Site) -> list[BaseRoute]:
    """`/live`, which asks nothing of anything."""

    async def live(_: Request) -> Response:
        return PlainTextResponse("ok\n", headers=HEADERS)

    return [route("/live", live, needs=Public.ANYBODY)]
