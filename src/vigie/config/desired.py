"""What a configuration asks for: frozen values, checked, compared by `==`; nothing in here does anything."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from vigie.buses import BusConfig
from vigie.config.exported import Otlp
from vigie.config.fleet import FleetKeys
from vigie.config.model import Log
from vigie.config.templates import Templates
from vigie.config.web import Web
from vigie.core.detection import DetectionPolicy
from vigie.core.model import LOCAL, Monitor
from vigie.core.notification import NotificationPolicy
from vigie.errors import Fault
from vigie.net import DIRECT, MASK, NO_SECRETS, Proxies, Secret, Secrets
from vigie.observation.check_spec import CheckSpec
from vigie.observation.rollup import Retention
from vigie.planning.maintenance import Maintenance
from vigie.planning.period import Every
from vigie.planning.plan import Planned
from vigie.planning.rotation import Rotation
from vigie.planning.windows import QuietHours
from vigie.ports import StoredDefinition
from vigie.report.status_page import StatusPage
from vigie.stores import StoreConfig

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, repr=False)
class Sealed(Generic[_T]):
    """An adapter's Config. Its ordinary fields may hold what came out of `${NAME}`, so that it is not shown as a whole."""

    _content: _T

    def reveal(self) -> _T:
        """The Config: for whoever builds the adapter, or asks for one of its keys."""
        return self._content

    def __repr__(self) -> str:
        return f"<{type(self._content).__module__} {MASK}>"


@dataclass(frozen=True, slots=True)
class DesiredMonitor:
    """One monitor: as the engine needs it, and how it is probed.

    `options` are its Config as JSON values, what is secret about them as `Secret`; `secrets` is what no result may repeat; `quiet`
    are the quiet hours of its alert.
    """

    monitor: Monitor
    config: Sealed[Any]
    options: dict[str, object]
    secrets: Secrets = NO_SECRETS
    quiet: QuietHours | None = None
    enabled: bool = True
    trusted: bool = True  # made by somebody who may have any address probed
    reach: tuple[str, ...] | None = None  # for who is not: the internal networks that may be probed all the same
    location: str = LOCAL  # that of this process

    @property
    def is_checked_here(self) -> bool:
        """Whether this process's own location checks it."""
        return self.monitor.is_checked_from(self.location)

    @property
    def spec(self) -> CheckSpec:
        """What an agent of this process's own location is told of it."""
        return self.spec_at(self.location)

    def spec_at(self, location: str) -> CheckSpec:
        """What an agent of a location is told of it."""
        return CheckSpec.of(self.monitor, self.options, location, tuple(self.secrets), self.reach)


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel by name; `templates` may hold what came out of `${NAME}`."""

    name: str
    kind: str
    config: Sealed[Any]
    secrets: Secrets = NO_SECRETS
    templates: Templates | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """The store: its kind, and the adapter's own configuration. `file` is None for one that is not a file on this machine."""

    kind: str
    config: StoreConfig

    @property
    def file(self) -> Path | None:
        """Where it is, if it is a file on this machine."""
        return self.config.file

    def __str__(self) -> str:
        return self.config.shown


@dataclass(frozen=True, slots=True)
class BusSettings:
    """The bus of a fleet: its kind, and the adapter's own configuration."""

    kind: str
    config: BusConfig

    def __str__(self) -> str:
        return self.config.shown


@dataclass(frozen=True, slots=True)
class Llm:
    """The model: `config` is the provider's own, None without a model."""

    provider: str
    config: Sealed[Any] | None
    prompt: str | None = field(repr=False)
    language: str
    deadline_ms: int
    hold_ms: int
    mode: str = "auto"
    secrets: Secrets = NO_SECRETS


@dataclass(frozen=True, slots=True)
class Module:
    """How `/probe` looks: a kind of check, its options without an address, and the longest time of a check in ms (None: the scrape's)."""

    name: str
    kind: str
    options: dict[str, object] = field(repr=False)
    timeout_ms: int | None = None
    secrets: Secrets = NO_SECRETS


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """The modules of `/probe` by name, and the collector that metrics are sent to."""

    modules: dict[str, Module] = field(default_factory=dict)
    otlp: Otlp | None = None


