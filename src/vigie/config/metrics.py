"""`metrics:` of the file: modules for `/probe`, and a collector of OpenTelemetry that metrics are sent to."""

from importlib.util import find_spec
from typing import Any

import msgspec

from vigie import plugins
from vigie.config import secrets
from vigie.config.convert import build, enc_hook, named, unknown
from vigie.config.desired import Module, private
from vigie.config.exported import Otlp
from vigie.config.tree import Path, Tree
from vigie.errors import VigieError
from vigie.net import NO_SECRETS, Secret, Secrets
from vigie.net.secret import url_secrets
from vigie.planning.duration import Duration

_LONGEST_MS = 300_000
_ADDRESS = {"http": ("url",), "websocket": ("url",), "dns": ("resolver",)}  # the keys that a target gives; of others `host` and `port`
_WITHOUT_PORT = ("icmp", "domain")


BUILT_IN: dict[str, dict[str, Any]] = {
    "http_2xx": {"type": "http"},
    "http_post_2xx": {"type": "http", "method": "POST"},
    "tcp_connect": {"type": "tcp"},
    "tls_connect": {"type": "tls"},
    "icmp": {"type": "icmp"},
    "dns": {"type": "dns"},
    "grpc": {"type": "grpc", "tls": "implicit"},
    "grpc_plain": {"type": "grpc"},
}


def modules(tree: Tree, given: dict[str, Any]) -> dict[str, Module]:
    """The modules by name: ours, and those of the file, which may replace them."""
    found = {
        name: Module(name, str(raw["type"]), {key: one for key, one in raw.items() if key != "type"}) for name, raw in BUILT_IN.items()
    }
    for name, raw in given.items():
        if (made := _module(tree, name, raw, ("metrics", "modules", name))) is not None:
            found[name] = made
    return found


def collector(tree: Tree, otlp: Otlp | None) -> Otlp | None:
    """The collector, where what it needs is installed."""
    if otlp is not None and not _has_exporter():
        tree.fault(("metrics", "otlp"), "OpenTelemetry is not installed", "run: pip install 'vigie[otel]'")
    return otlp


def _has_exporter() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None and find_spec("opentelemetry.sdk") is not None
    except ModuleNotFoundError:  # of a package above them
        return False


def held(otlp: Otlp | None) -> Secrets:
    """What of the collector is secret."""
    if otlp is None:
        return NO_SECRETS
    return Secrets([*otlp.headers.values(), *map(Secret, url_secrets(otlp.endpoint))])


def address(kind: str, target: str, options: dict[str, object]) -> dict[str, Any]:
    """The options that a target stands for. Raises ValueError that says what is wrong with it."""
    config = plugins.load("probes", kind, complete=False).Config
    if kind == "http":
        return {"url": target if "://" in target else f"http://{target}"}
    if kind == "dns" and options.get("lookup"):
        return {"resolver": target}
    scheme, found, _ = target.partition("://")
    if found and plugins.of_scheme(scheme.lower()) != kind:
        raise ValueError(f"a module of type {kind} cannot look at {scheme}://")
    schemes = list(getattr(config, "schemes", ())) or [kind]
    bare = f"[{target}]" if target.count(":") > 1 and not target.startswith("[") else target
    given: dict[str, Any] = config.from_url(target if found else f"{schemes[0]}://{bare}")
    if set(given) - {"url", "host", "port", "tls", "lookup", "resolver"}:
        raise ValueError("a target is a host, with a port where one is needed; give everything else to the module")
    return given if found else {key: value for key, value in given.items() if key != "tls"}


def _module(tree: Tree, name: str, raw: Any, path: Path) -> Module | None:
    """One module of the file; None when it is faulty."""
    if not isinstance(raw, dict):
        tree.fault(path, f"a module is keys with values, not {named(raw)}", "write `{type: http, method: HEAD}`")
        return None
    kind = str(raw.get("type", "http"))
    try:
        adapter = plugins.load("probes", kind)
    except VigieError as error:
        tree.fault((*path, "type"), error.message, error.fix)
        return None
    if kind != "http" and not hasattr(adapter.Config, "from_url"):
        tree.fault((*path, "type"), f"a check of type {kind} has no target that could be given", "write one such as http, tcp, icmp or dns")
        return None
    known = {one.encode_name for one in msgspec.structs.fields(adapter.Config)} - {"url", "host", "port"}
    own = {key: value for key, value in raw.items() if key not in ("type", "timeout")}
    before = len(tree.faults)
    for key in own.keys() - known:
        unknown(tree, (*path, key), key, sorted(known | {"type", "timeout"}))
    timeout = build(tree, {key: raw[key] for key in ("timeout",) if key in raw}, _Timed, path)
    config = build(tree, {**own, **_placeholder(kind, own)}, adapter.Config, path)
    if config is None or timeout is None or len(tree.faults) > before:
        return None
    hidden = secrets.of(tree, config, (adapter.Config,), path).secrets
    options = private(msgspec.to_builtins(config, enc_hook=enc_hook, builtin_types=(Secret,)), hidden)
    dropped = {*_ADDRESS.get(kind, ("host", "port"))} - own.keys()
    return Module(
        name,
        kind,
        {key: value for key, value in options.items() if key not in dropped},
        None if timeout.timeout is None else int(timeout.timeout),
        hidden,
    )


class _Timed(msgspec.Struct, frozen=True, kw_only=True):
    timeout: Duration | None = None

    def __post_init__(self) -> None:
        if self.timeout is not None and not 1 <= self.timeout <= _LONGEST_MS:
            raise ValueError("`timeout` must be above 0 and at most 5m")


def _placeholder(kind: str, own: dict[str, Any]) -> dict[str, Any]:
    """An address with which a module's other keys can be looked through."""
    if kind == "dns":
        return {} if own.get("lookup") else {"lookup": "example.com"}
    return address(kind, "example.com" if kind in _WITHOUT_PORT else "example.com:443", own)
