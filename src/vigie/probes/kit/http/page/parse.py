"""A page taken apart: where its words stand, what it loads, where it leads, what it hides.

The target writes all of it. Lexbor takes quadratic time in the depth of elements that are never closed and in the attributes of
one element, so what is handed to it is bounded in both, in bytes and in tags; nothing here walks the tree by recursion.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from selectolax.lexbor import LexborCSSSelector, LexborDocumentOptions, LexborHTMLParser, LexborNode, create_tag

from vigie.probes.kit.http.body import text_of

_HEAD_BYTES, _TAIL_BYTES = 524_288, 65_536
_WHOLE = 32_768  # bytes: a page so small holds nothing that costs more than some ten milliseconds
_TAGS, _TAIL_TAGS, _BLOCK, _DEPTH = 6_000, 1_500, 8_192, 1_200
_TAG_BYTES = 12_288  # of names and bare values in one tag: attributes beyond count have no use but to be slow
# A tag as far as it may reach: quotes open after an equals sign only (HTML Standard, 13.2.5.37); it never ends too early.
_TAG = re.compile(rb"<[A-Za-z][^>=]*+(?:=\s*+(?:\"[^\"]*+\"|'[^']*+'|)[^>=]*+)*+")
_QUOTED = re.compile(rb"=\s*+(?:\"[^\"]*+\"|'[^']*+')")
_LEAD, _START, _TAIL, _SAMPLE = 2_000, 200, 200, 512
_SMALL = 2_200  # characters of text: what is shown in place of a page is short, and only then worth a closer look
_SCRIPTS, _FRAMES, _LINKS, _STYLED, _HIDDEN, _ANCHORS = 60, 20, 150, 300, 40, 60
_TEXT, _SHEET = 300, 20_000
_OPTIONS = int(LexborDocumentOptions.WO_EVENTS)
_LANDMARKS = ("header", "nav", "main", "footer", "form", "h1")
_UNSEEN = ("script", "style", "noscript", "template", "textarea")
_NAMES = {create_tag(name).tag_id: name for name in (*_LANDMARKS, *_UNSEEN, "title", "iframe")}
_A, _HEAD = create_tag("a").tag_id, create_tag("head").tag_id
# One for all trees: to make it costs as much as to use it. It holds no tree, and probes share one thread.
_SELECTOR: LexborCSSSelector = LexborCSSSelector()  # type: ignore[no-untyped-call]  # its stub says no types
_IDEOGRAPHS = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
OFFSET = re.compile(r"(?:left|top|right|text-indent|margin-left)\s*:\s*-\d{3,}")
_HIDES = ("none", "hidden", "-", "NONE", ":0", ": 0", ":1px", ": 1px", "#fff", "white")
_FADES = re.compile(r"opacity:0(?:\.0+)?(?:;|!|$)|font-size:1px")
_WHITE = re.compile(r"(?:^|;)color:(?:#fff(?:fff)?|white)\b")
_TINY = re.compile(r"(?:height|width):[01](?:px)?(?:;|!|$)")
_NUMBER = re.compile(r"(?:error |http |erreur |fehler )?\W*\d{3}\W*")
_MARKS = (" .", " ,", " :", " ;", " !", " ?")  # inline elements are set apart by spaces, and French has its own
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gob", "gouv", "gov", "go", "ne", "net", "or", "org"})


# glibc gives the top of its heap back at each release and faults it in anew, a third of the cost of a tree, until a block above
# its first threshold has come and gone (mallopt(3), M_MMAP_THRESHOLD: the threshold then follows). Elsewhere this does nothing.
bytes(1 << 20)


@dataclass(frozen=True, slots=True)
class Frame:
    """An inline frame: where it leads, and how small or hidden it is drawn."""

    src: str
    style: str
    size: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Hidden:
    """What an element that nobody sees links to: (words, URL) of each link."""

    links: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Page:
    """The features of one page. Texts are folded: one line, lower case, straight apostrophes.

    `headings` are its h1, of a small page also its h2 and h3; `topic` is what it calls itself: the first of them, and the next
    one as long as that is a mere number or the host's name. `text` is the visible text as it stands, `lead` its first 2,000
    characters, unless the page is `small` only 200. `links` counts, and `nav_links` counts inside navigation, for small pages
    only (0 in others).
    """

    raw: bytes
    whole: bool  # nothing was left out for being too much
    host: str
    title: str
    headings: tuple[str, ...]
    text: str
    lead: str
    words: int
    small: bool
    landmarks: tuple[str, ...]
    script_hosts: tuple[str, ...]
    link_hosts: tuple[str, ...]
    sheets: tuple[str, ...]  # the text of style sheets in the page
    scripts: tuple[str, ...]  # the text of inline ones
    sources: tuple[str, ...]  # the URLs of the others
    frames: tuple[Frame, ...]
    hidden: tuple[Hidden, ...]
    tree: Any
    links: int = 0
    nav_links: int = 0

    @property
    def topic(self) -> tuple[str, ...]:
        """The headings that say what the page is."""
        for count, heading in enumerate(self.headings, 1):
            if heading.strip(" .:!-") not in ("", self.host) and not _NUMBER.fullmatch(heading):
                return self.headings[:count]
        return self.headings

    @property
    def tail(self) -> str:
        """The last 200 characters of the visible text."""
        return fold(self.text[-_TAIL:])

    @property
    def beginning(self) -> str:
        """The first 2,000 characters of the visible text, whatever the page's size."""
        return self.lead if self.small else fold(self.text[:_LEAD])

    @property
    def heads(self) -> str:
        """Title and headings, a line each."""
        return "\n".join((self.title, *self.headings))


