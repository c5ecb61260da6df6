"""Run checks now and print the results; changes no state, sends nothing."""

import difflib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Never

import typer

from vigie import plugins
from vigie.cli import results
from vigie.cli.common import ConfigOption, coloured, command, counted, notes, opened, run, settings, waiting
from vigie.config import Desired, DesiredMonitor, one_monitor
from vigie.core.model import Monitor
from vigie.errors import ConfigError, StoreError, VigieError
from vigie.planning.maintenance import InMaintenance, in_force

if TYPE_CHECKING:
    from vigie.diagnostics import Diagnosis

app = command()

Many = list[str] | None
_LISTED = 20
_HOST = re.compile(r"([\w.-]+|\[[0-9a-fA-F:]+\])(:\d{1,5})?(/\S*)?")
# Which option speaks for which key of a monitor, where the names differ.
_OPTIONS = {
    "headers": "--header",
    "expect.status": "--expect-status",
    "expect.keyword": "--expect-keyword",
    "expect.reject_keyword": "--reject-keyword",
    "expect.json": "--expect-json",
    "expect.type": "--expect-type",
    "expect.latency": "--max-latency",
    "expect.tls_days": "--min-tls-days",
}


@app.command(
    epilog=notes(
        "vigie check https://example.com/",
        "vigie check --expect-json '$.db==up' --max-latency 500ms https://api.example.com/health",
        "vigie check 'Shop API' https://example.com/                  (a configured monitor by its name or ID, and a URL)",
        "vigie check --format json | jq .status                     (every configured monitor)",
        "vigie check --explain https://example.com/                (diagnostics where something is wrong)",
        "vigie check --format nagios --min-tls-days 21 https://example.com/",
        status="0 up, 1 degraded, 2 down, 3 unknown or invalid arguments; the worst of several (down, unknown, degraded, up)",
    )
)
def check(
    wanted: Annotated[
        Many,
        typer.Argument(metavar="[URL|NAME]...", help="URLs, and names or IDs of configured monitors; every configured monitor by default."),
    ] = None,
    *,
    config: ConfigOption = None,
    timeout: Annotated[str | None, typer.Option(help="Timeout of the whole check, such as 10s.")] = None,
    method: Annotated[str | None, typer.Option(help="Request method.")] = None,
    header: Annotated[Many, typer.Option(help="Request header, such as 'K: V'; repeatable.")] = None,
    expect_status: Annotated[str | None, typer.Option(help="Accepted statuses, such as 200-299,304.")] = None,
    expect_keyword: Annotated[Many, typer.Option(help="Text that must be in the page; repeatable.")] = None,
    reject_keyword: Annotated[Many, typer.Option(help="Text that must not be in the page; repeatable.")] = None,
    expect_json: Annotated[
        Many, typer.Option(help="'PATH operator VALUE' (JSONPath; ==, !=, <, <=, >, >=), such as '$.queue<=100'; repeatable.")
    ] = None,
    expect_type: Annotated[str | None, typer.Option(help="Content type, such as application/json.")] = None,
    max_latency: Annotated[str | None, typer.Option(help="Response time above which it is degraded, such as 500ms.")] = None,
    max_redirects: Annotated[int | None, typer.Option(help="Maximum number of redirects.")] = None,
    min_tls_days: Annotated[int | None, typer.Option(help="Days left on the certificate below which it is degraded.")] = None,
    resolver: Annotated[str | None, typer.Option(help="DNS server: IP or IP:PORT.")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="PEM file of a private certificate authority.")] = None,
    ip: Annotated[Literal["4", "6"] | None, typer.Option(help="Use only this address family.")] = None,
    http: Annotated[Literal["1.1", "2", "3"] | None, typer.Option(help="HTTP version to request.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Do not verify the certificate.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Run diagnostics where something is wrong, and print the diagnosis.")] = False,
    format_: Annotated[Literal["text", "json", "nagios"], typer.Option("--format", help="Output.")] = "text",
) -> None:
    """Run checks now and print the results; changes no state, sends nothing."""
    expect = _given(
        status=expect_status,
        keyword=expect_keyword,
        reject_keyword=reject_keyword,
        json=expect_json,
        type=expect_type,
        latency=max_latency,
        tls_days=min_tls_days,
    )
    values = _given(
        timeout=timeout,
        method=method.upper() if method else None,
        headers=_headers(header),
        max_redirects=max_redirects,
        resolver=resolver,
        ca_file=_file(ca_file),
        ip=int(ip) if ip else None,
        http=http,
        insecure=insecure or None,
        expect=expect or None,
    )
    found = settings(config)
    known = [one.monitor for one in found.monitors]
    if wanted:
        found = replace(found, monitors=_chosen(found, wanted, values))
    elif values:
        raise VigieError("request options need a URL", "give one, or set them in vigie.yaml")
    raise typer.Exit(_show(found, known, format_, explain=explain))


def _chosen(found: Desired, wanted: Sequence[str], values: dict[str, Any]) -> tuple[DesiredMonitor, ...]:
    """What was asked for, in its order and each but once: URLs as monitors of their own, and configured monitors by name or ID."""
    chosen: dict[str, DesiredMonitor] = {}
    for index, text in enumerate(wanted):
        named = [] if "://" in text else [one for one in found.monitors if text in (one.monitor.id, one.monitor.name)]
        if named and values:
            raise VigieError("request options need a URL", f"leave them out, or set them in vigie.yaml for {text!r}")
        for one in named or [_one(text, index, values) if "://" in text else _stranger(found, text)]:
            chosen.setdefault(one.monitor.id, one)
    return tuple(chosen.values())


