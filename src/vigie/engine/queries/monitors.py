"""The watched monitors with what is known of them."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from vigie.core.detection import Severity
from vigie.core.model import CheckResult, Incident, Monitor
from vigie.engine.queries.paging import check_limit, key_of, page_of
from vigie.observation.locations import sightings, telling, verdict_of, views_of
from vigie.planning.maintenance import InMaintenance
from vigie.ports import Archive
from vigie.queries import MAX_LIMIT, MonitorState, MonitorView, Page

_KIND = "monitor"
_ALL = 1_000_000


def no_maintenance(monitor: Monitor) -> InMaintenance | None:  # noqa: ARG001 - the signature that is asked for
    """Nothing is known to be planned."""
    return None


class StoredMonitors:
    """The MonitorQueries port."""

    def __init__(
        self, archive: Archive, monitors: Callable[[], Sequence[Monitor]], maintenance: Callable[[Monitor], InMaintenance | None]
    ) -> None:
        self._archive, self._monitors, self._maintenance = archive, monitors, maintenance

    async def monitors(
        self, *, tag: str | None = None, state: MonitorState | None = None, cursor: str | None = None, limit: int = MAX_LIMIT
    ) -> Page[MonitorView]:
        """In the order of their ids."""
        check_limit(limit)
        after = "" if cursor is None else key_of(cursor, _KIND)
        left = [one for one in self._monitors() if one.id > after and (tag is None or tag in one.tags)]
        left.sort(key=lambda one: one.id)
        found: list[MonitorView] = []
        for start in range(0, len(left), limit + 1):
            views = await self._views(left[start : start + limit + 1])
            found += [one for one in views if state in (None, one.state)]
            if len(found) > limit:
                break
        return page_of(found, limit, _KIND, lambda one: one.monitor.id)

    async def one(self, monitor: Monitor) -> MonitorView:
        """A watched monitor."""
        return (await self._views([monitor]))[0]

    async def _views(self, monitors: Sequence[Monitor]) -> list[MonitorView]:
        ids = [one.id for one in monitors]
        results, open_ = await self._archive.last_results(ids), defaultdict[str, list[Incident]](list)
        incidents = await self._archive.incidents(open_only=True, limit=_ALL, monitors=ids)
        for one in sorted(incidents, key=lambda one: one.severity is not Severity.OUTAGE):
            open_[one.monitor].append(one)
        everywhere = await self._archive.newest_everywhere(ids)
        return [
            _view(one, results.get(one.id), everywhere.get(one.id, ()), tuple(open_[one.id]), self._maintenance(one)) for one in monitors
        ]


def _view(
    monitor: Monitor,
    result: CheckResult | None,
    places: Sequence[CheckResult],
    incidents: tuple[Incident, ...],
    planned: InMaintenance | None,
) -> MonitorView:
    """A monitor as its newest results have it: those of several locations make a verdict."""
    verdict = verdict_of(places, monitor.detection)
    if verdict is None:
        return MonitorView(monitor, result, incidents, planned)
    seen = sightings(views_of(places), monitor.detection.stale_ms)
    return MonitorView(monitor, telling(places, verdict), incidents, planned, verdict, seen)
