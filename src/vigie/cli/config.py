"""Check the configuration, print its JSON Schema, or show it with secrets masked."""

import json

import typer

from vigie.cli.common import NO_ALERTS, ConfigOption, counted, exposed, group, notes, settings, unsendable

app = group("Check the configuration, print its JSON Schema, or show it with secrets masked.")


@app.command(epilog=notes("vigie config check", "vigie config check --config /etc/vigie.yaml", status="0 valid, 3 invalid"))
def check(*, config: ConfigOption = None) -> None:
    """Validate it: every error at once, with file, line, key and fix."""
    found = settings(config)
    where = found.file or found.base / ".env"
    what = f"{where} is valid" if where.exists() else f"no vigie.yaml and no .env in {found.base}: using the environment and the defaults"
    channels = f"channels: {', '.join(found.channels)}" if found.channels else "no channel"
    typer.echo(f"{what}; {counted(len(found.monitors), 'monitor')}, {channels}")
    for fault in unsendable(found):
        typer.echo(f"{NO_ALERTS}: {fault}")
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
