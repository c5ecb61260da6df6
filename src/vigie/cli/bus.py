"""The bus of a fleet: what an agent's login must be allowed to do there."""

from typing import Annotated, Literal

import msgspec
import typer

from vigie.cli.common import group, notes

app = group("The bus of a fleet: what an agent's login must be allowed to do there.")


@app.callback()
def bus() -> None:
    """The bus of a fleet."""


@app.command(epilog=notes("vigie bus permissions paris-1 --location paris", "vigie bus permissions paris-1 --location paris --format nsc"))
def permissions(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Name of the agent, as it is enrolled.")],
    location: Annotated[str, typer.Option(metavar="PLACE", help="Its location, as it is enrolled.")],
    output: Annotated[
        Literal["conf", "json", "nsc"],
        typer.Option("--format", help="For the configuration of nats-server, as JSON, or as options of nsc."),
    ] = "conf",
) -> None:
    """Print what a user of NATS may publish and subscribe to, so that its login can be used for this agent and nothing else."""
    from vigie.engine.agents.enrolment import check_names
    from vigie.fleet.subjects import permissions as of

    check_names(agent, location)
    found = of(location, agent)
    if output == "json":
        typer.echo(msgspec.json.encode({"publish": found.publish, "subscribe": found.subscribe}).decode())
    elif output == "nsc":
        typer.echo(f"--allow-pub '{','.join(found.publish)}' --allow-sub '{','.join(found.subscribe)}'")
    else:
        lists = [f"  {name}: [\n" + "".join(f'    "{one}"\n' for one in subjects) + "  ]\n" for name, subjects in found._asdict().items()]
        typer.echo("permissions {\n" + "".join(lists) + "}")
