"""A fleet: its servers, what only one of them does, its agents, and what is wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import typer

from vigie.cli.common import ConfigOption, counted, group, notes, opened, run, settings
from vigie.config import Desired
from vigie.text.formatting import brief

if TYPE_CHECKING:
    from vigie.queries.fleet import FleetAgentView, FleetView, Problem, ServerView

app = group("A fleet: its servers, what only one of them does, its agents, and what is wrong.")

FormatOption = Annotated[Literal["text", "json"], typer.Option("--format", help="Text, or one JSON object.")]


@app.callback()
def main() -> None:
    """A fleet: its servers, what only one of them does, its agents, and what is wrong."""


@app.command(
    epilog=notes(
        "vigie fleet status",
        "vigie fleet status --format json",
        status="0 all is well, 1 something is wrong (it says what), 3 invalid configuration or unusable database",
    )
)
def status(*, config: ConfigOption = None, format_: FormatOption = "text") -> None:
    """Show servers, leases and agents, notices that wait, and what is wrong; read from the database, whoever runs."""
    found = run(_fleet(settings(config)))
    if format_ == "json":
        typer.echo(msgspec.json.encode(_plain(found)).decode())
    else:
        for line in _lines(found):
            typer.echo(line)
    if any(one.is_fault for one in found.problems):
        raise typer.Exit(1)


async def _fleet(found: Desired) -> "FleetView":
    from vigie.engine.queries.fleet import fleet_of

    async with opened(found) as store:
        return await fleet_of(store)


def _plain(found: "FleetView") -> dict[str, Any]:
    """As other programs read it. Of an agent's token nothing."""
    return {
        "now": found.now,
        "servers": [{**asdict(one.status), "role": one.role, "config_differs": one.differs} for one in found.servers],
        "leases": [asdict(one) for one in found.leases],
        "agents": [_plain_agent(one) for one in found.agents],
        "shards_without_agent": dict(found.orphans),
        "notices": {"waiting": found.notices.waiting, "undeliverable": found.notices.undeliverable},
        "problems": [{"kind": one.kind, "about": one.about, "count": one.count, "fault": one.is_fault} for one in found.problems],
    }


def _plain_agent(one: "FleetAgentView") -> dict[str, Any]:
    status = {} if one.status is None else asdict(one.status)
    return {"name": one.agent.name, "location": one.agent.location, **status, "silent": one.silent, "shards": one.shards}


def _lines(found: "FleetView") -> Iterator[str]:
    if not found.servers:
        yield "No server has said anything within a day: several `vigie serve` on one PostgreSQL do."
    else:
        yield from _table(
            "SERVER VERSION ROLE LOCATION SEEN LAG WAITING SCHEMA PROTOCOL URL", [_server(one, found.now) for one in found.servers]
        )
    if found.leases:
        yield ""
        rows = [[one.name, one.holder.partition("/")[0], str(one.epoch), _ms(one.left_ms)] for one in found.leases]
        yield from _table("LEASE HOLDER EPOCH LEFT", rows)
    if found.agents:
        yield ""
        yield from _table("AGENT LOCATION VERSION HEARD SPOOL SKEW SHARDS", [_agent(one, found.now) for one in found.agents])
    yield ""
    waiting, lost = found.notices.waiting, found.notices.undeliverable
    yield f"Notices: {waiting} waiting, {lost} undeliverable."
    yield from map(_said, found.problems)


def _server(one: "ServerView", now: int) -> list[str]:
    status = one.status
    lag = "-" if status.lag_ms is None else _ms(status.lag_ms)
    seen, waiting = f"{_ms(now - status.seen_at)} ago", "?" if status.waiting < 0 else str(status.waiting)
    return [
        status.name, status.version, one.role, status.location or "-", seen, lag, waiting, str(status.schema),
        str(status.protocol), status.url or "-",
    ]  # fmt: skip


def _agent(one: "FleetAgentView", now: int) -> list[str]:
    if (status := one.status) is None:
        return [one.agent.name, one.agent.location, "-", "never", "-", "-", str(one.shards)]
    heard = f"{_ms(now - status.seen_at)} ago"
    skew = "-" if abs(status.skew_ms) < 50 else f"{status.skew_ms / 1000:+.1f} s"
    oldest = "" if status.spooled_since is None else f", oldest {_ms(now - status.spooled_since)}"
    return [one.agent.name, one.agent.location, status.version, heard, f"{status.spooled}{oldest}", skew, str(one.shards)]


def _ms(ms: int) -> str:
    return f"{ms} ms" if 0 <= ms < 1_000 else brief(ms, "en")


def _table(head: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as what is in them."""
    lines = [head.split(), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _said(one: "Problem") -> str:
    """A sentence, and what can be done."""
    words = {
        "no_evaluator": "No server evaluates: no alert is decided. Start `vigie serve`, or see why it cannot reach the database.",
        "server_silent": f"Server {one.about} is silent. Start it again; it is forgotten after a day.",
        "servers_differ": f"Server {one.about} has another configuration than the one in force. Give all servers the same file.",
        "versions_differ": f"Servers run different versions ({one.about}): complete the upgrade.",
        "agent_silent": f"Agent {one.about} is silent: its location reports nothing. See `vigie agent list`.",
        "agent_behind": f"Agent {one.about} reports, and what it finds is not taken. Its log says why.",
        "bus_away": f"Server {one.about} cannot use the bus: what agents find waits there. See `vigie doctor`.",
        "agent_never_heard": f"Agent {one.about} was enrolled and never heard.",
        "shards_without_agent": f"Nobody checks {counted(one.count, 'shard')} at {one.about}: no agent there reports.",
        "undeliverable": f"{counted(one.count, 'notice')} could not be delivered. See `vigie outbox list`.",
    }
    return words[one.kind]
