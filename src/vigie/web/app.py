"""The web application: one page, one JSON endpoint. It reads a snapshot and changes nothing."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from vigie.core.model import Status
from vigie.core.report.words import cause_words, clock_time, short_time
from vigie.web import pings
from vigie.web.view import Line, Snapshot, State
from vigie.web.words import WORDS, latency, say, shown, span

# Nothing is fetched from anywhere: the page works offline, and a hostile monitor name cannot run a script.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def build(snapshot: Callable[[], Awaitable[Snapshot]], ears: pings.Ears | None = None) -> Starlette:
    """The application over a function that says how things stand, and over who hears the pings of jobs."""
    pages = Environment(loader=PackageLoader("vigie.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    pages.filters["shown"] = shown
    template = pages.get_template("status.html.j2")

    async def page(request: Request) -> Response:
        now = await snapshot()
        return HTMLResponse(template.render(**_context(now, _language(request, now.language))), headers=_HEADERS)

    async def health(_: Request) -> Response:
        now = await snapshot()
        return Response(
            msgspec.json.encode(_health(now)),
            status_code=200 if now.health.ok else 503,
            media_type="application/json",
            headers=_HEADERS,
        )

    return Starlette(routes=[Route("/", page), Route("/health", health), *(pings.routes(ears) if ears else ())])


def _language(request: Request, default: str) -> str:
    asked = request.query_params.get("lang", default)
    return asked if asked in WORDS else default


def _context(snapshot: Snapshot, language: str) -> dict[str, Any]:
    def words(key: str, **values: object) -> str:
        return say(language, key, **values)

    def since(at: int) -> str:
        return span(snapshot.health.now - at, language)

    tone, headline = _headline(snapshot, words)
    return {
        "snapshot": snapshot,
        "words": words,
        "since": since,
        "span": lambda ms: span(ms, language),
        "latency": lambda ms: latency(ms, language),
        "observed": lambda line: _observed(line, language),
        "stamp": lambda at: datetime.fromtimestamp(at / 1000, snapshot.zone).isoformat(timespec="seconds"),
        "began": lambda at: short_time(at, snapshot.zone, snapshot.health.now),
        "cause": lambda cause: cause_words(cause, {}, language),
        "as_of": clock_time(snapshot.health.now, snapshot.zone),
        "language": language,
        "other": "fr" if language == "en" else "en",
        "tone": tone,
        "headline": headline,
    }


def _observed(line: Line, language: str) -> str:
    """What the newest check saw, in words; empty when all is well."""
    return cause_words(line.result.cause, line.result.figures, language) if line.result and line.result.cause else ""


def _headline(snapshot: Snapshot, words: Callable[..., str]) -> tuple[str, str]:
    """Colour and words of the first line: the worst that stands."""
    number = len(snapshot.lines)
    if not snapshot.health.ok:
        return "down", words("stalled")
    if number == 0:
        return "none", words("nothing")
    if snapshot.standing(State.NONE) == number:
        return "none", words("waiting")
    for state in State:
        if state is not State.UP and (count := snapshot.standing(state)):
            return state.value, words(f"some_{state}", count=count, number=number, total=words("total", count=number))
    return "up", words("all_up")


def _health(snapshot: Snapshot) -> dict[str, Any]:
    health = snapshot.health
    return {
        "status": "ok" if health.ok else "stalled",
        "version": health.version,
        "started_at": health.started_at,
        "now": health.now,
        "last_result_at": health.last_result_at,
        "monitors": {"total": len(snapshot.lines), **{status.value: snapshot.count(status) for status in Status}},
        "incidents_open": sum(line.incident is not None for line in snapshot.lines),
        "notices_unsent": health.unsent,
        "notices_buried": health.buried,
        "late_p99_ms": health.late_p99_ms,
    }