def fold(text: str) -> str:
    """On one line, in lower case, with straight apostrophes and no space before a mark, so that a phrase has one spelling."""
    text = " ".join(text.split()).casefold().replace("’", "'")
    for mark in _MARKS:
        text = text.replace(mark, mark[1])
    return text


def excerpt(body: bytes) -> bytes:
    """As much of a page as may be parsed: all of it, or its beginning and its end."""
    tags = len(body) - len(body.replace(b"<", b"")) if len(body) <= _HEAD_BYTES else _TAGS + 1  # half the time of count()
    if tags <= _DEPTH and len(body) <= _WHOLE:
        return body
    head = _bounded(body[:_HEAD_BYTES], _TAGS)
    if len(head) == len(body):
        return body
    tail = body[max(len(head), len(body) - _TAIL_BYTES) :]
    tail = b"<" + b"<".join(tail.rsplit(b"<", _TAIL_TAGS)[1:])
    return head + _bounded(tail, _TAIL_TAGS)


def _bounded(part: bytes, tags: int) -> bytes:
    """A part cut where it holds too many tags, where too many are open, or where one has too many attributes."""
    depth = seen = 0
    for start in range(0, len(part), _BLOCK):
        block = part[start : start + _BLOCK]
        opened = block.count(b"<")
        depth = max(depth + opened - 2 * block.count(b"</"), 0)
        seen += opened
        if depth > _DEPTH or seen > tags:
            room = max(opened - max(depth - _DEPTH, seen - tags), 0)
            part = part[: start + len(block) - len(block.split(b"<", room)[-1])].removesuffix(b"<")
            break
    if len(part) > _WHOLE:
        for tag in _TAG.finditer(part):
            if tag.end() - tag.start() > _TAG_BYTES and len(_QUOTED.sub(b"", tag[0])) > _TAG_BYTES:
                return part[: tag.start()]
    return part


def source_of(body: bytes, headers: Mapping[str, str]) -> bytes | str:
    """The body as Lexbor takes it: bytes when they are UTF-8 (which chance does not make), else characters."""
    if b"\x1b" not in body:  # ISO-2022 looks like ASCII
        try:
            body.decode()
        except UnicodeDecodeError:
            pass
        else:
            return body
    return text_of(body, headers)


def parse(body: bytes, headers: Mapping[str, str], host: str) -> Page:
    """Read a page that is HTML; `host` is the one it came from."""
    raw = excerpt(body)
    whole = len(raw) == len(body)
    tree = LexborHTMLParser(source_of(raw, headers), options=_OPTIONS, scripting=True)
    found: dict[str, list[LexborNode]] = {}
    names = _NAMES
    for node in [node for node in tree.root.traverse() if node.tag_id in names] if tree.root is not None else ():
        found.setdefault(names[node.tag_id], []).append(node)
    sources, inline = _scripts(found.get("script", ()))
    sheets = tuple([node.text()[:_SHEET] for node in found.get("style", ())[:6]])
    frames = tuple([_frame(node) for node in found.get("iframe", ())[:_FRAMES]])
    title = fold((found["title"][0].text() if "title" in found else "")[:_TEXT])
    headings = tuple([fold(node.text(separator=" ")[:_TEXT]) for node in found.get("h1", ())[:4]])
    site = site_of(host)
    urls, unseen, hidden = _styled_and_linked(tree)
    links = _foreign(urls, site)
    landmarks = tuple([name for name in _LANDMARKS if name in found])
    for name in _UNSEEN:
        for node in found.get(name, ()):
            if node.parent is not None and node.parent.tag_id != _HEAD:
                node.decompose()
    page = Page(
        raw,
        whole,
        host,
        title,
        headings,
        "",
        "",
        0,
        False,
        landmarks,
        _foreign(sources, site),
        links,
        sheets,
        inline,
        sources,
        frames,
        hidden,
        tree,
    )
    _read_text(page, unseen)
    return page


