"""Planned work: what is under way, what comes, a month at a time; people begin, change and end it here."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from vigie.core.model import Monitor
from vigie.planning import wall
from vigie.planning.duration import Duration
from vigie.planning.feed import work_calendar
from vigie.planning.windows import Once
from vigie.queries.setup import Feed, PlannedWork, SetupQueries
from vigie.text.dashboard import maintenance as texts
from vigie.text.formatting import month_name
from vigie.web.access import Public, Role, may, route
from vigie.web.managing import (
    Texts,
    absent,
    by,
    instant,
    is_secret,
    local_field,
    moved,
    noticed,
    offered,
    submitted,
    tags_of,
    unavailable,
)
from vigie.web.page import HEADERS
from vigie.web.rendering import LINKS, page, rendered
from vigie.web.site import Site

_DAY_MS = 86_400_000
_AHEAD_MS, _SHORTEST_MS, _LONGEST_MS, _LATEST_MS = 90 * _DAY_MS, 60_000, 365 * _DAY_MS, 366 * _DAY_MS
_LISTED, _A_DAY, _INPUTS, _MAX_ITEMS = 60, 3, 4, 200
_FEED_BACK_MS, _FEED_AHEAD_MS = 31 * _DAY_MS, 366 * _DAY_MS


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One span of planned work, epoch ms."""

    work: PlannedWork
    start: int
    end: int
    names: tuple[str, ...] = ()

    @property
    def recurring(self) -> bool:
        """Whether it comes again."""
        return not isinstance(self.work.entry.window, Once)


@dataclass(slots=True)
class Wanted:
    """What somebody plans, as it was entered; `faults` by field, as (text, values)."""

    when: str = "now"
    start: str = ""
    length: str = "1h"
    scope: str = "some"
    monitors: list[str] = field(default_factory=list)
    tags: str = ""
    why: str = ""
    faults: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)


