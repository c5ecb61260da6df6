"""Notices and what became of them: list, retry, drop."""

import sys
from collections.abc import Sequence
from datetime import tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer

from vigie.cli.common import ConfigOption, counted, group, notes, opened, run, settings, user
from vigie.cli.results import instant
from vigie.config import Desired
from vigie.errors import VigieError
from vigie.text.formatting import timestamp

if TYPE_CHECKING:
    from vigie.unsent import Listed

app = group("Notices and what became of them: list, retry, drop.")

_ANSWER = 100
Keys = Annotated[list[str] | None, typer.Argument(metavar="[KEY]...", help="Keys, as shown by `vigie outbox list`.")]
ChannelOption = Annotated[str | None, typer.Option("--channel", help="Only notices for this channel.")]
FormatOption = Annotated[Literal["text", "json"], typer.Option("--format", help="Text, or one JSON object a line.")]


class State(StrEnum):
    """`ports.OutboxState`, for the command line."""

    WAITING = "waiting"
    UNDELIVERABLE = "undeliverable"
    DELIVERED = "delivered"
    DROPPED = "dropped"


@app.command(
    "list",
    epilog=notes(
        "vigie outbox list",
        "vigie outbox list --state undeliverable --channel mail",
        "vigie outbox list --state delivered --limit 5 --format json",
        status="0, also where there is nothing to list; 3 invalid configuration or unusable database",
    ),
)
def list_(
    *,
    config: ConfigOption = None,
    state: Annotated[list[State] | None, typer.Option(help="Repeatable; by default what is unsent: waiting and undeliverable.")] = None,
    channel: ChannelOption = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number of notices, the newest ones.")] = 200,
    format_: FormatOption = "text",
) -> None:
    """List the notices that are unsent, or those in other states, with the newest attempt at each."""
    found = settings(config)
    rows = run(_listed(found, state or [State.WAITING, State.UNDELIVERABLE], channel, limit))
    if format_ == "json":
        _print_json(rows)
    elif not rows:
        typer.echo("No such notices." if state or channel else "Nothing is unsent.")
    else:
        _print_table(found, rows)


async def _listed(found: Desired, states: Sequence[State], channel: str | None, limit: int) -> "list[Listed]":
    from vigie.ports import OutboxState
    from vigie.unsent import listed

    async with opened(found) as store:
        return await listed(store, [OutboxState(one.value) for one in states], channel, limit)


@app.command(
    epilog=notes(
        "vigie outbox retry --all",
        "vigie outbox retry --channel mail                (once the mail server works again)",
        "vigie outbox retry shop-api-7:opened:mail",
        status="0 all of them were delivered, 1 some were not (they wait or are undeliverable), 3 could not run: no such notice, "
        "invalid configuration or unusable database",
    )
)
def retry(
    keys: Keys = None,
    *,
    config: ConfigOption = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything that is unsent.")] = False,
    channel: ChannelOption = None,
    format_: FormatOption = "text",
) -> None:
    """Try unsent notices again at once, undeliverable ones included; `vigie serve` sends them where it runs.

    What waits before them for the same alert and channel is tried first, so that the order is kept.
    """
    from vigie.clock import SystemClock
    from vigie.unsent import retry as work

    found = settings(config)
    if not (keys or all_ or channel):
        raise VigieError("nothing is named that should be tried again", "name keys, or use --channel NAME or --all")
    notices = run(_chosen(found, keys or [], channel))
    gone = [one for one in notices if one.notice.row.notice.channel not in found.channels]
    if keys and gone:
        name = gone[0].notice.row.notice.channel
        raise VigieError(f"{gone[0].key}: the channel {name!r} is no longer configured", "name it under `notify`, or drop the notice")
    ours = [one for one in notices if one not in gone]
    done = run(work(found, SystemClock(), ours)) if ours else []
    _print_json(done) if format_ == "json" else _print_outcome(found, done)
    if gone and format_ == "text":
        typer.echo(f"{counted(len(gone), 'notice')} left out: the channel is no longer configured (`vigie outbox drop`)")
    raise typer.Exit(0 if all(one.notice.state.value == State.DELIVERED for one in done) else 1)


async def _chosen(found: Desired, keys: Sequence[str], channel: str | None) -> "list[Listed]":
    from vigie.unsent import chosen

    async with opened(found) as store:
        return await chosen(store, keys, channel)


