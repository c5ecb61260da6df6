"""What there is to measure, from the running parts themselves: kept as results come in, so that a scrape reads no history."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage

from vigie.core.detection import Severity
from vigie.core.model import CheckResult, Incident, Monitor, Status
from vigie.core.subject import SubjectKind
from vigie.engine.ingest import Ingest
from vigie.engine.queries.monitors import no_maintenance
from vigie.engine.steady import Plain
from vigie.engine.transition import Transition
from vigie.errors import StoreError
from vigie.observation.locations import verdict_of
from vigie.planning.maintenance import InMaintenance
from vigie.ports import Archive, Delivery, Reply, StoredReport
from vigie.queries import HealthQueries, MonitorView, NoticeQueries
from vigie.queries.measures import Lateness, Measures, MonitorMeasures, Seen, Tally, seen

_OFTEN_FULL = 100 * 1024 * 1024  # bytes: with less than this free a database cannot be relied on


class Counts:
    """Counts what the parts do, since the start."""

    def __init__(self) -> None:
        self.tally = Tally()

    def delivered(self, delivery: Delivery) -> None:
        """An attempt was recorded."""
        tally, outcome = self.tally, "delivered" if delivery.failure is None else str(delivery.failure)
        key = delivery.channel, outcome
        tally.deliveries[key] = tally.deliveries.get(key, 0) + 1
        tally.delivery_ms[delivery.channel] = tally.delivery_ms.get(delivery.channel, 0.0) + delivery.duration_ms

    def reported(self, report: StoredReport) -> None:
        """A report was stored."""
        outcome = "analysis" if report.analysis is not None and report.analysis.sentences else "plain"
        self.tally.reports[outcome] = self.tally.reports.get(outcome, 0) + 1

    def replied(self, outcome: str, took_ms: float, reply: Reply | None) -> None:
        """The model answered, or did not."""
        tally = self.tally
        tally.replies[outcome] = tally.replies.get(outcome, 0) + 1
        tally.reply_ms += took_ms
        if reply is not None and reply.reply_tokens and reply.decode_ms:
            tally.reply_tokens += reply.reply_tokens
            tally.decode_ms += reply.decode_ms


@dataclass(frozen=True, slots=True)
class Running:
    """What else a running Vigie is asked, each at the moment."""

    lateness: Callable[[], Lateness | None]
    prober: Callable[[], bool]
    blind: Callable[[], bool]
    channels: Callable[[], Sequence[str]]
    file: Path | None
    configured: Callable[[], tuple[int | None, bool]]  # when the one in force was applied, and whether a newer one was refused
    checks: Callable[[], bool]  # whether this very server has something to check
    evaluates: bool = True  # whether this server does; who stands by measures no monitor, so that nothing is measured twice


class RunningMeasures:
    """The MeasureQueries port. Nothing is kept of results until somebody asks for the first time."""

    def __init__(
        self,
        archive: Archive,
        ingest: Ingest,
        health: HealthQueries,
        notices: NoticeQueries,
        monitors: Callable[[], Sequence[Monitor]],
        running: Running,
        counts: Counts,
        maintenance: Callable[[Monitor], InMaintenance | None] = no_maintenance,
    ) -> None:
        self._archive, self._ingest, self._health, self._notices = archive, ingest, health, notices
        self._monitors, self._running, self._counts, self._maintenance = monitors, running, counts, maintenance
        self._seen: dict[str, dict[str, Seen]] | None = None
        self._loading = asyncio.Lock()

    async def on_transition(self, transition: Transition) -> None:
        """A result was taken in."""
        result = transition.result
        if result is None:
            return
        checks = self._counts.tally.checks
        checks[result.status] = checks.get(result.status, 0) + 1
        if self._seen is not None:
            self._seen.setdefault(transition.monitor.id, {})[result.location] = seen(result)

    @property
    def each(self) -> bool:
        """Counting is enough, and the newest ones are shown by themselves."""
        return False

    async def on_plain(self, plain: Plain) -> None:
        """Good results were taken in."""
        checks = self._counts.tally.checks
        checks[Status.UP] = checks.get(Status.UP, 0) + plain.count

    @property
    def wanted(self) -> bool:
        """Whether anybody has asked for measures of monitors."""
        return self._seen is not None

    def on_newest(self, result: CheckResult) -> None:
        """The newest result of a place, which was counted already."""
        if self._seen is not None:
            self._seen.setdefault(result.monitor, {})[result.location] = seen(result)

    async def measures(self) -> Measures:
        """Everything."""
        known = await self._known() if self._running.evaluates else {}
        health, failing = await self._health.health(), {one.channel for one in await self._notices.failing()}
        total, free = await asyncio.to_thread(_sizes, self._running.file)
        applied, refused = self._running.configured()
        return Measures(
            health,
            self._of_monitors(known),
            self._counts.tally,
            self._running.lateness(),
            len(self._ingest.alerts()),
            self._running.blind(),
            self._ingest.store_failing,
            self._running.prober(),
            {name: name in failing for name in self._running.channels()},
            total,
            free,
            applied,
            refused,
            self._running.evaluates,
        )

    async def readiness(self) -> Mapping[str, str]:
        """What each part says of itself."""
        found = {"store": "", "results": "", "prober": "", "configuration": ""}
        try:
            stalled = (await self._health.health()).stalled
            if stalled and self._running.checks():  # agents that are silent could not come back to a server that nobody is sent to
                found["results"] = "no results are coming in"
        except StoreError:
            found["store"] = "the database cannot be read"  # its own words name files, and anybody may ask
        _, free = await asyncio.to_thread(_sizes, self._running.file)
        if self._ingest.store_failing:
            found["store"] = "results cannot be stored"
        elif free is not None and free < _OFTEN_FULL:
            found["store"] = f"{free // 1_048_576} MiB are free on its disk"
        if not self._running.prober():
            found["prober"] = "the process that makes the checks is not running"
        if self._running.configured()[0] is None:
            found["configuration"] = "none is in force yet"
        return found

    async def _known(self) -> dict[str, dict[str, Seen]]:
        async with self._loading:
            if self._seen is None:
                self._seen = {}  # from now on results are kept; what comes meanwhile is newer
                for monitor, result in (await self._archive.last_results()).items():
                    self._seen.setdefault(monitor, {}).setdefault(result.location, seen(result))
                for monitor, results in (await self._archive.newest_everywhere()).items():
                    for result in results:
                        self._seen.setdefault(monitor, {}).setdefault(result.location, seen(result))
            return self._seen

    def _of_monitors(self, known: dict[str, dict[str, Seen]]) -> list[MonitorMeasures]:
        watched = self._monitors() if self._running.evaluates else ()
        for gone in known.keys() - {one.id for one in watched}:
            del known[gone]
        open_: dict[str, list[Incident]] = {}
        for one in sorted(self._ingest.incidents(), key=lambda one: one.severity is not Severity.OUTAGE):
            if one.subject is SubjectKind.MONITOR:
                open_.setdefault(one.monitor, []).append(one)
        return [self._of_monitor(one, tuple(known.get(one.id, {}).values()), tuple(open_.get(one.id, ()))) for one in watched]

    def _of_monitor(self, monitor: Monitor, found: tuple[Seen, ...], incidents: tuple[Incident, ...]) -> MonitorMeasures:
        newest = max(found, key=lambda one: one.at, default=None)
        result = None if newest is None else CheckResult(monitor.id, newest.at, newest.status, newest.cause)
        verdict = verdict_of(
            [CheckResult(monitor.id, one.at, one.status, one.cause, location=one.location) for one in found], monitor.detection
        )
        view = MonitorView(monitor, result, incidents, self._maintenance(monitor), verdict)
        return MonitorMeasures(monitor, view.state, bool(incidents), found)


def _sizes(file: Path | None) -> tuple[int | None, int | None]:
    """The bytes of a database with its log, and those that are free on its disk."""
    if file is None:
        return None, None
    total = 0
    for one in (file, file.with_name(f"{file.name}-wal")):
        try:
            total += one.stat().st_size
        except OSError:
            continue
    try:
        return total, disk_usage(file.parent).free
    except OSError:
        return total, None
