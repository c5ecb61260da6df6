"""Write a backup: the database, the state directory and the configuration file, while `vigie serve` goes on."""

import time
from pathlib import Path
from typing import Annotated

import typer

from vigie.cli.common import ConfigOption, command, notes, progress, settings
from vigie.text.formatting import byte_size

app = command()


@app.command(epilog=notes("vigie backup /backups/vigie.tar.gz", "vigie backup vigie.tar --force", status="0 written, 3 not written"))
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; packed where the name ends in `.gz`.")],
    *,
    config: ConfigOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
) -> None:
    """Write a backup to one file, for this user alone. `.env` is not in it: keep its passwords elsewhere."""
    from vigie.backups import back_up

    made = back_up(settings(config), file, round(time.time() * 1000), progress, force=force)
    size = byte_size(file.stat().st_size, "en")
    typer.echo(f"{file}: {size}, {len(made.members)} files, read back and whole (schema {made.schema}, Vigie {made.version})")
    typer.echo("Not in it: .env. To use it: vigie restore FILE")