def _stranger(found: Desired, text: str) -> Never:
    """Raise VigieError for a name that no monitor has, with the nearest one, or the URL that a host would have."""
    known = [] if found.file is None else list(dict.fromkeys(name for one in found.monitors for name in (one.monitor.name, one.monitor.id)))
    near = difflib.get_close_matches(text, known, 1)
    hints = [f"did you mean {near[0]!r}?"] if near else [f"names and IDs: {', '.join(known[:_LISTED])}"] if known else []
    if _HOST.fullmatch(text) or not known:
        hints.append(f"for a web page write https://{text if _HOST.fullmatch(text) else 'example.com/'}")
    raise VigieError(f"{text!r} is neither a URL nor the name or ID of a configured monitor", "; ".join(hints))


def _keys(url: str, values: dict[str, Any]) -> dict[str, Any]:
    """A monitor's keys: what HTTP has under `expect` moves up beside the others where the scheme asks for another kind of check."""
    scheme, found, _ = url.partition("://")
    if not found or scheme.lower() in ("http", "https"):
        return {"url": url, **values}
    expect: dict[str, Any] = dict(values.get("expect", {}))
    if "type" in expect:
        raise VigieError(f"--expect-type: {scheme}:// has no content type", "leave it out")
    return {"url": url, **{key: value for key, value in values.items() if key != "expect"}, **expect}


def _one(url: str, index: int, values: dict[str, Any]) -> DesiredMonitor:
    """The monitor of a URL; its id is its own, because two URLs may have one host. Raises VigieError that names the option at fault."""
    try:
        one = one_monitor(_keys(url, values))
    except ConfigError as error:
        fault = error.faults[0]
        raise VigieError(f"{_option(fault.key)}: {fault.message}", fault.fix) from error
    return replace(one, monitor=replace(one.monitor, id=f"{one.monitor.id}-{index}"))


def _option(key: str) -> str:
    """The option that a key such as `monitors[0].expect.json[1]` came from."""
    own = key.partition("]")[2].removeprefix(".")
    named = next((option for name, option in _OPTIONS.items() for key in (own, f"expect.{own}") if key.startswith(name)), None)
    return named or ("--" + own.replace("_", "-") if own and own != "url" else "URL")


def _file(path: Path | None) -> str | None:
    if path is None:
        return None
    if not (path.is_file() and os.access(path, os.R_OK)):
        raise VigieError(f"--ca-file: {path} cannot be read", "name a PEM file")
    return str(path)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value != []}


def _headers(lines: Many) -> dict[str, str] | None:
    found = {}
    for line in lines or []:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise VigieError(f"{line!r} is not a header", "write --header 'Name: value'")
        found[name.strip()] = value.strip()
    return found or None


async def _checked(found: Desired) -> list[results.Checked]:
    """Every monitor: probed now, or, where a job reports in by itself, judged by its reports."""
    from vigie.agent import check_once

    active = [one for one in found.monitors if not plugins.traits(one.monitor.kind).passive]
    made = await check_once([one.spec for one in active], list(found.control), found.second_resolver)
    checked = [(one.monitor, result) for one, result in zip(active, made, strict=True)]
    if len(active) == len(found.monitors):
        return checked
    from vigie.clock import SystemClock
    from vigie.cycle import judged

    return [*checked, *await judged(found, SystemClock())]


async def _maintained(found: Desired, known: Sequence[Monitor]) -> dict[str, InMaintenance]:
    """What holds now for each configured monitor that was asked for, by the configuration and by the database if there is one."""
    asked = {one.monitor.id for one in found.monitors}
    monitors = [one for one in known if one.id in asked]
    if not monitors:
        return {}
    from vigie.adapters import store_exists
    from vigie.clock import SystemClock

    now, entries = SystemClock().now(), list(found.maintenance)
    if store_exists(found):
        try:
            async with opened(found) as store:
                entries += [one.planned() for one in await store.catalog.maintenance(now)]
        except StoreError as error:  # a check needs no database
            typer.echo(f"maintenance of the command line is not known: {error}", err=True)
    found_now = ((one.id, in_force([entry for entry in entries if entry.covers(one)], now)) for one in monitors)
    return {monitor: holding for monitor, holding in found_now if holding is not None}


def _in_maintenance(found: Desired, held: InMaintenance) -> str:
    from vigie.adapters import zone_of

    return results.in_maintenance(held, zone_of(found))


def _show(found: Desired, known: Sequence[Monitor], format_: str, *, explain: bool) -> int:
    with waiting(f"checking {counted(len(found.monitors), 'monitor')} …"):
        checked = run(_checked(found))
        diagnoses = _diagnoses(found, checked) if explain else {}
        maintained = run(_maintained(found, known)) if format_ != "nagios" else {}
    if format_ == "nagios":
        typer.echo(results.nagios(checked))
    colour = coloured(sys.stdout)
    for monitor, result in checked if format_ != "nagios" else ():
        diagnosis, held = diagnoses.get(monitor.id), maintained.get(monitor.id)
        if format_ == "json":
            typer.echo(results.json_line(monitor, result, results.explained(result, diagnosis) if explain else None, held))
        else:
            line = "" if held is None else _in_maintenance(found, held)
            typer.echo(results.text(monitor, result, colour=colour, language=found.language, diagnosis=diagnosis, maintenance=line))
    return results.EXIT[results.worst([result.status for _, result in checked])]


def _diagnoses(found: Desired, checked: Sequence[results.Checked]) -> "Mapping[str, Diagnosis]":
    from vigie.diagnostics import explain

    return run(explain(found, checked))
