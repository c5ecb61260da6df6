"""`/api/v1/monitors`: those of the file and those that were made, as they are now; their results and figures; a check at once."""

from typing import Any

from starlette.routing import BaseRoute

from vigie import resources as shown
from vigie.commands.definitions import Definition, DefinitionKind
from vigie.commands.monitors import NotNow
from vigie.core.model import CheckResult
from vigie.errors import StoreError, VigieError
from vigie.observation.availability import Availability, AvailabilitySummary
from vigie.observation.locations import Sighting
from vigie.observation.rollup import Resolution
from vigie.planning.duration import Duration
from vigie.queries import MonitorState, MonitorView, collected
from vigie.web.access import Role
from vigie.web.api._definitions import Defined
from vigie.web.api._kit import Call, Operation, cursor_of, epoch_ms, instant, key_in, maybe, missing, operation, paged, there
from vigie.web.api._shapes import faults, origin, result
from vigie.web.problems import ProblemError
from vigie.web.site import Site

_DAY_MS = 86_400_000
_BY_HOUR_MS = 30 * _DAY_MS
_SPANS, _LONGEST_MS, _HOURS_MS = 10, 3_660 * _DAY_MS, 100 * _DAY_MS
_VIEWER, _RESPONDER = Role.VIEWER, Role.RESPONDER
_KIND = DefinitionKind.MONITOR


def routes(site: Site) -> list[BaseRoute]:
    """The operations on monitors."""
    self = _Monitors(site)
    one = "/monitors/{id}"
    made: list[tuple[Operation, Any]] = [
        (
            Operation(
                "listMonitors", "GET", "/monitors", "The monitors, by their ids.", _VIEWER, shown.Items[shown.Monitor], shown.MonitorsAsked,
            ),
            self.listed,
        ),
        (
            Operation(
                "listResults", "GET", f"{one}/results", "Single checks, newest first.", _VIEWER,
                shown.Items[shown.Result], shown.ResultsAsked,
                errors=(404,),
            ),
            self.results,
        ),
        (
            Operation(
                "getUptime", "GET", f"{one}/uptime", "How available it was.", _VIEWER, shown.Items[shown.Uptime], shown.UptimeAsked,
                errors=(404,),
            ),
            self.uptime,
        ),
        (
            Operation(
                "listLocations", "GET", f"{one}/locations", "What each location that checks it sees now.", _VIEWER,
                shown.Items[shown.Location], shown.Nothing, errors=(404,),
            ),
            self.locations,
        ),
        (
            Operation(
                "listRollups", "GET", f"{one}/rollups", "What its checks come to by hour or day, oldest first.", _VIEWER,
                shown.Items[shown.Rollup], shown.RollupsAsked, errors=(404,),
            ),
            self.rollups,
        ),
        (
            Operation(
                "checkMonitor", "POST", f"{one}/check", "Check it now, as its regular checks do.", _RESPONDER, shown.Result,
                errors=(404, 409, 422),
            ),
            self.check,
        ),
    ]  # fmt: skip
    defined = Defined(site, _KIND, "/monitors", "monitor", shown.Monitor, self.show)
    return [*(operation(site, *each) for each in made), *defined.routes()]


