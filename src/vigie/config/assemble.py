"""From the tree of a file to what is desired: monitors, channels, alerts and model, each checked by its own Config.

Long: every part of the file is read with one tree of faults.
"""

import difflib
import re
import unicodedata
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from vigie import plugins
from vigie.config import dependencies, secrets
from vigie.config.alert import Alert
from vigie.config.convert import NEAREST, UNKNOWN_KEY, build, convert, enc_hook, fields_of, named, unknown
from vigie.config.desired import AvailabilityReport, Channel, DesiredMonitor, Llm, Sealed, StoreSettings, private
from vigie.config.maintenance import quiet_hours, unknown_names
from vigie.config.model import Common, File, Report
from vigie.config.people import Known
from vigie.config.planned import Maintenance, OnCall, Person
from vigie.config.policies import notification, routed, tags_of
from vigie.config.routes import Route
from vigie.config.status_pages import StatusPageKeys
from vigie.config.templates import CommonChannel, templates_of
from vigie.config.tree import Path, Tree
from vigie.config.verify import verify
from vigie.core.detection import DetectionPolicy, PartialOutage, Rate
from vigie.core.model import Monitor, Sensitivity
from vigie.core.notification import NotificationPolicy
from vigie.core.subject import VIGIE_ID
from vigie.errors import VigieError
from vigie.net import Secret, redact_url, split_server
from vigie.planning.period import Every
from vigie.planning.windows import QuietHours
from vigie.stores import kind_of
from vigie.text.marks import misleading

BY_NAME: dict[str, Any] = {"alerts": Alert, "people": Person, "oncall": OnCall, "status_pages": StatusPageKeys}


class Policies(NamedTuple):
    """What an alert of the file says: when failures are an incident, who is notified of it, and when that waits."""

    detection: DetectionPolicy
    notification: NotificationPolicy
    quiet: QuietHours | None
    routes: tuple[Route, ...] = ()


# A location is heard again after an interval and a check; one that missed two, and what its results took to arrive, is silent.
_STALE_MS, _DELIVERY_MS = 180_000, 60_000
_DELAY_MS, _GAP_MS = 5_000, 15_000  # besides the time that a check takes
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_COMMON = msgspec.structs.fields(Common)


def module(tree: Tree, port: str, kind: Any, path: Path) -> Any:
    """The adapter of a kind, or None after noting why not."""
    try:
        return plugins.load(port, str(kind))
    except VigieError as error:
        tree.fault(path, error.message, error.fix)
        return None


def channels(tree: Tree, raw: dict[str, Any]) -> dict[str, Channel]:
    """Channels by name; what a channel does not set comes from the environment where its adapter says so."""
    read = {name: channel(tree, name, values, ("notify", name)) for name, values in raw.items()}
    return {name: one for name, one in read.items() if one is not None}


def channel(tree: Tree, name: str, values: Any, path: Path) -> Channel | None:
    """One channel; None when it is faulty."""
    if mark := misleading(name):
        tree.fault(path, f"the name contains a line break or a mark that misleads ({mark})", "write it without")
    if not isinstance(values, dict) or "type" not in values:
        tree.fault(path, "a channel needs a `type`", f"known: {', '.join(plugins.kinds('notifiers'))}")
        return None
    adapter = module(tree, "notifiers", values["type"], (*path, "type"))
    if adapter is None:
        return None
    words = templates_of(tree, values.get("templates"), (*path, "templates"))
    rest = {key: value for key, value in values.items() if key not in ("type", "templates")}
    config = build(tree, with_environment(tree, adapter, rest, path), adapter.Config, path, adapter.ENVIRONMENT)
    if config is None:
        return None
    verify(tree, adapter, config, path)
    for key, message, fix in getattr(config, "cautions", ()):
        tree.warn((*path, key), message, fix)
    held = secrets.of(tree, config, (CommonChannel, adapter.Config), path).secrets
    return Channel(name, values["type"], Sealed(config), held, words)


def with_environment(tree: Tree, adapter: Any, values: dict[str, Any], path: Path) -> dict[str, Any]:
    """The values with the environment's behind them, for the keys that the adapter takes from there."""
    names: dict[str, str] = adapter.ENVIRONMENT
    known = tree.variables.values
    taken = {key: known[name] for key, name in names.items() if known.get(name) and key not in values}
    tree.origins |= {(*path, key): names[key] for key in taken}
    return taken | values


