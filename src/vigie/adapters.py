"""What a configuration names, built: the store, the bus, channels, diagnostics, the model, and how messages speak.

Adapters are found by their names here, and what their errors say is masked.
"""

import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from vigie import plugins
from vigie.buses import BusDeps
from vigie.collectors import CollectorDeps, Known, PageAddress
from vigie.config import Channel, Desired, DesiredMonitor
from vigie.core.model import Monitor
from vigie.engine.guarding import UnusableNotifier, crashed, guarded
from vigie.engine.heartbeats import Watched
from vigie.engine.masking import DividedCollector, MaskedCollector, MaskedModel, MaskedNotifier, masked_errors
from vigie.engine.measured_model import MeasuredModel
from vigie.engine.queries.measures import Counts
from vigie.engine.reporter import ReportOptions
from vigie.engine.templates import TemplatedNotifier, Wording
from vigie.engine.writer import Mode
from vigie.errors import VigieError
from vigie.llms import ModelDeps
from vigie.net import NO_SECRETS, GuardedResolver, Secret, Secrets, networks_of, system_ca_file
from vigie.notifiers import NotifierDeps
from vigie.ports import Clock, Collector, FleetBus, LanguageModel, Notifier, Store
from vigie.probes.kit.deps import ProbeDeps
from vigie.report.feedback import Feedback
from vigie.report.render import RenderContext
from vigie.report.responses import ResponseLinks
from vigie.state import State
from vigie.stores import StoreDeps
from vigie.templating import Renderer

log = logging.getLogger("vigie.app")


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
