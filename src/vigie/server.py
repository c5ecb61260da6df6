"""`vigie serve`: the continuous form. Starts the parts, reloads the configuration as a whole or not at all, drains at the end."""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import replace

from vigie import plugins
from vigie.app import Runtime, collectors, heartbeats, jobs, monitors, notifiers, probed, routine_level, state_of, writing, zone_of
from vigie.buses.local import LocalBus
from vigie.buses.process import ProcessAgent
from vigie.config import Desired
from vigie.config.source import FileSource
from vigie.core.model import Monitor
from vigie.descriptors import FEW, for_connections, raise_limit
from vigie.engine.alive import keep_alive
from vigie.engine.check_summary import CheckSummary
from vigie.engine.feedback import FeedbackService
from vigie.engine.janitor import Janitor, keep_history
from vigie.engine.queries import StoredQueries
from vigie.engine.queries.health import RunningHealth
from vigie.engine.reconcile import Outcome, Part, Prepared, Reconciler
from vigie.engine.transition import Transition
from vigie.errors import StoreError, VigieError
from vigie.memory import one_arena, settle
from vigie.net import Link
from vigie.observation.rollup import Retention
from vigie.ports import Clock
from vigie.report.render import RenderContext
from vigie.responding import Responding, button_sources
from vigie.self_watch import SelfWatch
from vigie.text.formatting import counted, unsent_words
from vigie.web.app import build, build_pings
from vigie.web.hosts import Hosts, own_names
from vigie.web.listener import Listener

log = logging.getLogger("vigie.server")

STOP_SECONDS = 15.0  # the whole of a graceful stop, whatever clients, channels and checks do
_CHECKS_SECONDS, _ANSWERS_SECONDS = 8.0, 3.0  # of it, side by side: for checks under way, and for what is being answered
_CLOSE_SECONDS = 1.5  # of it, at its end
_BACKLOG = 512  # connections that the system holds until they are accepted


LogOf = Callable[[Desired], AbstractContextManager[Callable[[], None]]]


def _same_log(_: Desired) -> AbstractContextManager[Callable[[], None]]:
    """The log is somebody else's."""
    return contextlib.nullcontext(lambda: None)


