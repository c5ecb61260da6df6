"""Debug pages of frameworks by their structure: title or heading name what was raised, and below are the frames of the stack.

No framework is named here. Documentation and forums that quote a trace have a title, a menu and links of their own.
"""

import re

from vigie.probes.kit.http.page.parse import Page, fold
from vigie.probes.kit.http.page.reasons import status_said
from vigie.probes.kit.http.page.signs import Family, Finding, Where, generic

_TEXT = 30_000
_FRAMES, _PLACES = 3, 2  # where there is a link, and in so many files
_TRACEBACK = "traceback (most recent call last)"  # as a heading
_LINKS = 4  # to other pages: whatever has a menu is a site

# What was raised: a dotted or namespaced name that ends in Error, Exception and their like.
_RAISED = re.compile(
    r"\W{0,4}(?:<?class ')?(?:(?:unhandled|uncaught|fatal|runtime|internal|an?|the|http|server|\d{3}) ){0,3}"
    r"[\w.\\:$]{0,120}?(?:error|exception|fault|panic|notfound|failure|warning|badarg|undefined|interrupt|mismatch|missing|invalid)\b"
    r"(?:'>)?(?: ?[:(@—–|-]| at /| in | while | raised| occurred|$| \(?\d{3}\)?$)"
)
_NAME = re.compile(r"\b[a-z_.\\:]{0,120}(?:error|exception|fault|panic)\b")
_MARKS = (
    "error",
    "exception",
    "fault",
    "panic",
    "traceback",
    "debugger",
    "failure",
    "warning",
)  # looked for first, because it costs little
_TOOLS = re.compile(
    r".{0,60}\b(?:debugger|traceback|stack ?trace|exception caught|server error|internal server error|application error|error handler"
    r"|error has occurred|error occurred|servlet error)\b.{0,60}$"
)
_SOURCE = (
    "py|pyx|rb|erb|haml|slim|rake|ru|pl|pm|psgi|t|cgi|js|mjs|cjs|ts|tsx|jsx|vue|php|phtml|twig|blade|java|kt|scala|groovy|clj|cs|fs|vb|go|rs"
    "|ex|exs|eex|heex|erl|hs|lua|lisp|rkt|ml|swift|dart|cr|nim|cfm|cfc|lucee|asp|aspx|jsp|tpl|mako|html"
)
_FRAME = re.compile(
    rf"(?<![^\s:()'\"<>,=])(?P<file>[^\s:()'\"<>,=]{{1,300}}\.(?:{_SOURCE}))[\"'`)]{{0,2}}"
    r"(?: ?[:,(#] ?(?:line )?\d| (?:(?:on |at |around )?(?:line|l\.):? )?\d| ?,? ?in [\w<>#.$`'(]{1,80})"
    r"|\bat [\w.$<>`\[\],]{1,200} ?\([^()\n]{0,200}\)(?: in (?P<net>[^\n:]{1,300}):line \d)"
    r"|\bline \d{1,6}, column \d{1,4}, in file (?P<lisp>\S{1,300})"
    r"|\b(?P<node>node:[\w/]{2,80}):\d"
    r"|\bmodule (?P<module>[\w.]{3,200}) ?: ?\d{1,6} in "
)


def debug_page(page: Page) -> Finding | None:
    """A framework's report of what was raised, with its frames."""
    said = f"{page.heads}\n{page.lead}"
    if not any(mark in said for mark in _MARKS):
        return None
    if page.landmarks and "nav" in page.landmarks and not page.small and len(page.link_hosts) > 3:
        return None
    where = _raised(page)
    if where is None:
        return None
    text = fold(page.text[:_TEXT])
    frames = {match[0]: match[match.lastgroup or 0] for match in _FRAME.finditer(text)}
    if len(set(frames.values())) < (1 if page.headings[-1:] == (_TRACEBACK,) else _PLACES):
        return None
    outer = {href for node in page.tree.css("a[href]")[:200] if _leads_away(href := node.attrs.get("href") or "")}
    if (
        len(outer) > (_LINKS if len(frames) >= _FRAMES else 1)
        or page.tree.css_first("article, [role=main], main p + p, form input[type=password], .sidebar, aside ul") is not None
    ):
        return None
    return Finding("stack trace of a framework", Family.APPLICATION, where)


def _raised(page: Page) -> Where | None:
    """Where it is said that something was raised: in the title, or in a heading or the first words under a title without a meaning."""
    heads = page.headings[:3]
    head = next((heading for heading in heads if _RAISED.match(heading) or status_said(heading)), None)
    begins = page.beginning[:400]
    if _RAISED.match(page.title) is not None or status_said(page.title) is not None:
        return Where.TITLE if head is not None or _NAME.search(begins) is not None or _open(page) else None
    if _TOOLS.match(page.title) is None and not generic(page.title, page):
        return None
    if head is not None:
        return Where.HEADING
    return Where.TEXT if _open(page) and _NAME.search(begins) is not None else None


def _open(page: Page) -> bool:
    """Whether no heading speaks of anything else."""
    return all(generic(heading, page) or _TOOLS.match(heading) is not None for heading in page.headings[:3])


def _leads_away(href: str) -> bool:
    return href[:1] not in ("#", "") and not href.startswith(
        ("javascript:", "file:", "vscode:", "phpstorm:", "editor:", "idea:", "subl:", "txmt:", "cursor:")
    )
