"""Channels: send a test notice, or preview what would be sent."""

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer

from vigie.cli.common import ConfigOption, group, need_channels, notes, run, settings, waiting
from vigie.errors import DeliveryError, VigieError

if TYPE_CHECKING:
    from vigie.previews import Preview
    from vigie.report.facts import Row

app = group("Channels: send a test notice, or preview what would be sent.")


@app.callback()
def _group() -> None:
    """Channels: send a test notice, or preview what would be sent."""


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
    from vigie.adapters import send_test as send
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


@app.command(
    epilog=notes(
        "vigie notify preview mail",
        "vigie notify preview chat --reason recovered --reason reminder",
        "vigie notify preview chat --format json",
        status="0 shown, 1 a template failed (the standard message would be sent), 3 no such channel or reason, or invalid configuration",
    )
)
def preview(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="Name of the channel.")],
    *,
    config: ConfigOption = None,
    reason: Annotated[
        list[str] | None, typer.Option(help="Why it would be sent: opened, reminder, recovered …; repeatable. By default these three.")
    ] = None,
    format_: Annotated[
        Literal["text", "json"],
        typer.Option("--format", help="Text, or one JSON object a line, with the payload where the channel can show it."),
    ] = "text",
) -> None:
    """Show what a channel would send, in the words of its templates; nothing is sent.

    It is about the newest incident on record, or about a sample where there is none.
    """
    from vigie.clock import SystemClock
    from vigie.core.notification import NoticeReason
    from vigie.previews import SHOWN, previews

    found = settings(config)
    if channel not in found.channels:
        raise VigieError(f"there is no channel {channel!r}", f"channels: {', '.join(found.channels) or 'none'}")
    for name in reason or ():
        if name not in list(NoticeReason):
            raise VigieError(f"there is no reason {name!r}", f"reasons: {', '.join(SHOWN)}")
    wanted = [NoticeReason(name) for name in reason or ("opened", "reminder", "recovered")]
    shown = run(previews(found, SystemClock(), channel, wanted))
    typer.echo("\n".join(map(_json, shown)) if format_ == "json" else "\n\n".join("\n".join(_text(one)) for one in shown))
    for fault in dict.fromkeys(one.fault for one in shown if one.fault):
        typer.echo(f"A template failed: {fault}. The standard message would be sent.", err=True)
    raise typer.Exit(1 if any(one.fault for one in shown) else 0)


def _text(one: "Preview") -> list[str]:
    """A message from top to bottom."""
    message, about = one.message, f"about {one.incident}" if one.incident else "a sample"
    lines = [f"--- {one.reason}, {about}", f"Subject: {message.subject}", "", message.headline, "", *message.lines]
    if message.analysis is not None:
        lines += ["", message.analysis_label, *message.analysis.sentences]
    if message.members is not None:
        rows, more = message.members.rows, message.members.more
        lines += ["", message.members.label, *(f"  {row.value}: {row.label}" for row in rows), *([f"  {more}"] if more else [])]
    if message.rows:
        lines += ["", *(f"{row.id:<4} {row.label}: {row.value}" for row in message.rows)]
    links = [*message.links, *message.actions]
    lines += ["", *(f"{link.label}: {link.url}" for link in links)] if links else []
    return [*lines, "", message.footer]


def _rows(rows: "tuple[Row, ...]") -> list[dict[str, str]]:
    return [{"id": row.id, "label": row.label, "value": row.value} for row in rows]


def _json(one: "Preview") -> str:
    """The contract of `--format json`."""
    message = one.message
    names = ("subject", "headline", "lines", "footer")
    fields = {"reason": one.reason, "incident": one.incident or None, **{name: getattr(message, name) for name in names}}
    fields["facts"] = _rows(message.rows)
    fields["members"] = None if message.members is None else {"rows": _rows(message.members.rows), "more": message.members.more}
    return msgspec.json.encode({**fields, "fault": one.fault or None, "payload": one.payload}).decode()
