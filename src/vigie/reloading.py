"""A new configuration of `serve`: every part that it concerns, in the order in which they are prepared and swapped."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, replace

from vigie import plugins
from vigie.adapters import collectors, jobs, monitors, notifiers, probed, routine_level, state_of, writing
from vigie.app import Runtime
from vigie.checking import Checking
from vigie.config import Desired
from vigie.config.source import FileSource
from vigie.defining import Definitions
from vigie.engine.heartbeats import Heartbeats
from vigie.engine.reconcile import Outcome, Part, Prepared, Reconciler
from vigie.errors import StoreError, VigieError
from vigie.memory import settle
from vigie.net import Link
from vigie.ports import StoredDefinition
from vigie.read_side import ReadSide
from vigie.responding import Responding, button_sources
from vigie.self_watch import SelfWatch
from vigie.text.formatting import counted
from vigie.whereabouts import unknown_locations

log = logging.getLogger("vigie.server")

Edit = Callable[[Sequence[StoredDefinition]], Desired]  # the configuration as it stands now, with these beside the file
LogOf = Callable[[Desired], AbstractContextManager[Callable[[], None]]]


def same_log(_: Desired) -> AbstractContextManager[Callable[[], None]]:
    """The log is somebody else's."""
    return contextlib.nullcontext(lambda: None)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a new configuration concerns. `evaluates`: whether this server does."""

    runtime: Runtime
    evaluates: bool
    heartbeats: Heartbeats
    responding: Responding
    checking: Checking
    reads: ReadSide
    watch: SelfWatch


class Reloading:
    """`load` reads the configuration anew and may raise ConfigError; `edit` is None where nothing can be defined beside the file."""

    def __init__(self, parts: Parts, load: Callable[[], Desired], log_of: LogOf, edit: Edit | None) -> None:
        self._parts, self._load, self._log_of = parts, load, log_of
        self.applied_at: int | None = None
        self._source = FileSource(self._read, parts.runtime.settings)
        evaluated: list[Part[Desired]] = [lambda desired: parts.runtime.ingest.prepare(one.monitor for one in desired.monitors)]
        followed: list[Part[Desired]] = [
            self._follow_log,
            self._follow_messages,
            *(evaluated if parts.evaluates else ()),
            lambda desired: parts.heartbeats.prepare(jobs(desired), desired.secrets),
            self._follow_calendar,
            self._follow_checks,
        ]
        self.definitions: Definitions | None = None
        if edit is not None:
            self.definitions = Definitions(
                lambda: parts.runtime.settings,
                lambda stored: self._applicable(edit(stored)),
                lambda read: self._reconciler.put(read),  # noqa: PLW0108 - it is made below, of this part too
                parts.runtime.clock,
            )
            followed.append(self.definitions.follow)
        self._reconciler = Reconciler(self._source, followed, parts.runtime.store.ledger.commit)

    async def run(self) -> None:
        """Apply what is asked for, for ever."""
        await self._reconciler.run()

    async def reload(self) -> bool:
        """Apply the configuration as it stands now, as a whole or not at all; whether it was applied."""
        return await self._reconciler.apply() is Outcome.APPLIED

    def ask(self) -> None:
        """Have the configuration read anew soon; one that cannot be applied is tried again until it can, or is another."""
        self._source.ask()

    @property
    def was_refused(self) -> bool:
        """Whether the newest configuration is not in force."""
        return self._reconciler.last in (Outcome.REFUSED, Outcome.FAILED)

    async def began(self) -> None:
        """The first configuration is in force."""
        self.applied_at = self._parts.runtime.clock.now()
        await self._warn_of_locations()
        await self._remember_applied()
        preload(self._parts.runtime.settings)

    def _read(self) -> Desired:
        return self._applicable(self._load())

    def _applicable(self, fresh: Desired) -> Desired:
        """The configuration as it can be applied while this process lives."""
        kept = self._parts.runtime.settings
        if (fresh.store, fresh.bus, fresh.state, fresh.web) != (kept.store, kept.bus, kept.state, kept.web):
            log.warning("`store`, `bus`, `state` and `web` are applied at the next start")
        return replace(fresh, store=kept.store, bus=kept.bus, state=kept.state, web=kept.web)

    @asynccontextmanager
    async def _follow_log(self, desired: Desired) -> AsyncIterator[Prepared]:
        with self._log_of(desired) as swap_log:

            def swap() -> None:
                swap_log()
                self._parts.runtime.ingest.log_routine(routine_level(desired, continuous=True))

            yield Prepared(swap=swap)

    @asynccontextmanager
    async def _follow_messages(self, desired: Desired) -> AsyncIterator[Prepared]:
        """What reports, messages and channels are made of, and our own link, which diagnostics ask."""
        runtime, responding, old = self._parts.runtime, self._parts.responding, self._parts.runtime.deps.link
        link = Link(runtime.deps.resolver, list(desired.control), desired.second_resolver)
        looks = collectors(desired, replace(runtime.deps, link=link), runtime.known)
        built, options, watched = notifiers(desired, runtime.clock), writing(desired, runtime.clock, runtime.counts), monitors(desired)
        sources = button_sources(desired, runtime.clock)
        report = desired.availability

        preload(desired)

        def swap() -> None:
            runtime.deps.link = link
            runtime.composer.use(options.setting, watched)
            runtime.reporter.use(options, looks)
            runtime.outbox.use(built)
            responding.use(sources)
            if self._parts.evaluates:
                responding.start()
            runtime.self_monitor.use(watched.values(), desired.blind_after_ms, [one.monitor for one in probed(desired)])
            runtime.calendar.use(watched.values(), report.every, report.channels, options.setting.zone)
            old.close()

        yield Prepared(swap=swap)

    @asynccontextmanager
    async def _follow_calendar(self, desired: Desired) -> AsyncIterator[Prepared]:
        """What is planned: an alert that waits for the end of a window wakes when that window is removed."""
        fresh, runtime = desired.planned, self._parts.runtime

        async def announce() -> None:
            if self._parts.evaluates:
                await runtime.ingest.wake(runtime.clock.now(), everything=True)

        yield Prepared(swap=lambda: runtime.planner.use(fresh), announce=announce)

    @asynccontextmanager
    async def _follow_checks(self, desired: Desired) -> AsyncIterator[Prepared]:
        """What is checked, what this server calls its configuration, and the end: everything is in force."""
        parts, specs = self._parts, self._parts.checking.specs(desired)

        def swap() -> None:
            parts.runtime.settings = desired
            self.applied_at = parts.runtime.clock.now()
            parts.watch.use(desired)
            parts.reads.otlp.use(desired.metrics.otlp)
            parts.checking.use(desired, specs)

        async def announce() -> None:
            await parts.checking.tell()
            if parts.evaluates:
                await self.retry_unsent()
            await self._warn_of_locations()
            await self._remember_applied()
            parts.reads.board.configure()
            settle()
            _say(desired)

        yield Prepared(swap=swap, announce=announce)

    async def retry_unsent(self) -> None:
        """A store that cannot be read now keeps what is unsent, with the times of its next attempts."""
        try:
            await self._parts.runtime.retry_unsent()
        except StoreError as error:
            log.error("unsent notices cannot be looked through: %s. %s", error, error.fix)  # noqa: TRY400 - the trace says nothing more

    async def _warn_of_locations(self) -> None:
        for one in await unknown_locations(self._parts.runtime.settings, self._parts.runtime.store):
            log.warning("%s", one)

    async def _remember_applied(self) -> None:
        """For `vigie config diff`, which another process asks."""
        settings = self._parts.runtime.settings
        if settings.summary:
            try:
                await asyncio.to_thread(state_of(settings).remember_applied, settings.summary)
            except VigieError as error:
                log.warning("what is in force cannot be remembered: %s (%s)", error.message, error.fix)


def _say(desired: Desired) -> None:
    counts = counted(len(desired.monitors), "monitor", "en"), counted(len(desired.channels), "channel", "en")
    log.info("the new configuration is in force: %s, %s", *counts)
    for fault in desired.warnings:
        log.warning("%s", fault)
    for fault in desired.left_out:
        log.error("%s", fault)


def preload(desired: Desired) -> None:
    """Have what a notice needs in memory before it is needed."""
    for channel in desired.channels.values():
        plugins.preload("notifiers", channel.kind)
