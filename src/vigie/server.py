"""`vigie serve`: the continuous form. Starts the parts, reloads the configuration as a whole or not at all, drains at the end.

Where several servers share a store, one of them evaluates at a time, under a lease, and the others stand by (docs/decisions/0069):
1. Who evaluates decides, reports, follows the calendar and jobs, pings the watchdog; each of its commits is fenced by its lease.
2. Who stands by decides nothing. It sends what is due, serves pages and takes what comes in: pings, what people do, definitions; the one
   that evaluates applies them.
3. A `Server` has one duty for its whole life. Whoever is to do the other is a new one, so that nothing of the old one's memory is left.

Long: which parts there are, and in which order they begin, change and end, is read in one place.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

from vigie import plugins
from vigie.app import Runtime, collectors, heartbeats, jobs, monitors, notifiers, probed, routine_level, state_of, writing, zone_of
from vigie.buses.local import LocalBus
from vigie.buses.process import ProcessAgent
from vigie.config import Desired
from vigie.config.source import FileSource
from vigie.core.model import Monitor
from vigie.defining import Definitions
from vigie.engine.agents.over_bus import run_both
from vigie.engine.alive import keep_alive
from vigie.engine.board import LiveBoard
from vigie.engine.check_summary import CheckSummary
from vigie.engine.commands.alerts import AlertDesk
from vigie.engine.commands.monitors import MonitorDesk
from vigie.engine.deciding import Deciding
from vigie.engine.feedback import FeedbackService
from vigie.engine.following import Follower
from vigie.engine.janitor import Janitor, keep_history
from vigie.engine.leases import ALONE, Duty
from vigie.engine.live import LiveHub
from vigie.engine.past import Pasts
from vigie.engine.queries import StoredQueries
from vigie.engine.queries.alerts import StoredAlerts
from vigie.engine.queries.details import StoredDetails
from vigie.engine.queries.fleet import StoredFleet
from vigie.engine.queries.health import RunningHealth
from vigie.engine.queries.measures import Running, RunningMeasures
from vigie.engine.reconcile import Outcome, Part, Prepared, Reconciler
from vigie.engine.refreshing import Refresher
from vigie.engine.transition import Transition
from vigie.errors import StoreError, VigieError
from vigie.memory import settle
from vigie.net import Link
from vigie.observation.check_spec import CheckSpec
from vigie.observation.rollup import Retention
from vigie.otlp import OtlpExport
from vigie.ports import Clock, StoredDefinition
from vigie.probing import Probing
from vigie.publishing import Publishing
from vigie.queries.fleet import ServerRole
from vigie.queries.measures import Lateness
from vigie.report.render import RenderContext
from vigie.reporting import Reporting
from vigie.responding import Responding, button_sources
from vigie.self_watch import SelfWatch
from vigie.text.formatting import counted, unsent_words
from vigie.whereabouts import unknown_locations

log = logging.getLogger("vigie.server")

STOP_SECONDS = 15.0  # the whole of a graceful stop, whatever clients, channels and checks do
_CHECKS_SECONDS = 8.0  # of it, for checks under way; side by side with what is being answered
_CLOSE_SECONDS = 1.5  # of it, at its end
_SENDS_SECONDS = 35.0  # for what a server that stops evaluating is sending: each send has its own deadline


Loop = Callable[[], Coroutine[Any, Any, None]]
Edit = Callable[[Sequence[StoredDefinition]], Desired]  # the configuration as it stands now, with these beside the file
LogOf = Callable[[Desired], AbstractContextManager[Callable[[], None]]]


def same_log(_: Desired) -> AbstractContextManager[Callable[[], None]]:
    """The log is somebody else's."""
    return contextlib.nullcontext(lambda: None)


