"""Results become decisions, and decisions become rows: one transaction, and nothing leaves the house before it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

from vigie.core.alert import route
from vigie.core.events import AckRecorded, Cleared, Closed, Decision, Event, Observed, Opened, Recovered, Resolved, Stepped, Suspected, Woke
from vigie.core.incident import MonitorState, Policies, step
from vigie.core.model import CheckResult, Incident, Monitor, Status
from vigie.core.notification import NoticeReason, NotificationPolicy
from vigie.core.visibility import OWN
from vigie.engine.baselines import Baselines
from vigie.errors import StoreError
from vigie.ports import Batch, Clock, Commit, OutboxRow, Store, TimelineEntry
from vigie.text.words import REMOVED

log = logging.getLogger("vigie.ingest")

_STEP_MS = 2_000
_RETRY_SECONDS = (0.5, 1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Transition:
    """What one event did to one monitor; told to listeners after the commit."""

    monitor: Monitor
    before: MonitorState
    after: MonitorState
    decisions: tuple[Decision, ...]
    result: CheckResult | None


Listener = Callable[[Transition], Awaitable[None]]


class Ingest:
    """Holds the states of all monitors between two events; the store's copy is never older than what was told.

    `routine_level` is the log level of a good check after a good one.
    """

    def __init__(
        self, store: Store, clock: Clock, *, hold_ms: int, listeners: Iterable[Listener] = (), routine_level: int = logging.INFO
    ) -> None:
        self._store, self._clock, self._hold_ms, self._routine_level = store, clock, hold_ms, routine_level
        self._listeners = list(listeners)
        self._hearers: list[Listener] = []
        self._monitors: dict[str, Monitor] = {}
        self._states: dict[str, MonitorState] = {}
        self._incidents: dict[str, Incident] = {}
        self._cursors: dict[str, tuple[int, int]] = {}
        self._baselines = Baselines()
        self._lock = asyncio.Lock()
        self._stopping = False
        self._offset = clock.now() - round(clock.monotonic() * 1000)
        self.last_result_at: int | None = None

    def listen(self, listener: Listener) -> None:
        """Tell this one too, after each commit."""
        self._listeners.append(listener)

    def listen_to_results(self, listener: Listener) -> None:
        """Tell this one of every transition, also where nothing was decided."""
        self._hearers.append(listener)

    async def start(self) -> None:
        """Load what is known."""
        self._states = await self._store.load_states()
        self._cursors = await self._store.cursors()
        await self._baselines.load(self._store)
        self._incidents = {one.id: one for one in await self._store.incidents(open_only=True, limit=1_000_000)}

    async def configure(self, monitors: Iterable[Monitor]) -> None:
        """Watch these. Incidents of monitors that went are closed by `vigie`; policies that changed are looked at anew."""
        wanted = {monitor.id: monitor for monitor in monitors}
        for orphan in {one.monitor for one in self._incidents.values()} - wanted.keys() - self._monitors.keys() - {OWN}:
            self._monitors[orphan] = await self._stand_in(orphan)
        for gone in [monitor for monitor in self._monitors if monitor not in wanted]:
            await self.handle(gone, Resolved(self._clock.now(), "vigie", REMOVED))
        self._monitors = wanted
        self._baselines.keep(set(wanted))
        for monitor in wanted.values():
            if not self.state(monitor.id).resting:
                await self.handle(monitor.id, Woke(self._clock.now()))

    async def _stand_in(self, orphan: str) -> Monitor:
        """For a monitor that was removed while Vigie was not running: who was told of its incident is told of its end."""
        told: dict[str, None] = {}
        for one in [one for one in self._incidents.values() if one.monitor == orphan]:
            told.update((delivery.channel, None) for delivery in await self._store.deliveries(one.id) if delivery.reason is None)
        told.update((row.notice.channel, None) for row in await self._store.unsent() if row.notice.monitor == orphan)
        policy = NotificationPolicy(to=tuple(told), degraded_to=tuple(told))
        return Monitor(orphan, orphan, "", orphan, "", every_ms=60_000, timeout_ms=10_000, notification=policy)

    def stop(self) -> None:
        """Vigie is about to end: a store that fails is not waited for any longer."""
        self._stopping = True

    async def close(self) -> None:
        """Write what was learnt. Raises StoreError."""
        if learnt := self._baselines.unwritten():
            await self._store.commit(Commit(baselines=learnt))

    def state(self, monitor: str) -> MonitorState:
        """The state of a monitor; a new one's when it was never seen."""
        return self._states.get(monitor) or MonitorState(monitor)

    def monitor(self, monitor: str) -> Monitor | None:
        """A watched monitor by id."""
        return self._monitors.get(monitor)

    def states(self) -> list[MonitorState]:
        """The states of all watched monitors."""
        return [self.state(monitor) for monitor in self._monitors]

    async def take(self, batch: Batch) -> None:
        """Take a batch in, once: a repeated one changes nothing. While the store fails it is tried again, loudly.

        Raises StoreError only after `stop`.
        """
        async with self._lock:
            if (batch.run, batch.sequence) <= self._cursors.get(batch.agent, (0, 0)):
                return
            moved = self._moved(drift := self._drift())
            transitions = [*moved, *self._turns(batch.results, {transition.monitor.id: transition.after for transition in moved})]
            commit = self._commit(transitions, ((batch.agent, batch.run, batch.sequence),))
            await self._keep_trying(commit)
            self._apply(transitions)
            self._offset += drift
            self._cursors[batch.agent] = (batch.run, batch.sequence)
        await self._tell(transitions)

    async def handle(self, monitor_id: str, event: Event) -> tuple[Decision, ...]:
        """Take in an event other than a result; what was decided. Raises StoreError."""
        async with self._lock:
            monitor, before = self._monitors.get(monitor_id), self.state(monitor_id)
            if monitor is None:
                return ()
            after, decisions = step(before, event, _policies(monitor))
            transition = Transition(monitor, before, after, decisions, None)
            if isinstance(event, Resolved):
                self._baselines.accept(monitor)
            if after != before:
                await self._store.commit(self._commit([transition], ()))
                self._apply([transition])
        await self._tell([transition])
        return decisions

    async def wake(self, now: int) -> None:
        """Wake every state whose time has come."""
        for state in self.states():
            if state.wake_at is not None and state.wake_at <= now:
                await self.handle(state.monitor, Woke(now))

    async def apply_clock_step(self) -> int:
        """Should the wall clock have jumped, move what waits along, for all monitors or, when the store fails, for none: StoreError.

        The time at which it was looked at, epoch ms.
        """
        async with self._lock:
            now = self._clock.now()
            transitions = self._moved(drift := self._drift())
            if transitions:
                await self._store.commit(self._commit(transitions, ()))
            self._apply(transitions)
            self._offset += drift
        await self._tell(transitions)
        return now

    def _drift(self) -> int:
        """By how much the wall clock jumped since it was last minded, ms."""
        drift = self._clock.now() - round(self._clock.monotonic() * 1000) - self._offset
        return drift if abs(drift) > _STEP_MS else 0

    def _moved(self, drift: int) -> list[Transition]:
        """What a jump of the clock does to every monitor; nobody must be reminded of anything because of it."""
        if not drift:
            return []
        log.warning("the clock jumped by %+.1f s (a step, or the machine was suspended); nobody is paged for it", drift / 1000)
        event, transitions = Stepped(self._clock.now(), drift), list[Transition]()
        for monitor in self._monitors.values():
            before = self.state(monitor.id)
            after, decisions = step(before, event, _policies(monitor))
            transitions += [Transition(monitor, before, after, decisions, None)] if after != before else []
        return transitions

    def _turns(self, results: Iterable[CheckResult], states: dict[str, MonitorState]) -> list[Transition]:
        """What results do, one after the other, on top of these states."""
        transitions = []
        for result in results:
            monitor = self._monitors.get(result.monitor)
            if monitor is None:
                continue
            before = states.get(monitor.id) or self.state(monitor.id)
            fresh = not result.order or result.order > before.order  # what is repeated teaches nothing
            judged = self._baselines.judge(monitor, result) if fresh else result
            after, decisions = step(before, Observed(judged.at, judged.order, judged.status, judged.cause), _policies(monitor))
            if after is not before:
                transitions.append(Transition(monitor, before, after, decisions, judged))
                states[monitor.id] = after
        return transitions

    def _commit(self, transitions: list[Transition], cursors: tuple[tuple[str, int, int], ...]) -> Commit:
        now = self._clock.now()
        incidents: dict[str, Incident] = {}
        timeline, outbox = [], []
        for transition in transitions:
            for decision in transition.decisions:
                self._book(decision, transition.monitor, incidents)
                if (incident := getattr(decision, "incident", None)) is not None:
                    timeline.append(TimelineEntry(incident, decision.at, decision))
                for notice in route(decision, transition.monitor.id, transition.monitor.notification):
                    held = notice.reason is NoticeReason.OPENED  # what a window hid has had its report since it opened
                    outbox.append(OutboxRow(notice, now + (self._hold_ms if held else 0)))
        return Commit(
            results=tuple(transition.result for transition in transitions if transition.result is not None),
            states=tuple({transition.monitor.id: transition.after for transition in transitions if _matters(transition)}.values()),
            incidents=tuple(incidents.values()),
            timeline=tuple(timeline),
            outbox=tuple(outbox),
            cursors=cursors,
            details=tuple(transition.result for transition in transitions if transition.result is not None and _worth_keeping(transition)),
            baselines=self._baselines.due(),
        )

    def _book(self, decision: Decision, monitor: Monitor, incidents: dict[str, Incident]) -> None:
        """The incident's row after a decision."""
        if isinstance(decision, Opened):
            one = Incident(decision.incident, monitor.id, decision.severity, decision.cause, decision.started_at, decision.at)
            incidents[one.id] = one
        elif isinstance(decision, AckRecorded | Recovered | Closed):
            known = incidents.get(decision.incident) or self._incidents.get(decision.incident)
            if known is not None:
                incidents[known.id] = _after(known, decision)

    def _apply(self, transitions: list[Transition]) -> None:
        """Adopt what was committed."""
        for transition in transitions:
            self._states[transition.monitor.id] = transition.after
            booked: dict[str, Incident] = {}
            for decision in transition.decisions:
                self._book(decision, transition.monitor, booked)
                self._incidents.update(booked)
            for one in booked.values():
                if one.closed_at is not None:
                    self._incidents.pop(one.id, None)
            if transition.result is not None:
                self.last_result_at = transition.result.at

    async def _keep_trying(self, commit: Commit) -> None:
        """A failing store is Vigie's own fault: results wait, loudly, and nobody is accused meanwhile."""
        for attempt in range(1_000_000):
            try:
                await self._store.commit(commit)
            except StoreError as error:
                if self._stopping:
                    raise
                wait = _RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)]
                log.error("the store failed (%s), next try in %s s: %s. %s", error.fault, wait, error, error.fix)  # noqa: TRY400 - the trace says nothing more
                await self._clock.sleep(wait)
            else:
                return

    async def _tell(self, transitions: list[Transition]) -> None:
        for transition in transitions:
            _log(transition, self._routine_level)
            for hearer in self._hearers:
                await _tell_one(hearer, transition)
            if transition.decisions or transition.before.quick != transition.after.quick:
                for listener in self._listeners:
                    await _tell_one(listener, transition)


