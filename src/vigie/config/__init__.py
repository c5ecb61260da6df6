"""The only reader of files and environment: one frozen Desired, or every fault at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vigie import plugins
from vigie.config import environment, variables
from vigie.config.alert import Alert
from vigie.config.desired import (
    AvailabilityReport,
    BusSettings,
    Channel,
    Desired,
    DesiredMonitor,
    Llm,
    MetricsSettings,
    Sealed,
    StoreSettings,
    WatchdogSettings,
)
from vigie.config.model import File
from vigie.config.tree import Tree, dotted
from vigie.config.variables import Variables
from vigie.errors import ConfigError, Fault
from vigie.net import NO_SECRETS, Proxies, Secret, Secrets
from vigie.net.secret import url_secrets
from vigie.observation.rollup import Retention
from vigie.planning.maintenance import Maintenance
from vigie.ports import StoredDefinition
from vigie.report.status_page import StatusPage

if TYPE_CHECKING:
    from vigie.config.assemble import Assembled
    from vigie.config.definitions import Made
    from vigie.config.people import Known

__all__ = ["Channel", "Desired", "DesiredMonitor", "Llm", "Sealed", "find", "load", "one_monitor"]

_ENVIRONMENT = "environment"  # stands for a file where there is none
_SHOWN = 60
_LINED = 2  # keys of a path whose line is remembered: that of a channel, of a maintenance window, of a person
_LONG = re.compile(r"\S{160,}")
_SEED_URL = "https://ollama.com/"
_MAIL = ("EMAIL_SENDER", "EMAIL_PASSWORD", "EMAIL_RECEIVER", "SMTP_SERVER")
_RELAY = ("EMAIL_SENDER", "EMAIL_RECEIVER", "SMTP_SERVER")  # what is enough for a mail server that asks for no login
# How such a server is spoken to, where no variable says it: as mail servers speak to each other (RFC 5321 §4.5.4.2, RFC 7435).
_RELAYED: dict[str, tuple[str, Any]] = {"port": ("SMTP_PORT", 25), "tls": ("SMTP_TLS", "opportunistic")}
# Reserved for examples (RFC 2606 §3): no mail can go there, so a setting with such a name was never filled in.
_EXAMPLE = re.compile(r"(^|[@.])example\.(com|net|org)$", re.IGNORECASE)


def find(asked: Path | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    """The file: the one asked for, VIGIE_CONFIG's, or ./vigie.yaml when it is there."""
    named = asked or (Path(environ["VIGIE_CONFIG"]) if environ.get("VIGIE_CONFIG") else None)
    if named is not None:
        return named if named.is_absolute() else cwd / named
    usual = cwd / "vigie.yaml"
    return usual if usual.exists() or usual.is_symlink() else None


def load(
    asked: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
    *,
    verify: bool = False,
    whole: bool = False,
    alerts: Path | None = None,
    stored: Sequence[StoredDefinition] | None = None,
) -> Desired:
    """The configuration of a file, or of the environment alone. Raises ConfigError with every fault.

    With `verify` this machine is examined, too: `Desired.problems` and `Desired.doubts`. `alerts` is a file whose alerts come in place of
    those of the same name; one that has monitors, too, is a configuration of its own. `stored` are the definitions that a page or the API
    made, in place of those in the store. Where those of the store cannot be read there is a warning; StoreError is raised where it is only
    busy, and, with `whole`, where its server cannot be reached: for whoever puts the configuration into force.
    """
    file = find(asked, environ, cwd)
    base = file.parent if file is not None else cwd
    known = variables.read(base, environ)
    if file is None and alerts is None:
        return _desired(_seed(known), None, base, verify=verify, whole=whole, stored=stored)
    from vigie.config.yaml import read  # 3 MB; see apart.py

    tree = _seed(known) if file is None else read(variables.text_of(file, "`vigie init` writes one"), str(file), known)
    if alerts is not None:
        tree = _with_alerts(tree, read(variables.text_of(alerts, "give the path of a YAML file"), str(alerts), known))
    return _desired(tree, file, base, verify=verify, whole=whole, stored=stored)


def _with_alerts(ours: Tree, other: Tree) -> Tree:
    """The tree with the alerts of another, whose faults are told by its name and lines; the other where it is a whole configuration."""
    if other.faults or not isinstance(other.value, dict) or "monitors" in other.value or not isinstance(ours.value, dict):
        return other
    proposed = other.value.get("alerts")
    if not isinstance(proposed, dict) or set(other.value) != {"alerts"}:
        other.fault((), "only `alerts:` is expected here, or a whole configuration", "write `alerts: {default: {confirm: 2m}}`")
        return other
    known = ours.value.get("alerts")
    ours.value = {**ours.value, "alerts": {**(known if isinstance(known, dict) else {}), **proposed}}
    ours.lines = {path: line for path, line in ours.lines.items() if path[:1] != ("alerts",)} | other.lines
    ours.file = other.file
    return ours