def store(tree: Tree, address: str, base: FilePath) -> StoreSettings | None:
    """The store that an address names, or None after noting why not."""
    kind, path = kind_of(address), ("store",)
    known = plugins.kinds("stores")
    if kind not in known:
        tree.fault(path, f"no store is called {kind!r}", f"write a path such as vigie.db, or a URL; installed: {', '.join(known)}")
        return None
    adapter = module(tree, "stores", kind, path)
    try:
        return None if adapter is None else StoreSettings(kind, adapter.Config.of(address, base))
    except ValueError as error:
        tree.fault(path, str(error))
        return None


def state(file: File, found: StoreSettings, base: FilePath) -> FilePath:
    """The state directory."""
    if file.state is not None:
        return base / file.state
    database = found.file
    return base / "vigie.state" if database is None else database.with_name(f"{database.name}.state")


def llm(tree: Tree, file: File) -> Llm:
    """The model's settings: our keys, and the provider's own beside them."""
    ours = {one.name for one in msgspec.structs.fields(Report)}
    report = build(tree, {key: value for key, value in file.llm.items() if key in ours}, Report, ("llm",)) or Report()
    rest = {key: value for key, value in file.llm.items() if key not in ours}
    config, held = None, secrets.of(tree, report, (Report,), ("llm",)).secrets
    if report.provider not in ("none", "off") and report.mode != "off":
        adapter = module(tree, "llms", report.provider, ("llm", "provider"))
        if adapter is not None:
            config = build(tree, with_environment(tree, adapter, rest, ("llm",)), adapter.Config, ("llm",))
            held = secrets.of(tree, config, (Report, adapter.Config), ("llm",)).secrets
    language = report.language or file.language
    sealed = None if config is None else Sealed(config)
    return Llm(report.provider, sealed, report.prompt, language, int(report.deadline), int(report.hold), report.mode, held)


class Assembled(NamedTuple):
    """The enabled monitors; and of every monitor, at its path, the id and the name."""

    enabled: tuple[DesiredMonitor, ...]
    called: dict[Path, tuple[str, str]]


def monitors(tree: Tree, file: File, names: Known) -> Assembled:
    """Every monitor, the ids of the enabled ones unique."""
    alerts = {"default": Alert(), **file.alerts}
    policies = {name: policy_of(tree, alert, names, ("alerts", name)) for name, alert in alerts.items()}
    found, paths, called = dict[str, DesiredMonitor](), dict[str, Path](), dict[Path, tuple[str, str]]()
    names_at = dict[str, Path]()
    for index, raw in enumerate(file.monitors):
        path: Path = ("monitors", index)
        one = monitor(tree, raw, policies, names, path)
        if one is None:
            if path in tree.made:  # nothing else is at fault for naming it
                tree.absent |= names_of(raw)
            continue
        called[path] = one.monitor.id, one.monitor.name
        if not one.enabled:
            continue
        if one.monitor.id == VIGIE_ID:
            tree.fault(path, f"the id {VIGIE_ID!r} is reserved for Vigie's own incidents", "give the monitor another `id`")
        if one.monitor.id in found:
            where = _other(tree, paths[one.monitor.id])
            tree.fault(path, f"two monitors have the id {one.monitor.id!r}{where}", "give one of them a different `name` or `id`")
            continue
        same = names_at.setdefault(one.monitor.name, path)
        if path in tree.made and same != path:
            tree.fault((*path, "name"), f"another monitor is called {one.monitor.name!r}{_other(tree, same)}", "choose another name")
            continue
        token = getattr(one.config.reveal(), "token", None)
        if token is not None and any(getattr(other.config.reveal(), "token", None) == token for other in found.values()):
            tree.fault((*path, "token"), "another monitor has the same token", "give each job its own token")
        detection = replace(one.monitor.detection, unchecked_after_ms=int(file.blind_after))
        trusted = path not in tree.untrusted
        reach = None if trusted else file.web.allow_internal
        watched = replace(one.monitor, detection=detection)
        found[watched.id] = replace(one, monitor=watched, trusted=trusted, reach=reach, location=file.location)
        paths[one.monitor.id] = path
    if not tree.faults:  # a monitor that is faulty is not there, though a route may name its tag
        everything = [one.monitor for one in found.values()]
        for route, tags in tags_of(file.alerts):
            for _, fault in unknown_names((), tags, everything, tree.absent):
                tree.fault(route, fault.message, fault.fix)
    return Assembled(dependencies.resolved(tree, found, paths), called)


def names_of(raw: Any) -> set[str]:
    """By what others may name a monitor: its id, its name, its tags; empty for anything else."""
    if not isinstance(raw, dict):
        return set()
    tags = raw.get("tags")
    return {str(raw.get("id")), str(raw.get("name")), *map(str, tags if isinstance(tags, list) else ())}


