"""The store: copy it to one of another kind."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from vigie.cli.common import group, notes

app = group("The store: copy it to one of another kind.")


@app.callback()
def _store() -> None:
    """A group, also while it has one command."""


@app.command(
    epilog=notes(
        "vigie store copy vigie.db 'postgresql://vigie@db.example.org/vigie'",
        "vigie store copy 'postgresql://vigie@db.example.org/vigie?sslmode=verify-full' vigie.db",
        "vigie store copy --replace vigie.db postgresql://localhost/vigie",
        status="0 copied and compared, 3 not",
    )
)
def copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="The store that is read: a path, or a URL as in `store:`.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The store that is written; made where there is none.")],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Delete what the target holds.")] = False,
) -> None:
    """Copy everything from one store to another, table by table, and compare both: history, incidents, notices, accounts.

    Stop `vigie serve` on both first. A copy that was interrupted goes on when the same command is given again; until it is whole,
    nobody can work on the target. Pictures of failures and keys are in the state directory, and are not copied. A password is best
    given by PGPASSWORD or ~/.pgpass.
    """
    from vigie.transfer import copy_store

    made = copy_store(source, target, Path.cwd(), _progress, replace=replace)
    rows = sum(made.rows.values())
    typer.echo(f"{made.target}: {rows} rows in {len(made.rows)} tables, the same as in {made.source}")
    typer.echo("Next: write the new address as `store:` in vigie.yaml, and start `vigie serve`.")


def _progress(table: str, what: str, done: int, whole: int) -> None:
    """A line on a terminal that says how far a table is; nothing elsewhere."""
    if sys.stderr.isatty() and whole:
        over = what == "compared" and done == whole
        sys.stderr.write(f"\r\x1b[2K{table}: {done} of {whole} rows {what}" if not over else f"\r\x1b[2K{table}: {whole // 2} rows\n")
        sys.stderr.flush()
