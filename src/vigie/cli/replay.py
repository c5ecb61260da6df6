"""What would have been sent: the recorded history through a proposed policy, compared with today's."""

import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import typer

from vigie.cli.common import ConfigOption, command, counted, duration_in, instant_in, notes, opened, run
from vigie.cli.results import instant
from vigie.errors import VigieError
from vigie.planning.duration import Duration
from vigie.text.formatting import timestamp

if TYPE_CHECKING:
    from vigie.config import Desired
    from vigie.core.model import CheckResult, Monitor
    from vigie.observation.assessment import Assessment
    from vigie.replay import Outcome, Replayed, Sent

app = command()

_SHOWN, _EVERY = 40, 20_000
_WIDTH = 34


@app.command(
    epilog=notes(
        "vigie replay                                     (today's policy, and which `confirm` it suggests)",
        "vigie replay --policy proposed.yaml --since 7d   (proposed.yaml: `alerts: {default: {confirm: 2m}}`)",
        "vigie replay --monitor shop-api --blip 5m",
        "vigie replay --from heartbeat.csv --policy proposed.yaml --format json",
        status="0 replayed; 3 could not: invalid configuration, policy or CSV, or nothing recorded",
    )
)
def replay(
    *,
    config: ConfigOption = None,
    policy: Annotated[
        Path | None, typer.Option(help="Proposed policy: a YAML file with `alerts:`, or a whole configuration to compare with.")
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--from", help="CSV of another monitor instead of the database: `time,monitor,status`, or Uptime Kuma's `heartbeat` table."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="How far back (`7d`), or from when (`2026-03-01`); by default all that is kept.")
    ] = None,
    monitor: Annotated[list[str] | None, typer.Option(help="Name or ID of a monitor; repeatable; by default all.")] = None,
    blip: Annotated[str, typer.Option(help="Trouble shorter than this is a blip: a notice of it is counted as false.")] = "2m",
    format_: Annotated[Literal["text", "json"], typer.Option("--format", help="Text, or one JSON object.")] = "text",
) -> None:
    """What would have been sent: the recorded history through a proposed policy, compared with today's."""
    found = run(_replayed(config, policy, csv, since, monitor or [], duration_in(blip, "--blip")))
    result, zone = found
    if format_ == "json":
        typer.echo(msgspec.json.encode(_as_json(result)).decode())
    else:
        typer.echo("\n".join(_lines(result, zone)))


async def _replayed(
    config: Path | None, policy: Path | None, csv: Path | None, since: str | None, names: Sequence[str], blip_ms: int
) -> "tuple[Replayed, tzinfo]":
    from vigie.adapters import zone_of
    from vigie.clock import SystemClock
    from vigie.config import load
    from vigie.replay import calendar, people, recorded
    from vigie.replay import replay as replay_history

    today = load(config, os.environ, Path.cwd())
    proposed = None if policy is None else load(config, os.environ, Path.cwd(), alerts=policy)
    zone, clock = zone_of(today), SystemClock()
    start = 0 if since is None else instant_in(since, "--since", zone, clock.now())
    with _progress(zone) as progress:
        if csv is not None:
            each = [(_foreign(one, csv, names), _always) for one in (today, proposed) if one is not None]
            found = await replay_history(each[0], each[1] if proposed else None, _rows(csv, start), blip_ms=blip_ms, progress=progress)
        else:
            ids = _chosen(today, names)
            async with opened(today) as store:
                both = [(_ours(one, ids), await calendar(store, clock, one, start)) for one in (today, proposed) if one is not None]
                history = recorded(store.archive, start, frozenset(ids))
                said = await people(store.archive, start)
                found = await replay_history(both[0], both[1] if proposed else None, history, said, blip_ms=blip_ms, progress=progress)
    if not found.results:
        raise VigieError(
            "nothing is recorded of these monitors in this time", "run `vigie serve` or `vigie once` for a while, or use --from"
        )
    return found, zone


