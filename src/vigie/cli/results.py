"""How `vigie check` writes results: text for people, JSON lines for programs, one plugin line for Nagios and Icinga."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

import msgspec

from vigie.cli import _drawn as drawn
from vigie.cli.common import counted
from vigie.core.model import CheckResult, HttpFacts, Monitor, Status, Timings, TlsFacts
from vigie.planning.maintenance import InMaintenance
from vigie.text.formatting import local_time, timestamp

if TYPE_CHECKING:
    from vigie.diagnostics import Diagnosis  # only its shape: a plain check starts without what a diagnosis needs

Checked = tuple[Monitor, CheckResult]

# Monitoring plugins' exit statuses, and which of several counts as the worst: down, then unknown, then degraded.
EXIT = {Status.UP: 0, Status.DEGRADED: 1, Status.DOWN: 2, Status.UNKNOWN: 3}
_WORST_FIRST = (Status.DOWN, Status.UNKNOWN, Status.DEGRADED, Status.UP)
_NAGIOS = {Status.UP: "OK", Status.DEGRADED: "WARNING", Status.DOWN: "CRITICAL", Status.UNKNOWN: "UNKNOWN"}
_PHASES = ("dns", "connect", "tls", "first_byte", "transfer", "total")
_MARKS = {Status.UP: "●", Status.DEGRADED: "▲", Status.DOWN: "✖", Status.UNKNOWN: "?"}
_COLOURS = {Status.UP: "\x1b[32m", Status.DEGRADED: "\x1b[33m", Status.DOWN: "\x1b[31m", Status.UNKNOWN: "\x1b[35m"}


def worst(statuses: Sequence[Status]) -> Status:
    """The status that decides the exit: the worst of several, `up` of none."""
    return next((status for status in _WORST_FIRST if status in statuses), Status.UP)


def instant(at: int | None) -> str | None:
    """Epoch ms as ISO 8601 in UTC, to the millisecond."""
    return None if at is None else local_time(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def json_line(
    monitor: Monitor, result: CheckResult, more: Mapping[str, Any] | None = None, maintenance: InMaintenance | None = None
) -> str:
    """One object on one line; its fields are the contract of `--format json`, with those of `--explain` behind them."""
    fields = {
        "monitor": monitor.name,
        "url": monitor.target,
        "status": result.status,
        "cause": result.cause,
        "message": result.message,
        "at": instant(result.at),
        "location": result.location,
        "address": result.address,
        "timings": _timings(result.timings),
        "http": _http(result.http),
        "tls": _tls(result.tls),
        "advice": result.advice,
        "maintenance": None if maintenance is None else {"until": instant(maintenance.until), "why": maintenance.why},
    }
    return msgspec.json.encode({**fields, **(more or {})}).decode()


def explained(result: CheckResult, diagnosis: "Diagnosis | None") -> dict[str, Any]:
    """What `--explain` adds to a line: the redirects' URLs, the chain leaf first, and the diagnosis (null where all is well)."""
    chain = [
        {"subject": one.subject, "issuer": one.issuer, "key": one.key, "signature": one.signature, "names": one.names}
        | {"not_before": instant(one.not_before), "not_after": instant(one.not_after), "sha256": one.sha256}
        for one in (result.tls.chain if result.tls else ())
    ]
    known = drawn.as_json(diagnosis) if diagnosis else None
    return {"hops": result.http.hops if result.http else (), "chain": chain, "diagnosis": known}


def _timings(timings: Timings) -> dict[str, float | None]:
    return {phase: None if ms is None else round(ms, 1) for phase, ms in asdict(timings).items()}


def _http(facts: HttpFacts | None) -> dict[str, Any] | None:
    return None if facts is None else {name: getattr(facts, name) for name in ("status", "version", "redirects", "bytes", "type")}


def _tls(facts: TlsFacts | None) -> dict[str, Any] | None:
    if facts is None:
        return None
    plain = {name: getattr(facts, name) for name in ("version", "issuer", "subject", "days_left")}
    limit = None if facts.limit is None else {"subject": facts.limit.subject, "expires_at": instant(facts.limit.not_after)}
    return {**plain, "expires_at": instant(facts.expires_at), "limited_by": limit}


def in_maintenance(known: InMaintenance, zone: tzinfo) -> str:
    """Until when, and why if anybody said so."""
    return f"in maintenance until {timestamp(known.until, zone)}" + (f": {known.why}" if known.why else "")