class Server:
    """All the parts of `vigie serve`. `reload` reads the configuration anew and may raise ConfigError."""

    def __init__(
        self,
        settings: Desired,
        clock: Clock,
        reload: Callable[[], Desired],
        log_of: LogOf = same_log,
        edit: Edit | None = None,
        duty: Duty = ALONE,
    ) -> None:
        self.settings, self._clock, self._load, self._log_of, self.duty = settings, clock, reload, log_of, duty
        self.runtime = Runtime(settings, clock, hold_ms=settings.llm.hold_ms, threads=True, duty=duty)
        self.follower = None if duty.evaluates else self._follower()
        self._bus = LocalBus()
        self.agent = ProcessAgent(
            clock=clock,
            publish=self._bus.publish,
            next_run=self.runtime.store.ledger.next_run,
            control=settings.control,
            second_resolver=settings.second_resolver,
            evidence=str(state_of(settings).evidence),
        )
        self.heartbeats = heartbeats(
            self.runtime,
            self._bus.publish,
            lambda: self.runtime.deps.link.fault(),  # noqa: PLW0108 - of the moment: a new configuration may bring another link
            relay=not duty.evaluates,
        )
        self.runtime.self_monitor.on_link_regained(self.heartbeats.unheard)
        self.feedback = (
            FeedbackService(self.runtime.store.archive, self.runtime.store.catalog, clock, self.runtime.composer)
            if settings.web.public_url is not None
            else None
        )
        self.responding = Responding(self.runtime, clock, self._deciding)
        self._janitor = Janitor(
            self.runtime.store.inbox,
            self.runtime.store.archive,
            self.runtime.store.accounts,
            clock,
            self.runtime.ingest,
            prunes=duty is ALONE,
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._applied_at: int | None = None
        self._taking: asyncio.Task[None] | None = None
        self.runtime.ingest.listen(self._pace)
        self.agents = Reporting(self.runtime, clock, server_name(), duty)
        self._observe(clock)
        self._serve_people(clock)
        self.watch = SelfWatch(self.runtime, self.agent, self.health)
        self._follow_configuration(clock, edit)

    def _follower(self) -> Follower:
        runtime = self.runtime
        return Follower(
            runtime.ingest,
            runtime.store.archive,
            runtime.store.inbox,
            runtime.planner,
            self._clock,
            self._watched,
            lambda monitors: self.board.decided(monitors),  # noqa: PLW0108 - it is made later
        )

    @property
    def _deciding(self) -> Deciding:
        """Who takes what people do about alerts."""
        return self.follower or self.runtime.ingest

    async def replan(self) -> None:
        """What people planned is another than before. Raises StoreError."""
        if self.follower is not None:
            await self.follower.refresh()
        else:
            await self.runtime.planner.tick(self.runtime.ingest)

    def _observe(self, clock: Clock) -> None:
        """What is made of results, for pages, metrics and the log."""
        role = ServerRole.EVALUATOR if self.duty.evaluates else ServerRole.STANDBY
        self.fleet = None if self.duty is ALONE else StoredFleet(self.runtime.store, role)
        self.queries = StoredQueries(self.runtime.store, self._watched, self.runtime.planner.maintenance_of, self._kept)
        self.health = RunningHealth(self.runtime.store.ledger, self.runtime.ingest, clock, self._watched, self._late)
        self.runtime.ingest.listen_to_results(self.health.on_transition)
        self.measures = self._measures()
        self._otlp = OtlpExport(self.measures, clock, self.settings.metrics.otlp)
        if self.duty.evaluates:
            self.runtime.ingest.listen_to_results(self.measures.on_transition, self.measures)
        self.live = LiveHub(clock)
        self.board = LiveBoard(
            self.runtime.ingest,
            clock,
            self.live,
            self._watched,
            self.runtime.planner.maintenance_of,
            Pasts(self.queries.history, self.runtime.store.archive, clock),
        )
        self._refresher = Refresher(self.runtime.ingest, self.runtime.store.archive, clock, self.board, self.measures)
        self.runtime.ingest.listen_to_results(self.board.on_transition, self._refresher)
        self._summary = CheckSummary(clock, self._watched, self._late)
        self.runtime.ingest.listen_to_results(self._summary.on_transition, self._summary)

    def _follow_configuration(self, clock: Clock, edit: Edit | None) -> None:
        """Every part that a new configuration concerns, in the order in which they are prepared and swapped."""
        self._source = FileSource(self._read, self.settings)
        evaluated: list[Part[Desired]] = [lambda desired: self.runtime.ingest.prepare(one.monitor for one in desired.monitors)]
        parts: list[Part[Desired]] = [
            self._follow_log,
            self._follow_messages,
            *(evaluated if self.follower is None else ()),
            lambda desired: self.heartbeats.prepare(jobs(desired), desired.secrets),
            self._follow_calendar,
            self._follow_checks,
        ]
        self.definitions: Definitions | None = None
        if edit is not None:
            self.definitions = Definitions(
                lambda: self.settings,
                lambda stored: self._applicable(edit(stored)),
                lambda read: self._reconciler.put(read),  # noqa: PLW0108 - it is made below, of this part too
                clock,
            )
            parts.append(self.definitions.follow)
        self._reconciler = Reconciler(self._source, parts, self.runtime.store.ledger.commit)

    def _serve_people(self, clock: Clock) -> None:
        """Who answers and acts for pages, subscribers and other programs."""
        self.publishing = Publishing(self.runtime, clock, lambda: self.settings, self._watched, self.queries.history)
        self.probing = Probing(lambda: self.settings, self.agent.check_once, self.runtime.deps.resolver)
        self.alerts = StoredAlerts(self.runtime.store, self.runtime.composer, self.runtime.ingest.alerts)
        self.details = StoredDetails(
            self.runtime.store, clock, self.queries.monitors, self.runtime.ingest.monitor, self.runtime.ingest.learnt
        )
        self.alert_desk = AlertDesk(self.runtime.store, self._deciding, clock)
        self.monitor_desk = MonitorDesk(
            self._check_now if self.follower is None else self._check_here,
            self.runtime.store.archive,
            clock,
            self.runtime.ingest.monitor,
            lambda: self.runtime.reporter.collectors,
            self.setting,
            lambda kind: plugins.traits(kind).passive,
        )
        self.runtime.ingest.listen_to_results(self.monitor_desk.on_transition, self.monitor_desk)

    async def start(self) -> None:
        """Adopt the state, start every loop, begin to watch; or stand by."""
        store = self.runtime.store
        if self.follower is not None:
            await self.follower.start()
        else:
            await self.runtime.start()
            await self._retry_unsent()
        await self.health.start(store.archive)
        await self.board.start(store.archive)
        await self.heartbeats.start(jobs(self.settings), await store.ledger.next_run(), listening=True)
        loops = self._shared_loops() | (
            self._evaluating_loops() if self.follower is None else {"what is decided elsewhere": self.follower.run}
        )
        self._tasks = [asyncio.create_task(keep_alive(name, run, self._clock)) for name, run in loops.items()]
        web = self.settings.web
        if jobs(self.settings) and not web.enabled and web.pings_listen is None:
            log.warning("jobs can only report with `vigie ping`: `web.enabled` is false, and `web.pings_listen` is not set")
        await self.agents.desk.start()
        if self.follower is None:
            self.responding.start()
            self._taking = asyncio.create_task(self._take())
            await self._assign()
        self.agent.start()
        self._applied_at = self._clock.now()
        await self._warn_of_locations()
        await self._remember_applied()
        _preload(self.settings)
        self.watch.stalls.start()
        settle()

    def _shared_loops(self) -> dict[str, Loop]:
        """What every server does, whatever its duty."""
        catalog, definitions = self.runtime.store.catalog, self.definitions
        others: dict[str, Loop] = {}
        if self.duty is not ALONE and definitions is not None:
            others = {"definitions made elsewhere": lambda: definitions.follow_others(catalog, self.ask_reload)}
        return others | {
            "the outbox": self.runtime.outbox.run,
            "the configuration": self._reconciler.run,
            "letters to subscribers": self.publishing.letters.run,
            "the board": self.board.run,
            "live changes": self.live.run,
            "the newest results": self._refresher.run,
            "the beat of the loop": self.watch.beat,
            "agents in other places": self.agents.desk.run,
        }

    def _evaluating_loops(self) -> dict[str, Loop]:
        """What the one that evaluates does; history has a lease of its own where there are several servers."""
        history: dict[str, Loop] = {"the history": lambda: keep_history(self.runtime.store.history, self._clock, self._kept)}
        over_bus = self.agents.over_bus
        return {
            **({} if over_bus is None else {"agents on the bus": lambda: run_both(over_bus)}),
            "the reporter": self.runtime.reporter.run,
            "the janitor": self._janitor.run,
            **(history if self.duty is ALONE else {}),
            "the calendar": self.runtime.calendar.run,
            "the hand-overs": self.runtime.handovers.run,
            "maintenance": lambda: self.runtime.planner.run(self.runtime.ingest),
            "the watch over jobs": self.heartbeats.run,
            "the log of checks": self._summary.run,
            "the watchdog": self.watch.watchdog.run,
            "the metrics that are sent": self._otlp.run,
        }

    async def _assign(self) -> None:
        """Have everything checked, at the pace that its state asks for."""
        await self.agent.assign(self._specs(self.settings))
        for state in self.runtime.ingest.states():
            if state.quick and (monitor := self.runtime.ingest.monitor(state.monitor)):
                await self._pace_everywhere(monitor.id, _quick_ms(monitor))

    def _specs(self, desired: Desired) -> list[CheckSpec]:
        """What the prober of this server checks: nothing while another server evaluates, or where agents do all of it."""
        checks = self.duty is ALONE or (self.duty.evaluates and desired.fleet.probe)
        return [one.spec for one in probed(desired)] if checks else []

    async def _check_here(self, monitor: str) -> None:
        """For whoever asks while this server stands by: a check of its own, shown and not evaluated."""
        spec = next((one.spec for one in probed(self.settings) if one.monitor.id == monitor), None)
        if spec is not None:
            await self.runtime.ingest.show([await self.agent.check_once(spec)])

    async def stop(self, answering: Awaitable[object] | None = None, *, last: bool = True) -> None:
        """Drain: checks under way end, their results are taken in, what is due is sent, the store is closed.

        Pings are taken in until `answering` has ended. All of it within STOP_SECONDS: a check that takes longer is given up, and what is
        not sent by then is sent at the next start. Not the `last` server: what is due is left to the others, who go on watching.
        """
        end = self._clock.monotonic() + STOP_SECONDS - _CLOSE_SECONDS
        self.watch.stalls.stop()
        await self.agent.stop(_CHECKS_SECONDS)
        if answering is not None:
            await answering
        await self.responding.close()
        await self.heartbeats.stop()
        await self._bus.close()
        self.runtime.ingest.stop()
        if self._taking is not None:
            await self._taking
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.agents.close()
        if last:
            await self.runtime.self_monitor.stop()
            left = max(end - self._clock.monotonic(), 0.0)
            unsent = await self.runtime.outbox.drain(self._clock.now() + round(left * 1000))
            if unsent:
                log.warning("unsent: %s", unsent_words(unsent.waiting, unsent.given_up, "start"))
        await self.runtime.close(max(end - self._clock.monotonic(), 0.0))

    def halt(self) -> None:
        """From now on this server decides nothing, and claims nothing."""
        self.watch.stalls.stop()
        self.runtime.ingest.stop()
        for task in (*self._tasks, *([self._taking] if self._taking is not None else [])):
            task.cancel()
        self.live.close()

    async def retire(self) -> None:
        """After `halt`: end what is left of it. What is being sent is sent; what was not written is given up, since another one decides."""
        await asyncio.gather(*self._tasks, *([self._taking] if self._taking is not None else []), return_exceptions=True)
        await self.agents.close()
        await self.agent.stop(_CLOSE_SECONDS)
        await self.responding.close()
        with contextlib.suppress(StoreError):
            await self.heartbeats.stop()
        await self.runtime.close(_SENDS_SECONDS, keep=False)

    async def reload(self) -> bool:
        """Apply the configuration as it stands now, as a whole or not at all; whether it was applied."""
        return await self._reconciler.apply() is Outcome.APPLIED

    def ask_reload(self) -> None:
        """Have the configuration read anew soon; one that cannot be applied is tried again until it can, or is another."""
        self._source.ask()

    def _read(self) -> Desired:
        return self._applicable(self._load())

    def _applicable(self, fresh: Desired) -> Desired:
        """The configuration as it can be applied while this process lives."""
        kept = self.settings
        if (fresh.store, fresh.bus, fresh.state, fresh.web) != (kept.store, kept.bus, kept.state, kept.web):
            log.warning("`store`, `bus`, `state` and `web` are applied at the next start")
        return replace(fresh, store=kept.store, bus=kept.bus, state=kept.state, web=kept.web)

    @asynccontextmanager
    async def _follow_log(self, desired: Desired) -> AsyncIterator[Prepared]:
        with self._log_of(desired) as swap_log:

            def swap() -> None:
                swap_log()
                self.runtime.ingest.log_routine(routine_level(desired, continuous=True))

            yield Prepared(swap=swap)

    @asynccontextmanager
    async def _follow_messages(self, desired: Desired) -> AsyncIterator[Prepared]:
        """What reports, messages and channels are made of, and our own link, which diagnostics ask."""
        runtime, old = self.runtime, self.runtime.deps.link
        link = Link(runtime.deps.resolver, list(desired.control), desired.second_resolver)
        looks = collectors(desired, replace(runtime.deps, link=link), runtime.known)
        built, options, watched = notifiers(desired, self._clock), writing(desired, self._clock, runtime.counts), monitors(desired)
        sources = button_sources(desired, self._clock)
        report = desired.availability

        _preload(desired)

        def swap() -> None:
            runtime.deps.link = link
            runtime.composer.use(options.setting, watched)
            runtime.reporter.use(options, looks)
            runtime.outbox.use(built)
            self.responding.use(sources)
            if self.follower is None:
                self.responding.start()
            runtime.self_monitor.use(watched.values(), desired.blind_after_ms, [one.monitor for one in probed(desired)])
            runtime.calendar.use(watched.values(), report.every, report.channels, options.setting.zone)
            old.close()

        yield Prepared(swap=swap)

    @asynccontextmanager
    async def _follow_calendar(self, desired: Desired) -> AsyncIterator[Prepared]:
        """What is planned: an alert that waits for the end of a window wakes when there is no such window any more."""
        fresh, runtime = desired.planned, self.runtime

        async def announce() -> None:
            if self.follower is None:
                await runtime.ingest.wake(self._clock.now(), everything=True)

        yield Prepared(swap=lambda: runtime.planner.use(fresh), announce=announce)

    @asynccontextmanager
    async def _follow_checks(self, desired: Desired) -> AsyncIterator[Prepared]:
        """What the prober does, what this server calls its configuration, and the end: everything is in force."""
        specs = self._specs(desired)

        def swap() -> None:
            self.settings = self.runtime.settings = desired
            self._applied_at = self._clock.now()
            self.watch.use(desired)
            self._otlp.use(desired.metrics.otlp)
            self.agent.use(specs, desired.control, desired.second_resolver)
            self.agents.use(desired)

        async def announce() -> None:
            await self.agent.send_work()
            await self.agents.desk.settle()
            if self.follower is None:
                await self._retry_unsent()
            await self._warn_of_locations()
            await self._remember_applied()
            self.board.configure()
            settle()
            counts = counted(len(desired.monitors), "monitor", "en"), counted(len(desired.channels), "channel", "en")
            log.info("the new configuration is in force: %s, %s", *counts)
            for fault in desired.warnings:
                log.warning("%s", fault)
            for fault in desired.left_out:
                log.error("%s", fault)

        yield Prepared(swap=swap, announce=announce)

    async def _retry_unsent(self) -> None:
        """A store that cannot be read now keeps what is unsent, with the times of its next attempts."""
        try:
            await self.runtime.retry_unsent()
        except StoreError as error:
            log.error("unsent notices cannot be looked through: %s. %s", error, error.fix)  # noqa: TRY400 - the trace says nothing more

    async def _warn_of_locations(self) -> None:
        for one in await unknown_locations(self.settings, self.runtime.store):
            log.warning("%s", one)

    async def _remember_applied(self) -> None:
        """For `vigie config diff`, which another process asks."""
        if self.settings.summary:
            try:
                await asyncio.to_thread(state_of(self.settings).remember_applied, self.settings.summary)
            except VigieError as error:
                log.warning("what is in force cannot be remembered: %s (%s)", error.message, error.fix)

    def setting(self) -> RenderContext:
        """The language and the zone of pages, by the configuration in force."""
        return RenderContext(self.settings.language, zone_of(self.settings))

    def now(self) -> int:
        """Epoch ms."""
        return self._clock.now()

    def _watched(self) -> list[Monitor]:
        return [one.monitor for one in self.settings.monitors]

    def _kept(self) -> Retention:
        return self.settings.history

    def _late(self) -> int | None:
        return None if self.agent.late is None else self.agent.late.p99

    def _measures(self) -> RunningMeasures:
        """What metrics and readiness are made of."""
        runtime, agent = self.runtime, self.agent
        running = Running(
            lambda: None if agent.late is None else Lateness(agent.late.p99, agent.late.maximum),
            lambda: agent.pid is not None,
            lambda: runtime.self_monitor.is_blind,
            lambda: tuple(self.settings.channels),
            self.settings.store.file,
            lambda: (self._applied_at, self._reconciler.last in (Outcome.REFUSED, Outcome.FAILED)),
            self.duty.evaluates,
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

    async def _take(self) -> None:
        async for group in self._bus.groups():
            for batch in group.batches:
                await self.watch.take(batch)

    async def _pace(self, transition: Transition) -> None:
        if transition.before.quick != transition.after.quick:
            await self._pace_everywhere(transition.monitor.id, _quick_ms(transition.monitor) if transition.after.quick else None)

    async def _pace_everywhere(self, monitor: str, every_ms: int | None) -> None:
        await self.agent.pace(monitor, every_ms)
        await self.agents.desk.pace(monitor, every_ms)

    async def _check_now(self, monitor: str) -> None:
        await self.agent.check_now(monitor)
        await self.agents.desk.check_now(monitor)


def server_name() -> str:
    """What this process is called among the servers of a store: no other has this name, now or later."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def _preload(desired: Desired) -> None:
    """Have what a notice needs in memory before it is needed."""
    for channel in desired.channels.values():
        plugins.preload("notifiers", channel.kind)


def _quick_ms(monitor: Monitor) -> int:
    return min(monitor.detection.confirm_every_ms, monitor.every_ms)
