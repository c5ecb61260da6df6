"""The configuration: check it, print its JSON Schema, show it with secrets masked."""

import json

import typer

from vigie.cli.common import ConfigOption, counted, group, notes, settings

app = group("The configuration: check it, print its JSON Schema, show it with secrets masked.")


@app.command(epilog=notes("vigie config check", "vigie config check --config /etc/vigie.yaml", status="0 usable, 3 not"))
def check(*, config: ConfigOption = None) -> None:
    """Validate: every fault at once, with file, line, key and fix."""
    found = settings(config)
    where = found.file or found.base / ".env"
    what = f"{where} is good" if where.exists() else f"no vigie.yaml and no .env in {found.base}: the environment and the defaults are used"
    channels = f"channels: {', '.join(found.channels)}" if found.channels else "no channel, so nobody would be told"
    typer.echo(f"{what}; {counted(len(found.monitors), 'monitor')}, {channels}")
    for fault in found.missing:
        typer.echo(f"note: {fault}")


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