def _read_text(page: Page, unseen: list[LexborNode]) -> None:
    body = page.tree.body
    text = "" if body is None else body.text(separator=" ", skip_empty=True)
    page.small = page.whole and len(text) < _SMALL
    if page.small and body is not None:
        _remove(unseen)
        _remove(page.tree.css("[hidden]"))
        text = body.text(separator=" ", strip=True)
        page.headings = tuple([fold(node.text(separator=" ")[:_TEXT]) for node in page.tree.css("h1,h2,h3")[:6]])
        page.links = len(page.tree.css("a[href]"))
        page.nav_links = len(page.tree.css("nav a[href]"))
    page.text = text
    page.lead = fold(text[: _LEAD if page.small else _START])
    page.words = _words(text)


def _remove(nodes: list[LexborNode]) -> None:
    """Take elements out, inner ones first: to touch one whose parent is gone would be to touch freed memory."""
    for node in reversed(nodes):
        if node.tag not in ("body", "html"):
            node.decompose()


def _words(text: str) -> int:
    """How many words there are; beyond a sample, by its density. Two ideographs count as a word."""
    sample = text[:_SAMPLE]
    count = len(sample.split())
    if not sample.isascii():
        count += len(_IDEOGRAPHS.findall(sample)) // 2
    return count if len(text) <= _SAMPLE else count * len(text) // _SAMPLE


def _scripts(nodes: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    sources, inline = [], []
    for node in nodes[:_SCRIPTS]:
        src = node.attrs.get("src")
        if src:
            sources.append(src)
        elif "json" not in (node.attrs.get("type") or "") and (text := node.text()):
            inline.append(text)
    return tuple(sources), tuple(inline)


def _frame(node: LexborNode) -> Frame:
    given = node.attributes
    return Frame(given.get("src") or "", _style(given.get("style")), (given.get("width") or "", given.get("height") or ""))


def _style(text: str | None) -> str:
    return "".join((text or "").lower().split())


def _styled_and_linked(tree: LexborHTMLParser) -> tuple[list[str], list[LexborNode], tuple[Hidden, ...]]:
    """The URLs of links with a host, the elements that are not drawn at all, and what the hidden ones link to."""
    urls: list[str] = []
    gone: list[LexborNode] = []
    hidden: list[Hidden] = []
    alone: list[Hidden] = []
    styled = 0
    for node in _SELECTOR.find('[style],a[href*="//"]', tree.root) if tree.root is not None else ():
        given = node.attrs
        if node.tag_id == _A and len(urls) < _LINKS and (href := given.get("href")) and "//" in href:
            urls.append(href)
        style = given.get("style")
        if style and styled < _STYLED and any(sign in style for sign in _HIDES):
            styled += 1
            style = _style(style)
            if conceals(style):
                gone.append(node)
            if len(hidden) < _HIDDEN and (conceals(style) or _fades(style)):
                anchors = node.css("a[href]")
                (hidden if len(anchors) > 1 else alone).extend([Hidden(links_of(anchors))] if anchors else [])
    if len(alone) > 1:
        hidden.append(Hidden(tuple([link for one in alone[:_ANCHORS] for link in one.links])))
    return urls, gone, tuple(hidden)


def _fades(style: str) -> bool:
    """Whether a style draws an element as good as invisible: without size or colour, or white where no background follows."""
    return _FADES.search(style) is not None or _WHITE.search(style, max(style.rfind("background"), 0)) is not None


def conceals(style: str) -> bool:
    """Whether a style (lower case, without spaces) draws an element where nobody sees it."""
    return (
        "display:none" in style
        or "visibility:hidden" in style
        or OFFSET.search(style) is not None
        or ("overflow:hidden" in style and _TINY.search(style) is not None)
        or "font-size:0" in style
    )


def links_of(anchors: list[LexborNode]) -> tuple[tuple[str, str], ...]:
    """(words, URL) of links."""
    return tuple([(fold(node.text()[:_TEXT]), node.attrs.get("href") or "") for node in anchors[:_ANCHORS]])


def _foreign(urls: Any, site: str) -> tuple[str, ...]:
    hosts = {host_in(url) for url in urls if url and "//" in url}
    return tuple(sorted([host for host in hosts if host and site_of(host) != site]))


def host_in(url: str) -> str:
    """The host of an absolute or scheme-relative URL in lower case, else an empty text."""
    start = url.find("//")
    if start < 0 or start > 8 or (start and url[start - 1] != ":"):
        return ""
    rest = url[start + 2 : start + 262]
    for stop in "/?#\\":
        rest = rest.partition(stop)[0]
    return rest.rpartition("@")[2].partition(":")[0].strip(". \t\r\n").lower()


def site_of(host: str) -> str:
    """The part of a host that one owner holds, roughly: its last two labels, three under `co.uk` and its like."""
    labels = host.rsplit(".", 3)
    if len(labels) < 3 or labels[-1].isdigit():
        return host
    deep = len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3:] if deep else labels[-2:])


def path_of(url: str) -> str:
    """The path of a URL, lower case; empty for an invalid URL."""
    try:
        return urlsplit(url).path.lower()
    except ValueError:
        return ""
