"""The web application: one page and one JSON endpoint over the read side, which change nothing; and whoever takes pings and feedback."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from vigie.core.model import Status
from vigie.queries import Health, HealthQueries, MonitorState, MonitorView, Queries
from vigie.report.deliveries import because, story
from vigie.report.render import RenderContext
from vigie.report.wording import cause_words
from vigie.text.formatting import clock_time, duration, latency, local_time, short_time
from vigie.web import buttons, feedback, pings, respond
from vigie.web.hosts import Hosts, name_of
from vigie.web.page import HEADERS, language_of, say, templates
from vigie.web.view import Snapshot, gathered

_MAX_NAMES, _NAMED = 100, 10


def build(
    queries: Queries,
    vigie: HealthQueries,
    setting: Callable[[], RenderContext],
    receiver: pings.PingReceiver | None = None,
    service: feedback.FeedbackService | None = None,
    hosts: Hosts | None = None,
    responses: respond.ResponseService | None = None,
    presses: buttons.ButtonService | None = None,
) -> ASGIApp:
    """The application over what can be asked, over who takes the pings of jobs, who takes feedback, and who acts on alerts.

    `setting` is the language and the zone of the configuration in force; `hosts` are the names that a request may call us by, any where
    there are none. A ping may call us anything: its token is the secret, which a foreign page has not.
    """
    pages = templates()
    template = pages.get_template("status.html.j2")

    async def page(request: Request) -> Response:
        now = await gathered(queries, vigie, setting())
        return HTMLResponse(template.render(**_context(now, language_of(request, now.language))), headers=HEADERS)

    async def health(_: Request) -> Response:
        now = await vigie.health()
        return Response(
            msgspec.json.encode(_health(now)),
            status_code=200 if now.ok else 503,
            media_type="application/json",
            headers=HEADERS,
        )

    more = [*(pings.routes(receiver) if receiver else ()), *(feedback.routes(service, pages) if service else ())]
    more += [*(respond.routes(responses, pages) if responses else ()), *(buttons.routes(presses) if presses else ())]
    return _application([Route("/", page), Route("/health", health), *more], hosts)


def build_pings(receiver: pings.PingReceiver) -> ASGIApp:
    """The application that takes pings and shows nothing."""
    return _application(pings.routes(receiver))


def _application(routes: Sequence[BaseRoute], hosts: Hosts | None = None) -> ASGIApp:
    """Nothing is ever redirected: `curl -f` takes a redirect for success, and what was to be done would not be done."""
    inner = Starlette(routes=routes)
    inner.router.redirect_slashes = False

    async def tidied(scope: Scope, receive: Receive, send: Send) -> None:
        path = "/" + "/".join(part for part in scope["path"].split("/") if part)  # `//ping/x/` is `/ping/x`
        host = Headers(scope=scope).get("host")
        # A browser always sends one; a load balancer that speaks HTTP/1.0 does not.
        if hosts is not None and host is not None and not path.startswith(pings.PATHS) and not hosts.allow(host):
            await _misdirected(host)(scope, receive, send)
        else:
            await inner({**scope, "path": path}, receive, send)

    return tidied


def _misdirected(host: str) -> Response:
    name = name_of(host)
    words = f"Vigie does not serve this host. If it is one of its names, add {name or 'it'} to `web.hosts` in vigie.yaml.\n"
    return PlainTextResponse(words, status_code=421, headers=HEADERS)


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