def _seed(known: Variables) -> Tree:
    """What the environment alone says: one service, mail when its settings are there."""
    made = Tree(_ENVIRONMENT, known)
    monitor = ("monitors", 0)
    made.origins = {(*monitor, "url"): "SERVICE_URL", (*monitor, "timeout"): "TIMEOUT_SECONDS", ("language",): "VIGIE_LANGUAGE"}
    values = known.values
    watched: dict[str, Any] = {"url": values.get("SERVICE_URL") or _SEED_URL}
    if seconds := values.get("TIMEOUT_SECONDS"):
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", seconds):
            watched["timeout"] = f"{seconds}s"
        else:
            made.fault((*monitor, "timeout"), f"{seconds!r} is not a number of seconds", "write TIMEOUT_SECONDS=10")
    made.value = {"monitors": [watched]}
    if values.get("VIGIE_LANGUAGE"):
        made.value["language"] = values["VIGIE_LANGUAGE"]
    if _is_usable(known):
        relayed = not values.get("EMAIL_PASSWORD") and not values.get("SMTP_CA_FILE")
        usual = {key: value for key, (name, value) in _RELAYED.items() if relayed and not values.get(name)}
        made.value["notify"] = {"mail": {"type": "email", **usual}}
    return made


def _is_usable(known: Variables) -> bool:
    """Whether the environment alone makes an email channel: with a password, or without one at all. An empty one was to be filled in."""
    return all(known.values.get(name) for name in _RELAY) and known.values.get("EMAIL_PASSWORD") != ""


def _missing(read: Tree, channels: Mapping[str, Channel]) -> tuple[Fault, ...]:
    """What mail still needs: settings that are not there when the environment is all there is, and those that were never filled in."""
    known = read.variables
    if not channels and read.file != _ENVIRONMENT:
        return ()
    if not channels:
        fix = f"set it in {known.file}" if Path(known.file).exists() else "there is no .env here: `vigie init` writes one"
        return tuple(known.fault(name, "is not set, and email needs it", fix) for name in _MAIL if not known.values.get(name))
    taken = {name for path, name in read.origins.items() if path[0] in ("notify", "people")}
    return tuple(
        known.fault(name, f"still has the example value {known.values[name]!r}", "set your own")
        for name in _MAIL
        if name in taken and _EXAMPLE.search(known.values[name].strip())
    )


def _desired(read: Tree, file: Path | None, base: Path, *, verify: bool, whole: bool, stored: Sequence[StoredDefinition] | None) -> Desired:
    from vigie.config import assemble  # who is handed a Desired ready-made needs none of it
    from vigie.config.bus import bus as bus_of
    from vigie.config.definitions import Made, stored_in

    read.verifying = verify
    shape = assemble.file_of(read) if not (read.faults and read.value is None) else File()
    store = assemble.store(read, shape.store, base)
    if stored is None:
        stored = () if store is None else stored_in(read, store, whole=whole)
    made, mark = Made(read, stored), read.mark()
    parts = _assembled(read, made.beside(shape), base)
    while made.take_faults(mark[0]):
        read.forget(mark)
        parts = _assembled(read, made.beside(shape), base)
    if not (parts.shape.monitors or stored or read.faults):
        read.fault(("monitors",), "nothing is monitored", "add `monitors:` with a URL")
    assemble.check_addresses(read, shape)
    bus = bus_of(read, shape.bus, base)
    if read.faults or store is None:
        raise ConfigError(sorted(_masked(read, read.faults), key=lambda fault: fault.line or 0))
    return _settled(read, parts, (store, bus), made, file, base)


class _Whole(NamedTuple):
    """A file with what was made beside it, and what they come to."""

    shape: File
    channels: dict[str, Channel]
    known: "Known"
    monitors: "Assembled"
    llm: Llm
    availability: AvailabilityReport
    maintenance: tuple[Maintenance, ...]
    status_pages: tuple[StatusPage, ...]
    metrics: MetricsSettings


