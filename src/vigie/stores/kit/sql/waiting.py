"""What waits in memory to be written: measurements and counters, never a decision."""

import logging
from collections.abc import Iterable
from dataclasses import replace

from vigie.core.incident import DetectionState
from vigie.core.model import CheckResult, HttpFacts
from vigie.fleet.packed import Rows
from vigie.learning.baseline import Baseline
from vigie.ports import Commit

log = logging.getLogger("vigie.store")

# Kept in memory while the disk takes nothing (about 60 MB); older measurements are given up then.
_MAX_RESULTS = 100_000
_MAX_PACKED = 1_000_000  # about 35 MB
_MAX_DETAILS = 2_000

Stance = tuple[object, ...]


def merged(first: Commit, then: Commit) -> Commit:
    """Both as one; of a monitor's states and an agent's cursors the later one stands."""
    return Commit(
        results=(*first.results, *then.results),
        states=tuple({state.monitor: state for state in (*first.states, *then.states)}.values()),
        alerts=(*first.alerts, *then.alerts),
        incidents=(*first.incidents, *then.incidents),
        timeline=(*first.timeline, *then.timeline),
        outbox=(*first.outbox, *then.outbox),
        cursors=tuple({cursor[0]: cursor for cursor in (*first.cursors, *then.cursors)}.values()),
        details=(*first.details, *then.details),
        baselines=tuple({**dict(first.baselines), **dict(then.baselines)}.items()),
        blind=(*first.blind, *then.blind),
        maintenance=(*first.maintenance, *then.maintenance),
        commands=(*first.commands, *then.commands),
        watched=first.watched if then.watched is None else then.watched,
        jobs=(*first.jobs, *then.jobs),
        definitions=(*first.definitions, *then.definitions),
        undefined=(*first.undefined, *then.undefined),
        packed=(*first.packed, *then.packed),
    )


class Waiting:
    """Commits that may wait, gathered into one."""

    def __init__(self) -> None:
        self._stances: dict[str, Stance] = {}
        self._clear()

    def _clear(self) -> None:
        self._results: list[CheckResult] = []
        self._packed: list[Rows] = []
        self._states: dict[str, DetectionState] = {}
        self._cursors: dict[str, tuple[str, int, int]] = {}
        self._details: list[CheckResult] = []
        self._baselines: dict[str, Baseline] = {}

    def __bool__(self) -> bool:
        return bool(self._results or self._packed or self._states or self._cursors or self._details or self._baselines)

    @property
    def states(self) -> dict[str, DetectionState]:
        """The states that wait, by monitor id."""
        return dict(self._states)

    @property
    def cursors(self) -> dict[str, tuple[int, int]]:
        """The cursors that wait, by agent."""
        return {agent: (run, sequence) for agent, run, sequence in self._cursors.values()}

    @property
    def baselines(self) -> dict[str, Baseline]:
        """The baselines that wait, by monitor id."""
        return dict(self._baselines)

    @property
    def details(self) -> list[CheckResult]:
        """The whole results that wait, oldest first."""
        return self._details

    def may(self, change: Commit) -> bool:
        """Whether a change may wait: it decided nothing. A state that only counts on from what was written last decided nothing."""
        if change.timeline or change.incidents or change.alerts or change.outbox or change.blind or change.commands:
            return False
        if change.watched is not None or change.jobs or change.maintenance or change.definitions or change.undefined:
            return False
        return all(stance(state) == self._stances.get(state.monitor, _RESTING) for state in change.states)

    def wrote(self, states: Iterable[DetectionState]) -> None:
        """These states are on the disk."""
        self._stances.update((state.monitor, stance(state)) for state in states)

    def add(self, change: Commit) -> None:
        """One more that may wait."""
        self._results.extend(change.results)
        self._packed.extend(change.packed)
        self._states.update((state.monitor, state) for state in change.states)
        self._cursors.update((cursor[0], cursor) for cursor in change.cursors)
        self._details.extend(change.details)
        self._baselines.update(change.baselines)

    def take(self) -> Commit:
        """All of it; nothing waits any more."""
        taken = Commit(
            tuple(self._results),
            tuple(self._states.values()),
            cursors=tuple(self._cursors.values()),
            details=tuple(self._details),
            baselines=tuple(self._baselines.items()),
            packed=tuple(self._packed),
        )
        self._clear()
        return taken

    def put_back(self, taken: Commit) -> None:
        """What was taken could not be written: it waits again, before what came meanwhile."""
        newer = self.take()
        slim = tuple(_slim(result) for result in taken.results)
        self.add(merged(replace(taken, results=slim), newer))
        lost = max(len(self._results) - _MAX_RESULTS, 0)
        del self._results[:lost], self._details[:-_MAX_DETAILS]
        while sum([one.count for one in self._packed]) > _MAX_PACKED:
            lost += self._packed.pop(0).count
        if lost:
            log.error("%d results are dropped: nothing could be written to disk for too long", lost)


def stance(state: DetectionState) -> Stance:
    """What a decision changes in a state: everything but counters and instants."""
    tracks = (state.outage, state.degradation)
    announced = tuple((one.of, one.ends_at, one.step_ms, one.renewed_until) for one in state.expiries)
    return (state.ordinal, *((one.phase, one.incident) for one in tracks), state.unchecked.incident, announced)


_RESTING = stance(DetectionState(""))


def _slim(result: CheckResult) -> CheckResult:
    """As much of a result as is packed."""
    http = HttpFacts(result.http.status, "") if result.http else None
    kept = CheckResult(result.monitor, result.at, result.status, result.cause, timings=result.timings, http=http)
    return replace(kept, location=result.location, run=result.run, sequence=result.sequence)
