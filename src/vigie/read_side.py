"""What a server makes of results, for pages, the API, metrics and the log of checks."""

from collections.abc import Callable

from vigie.app import Runtime
from vigie.buses.process import ProcessAgent
from vigie.core.model import Monitor
from vigie.engine.alive import Loop
from vigie.engine.board import LiveBoard
from vigie.engine.check_summary import CheckSummary
from vigie.engine.leases import ALONE, Duty
from vigie.engine.live import LiveHub
from vigie.engine.past import Pasts
from vigie.engine.queries import StoredQueries
from vigie.engine.queries.alerts import StoredAlerts
from vigie.engine.queries.details import StoredDetails
from vigie.engine.queries.fleet import StoredFleet
from vigie.engine.queries.health import RunningHealth
from vigie.engine.queries.measures import Running, RunningMeasures
from vigie.engine.refreshing import Refresher
from vigie.observation.rollup import Retention
from vigie.otlp import OtlpExport
from vigie.queries.fleet import ServerRole
from vigie.queries.measures import Lateness


class ReadSide:
    """Over a runtime. `applied` tells since when the configuration is in force, and whether a newer one was refused."""

    def __init__(self, runtime: Runtime, duty: Duty, prober: ProcessAgent, applied: Callable[[], tuple[int | None, bool]]) -> None:
        self._runtime, self._duty, self._prober, self._applied = runtime, duty, prober, applied
        store, ingest, clock, maintenance = runtime.store, runtime.ingest, runtime.clock, runtime.planner.maintenance_of
        role = ServerRole.EVALUATOR if duty.evaluates else ServerRole.STANDBY
        self.fleet = None if duty is ALONE else StoredFleet(store, role)
        self.queries = StoredQueries(store, self._watched, maintenance, self._kept)
        self.health = RunningHealth(store.ledger, ingest, clock, self._watched, self._late)
        self.measures = self._measures()
        self.otlp = OtlpExport(self.measures, clock, runtime.settings.metrics.otlp)
        self.live = LiveHub(clock)
        self.board = LiveBoard(ingest, clock, self.live, self._watched, maintenance, Pasts(self.queries.history, store.archive, clock))
        self._refresher = Refresher(ingest, store.archive, clock, self.board, self.measures)
        self._summary = CheckSummary(clock, self._watched, self._late)
        self.alerts = StoredAlerts(store, runtime.composer, ingest.alerts)
        self.details = StoredDetails(store, clock, self.queries.monitors, ingest.monitor, ingest.learnt)
        self._listen()

    def _listen(self) -> None:
        ingest = self._runtime.ingest
        ingest.listen_to_results(self.health.on_transition)
        if self._duty.evaluates:
            ingest.listen_to_results(self.measures.on_transition, self.measures)
        ingest.listen_to_results(self.board.on_transition, self._refresher)
        ingest.listen_to_results(self._summary.on_transition, self._summary)

    async def start(self) -> None:
        """Read what there is. Raises StoreError."""
        archive = self._runtime.store.archive
        await self.health.start(archive)
        await self.board.start(archive)

    def loops(self) -> dict[str, Loop]:
        """What goes on whatever the duty of this server."""
        return {"the board": self.board.run, "live changes": self.live.run, "the newest results": self._refresher.run}

    def evaluating_loops(self) -> dict[str, Loop]:
        """What the one that evaluates says to others."""
        return {"the log of checks": self._summary.run, "the metrics that are sent": self.otlp.run}

    def _watched(self) -> list[Monitor]:
        return [one.monitor for one in self._runtime.settings.monitors]

    def _kept(self) -> Retention:
        return self._runtime.settings.history

    def _late(self) -> int | None:
        return None if self._prober.late is None else self._prober.late.p99

    def _measures(self) -> RunningMeasures:
        """What metrics and readiness are made of."""
        runtime, prober = self._runtime, self._prober
        running = Running(
            lambda: None if prober.late is None else Lateness(prober.late.p99, prober.late.maximum),
            lambda: prober.pid is not None,
            lambda: runtime.self_monitor.is_blind,
            lambda: tuple(runtime.settings.channels),
            runtime.settings.store.file,
            self._applied,
            self._duty.evaluates,
        )
        return RunningMeasures(
            runtime.store.archive,
            runtime.ingest,
            self.health,
            self.queries.notices,
            self._watched,
            running,
            runtime.counts,
            runtime.planner.maintenance_of,
        )