def text(
    monitor: Monitor,
    result: CheckResult,
    *,
    colour: bool,
    language: str = "en",
    diagnosis: "Diagnosis | None" = None,
    maintenance: str = "",
) -> str:
    """For a terminal: verdict first, then maintenance, redirects, phases, certificates and advice; `colour` also draws phases as bars."""
    on, off = (_COLOURS[result.status], "\x1b[0m") if colour else ("", "")
    cause = f"  {result.cause}" if result.cause else ""
    phases = drawn.bars(result.timings) if colour else [_phases(result.timings)]
    name = "" if monitor.name in (monitor.target, monitor.host) else f"{monitor.name}  "
    lines = [f"{on}{_MARKS[result.status]} {result.status.upper()}{off}  {name}{monitor.target}{cause}"]
    parts = [result.message, maintenance, *drawn.hops(result), _served(result), *phases, _certificate(result.tls)]
    parts += drawn.chain(result.tls) if colour else []
    parts += [] if diagnosis is None else drawn.diagnosis(diagnosis, language)
    lines += [f"  {part}" for part in parts if part]
    return "\n".join(lines + [f"  → {hint}" for hint in result.advice])


def _served(result: CheckResult) -> str:
    facts = result.http
    if facts is None:
        return f"address {result.address}" if result.address else ""
    parts = [f"HTTP/{facts.version}" if facts.version[:1].isdigit() else facts.version, counted(facts.bytes, "byte"), facts.type or ""]
    parts += [counted(facts.redirects, "redirect")] * bool(facts.redirects) + [f"from {result.address}"] * bool(result.address)
    return ", ".join(part for part in parts if part)


def _phases(timings: Timings) -> str:
    named = ((phase.replace("_", " "), getattr(timings, phase)) for phase in _PHASES)
    return "  ".join(f"{name} {ms:.1f} ms" for name, ms in named if ms is not None)


def _certificate(facts: TlsFacts | None) -> str:
    if facts is None or facts.days_left is None:
        return ""
    days = counted(abs(facts.days_left), "day")
    left = f"{days} left" if facts.days_left >= 0 else f"expired {days} ago"
    return f"{facts.version or 'TLS'}, certificate of {facts.subject} by {facts.issuer}, {left}"


def nagios(checked: Sequence[Checked]) -> str:
    """One plugin line with performance data (Monitoring Plugins guidelines): the worst result speaks for all."""
    status = worst([result.status for _, result in checked])
    names = _names([monitor for monitor, _ in checked])
    said = "; ".join(f"{name}: {_said(result)}" for name, (_, result) in zip(names, checked, strict=True) if result.status is status)
    labels = [""] if len(checked) == 1 else [f"{_label(name)} " for name in names]
    perf = " ".join(part for label, (_, result) in zip(labels, checked, strict=True) for part in _perfdata(label, result))
    return f"VIGIE {_NAGIOS[status]} - {_clean(said) or 'nothing to check'}" + (f" | {perf}" if perf else "")


def _names(monitors: Sequence[Monitor]) -> list[str]:
    """The monitors' names; where two share one, what is looked at, and its place in the list where even that is shared."""
    named = Counter(monitor.name for monitor in monitors)
    found = [monitor.name if named[monitor.name] == 1 else monitor.target for monitor in monitors]
    twice = Counter(found)
    return [name if twice[name] == 1 else f"{name} #{number}" for number, name in enumerate(found, 1)]


def _said(result: CheckResult) -> str:
    total = result.timings.total
    return result.message or ("answers" if total is None else f"answers in {total:.0f} ms")


def _perfdata(prefix: str, result: CheckResult) -> list[str]:
    limit = result.figures.get("limit_ms")
    warn = f"{float(limit) / 1000:g}" if isinstance(limit, int | float) else ""
    parts = [
        f"'{prefix}{'time' if phase == 'total' else phase}'={ms / 1000:.6f}s;{warn if phase == 'total' else ''};;0"
        for phase in _PHASES
        if (ms := getattr(result.timings, phase)) is not None
    ]
    parts += [f"'{prefix}size'={result.http.bytes}B;;;0"] if result.http else []
    return parts + ([f"'{prefix}days_left'={result.tls.days_left}"] if result.tls and result.tls.days_left is not None else [])


def _clean(words: str) -> str:
    """`|` starts performance data, so that it may not come from a name or message."""
    return " ".join(words.replace("|", "/").split())


def _label(name: str) -> str:
    """A name as part of a label, which can hold neither `'` nor `=`."""
    return _clean(name).replace("'", "").replace("=", "-")