@dataclass(frozen=True, slots=True)
class WatchdogSettings:
    """Who is pinged while Vigie works, and how often."""

    url: Secret
    every_ms: int


@dataclass(frozen=True, slots=True)
class AvailabilityReport:
    """How often the availability report is sent (None: never), and by which channels."""

    every: Every | None
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A monitor or a status page as it is defined. `body` is JSON, its secrets masked; `file` and `line` are where it is written.

    `stored` is what a page or the API made; `faults` say why that is left out, if it is.
    """

    kind: str
    id: str
    name: str
    body: bytes = field(repr=False)
    file: str = ""
    line: int | None = None
    stored: StoredDefinition | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Desired:
    """A whole configuration. `file` is None when the environment alone made it; `base` is where relative paths start."""

    file: Path | None
    base: Path
    language: str
    timezone: str | None
    store: StoreSettings
    state: Path  # the state directory
    log: Log
    web: Web
    llm: Llm
    channels: dict[str, Channel]
    monitors: tuple[DesiredMonitor, ...]
    control: tuple[str, ...]
    second_resolver: str | None
    blind_after_ms: int
    collectors: tuple[str, ...]  # the kinds of diagnostics that are installed
    availability: AvailabilityReport
    missing: tuple[Fault, ...]  # what the environment lacks before mail can be sent
    secrets: Secrets  # of all adapters together
    maintenance: tuple[Maintenance, ...] = ()
    people: tuple[tuple[str, tuple[str, ...]], ...] = ()  # by which channels each person is reached
    rotations: tuple[Rotation, ...] = ()
    watchdog: WatchdogSettings | None = None
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    proxies: Proxies = DIRECT  # how web addresses that Vigie sends to are reached; checks never use them
    policies: tuple[str, ...] = ("default",)  # the names of `alerts`
    lines: dict[str, int] = field(default_factory=dict, compare=False)  # of the file, by `maintenance[0]`, `notify.mail`, `oncall.day`…
    warnings: tuple[Fault, ...] = ()  # what works otherwise than somebody may think; nothing is refused for it
    problems: tuple[Fault, ...] = ()  # what keeps adapters from their work on this machine, where it was examined
    doubts: tuple[Fault, ...] = ()  # and what may keep them from it
    detection: DetectionPolicy = field(
        default_factory=DetectionPolicy
    )  # of the alert `default`, for services that are not in this configuration
    notification: NotificationPolicy = field(default_factory=NotificationPolicy)  # likewise
    status_pages: tuple[StatusPage, ...] = ()
    history: Retention = field(default_factory=Retention)
    location: str = LOCAL  # where this process probes from
    fleet: FleetKeys = field(default_factory=FleetKeys)
    bus: BusSettings | None = None  # None: within the process
    entries: tuple[Entry, ...] = ()  # what monitors and status pages are made of: those of the file first, in its order

    summary: bytes = field(default=b"", repr=False, compare=False)  # what `config show` shows, compressed; of one that was read apart

    @property
    def shared(self) -> bool:
        """Whether other servers may work on the same store."""
        return self.store.file is None

    @property
    def left_out(self) -> tuple[Fault, ...]:
        """What is wrong with what a page or the API made: that is not in force, and everything else is."""
        return tuple(replace(fault, message=f"left out: {fault.message}") for one in self.entries for fault in one.faults)

    @property
    def log_file(self) -> Path | None:
        """The log file, relative paths from `base`."""
        return self.base / self.log.file if self.log.file else None

    @property
    def planned(self) -> Planned:
        """What follows the calendar."""
        quiet = {one.monitor.id: one.quiet for one in self.monitors if one.quiet is not None}
        return Planned(tuple(one.monitor for one in self.monitors), self.maintenance, quiet, self.rotations, self.people)


def private(options: Any, secrets: Secrets) -> Any:
    """Plain values with each text that holds a secret as a `Secret`."""
    if isinstance(options, dict):
        return {name: private(one, secrets) for name, one in options.items()}
    if isinstance(options, list | tuple):
        return [private(one, secrets) for one in options]
    return Secret(options) if isinstance(options, str) and secrets.are_in(options) else options
