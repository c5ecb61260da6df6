"""The two bodies of a mail, equally complete: plain text, and HTML that mail programs show well in light and dark."""

from vigie.core.model import NoticeReason
from vigie.core.report.facts import Message

_RED, _ORANGE, _GREEN, _GREY = "#c2281d", "#a15c00", "#1a7f4b", "#56617a"


def plain(message: Message) -> str:
    """Headline, lines, analysis, facts, footer."""
    parts = [message.headline, "", *message.lines]
    if message.analysis is not None:
        parts += ["", f"{message.analysis_label} :" if message.language == "fr" else f"{message.analysis_label}:"]
        parts += [f"  {sentence}" for sentence in message.analysis.sentences]
    if message.rows:
        parts += ["", *(f"  {row.id:<4} {row.value}" for row in message.rows)]
    parts += [""] * bool(message.links) + [f"{link.label}: {link.url}" for link in message.links]
    return "\n".join([*parts, "", "-- ", message.footer or message.key, ""])


def html(message: Message) -> str:
    """One table, inline styles, no picture and nothing fetched; everything escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(loader=PackageLoader("vigie.notifiers"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return pages.get_template("mail.html.j2").render(message=message, colour=_colour(message))


def _colour(message: Message) -> str:
    if message.reason in (NoticeReason.RECOVERED, NoticeReason.TEST):
        return _GREEN
    if message.reason in (NoticeReason.CLOSED, NoticeReason.REPORT):
        return _GREY
    return _RED if message.severity == "outage" else _ORANGE
