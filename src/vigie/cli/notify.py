"""Send a test notice through one channel or all of them."""

from typing import Annotated

import typer

from vigie.cli.common import ConfigOption, group, need_channels, notes, run, settings, waiting
from vigie.errors import DeliveryError, VigieError

app = group("Channels: send a test notice, marked as such.")


@app.callback()
def _group() -> None:
    """Channels: send a test notice, marked as such."""


@app.command(
    "test",
    epilog=notes("vigie notify test", "vigie notify test mail", status="0 delivered, 1 a channel failed, 3 invalid configuration"),
)
def send_test(
    channel: Annotated[str | None, typer.Argument(metavar="[CHANNEL]", help="Name of the channel; all of them by default.")] = None,
    *,
    config: ConfigOption = None,
) -> None:
    """Send a test notice through one channel, or all of them."""
    from vigie.app import send_test as send
    from vigie.clock import SystemClock

    found = settings(config)
    need_channels(found)
    if channel is not None and channel not in found.channels:
        raise VigieError(f"there is no channel {channel!r}", f"channels: {', '.join(found.channels)}")
    failed = False
    for name in [channel] if channel else found.channels:
        try:
            with waiting(f"sending via {name} …"):
                answer = run(send(found, SystemClock(), name))
            typer.echo(f"{name}: delivered ({answer})")
        except DeliveryError as error:
            failed = True
            typer.echo(f"{name}: FAILED: {error.message}" + (f"\n  Fix: {error.fix}" if error.fix else ""), err=True)
    raise typer.Exit(1 if failed else 0)
