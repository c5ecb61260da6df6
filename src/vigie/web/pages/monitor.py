"""The page of a monitor, all its results, and what people have it do at once: a check, diagnostics."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.commands.definitions import Definition, DefinitionKind
from vigie.core.model import CheckResult
from vigie.errors import VigieError
from vigie.observation.rollup import Resolution
from vigie.queries import MonitorState
from vigie.queries.alerts import AlertView
from vigie.queries.board import Span
from vigie.queries.details import MonitorDetails
from vigie.queries.history import PhasePoint
from vigie.report.render import RenderContext
from vigie.report.wording import cause_words, printable
from vigie.text.dashboard import monitor as words_of_monitor
from vigie.text.formatting import duration
from vigie.web import monitor_view as view
from vigie.web.access import Role, route
from vigie.web.alert_timeline import noted_words
from vigie.web.alert_view import state_of
from vigie.web.monitor_view import DAY, HOUR, Measured, Speaker
from vigie.web.page import language_of
from vigie.web.rendering import Words, page
from vigie.web.site import Site

_SPANS = {"3h": (3 * HOUR, 90), "24h": (DAY, 96), "7d": (7 * DAY, 84), "90d": (90 * DAY, 90), "1y": (365 * DAY, 73)}
_CHECKS, _PAST, _RESULTS = 8, 6, 100
_UPTIMES = (DAY, 30 * DAY, 90 * DAY, 365 * DAY)
_PLACES, _POINTS = 20, 48  # locations with a sparkline, and its points
_VALUE = 300  # characters of an option


def routes(site: Site) -> list[BaseRoute]:
    """The page, the results, a check and diagnostics."""

    async def show(request: Request) -> Response:
        found = await _found(site, request)
        return await _unknown(request, site) if found is None else await _page(site, request, found)

    async def results(request: Request) -> Response:
        found = await _found(site, request)
        return await _unknown(request, site) if found is None else await _results(site, request, found)

    async def check(request: Request) -> Response:
        return await _asked(site, request, diagnose=False)

    async def diagnose(request: Request) -> Response:
        return await _asked(site, request, diagnose=True)

    return [
        route("/monitors/{monitor}", show, needs=Role.VIEWER, name="monitor"),
        route("/monitors/{monitor}/results", results, needs=Role.VIEWER, name="monitor_results"),
        route("/monitors/{monitor}/check", check, needs=Role.RESPONDER, methods=["POST"], name="monitor_check"),
        route("/monitors/{monitor}/diagnose", diagnose, needs=Role.RESPONDER, methods=["POST"], name="monitor_diagnose"),
    ]


async def _found(site: Site, request: Request) -> MonitorDetails | None:
    return None if site.details is None else await site.details.monitor(request.path_params["monitor"])


async def _unknown(request: Request, site: Site) -> Response:
    return await page(request, site, "monitor_unknown.html.j2", {"id": request.path_params["monitor"]}, words_of_monitor, status=404)


async def _speaker(site: Site, request: Request) -> Speaker:
    setting = site.setting()
    language = language_of(request, setting.language)
    words = Words(language, words_of_monitor.TEXTS, words_of_monitor.COUNTED)
    return Speaker(RenderContext(language, setting.zone), words, (await site.health.health()).now)


async def _young(site: Site, monitor: str, now: int) -> bool:
    """Whether it has been watched for less than a day: most of 24 hours would be empty."""
    if site.history is None:
        return False
    known = (await site.history.uptimes([monitor], now, _UPTIMES)).get(monitor, ())
    return any(one.since is not None and now - one.since < DAY for one in known)


async def _measured(site: Site, monitor: str, now: int, span: str, place: str | None = None) -> Measured:
    """What history says, asked for side by side."""
    history = site.history
    past = None if site.board is None else (await site.board.past([monitor], Span.QUARTER)).get(monitor)
    if history is None:
        return Measured(past=past)
    length, count = _SPANS[span]
    uptimes, hour, points, hours, days, checks = await asyncio.gather(
        history.uptimes([monitor], now, _UPTIMES),
        history.phases(monitor, now - HOUR, now, 1),
        history.phases(monitor, now - length, now, count, place),
        history.rollups([monitor], now - 8 * DAY, now, Resolution.HOUR),
        history.rollups([monitor], now - 90 * DAY, now, Resolution.DAY),
        history.results(monitor, now - 365 * DAY, now + 1, limit=_CHECKS),
    )
    return Measured(
        uptimes.get(monitor, ()), hour[0] if hour else None, tuple(points), tuple(hours.get(monitor, ())), tuple(days.get(monitor, ())),
        checks.items, past,
    )  # fmt: skip


async def _days(site: Site, found: MonitorDetails, now: int) -> dict[str, list[PhasePoint]]:
    """The last 24 hours as each of several locations saw them."""
    if site.history is None:
        return {}
    names = [one.location for one in found.places[:_PLACES]]
    lines = await asyncio.gather(*(site.history.phases(found.view.monitor.id, now - DAY, now, _POINTS, name) for name in names))
    return dict(zip(names, lines, strict=True))


async def _definition(site: Site, monitor: str) -> Definition | None:
    commands = site.commands.definitions
    return None if commands is None else await commands.definition(DefinitionKind.MONITOR, monitor)


async def _past(site: Site, monitor: str) -> tuple[AlertView, ...]:
    return () if site.alerts is None else (await site.alerts.alerts(monitor=monitor, limit=_PAST)).items


async def _page(
    site: Site, request: Request, found: MonitorDetails, *, said: str = "", diagnosis: tuple[str, ...] | None = None, status: int = 200
) -> Response:
    speaker, monitor = await _speaker(site, request), found.view.monitor.id
    span, place = request.query_params.get("span", ""), request.query_params.get("from", "")[:100]
    if span not in _SPANS:
        span = "3h" if await _young(site, monitor, speaker.now) else "24h"
    measured, definition, past, days = await asyncio.gather(
        _measured(site, monitor, speaker.now, span, place or None),
        _definition(site, monitor),
        _past(site, monitor),
        _days(site, found, speaker.now),
    )
    row = None if site.board is None else site.board.row(monitor)
    seen = found.view.seen if row is None else row.view.seen
    done = request.query_params.get("done", "")

    def build() -> dict[str, Any]:
        return _context(found, measured, speaker, span) | {
            "options": _options(definition),
            "definition": definition,
            "past": [_alert(one, speaker) for one in past],
            "place_rows": view.place_rows(found, seen, days, speaker),
            "from_where": view.from_where(seen, speaker),
            "open_alert": next((one for one in past if one.is_open), None),
        }

    context = await asyncio.get_running_loop().run_in_executor(site.renderer, build)
    context |= {"said": said, "diagnosis": diagnosis, "spans": list(_SPANS), "section": "overview", "follows": site.live is not None}
    context |= {"place": place, "notice": speaker.words(f"done_{done}") if done in ("silenced", "saved") else ""}
    return await page(request, site, "monitor.html.j2", context, words_of_monitor, status=status)


def _context(found: MonitorDetails, measured: Measured, speaker: Speaker, span: str) -> dict[str, Any]:
    drawn, lost = view.tape_of(measured, speaker.now)
    since = view.since_of(found.view)
    chart = view.chart(measured, speaker, _flag(found, since, speaker))
    checks = measured.checks or ((found.view.result,) if found.view.result is not None else ())
    places = sorted({one.location for one in (*checks, *found.places)})
    usual = view.usual_p95(measured.hours, speaker.now)
    hour = measured.hour
    return {
        "found": found,
        "view": found.view,
        "monitor": found.view.monitor,
        "job": found.view.monitor.kind == "heartbeat",
        "headline": view.headline_of(found, measured, speaker),
        "since": since,
        "later": view.later(found, measured, speaker) if found.view.state is MonitorState.DEGRADED else "",
        "figures": view.figures(measured, speaker),
        "percentiles": None if hour is None or hour.p50 is None else tuple(map(speaker.brief, (hour.p50, hour.p95, hour.p99))),
        "rows": view.phase_rows(found, measured, speaker),
        "p95": (hour.p95 if hour else None, usual),
        "chart": None if chart is None else json.dumps(chart, separators=(",", ":"), ensure_ascii=False),
        "chart_words": view.chart_words(measured, span, speaker),
        "span": span,
        "tape": drawn,
        "tape_words": view.lost_words(lost, speaker),
        "heat": view.heat(measured.hours, speaker.now, speaker.setting.zone, speaker.language),
        "checks": [(one, _observed(one, speaker), drawn) for one, drawn in zip(checks, view.bars(checks), strict=True)],
        "places": places if len(places) > 1 else [],
        "chain": view.chain(found, speaker.now, speaker),
        "unseen": view.unseen(found, speaker),
        "brief_ms": speaker.brief,
        "quote": lambda text: printable(text, _VALUE),
    }


def _flag(found: MonitorDetails, since: int | None, speaker: Speaker) -> tuple[int, str, bool] | None:
    """When it began, what the line in the chart says, and whether it is an outage."""
    if since is None or found.view.state not in (MonitorState.DOWN, MonitorState.DEGRADED, MonitorState.SUSPECTED):
        return None
    cause = found.view.result.cause if found.view.result is not None else None
    slow = cause is not None and cause.startswith("latency.")
    name = "slow_since" if slow else "down_since" if found.view.state is MonitorState.DOWN else "degraded_since"
    return since, speaker.words(name, time="{time}"), found.view.state is MonitorState.DOWN  # the reader's own clock fills it in


def _observed(one: CheckResult, speaker: Speaker) -> str:
    """What a check found, in a few words."""
    if one.cause is not None:
        return printable(cause_words(one.cause, one.figures, speaker.language), 120)
    return f"HTTP {one.http.status}" if one.http is not None and one.http.status else speaker.words("fine")


def _alert(one: AlertView, speaker: Speaker) -> dict[str, Any]:
    ended = one.ended_at
    return {
        "id": one.first.id,
        "state": state_of(one.first, is_open=True),
        "what": cause_words(one.first.cause, {}, speaker.language),
        "at": one.first.started_at,
        "lasted": None if ended is None else duration(ended - one.first.started_at, speaker.language),
        "noted": noted_words(one.noted, speaker.language),
    }


def _options(definition: Definition | None) -> list[tuple[str, str]]:
    """The keys of a monitor as the configuration has them, secrets masked, on one line each."""
    if definition is None:
        return []
    return [(key, printable(_written(value), _VALUE)) for key, value in _flat(definition.body)]


def _flat(body: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in body.items():
        found += _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) and value else [(prefix + key, value)]
    return found


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


async def _results(site: Site, request: Request, found: MonitorDetails) -> Response:
    speaker = await _speaker(site, request)
    items: tuple[CheckResult, ...] = ()
    after: str | None = None
    if site.history is not None:
        try:
            cursor = request.query_params.get("after")
            listed = await site.history.results(found.view.monitor.id, 0, speaker.now + DAY, cursor=cursor, limit=_RESULTS)
            items, after = listed.items, listed.next
        except VigieError:
            return await _unknown(request, site)
    rows = [(one, _observed(one, speaker), drawn) for one, drawn in zip(items, view.bars(items), strict=True)]
    context = {"monitor": found.view.monitor, "checks": rows, "after": after, "brief_ms": speaker.brief, "section": "overview"}
    return await page(request, site, "monitor_results.html.j2", context, words_of_monitor)


async def _asked(site: Site, request: Request, *, diagnose: bool) -> Response:
    """Have it checked, or diagnosed, and show the page with what came of it."""
    found, desk = await _found(site, request), site.commands.monitors
    if found is None or desk is None:
        return await _unknown(request, site)
    speaker, monitor = await _speaker(site, request), found.view.monitor.id
    try:
        if diagnose:
            sentences = await desk.diagnose(monitor)
            return await _page(site, request, found, diagnosis=sentences)
        result = await desk.check_now(monitor)
    except VigieError as error:
        return await _page(site, request, found, said=speaker.words("not_now", why=error.message), status=409)
    again = await site.details.monitor(monitor) if site.details is not None else None
    what = "" if result is None else speaker.words("all_well") if result.cause is None else _observed(result, speaker)
    return await _page(site, request, again or found, said=speaker.words("checked", what=what))