class _Monitors:
    """Of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def listed(self, call: Call) -> shown.Items[shown.Monitor]:
        """By id; of a clash, that of the file first."""
        asked: shown.MonitorsAsked = call.query
        after = "" if asked.cursor is None else key_in(asked.cursor, "monitors")
        views = await self._views()
        state = None if asked.state is None else MonitorState(asked.state)
        left = [
            one
            for key, one in sorted((_key(one), one) for one in await self._definitions(views))
            if key > after and _fits(one, views.get(one.id), asked.tag, state, asked.q)
        ]
        page = left[: asked.limit]
        more = cursor_of("monitors", _key(page[-1])) if len(left) > len(page) else None
        return shown.Items(items=[_monitor(one, _of(one, views), self._since(one.id)) for one in page], next=more)

    async def show(self, one: Definition) -> shown.Monitor:
        """One of them."""
        board = self._site.board
        row = board.row(one.id) if board is not None else None
        view = row.view if row is not None else (await self._views()).get(one.id) if board is None else None
        return _monitor(one, None if one.faults else view, self._since(one.id))

    async def _definitions(self, views: dict[str, MonitorView]) -> list[Definition]:
        """All of them; of a Vigie that makes none, what is watched."""
        commands = self._site.commands.definitions
        if commands is not None:
            return list(await commands.definitions(_KIND))
        return [Definition(_KIND, one.monitor.id, one.monitor.name, {"type": one.monitor.kind}, "vigie.yaml") for one in views.values()]

    async def _views(self) -> dict[str, MonitorView]:
        """What is watched, by id; where there is a board, from memory."""
        if self._site.board is not None:
            return {one.id: one.view for one in self._site.board.rows()}
        read = self._site.queries.monitors.monitors
        return {one.monitor.id: one for one in await collected(lambda cursor, limit: read(cursor=cursor, limit=limit))}

    def _since(self, monitor: str) -> int | None:
        row = None if self._site.board is None else self._site.board.row(monitor)
        return None if row is None else row.since

    async def _known(self, call: Call) -> str:
        """The id in the path, of a monitor that is defined. Raises ProblemError."""
        key, commands = call.path("id"), self._site.commands.definitions
        if commands is None or await commands.definition(_KIND, key) is None:
            raise missing("monitor", key)
        return key

    async def results(self, call: Call) -> shown.Items[shown.Result]:
        """Newest first."""
        asked: shown.ResultsAsked = call.query
        monitor, history = await self._known(call), there(self._site.history)
        start, end = self._span(asked, _DAY_MS, _LONGEST_MS)
        found = await paged(history.results(monitor, start, end, location=asked.location, cursor=asked.cursor, limit=asked.limit))
        return shown.Items(items=[result(one) for one in found.items], next=found.next)

    async def uptime(self, call: Call) -> shown.Items[shown.Uptime]:
        """For each span that was asked for."""
        asked: shown.UptimeAsked = call.query
        monitor, now = await self._known(call), self._site.now()
        spans = [(text, now - length, now) for text, length in _spans(asked.spans)]
        if asked.since is not None or asked.until is not None:
            spans.append(("", *self._span(asked, 30 * _DAY_MS, _LONGEST_MS)))
        if asked.location is not None:
            return shown.Items(items=[await self._uptime_at(monitor, asked.location, *each) for each in spans])
        read = self._site.queries.availability.availability
        items = []
        for text, start, end in spans:
            found = (await read([monitor], start, end)).get(monitor)
            items.append(_uptime(text, start, end, found))
        return shown.Items(items=items)

    async def _uptime_at(self, monitor: str, location: str, text: str, start: int, end: int) -> shown.Uptime:
        """As one location saw it: the share of its checks that found it up or degraded."""
        resolution = Resolution.HOUR if end - start <= _BY_HOUR_MS else Resolution.DAY
        found = (await there(self._site.history).rollups([monitor], start, end, resolution, location)).get(monitor, [])
        count, down, excluded = (sum(getattr(one, name) for one in found) for name in ("count", "down", "excluded"))
        since = max(start, found[0].start) if found else start
        observed = round((end - since) * count / (count + excluded)) if count else 0
        return shown.Uptime(
            span=text,
            since=instant(since),
            until=instant(end),
            ratio=1 - down / count if count else None,
            observed_ms=observed,
            down_ms=round(observed * down / count) if count else 0,
            outages=None,
            longest_ms=None,
            unseen_ms=(end - since) - observed,
            maintenance_ms=0,
        )

    async def locations(self, call: Call) -> shown.Items[shown.Location]:
        """By name."""
        monitor, details = await self._known(call), there(self._site.details)
        found = await details.monitor(monitor)
        if found is None:
            return shown.Items(items=[])
        row = None if self._site.board is None else self._site.board.row(monitor)
        seen = {one.location: one for one in (row.view.seen if row is not None else found.view.seen)}
        places = found.places or ((found.view.result,) if found.view.result is not None else ())
        return shown.Items(items=[await self._location(one, seen.get(one.location)) for one in places])

    async def _location(self, one: CheckResult, seen: Sighting | None) -> shown.Location:
        """What one location sees, with what its checks of the last day come to."""
        now, history = self._site.now(), there(self._site.history)
        day = (await history.phases(one.monitor, now - _DAY_MS, now, 1, one.location))[0]
        return shown.Location(
            location=one.location,
            status=one.status.value,
            silent=seen is not None and seen.silent,
            cause=None if one.cause is None else one.cause.value,
            since=maybe(None if seen is None or seen.since == one.at else seen.since),
            at=instant(one.at),
            message=one.message,
            latency_ms=one.timings.total,
            checks=day.count,
            failed=day.failed,
            p50=day.p50,
            p95=day.p95,
        )

    async def rollups(self, call: Call) -> shown.Items[shown.Rollup]:
        """Oldest first."""
        asked: shown.RollupsAsked = call.query
        monitor, history = await self._known(call), there(self._site.history)
        resolution = Resolution(asked.resolution)
        start, end = self._span(asked, 30 * _DAY_MS, _LONGEST_MS if resolution is Resolution.DAY else _HOURS_MS)
        found = await history.rollups([monitor], start, end, resolution, asked.location)
        return shown.Items(
            items=[
                shown.Rollup(
                    start=instant(one.start),
                    count=one.count,
                    up=one.up,
                    degraded=one.degraded,
                    down=one.down,
                    excluded=one.excluded,
                    min_ms=one.min_ms,
                    max_ms=one.max_ms,
                    p50=one.p50,
                    p95=one.p95,
                    p99=one.p99,
                )
                for one in found.get(monitor, [])
            ]
        )

    async def check(self, call: Call) -> shown.Result:
        """A check at once."""
        commands, monitor = there(self._site.commands.monitors), await self._known(call)
        try:
            found = await commands.check_now(monitor)
        except NotNow as error:
            raise ProblemError(409, f"{error.message}. {error.fix}".strip(". "), "not-now", headers={"Retry-After": "5"}) from error
        except StoreError:
            raise
        except VigieError as error:
            raise ProblemError(422, f"{error.message}. {error.fix}".strip(". "), "cannot-be-checked") from error
        if found is None:
            raise ProblemError(422, "it is not watched: it is disabled, or its definition is faulty", "cannot-be-checked")
        return result(found)

    def _span(self, asked: Any, usual_ms: int, longest_ms: int) -> tuple[int, int]:
        """[start, end) in epoch ms. Raises ProblemError."""
        end = self._site.now() if asked.until is None else epoch_ms(asked.until)
        start = end - usual_ms if asked.since is None else epoch_ms(asked.since)
        if start < 0 or end > 2**42:
            raise _bad_span("from", "from 1970 to 2109 is known")
        if start >= end:
            raise _bad_span("from", "`from` must be before `until`")
        if end - start > longest_ms:
            raise _bad_span("from", f"at most {longest_ms // _DAY_MS} days at once")
        return start, end


def _bad_span(key: str, detail: str) -> ProblemError:
    return ProblemError(400, "the span cannot be asked for", "query", errors=[shown.Fault(key=key, detail=detail)])


def _spans(text: str) -> list[tuple[str, int]]:
    """Spans as they were written, in ms. Raises ProblemError."""
    found = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        try:
            length = int(Duration.parse(part))
        except ValueError as error:
            raise _bad_span("spans", str(error)) from error
        if not 60_000 <= length <= _LONGEST_MS:
            raise _bad_span("spans", "from 1m to ten years")
        found.append((part, length))
    if len(found) > _SPANS:
        raise _bad_span("spans", f"at most {_SPANS}")
    return found


def _uptime(text: str, start: int, end: int, found: AvailabilitySummary | None) -> shown.Uptime:
    if found is None:
        found = AvailabilitySummary(Availability(0, 0), 0, 0, end - start, None)
    return shown.Uptime(
        span=text,
        since=instant(start if found.since is None else max(start, found.since)),
        until=instant(end),
        ratio=found.known.ratio,
        observed_ms=found.known.observed_ms,
        down_ms=found.known.down_ms,
        outages=found.outages,
        longest_ms=found.longest_ms,
        unseen_ms=found.blind_ms,
        maintenance_ms=found.maintenance_ms,
    )


def _key(one: Definition) -> str:
    """In which order they are listed: by id, and of a clash that of the file first."""
    return f"{one.id}\n{0 if one.where else 1}"


def _of(one: Definition, views: dict[str, MonitorView]) -> MonitorView | None:
    return None if one.faults else views.get(one.id)


def _fits(one: Definition, view: MonitorView | None, tag: str | None, state: MonitorState | None, text: str | None) -> bool:
    """Whether it is among those that are asked for."""
    if one.faults:
        view = None
    tags = _tags(one, view)
    if tag is not None and tag not in tags:
        return False
    if state is not None and (view is None or view.state is not state):
        return False
    within = (one.id, one.name, view.monitor.target if view else "", *tags)
    return text is None or any(text.casefold() in each.casefold() for each in within)


def _tags(one: Definition, view: MonitorView | None) -> list[str]:
    if view is not None:
        return list(view.monitor.tags)
    tags = one.body.get("tags")
    return [each for each in tags if isinstance(each, str)] if isinstance(tags, list) else []


def _monitor(one: Definition, view: MonitorView | None, since: int | None) -> shown.Monitor:
    work = None if view is None or view.maintenance is None else shown.Work(until=instant(view.maintenance.until), why=view.maintenance.why)
    return shown.Monitor(
        id=one.id,
        name=one.name,
        type=view.monitor.kind if view is not None else str(one.body.get("type") or ""),
        enabled=one.enabled,
        state=None if view is None else view.state.value,
        origin=origin(one),
        definition=dict(one.body),
        target="" if view is None else view.monitor.target,
        tags=_tags(one, view),
        since=maybe(since),
        result=None if view is None or view.result is None else result(view.result),
        incidents=[] if view is None else [each.id for each in view.incidents],
        maintenance=work,
        faults=faults(one.faults),
    )