def _chosen(found: "Desired", names: Sequence[str]) -> list[str]:
    """The ids of the monitors that were named; all of them without names."""
    known = {one.monitor.id: one.monitor.id for one in found.monitors} | {one.monitor.name: one.monitor.id for one in found.monitors}
    for name in names:
        if name not in known:
            raise VigieError(f"there is no monitor {name[:80]!r}", f"known: {', '.join(sorted(set(known.values()))[:20])}")
    return [known[name] for name in names] or sorted(set(known.values()))


def _ours(found: "Desired", ids: Sequence[str]) -> "list[Monitor]":
    return [one.monitor for one in found.monitors if one.monitor.id in ids]


def _foreign(found: "Desired", csv: Path, names: Sequence[str]) -> "list[Monitor]":
    """The services of a CSV file, read once for their names and for what may be wrong with it."""
    from vigie.replay.foreign import ours
    from vigie.replay.history import read

    seen = dict.fromkeys(result.monitor for _, result in read(csv))
    if missing := [name for name in names if name not in seen]:
        raise VigieError(f"{csv} has no monitor {missing[0][:80]!r}", f"it has: {', '.join(list(seen)[:20])}")
    return list(ours(found, names or seen).values())


def _always(monitor: "Monitor", at: int) -> Any:
    """No calendar: maintenance and quiet hours of ours say nothing about another monitor's past."""
    from vigie.core.notification import Circumstances

    del monitor, at
    return Circumstances()


async def _rows(csv: Path, start: int) -> "AsyncIterator[CheckResult]":
    from vigie.replay.history import read

    for _, result in read(csv):
        if result.at >= start:
            yield result


@contextmanager
def _progress(zone: tzinfo) -> Iterator[Callable[[int, int], None] | None]:
    """How far it is, on a terminal."""
    if not sys.stderr.isatty():
        yield None
        return

    def show(results: int, at: int) -> None:
        if results % _EVERY == 0:
            sys.stderr.write(f"\r\x1b[2K{counted(results, 'check')}, until {timestamp(at, zone)}")
            sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write("\r\x1b[2K")


# Text ---------------------------------------------------------------------------------------------------------------------------------


def _lines(found: "Replayed", zone: tzinfo) -> Iterator[str]:
    yield f"{counted(found.results, 'check')} from {timestamp(found.start, zone)} to {timestamp(found.end, zone)}"
    truth, blip = found.today.assessment, Duration(found.blip_ms)
    yield f"Outages ({blip} or longer): {truth.outages}. Blips (shorter): {truth.blips}."
    if found.unknown:
        yield f"Not in the configuration, left out: {', '.join(sorted(found.unknown)[:10])}"
    yield ""
    yield from _table(found, str(blip))
    if found.proposed is not None:
        yield from _difference(found, zone)
    else:
        yield from _false(found, zone)
    yield ""
    yield from _suggestion(found)


def _table(found: "Replayed", blip: str) -> Iterator[str]:
    both = [one for one in (found.today, found.proposed) if one is not None]
    yield f"{'':{_WIDTH}}" + "".join(f"{head:>12}" for head in ("today", "proposed")[: len(both)])

    def row(name: str, value: "Callable[[Outcome], object]") -> str:
        return f"{name:{_WIDTH}}" + "".join(f"{value(one)!s:>12}" for one in both)

    yield row("notices", lambda one: len(one.sent))
    for reason in sorted({reason for one in both for reason in one.reasons}):
        yield row(f"  {reason}", lambda one, reason=reason: one.reasons[reason])  # type: ignore[misc]
    yield row("outages notified of", lambda one: len(one.assessment.notified))
    yield row("  minutes to notify, median", lambda one: _minutes(one.assessment.median_ms))
    yield row("  minutes to notify, longest", lambda one: _minutes(one.assessment.longest_ms))
    yield row("missed outages", lambda one: len(one.assessment.missed))
    yield row(f"false (over within {blip})", lambda one: len(one.assessment.false))


def _minutes(ms: int | None) -> str:
    return "–" if ms is None else f"{ms / 60_000:.1f}"


