"""What a reader sees of a text in the markup of a provider, and where its words lead."""

import re
from html.parser import HTMLParser

_ESCAPED = re.compile(r"\\([^0-9A-Za-z\s])")
_LINK = re.compile(r"\[([^\[\]]*)\]\(([^()\s]+)\)")
_HIDDEN = "\u2060"


class MalformedError(Exception):
    """A text that the provider refuses."""


def markdown(text: str) -> tuple[str, tuple[str, ...]]:
    """The words and the links of Markdown: what is escaped is a character like any other."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[1])
        return f"\x00{len(kept) - 1}\x01"

    bare = _ESCAPED.sub(keep, text)
    links = tuple(match[2] for match in _LINK.finditer(bare))
    bare = re.sub(r"[*_`~]", "", _LINK.sub(r"\1", bare))
    return re.sub("\x00(\\d+)\x01", lambda match: kept[int(match[1])], bare).replace(_HIDDEN, ""), links


def html(text: str, allowed: frozenset[str]) -> tuple[str, tuple[str, ...]]:
    """The words and the links of HTML of these elements only; raises MalformedError for others, or for one that is not closed."""
    reader = _Reader(allowed)
    reader.feed(text)
    reader.close()
    if reader.open:
        raise MalformedError(f"can't find end tag corresponding to start tag {reader.open[-1]}")
    return reader.text.replace(_HIDDEN, ""), tuple(reader.links)


class _Reader(HTMLParser):
    def __init__(self, allowed: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.allowed, self.text, self.links, self.open = allowed, "", list[str](), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.allowed:
            raise MalformedError(f"unsupported start tag {tag!r}")
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag == "br":
            self.text += "\n"
        else:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise MalformedError(f"unexpected end tag {tag!r}")

    def handle_data(self, data: str) -> None:
        self.text += data