def _other(tree: Tree, path: Path) -> str:
    """Where the other one is, in words."""
    if path in tree.made:
        return f" (the other is the {tree.made[path]})"
    line = tree.lines.get(path)
    return f" (the other is in line {line})" if line else ""


def policy_of(tree: Tree, alert: Alert, names: Known, path: Path) -> Policies:
    """The policies of an alert whose channels exist."""
    return Policies(
        _detection(alert),
        notification(tree, alert, names, path),
        quiet_hours(tree, alert.quiet, names.zone, (*path, "quiet")),
        tuple(alert.routes),
    )


def _detection(alert: Alert) -> DetectionPolicy:
    """When failures are an incident."""
    rate = None if alert.rate is None else Rate(alert.rate.failures, alert.rate.of)
    return DetectionPolicy(
        alert.confirm.checks,
        int(alert.confirm_every),
        alert.recover.checks,
        confirm_ms=int(alert.confirm.over),
        recover_ms=int(alert.recover.over),
        rate=rate,
        flapping=alert.flapping,
        quorum=alert.quorum,
        partial_outage=PartialOutage(alert.partial_outage),
    )


def availability(tree: Tree, file: File, names: Known) -> AvailabilityReport:
    """Who is told how available everything was, and how often."""
    said, path = file.availability, ("availability", "channels")
    default = file.alerts.get("default", Alert()).to
    wanted = said.channels if said.channels is not None else names.everybody if default is None else default
    every = None if said.report == "off" else Every(said.report)
    names.check(tree, said.channels or [], path)
    if every is not None and not wanted:
        tree.fault(
            path if said.channels is not None else ("availability", "report"),
            "no alert would be sent",
            "list channels of `notify` in `channels`",
        )
    return AvailabilityReport(every, names.anybody(wanted))


def monitor(tree: Tree, raw: Any, policies: dict[str, Policies], names: Known, path: Path) -> DesiredMonitor | None:
    """One monitor; None when it is faulty."""
    values = {"url": raw} if isinstance(raw, str) else raw
    if not isinstance(values, dict):
        tree.fault(path, f"a monitor is a URL or keys with values, not {named(raw)}", "write `- https://example.com/`")
        return None
    kind = str(values.get("type") or kind_of_url(values.get("url")))
    adapter = module(tree, "probes", kind, (*path, "type"))
    if adapter is None:
        return None
    by_url = hasattr(adapter.Config, "from_url")
    if by_url and "url" in values:
        try:
            said = adapter.Config.from_url(str(values["url"]))
        except ValueError as error:
            tree.fault(path if isinstance(raw, str) else (*path, "url"), str(error))
            return None
        if "url" not in said:
            secrets.spread(tree, path, said)
        # What the URL stands for; keys that are written out themselves come first.
        values = said | {key: value for key, value in values.items() if key != "url"}
    common_keys = {one.name for one in _COMMON}
    own_keys = {one.encode_name for one in fields_of(adapter.Config)}
    before = len(tree.faults)
    for key in values.keys() - common_keys - own_keys:
        unknown(tree, (*path, key), key, [*sorted(common_keys), *sorted(own_keys)])
    common = build(tree, {key: value for key, value in values.items() if key in common_keys}, Common, path)
    config = build(tree, {key: value for key, value in values.items() if key in own_keys}, adapter.Config, path)
    _name_monitor(tree, before, kind, raw)
    if common is None or config is None or len(tree.faults) > before:
        return None
    if common.enabled:
        verify(tree, adapter, config, path)
    wanted = common.alert if common.enabled else "default"
    detection, notified, quiet, routes = _policy(tree, wanted, policies, names, (*path, "alert"))
    traits = plugins.traits_of(adapter)
    every_ms = int(common.every if "every" in values or traits.every_ms is None else traits.every_ms)
    longest_ms = int(common.timeout)
    detection = replace(
        detection,
        stale_ms=max(_STALE_MS, 2 * every_ms + longest_ms + _DELIVERY_MS),
        delay_ms=longest_ms + _DELAY_MS,
        gap_ms=every_ms + longest_ms + _GAP_MS,
    )
    if traits.conclusive:
        detection = replace(detection, confirm=1, recover=1, confirm_ms=0, recover_ms=0, rate=None)
    held = secrets.of(tree, config, (Common, adapter.Config), path)
    target = held.target(config.target)
    # One host may be looked at in many ways, so that its name alone would not tell them apart.
    title = getattr(config, "title", None)
    name = common.name or title or (target if by_url else config.host or target)
    one = Monitor(
        id=common.id or (slug(name) if common.name or title is None else "") or slug(config.host) or "monitor",
        name=name,
        kind=kind,
        target=target,
        host=config.host,
        every_ms=every_ms,
        timeout_ms=int(common.timeout),
        detection=detection,
        notification=routed(notified, routes, names, common.tags),
        tags=tuple(common.tags),
        baseline=Sensitivity(common.baseline),
        port=port_of(config, target),
        depends_on=tuple(common.depends_on),
        locations=tuple(dict.fromkeys(common.locations)),
    )
    options = private(msgspec.to_builtins(config, enc_hook=enc_hook, builtin_types=(Secret,)), held.secrets)
    return DesiredMonitor(one, Sealed(config), options, held.secrets, quiet, common.enabled)


