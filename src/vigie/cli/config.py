"""Check the configuration, print its JSON Schema, or show it with secrets masked."""

import json
from typing import Annotated

import typer

from vigie.cli.common import NO_ALERTS, ConfigOption, counted, exposed, group, grouped, joined, notes, settings, unsendable
from vigie.errors import ConfigError

app = group("Check the configuration, print its JSON Schema, or show it with secrets masked.")


@app.command(
    epilog=notes(
        "vigie config check",
        "vigie config check --config /etc/vigie.yaml",
        "vigie config check --syntax-only            (where the file is written, not where it is used)",
        status="0 valid, 3 invalid, or a monitor or channel that cannot work on this machine",
    )
)
def check(
    *,
    config: ConfigOption = None,
    syntax_only: Annotated[
        bool, typer.Option("--syntax-only", help="Read the file alone: do not look for the files and programs that it names.")
    ] = False,
) -> None:
    """Validate it, and what it needs on this machine: every error at once, with file, line, key and fix."""
    found = settings(config, verify=not syntax_only)
    if found.problems:
        raise ConfigError([*joined(found.problems)])
    where = found.file or found.base / ".env"
    what = f"{where} is valid" if where.exists() else f"no vigie.yaml and no .env in {found.base}: using the environment and the defaults"
    channels = f"channels: {', '.join(found.channels)}" if found.channels else "no channel"
    typer.echo(f"{what}; {counted(len(found.monitors), 'monitor')}, {channels}")
    for fault in unsendable(found):
        typer.echo(f"{NO_ALERTS}: {fault}")
    for doubt in grouped(found.doubts):
        typer.echo(f"warning: {doubt}")
    if (readable := exposed(found)) is not None:
        typer.echo(f"note: {readable}")
    for fault in found.warnings:
        typer.echo(f"warning: {fault}")


@app.command(epilog=notes("vigie config schema > vigie.schema.json"))
def schema() -> None:
    """Print the JSON Schema of vigie.yaml, for editors."""
    from vigie.config.shown import schema as made

    typer.echo(json.dumps(made(), indent=2, ensure_ascii=False))


@app.command(epilog=notes("vigie config show | less"))
def show(*, config: ConfigOption = None) -> None:
    """Show the merged configuration as JSON: every default written out, secrets masked."""
    from vigie.config.shown import shown

    typer.echo(shown(settings(config)))
