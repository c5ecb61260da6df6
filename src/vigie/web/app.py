"""The web application: one page, one JSON endpoint. It reads a snapshot and changes nothing."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from vigie.core.model import Status
from vigie.web import pings
from vigie.web.view import Snapshot
from vigie.web.words import WORDS, span

# Nothing is fetched from anywhere: the page works offline, and a hostile monitor name cannot run a script.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def build(snapshot: Callable[[], Awaitable[Snapshot]], ears: pings.Ears | None = None) -> Starlette:
    """The application over a function that says how things stand, and over who hears the pings of jobs."""
    pages = Environment(loader=PackageLoader("vigie.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = pages.get_template("status.html.j2")

    async def page(request: Request) -> Response:
        shown = await snapshot()
        language = _language(request, shown.language)
        return HTMLResponse(template.render(**_context(shown, language)), headers=_HEADERS)

    async def health(_: Request) -> Response:
        shown = await snapshot()
        return Response(
            msgspec.json.encode(_health(shown)),
            status_code=200 if shown.health.ok else 503,
            media_type="application/json",
            headers=_HEADERS,
        )

    return Starlette(routes=[Route("/", page), Route("/health", health), *(pings.routes(ears) if ears else ())])


def _language(request: Request, default: str) -> str:
    asked = request.query_params.get("lang", default)
    return asked if asked in WORDS else default


def _context(shown: Snapshot, language: str) -> dict[str, Any]:
    words = WORDS[language]
    tone, headline = _headline(shown, words)
    return {"shown": shown, "words": words, "language": language, "tone": tone, "headline": headline, "span": span}


def _headline(shown: Snapshot, words: dict[str, str]) -> tuple[str, str]:
    total = len(shown.lines)
    if not shown.health.ok:
        return "unknown", words["stalled"]
    for status, key in ((Status.DOWN, "some_down"), (Status.DEGRADED, "some_degraded"), (Status.UNKNOWN, "some_unknown")):
        if count := shown.count(status):
            return status.value, words[key].format(count=count, total=total)
    return ("none", words["waiting"]) if shown.count(None) == total else ("up", words["all_up"])


def _health(shown: Snapshot) -> dict[str, Any]:
    health = shown.health
    return {
        "status": "ok" if health.ok else "stalled",
        "version": health.version,
        "started_at": health.started_at,
        "now": health.now,
        "last_result_at": health.last_result_at,
        "monitors": {"total": len(shown.lines), **{status.value: shown.count(status) for status in Status}},
        "incidents_open": sum(line.incident is not None for line in shown.lines),
        "notices_unsent": health.unsent,
        "notices_buried": health.buried,
        "late_p99_ms": health.late_p99_ms,
    }
