"""The configuration as others see it: JSON Schema for editors, and the merged values with secrets masked for people."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from vigie import plugins
from vigie.config.convert import enc_hook
from vigie.config.desired import Channel, Desired, DesiredMonitor, MetricsSettings
from vigie.config.maintenance import DAYS
from vigie.config.model import Common, File, Report
from vigie.config.streak import MOST, Streak
from vigie.config.templates import CommonChannel, Templates
from vigie.core.detection import Severity
from vigie.net import MASK, NO_SECRETS, Secret, Secrets, redact_url
from vigie.planning.duration import Duration
from vigie.planning.maintenance import Maintenance
from vigie.planning.rotation import Rotation
from vigie.planning.windows import ByRule, Once, QuietHours, Recurring, Weekly
from vigie.report.status_page import StatusPage

_DAY_MS = 86_400_000
_VARIABLE = r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}"
_PATTERN = r"^(0|(\d+(\.\d+)?\s*(ms|s|m|h|d|w))+)$"


def _schema_hook(kind: type) -> dict[str, Any]:
    if kind is Duration:
        return {"anyOf": [{"type": "string", "pattern": _PATTERN}, {"const": 0}], "examples": ["30s", "5m"]}
    if kind is Streak:
        count, span = {"type": "integer", "minimum": 1, "maximum": MOST}, {"type": "string", "pattern": _PATTERN}
        return {"anyOf": [count, span], "examples": [3, "2m"]}
    if kind is Secret:
        return {"type": "string"}
    raise NotImplementedError(kind)


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `vigie.yaml`, put together from every installed adapter."""
    adapters = {
        port: {kind: plugins.load(port, kind, complete=False).Config for kind in plugins.kinds(port)}
        for port in ("probes", "notifiers", "llms")
    }
    types = [File, Common, CommonChannel, Report, *(config for kinds in adapters.values() for config in kinds.values())]
    roots, components = msgspec.json.schema_components(types, schema_hook=_schema_hook, ref_template="#/$defs/{name}")
    for component in components.values():
        component["properties"] = {name: _open(part) for name, part in component.get("properties", {}).items()}
    by_type = dict(zip(types, roots, strict=True))
    whole = components["File"]
    whole["properties"]["monitors"]["items"] = {
        "anyOf": [
            {"type": "string"},
            *(_monitor(_together(components, [by_type[Common], by_type[one]]), kind, one) for kind, one in adapters["probes"].items()),
        ]
    }
    common = _resolved(components, by_type[CommonChannel])
    channels = [_typed(_resolved(components, by_type[one]), kind, common) for kind, one in adapters["notifiers"].items()]
    for place in (whole, components["Person"]):
        place["properties"]["notify"]["additionalProperties"] = {"anyOf": channels}
    whole["properties"]["llm"] = {"anyOf": [_together(components, [by_type[Report], by_type[one]]) for one in adapters["llms"].values()]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole, "title": "vigie.yaml", "$defs": components}


def _open(part: dict[str, Any]) -> dict[str, Any]:
    """The same, for a file in which `${NAME}` may stand where a number, a choice or an address is wanted."""
    about: dict[str, Any] = {key: part[key] for key in ("title", "description", "default", "examples") if key in part}
    rest = {key: value for key, value in part.items() if key not in about}
    choices = rest["anyOf"] if set(rest) == {"anyOf"} else [rest]
    if any("$ref" in one or one.get("type") in ("array", "object") or one == {"type": "string"} or not one for one in choices):
        return part  # a text takes anything as it is, and a whole list or mapping cannot come out of a variable
    return {**about, "anyOf": [*choices, {"type": "string", "pattern": _VARIABLE}]}


