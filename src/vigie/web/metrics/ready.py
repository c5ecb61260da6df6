"""`/ready`: whether each part that monitoring needs does its work, for orchestrators and load balancers."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.web.access import Public, route
from vigie.web.page import HEADERS
from vigie.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """`/ready`; nothing where nothing runs."""
    measures = site.measures
    if measures is None:
        return []

    async def ready(_: Request) -> Response:
        parts = await measures.readiness()
        ok = not any(parts.values())
        body = msgspec.json.encode({"ready": ok, "parts": {name: why or "ok" for name, why in parts.items()}})
        return Response(body, status_code=200 if ok else 503, media_type="application/json", headers=HEADERS)

    return [route("/ready", ready, needs=Public.ANYBODY)]
