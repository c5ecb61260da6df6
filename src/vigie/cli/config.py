"""The configuration: check it, print its JSON Schema, show it with secrets masked."""

import json

import typer

from vigie.cli.common import ConfigOption, settings

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="The configuration: check, schema, show.")


@app.command()
def check(*, config: ConfigOption = None) -> None:
    """Validate: every fault at once, with file, line and fix; exit status 3 when there is one."""
    found = settings(config)
    where = found.file or "the environment"
    typer.echo(f"{where} is good: {len(found.monitors)} monitor(s), channels: {', '.join(found.channels) or 'none'}")
    for name in found.missing:
        typer.echo(f"note: {name} is not set; without it no mail can be sent")


@app.command()
def schema() -> None:
    """Print the JSON Schema of vigie.yaml, for editors. Example: vigie config schema > vigie.schema.json."""
    from vigie.config.shown import schema as made

    typer.echo(json.dumps(made(), indent=2, ensure_ascii=False))


@app.command()
def show(*, config: ConfigOption = None) -> None:
    """Show the merged configuration, secrets masked."""
    from vigie.config.shown import shown

    typer.echo(shown(settings(config)))
