"""What `vigie agent` has for the machine of the servers: enroll, list, revoke."""

from typing import Annotated, Literal

import msgspec
import typer

from vigie.accounts import AuditEntry
from vigie.cli.common import ConfigOption, notes, opened, run, settings, user
from vigie.config import Desired
from vigie.errors import VigieError
from vigie.queries.agents import AgentState, AgentView
from vigie.text.formatting import duration, timestamp

_STATES = {AgentState.NEW: "never heard", AgentState.REPORTING: "reporting", AgentState.SILENT: "SILENT"}
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the agent: paris-1.")]


def add_to(app: typer.Typer) -> None:
    """Give a group these commands."""
    example = "vigie agent enroll paris-1 --location paris"
    status = "0 enrolled, 3 the name is taken, or cannot be one"
    app.command(epilog=notes(example, status=status))(enroll)
    app.command("list", epilog=notes("vigie agent list", "vigie agent list --format json"))(list_)
    app.command(epilog=notes("vigie agent revoke paris-1"))(revoke)


def enroll(
    name: NameArgument,
    *,
    config: ConfigOption = None,
    location: Annotated[str, typer.Option(metavar="PLACE", help="Where it checks from, as `locations` of monitors name it: paris.")],
) -> None:
    """Let an agent report, for one location, and print its token: it is shown this once, and only a hash of it is stored."""
    from vigie.engine.agents.enrolment import check_names, made

    check_names(name, location)
    found = settings(config)

    async def add() -> str:
        async with opened(found, make=True) as store:
            token, agent = await made(store.fleet, name, location, _now(), user(), found.location)
            if name in {one.name for one in await store.fleet.agents()}:
                return ""
            entry = AuditEntry(agent.created_at, user(), "cli", "agent_enroll", {"agent": name}, {"location": location}, outcome=200)
            await store.accounts.begin_audit(entry)
            return token if await store.fleet.enroll(agent) else ""

    if not (token := run(add())):
        raise VigieError(
            f"an agent {name} is enrolled already", "choose another name, or revoke that one first: vigie agent revoke " + name
        )
    where = found.web.public_url or "https://vigie.example.com"
    typer.echo(f"Agent {name} at {location}: keep the token safe, it is not shown again. On its machine:", err=True)
    typer.echo(f"  VIGIE_AGENT_TOKEN={token[:16]}… vigie agent --server {where}", err=True)
    if found.bus is not None:
        typer.echo(
            f"  or by the bus, with a login there for it alone (docs/nats.md): vigie bus permissions {name} --location {location}", err=True
        )
    typer.echo(token)


def list_(
    *,
    config: ConfigOption = None,
    format: Annotated[Literal["text", "json"], typer.Option(help="A table, or one JSON object a line.")] = "text",  # noqa: A002 - the option's name
) -> None:
    """List agents: location, state, version, when they were heard, what waits in their spools, how far their clocks are off."""
    found, now = settings(config), _now()
    views = run(_views(found, now))
    if format == "json":
        for one in views:
            typer.echo(msgspec.json.encode(_object(one)).decode())
        return
    if not views:
        typer.echo("No agent is enrolled; `vigie agent enroll NAME --location PLACE` enrolls one.")
        return
    for row in _table(views, found, now):
        typer.echo(row)


def revoke(name: NameArgument, *, config: ConfigOption = None) -> None:
    """Let an agent report no longer, at once; its token opens nothing any more, and its name is free again."""
    found, now = settings(config), _now()

    async def end() -> bool:
        async with opened(found) as store:
            if name not in {one.name for one in await store.fleet.agents()}:
                return False
            await store.accounts.begin_audit(AuditEntry(now, user(), "cli", "agent_revoke", {"agent": name}, {}, outcome=200))
            return await store.fleet.revoke_agent(name, now)

    if not run(end()):
        raise VigieError(f"no agent {name} is enrolled", "see `vigie agent list`")
    typer.echo(f"{name} is revoked.")


async def _views(found: Desired, now: int) -> list[AgentView]:
    from vigie.adapters import store_exists
    from vigie.queries.agents import view_of

    if not store_exists(found):
        return []
    async with opened(found) as store:
        heard = {one.name: one for one in await store.fleet.heard_agents()}
        return [view_of(one, heard.get(one.name), now) for one in await store.fleet.agents()]


_SHOWN = ("seen_at", "version", "protocol", "monitors", "spooled", "spooled_since", "late_ms", "skew_ms", "address")


def _object(one: AgentView) -> dict[str, object]:
    known, agent = one.status, one.agent
    seen = {} if known is None else {name: getattr(known, name) for name in _SHOWN}
    head = {"name": agent.name, "location": agent.location, "state": one.state.value}
    return {**head, "created_at": agent.created_at, "created_by": agent.created_by, **seen}


def _table(views: list[AgentView], found: Desired, now: int) -> list[str]:
    from vigie.adapters import zone_of

    rows = [("NAME", "LOCATION", "STATE", "HEARD", "VERSION", "MONITORS", "SPOOL", "CLOCK")]
    zone = zone_of(found)
    for one in views:
        known, head = one.status, (one.agent.name, one.agent.location, _STATES[one.state])
        if known is None:
            rows.append((*head, "-", "-", "-", "-", "-"))
            continue
        waits = "empty" if not known.spooled else str(known.spooled)
        if known.spooled and known.spooled_since is not None:
            waits += f", for {duration(max(now - known.spooled_since, 0), 'en')}"
        rows.append((*head, timestamp(known.seen_at, zone), known.version, str(known.monitors), waits, _off(known.skew_ms)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _off(skew_ms: int) -> str:
    """How far a clock is off; nobody's is exact."""
    if abs(skew_ms) <= 1_000:
        return "right"
    return f"{duration(abs(skew_ms), 'en')} {'fast' if skew_ms > 0 else 'slow'}"


def _now() -> int:
    from vigie.clock import SystemClock

    return SystemClock().now()
