"""The two bodies of a mail, equally complete: plain text, and HTML that mail programs show well in light and dark."""

import re
from functools import cache
from typing import Any

from vigie.notifiers.kit.text import Tone, tone
from vigie.report.facts import Link, Message

# Edge and tint of the headline: each readable with the text colour of its scheme (checked in both by eye).
_COLOURS = {Tone.BAD: "#d92d20", Tone.WARNING: "#dc6803", Tone.GOOD: "#17934f", Tone.NEUTRAL: "#667085"}
# Where a line must not break: before French double punctuation, between a number and its unit, inside `[F1, F2]`.
_KEPT = re.compile(r" (?=[:;?!»])|(?<=«) |(?<=,) (?=F\d)|(?<=\d) (?=(?:ms|s|min|h|j|d)\b)")
_WIDEST = 20  # of the column of kinds, in characters


def plain(message: Message) -> str:
    """Headline, lines, actions, analysis, services, facts, links, footer of a clean message."""
    parts = [message.headline, "", *message.lines]
    if message.actions:
        parts += ["", *(f"{link.label}{_colon(message)} {link.url}" for link in message.actions)]
    if message.analysis is not None:
        parts += ["", f"{message.analysis_label}{_colon(message)}"]
        parts += [f"  {sentence}" for sentence in message.analysis.sentences]
    if message.members is not None:
        parts += ["", f"{message.members.label}{_colon(message)}"]
        parts += [f"  {row.value}{_colon(message)} {row.label}" for row in message.members.rows]
        parts += [f"  {message.members.more}"] if message.members.more else []
    if message.rows:
        width = min(max(len(row.label) for row in message.rows), _WIDEST)
        ids = max(4, *(len(row.id) for row in message.rows))
        parts += ["", *(f"  {row.id:<{ids}} {row.label:<{width}}  {row.value}" for row in message.rows)]
    if links := _beside(message):
        parts += ["", *(f"{link.label}{_colon(message)} {link.url}" for link in links)]
    return "\n".join([*parts, "", "-- ", message.footer, ""])


def _beside(message: Message) -> list[Link]:
    """The links that are not buttons."""
    return [link for link in message.links if link not in message.actions]


def _colon(message: Message) -> str:
    """French sets a space before a colon."""
    return " :" if message.language == "fr" else ":"


def html(message: Message) -> str:
    """Tables, inline styles, no picture and nothing fetched; everything escaped. Below 40 KB however many services it is about."""
    return str(
        _template().render(
            message=message, links=_beside(message), colour=_COLOURS[tone(message)], kept=lambda text: _KEPT.sub("\u00a0", text)
        )
    )


def preload() -> None:
    """Read the template."""
    _template()


@cache
def _template() -> Any:
    """Compiled once; never changes while the program runs."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(loader=PackageLoader("vigie.notifiers"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return pages.get_template("mail.html.j2")