class _Desk:
    """What the routes do, over the site."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, request: Request) -> Response:
        """The page; monitors may be named in its address."""
        return await _page(request, self._site, Wanted(monitors=request.query_params.getlist("monitor")[:_INPUTS]))

    async def start(self, request: Request) -> Response:
        """Plan what was entered."""
        site, found = self._site, await submitted(request)
        if isinstance(found, Response):
            return found
        if site.setup is None or site.commands.maintenance is None:
            return unavailable()
        wanted = _wanted(found)
        planned = _planned(wanted, site.setup.monitors(), site.setting().zone, (await site.health.health()).now)
        if planned is None:
            return await _page(request, site, wanted, status=422)
        begins, ends, monitors, tags = planned
        request.state.audit = {"monitors": monitors[:20], "tags": tags, "why": wanted.why, "until": ends}
        await site.commands.maintenance.start(begins, ends, monitors, tags, wanted.why, by(request))
        return moved("/maintenance", done="started" if wanted.when == "now" else "planned")

    async def change(self, request: Request) -> Response:
        """Have it end at another time, or say otherwise why."""
        site, found = self._site, await submitted(request)
        if isinstance(found, Response):
            return found
        if site.commands.maintenance is None or site.setup is None:
            return unavailable()
        number, now = request.path_params["number"], (await site.health.health()).now
        known = next((one for one in site.setup.maintenance() if one.number == number), None)
        if known is None:
            return moved("/maintenance", done="over")
        until, window = instant(found.one("until"), site.setting().zone, end=True), known.entry.window
        begins = window.start if isinstance(window, Once) else now
        if until is None or until <= max(now, begins) or until - begins > _LONGEST_MS:
            return await _page(request, site, Wanted(), fault=(number, "fault_end"), status=422)
        done = await site.commands.maintenance.change(number, until, found.line("why", 500), by(request))
        return moved("/maintenance", done="changed" if done else "over")

    async def end(self, request: Request) -> Response:
        """End it now, or have it never begin."""
        commands = self._site.commands.maintenance
        if commands is None:
            return unavailable()
        done = await commands.end(request.path_params["number"], by(request))
        return moved("/maintenance", done="ended" if done else "over")

    async def silence(self, request: Request) -> Response:
        """Begin maintenance of one monitor."""
        site, found = self._site, await submitted(request)
        if isinstance(found, Response):
            return found
        if site.setup is None or site.commands.maintenance is None:
            return unavailable()
        monitor = next((one for one in site.setup.monitors() if one.id == request.path_params["id"]), None)
        if monitor is None:
            return absent("There is no such monitor.\n")
        length, now = _length(found.one("for") or "1h"), (await site.health.health()).now
        if length is None:
            return PlainTextResponse("Write a duration from 1m to 365d.\n", status_code=422, headers=HEADERS)
        request.state.audit = {"for_ms": length}
        await site.commands.maintenance.start(now, now + length, [monitor.id], [], found.line("why", 500), by(request))
        return moved(LINKS.monitor(monitor.id), done="silenced")

    async def names(self, request: Request) -> Response:
        """The names that a field offers for what is in it."""
        if self._site.setup is None:
            return unavailable()
        text = request.query_params.get("q", "") or next(iter(request.query_params.getlist("monitor")), "")
        return await _names(self._site, offered(self._site.setup.monitors(), text[:100]))

    async def feed(self, request: Request) -> Response:
        """The calendar, for whoever knows its address."""
        setup = self._site.setup
        if setup is None:
            return unavailable()
        if not is_secret(request, setup.feed_secret(Feed.MAINTENANCE)):
            return absent()
        now = (await self._site.health.health()).now
        entries = [one.entry for one in setup.maintenance()]
        data = work_calendar(entries, now - _FEED_BACK_MS, now + _FEED_AHEAD_MS, now)
        return Response(data, headers=HEADERS, media_type="text/calendar; charset=utf-8")


def routes(site: Site) -> list[BaseRoute]:
    """The page, what people do on it, its calendar, and the names that its fields offer."""
    desk = _Desk(site)
    return [
        route("/maintenance", desk.show, needs=Role.VIEWER),
        route("/maintenance", desk.start, needs=Role.RESPONDER, methods=("POST",), name="maintenance_start"),
        route("/maintenance/{number:int}", desk.change, needs=Role.RESPONDER, methods=("POST",), name="maintenance_change"),
        route("/maintenance/{number:int}/end", desk.end, needs=Role.RESPONDER, methods=("POST",), name="maintenance_end"),
        route("/monitors/{id}/silence", desk.silence, needs=Role.RESPONDER, methods=("POST",), name="monitor_silence"),
        route("/choices/monitors", desk.names, needs=Role.VIEWER),
        route("/maintenance.ics", desk.feed, needs=Public.LINK),
    ]


async def _names(site: Site, found: list[str]) -> Response:
    text = await rendered(site, "choices.html.j2", {"names": found})
    return Response(text, headers=HEADERS, media_type="text/html; charset=utf-8")


async def _page(request: Request, site: Site, wanted: Wanted, *, fault: tuple[int, str] | None = None, status: int = 200) -> Response:
    setup = site.setup
    if setup is None:
        return unavailable()
    now, zone = (await site.health.health()).now, site.setting().zone
    names = {one.id: one.name for one in setup.monitors()}
    planned = setup.maintenance()
    coming = _occurrences(planned, names, now, now + _AHEAD_MS)
    current = [one for one in coming if one.start <= now]
    upcoming = [one for one in coming if one.start > now]
    month = _month(request.query_params.get("month", ""), wall.shown(now, zone).date())
    context = {
        "section": "maintenance",
        "current": current,
        "upcoming": _next(upcoming)[:_LISTED],
        "calendar": _calendar(planned, names, month, zone, wall.shown(now, zone).date()),
        "wanted": wanted,
        "inputs": max(_INPUTS, len(wanted.monitors)),
        "tags": tags_of(setup.monitors()),
        "field": lambda at: local_field(at, zone),
        "fault": fault,
        "notice_name": noticed(request, texts.TEXTS),
        "feed": _feed(request, setup),
        "month_title": lambda day, language: month_name(day.month, day.year, language),
    }
    return await page(request, site, "maintenance.html.j2", context, texts, status=status)


def _feed(request: Request, setup: SetupQueries) -> str:
    """The address to subscribe to, for those who may act; empty where there is none."""
    secret = setup.feed_secret(Feed.MAINTENANCE) if may(request, Role.RESPONDER) else ""
    base = setup.general().public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return f"{base}/maintenance.ics?token={secret}" if secret else ""


def _occurrences(planned: Sequence[PlannedWork], names: dict[str, str], start: int, end: int) -> list[Occurrence]:
    """Every span within, by its beginning."""
    found = [
        Occurrence(one, begin, finish, tuple(names.get(key, key) for key in one.entry.monitors[:_INPUTS]))
        for one in planned
        for begin, finish in one.entry.window.spans(start, end)
        if finish > start
    ]
    return sorted(found, key=lambda one: (one.start, one.end))


def _next(upcoming: Sequence[Occurrence]) -> list[tuple[Occurrence, int]]:
    """The next occurrence of each entry, and how many follow."""
    found: dict[str, tuple[Occurrence, int]] = {}
    for one in upcoming:
        first, more = found.get(one.work.entry.id, (one, -1))
        found[one.work.entry.id] = (first, more + 1)
    return list(found.values())


def _month(text: str, today: date) -> date:
    """The first day of the month that was asked for."""
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        found = today.replace(day=1)
    return found if 1970 < found.year < 2200 else today.replace(day=1)


def _calendar(planned: Sequence[PlannedWork], names: dict[str, str], month: date, zone: tzinfo, today: date) -> dict[str, Any]:
    """Whole weeks of a month, each day with what is planned on it, by the clock on the wall."""
    following = (month + timedelta(days=32)).replace(day=1)
    first = month - timedelta(days=month.weekday())
    last = following + timedelta(days=-following.weekday() % 7)
    edges = [wall.begins(datetime.combine(first + timedelta(days=number), time()), zone) for number in range((last - first).days + 1)]
    spans = _occurrences(planned, names, edges[0], edges[-1])
    days = []
    for number, (begin, end) in enumerate(pairwise(edges)):
        day = first + timedelta(days=number)
        on = [one for one in spans if one.start < end and begin < one.end]
        days.append(
            {
                "day": day,
                "begin": begin,
                "end": end,
                "within": day.month == month.month,
                "today": day == today,
                "on": on[:_A_DAY],
                "more": len(on) - _A_DAY,
            }
        )
    inside = [one for one in spans if one.start < edges[(following - first).days] and one.end > edges[(month - first).days]]
    return {
        "month": month,
        "previous": f"{(month - timedelta(days=1)):%Y-%m}",
        "following": f"{following:%Y-%m}",
        "weeks": [days[place : place + 7] for place in range(0, len(days), 7)],
        "list": inside[:_MAX_ITEMS],
        "short": lambda at: f"{wall.shown(at, zone):%H:%M}",
    }


def _wanted(found: Texts) -> Wanted:
    return Wanted(
        when="later" if found.one("when") == "later" else "now",
        start=found.line("start"),
        length=found.line("for"),
        scope="all" if found.one("scope") == "all" else "some",
        monitors=found.lines("monitor")[:_MAX_ITEMS],
        tags=found.line("tags", 1_000),
        why=found.line("why", 500),
    )


def _length(text: str) -> int | None:
    try:
        found = int(Duration.parse(text))
    except ValueError:
        return None
    return found if _SHORTEST_MS <= found <= _LONGEST_MS else None


def _planned(wanted: Wanted, watched: Sequence[Monitor], zone: tzinfo, now: int) -> tuple[int, int, list[str], list[str]] | None:
    """(start, end, ids of monitors, tags), or None after noting why not."""
    length = _length(wanted.length)
    if length is None:
        wanted.faults["for"] = ("fault_length", {})
    start = now if wanted.when == "now" else instant(wanted.start, zone)
    if start is None or not now - _DAY_MS <= start <= now + _LATEST_MS or (length is not None and start + length <= now):
        wanted.faults["start"] = ("fault_start", {})
    tags = list(dict.fromkeys(tag for one in wanted.tags.split(",") if (tag := one.strip())))
    ids = _ids(wanted, watched)
    known = {tag for one in watched for tag in one.tags}
    if wrong := next((tag for tag in tags if tag not in known), None):
        wanted.faults["tags"] = ("fault_tag", {"name": wrong})
    if wanted.scope == "all":
        ids, tags = [], []
        wanted.faults.pop("tags", None)
        wanted.faults.pop("monitor", None)
    elif not ids and not tags and not wanted.faults:
        wanted.faults["scope"] = ("fault_nothing", {})
    return None if wanted.faults or start is None or length is None else (start, start + length, ids, tags)


def _ids(wanted: Wanted, watched: Sequence[Monitor]) -> list[str]:
    """The ids of the monitors that are named."""
    by_name: dict[str, list[str]] = {}
    for one in watched:
        by_name.setdefault(one.name, []).append(one.id)
        by_name.setdefault(one.id, []).append(one.id)
    for name in wanted.monitors:
        if name not in by_name:
            near = difflib.get_close_matches(name, by_name, 1)
            wanted.faults["monitor"] = (
                ("fault_monitor_near", {"name": name, "near": near[0]}) if near else ("fault_monitor", {"name": name})
            )
    return list(dict.fromkeys(key for name in wanted.monitors for key in by_name.get(name, ())))
