"""What the rest of the program gets: frozen values, checked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vigie.config.model import Log, Web
from vigie.core.model import CheckSpec, Monitor
from vigie.core.period import Every
from vigie.errors import Fault


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """One monitor: as the engine needs it, and how it is probed (`options` are the same as plain JSON)."""

    monitor: Monitor
    config: Any
    options: dict[str, object]

    @property
    def spec(self) -> CheckSpec:
        """What an agent needs of it."""
        return CheckSpec.of(self.monitor, self.options)


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel by name."""

    name: str
    kind: str
    config: Any


@dataclass(frozen=True, slots=True)
class Llm:
    """The model: `config` is the provider's own, None without a model."""

    provider: str
    config: Any
    prompt: str | None
    language: str
    deadline_ms: int
    hold_ms: int
    mode: str = "auto"


@dataclass(frozen=True, slots=True)
class AvailabilityReport:
    """How often it is told how available everything was (None: never), and by which channels."""

    every: Every | None
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole configuration. `file` is None when the environment alone made it; `base` is where relative paths start."""

    file: Path | None
    base: Path
    language: str
    timezone: str | None
    store: Path
    log: Log
    web: Web
    llm: Llm
    channels: dict[str, Channel]
    monitors: tuple[MonitorSettings, ...]
    control: tuple[str, ...]
    second_resolver: str | None
    blind_after_ms: int
    collectors: tuple[str, ...]  # the kinds of second look that are installed
    availability: AvailabilityReport
    missing: tuple[Fault, ...]  # what the environment lacks before mail can be sent
    secrets: tuple[str, ...]

    @property
    def log_file(self) -> Path | None:
        """The log file, relative paths from `base`."""
        return self.base / self.log.file if self.log.file else None