class Server:
    """All the parts of `vigie serve`. `reload` reads the configuration anew and may raise ConfigError."""

    def __init__(self, settings: Desired, clock: Clock, reload: Callable[[], Desired], log_of: LogOf = _same_log) -> None:
        self.settings, self._clock, self._load, self._log_of = settings, clock, reload, log_of
        self.runtime = Runtime(settings, clock, hold_ms=settings.llm.hold_ms, threads=True)
        self._bus = LocalBus()
        self.agent = ProcessAgent(
            clock=clock,
            publish=self._bus.publish,
            next_run=self.runtime.store.ledger.next_run,
            control=settings.control,
            second_resolver=settings.second_resolver,
            evidence=str(state_of(settings).evidence),
        )
        self.heartbeats = heartbeats(self.runtime, self._bus.publish, lambda: self.runtime.deps.link.fault())  # noqa: PLW0108 - of the moment: a new configuration may bring another link
        self.runtime.self_monitor.on_link_regained(self.heartbeats.unheard)
        self.feedback = (
            FeedbackService(self.runtime.store.archive, self.runtime.store.catalog, clock, self.runtime.composer)
            if settings.web.public_url is not None
            else None
        )
        self.responding = Responding(self.runtime, clock)
        self._janitor = Janitor(self.runtime.store.inbox, self.runtime.store.archive, clock, self.runtime.ingest)
        self._tasks: list[asyncio.Task[None]] = []
        self._taking: asyncio.Task[None] | None = None
        self.runtime.ingest.listen(self._pace)
        self.queries = StoredQueries(self.runtime.store, self._watched, self.runtime.planner.maintenance_of, self._kept)
        self.health = RunningHealth(self.runtime.store.ledger, self.runtime.ingest, clock, self._watched, self._late)
        self.runtime.ingest.listen_to_results(self.health.on_transition)
        self._summary = CheckSummary(clock, self._watched, self._late)
        self.runtime.ingest.listen_to_results(self._summary.on_transition)
        self.watch = SelfWatch(self.runtime, self.agent, self.health)
        self._source = FileSource(self._read, settings)
        parts: list[Part[Desired]] = [
            self._follow_log,
            self._follow_messages,
            lambda desired: self.runtime.ingest.prepare(one.monitor for one in desired.monitors),
            lambda desired: self.heartbeats.prepare(jobs(desired), desired.secrets),
            self._follow_calendar,
            self._follow_checks,
        ]
        self._reconciler = Reconciler(self._source, parts, self.runtime.store.ledger.commit)

    async def start(self) -> None:
        """Adopt the state, start every loop, begin to watch."""
        await self.runtime.start()
        await self._retry_unsent()
        await self.health.start(self.runtime.store.archive)
        await self.heartbeats.start(jobs(self.settings), await self.runtime.store.ledger.next_run(), listening=True)
        loops = {
            "the outbox": self.runtime.outbox.run,
            "the reporter": self.runtime.reporter.run,
            "the janitor": self._janitor.run,
            "the history": lambda: keep_history(self.runtime.store.history, self._clock, self._kept),
            "the calendar": self.runtime.calendar.run,
            "the hand-overs": self.runtime.handovers.run,
            "maintenance": lambda: self.runtime.planner.run(self.runtime.ingest),
            "the watch over jobs": self.heartbeats.run,
            "the configuration": self._reconciler.run,
            "the log of checks": self._summary.run,
            "the beat of the loop": self.watch.beat,
            "the watchdog": self.watch.watchdog.run,
        }
        self._tasks = [asyncio.create_task(keep_alive(name, run, self._clock)) for name, run in loops.items()]
        web = self.settings.web
        if jobs(self.settings) and not web.enabled and web.pings_listen is None:
            log.warning("jobs can only report with `vigie ping`: `web.enabled` is false, and `web.pings_listen` is not set")
        self.responding.start()
        self._taking = asyncio.create_task(self._take())
        await self.agent.assign([one.spec for one in probed(self.settings)])
        for state in self.runtime.ingest.states():
            if state.quick and (monitor := self.runtime.ingest.monitor(state.monitor)):
                await self.agent.pace(monitor.id, _quick_ms(monitor))
        self.agent.start()
        _preload(self.settings)
        self.watch.stalls.start()
        settle()

    async def stop(self, answering: Awaitable[object] | None = None) -> None:
        """Drain: checks under way end, their results are taken in, what is due is sent, the store is closed.

        Pings are taken in until `answering` has ended. All of it within STOP_SECONDS: a check that takes longer is given up, and what is
        not sent by then is sent at the next start.
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
        await self.runtime.self_monitor.stop()
        left = max(end - self._clock.monotonic(), 0.0)
        unsent = await self.runtime.outbox.drain(self._clock.now() + round(left * 1000))
        if unsent:
            log.warning("unsent: %s", unsent_words(unsent.waiting, unsent.given_up, "start"))
        await self.runtime.close(max(end - self._clock.monotonic(), 0.0))

    async def reload(self) -> bool:
        """Apply the configuration as it stands now, as a whole or not at all; whether it was applied."""
        return await self._reconciler.apply() is Outcome.APPLIED

    def ask_reload(self) -> None:
        """Have the configuration read anew soon; one that cannot be applied is tried again until it can, or is another."""
        self._source.ask()

    def _read(self) -> Desired:
        """The configuration as it can be applied while this process lives."""
        fresh = self._load()
        if (fresh.store, fresh.state, fresh.web) != (self.settings.store, self.settings.state, self.settings.web):
            log.warning("`store`, `state` and `web` are applied at the next start")
        return replace(fresh, store=self.settings.store, state=self.settings.state, web=self.settings.web)

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
        built, options, watched = notifiers(desired, self._clock), writing(desired, self._clock), monitors(desired)
        sources = button_sources(desired, self._clock)
        report = desired.availability

        _preload(desired)

        def swap() -> None:
            runtime.deps.link = link
            runtime.composer.use(options.setting, watched)
            runtime.reporter.use(options, looks)
            runtime.outbox.use(built)
            self.responding.use(sources)
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
            await runtime.ingest.wake(self._clock.now(), everything=True)

        yield Prepared(swap=lambda: runtime.planner.use(fresh), announce=announce)

    @asynccontextmanager
    async def _follow_checks(self, desired: Desired) -> AsyncIterator[Prepared]:
        """What the prober does, what this server calls its configuration, and the end: everything is in force."""
        specs = [one.spec for one in probed(desired)]

        def swap() -> None:
            self.settings = self.runtime.settings = desired
            self.watch.use(desired)
            self.agent.use(specs, desired.control, desired.second_resolver)

        async def announce() -> None:
            await self.agent.send_work()
            await self._retry_unsent()
            settle()
            counts = counted(len(desired.monitors), "monitor", "en"), counted(len(desired.channels), "channel", "en")
            log.info("the new configuration is in force: %s, %s", *counts)
            for fault in desired.warnings:
                log.warning("%s", fault)

        yield Prepared(swap=swap, announce=announce)

    async def _retry_unsent(self) -> None:
        """A store that cannot be read now keeps what is unsent, with the times of its next attempts."""
        try:
            await self.runtime.retry_unsent()
        except StoreError as error:
            log.error("unsent notices cannot be looked through: %s. %s", error, error.fix)  # noqa: TRY400 - the trace says nothing more

    def setting(self) -> RenderContext:
        """The language and the zone of pages, by the configuration in force."""
        return RenderContext(self.settings.language, zone_of(self.settings))

    def _watched(self) -> list[Monitor]:
        return [one.monitor for one in self.settings.monitors]

    def _kept(self) -> Retention:
        return self.settings.history

    def _late(self) -> int | None:
        return None if self.agent.late is None else self.agent.late.p99

    async def _take(self) -> None:
        async for batch in self._bus.batches():
            await self.watch.take(batch)

    async def _pace(self, transition: Transition) -> None:
        if transition.before.quick != transition.after.quick:
            await self.agent.pace(transition.monitor.id, _quick_ms(transition.monitor) if transition.after.quick else None)


def _preload(desired: Desired) -> None:
    """Have what a notice needs in memory before it is needed."""
    for channel in desired.channels.values():
        plugins.preload("notifiers", channel.kind)


def _quick_ms(monitor: Monitor) -> int:
    return min(monitor.detection.confirm_every_ms, monitor.every_ms)


async def serve(
    settings: Desired,
    clock: Clock,
    reload: Callable[[], Desired],
    stop: asyncio.Event,
    again: asyncio.Event,
    log_of: LogOf = _same_log,
) -> None:
    """Run until `stop` is set; `again` asks for a reload. Raises VigieError when the port is taken."""
    one_arena()
    descriptors = raise_limit()
    if descriptors < FEW:
        log.warning("at most %d files may be open at once; raise the limit (ulimit -n) to %d", descriptors, FEW)
    with state_of(settings).locked():
        service = Server(settings, clock, reload, log_of)
        listeners = await _listeners(service, settings, descriptors)
        try:
            await service.start()
            log.info("watching %s; stop with Ctrl-C", counted(len(settings.monitors), "monitor", "en"))
            await _until(stop, again, service)
        finally:
            log.info("stopping: finishing checks in progress, sending what is queued; a second Ctrl-C or SIGTERM ends at once")
            await service.stop(asyncio.gather(*(one.close(_ANSWERS_SECONDS) for one in listeners)))


async def _until(stop: asyncio.Event, again: asyncio.Event, service: Server) -> None:
    while not stop.is_set():
        waits = [asyncio.create_task(event.wait()) for event in (stop, again)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if again.is_set():
            again.clear()
            service.ask_reload()


async def _listeners(service: Server, settings: Desired, descriptors: int) -> list[Listener]:
    """Listen where the page is served, and where pings alone are taken. Raises VigieError that says why not."""
    web, wanted = settings.web, []
    if web.enabled:
        hosts = Hosts(own_names(web.listen, web.public_url, web.hosts))
        acting = service.responding.responses, service.responding.buttons
        pages = build(service.queries, service.health, service.setting, service.heartbeats, service.feedback, hosts, *acting)
        wanted.append((web.listen, "web.listen", "status page on http://%s:%d/", pages))
    if web.pings_listen is not None:
        wanted.append((web.pings_listen, "web.pings_listen", "pings alone on http://%s:%d/ping/", build_pings(service.heartbeats)))
    share = for_connections(descriptors, len(wanted))
    listeners: list[Listener] = []
    try:
        for listen, key, words, app in wanted:
            one = Listener(app, await _bound(listen, key), share)
            one.start()
            listeners.append(one)
            log.info(words, listen.rpartition(":")[0], one.port)
    except VigieError:
        for one in listeners:
            await one.close(0)
        await service.runtime.store.close()
        raise
    return listeners


def _instead(key: str) -> str:
    return "web.enabled to false" if key == "web.listen" else "remove it"


async def _bound(listen: str, key: str) -> list[socket.socket]:
    """Sockets that are bound there; raises VigieError that says why not."""
    host, _, port = listen.rpartition(":")
    try:
        server = await asyncio.start_server(lambda _, __: None, host.strip("[]"), int(port), start_serving=False)
        sockets = [one.dup() for one in server.sockets]
        server.close()
        for one in sockets:
            one.listen(_BACKLOG)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "is in use by another program" if taken else f"cannot be bound: {error.strerror or error}"
        raise VigieError(f"{listen} {why}", f"set {key} to a free port on this machine, or {_instead(key)}") from error
    return sockets
