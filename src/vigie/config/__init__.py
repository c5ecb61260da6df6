"""The only reader of files and environment: one frozen Settings, or every fault at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from vigie.config import assemble, tree
from vigie.config.model import File
from vigie.config.settings import Channel, Llm, MonitorSettings, Settings
from vigie.errors import ConfigError, Fault, VigieError

__all__ = ["Channel", "Llm", "MonitorSettings", "Settings", "environment", "find", "load", "one_monitor"]

_SEED_URL = "https://ollama.com/"
_MAIL = ("EMAIL_SENDER", "EMAIL_PASSWORD", "EMAIL_RECEIVER", "SMTP_SERVER", "SMTP_PORT")


def find(asked: Path | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    """The file: the one asked for, VIGIE_CONFIG's, or ./vigie.yaml when it is there."""
    named = asked or (Path(environ["VIGIE_CONFIG"]) if environ.get("VIGIE_CONFIG") else None)
    if named is not None:
        return named if named.is_absolute() else cwd / named
    usual = cwd / "vigie.yaml"
    return usual if usual.is_file() else None


def environment(base: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment, with `.env` of a folder behind it."""
    file = base / ".env"
    if not file.is_file():
        return dict(environ)
    from dotenv import dotenv_values

    try:
        own = {name: value for name, value in dotenv_values(file, interpolate=False).items() if value is not None}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Fault(f".env cannot be read: {error}", "see its permissions; it is text in UTF-8", file=str(file))]) from error
    return {**own, **environ}


def load(asked: Path | None, environ: Mapping[str, str], cwd: Path) -> Settings:
    """The configuration of a file, or of the environment alone. Raises ConfigError with every fault."""
    file = find(asked, environ, cwd)
    base = file.parent if file is not None else cwd
    known = environment(base, environ)
    if file is None:
        return _settings(_seed(known), None, base, known)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise ConfigError([Fault(f"cannot be read: {why}", "`vigie init` writes one", file=str(file))]) from error
    return _settings(tree.read(text, str(file), known), file, base, known)


def _seed(environ: Mapping[str, str]) -> tree.Tree:
    """What the environment alone says: one service, mail when its settings are there."""
    made = tree.Tree("environment")
    monitor: dict[str, Any] = {"url": environ.get("SERVICE_URL") or _SEED_URL}
    if seconds := environ.get("TIMEOUT_SECONDS"):
        if seconds.replace(".", "", 1).isdigit():
            monitor["timeout"] = f"{seconds}s"
        else:
            made.faults.append(Fault(f"{seconds!r} is no number of seconds", "write TIMEOUT_SECONDS=10", "TIMEOUT_SECONDS"))
    made.value = {"monitors": [monitor], "log": {"file": environ.get("LOG_FILE") or "service_check_log.txt"}}
    if environ.get("VIGIE_LANGUAGE"):
        made.value["language"] = environ["VIGIE_LANGUAGE"]
    if not _missing(environ):
        made.value["notify"] = {"mail": {"type": "email"}}
    return made


def _missing(environ: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in _MAIL if not environ.get(name))


def _settings(read: tree.Tree, file: Path | None, base: Path, environ: Mapping[str, str]) -> Settings:
    shape = assemble.file_of(read) if not (read.faults and read.value is None) else File()
    channels = assemble.channels(read, shape.notify, environ)
    monitors = assemble.monitors(read, shape, list(shape.notify))
    llm = assemble.llm(read, shape, environ)
    if not shape.monitors and not read.faults:
        read.fault(("monitors",), "nothing is watched", "add `monitors:` with a URL")
    if shape.timezone is not None:
        _check_zone(read, shape.timezone)
    if read.faults:
        raise ConfigError(sorted(read.faults, key=lambda fault: fault.line or 0))
    configs: list[Any] = [*(one.config for one in channels.values()), *(one.config for one in monitors)]
    held = set[str]().union(*(assemble.secrets(config) for config in configs))
    held |= {channel.config.url for channel in channels.values() if channel.kind != "email" and hasattr(channel.config, "url")}
    return Settings(
        file=file,
        base=base,
        language=shape.language,
        timezone=shape.timezone,
        store=base / shape.store,
        log=shape.log,
        web=shape.web,
        llm=llm,
        channels=channels,
        monitors=monitors,
        control=tuple(shape.control),
        second_resolver=shape.second_resolver,
        blind_after_ms=int(shape.blind_after),
        missing=_missing(environ) if not channels else (),
        secrets=tuple(sorted(held)),
    )


def _check_zone(read: tree.Tree, name: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        read.fault(("timezone",), f"{name!r} is no time zone", "write Europe/Paris or UTC")


def one_monitor(values: dict[str, Any]) -> MonitorSettings:
    """A single monitor from plain values, as `vigie check URL` needs it. Raises ConfigError."""
    made = tree.Tree("")
    found = assemble.monitors(made, File(monitors=[values]), [])
    if made.faults or not found:
        raise ConfigError(made.faults or [Fault("nothing to check")])
    return found[0]


def options_to_config(config_type: type, options: dict[str, object]) -> Any:
    """A probe's Config out of the plain values of an Assignment."""
    from vigie.config.convert import dec_hook

    try:
        return msgspec.convert(options, config_type, dec_hook=dec_hook)
    except (msgspec.ValidationError, ValueError) as error:
        raise VigieError(f"a probe's configuration did not travel well: {error}") from error
