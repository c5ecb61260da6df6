"""What is configured and how Vigie itself runs, as its pages show it: planned work, channels, people, settings. Secrets are masked."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from vigie.core.model import Monitor
from vigie.core.notification import NoticeReason
from vigie.errors import Fault
from vigie.observation.channel import ChannelState
from vigie.observation.visibility import Blind
from vigie.planning.maintenance import Maintenance
from vigie.planning.rotation import Rotation
from vigie.queries.history import StorageSize
from vigie.report.facts import Message
from vigie.report.pace import Speed


class Feed(StrEnum):
    """The calendars that other programs subscribe to."""

    ONCALL = "oncall"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class PlannedWork:
    """Maintenance, and how many monitors it is on. `where` is its place in the file; what people began has a `number` instead."""

    entry: Maintenance
    covered: int
    where: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class ChannelSetup:
    """A channel: `details` are its settings as (key, value), those that say where it goes first; `where` is its place in the file."""

    name: str
    kind: str
    details: tuple[tuple[str, str], ...]
    where: str = ""

    @property
    def goes_to(self) -> str:
        """Where its messages go, as far as people may read it."""
        return next((value for _, value in self.details), "")


@dataclass(frozen=True, slots=True)
class UnsentNotice:
    """A notice that is still to be sent, or could not be: `failed` says why the newest attempt did not work; empty before one."""

    key: str
    alert: str
    reason: NoticeReason
    at: int
    due_at: int
    attempts: int
    undeliverable: bool
    failed: str = ""


@dataclass(frozen=True, slots=True)
class ChannelWork:
    """What a channel has to do, and did: its newest delivery (epoch ms; None: none on record), the newest unsent notices, and how many."""

    state: ChannelState | None
    delivered_at: int | None
    unsent: tuple[UnsentNotice, ...] = ()
    waiting: int = 0
    undeliverable: int = 0


@dataclass(frozen=True, slots=True)
class MessagePreview:
    """What a channel would send; `sample` where it is about a made-up service, `fault` where its template failed."""

    message: Message
    sample: bool
    fault: str = ""


@dataclass(frozen=True, slots=True)
class PersonSetup:
    """Somebody who can be notified, and the channels that reach them."""

    name: str
    channels: tuple[ChannelSetup, ...]
    where: str = ""


@dataclass(frozen=True, slots=True)
class RotationSetup:
    """People who take turns."""

    rotation: Rotation
    where: str = ""


@dataclass(frozen=True, slots=True)
class ModelSetup:
    """Who writes reports. `name` is empty without a model; `local`: nothing leaves the machine for it."""

    provider: str
    name: str
    url: str
    mode: str
    language: str
    deadline_ms: int
    hold_ms: int


@dataclass(frozen=True, slots=True)
class General:
    """What is in force. `file` is empty where the environment alone made it; `warnings` are what works otherwise than one may think."""

    file: str
    language: str
    timezone: str
    store: str
    state: str
    log: str
    listen: str
    public_url: str
    pings_listen: str
    control: tuple[str, ...]
    second_resolver: str
    report_every: str
    monitors: int
    channels: int
    people: int
    rotations: int
    maintenance: int
    model: ModelSetup
    warnings: tuple[Fault, ...] = ()
    missing: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Examined:
    """What reading the file anew gives: `faults` keep it from being applied, `problems` adapters from their work, `doubts` may."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    problems: tuple[Fault, ...] = ()
    doubts: tuple[Fault, ...] = ()
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Versions:
    """What runs."""

    vigie: str
    python: str
    sqlite: str
    system: str
    process: int
    prober: int | None


@dataclass(frozen=True, slots=True)
class Running:
    """How Vigie itself runs. `blinds` are the newest spans in which it could not see, its own stops among them, newest first.

    `stalled` are the parts that do not get on now; `heard_ms` is how long ago the prober last said something.
    """

    versions: Versions
    blinds: tuple[Blind, ...]
    stalled: tuple[str, ...]
    heard_ms: int
    late_p99_ms: int | None
    late_max_ms: int | None
    database_bytes: int | None
    size: StorageSize | None
    speed: Speed | None
    memory_bytes: int | None


class SetupQueries(Protocol):
    """Of the configuration in force, and of the parts that run; what is asked of the store raises StoreError."""

    def monitors(self) -> Sequence[Monitor]:
        """What is watched."""

    def maintenance(self) -> tuple[PlannedWork, ...]:
        """All that is planned or was begun and is not long over."""

    def channels(self) -> tuple[ChannelSetup, ...]:
        """All of them, in the order of the file."""

    async def work(self, channels: Sequence[str]) -> dict[str, ChannelWork]:
        """What these channels have to do, by name."""

    async def previews(self, channel: str, reasons: Sequence[NoticeReason]) -> tuple[MessagePreview, ...]:
        """What it would send; nothing is sent. Raises VigieError for a reason without a preview."""

    def people(self) -> tuple[PersonSetup, ...]:
        """Who can be notified."""

    def rotations(self) -> tuple[RotationSetup, ...]:
        """Who takes turns."""

    def general(self) -> General:
        """What is in force."""

    async def examined(self) -> Examined:
        """What the file says now, and what of it cannot work on this machine; read apart, and remembered for a while."""

    async def running(self) -> Running:
        """How Vigie itself runs."""

    def feed_secret(self, feed: Feed) -> str:
        """What the address of a calendar has to have in it; empty where no secret can be kept."""
