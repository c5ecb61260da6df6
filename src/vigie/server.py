"""`vigie serve`: the continuous form. Starts the parts, reloads the configuration as a whole or not at all, drains at the end."""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from vigie import __version__
from vigie.app import Runtime, evidence, heartbeats, jobs, locked, monitors, notifiers, probed, writing, zone_of
from vigie.buses.local import LocalBus
from vigie.buses.process import ProcessAgent
from vigie.config import Settings
from vigie.core.model import Monitor
from vigie.engine.alive import keep_alive
from vigie.engine.feedback import FeedbackService
from vigie.engine.janitor import Janitor
from vigie.engine.transition import Transition
from vigie.errors import ConfigError, VigieError
from vigie.memory import one_arena, settle
from vigie.ports import Batch, Clock
from vigie.text.formatting import counted
from vigie.web.view import Health, Snapshot, lines

log = logging.getLogger("vigie.server")

_WATCH_SECONDS = 2.0
_RECENT = 10
# A monitor that gave no result for three of its transitions, and at least this long, means that Vigie has stalled.
_STALL_MS = 120_000
_DRAIN_MS = 10_000


class Server:
    """All the parts of `vigie serve`. `reload` reads the configuration anew and may raise ConfigError."""

    def __init__(self, settings: Settings, clock: Clock, reload: Callable[[], Settings]) -> None:
        self.settings, self._clock, self._reload = settings, clock, reload
        self.runtime = Runtime(settings, clock, hold_ms=settings.llm.hold_ms, threads=True)
        self._bus = LocalBus()
        self.agent = ProcessAgent(
            clock=clock,
            publish=self._bus.publish,
            next_run=self.runtime.store.ledger.next_run,
            control=settings.control,
            second_resolver=settings.second_resolver,
            evidence=str(evidence(settings)),
        )
        self.heartbeats = heartbeats(self.runtime, self._bus.publish, self.runtime.deps.link.fault)
        self.desk = (
            FeedbackService(self.runtime.store.archive, self.runtime.store.catalog, clock, self.runtime.composer)
            if settings.web.public_url is not None
            else None
        )
        self._janitor = Janitor(self.runtime.store.inbox, self.runtime.store.archive, clock, self.runtime.ingest)
        self._tasks: list[asyncio.Task[None]] = []
        self._taking: asyncio.Task[None] | None = None
        self._stamp = self._file_stamp()
        self._started_at = clock.now()
        self.runtime.ingest.listen(self._pace)

    async def start(self) -> None:
        """Adopt the state, start every loop, begin to watch."""
        await self.runtime.start()
        await self.heartbeats.start(jobs(self.settings), await self.runtime.store.ledger.next_run(), listening=True)
        loops = {
            "the outbox": self.runtime.outbox.run,
            "the reporter": self.runtime.reporter.run,
            "the janitor": self._janitor.run,
            "the calendar": self.runtime.calendar.run,
            "the watch over jobs": self.heartbeats.run,
            "the configuration's watch": self._watch_file,
        }
        self._tasks = [asyncio.create_task(keep_alive(name, run, self._clock)) for name, run in loops.items()]
        if jobs(self.settings) and not self.settings.web.enabled:
            log.warning("jobs can only report with `vigie ping`: `web.enabled` is false")
        self._taking = asyncio.create_task(self._take())
        await self.agent.assign([one.spec for one in probed(self.settings)])
        for state in self.runtime.ingest.states():
            if state.quick and (monitor := self.runtime.ingest.monitor(state.monitor)):
                await self.agent.pace(monitor.id, _quick_ms(monitor))
        self.agent.start()
        settle()

    async def stop(self) -> None:
        """Drain: checks under way end, their results are taken in, what is due is sent, the store is closed."""
        await self.agent.stop()
        await self.heartbeats.stop()
        await self._bus.close()
        self.runtime.ingest.stop()
        if self._taking is not None:
            await self._taking
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.runtime.eyes.stop()
        unsent = await self.runtime.outbox.drain(self._clock.now() + _DRAIN_MS)
        if unsent:
            log.warning("%s still unsent; they will be sent at the next start", counted(unsent, "notice", "en"))
        await self.runtime.close()

    async def reload(self) -> bool:
        """Apply the configuration as it stands now, as a whole or not at all; whether it was applied."""
        self._stamp = self._file_stamp()
        try:
            fresh = await asyncio.to_thread(self._reload)
            fresh = replace(fresh, store=self.settings.store, web=self.settings.web)  # these two need a restart
            built = notifiers(fresh, self._clock)
            said = writing(fresh, self._clock)
        except (ConfigError, VigieError) as error:
            log.error("the new configuration was rejected, the old one stays in force:\n%s", error)  # noqa: TRY400 - the trace says nothing more
            return False
        self.settings = self.runtime.settings = fresh
        watched = [one.monitor for one in fresh.monitors]
        await self.runtime.store.catalog.sync_monitors(watched)
        await self.runtime.ingest.configure(watched)
        self.runtime.eyes.use(watched, fresh.blind_after_ms, [one.monitor for one in probed(fresh)])
        self.runtime.calendar.use(watched, fresh.availability.every, fresh.availability.channels, said.setting.zone)
        self.runtime.composer.use(said.setting, monitors(fresh))
        self.runtime.reporter.use(said)
        self.runtime.outbox.use(built)
        await self.heartbeats.use(jobs(fresh), fresh.secrets)
        self.agent.use(fresh.control, fresh.second_resolver)
        await self.agent.assign([one.spec for one in probed(fresh)])
        settle()
        log.info("the new configuration is in force: %d monitors, %d channels", len(fresh.monitors), len(fresh.channels))
        return True

    async def snapshot(self) -> Snapshot:
        """How things stand, for the status page."""
        archive, now = self.runtime.store.archive, self._clock.now()
        watched = [one.monitor for one in self.settings.monitors]
        found = lines(watched, await archive.last_results(), await archive.incidents(open_only=True, limit=10_000))
        recent = tuple(await archive.incidents(limit=_RECENT))
        last = self.runtime.ingest.last_result_at
        slowest = max((3 * monitor.every_ms for monitor in watched), default=0)
        late = self.agent.late.p99 if self.agent.late is not None else None
        stalled = now - max(last or 0, self._started_at) > max(_STALL_MS, slowest)
        notices = await self.runtime.store.ledger.counts()
        health = Health(__version__, self._started_at, now, last, notices.waiting, notices.undeliverable, stalled, late)
        return Snapshot(found, recent, health, self.settings.language, zone_of(self.settings))

    async def _take(self) -> None:
        async for batch in self._bus.batches():
            await self._take_one(batch)

    async def _take_one(self, batch: Batch) -> None:
        try:
            await self.runtime.ingest.take(batch)
        except Exception:
            # One batch that breaks must not end the watch over everything else.
            log.exception("a batch of results could not be processed")

    async def _pace(self, transition: Transition) -> None:
        if transition.before.quick != transition.after.quick:
            await self.agent.pace(transition.monitor.id, _quick_ms(transition.monitor) if transition.after.quick else None)

    async def _watch_file(self) -> None:
        while True:
            await self._clock.sleep(_WATCH_SECONDS)
            if self._file_stamp() != self._stamp:
                log.info("the configuration changed")
                await self.reload()

    def _file_stamp(self) -> tuple[Any, ...]:
        """What changes when the file or its `.env` does."""
        found: list[Any] = []
        for path in (self.settings.file, self.settings.base / ".env"):
            with contextlib.suppress(OSError):
                if path is not None:
                    status = path.stat()
                    found.append((status.st_mtime_ns, status.st_size, status.st_ino))
        return tuple(found)


