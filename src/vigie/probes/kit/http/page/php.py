"""PHP's own words inside a page: messages in the fixed form of its html_errors, and phpinfo().

The form is `<br />`, a line break, the kind in bold, a colon and two spaces, the message, the file and the line in bold (php_error_cb in
main/main.c). A page about such messages shows them in a frame for code, or without that markup.
"""

import re

from vigie.probes.kit.http.page.parse import Page
from vigie.probes.kit.http.page.signs import Family, Finding, Where

_OPENS = (b"<br />\n<b>", b"<br>\n<b>", b"<br />\r\n<b>")
_MESSAGE = re.compile(
    rb"<br ?/?>\r?\n<b>(?:PHP )?(?P<kind>Fatal error|Parse error|Recoverable fatal error|Catchable fatal error|Core error|Compile error|Warning"
    rb"|Notice|Deprecated|Strict Standards|Core warning|Compile warning|User error|User warning)</b>:  ?"
    rb"[^\x00]{1,4000}? in <b>[^<>\r\n]{1,400}</b> on line <b>\d{1,6}</b>"
)
_FATAL = (b"Fatal error", b"Parse error", b"Recoverable fatal error", b"Catchable fatal error", b"Core error", b"Compile error")
_PLAIN = re.compile(
    rb"\s{0,20}(?:PHP )?(?:Warning|Notice|Deprecated|Strict Standards):  ?[^\r\n<]{1,600} in (?:/|[A-Za-z]:\\)[^\r\n< ]{1,400} on line \d{1,6}\s"
)
# Without html_errors: a line of its own, after what was closed before it.
_LINE = re.compile(
    rb"</(?:p|div|main|header|footer|nav|ul|ol|li|h[1-6]|table|section|title|head|style|script|form)>\r?\n"
    rb"(?P<kind>Fatal error|Parse error|Warning|Notice|Deprecated): (?:Uncaught [^<]{1,2000}?thrown|[^\r\n<]{1,600}) in (?:/|[A-Z]:\\)[^\r\n< ]{1,400} on line \d{1,6}\r?\n"
)
_SEARCHED = 262_144
_XDEBUG = re.compile(rb"<font size='1'><table class='xdebug-error xe-([a-z-]{1,30})'")
_QUOTES = (
    (b"<pre", b"</pre"),
    (b"<code", b"</code"),
    (b"<textarea", b"</textarea"),
    (b"<!--", b"-->"),
    (b"<script", b"</script"),
    (b"<xmp", b"</xmp"),
)
_TRIES = 8
_ALONE = 60  # words: a page of fewer is little more than the message


def shown(page: Page) -> Finding | None:
    """A message of PHP as PHP printed it into the page."""
    raw = page.raw
    if " on line " not in page.text:  # shorter than the markup
        return None
    for opening in _OPENS:
        at = raw.find(opening)
        tries = 0
        while at >= 0 and tries < _TRIES:
            match = _MESSAGE.match(raw, at)
            if match is not None and not _quoted(raw, at):
                return _finding(page, match["kind"])
            at, tries = raw.find(opening, at + len(opening)), tries + 1
    if b"xdebug-error xe-" in raw and (table := _XDEBUG.search(raw)) is not None and not _quoted(raw, table.start()):
        return _finding(page, b"Fatal error" if table[1] in (b"fatal-error", b"parse-error", b"uncaught-exception") else b"Warning")
    if (match := _LINE.search(raw, 0, _SEARCHED)) is not None and not _quoted(raw, match.start()):
        return _finding(page, match["kind"])
    if b" on line " in raw[:1_200] and _PLAIN.match(raw) is not None:
        return _finding(page, b"Warning")
    return None


def _finding(page: Page, kind: bytes) -> Finding:
    """A fatal error ends the page; after a warning it goes on, and is then a page with a stain."""
    if kind in _FATAL:
        return Finding("PHP fatal error", Family.APPLICATION, Where.MARKUP)
    return Finding("PHP message", Family.APPLICATION, Where.MARKUP, beside=page.words > _ALONE)


def _quoted(raw: bytes, at: int) -> bool:
    """Whether a place in the markup lies in what shows text as it is."""
    before = raw[max(at - 65_536, 0) : at].lower()
    return any(before.rfind(opens) > before.rfind(closes) for opens, closes in _QUOTES)