def port_of(config: Any, target: str) -> int | None:
    """The port that is connected to, where there is one."""
    if (known := getattr(config, "port", None)) is not None:
        return int(known)
    try:
        parts = urlsplit(target)
        return parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None


def _name_monitor(tree: Tree, before: int, kind: str, raw: Any) -> None:
    """Have the faults about keys that a kind lacks say which kind it is, and which URL asks for it: other kinds may have them."""
    url = raw if isinstance(raw, str) else raw.get("url")
    whose = f" for {redact_url(url)}, a monitor of type {kind}" if isinstance(url, str) else f" for a monitor of type {kind}"
    for index, fault in enumerate(tree.faults[before:], before):
        if fault.message.startswith(UNKNOWN_KEY) and not fault.fix.startswith(NEAREST):
            tree.faults[index] = replace(fault, message=fault.message + whose)


def kind_of_url(url: Any) -> str:
    """The kind that a URL's scheme asks for; `http` where it says nothing, or nothing that is known."""
    scheme, found, _ = str(url or "").partition("://")
    scheme = scheme.lower()
    return (plugins.of_scheme(scheme) if found and scheme not in ("http", "https") else None) or "http"


def _policy(tree: Tree, alert: str | Alert, policies: dict[str, Policies], names: Known, path: Path) -> Policies:
    if isinstance(alert, Alert):
        return policy_of(tree, alert, names, path)
    if alert not in policies:
        near = difflib.get_close_matches(alert, list(policies), 1)
        fix = f"did you mean {near[0]!r}?" if near else f"alerts: {', '.join(policies)}"
        tree.fault(path, f"there is no alert {alert!r}", fix)
    return policies.get(alert, policies["default"])


def slug(name: str) -> str:
    """A stable key out of a name: `Shop API` is `shop-api`, `Café Zoé` is `cafe-zoe`; empty when the name has no Latin letter."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", "-", bare).strip("-")[:63].rstrip("-")


def check_addresses(tree: Tree, file: File) -> None:
    """Note control targets that are not `host:port` and a second resolver that is not an address."""
    for index, text in enumerate(file.control):
        host, _, port = text.rpartition(":")
        if not (host and re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) < 65_536):
            tree.fault(("control", index), f"{text!r} is not a host and port", "write example.com:443")
    if file.second_resolver is not None:
        try:
            split_server(file.second_resolver)
        except ValueError as error:
            tree.fault(("second_resolver",), str(error))


def file_of(tree: Tree) -> File:
    """The file's own keys, each with its default where it was faulty."""
    values = tree.value if tree.value is not None else {}
    if not isinstance(values, dict):
        tree.fault((), "the file has no keys", "start with `monitors:`")
        return File()
    if (path := tree.variables.values.get("LOG_FILE")) and isinstance(log := values.get("log", {}), dict):
        values = {**values, "log": {"file": path, **log}}
    if (address := tree.variables.values.get("VIGIE_LISTEN")) and isinstance(web := values.get("web", {}), dict):
        values = {**values, "web": {"listen": address, **web}}
    fields = {one.encode_name: one for one in msgspec.structs.fields(File)}
    found: dict[str, Any] = {}
    for key, value in values.items():
        if key not in fields:
            unknown(tree, (key,), key, fields)
        elif key in BY_NAME and isinstance(value, dict):
            built = {name: convert(tree, item, BY_NAME[key], (key, name)) for name, item in value.items()}
            found[key] = {name: item for name, item in built.items() if item is not None}
        elif key == "maintenance" and isinstance(value, list):
            spans = [convert(tree, item, Maintenance, ("maintenance", index)) for index, item in enumerate(value)]
            found[key] = [span for span in spans if span is not None]
        elif (converted := convert(tree, value, fields[key].type, (key,))) is not None:
            found[fields[key].name] = converted
    return File(**found)
