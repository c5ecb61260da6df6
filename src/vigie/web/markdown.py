"""The part of Markdown that post-incident reports use, as HTML: headings, paragraphs, lists, quotes, tables, emphasis, code.

Whatever is not that stays text: everything is escaped before a tag of ours is put around it, links are not made. Pure.
"""

from collections.abc import Iterator, Sequence
from html import escape

_MARKS = (("**", "strong"), ("*", "em"), ("`", "code"))
_RULE = frozenset("-: ")


def html(text: str) -> str:
    """The blocks of a text."""
    return "\n".join(_blocks(text.splitlines()))


def _blocks(lines: Sequence[str]) -> Iterator[str]:
    at = 0
    while at < len(lines):
        kind = _kind(lines[at])
        end = at + 1
        if kind not in ("", "heading"):
            while end < len(lines) and _kind(lines[end]) == kind:
                end += 1
        if kind:
            yield _block(kind, lines[at:end])
        at = end


def _kind(line: str) -> str:
    bare = line.strip()
    if not bare:
        return ""
    if bare.startswith("#") and bare.lstrip("#")[:1] == " ":
        return "heading"
    if bare.startswith(("- ", "* ")):
        return "list"
    if bare.startswith(">"):
        return "quote"
    return "table" if bare.startswith("|") and bare.endswith("|") and len(bare) > 1 else "paragraph"


def _block(kind: str, lines: Sequence[str]) -> str:
    match kind:
        case "heading":
            bare = lines[0].strip()
            depth = min(len(bare) - len(bare.lstrip("#")), 4) + 1  # the page has a heading of its own above
            return f"<h{depth}>{_inline(bare.lstrip('#').strip())}</h{depth}>"
        case "list":
            return "<ul>" + "".join(f"<li>{_inline(one.strip()[2:])}</li>" for one in lines) + "</ul>"
        case "quote":
            return f"<blockquote>{_inline(' '.join(one.strip().lstrip('>').strip() for one in lines))}</blockquote>"
        case "table":
            rows = [_cells(one) for one in lines]
            return "<table>" + "".join(_row(one) for one in rows if not all(set(cell) <= _RULE for cell in one)) + "</table>"
        case _:
            return f"<p>{_inline(' '.join(one.strip() for one in lines))}</p>"


def _row(cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<td>{_inline(one)}</td>" for one in cells) + "</tr>"


def _cells(line: str) -> list[str]:
    """The cells of a row; a bar after a backslash divides nothing."""
    found, escaped = [""], False
    for character in line.strip()[1:-1]:
        if character == "|" and not escaped:
            found.append("")
        else:
            found[-1] += character
        escaped = character == "\\" and not escaped
    return [one.strip() for one in found]


def _inline(text: str) -> str:
    """Emphasis and code inside a line; a backslash makes a mark plain. A mark that is not closed is text."""
    out, at = "", 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text) and not text[at + 1].isalnum():
            out += escape(text[at + 1])
            at += 2
            continue
        mark = next(((one, tag) for one, tag in _MARKS if text.startswith(one, at)), None)
        end = text.find(mark[0], at + len(mark[0])) if mark else -1
        if mark and end > at + len(mark[0]):
            inner = text[at + len(mark[0]) : end]
            out += f"<{mark[1]}>{escape(inner) if mark[1] == 'code' else _inline(inner)}</{mark[1]}>"
            at = end + len(mark[0])
        else:
            out += escape(text[at])
            at += 1
    return out