def _difference(found: "Replayed", zone: tzinfo) -> Iterator[str]:
    """What only one of both would have sent, and how much later what both would."""
    before, after = ({one.key: one for one in outcome.sent} for outcome in (found.today, found.proposed or found.today))
    for title, mark, ours, theirs in (
        ("Would not be sent any more:", "-", before, after),
        ("Would be sent in addition:", "+", after, before),
    ):
        only = [one for key, one in ours.items() if key not in theirs]
        if only:
            yield from ("", f"{title} {len(only)}")
            yield from (f"  {mark} {_sent(one, zone)}" for one in only[:_SHOWN])
            if len(only) > _SHOWN:
                yield f"  … and {len(only) - _SHOWN} more (--format json has them all)"
    moved = Counter(after[key].at - one.at for key, one in before.items() if key in after and after[key].at != one.at)
    if moved:
        yield ""
        first, last = _signed(min(moved)), _signed(max(moved))
        yield f"At another time: {moved.total()}, " + (first if first == last else f"from {first} to {last}")
    if before.keys() == after.keys() and not moved:
        yield from ("", "Nothing would be different.")


def _signed(ms: int) -> str:
    return f"{Duration(abs(ms))} {'later' if ms > 0 else 'earlier'}"


def _sent(one: "Sent", zone: tzinfo) -> str:
    return f"{timestamp(one.at, zone)}  {one.monitor}: {one.reason} by {one.channel}"


def _false(found: "Replayed", zone: tzinfo) -> Iterator[str]:
    wrong = found.today.assessment
    for title, spells in (("False:", wrong.false), ("Missed:", wrong.missed)):
        if spells:
            yield from ("", title)
            yield from (f"  {timestamp(one.start, zone)}  {one.monitor}: over after {Duration(one.lasted_ms)}" for one in spells[:_SHOWN])


def _suggestion(found: "Replayed") -> Iterator[str]:
    """For each monitor with false notices today, what would have silenced them."""
    if not found.suggestions:
        yield "No notice of today's policy is false: its `confirm` is long enough."
        return
    yield "Suggestion, the smallest `confirm` that silences every blip and delays no outage by over a minute:"
    for name, confirm in list(found.suggestions.items())[:_SHOWN]:
        today, tried = found.today.assessment.of(name), found.confirms[name]
        if confirm is None:
            best = min(tried, key=lambda one: (len(tried[one].false), one))
            was = f"{len(tried[best].false)} of {len(today.false)} false"
            yield f"  {name}: none up to {max(tried)}; `confirm: {best}` leaves {was}, {_delays(tried[best].longest_ms, today.longest_ms)}"
        else:
            yield f"  {name}: `confirm: {confirm}`, {len(today.false)} fewer false, {_delays(tried[confirm].longest_ms, today.longest_ms)}"


def _delays(after: int | None, before: int | None) -> str:
    return f"longest time to notify {_minutes(after)} min instead of {_minutes(before)} min"


def _as_json(found: "Replayed") -> dict[str, Any]:
    return {
        "from": instant(found.start),
        "until": instant(found.end),
        "checks": found.results,
        "blip_ms": found.blip_ms,
        "outages": found.today.assessment.outages,
        "blips": found.today.assessment.blips,
        "unknown_monitors": dict(found.unknown),
        "today": _outcome(found.today),
        "proposed": None if found.proposed is None else _outcome(found.proposed),
        "confirm": {
            name: {"suggested": confirm, "tried": [_tried(*one) for one in found.confirms[name].items()]}
            for name, confirm in found.suggestions.items()
        },
    }


def _tried(confirm: int, one: "Assessment") -> dict[str, Any]:
    return {"confirm": confirm, "false": len(one.false), "missed": len(one.missed), "longest_ms": one.longest_ms}


def _outcome(one: "Outcome") -> dict[str, Any]:
    kept = one.assessment
    return {
        "notices": [
            {"at": instant(sent.at), "monitor": sent.monitor, "channel": sent.channel, "reason": sent.reason, "number": sent.number}
            for sent in one.sent
        ],
        "false": [_spell(spell) for spell in kept.false],
        "missed": [_spell(spell) for spell in kept.missed],
        "notified": [_spell(spell) for spell in kept.notified],
        "median_ms": kept.median_ms,
        "longest_ms": kept.longest_ms,
    }


def _spell(one: Any) -> dict[str, Any]:
    return {"monitor": one.monitor, "start": instant(one.start), "lasted_ms": one.lasted_ms, "notified_after_ms": one.notified_ms}
