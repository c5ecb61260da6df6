"""Results become decisions, and decisions become rows: one transaction, and nothing leaves the house before it.

Whoever has something to record or announce does it here, under one lock, so that incidents and notices have one writer.

Long: what one lock guards is read together.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from vigie.core import incident
from vigie.core.alert import AlertState, Phase
from vigie.core.correlation import Tie
from vigie.core.detection import Severity
from vigie.core.events import Decision, Observed, PersonEvent, Resolved, Stepped, Woke
from vigie.core.incident import DetectionState
from vigie.core.model import CheckResult, Incident, Monitor
from vigie.core.notification import Circumstances, Notice, NoticeReason, NotificationPolicy
from vigie.core.subject import VIGIE_ID, SubjectKind
from vigie.engine.announcing import Announcer, Listener, PlainListener
from vigie.engine.baselines import Baselines
from vigie.engine.books import Books, CircumstancesAt, Draft
from vigie.engine.cursors import cursor_of, position_of, unseen
from vigie.engine.last_good import LastGood
from vigie.engine.reconcile import Prepared
from vigie.engine.steady import Heard, Steady
from vigie.engine.transition import Move, Transition, obstacle, resolved, woken
from vigie.errors import StoreError, StoreFault
from vigie.fleet.batches import PackedBatch
from vigie.learning.baseline import Baseline
from vigie.ports import Archive, Batch, Clock, Commit, Fleet, Ledger, OutboxRow, OutboxState, Position

log = logging.getLogger("vigie.ingest")

_STEP_MS = 2_000
_RETRY_SECONDS = (0.5, 1, 2, 5, 10)
_ALL = 1_000_000

Event = PersonEvent | Woke


class Ingest:
    """Holds what is known of all monitors between two events; the store's copy is never older than what was announced.

    `routine_level` is the log level of a check that found what the one before it found. What concerns many monitors at once and is
    not urgent (Vigie's own obstacles, what expires) waits `gather_ms`, so that one notice has all of them.
    """

    def __init__(
        self,
        ledger: Ledger,
        archive: Archive,
        clock: Clock,
        *,
        hold_ms: int,
        listeners: Iterable[Listener] = (),
        routine_level: int = logging.INFO,
        gather_ms: int = 0,
        circumstances_at: CircumstancesAt = lambda monitor, at: Circumstances(),  # noqa: ARG005 - where nothing is planned
        addressed: Callable[[Iterable[Notice]], Iterable[Notice]] = tuple,
        fleet: Fleet | None = None,
    ) -> None:
        self._ledger, self._archive, self._clock, self._fleet = ledger, archive, clock, fleet
        self._hold_ms, self._gather_ms, self._circumstances_at = hold_ms, gather_ms, circumstances_at
        self._addressed, self._announcer = addressed, Announcer(listeners, routine_level)
        self._monitors: dict[str, Monitor] = {}
        self._books = Books()
        self._cursors: dict[str, tuple[int, int]] = {}
        self._last_good = LastGood()
        self._baselines = Baselines()
        self._steady = Steady(self._books, self._baselines, self._monitors, fleet)
        self._lock, self._stopping = asyncio.Lock(), False
        self._offset = clock.now() - round(clock.monotonic() * 1000)
        self.last_result_at: int | None = None
        self.lag_ms: int | None = None  # how old that result was when it was taken in
        self.store_failing = False  # whether results wait for a store that cannot take them now

    def listen(self, listener: Listener) -> None:
        """Call this one too, after each commit that decided something."""
        self._announcer.listen(listener)

    def listen_to_results(self, listener: Listener, plain: PlainListener | None = None) -> None:
        """Call this one for every transition, also where nothing was decided; `plain` has those that came packed and decided nothing."""
        self._announcer.listen_to_results(listener, plain)

    async def start(self, monitors: Iterable[Monitor] = (), *, anew: bool = False) -> dict[str, CheckResult]:
        """Load what is known; the newest results. These monitors are watched, so that waiting commands apply before anything wakes.

        A server that stands by does so again and again: `anew`, with what another one took in. Raises StoreError.
        """
        self._monitors = {monitor.id: monitor for monitor in monitors}
        known = await self._ledger.load()
        incidents = {one.id: one for one in known.incidents}
        self._books = Books(known.states, {one.id: one for one in known.alerts}, incidents)
        newest = await self._archive.last_results(list(self._monitors), anew=anew)
        if not anew:
            self._books.see(await self._archive.newest_everywhere(list(self._monitors)))
        self._books.not_after(self._clock.now())
        self._books.neighbours.load(newest)
        self._books.neighbours.use(self._monitors.values())
        self._cursors = known.cursors
        self._baselines.load(known.baselines)
        self._steady = Steady(self._books, self._baselines, self._monitors, self._fleet)
        return newest

    async def show(self, results: Iterable[CheckResult]) -> None:
        """Give results that another server took in to whoever listens to results. Nothing is decided here."""
        for result in results:
            if (monitor := self._monitors.get(result.monitor)) is None:
                continue
            self.last_result_at, state = max(self.last_result_at or 0, result.at), self.state(monitor.id)
            await self._announcer.show(Transition(monitor, state, state, (), result))

    async def configure(self, monitors: Iterable[Monitor]) -> None:
        """Watch these from now on: `prepare` by itself. Raises StoreError, and nothing has changed."""
        async with self.prepare(monitors) as prepared:
            if (change := replace(prepared.change, watched=None)) != Commit():
                await self._ledger.commit(change)
            prepared.swap()
        await prepared.announce()

    @asynccontextmanager
    async def prepare(self, monitors: Iterable[Monitor]) -> AsyncIterator[Prepared]:
        """Make ready to watch these. Incidents of monitors that went are closed by `vigie`; policies that changed hold at once.

        Nothing else is taken in until the context ends. Raises StoreError.
        """
        wanted = {monitor.id: monitor for monitor in monitors}
        async with self._lock:
            gone = {one.id: one for one in self._monitors.values() if one.id not in wanted}
            open_ = {one.monitor for one in self._books.incidents.values() if one.monitor != VIGIE_ID}
            gone |= {orphan: await self._removed(orphan) for orphan in sorted(open_ - wanted.keys() - self._monitors.keys())}
            draft, transitions, now = (
                Draft(self._books, gone | wanted, self._circumstances_at, anew=True),
                list[Transition](),
                self._clock.now(),
            )
            for monitor in gone.values():
                transitions.append(resolved(draft, monitor, now))
            for monitor in wanted.values():
                draft.keep_locations(monitor)
                if not self.state(monitor.id).resting:
                    transitions.append(woken(draft, monitor, now))

            def swap() -> None:
                for monitor in gone.values():
                    self._baselines.accept(monitor)
                self._steady.use(wanted)
                self._monitors = wanted
                self._books.neighbours.use(wanted.values())
                self._books.audiences.clear()
                self._baselines.keep(set(wanted))
                self._adopt(draft, transitions)

            change = replace(self._decided(draft, transitions), watched=tuple(wanted.values()))
            yield Prepared(change, swap, lambda: self._announcer.announce(transitions))

    async def _removed(self, orphan: str) -> Monitor:
        """For a monitor that was removed while Vigie was not running: who was notified of its incident is notified of its end."""
        notified: dict[str, None] = {}
        for one in [one for one in self._books.incidents.values() if one.monitor == orphan]:
            notified.update((delivery.channel, None) for delivery in await self._archive.deliveries(one.alert) if delivery.failure is None)
        notified.update(
            (row.notice.channel, None) for row in await self._ledger.outbox(OutboxState.WAITING) if row.notice.monitor == orphan
        )
        policy = NotificationPolicy(to=tuple(notified), degraded_to=tuple(notified))
        return Monitor(orphan, orphan, "", orphan, "", every_ms=60_000, timeout_ms=10_000, notification=policy)

    def log_routine(self, level: int) -> None:
        """The log level of a check that found what the one before it found, from now on."""
        self._announcer.routine_level = level

    def stop(self) -> None:
        """Vigie is about to end: a store that fails is not waited for any longer."""
        self._stopping = True

    async def close(self) -> None:
        """Write what was learnt. Raises StoreError."""
        if learnt := self._baselines.unwritten():
            await self._ledger.commit(Commit(baselines=learnt))

    def state(self, monitor: str) -> DetectionState:
        """The state of a monitor; a new one's when it was never seen."""
        return self._books.state(monitor)

    def heard(self, monitor: str) -> list[Heard]:
        """When each location heard a monitor last that is well and stays so; nothing of any other. `state` costs much more."""
        return self._steady.heard(monitor)

    def in_shard(self, shard: int) -> Sequence[str]:
        """The monitors of a shard, and maybe some that are gone."""
        return self._steady.in_shard(shard)

    def monitor(self, monitor: str) -> Monitor | None:
        """A watched monitor by id."""
        return self._monitors.get(monitor)

    def learnt(self, monitor: str) -> Baseline | None:
        """What is usual for a monitor, as far as it was learnt."""
        return self._baselines.of(monitor)

    def states(self) -> list[DetectionState]:
        """The states of all watched monitors."""
        return [self.state(monitor) for monitor in self._monitors]

    def incidents(self) -> list[Incident]:
        """The open incidents of monitors."""
        return list(self._books.incidents.values())

    def alerts(self) -> list[AlertState]:
        """The open alerts."""
        return list(self._books.alerts.values())

    async def take(self, batch: Batch) -> None:
        """Take a batch in, once: a repeated one changes nothing. While the store fails it is tried again, loudly.

        Raises StoreError only after `stop`, or where another server decides now (FENCED).
        """
        async with self._lock:
            cursor = cursor_of(batch)
            if (batch.run, batch.sequence) <= self._cursors.get(cursor, (0, 0)):
                return
            draft = Draft(self._books, self._monitors, self._circumstances_at)
            transitions = [*self._moved_along(draft, drift := self._drift()), *self._observed(draft, batch.results)]
            commit = self._commit(draft, transitions, cursors=((cursor, batch.run, batch.sequence),))
            await self._take_down(await self._last_good.added(commit, transitions, self._newest), draft, transitions)
            self._offset += drift
        await self._announcer.announce(transitions)

    def position(self, bus: str) -> Position | None:
        """How far a bus was read, by what was taken in."""
        return position_of(bus, self._cursors)

    async def take_packed(self, batches: Sequence[PackedBatch], position: Position | None = None) -> None:
        """Take batches of agents in, each once, all in one commit, with how far a bus was read (`position`). Else as `take`.

        What decides nothing never becomes a result (steady.py); with a routine level that is logged, everything does.
        """
        async with self._lock:
            fresh, cursors = unseen(batches, position, self._cursors)
            if not cursors:
                return
            await self._keep_trying(lambda: self._steady.know(fresh))
            draft = Draft(self._books, self._monitors, self._circumstances_at)
            transitions = self._moved_along(draft, drift := self._drift())
            sifted = self._steady.sift(fresh, each=self._announcer.each)

            async def newest(monitor: str, location: str) -> CheckResult | None:
                return await self._steady.newest(sifted, monitor, location, self._newest)

            transitions += self._observed(draft, await self._steady.results(sifted, self._newest))
            commit = self._commit(draft, transitions, cursors=cursors)
            commit = replace(commit, results=(*sifted.results, *commit.results), packed=sifted.rows)
            await self._take_down(await self._last_good.added(commit, transitions, newest), draft, transitions)
            self._steady.enter(sifted.monitors)
            self._offset += drift
            if sifted.last_at is not None:
                self.last_result_at, self.lag_ms = sifted.last_at, self._clock.now() - sifted.last_at
        await self._announcer.announce(transitions, sifted.plain)

    async def _take_down(self, commit: Commit, draft: Draft, transitions: list[Transition]) -> None:
        """Write what was taken in, however long it takes, and take it for true."""
        await self._keep_trying(lambda: self._ledger.commit(commit))
        self._adopt(draft, transitions)
        self._cursors.update((name, (run, sequence)) for name, run, sequence in commit.cursors)

    async def handle(self, monitor_id: str, event: Event, command: int | None = None) -> tuple[Decision, ...]:
        """Take in an event other than a result; what was decided. Raises StoreError.

        `command` is the number of a person's command: it is consumed in the commit that applies it.
        """
        async with self._lock:
            monitor, draft = self._monitors.get(monitor_id), Draft(self._books, self._monitors, self._circumstances_at)
            commands = () if command is None else (command,)
            if monitor is None:
                if commands:
                    await self._ledger.commit(Commit(commands=commands))
                return ()
            move = Move(draft, monitor)
            if isinstance(event, Resolved):
                move.resolve(event)
                self._baselines.accept(monitor)
            else:
                move.notify(event, draft.alerts_of(draft.state(monitor.id)))
            transition = move.end()
            if commands or draft.states or draft.alerts:
                await self._ledger.commit(self._commit(draft, [transition], commands=commands))
                self._adopt(draft, [transition])
        await self._announcer.announce([transition])
        return transition.decisions

    async def wake(self, now: int, *, everything: bool = False) -> None:
        """Wake every alert whose time has come (or every one), those of outages first. Raises StoreError."""
        due = [one for one in self._books.alerts.values() if everything or (one.wake_at is not None and one.wake_at <= now)]
        for one in sorted(due, key=lambda alert: alert.severity is not Severity.OUTAGE):
            async with self._lock:
                draft = Draft(self._books, self._monitors, self._circumstances_at)
                transitions = self._notified(draft, one.id, Woke(now))
                if draft.alerts:
                    await self._ledger.commit(self._commit(draft, transitions))
                self._adopt(draft, transitions)
            await self._announcer.announce(transitions)

    async def end_gathering(self) -> None:
        """Everything was checked: what waits for others with the same cause waits no longer. Raises StoreError."""
        for one in [one for one in self._books.alerts.values() if one.phase is Phase.GATHERING]:
            async with self._lock:
                draft, now = Draft(self._books, self._monitors, self._circumstances_at), self._clock.now()
                if (known := draft.alert(one.id)) is None or known.phase is not Phase.GATHERING:
                    continue
                draft.put(replace(known, gather_until=now))
                transitions = self._notified(draft, one.id, Woke(now))
                change = self._commit(draft, transitions)
                at_once = tuple(replace(row, due_at=now) for row in change.outbox)  # reports were waited for
                await self._ledger.commit(replace(change, outbox=at_once))
                self._adopt(draft, transitions)
            await self._announcer.announce(transitions)

    def _notified(self, draft: Draft, alert: str, event: Woke | Stepped) -> list[Transition]:
        """What an event does to one alert: nothing, when it ended meanwhile or none of its monitors is watched."""
        known = draft.alert(alert)
        if known is None or not known.is_open:
            return []
        concerned = (self._monitors.get(one.monitor) for one in known.members if one.open)
        watched = next((one for one in concerned if one is not None), None) or self._monitors.get(known.monitor)
        if watched is None:
            return []
        move = Move(draft, watched)
        move.notify(event, [known])
        return [move.end()]

    async def apply_clock_step(self) -> int:
        """Should the wall clock have jumped, move what waits along, for all alerts or, when the store fails, for none: StoreError.

        The time at which it was looked at, epoch ms.
        """
        async with self._lock:
            now, draft = self._clock.now(), Draft(self._books, self._monitors, self._circumstances_at)
            transitions = self._moved_along(draft, drift := self._drift())
            if draft.alerts:
                await self._ledger.commit(self._commit(draft, transitions))
            self._adopt(draft, transitions)
            self._offset += drift
        await self._announcer.announce(transitions)
        return now

    def shares(self, monitor: str, ties: Iterable[Tie]) -> bool:
        """Whether another monitor than this one may fail for the same reason."""
        return self._books.neighbours.shares(monitor, ties)

    async def record(self, change: Commit, notices: Sequence[Notice] = ()) -> None:
        """Write what is about no monitor (Vigie itself, an availability report) with the notices of it. Raises StoreError."""
        async with self._lock:
            await self._ledger.commit(replace(change, outbox=(*change.outbox, *self._rows(notices))))

    def _drift(self) -> int:
        """By how much the wall clock jumped since a jump was last applied, ms."""
        drift = self._clock.now() - round(self._clock.monotonic() * 1000) - self._offset
        return drift if abs(drift) > _STEP_MS else 0

    def _moved_along(self, draft: Draft, drift: int) -> list[Transition]:
        """What a jump of the clock does to every alert; nobody must be reminded of anything because of it."""
        if not drift:
            return []
        log.warning("the clock jumped by %+.1f s (a step, or the machine was suspended); no alert is sent for it", drift / 1000)
        if drift < 0:
            self._books.not_after(self._clock.now())
            self._steady.enter(self._monitors)
        event = Stepped(self._clock.now(), drift)
        return [transition for alert in list(self._books.alerts) for transition in self._notified(draft, alert, event)]

    def _observed(self, draft: Draft, results: Iterable[CheckResult]) -> list[Transition]:
        """What results do, one after the other."""
        transitions, heard = [], self._clock.now()
        for result in results:
            monitor = self._monitors.get(result.monitor)
            if monitor is None:
                continue
            said = (result.at, result.run, result.sequence, result.status, result.cause, result.location, obstacle(result))
            event = Observed(*said, heard=heard)
            if not incident.is_new(draft.state(monitor.id), event):
                continue  # what is repeated teaches nothing
            judged = self._baselines.judge(monitor, result)
            if judged is not result:
                event = replace(event, status=judged.status, cause=judged.cause)
            self._books.neighbours.learn(monitor, judged)
            move = Move(draft, monitor)
            move.observe(event, judged)
            transitions.append(move.end(judged))
        return transitions

    def _rows(self, notices: Iterable[Notice]) -> tuple[OutboxRow, ...]:
        """Notices as rows, by channel. An opening is held for the report; what a window withheld has had its report since it opened."""
        now = self._clock.now()
        return tuple(OutboxRow(one, now + self._held_ms(one)) for one in self._addressed(notices))

    def _held_ms(self, notice: Notice) -> int:
        opening = notice.reason in (NoticeReason.OPENED, NoticeReason.FLAPPING)
        if not opening and notice.reason is not NoticeReason.EXPIRING:
            return 0
        if not opening or notice.subject is not SubjectKind.MONITOR:
            return self._gather_ms
        first = self._books.incidents.get(notice.alert)  # its report was begun when it opened, before others were waited for
        return self._hold_ms if first is None else max(self._hold_ms - (notice.at - first.opened_at), 0)

    def _commit(
        self,
        draft: Draft,
        transitions: list[Transition],
        *,
        cursors: tuple[tuple[str, int, int], ...] = (),
        commands: tuple[int, ...] = (),
    ) -> Commit:
        return replace(
            self._decided(draft, transitions),
            results=tuple([one.result for one in transitions if one.result is not None]),
            cursors=cursors,
            details=tuple([one.result for one in transitions if one.result is not None and one.is_worth_keeping]),
            baselines=self._baselines.due(self._clock.now()),
            commands=commands,
        )

    async def _newest(self, monitor: str, location: str) -> CheckResult | None:
        """What a change of verdict is compared with; a store that cannot read costs the comparison, never the verdict."""
        try:
            return await self._archive.newest(monitor, location)
        except StoreError:
            return None

    def _decided(self, draft: Draft, transitions: list[Transition]) -> Commit:
        """What was decided, without what was measured and learnt."""
        return Commit(
            states=tuple({one.monitor.id: one.after for one in transitions if one.matters}.values()),
            alerts=tuple(draft.alerts.values()),
            incidents=tuple(draft.incidents.values()),
            timeline=tuple(draft.timeline),
            outbox=self._rows([notice for one in transitions for notice in one.notices]),
        )

    def _adopt(self, draft: Draft, transitions: list[Transition]) -> None:
        """Take for true what was committed."""
        self._books.adopt(draft)
        if self._steady:
            self._steady.enter(draft.states)
        newest = next((one.result for one in reversed(transitions) if one.result is not None), None)
        if newest is not None:
            self.last_result_at, self.lag_ms = newest.at, self._clock.now() - newest.at

    async def _keep_trying(self, what: Callable[[], Awaitable[None]]) -> None:
        """A failing store is Vigie's own fault: results wait, loudly, and no service is marked down for it."""
        for attempt in range(1_000_000):
            try:
                await what()
            except StoreError as error:
                if error.fault is StoreFault.FENCED:
                    raise  # another server decides now
                self.store_failing = True
                if self._stopping:
                    raise
                wait = _RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)]
                log.error("the store failed (%s), next attempt in %s s: %s. %s", error.fault, wait, error, error.fix)  # noqa: TRY400 - the trace says nothing more
                await self._clock.sleep(wait)
            else:
                self.store_failing = False
                return
