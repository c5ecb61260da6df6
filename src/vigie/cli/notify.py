"""Send a marked test notice by one channel or by all."""

from typing import Annotated

import typer

from vigie.cli.common import ConfigOption, need_channels, run, settings
from vigie.errors import DeliveryError, VigieError

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Channels.")


@app.callback()
def _group() -> None:
    """Channels."""


@app.command("test")
def send_test(
    channel: Annotated[str | None, typer.Argument(help="Name of the channel; all when not given.")] = None, *, config: ConfigOption = None
) -> None:
    """Send a marked test notice. Example: vigie notify test mail."""
    from vigie.app import send_test as send
    from vigie.clock import SystemClock

    found = settings(config)
    need_channels(found)
    if channel is not None and channel not in found.channels:
        raise VigieError(f"no channel is called {channel!r}", f"channels: {', '.join(found.channels)}")
    failed = False
    for name in [channel] if channel else found.channels:
        try:
            typer.echo(f"{name}: delivered ({run(send(found, SystemClock(), name))})")
        except DeliveryError as error:
            failed = True
            typer.echo(f"{name}: FAILED: {error.message}" + (f"\n  Fix: {error.fix}" if error.fix else ""), err=True)
    raise typer.Exit(1 if failed else 0)
