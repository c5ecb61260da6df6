"""The parts that `once` and `serve` share, put together."""

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from vigie.adapters import collectors, monitors, notifiers, open_store, probed, routine_level, speaking, state_of, writing, zone_of
from vigie.agent import probe_deps
from vigie.clock import elapsed
from vigie.collectors import Known
from vigie.config import Desired
from vigie.config.fingerprints import fingerprints
from vigie.core import expiry
from vigie.core.model import Cause
from vigie.core.notification import Notice, NoticeReason
from vigie.core.quorum import Views
from vigie.engine.calendar import Calendar
from vigie.engine.handovers import Handovers
from vigie.engine.heartbeats import Heartbeats
from vigie.engine.ingest import Ingest
from vigie.engine.janitor import apply_waiting
from vigie.engine.leases import ALONE, EVALUATOR, Duty, borrowed
from vigie.engine.messages import Composer
from vigie.engine.outbox import Outbox
from vigie.engine.planner import Planner
from vigie.engine.queries.measures import Counts
from vigie.engine.reporter import Reporter
from vigie.engine.self_monitor import SelfMonitor
from vigie.engine.stalls import end_earlier
from vigie.engine.transition import Transition
from vigie.errors import StoreError, VigieError
from vigie.ports import Batch, Clock, Store

log = logging.getLogger("vigie.app")

Publish = Callable[[Batch], Awaitable[None]]
_GATHER_MS = 30_000


@asynccontextmanager
async def at_work(settings: Desired, clock: Clock) -> AsyncIterator[Duty]:
    """Nobody else is at work on the store meanwhile: by the lock of the state directory, and where servers share the store, by the lease.

    Raises AlreadyRunning, StoreError, and VigieError where the directory cannot be written.
    """
    with state_of(settings).locked():
        if not settings.shared:
            yield ALONE
            return
        store = open_store(settings, clock)
        try:
            holder = f"{socket.gethostname()}/{secrets.token_hex(4)}"
            async with borrowed(store.fleet, clock, EVALUATOR, holder) as lease:
                await share_key(settings, store)
                yield Duty(lease=lease)
        finally:
            await store.close()


async def share_key(settings: Desired, store: Store) -> None:
    """Have the state directory hold the key that all who work on this store sign links with. Raises StoreError, VigieError."""
    state = state_of(settings)
    own = state.key()
    if (shared := await store.fleet.shared_key(own)) != own:
        state.restore("key", shared)
        log.info("links are signed with the key that all servers on this store share")


