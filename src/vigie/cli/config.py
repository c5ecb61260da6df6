"""Check the configuration, print its JSON Schema, show it, export it, or say what another one would change."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from vigie.cli.common import NO_ALERTS, ConfigOption, counted, exposed, group, grouped, joined, notes, settings, unsendable
from vigie.config import Desired
from vigie.errors import ConfigError

app = group("Check the configuration, print its JSON Schema, show it, export it, or say what another one would change.")


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
    for fault in (*found.warnings, *found.left_out):
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


@app.command(
    epilog=notes(
        "vigie config export > everything.yaml",
        "vigie config export --secrets made.env > everything.yaml   (then move its lines to .env)",
    )
)
def export(
    *,
    config: ConfigOption = None,
    secrets: Annotated[
        Path | None, typer.Option(help="Write the secrets that were given to pages or the API to this file, in the form of .env.")
    ] = None,
) -> None:
    """Print everything as YAML that can be read back: the file, with what pages and the API made in its place in it.

    Variables stay `${NAME}`. A secret that was given to a page or the API becomes a variable; its name is said on standard error.
    """
    from vigie.config.export import as_env, exported

    found = settings(config)
    text = None if found.file is None else found.file.read_text(encoding="utf-8-sig")
    yaml, values = exported(text, found.entries)
    typer.echo(yaml, nl=False)
    if secrets is not None:
        _write_private(secrets, as_env(values))
    elif values:
        typer.echo(f"set these in .env before you use it (--secrets FILE writes them): {', '.join(values)}", err=True)


def _write_private(path: Path, text: str) -> None:
    from vigie.errors import VigieError

    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise VigieError(f"{path} cannot be written: {error.strerror}", "name a file that is not there yet") from error


@app.command(
    epilog=notes(
        "vigie config diff                      (what a reload would change)",
        "vigie config diff new.yaml && echo same",
        status="0 nothing would change, 1 something would, 3 one of them is invalid",
    )
)
def diff(
    file: Annotated[
        Path | None, typer.Argument(help="Another configuration; by default the file as it is now, compared with what is in force.")
    ] = None,
    *,
    config: ConfigOption = None,
) -> None:
    """Say what applying a configuration would change: what is added, removed, and which keys of what are changed.

    What pages and the API made stays beside either. Without FILE the comparison is with what `vigie serve` last put into force; secrets
    are not compared then.
    """
    from vigie.config import load
    from vigie.config.compared import differences, secrets_changed, values_of

    found = settings(config)
    if file is None:
        lines = list(differences(_applied(found), values_of(found)))
    else:
        stored = [one.stored for one in found.entries if one.stored is not None]
        other = load(file, os.environ, Path.cwd(), stored=stored)
        lines = [*differences(values_of(found), values_of(other)), *secrets_changed(found, other)]
        lines += [f"! {fault}" for fault in other.left_out if fault not in found.left_out]
    for line in lines:
        typer.echo(line)
    if lines:
        raise typer.Exit(1)


def _applied(found: Desired) -> dict[str, object]:
    """What is in force, as `vigie serve` noted it. Raises VigieError where none did."""
    from vigie.adapters import state_of
    from vigie.errors import VigieError

    applied = state_of(found).applied()
    if applied is None:
        raise VigieError("nothing is known to be in force here", "name a file to compare with, or start `vigie serve`")
    return applied
