"""The application over a made-up snapshot, through the read side's ports; without one, nobody may ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any

from starlette.types import ASGIApp

from vigie.clock import SystemClock
from vigie.core.detection import Severity
from vigie.core.model import CheckResult, Expiry, Incident, Monitor, Status
from vigie.core.subject import SubjectKind
from vigie.engine.board import natural
from vigie.engine.live import LiveHub
from vigie.errors import StoreError, StoreFault
from vigie.observation.channel import ChannelState
from vigie.ports import OutboxCounts
from vigie.queries import Health, IncidentDetails, MonitorState, MonitorView, Page
from vigie.queries.board import BoardRow, OpenAlert, Past, Span, Summary
from vigie.report.deliveries import Account
from vigie.report.render import RenderContext
from vigie.web.app import build
from vigie.web.site import Site


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How things are: what the board and the queries of a Vigie would say.

    `failing` are the channels that have not worked for a while; `accounts` are the notices of each alert, `pasts` what history comes to.
    """

    monitors: tuple[MonitorView, ...]
    recent: tuple[Incident, ...]
    health: Health
    language: str
    zone: tzinfo = UTC
    failing: tuple[ChannelState, ...] = ()
    accounts: Mapping[str, Sequence[Account]] = field(default_factory=dict)
    pasts: Mapping[str, Past] = field(default_factory=dict)
    expiry: Expiry | None = None  # what runs out first
    broken: bool = False  # its history cannot be read


def health_of(monitors: Sequence[MonitorView], now: int, *, unsent: int = 0, undeliverable: int = 0, stalled: bool = False) -> Health:
    """The health of a Vigie that watches these."""
    counts = {status: sum(one.status is status for one in monitors) for status in (None, *Status)}
    troubled = sum(one.incident is not None for one in monitors)
    return Health("1.0", now - 1_000_000, now, now - 5_000, OutboxCounts(unsent, undeliverable), counts, troubled, stalled)


def views(monitors: Sequence[Monitor], results: dict[str, CheckResult], incidents: Sequence[Incident]) -> tuple[MonitorView, ...]:
    """The monitors with their newest results and open incidents."""
    ordered = sorted([one for one in incidents if one.closed_at is None], key=lambda one: one.severity is not Severity.OUTAGE)
    return tuple(MonitorView(one, results.get(one.id), tuple(item for item in ordered if item.monitor == one.id)) for one in monitors)


class _Made:
    """Queries that know a snapshot. Monitors come two at a time."""

    def __init__(self, snapshot: Snapshot | None) -> None:
        self._snapshot = snapshot
        self.monitors, self.incidents, self.notices = _Monitors(self._known), _Incidents(self._known), _Notices(self._known)

    def _known(self) -> Snapshot:
        assert self._snapshot is not None, "nothing is to be asked here"
        return self._snapshot

    def setting(self) -> RenderContext:
        return RenderContext(self._known().language, self._known().zone)

    async def health(self) -> Health:
        return self._known().health


class _Monitors:
    def __init__(self, known: Any) -> None:
        self._known = known

    async def monitors(self, *, cursor: str | None = None, limit: int) -> Page[MonitorView]:
        left = sorted(self._known().monitors, key=lambda one: one.monitor.id)[int(cursor or 0) :]
        return Page(tuple(left[:2]), str(int(cursor or 0) + 2) if len(left) > 2 else None)


class _Notices:
    def __init__(self, known: Any) -> None:
        self._known = known

    async def accounts(self, alert: str) -> list[Account]:
        return list(self._known().accounts.get(alert, ()))

    async def failing(self) -> list[ChannelState]:
        return list(self._known().failing)


class _Incidents:
    def __init__(self, known: Any) -> None:
        self._known = known

    async def incidents(self, *, limit: int) -> Page[Incident]:
        return Page(self._known().recent[:limit])

    async def incident(self, incident: str) -> IncidentDetails | None:
        found = next((one for one in self._known().recent if one.id == incident), None)
        return None if found is None else IncidentDetails(found)


class MadeBoard:
    """The board of a snapshot. `moved` puts another one in its place, as results would."""

    def __init__(self, known: Any) -> None:
        self._known = known
        self.version = 0

    def rows(self) -> list[BoardRow]:
        return [_row(one) for one in self._known().monitors]

    def row(self, monitor: str) -> BoardRow | None:
        return next((one for one in self.rows() if one.id == monitor), None)

    @property
    def open_alerts(self) -> int:
        return len(self.alerts())

    def alerts(self) -> list[OpenAlert]:
        open_ = [one for one in self._known().recent if one.closed_at is None]
        found: dict[str, list[Incident]] = {}
        for one in open_:
            found.setdefault(one.alert or one.id, []).append(one)
        return [_alert(name, members) for name, members in found.items()]

    async def past(self, monitors: Sequence[str], span: Span) -> dict[str, Past]:
        if self._known().broken:
            raise StoreError(StoreFault.FULL, "the disk is full", "free some space")
        return {one: self._known().pasts[one] for one in monitors if one in self._known().pasts}

    def next_expiry(self) -> Expiry | None:
        found: Expiry | None = self._known().expiry
        return found

    def known(self, span: Span) -> dict[str, Summary]:
        return {one: Summary(past.ratio, past.p95) for one, past in self._known().pasts.items()}


def _row(view: MonitorView) -> BoardRow:
    since = view.incident.started_at if view.incident else None
    usual = view.result.timings.total if view.result and view.state is MonitorState.UP else None
    return BoardRow(view, view.state, since, usual, natural(view.monitor.name))


def _alert(name: str, members: Sequence[Incident]) -> OpenAlert:
    worst = Severity.OUTAGE if any(one.severity is Severity.OUTAGE for one in members) else Severity.DEGRADATION
    monitors = tuple(one.monitor for one in members)
    return OpenAlert(name, members[0].monitor, monitors, worst, SubjectKind.MONITOR, members[0].acked_by, None, None, ())


def site_of(snapshot: Snapshot | None, **members: Any) -> Site:
    """What the web is given, over a snapshot."""
    made: Any = _Made(snapshot)
    board = MadeBoard(made._known) if snapshot is not None else None
    return Site(made, made, made.setting, board=board, live=LiveHub(SystemClock()), **members)


def app_of(snapshot: Snapshot | None, ears: Any = None, desk: Any = None, responses: Any = None) -> ASGIApp:
    """The application."""
    return build(site_of(snapshot, receiver=ears, feedback=desk, responses=responses))
