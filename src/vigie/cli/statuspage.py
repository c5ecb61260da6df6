"""Status pages as files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from vigie.cli.common import ConfigOption, counted, group, notes, opened, run, settings
from vigie.config import Desired
from vigie.errors import VigieError
from vigie.report.public_page import PublicPage
from vigie.report.status_page import StatusPage

app = group("Status pages: what others see of the monitors that you choose.")


@app.command("list", epilog=notes("vigie statuspage list"))
def list_(*, config: ConfigOption = None) -> None:
    """List the status pages of the configuration: name, who may see it, where it is, and how many services are on it."""
    found = settings(config)
    rows = [
        (one.name, "public" if one.public else "private", one.url or one.path, counted(len(one.monitors), "monitor"))
        for one in found.status_pages
    ]
    if not rows:
        typer.echo("There is no status page. Add `status_pages:` to the configuration.")
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@app.command(epilog=notes("vigie statuspage export /var/www/status --page public", "vigie statuspage export site"))
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files are written; made if missing.")],
    *,
    config: ConfigOption = None,
    page: Annotated[
        str | None, typer.Option(help="Name of one page, written into DIR itself; by default each public page has a folder.")
    ] = None,
) -> None:
    """Write status pages as files that need no server: HTML in both languages, feeds, badges, JSON.

    They show what the database holds now, whether `vigie serve` runs or not. Links are relative.
    """
    found = settings(config)
    chosen = _chosen(found, page)
    made = run(_public(found, chosen))
    for public in made:
        where = folder if page is not None else folder / public.page.name
        count = _write(where, public)
        typer.echo(f"{public.page.name}: {count} files in {where}")


def _chosen(found: Desired, page: str | None) -> list[StatusPage]:
    """The page that is named, or every public one. Raises VigieError."""
    if page is None:
        chosen = [one for one in found.status_pages if one.public]
        if not chosen:
            why = "every page is private; name one with --page" if found.status_pages else "add `status_pages:` to the configuration"
            raise VigieError("there is no public status page", why)
        return chosen
    named = [one for one in found.status_pages if one.name == page]
    if not named:
        known = ", ".join(one.name for one in found.status_pages)
        raise VigieError(
            f"there is no status page {page!r}", f"status pages: {known}" if known else "add `status_pages:` to the configuration"
        )
    return named


async def _public(found: Desired, chosen: Sequence[StatusPage]) -> list[PublicPage]:
    from vigie.clock import SystemClock
    from vigie.publishing import stored

    async with opened(found) as store:
        queries = await stored(found, store, SystemClock())
        return [public for one in chosen if (public := await queries.public(one.name)) is not None]


def _write(folder: Path, public: PublicPage) -> int:
    """Each file whole or not at all; how many there are. Raises VigieError."""
    from vigie.web.page import templates
    from vigie.web.status.export import files

    count = 0
    try:
        for name, content in files(templates(), public):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{target.name}.part")
            part.write_bytes(content)
            part.replace(target)
            count += 1
    except OSError as error:
        raise VigieError(f"{folder} cannot be written: {error.strerror or error}", "name a directory that you may write to") from error
    return count