@app.command(
    epilog=notes(
        "vigie outbox drop shop-api-7:reminder:1:mail",
        "vigie outbox drop --channel old-chat --yes",
        status="0 dropped, 3 could not run: no such notice, not confirmed, invalid configuration or unusable database",
    )
)
def drop(
    keys: Keys = None,
    *,
    config: ConfigOption = None,
    channel: ChannelOption = None,
    by: Annotated[str | None, typer.Option(help="Who does it; by default the user of this session.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    format_: FormatOption = "text",
) -> None:
    """Drop unsent notices: they are never sent. Who dropped them stays on record with the incident.

    One that is being sent at this very moment may still arrive.
    """
    from vigie.clock import SystemClock
    from vigie.unsent import drop as work

    found = settings(config)
    if not (keys or channel):
        raise VigieError("nothing is named that should be dropped", "name keys, or use --channel NAME")
    notices = run(_chosen(found, keys or [], channel))
    if notices and not yes:
        _confirm(found, notices)
    done = run(work(found, SystemClock(), notices, by or user())) if notices else []
    if format_ == "json":
        _print_json(done)
    else:
        typer.echo(f"{counted(len(done), 'notice')} dropped." if done else "There is nothing to drop.")


def _confirm(found: Desired, notices: "Sequence[Listed]") -> None:
    """Ask on a terminal. Raises VigieError where nobody can answer, or the answer is no."""
    if not sys.stdin.isatty():
        raise VigieError(f"{counted(len(notices), 'notice')} would be dropped, and nobody can be asked here", "add --yes")
    _print_table(found, notices)
    if not typer.confirm(f"Drop {counted(len(notices), 'notice')}? They are never sent."):
        raise VigieError("nothing was dropped")


def _print_json(rows: "Sequence[Listed]") -> None:
    for one in rows:
        typer.echo(msgspec.json.encode(_fields(one)).decode())


def _fields(one: "Listed") -> dict[str, object]:
    """The contract of `--format json`."""
    row, last = one.notice.row, one.last
    notice = row.notice
    dropped = last is not None and last.failure == State.DROPPED
    return {
        "key": notice.key,
        "state": one.notice.state,
        "alert": notice.alert,
        "monitor": notice.monitor,
        "channel": notice.channel,
        "reason": notice.reason,
        "raised_at": instant(notice.at),
        "next_attempt_at": instant(row.due_at) if one.notice.state.value == State.WAITING else None,
        "failed_attempts": row.attempts,
        "failover_for": notice.failover_for or None,
        "last_attempt": None
        if last is None or dropped
        else {"at": instant(last.at), "failure": last.failure, "answer": last.answer, "duration_ms": last.duration_ms},
        "dropped": {"at": instant(last.at), "by": last.answer} if last is not None and dropped else None,
    }


def _print_table(found: Desired, rows: "Sequence[Listed]") -> None:
    from vigie.adapters import zone_of

    zone = zone_of(found)
    table = [("KEY", "STATE", "RAISED", "ATTEMPTS", "NEXT ATTEMPT"), *(_row(one, zone) for one in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row, one in zip(table, [None, *rows], strict=True):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if one is not None and (words := _last(one, zone)):
            typer.echo(f"    {words}")


def _row(one: "Listed", zone: tzinfo) -> tuple[str, ...]:
    row, state = one.notice.row, one.notice.state.value
    attempts = row.attempts + (one.last is not None and one.last.failure is None)
    following = timestamp(row.due_at, zone) if state == State.WAITING else ""
    return (one.key, state, timestamp(row.notice.at, zone), str(attempts), following)


def _last(one: "Listed", zone: tzinfo) -> str:
    """The newest attempt in a line."""
    last = one.last
    if last is None:
        return ""
    answer = last.answer if len(last.answer) <= _ANSWER else last.answer[: _ANSWER - 1] + "…"
    if last.failure == State.DROPPED:
        return f"dropped by {answer}, {timestamp(last.at, zone)}"
    return f"{f'failed, {last.failure}' if last.failure else 'delivered'}, {timestamp(last.at, zone)}: {answer}"


def _print_outcome(found: Desired, rows: "Sequence[Listed]") -> None:
    from vigie.adapters import zone_of

    zone = zone_of(found)
    for one in rows:
        state = one.notice.state.value
        waiting = f", next attempt {timestamp(one.notice.row.due_at, zone)}" if state == State.WAITING else ""
        typer.echo(f"{one.key}: {state}{waiting}")
        if state != State.DELIVERED and (words := _last(one, zone)):
            typer.echo(f"    {words}")
    if not rows:
        typer.echo("Nothing is unsent.")
