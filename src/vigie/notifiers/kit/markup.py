"""A message as one text in a provider's own way of writing what stands out, every foreign text escaped, as much of it as fits.

Of what does not fit the last facts go first, then sentences of the analysis, then lines; the headline, the links and the footer stay.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

from vigie.notifiers.kit.text import cut, flat, some
from vigie.report.facts import Message

_LINE = 500
_ROWS = 8
_DROPPED_FIRST = (2, 1, 0, 3)
_INVISIBLE = "\u2060"
_AT = re.compile(r"(?<![A-Za-z0-9])@(?=[^\W_])")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~])")


@dataclass(frozen=True, slots=True)
class Markup:
    """How a provider writes what stands out, `{}` being the text, already escaped; `link` takes an address and an escaped label."""

    escape: Callable[[str], str]
    headline: str = ""
    quiet: str = "{}"
    id: str = "{}"
    link: Callable[[str, str], str] | None = None


def of_html(text: str) -> str:
    """For HTML, inside attributes as well."""
    return html.escape(unpinged(text), quote=True)


def of_markdown(text: str) -> str:
    """For Markdown: every character that could mean something is escaped, as CommonMark has it (§2.4 Backslash escapes)."""
    return _MARKDOWN.sub(r"\\\1", unpinged(text))


def html_link(url: str, label: str) -> str:
    """`<a href=…>`."""
    return f'<a href="{html.escape(url)}">{label}</a>'


def markdown_link(url: str, label: str) -> str:
    """`[…](…)`; parentheses would end the address."""
    return f"[{label}]({url.replace('(', '%28').replace(')', '%29')})"


def unpinged(text: str) -> str:
    """The text without names that a provider would notify: after an @ that begins a word stands a character that nobody sees."""
    return _AT.sub(f"@{_INVISIBLE}", text)


def written(message: Message, markup: Markup, limit: int, size: Callable[[str], int] = len) -> str:
    """The whole message, or what fits, in lines; at most `limit` in the units of `size`. The message is clean."""
    sentences = message.analysis.sentences if message.analysis is not None else ()
    counts = [len(message.lines), len(sentences), min(len(message.rows), _ROWS), len(message.links)]
    while size(text := "\n".join(_lines(message, markup, *counts))) > limit and any(counts):
        counts[next(number for number in _DROPPED_FIRST if counts[number])] -= 1
    return text


def _lines(message: Message, markup: Markup, lines: int, sentences: int, rows: int, links: int) -> list[str]:
    """The lines of the text, of each list so many."""

    def one(text: str) -> str:
        return markup.escape(flat(text, _LINE))

    found = [markup.headline.format(one(message.headline))] if markup.headline else []
    shown, more = some(message.lines, lines)
    found += map(one, filter(None, (*shown, more)))
    if message.analysis is not None and sentences:
        shown, more = some(message.analysis.sentences, sentences)
        found += ["", markup.quiet.format(one(message.analysis_label)), *map(one, filter(None, (*shown, more)))]
    table, more = some(message.rows, rows)
    facts = [f"{markup.id.format(one(row.id))} {one(row.value)}" if row.id else one(row.value) for row in table]
    found += [*([""] if facts else []), *facts, *map(one, filter(None, (more,)))]
    if markup.link is not None and links:
        found += ["", " · ".join(markup.link(link.url, one(link.label)) for link in message.links[:links])]
    return [*found, "", markup.quiet.format(one(message.footer))]


def fitted(text: str, escape: Callable[[str], str], limit: int, size: Callable[[str], int] = len) -> str:
    """One text, escaped, cut before so that it fits."""
    length = len(text)
    while size(found := escape(cut(text, length))) > limit and length > 1:
        length -= max(1, length // 10)
    return found
