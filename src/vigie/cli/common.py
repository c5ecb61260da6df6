"""What commands share: the configuration, the log, the loop."""

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from vigie.config import Settings, load
from vigie.errors import ConfigError, Fault

_T = TypeVar("_T")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Configuration file; else VIGIE_CONFIG, else ./vigie.yaml, else .env alone.")
]


def settings(config: Path | None) -> Settings:
    """The configuration as commands find it. Raises ConfigError."""
    return load(config, os.environ, Path.cwd())


def settings_apart(config: Path | None) -> Settings:
    """The same for a program that stays: read by a process of its own, which takes its memory with it. Raises VigieError."""
    from vigie.config.apart import load_apart

    return load_apart(config, os.environ, Path.cwd())


def need_channels(found: Settings) -> None:
    """Raise ConfigError that names every missing mail setting when nobody could be told."""
    if found.channels:
        return
    if found.file is None:
        where = "set it in the environment or in .env (`vigie init` writes one)"
        raise ConfigError([Fault("is not set, and mail needs it", where, name, str(found.base / ".env")) for name in found.missing])
    raise ConfigError([Fault("no channel is configured: nobody would be told", "add a channel under `notify`", "notify", str(found.file))])


def start_log(found: Settings, *, console: bool = True) -> None:
    """Begin to log as configured."""
    from vigie import logs

    log = found.log
    logs.start(
        file=found.log_file,
        json=log.format == "json",
        level=log.level,
        max_bytes=log.max_bytes,
        keep=log.keep,
        secrets=found.secrets,
        console=console,
    )


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run on a loop with reader and writer callbacks, which libcurl needs and Windows' default loop does not have."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(work)
