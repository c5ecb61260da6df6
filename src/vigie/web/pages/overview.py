"""The overview: every monitor, worst first, and what happened lately."""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from vigie.queries import MonitorState, MonitorView
from vigie.report.deliveries import because, story
from vigie.report.wording import cause_words
from vigie.text.formatting import clock_time, duration, latency, local_time, short_time
from vigie.web.access import Role, route
from vigie.web.page import HEADERS, language_of, say
from vigie.web.site import Site
from vigie.web.view import Snapshot, gathered

_NAMED = 10
_INLINE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"


def routes(site: Site) -> list[BaseRoute]:
    """The first page."""

    async def overview(request: Request) -> Response:
        now = await gathered(site.queries, site.health, site.setting())
        text = site.template("status.html.j2").render(**_context(now, language_of(request, now.language)))
        return HTMLResponse(text, headers={**HEADERS, "Content-Security-Policy": _INLINE})

    return [route("/", overview, needs=Role.VIEWER)]


def _context(snapshot: Snapshot, language: str) -> dict[str, Any]:
    def words(key: str, **values: object) -> str:
        return say(language, key, **values)

    def since(at: int) -> str:
        return duration(snapshot.health.now - at, language)

    tone, headline = _headline(snapshot, words)
    return {
        "snapshot": snapshot,
        "words": words,
        "since": since,
        "span": lambda ms: duration(ms, language),
        "latency": lambda ms: latency(ms, language),
        "story": lambda incident: story(snapshot.accounts.get(incident, ()), language, snapshot.zone, snapshot.health.now)[:1],
        "failure": lambda spell: because(spell.failure, spell.answer, spell.attempts, language),
        "unchecked": _listed(snapshot.health.unchecked),
        "observed": lambda one: _observed(one, language),
        "stamp": lambda at: local_time(at, snapshot.zone).isoformat(timespec="seconds"),
        "began": lambda at: short_time(at, snapshot.zone, language, snapshot.health.now),
        "cause": lambda cause: cause_words(cause, {}, language),
        "as_of": clock_time(snapshot.health.now, snapshot.zone),
        "language": language,
        "other": "fr" if language == "en" else "en",
        "tone": tone,
        "headline": headline,
    }


def _listed(names: Sequence[str]) -> str:
    """The first of them."""
    return ", ".join(names[:_NAMED]) + (f" … +{len(names) - _NAMED}" if len(names) > _NAMED else "")


def _observed(one: MonitorView, language: str) -> str:
    """What the newest check saw, in words; empty when all is well."""
    return cause_words(one.result.cause, one.result.figures, language) if one.result and one.result.cause else ""


def _headline(snapshot: Snapshot, words: Callable[..., str]) -> tuple[str, str]:
    """Colour and words of the first line: the worst state there is."""
    number = len(snapshot.monitors)
    if not snapshot.health.ok:
        return "down", words("stalled")
    if number == 0:
        return "none", words("nothing")
    if snapshot.count(MonitorState.NONE) == number:
        return "none", words("waiting")
    for state in MonitorState:
        if state is not MonitorState.UP and (count := snapshot.count(state)):
            return state.value, words(f"some_{state}", count=count, number=number, total=words("total", count=number))
    return "up", words("all_up")
