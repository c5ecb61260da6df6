"""A message as one text in a provider's own way of writing what stands out, every foreign text escaped, as much of it as fits.

Of what does not fit the last facts go first, then sentences of the analysis, then lines; the headline, the links and the footer stay.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

from vigie.notifiers.kit.text import cut, flat
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

    def one(text: str) -> str:
        return markup.escape(flat(text, _LINE))

    analysis, rows = message.analysis, message.rows[:_ROWS]
    lines = list(map(one, filter(None, message.lines)))
    said = list(map(one, filter(None, analysis.sentences))) if analysis is not None else []
    facts = [f"{markup.id.format(one(row.id))} {one(row.value)}" if row.id else one(row.value) for row in rows]
    links = [markup.link(link.url, one(link.label)) for link in message.links] if markup.link is not None else []
    headline = [markup.headline.format(one(message.headline))] if markup.headline else []
    label, footer = markup.quiet.format(one(message.analysis_label)), markup.quiet.format(one(message.footer))
    counts = [len(lines), len(said), len(facts), len(links)]

    def text() -> str:
        parts = (
            [*headline, *_some(lines, counts[0], len(lines))],
            [label, *_some(said, counts[1], len(said))] if counts[1] else [],
            _some(facts, counts[2], len(message.rows)),
            [" · ".join(links[: counts[3]])] if counts[3] else [],
            [footer],
        )
        return "\n\n".join("\n".join(part) for part in parts if part)

    while size(found := text()) > limit and any(counts):
        counts[next(number for number in _DROPPED_FIRST if counts[number])] -= 1
    return found


def _some(items: list[str], shown: int, of: int) -> list[str]:
    """The first ones, and `… +3` when three of all are left out."""
    return [*items[:shown], *([f"… +{of - shown}"] if of > shown else [])]


def fitted(text: str, escape: Callable[[str], str], limit: int, size: Callable[[str], int] = len) -> str:
    """One text, escaped, cut before so that it fits."""
    length = len(text)
    while size(found := escape(cut(text, length))) > limit and length > 1:
        length -= max(1, length // 10)
    return found