async def _tell_one(listener: Listener, transition: Transition) -> None:
    try:
        await listener(transition)
    except Exception:  # what is decided is committed; one listener's fault must not keep it from the others
        log.exception("%s: a listener broke", transition.monitor.name)


def _after(known: Incident, decision: AckRecorded | Recovered | Closed) -> Incident:
    if isinstance(decision, AckRecorded):
        return replace(known, acked_by=decision.by)
    closed = replace(known, closed_at=decision.at)
    return replace(closed, closed_by=decision.by, note=decision.note or None) if isinstance(decision, Closed) else closed


def _policies(monitor: Monitor) -> Policies:
    return Policies(monitor.detection, monitor.notification)


def _matters(transition: Transition) -> bool:
    """A resting state needs no row: its counters are nought and its order is overtaken by the next run's."""
    return bool(transition.decisions) or not (transition.before.resting and transition.after.resting)


def _worth_keeping(transition: Transition) -> bool:
    """Whole results are kept at each change of verdict and while something is suspected."""
    before, after = transition.before, transition.after
    return (before.status, before.cause) != (after.status, after.cause) or any(
        isinstance(one, Opened | Suspected) for one in transition.decisions
    )


def _log(transition: Transition, routine_level: int) -> None:
    result, name = transition.result, transition.monitor.name
    if result is not None and log.isEnabledFor(level := _level(result.status, transition.before.status, routine_level)):
        total = result.timings.total
        took = "" if total is None else f" ({total:.0f} ms)"
        cause = f" [{result.cause}]" if result.cause else ""
        log.log(level, "%s: %s%s: %s%s", name, result.status, cause, result.message or transition.monitor.target, took)
    for decision in transition.decisions:
        log.warning("%s: %s", name, _described(decision))


def _level(status: Status, before: Status | None, routine_level: int) -> int:
    if status is not Status.UP:
        return logging.WARNING
    return routine_level if before is Status.UP else logging.INFO


def _described(decision: Decision) -> str:
    """A decision as a line of the log."""
    what = type(decision).__name__.lower()
    match decision:
        case Suspected():
            return f"suspected ({decision.severity}): quick re-checks will confirm it or clear it"
        case Cleared():
            return f"cleared ({decision.severity}): the failure was not confirmed, nobody is paged"
        case Opened():
            return f"opened {decision.incident} ({decision.severity}, {decision.cause})" + ("" if decision.page else ", in maintenance")
        case Closed():
            return f"closed {decision.incident} by {decision.by}" + (f": {decision.note}" if decision.note else "")
        case AckRecorded():
            return f"acknowledged {decision.incident} by {decision.by}"
        case _:
            return f"{what} {decision.incident}"
