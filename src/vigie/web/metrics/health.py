"""Whether Vigie itself works, for load balancers and other monitors."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.core.model import Status
from vigie.queries import Health
from vigie.web.access import Public, route
from vigie.web.page import HEADERS
from vigie.web.site import Site

_MAX_NAMES = 100


def routes(site: Site) -> list[BaseRoute]:
    """`/health`, which reads no table that grows."""

    async def health(_: Request) -> Response:
        now = await site.health.health()
        body = msgspec.json.encode(_health(now))
        return Response(body, status_code=200 if now.ok else 503, media_type="application/json", headers=HEADERS)

    return [route("/health", health, needs=Public.ANYBODY)]


def _health(health: Health) -> dict[str, Any]:
    return {
        "status": "stalled" if not health.ok else "degraded" if health.unchecked else "ok",
        "version": health.version,
        "started_at": health.started_at,
        "now": health.now,
        "last_result_at": health.last_result_at,
        "monitors": {"total": sum(health.monitors.values()), **{status.value: health.monitors.get(status, 0) for status in Status}},
        "incidents_open": health.with_incident,
        "notices_unsent": health.notices.waiting,
        "notices_buried": health.notices.undeliverable,
        "late_p99_ms": health.late_p99_ms,
        "unchecked": {"count": len(health.unchecked), "monitors": health.unchecked[:_MAX_NAMES]},
    }
