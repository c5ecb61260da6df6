"""Put a backup into place: the database and the state directory, and the configuration file where there is none."""

from pathlib import Path
from typing import Annotated

import typer

from vigie.cli.common import ConfigOption, command, notes, progress
from vigie.errors import ConfigError
from vigie.text.formatting import timestamp

app = command()


@app.command(
    epilog=notes("vigie restore /backups/vigie.tar.gz", "vigie restore vigie.tar.gz --force", status="0 restored, 3 nothing was changed")
)
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `vigie backup` wrote.")],
    *,
    config: ConfigOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the database that is there; it is kept beside the restored one.")] = False,
) -> None:
    """Put a backup into place. `vigie serve` must not be running; everything is checked before anything changes."""
    import os
    from datetime import UTC

    from vigie import backups
    from vigie.config import find, load

    path = find(config, os.environ, Path.cwd()) or Path.cwd() / "vigie.yaml"
    backups.contents_of(file)
    if not path.exists() and backups.write_configuration(file, path):
        typer.echo(f"{path}: written from the backup")
    try:
        found = load(path if path.exists() else None, os.environ, Path.cwd(), stored=())
    except ConfigError as error:
        raise ConfigError(error.faults, "nothing was restored: the configuration is invalid; is its .env here") from error
    done = backups.restore(found, file, progress, force=force)
    typer.echo(f"{done.database}: as of {timestamp(done.contents.at, UTC)} (schema {done.contents.schema}, Vigie {done.contents.version})")
    if done.kept is not None:
        typer.echo(f"The database that was there is kept as {done.kept}")
    for left in done.left:
        typer.echo(f"{left} differs from the one in the backup and was left as it is")