def _assembled(read: Tree, shape: File, base: Path) -> _Whole:
    """What it comes to, with every fault noted in the tree."""
    from vigie.config import assemble, maintenance, metrics, people, status_pages
    from vigie.config.zones import zone_of

    channels = assemble.channels(read, shape.notify) | people.own_channels(read, shape.people, assemble.channel)
    zone = zone_of(read, shape.timezone, ("timezone",))
    known = people.known(read, shape.people, shape.oncall, channels, list(shape.notify), zone)
    monitors = assemble.monitors(read, shape, known)
    llm = assemble.llm(read, shape)
    availability_report = assemble.availability(read, shape, known)
    planned = maintenance.planned(read, shape.maintenance, zone, [one.monitor for one in monitors.enabled])
    mailers = [name for name, one in channels.items() if one.kind == "email"]
    setting = status_pages.Setting(base, shape.language, zone, mailers, shape.web.public_url, shape.web.hosts)
    pages = status_pages.status_pages(read, shape.status_pages, [one.monitor for one in monitors.enabled], setting)
    measured = MetricsSettings(metrics.modules(read, shape.metrics.modules), metrics.collector(read, shape.metrics.otlp))
    return _Whole(shape, channels, known, monitors, llm, availability_report, planned, pages, measured)


def _settled(
    read: Tree, whole: _Whole, kept: tuple[StoreSettings, BusSettings | None], made: "Made", file: Path | None, base: Path
) -> Desired:
    """What was found to be without a fault."""
    from vigie.config import assemble, metrics
    from vigie.config.secrets import of_bus as secret_of_bus
    from vigie.config.secrets import of_store as secret_of_store

    store, bus = kept
    shape, channels, known, llm, monitors = whole.shape, whole.channels, whole.known, whole.llm, whole.monitors.enabled
    default = assemble.policy_of(read, shape.alerts.get("default", Alert()), known, ("alerts", "default"))
    parts = [*(one.secrets for one in channels.values()), *(one.secrets for one in monitors), llm.secrets]
    parts += [secret_of_store(read, shape.store), secret_of_bus(read, None if bus is None else bus.config)]
    parts += [metrics.held(shape.metrics.otlp), *(one.secrets for one in whole.metrics.modules.values())]
    watchdog = None if shape.watchdog is None else WatchdogSettings(shape.watchdog.url, int(shape.watchdog.every))
    parts.append(NO_SECRETS if watchdog is None else Secrets([watchdog.url, *map(Secret, url_secrets(watchdog.url.reveal()))]))
    proxies = Proxies.of(read.variables.values)
    held = Secrets({*(one for secrets in parts for one in secrets), *map(Secret, proxies.secrets())})
    return Desired(
        file=file,
        base=base,
        language=shape.language,
        timezone=shape.timezone,
        store=store,
        state=assemble.state(shape, store, base),
        log=shape.log,
        web=shape.web,
        llm=llm,
        channels=channels,
        monitors=monitors,
        control=tuple(shape.control),
        second_resolver=shape.second_resolver,
        blind_after_ms=int(shape.blind_after),
        collectors=tuple(plugins.kinds("collectors")),
        availability=whole.availability,
        missing=_missing(read, channels),
        problems=tuple(_masked(read, read.problems)),
        doubts=tuple(_masked(read, read.doubts)),
        secrets=held,
        maintenance=whole.maintenance,
        people=tuple(known.people.items()),
        rotations=tuple(known.rotations.values()),
        watchdog=watchdog,
        metrics=whole.metrics,
        proxies=proxies,
        detection=default.detection,
        notification=default.notification,
        location=shape.location,
        fleet=shape.fleet,
        bus=bus,
        history=Retention(int(shape.history.raw), int(shape.history.totals), int(shape.history.hourly)),
        status_pages=whole.status_pages,
        policies=("default", *(name for name in shape.alerts if name != "default")),
        lines={dotted(path): line for path, line in read.lines.items() if len(path) <= _LINED and path[:1] != ("monitors",)},
        warnings=(*read.warnings, *environment.faults(read.variables, proxies, shape.timezone)),
        entries=made.entries(whole.monitors.called, held.mask),
    )


def _masked(read: Tree, faults: list[Fault]) -> list[Fault]:
    """The faults, should one of them quote what came out of a variable."""
    values = Secrets(value for one in read.filled() for value in one.values)
    return [replace(fault, message=_cut(values.mask(fault.message)), fix=_cut(values.mask(fault.fix))) for fault in faults]


def _cut(words: str) -> str:
    """The words without the middle of what nobody would read to its end: a value of thousands of characters."""
    return _LONG.sub(lambda match: f"{match[0][:_SHOWN]}…{match[0][-1]}", words)


def one_monitor(values: dict[str, Any]) -> DesiredMonitor:
    """A single monitor from plain values, as `vigie check URL` needs it. Raises ConfigError."""
    from vigie.config import assemble
    from vigie.config.people import Known

    made = Tree("", Variables({}, ""))
    found = assemble.monitors(made, File(monitors=[values]), Known()).enabled
    if made.faults or not found:
        raise ConfigError(made.faults or [Fault("nothing to check")])
    return found[0]
