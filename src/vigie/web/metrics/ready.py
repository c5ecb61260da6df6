"""`/ready`: whether each part that monitoring needs does its work, for orchestrators and load balancers.

Of several servers it says what this one does; `/ready?role=evaluator` is for a balancer that needs the one that evaluates.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.queries.fleet import ServerRole
from vigie.web.access import Public, route
from vigie.web.page import HEADERS
from vigie.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """`/ready`; nothing where nothing runs."""
    measures = site.measures
    if measures is None:
        return []

    async def ready(request: Request) -> Response:
        parts, role = await measures.readiness(), None if site.fleet is None else site.fleet.role.value
        ok = not any(parts.values()) and request.query_params.get("role") in (None, role or ServerRole.EVALUATOR.value)
        said = {"ready": ok, "parts": {name: why or "ok" for name, why in parts.items()}}
        body = msgspec.json.encode(said if role is None else {**said, "role": role})
        return Response(body, status_code=200 if ok else 503, media_type="application/json", headers=HEADERS)

    return [route("/ready", ready, needs=Public.ANYBODY)]