def _resolved(components: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = components[root["$ref"].rpartition("/")[2]]
    return found


def _together(components: dict[str, Any], roots: list[dict[str, Any]]) -> dict[str, Any]:
    """One object with the keys of several Structs."""
    parts = [_resolved(components, root) for root in roots]
    properties = {name: value for part in parts for name, value in part["properties"].items()}
    required = [name for part in parts for name in part.get("required", [])]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _metrics(found: MetricsSettings) -> dict[str, Any]:
    """The modules that the file adds or changes are with the others: all are in force."""
    modules = {name: {"type": one.kind, **plain(one.options, one.secrets)} for name, one in found.modules.items()}
    return {"otlp": None if found.otlp is None else plain(found.otlp), "modules": modules}


def _monitor(part: dict[str, Any], kind: str, config: Any) -> dict[str, Any]:
    """A monitor's keys with its `type`; where a URL may stand for them, it or they are required."""
    if not hasattr(config, "from_url"):
        return part if kind == "http" else {**part, "properties": {**part["properties"], "type": {"const": kind}}}
    properties = {**part["properties"], "type": {"const": kind}, "url": {"type": "string", "description": "Shorthand for other keys."}}
    either = [{"required": ["type", *part["required"]]}, {"required": ["url"]}]
    return {**part, "properties": properties, "required": [], "anyOf": either}


def _typed(part: dict[str, Any], kind: str, common: dict[str, Any]) -> dict[str, Any]:
    """A channel's keys with its `type` and those of every channel; what the environment can give is not required."""
    properties = {"type": {"const": kind}, **part["properties"], "templates": common["properties"]["templates"]}
    return {**part, "properties": properties, "required": ["type"]}


def shown(settings: Desired) -> str:
    """JSON (so YAML too) of what is in force, every default written out."""
    llm = settings.llm
    report = {"provider": llm.provider, "language": llm.language, "prompt": plain(llm.prompt, llm.secrets)}
    report |= {"deadline": str(Duration(llm.deadline_ms)), "hold": str(Duration(llm.hold_ms))}
    whole = {
        "file": str(settings.file or "environment"),
        "language": settings.language,
        "timezone": settings.timezone,
        "store": str(settings.store),
        "bus": None if settings.bus is None else str(settings.bus),
        "state": str(settings.state),
        "location": settings.location,
        "log": {**plain(settings.log), "file": str(settings.log_file) if settings.log_file else None},
        "web": plain(settings.web),
        "metrics": _metrics(settings.metrics),
        "llm": {**report, **(plain(llm.config.reveal(), llm.secrets) if llm.config else {})},
        "control": list(settings.control),
        "second_resolver": settings.second_resolver,
        "blind_after": str(Duration(settings.blind_after_ms)),
        "availability": {"report": settings.availability.every or "off", "channels": list(settings.availability.channels)},
        "history": {
            "raw": str(Duration(settings.history.raw_ms)),
            "totals": str(Duration(settings.history.totals_ms)),
            "hourly": str(Duration(settings.history.hourly_ms)),
        },
        "fleet": plain(settings.fleet),
        "watchdog": settings.watchdog and {"url": MASK, "every": str(Duration(settings.watchdog.every_ms))},
        "notify": {name: {"type": one.kind, **channel_settings(one)} for name, one in settings.channels.items()},
        "people": {name: {"channels": list(channels)} for name, channels in settings.people},
        "oncall": {one.name: _rotation(one) for one in settings.rotations},
        "status_pages": {one.name: _page(one) for one in settings.status_pages},
        **({"left_out": [str(fault) for fault in settings.left_out]} if settings.left_out else {}),
        "monitors": [_in_force(one, settings.maintenance) for one in settings.monitors],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)


def _page(one: StatusPage) -> dict[str, Any]:
    """A status page: what is on it, under which name, and where it is."""
    return {
        "title": one.title,
        "path": one.path,
        "url": one.url,
        "public": one.public,
        "language": one.language,
        "timezone": str(one.zone),
        "groups": [
            {"title": section.title, "monitors": [component.monitor for component in section.components]} for section in one.sections
        ],
        "names": {component.monitor: component.name for component in one.components},
        "domain": one.domain,
        "support": one.support,
        "words": dict(one.words),
        "show_latency": one.show_latency,
        "show_availability": one.show_availability,
        "announce_maintenance": one.announce_maintenance,
        "mail": one.mail,
        "webhooks": one.webhooks,
    }


def _in_force(one: DesiredMonitor, maintenance: Iterable[Maintenance]) -> dict[str, Any]:
    own = plain(one.config.reveal(), one.secrets)
    monitor, detection, notification = one.monitor, one.monitor.detection, one.monitor.notification
    return {
        "id": monitor.id,
        "name": monitor.name,
        "type": monitor.kind,
        "every": str(Duration(monitor.every_ms)),
        "timeout": str(Duration(monitor.timeout_ms)),
        "tags": list(monitor.tags),
        "depends_on": list(monitor.depends_on),
        "locations": list(monitor.locations),
        "alert": {
            "confirm": _streak(detection.confirm, detection.confirm_ms),
            "confirm_every": str(Duration(detection.confirm_every_ms)),
            "recover": _streak(detection.recover, detection.recover_ms),
            "rate": None if detection.rate is None else {"failures": detection.rate.failures, "of": detection.rate.of},
            "flapping": detection.flapping,
            "quorum": detection.quorum,
            "partial_outage": detection.partial_outage,
            "remind": str(Duration(notification.remind_ms)),
            "to": list(notification.to),
            "degraded_to": list(notification.degraded_to),
            "fallback": list(notification.fallback),
            "group": "auto" if notification.group else "off",
            "group_wait": str(Duration(notification.group_wait_ms)),
            "remind_backoff": notification.remind_backoff,
            "escalate": [
                {"after": str(Duration(step.after_ms)), "to": list(step.to), "severities": _words_of(step.severities)}
                for step in notification.escalate
            ],
            "delay": {name: str(Duration(wait)) for name, wait in notification.delays},
            "quiet": None if one.quiet is None else {**_quiet(one.quiet), "severities": _words_of(notification.quiet_severities)},
            "expiry_days": [step // _DAY_MS for step in notification.expiry_steps_ms],
        },
        "maintenance": [
            {**_window(entry.window), **({"why": entry.why} if entry.why else {})} for entry in maintenance if entry.covers(monitor)
        ],
        **{key: value for key, value in own.items() if key != "name"},
    }


def _words_of(severities: Iterable[Severity]) -> list[str]:
    """Severities as the file has them."""
    return ["down" if one is Severity.OUTAGE else "degraded" for one in severities]


def _streak(checks: int, over_ms: int) -> int | str:
    return str(Duration(over_ms)) if over_ms else checks


def _window(window: Once | Recurring) -> dict[str, Any]:
    """When planned work is: once, or by which rules again and again."""
    if isinstance(window, Once):
        return {"from": _instant(window.start), "until": _instant(window.end)}
    weekly = [f"{_days(one.days)} {one.at:%H:%M}" for one in window.rules if isinstance(one, Weekly)]
    rules = [one.rule for one in window.rules if isinstance(one, ByRule)]
    bounds = {"from": window.first, "until": window.last}
    return {
        **({"rrule": rules[0]} if rules else {"every": weekly}),
        "for": str(Duration(window.length_ms)),
        "timezone": str(window.zone),
        **{name: _instant(at) for name, at in bounds.items() if at is not None},
    }


def _days(days: Sequence[int]) -> str:
    return "day" if len(days) == 7 else ", ".join(DAYS[day] for day in days)


def _quiet(quiet: QuietHours) -> dict[str, Any]:
    until = "24:00" if quiet.until is None else f"{quiet.until:%H:%M}"
    return {"hours": f"{quiet.since:%H:%M}-{until}", "days": [DAYS[day] for day in quiet.days], "timezone": str(quiet.zone)}


def _rotation(one: Rotation) -> dict[str, Any]:
    return {
        "people": list(one.people),
        "every": str(Duration(round(one.every.total_seconds() * 1000))),
        "starts": f"{one.starts:%Y-%m-%d %H:%M}",
        "timezone": str(one.zone),
        "overrides": [{"from": _instant(item.start), "until": _instant(item.end), "person": item.person} for item in one.overrides],
        "handover": one.handover,
    }


def _instant(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds")


def channel_settings(one: Channel) -> dict[str, Any]:
    """As `plain`, with the host of a chat's or webhook's address, whose path is its password."""
    found: dict[str, Any] = plain(one.config.reveal(), one.secrets)
    if isinstance(url := getattr(one.config.reveal(), "url", None), Secret):
        parts = urlsplit(url.reveal())
        found["url"] = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/{MASK}"
    return found if one.templates is None else {**found, "templates": _words(one.templates, one.secrets)}


def _words(one: Templates, secrets: Secrets) -> dict[str, Any]:
    """The templates that are set."""
    by_reason = {reason: plain(words.texts(), secrets) for reason, words in one.reasons.items()}
    return {**plain(one.texts(), secrets), **({"reasons": by_reason} if by_reason else {})}


def plain(config: Any, secrets: Secrets = NO_SECRETS) -> Any:
    """Plain values of a Config, durations as people write them; what is a Secret, or holds one of `secrets`, is masked."""
    if isinstance(config, Duration):
        return str(config)
    if isinstance(config, Secret):
        return MASK
    if isinstance(config, msgspec.Struct):
        return {name: plain(getattr(config, name), secrets) for name in config.__struct_fields__}
    if isinstance(config, list | tuple):
        return [plain(item, secrets) for item in config]
    if isinstance(config, dict):
        return {name: plain(item, secrets) for name, item in config.items()}
    if isinstance(config, str):
        return _masked(config, secrets)
    return msgspec.to_builtins(config, enc_hook=enc_hook)


def _masked(text: str, secrets: Secrets) -> str:
    shown = redact_url(text) if "://" in text else text
    if not secrets.are_in(shown):
        return shown
    masked = secrets.mask(shown)
    return MASK if secrets.are_in(masked) else masked  # too short to be taken out