class Runtime:
    """The parts that `once` and `serve` share: store, ingest, reporter, outbox. By their `duty` they decide, or another server does."""

    def __init__(self, settings: Desired, clock: Clock, *, hold_ms: int, threads: bool, duty: Duty = ALONE) -> None:
        self.settings, self.clock = settings, clock
        self.store = open_store(settings, clock, threads=threads)
        ledger, archive = self.store.ledger, self.store.archive
        if duty.lease is not None:
            ledger.fence(duty.lease)
        self.deps = probe_deps(list(settings.control), settings.second_resolver, state_of(settings).evidence)
        self.counts = Counts()
        self.planner = Planner(self.store.catalog, archive, clock)
        self.planner.use(settings.planned)
        self.composer = Composer(
            archive, clock, speaking(settings), monitors(settings), self._expiries, ledger.outbox, self.planner.handover, self._views
        )
        self.reporter = Reporter(
            ledger,
            archive,
            self.store.catalog,
            clock,
            self.composer,
            collectors(settings, self.deps, self.known),
            writing(settings, clock, self.counts),
        )
        self.outbox = Outbox(
            ledger, archive, clock, notifiers(settings, clock), self.composer.compose, self._fallbacks, self._others,
            store_now=None if duty is ALONE else self.store.fleet.now,
        )  # fmt: skip
        held = hold_ms if settings.llm.config is not None else 0
        routine = routine_level(settings, continuous=threads)
        gather = _GATHER_MS if threads else 0  # `once` sends when every monitor was checked
        listeners = [self.reporter.on_transition, self._wake]
        self.ingest = Ingest(
            ledger,
            archive,
            clock,
            hold_ms=held,
            listeners=listeners,
            routine_level=routine,
            gather_ms=gather,
            circumstances_at=self.planner.at,
            addressed=self.planner.addressed,
            fleet=self.store.fleet,
        )
        self.reporter.on_stored(self.outbox.wake)
        self.reporter.on_report(self.counts.reported)
        self.outbox.on_attempt(self.counts.delivered)
        self.reporter.compare_by(self.ingest.shares)
        self.self_monitor = SelfMonitor(
            ledger, archive, self.ingest, clock, self.outbox.wake, continuous=threads, elapsed=elapsed, location=settings.location
        )
        self.calendar = Calendar(ledger, archive, self.ingest, clock, self.outbox.wake)
        if duty.evaluates:
            self.ingest.listen_to_results(self.self_monitor.on_transition, self.self_monitor)
            self.ingest.listen_to_results(self.calendar.on_transition, self.calendar)
        self.handovers = Handovers(ledger, archive, self.ingest, self.planner, clock, self.outbox.wake)

    async def start(self) -> None:
        """Load the state and adopt the configuration's monitors."""
        watched = [one.monitor for one in self.settings.monitors]
        await self.store.catalog.sync_monitors(watched)
        await self.planner.refresh()
        await self.ingest.start(watched)
        await apply_waiting(self.store.inbox, self.ingest)
        await self.ingest.configure(watched)
        await self.planner.tick(self.ingest)
        await end_earlier(self.store.ledger, self.ingest.record, self.clock.now())
        self.self_monitor.use(watched, self.settings.blind_after_ms, [one.monitor for one in probed(self.settings)])
        await self.self_monitor.start()
        report = self.settings.availability
        self.calendar.use(watched, report.every, report.channels, zone_of(self.settings))

    async def announce_dates(self) -> None:
        """Queue what is due by the calendar: an availability report, a hand-over. Raises StoreError."""
        await self.calendar.tick()
        await self.handovers.tick()

    async def retry_unsent(self, *, everything: bool = False) -> None:
        """Have unsent notices tried at once: all that wait (`everything`), or those whose channel is configured otherwise than before."""
        state = state_of(self.settings)
        made, changed = await asyncio.to_thread(fingerprints, self.settings, state.channels())
        await self.outbox.retry_unsent(changed, everything=everything)
        try:
            state.remember_channels(made)
        except VigieError as error:  # a later start then takes the channels for unchanged
            log.warning("how the channels are configured cannot be remembered: %s (%s)", error.message, error.fix)

    async def close(self, seconds: float | None = None, *, keep: bool = True) -> None:
        """Let what is being sent end, within `seconds` if given, then close the store. Not `keep`: what is not written is given up."""
        await self.reporter.close()
        await self.outbox.close(seconds)
        if not keep:
            with contextlib.suppress(StoreError):  # another server decides now
                await self.store.close()
            self.deps.close()
            return
        try:
            await self.ingest.close()
        except StoreError as error:  # only what was learnt is lost
            log.error("baselines could not be saved: %s. %s", error, error.fix)  # noqa: TRY400 - the trace says nothing more
        await self.store.close()
        self.deps.close()

    async def known(self) -> Known:
        """Every watched monitor with its newest result."""
        results = await self.store.archive.last_results()
        return [(one.monitor, results[one.monitor.id]) for one in self.settings.monitors if one.monitor.id in results]

    def _expiries(self, monitor: str) -> expiry.Known:
        return self.ingest.state(monitor).expiries

    def _views(self, monitor: str) -> Views:
        return self.ingest.state(monitor).views

    def _fallbacks(self, notice: Notice) -> tuple[str, ...]:
        if notice.reason in (NoticeReason.AVAILABILITY, NoticeReason.HANDOVER):
            return ()  # it can wait, and whoever else is paged did not ask for it
        monitor = self.ingest.monitor(notice.monitor)
        if monitor is None:
            return tuple(self.settings.channels)
        return self.planner.channels(monitor.notification.fallback or monitor.notification.to)

    def _others(self, channel: str) -> tuple[tuple[str, ...], ...]:
        """Whom to notify that a channel fails: whoever replaces it for any monitor, else every other channel."""
        policies = [one.monitor.notification for one in self.settings.monitors]
        using = [one for one in policies if channel in self.planner.channels((*one.to, *one.degraded_to))]
        found = dict.fromkeys(name for one in using for name in self.planner.channels(one.fallback or one.to) if name != channel)
        return tuple(found), tuple(self.settings.channels)

    async def _wake(self, transition: Transition) -> None:
        if transition.decisions:
            self.outbox.wake()


def heartbeats(
    runtime: Runtime, publish: Publish, fault: Callable[[], Awaitable[Cause | None]] | None = None, *, relay: bool = False
) -> Heartbeats:
    """The watch over jobs that report in; `fault` asks whether our own link is broken, where pings come over it.

    `relay`: another server judges them, and pings that come here are left to it.
    """
    return Heartbeats(runtime.store.inbox, runtime.clock, publish, fault, runtime.settings.secrets, relay=relay)
