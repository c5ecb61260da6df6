"""A message as plain text, for services that know no layout: the most important first, as much as there is room for."""

from collections.abc import Callable, Iterator

from vigie.notifiers.kit.text import cut
from vigie.report.facts import Message

_MORE = "…"


def plain(message: Message, limit: int, size: Callable[[str], int] = len) -> str:
    """All of a clean message but its headline, in at most `limit` characters, or what `size` counts: whole lines, and `…` for the rest."""
    text = ""
    for line in _lines(message):
        longer = f"{text}\n{line}" if text else line
        if size(longer) > limit - size(f"\n{_MORE}"):
            return f"{text.rstrip()}\n{_MORE}" if text else cut(line, limit, size)
        text = longer
    return text


def _lines(message: Message) -> Iterator[str]:
    yield from message.lines
    if message.analysis is not None:
        yield ""
        yield message.analysis_label
        yield from message.analysis.sentences
    if message.links:
        yield ""
        yield from (f"{link.label}: {link.url}" for link in message.links)
    yield ""
    yield message.footer
    if message.rows:
        yield ""
        yield from (f"{row.label}: {row.value}" for row in message.rows)