def _quick_ms(monitor: Monitor) -> int:
    return min(monitor.detection.confirm_every_ms, monitor.every_ms)


async def serve(settings: Settings, clock: Clock, reload: Callable[[], Settings], stop: asyncio.Event, again: asyncio.Event) -> None:
    """Run until `stop` is set; `again` asks for a reload. Raises VigieError when the port is taken."""
    one_arena()
    with locked(settings.store):
        service = Server(settings, clock, reload)
        close_page = await _page(service, settings)
        try:
            await service.start()
            log.info("watching %s; stop with Ctrl-C", counted(len(settings.monitors), "monitor", "en"))
            await _until(stop, again, service)
        finally:
            log.info("stopping: finishing checks in progress, sending what is queued")
            await close_page()
            await service.stop()


async def _until(stop: asyncio.Event, again: asyncio.Event, service: Server) -> None:
    while not stop.is_set():
        waits = [asyncio.create_task(event.wait()) for event in (stop, again)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if again.is_set():
            again.clear()
            await service.reload()


async def _page(service: Server, settings: Settings) -> Callable[[], Awaitable[None]]:
    """Serve the status page; what comes back stops it."""
    if not settings.web.enabled:
        return _nothing
    import uvicorn

    from vigie.web.app import build

    listening = await _bound(settings.web.listen, service)
    pages = build(service.snapshot, service.heartbeats, service.desk)
    config = uvicorn.Config(pages, log_config=None, access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # signals are ours
    task = asyncio.create_task(server._serve(listening))  # noqa: SLF001 - `serve` would take over the signals
    log.info("status page on http://%s:%d/", settings.web.listen.rpartition(":")[0], listening[0].getsockname()[1])

    async def stop() -> None:
        server.should_exit = True
        await task

    return stop


async def _nothing() -> None:
    """Stop a page that was not served."""


async def _bound(listen: str, service: Server) -> list[socket.socket]:
    """Sockets that listen there; raises VigieError that says why not."""
    host, _, port = listen.rpartition(":")
    try:
        server = await asyncio.start_server(lambda _, __: None, host.strip("[]"), int(port), start_serving=False)
    except OSError as error:
        await service.runtime.store.close()
        taken = error.errno == errno.EADDRINUSE
        why = "is in use by another program" if taken else f"cannot be bound: {error.strerror or error}"
        raise VigieError(f"{listen} {why}", "set web.listen to a free port on this machine, or web.enabled to false") from error
    sockets = [one.dup() for one in server.sockets]
    server.close()
    return sockets
