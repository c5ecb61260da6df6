"""The application over a made-up snapshot, through the read side's ports; without one, nobody may ask."""

from collections.abc import Sequence
from typing import Any

from starlette.types import ASGIApp

from vigie.core.detection import Severity
from vigie.core.model import CheckResult, Incident, Monitor, Status
from vigie.observation.channel import ChannelState
from vigie.ports import OutboxCounts
from vigie.queries import Health, MonitorView, Page
from vigie.report.deliveries import Account
from vigie.report.render import RenderContext
from vigie.web.app import build
from vigie.web.site import Site
from vigie.web.view import Snapshot, worst_first


def health_of(monitors: Sequence[MonitorView], now: int, *, unsent: int = 0, undeliverable: int = 0, stalled: bool = False) -> Health:
    """The health of a Vigie that watches these."""
    counts = {status: sum(one.status is status for one in monitors) for status in (None, *Status)}
    troubled = sum(one.incident is not None for one in monitors)
    return Health("1.0", now - 1_000_000, now, now - 5_000, OutboxCounts(unsent, undeliverable), counts, troubled, stalled)


def views(monitors: Sequence[Monitor], results: dict[str, CheckResult], incidents: Sequence[Incident]) -> tuple[MonitorView, ...]:
    """The monitors with their newest results and open incidents, worst first."""
    ordered = sorted([one for one in incidents if one.closed_at is None], key=lambda one: one.severity is not Severity.OUTAGE)
    return worst_first(MonitorView(one, results.get(one.id), tuple(item for item in ordered if item.monitor == one.id)) for one in monitors)


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


def app_of(snapshot: Snapshot | None, ears: Any = None, desk: Any = None, responses: Any = None) -> ASGIApp:
    """The application."""
    made: Any = _Made(snapshot)
    return build(Site(made, made, made.setting, receiver=ears, feedback=desk, responses=responses))
