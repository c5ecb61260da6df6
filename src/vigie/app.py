"""The composition root: builds the parts, starts and stops them; the command line and the tests are shells around it.

Long: how all parts are put together is seen in one place.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from vigie import plugins
from vigie.agent import probe_deps, probe_or_fault
from vigie.buses import BusDeps
from vigie.clock import elapsed
from vigie.collectors import CollectorDeps, Known, PageAddress
from vigie.config import Channel, Desired, DesiredMonitor
from vigie.config.fingerprints import fingerprints
from vigie.core import expiry
from vigie.core.model import Cause, CheckResult, Monitor, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.core.quorum import Views
from vigie.descriptors import raise_limit
from vigie.engine.calendar import Calendar
from vigie.engine.guarding import UnusableNotifier, crashed, guarded
from vigie.engine.handovers import Handovers
from vigie.engine.heartbeats import Heartbeats, Watched, verdict
from vigie.engine.ingest import Ingest
from vigie.engine.janitor import apply_commands, apply_waiting, compact_for
from vigie.engine.leases import ALONE, EVALUATOR, Duty, borrowed
from vigie.engine.loop_monitor import monitored_loop
from vigie.engine.masking import DividedCollector, MaskedCollector, MaskedModel, MaskedNotifier, masked_errors
from vigie.engine.measured_model import MeasuredModel
from vigie.engine.messages import Composer
from vigie.engine.outbox import Outbox, Unsent
from vigie.engine.planner import Planner
from vigie.engine.queries.measures import Counts
from vigie.engine.rechecks import rechecks
from vigie.engine.reporter import Reporter, ReportOptions
from vigie.engine.retry import still_lacking
from vigie.engine.self_monitor import SelfMonitor
from vigie.engine.stalls import end_earlier
from vigie.engine.templates import TemplatedNotifier, Wording
from vigie.engine.transition import Transition
from vigie.engine.watchdog import Watchdog
from vigie.engine.writer import Mode
from vigie.errors import StoreError, VigieError
from vigie.llms import ModelDeps
from vigie.net import NO_SECRETS, GuardedResolver, Secret, Secrets, networks_of, system_ca_file
from vigie.notifiers import NotifierDeps
from vigie.observation.check_spec import CheckSpec
from vigie.observation.heartbeat import Job
from vigie.ports import Batch, Clock, Collector, FleetBus, LanguageModel, Notifier, Probe, RunMode, Store
from vigie.probes.kit.deps import ProbeDeps
from vigie.report.feedback import Feedback
from vigie.report.render import RenderContext
from vigie.report.responses import ResponseLinks
from vigie.state import State
from vigie.stores import StoreDeps
from vigie.templating import Renderer
from vigie.text.formatting import counted

log = logging.getLogger("vigie.app")

Publish = Callable[[Batch], Awaitable[None]]
_AT_ONCE = 64
_COMPACT_SECONDS = 2.0  # at the end of a cycle; what is left is done by the next one
_DRAIN_MS = 20_000
_GATHER_MS = 30_000


def state_of(settings: Desired) -> State:
    """The state directory."""
    return State(settings.state, settings.store.file)


def open_store(settings: Desired, clock: Clock, *, threads: bool = False, prompt: bool = False) -> Store:
    """Open the configured store, making or migrating it; `threads` is for `serve`, `prompt` for leases. Raises StoreError."""
    opened: Store = plugins.load("stores", settings.store.kind).build(settings.store.config, StoreDeps(clock, threads, prompt))
    return opened


def bus_of(settings: Desired, clock: Clock, name: str) -> FleetBus | None:
    """The configured bus, which is not connected yet; None where there is none. `name` is what its administrator sees."""
    if settings.bus is None:
        return None
    built: FleetBus = plugins.load("buses", settings.bus.kind).build(settings.bus.config, BusDeps(clock, name))
    return built


def store_exists(settings: Desired) -> bool:
    """Whether there is something to open."""
    file = settings.store.file
    return file is None or file.exists()


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


def zone_of(settings: Desired) -> tzinfo:
    """The zone of times in messages."""
    if settings.timezone:
        from zoneinfo import ZoneInfo

        return ZoneInfo(settings.timezone)
    return datetime.now().astimezone().tzinfo or UTC


def probed(settings: Desired) -> list[DesiredMonitor]:
    """The monitors that an agent of this process checks: those of its location, but for those that report in by themselves."""
    return [one for one in settings.monitors if one.is_checked_here and not plugins.traits(one.monitor.kind).passive]


def jobs(settings: Desired) -> list[Watched]:
    """The jobs that report in."""
    passive = [(one.monitor, one.config.reveal()) for one in settings.monitors if plugins.traits(one.monitor.kind).passive]
    return [Watched(monitor, config.token, config.expected()) for monitor, config in passive]


def monitors(settings: Desired) -> dict[str, Monitor]:
    """Monitors by id."""
    return {one.monitor.id: one.monitor for one in settings.monitors}


def notifiers(settings: Desired, clock: Clock) -> dict[str, Notifier]:
    """Channels by name."""
    renderer = Renderer()  # ends by itself
    deps = NotifierDeps(
        clock, socket.gethostname(), system_ca_file(), proxies=settings.proxies, render=renderer.render, zone=zone_of(settings)
    )  # fmt: skip
    return {name: _notifier(one, deps, settings, renderer) for name, one in settings.channels.items()}


def _notifier(channel: Channel, deps: NotifierDeps, settings: Desired, renderer: Renderer) -> Notifier:
    """A channel whose every failure is a DeliveryError, that of its construction included: it must not cost the others."""
    held = channel.secrets | Secrets(map(Secret, settings.proxies.secrets()))
    try:
        with masked_errors(held):
            built: Notifier = plugins.load("notifiers", channel.kind).build(channel.config.reveal(), replace(deps, channel=channel.name))
    except Exception as error:
        log.exception("channel %s cannot be built", channel.name)
        built = UnusableNotifier(crashed(error))
    if channel.templates is not None:
        words = Wording(channel.templates.texts(), {name: one.texts() for name, one in channel.templates.reasons.items()})
        built = TemplatedNotifier(built, channel.name, words, renderer.render, zone_of(settings), deps.clock)
    return MaskedNotifier(built, held) if held else built


def model(settings: Desired, clock: Clock) -> LanguageModel | None:
    """The language model, or None."""
    if settings.llm.config is None:
        return None
    llm = settings.llm
    with masked_errors(llm.secrets):
        built: LanguageModel = plugins.load("llms", llm.provider).build(
            settings.llm.config.reveal(), ModelDeps(clock, system_ca_file(), settings.proxies)
        )
    return MaskedModel(built, llm.secrets) if llm.secrets else built


def _page(one: DesiredMonitor) -> PageAddress | None:
    """The page of a monitor that anybody may ask for again."""
    config = one.config.reveal()
    url = getattr(config, "plain_url", None)
    return None if url is None else PageAddress(url, config.ca_file, config.insecure)


def collectors(settings: Desired, deps: ProbeDeps, known: Callable[[], Awaitable[Known]]) -> list[Collector]:
    """Every kind of diagnostics."""
    pages = {one.monitor.id: page for one in settings.monitors if (page := _page(one)) is not None}
    wanted = CollectorDeps(
        deps.clock, deps.resolver, deps.link, settings.second_resolver, page_of=lambda monitor: pages.get(monitor.id), known=known
    )
    guarded = replace(wanted, resolver=GuardedResolver(deps.resolver, networks_of(settings.web.allow_internal)))
    restricted = {one.monitor.id for one in settings.monitors if one.reach is not None}
    held = {one.monitor.id: one.secrets for one in settings.monitors if one.secrets}

    def secrets_of(monitor: str) -> Secrets:
        return held.get(monitor, NO_SECRETS)

    def built(kind: str) -> Collector:
        build = plugins.load("collectors", kind).build
        return DividedCollector(build(wanted), build(guarded), restricted.__contains__) if restricted else build(wanted)

    return [MaskedCollector(built(kind), secrets_of) for kind in settings.collectors]


def speaking(settings: Desired) -> RenderContext:
    """Language, times and links of messages. A key that cannot be had costs the links, never a message."""
    language, zone, url = settings.language, zone_of(settings), settings.web.public_url
    if url is None:
        return RenderContext(language, zone, location=settings.location)
    try:
        key = state_of(settings).key()
    except VigieError as error:
        log.warning("messages carry no links: %s (%s)", error.message, error.fix)
        return RenderContext(language, zone, location=settings.location)
    return RenderContext(language, zone, Feedback(url, key), ResponseLinks(url, key), settings.location)


def writing(settings: Desired, clock: Clock, counts: Counts) -> ReportOptions:
    """How reports are written; what the model does is counted."""
    llm, setting, found = settings.llm, speaking(settings), model(settings, clock)
    mode = None if llm.mode in ("auto", "off") else Mode(llm.mode)
    measured = None if found is None else MeasuredModel(found, counts, clock)
    return ReportOptions(measured, llm.deadline_ms, llm.language, llm.prompt, setting, mode)


def routine_level(settings: Desired, *, continuous: bool) -> int:
    """The log level of checks that found nothing new: the log of `once` says what one cycle did; `serve` does it all day long."""
    wanted = settings.log.checks or ("changes" if continuous else "all")
    return logging.DEBUG if wanted == "changes" else logging.INFO


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


@dataclass(frozen=True, slots=True)
class Cycle:
    """What a whole cycle came to: notices that were not delivered, and by name the monitors that could not be checked, each with why."""

    unsent: Unsent
    unchecked: tuple[tuple[str, str], ...] = ()


async def once(settings: Desired, clock: Clock) -> Cycle:
    """One whole cycle: check, confirm by quick re-checks, decide, report, tell."""
    raise_limit()
    async with at_work(settings, clock) as duty:
        runtime = Runtime(settings, clock, hold_ms=settings.llm.deadline_ms, threads=False, duty=duty)
        try:
            return await _cycle(runtime)
        finally:
            await runtime.close()


async def _cycle(runtime: Runtime) -> Cycle:
    await runtime.start()
    run = await runtime.store.ledger.next_run()
    counter = iter(range(1, 1_000_000_000))
    unchecked: dict[str, str] = {}  # by monitor, why its last check told nothing
    slots = asyncio.Semaphore(_AT_ONCE)
    reporting = asyncio.create_task(runtime.reporter.run())

    async def check(spec: CheckSpec, probe: Probe) -> None:
        async with slots:
            log.info("%s: checking %s", spec.name, spec.target)
            result = await loop_monitor.run_check_with_retry(probe, spec)
        number = next(counter)
        unchecked.pop(spec.monitor, None)
        if result.status is Status.UNKNOWN:
            unchecked[spec.monitor] = result.message
        named = replace(result, monitor=spec.monitor, location=spec.location, run=run, sequence=number)
        await runtime.ingest.take(Batch(spec.monitor, run, number, (named,), RunMode.SINGLE))

    async def cycle(one: DesiredMonitor) -> None:
        spec, detection = one.spec, one.monitor.detection
        probe = probe_or_fault(spec, runtime.deps)
        await check(spec, probe)
        for _ in range(rechecks(detection)):
            if not (runtime.ingest.state(spec.monitor).quick or probe.unsure):
                return
            await runtime.clock.sleep(detection.confirm_every_ms / 1000)
            await check(spec, probe)

    try:
        await apply_commands(runtime.store.inbox, runtime.ingest)
        await runtime.ingest.wake(runtime.clock.now())
        await _judge_jobs(runtime)
        async with monitored_loop(runtime.clock) as loop_monitor:
            await asyncio.gather(*(cycle(one) for one in probed(runtime.settings)))
        await runtime.reporter.idle()
        await runtime.announce_dates()
        await apply_commands(runtime.store.inbox, runtime.ingest)  # what came meanwhile: whoever asked was promised that it would be done
        unsent = await _drained(runtime)
        await compact_for(runtime.store.history, runtime.clock, runtime.settings.history, _COMPACT_SECONDS)
        names = {one.monitor.id: one.monitor.name for one in runtime.settings.monitors}
        return Cycle(unsent, tuple((names[one], unchecked[one]) for one in names if one in unchecked))
    finally:
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)


async def _drained(runtime: Runtime) -> Unsent:
    """Send what is unsent, tell the watchdog; what earlier runs gave up about what is still wrong is no better sent than it was then."""
    await runtime.ingest.end_gathering()
    await runtime.retry_unsent(everything=True)
    lacking = await still_lacking(runtime.store.ledger, runtime.store.archive, runtime.settings.channels)
    unsent = await runtime.outbox.drain(runtime.clock.now() + _DRAIN_MS)
    found = Unsent(unsent.waiting, unsent.given_up + lacking)
    await _reported(runtime, found)
    return found


async def _reported(runtime: Runtime, unsent: Unsent) -> None:
    """The heartbeat of a cycle that did all it should: another watcher is to notice by its silence that one did not, or never ran."""
    wanted = runtime.settings.watchdog
    if wanted is None:
        return

    async def why_not() -> str:
        return f"not delivered: {counted(unsent, 'notice', 'en')}" if unsent else ""

    watchdog = Watchdog(runtime.clock, why_not)
    watchdog.use(lambda: pinged(runtime.settings, runtime.clock, wanted.url), wanted.every_ms)
    await watchdog.beat()


async def _judge_jobs(runtime: Runtime) -> None:
    """Jobs, by what `vigie ping` left."""
    if watched := jobs(runtime.settings):
        judging = heartbeats(runtime, runtime.ingest.take)
        paused_since = await runtime.self_monitor.paused_since()
        await judging.start(watched, await runtime.store.ledger.next_run(), listening=False, deaf_since=paused_since)
        await judging.tick()
        await judging.stop()


async def judged(settings: Desired, clock: Clock) -> list[tuple[Monitor, CheckResult]]:
    """What is to be said of the jobs that report in, by what the store knows; nothing is written."""
    watched, known = jobs(settings), dict[str, Job]()
    if watched and store_exists(settings):
        store = open_store(settings, clock)
        try:
            known = await store.inbox.jobs()
        finally:
            await store.close()
    return [(one.monitor, verdict(one.monitor.id, known.get(one.monitor.id), one.expected, clock.now())) for one in watched]


async def pinged(settings: Desired, clock: Clock, url: Secret) -> str:
    """Ping another watcher; its answer. Raises DeliveryError, which says nothing of the URL but its host."""
    from vigie.notifiers.kit.http import get

    return await guarded(get(NotifierDeps(clock, socket.gethostname(), system_ca_file(), proxies=settings.proxies), url.reveal()))


async def send_test(settings: Desired, clock: Clock, channel: str) -> str:
    """Send the marked test notice by one channel; the provider's answer. Raises DeliveryError."""
    from vigie.report.render import test_message

    now = clock.now()
    notifier = notifiers(settings, clock)[channel]
    return (await guarded(notifier.deliver(test_message(channel, f"test-{now}", now, settings.language)))).answer
