"""The verdict on a page: what is shown in its place, or None for a page that is simply itself.

Three questions, each only where the page's structure lets it arise:
a known page (tables of signs, each bound to title, heading, markup and size); a page that says one thing in its title or heading
and explains it in its text, and has no matter of its own (phrases); a text that is mostly a machine's message.
"""

import re
from collections.abc import Mapping

from vigie.probes.kit.http.page import debug, frameworks, hosting, listing, messages, php, plain, reasons, servers, tamper, walls
from vigie.probes.kit.http.page.parse import Page, fold
from vigie.probes.kit.http.page.phrases import MAINTENANCE, TROUBLES, Phrases
from vigie.probes.kit.http.page.signs import Family, Finding, Where, first, generic
from vigie.probes.kit.http.page.vacant import SUSPENDED, UNPUBLISHED, VACANT

_KNOWN = (*frameworks.PAGES, *servers.ERRORS, *servers.DEFAULTS, *hosting.SITES, *hosting.DOMAINS)
_LARGER = tuple([sign for sign in _KNOWN if sign.words > 300])  # the pages that need not be short
_MEDIUM = 8_000  # characters of text
_BARE_WORDS, _BARE_LINKS, _NAV_LINKS = 160, 6, 3
_REST = 12  # words that a page may have beside its heading without a word of explanation
_HALF = 9  # the same where only title or heading says it; none where a heading says something else
_START = 120  # characters of a text in which a page without title and heading says what it is
_SOON = 120  # characters after the heading by which an explanation has begun, and in the first two sentences
_SENTENCE = re.compile(r"[.!?](?= |$)|[。！？]")
_FRAMED_WORDS = 45
_COVER = 0.6
_SEPARATORS = re.compile(r" [|–—·:»›-]++ | ?[|·»›] ?")  # not a colon: what follows one is the same sentence
_EDGES = " .!?¡¿…:;,-–—|()[]\"'«»“”„‚‘#*>_/\\"
_CODE = re.compile(r"^(?:http|error|erreur|fehler|errore|erro|fout|status|ошибка|错误)?[ :#-]*[1-5]\d\d\b[ :.,-]*")
_STATUS_PAGE = re.compile(
    r"\b(?:all systems|operational|incident history|past incidents|previous incidents|uptime|subscribe to updates|major outage)\b"
)
_OWN_MATTER = ("pre", "code", "table", "blockquote", "article p + p")


def judge(page: Page, headers: Mapping[str, str]) -> Finding | None:
    """What is wrong with a page that came with a good status."""
    heads = page.heads
    places = f"{heads}\n{page.lead[:200]}"
    return (
        walls.by_header(headers)
        or first(frameworks.LONG, page, places)
        or messages.at_an_end(page)
        or php.shown(page)
        or listing.listing(page)
        or debug.debug_page(page)
        or tamper.judge(page)
        or (_small(page, heads) if page.small else _medium(page, places) if len(page.text) < _MEDIUM else None)
    )


def grounds(page: Page, headers: Mapping[str, str]) -> int:
    """A hash of all that the verdict on a large page depends on: while it stays, so does the verdict. 0 for a small page."""
    if page.small:
        return 0
    shown = (page.title, page.headings, page.lead, page.text[-200:], page.link_hosts, walls.by_header(headers) is None)
    return hash((*shown, page.scripts, page.sources, page.sheets, page.frames, page.hidden)) or 1


def wall(page: Page, headers: Mapping[str, str]) -> Finding | None:
    """Whether a page that came with an error status is clearly a bot wall."""
    found = walls.by_header(headers)
    if found is None and page.small:
        found = walls.by_sign(page, f"{page.heads}\n{page.lead}") or _said(walls.FAMILIES, page)
    return found


def _medium(page: Page, places: str) -> Finding | None:
    return first(_LARGER, page, places) or reasons.framed_status(page)


def _small(page: Page, heads: str) -> Finding | None:
    places = f"{heads}\n{page.lead}"
    if page.nav_links <= _NAV_LINKS and (found := walls.by_sign(page, places) or first(_KNOWN, page, places)) is not None:
        return found
    if _STATUS_PAGE.search(page.lead) is not None:
        return None
    return (
        _said((*walls.FAMILIES, *TROUBLES, *VACANT), page)
        or messages.mostly(page)
        or servers.error_document(page)
        or reasons.bare_status(page)
        or reasons.framed_status(page)
        or _one_line(page)
        or _blank(page)
    )


def _said(families: tuple[Phrases, ...], page: Page) -> Finding | None:
    """A page that says what it is in title or heading, and has nothing else to say."""
    bare = _bare(page)
    signed = page.tree.css_first("input[type=email],input[name=email]") is not None  # whoever gathers addresses is open, if not ready
    heads = page.heads if page.headings or page.title else page.lead[:_START]
    for family in families:
        languages = family.spoken(heads)
        if not languages or (signed and family is UNPUBLISHED):
            continue
        found = _bare_page(family, languages, page) if bare else _framed_page(family, languages, page) if family.framed else None
        if found is not None:
            return found
    return None


def _bare(page: Page) -> bool:
    return (
        page.words <= _BARE_WORDS
        and page.links <= _BARE_LINKS
        and page.nav_links < _NAV_LINKS
        and page.tree.css_first("input[type=password]") is None
    )


def _bare_page(family: Phrases, languages: list[str], page: Page) -> Finding | None:
    parts = _SEPARATORS.split(page.title)
    for language in languages:
        titled = any(_covers(family, language, part) for part in parts)
        heading = next((heading for heading in page.topic if _covers(family, language, heading)), None)
        if not titled and heading is None:
            continue
        if not titled and " " not in (heading or "") and (heading or "").isascii():
            continue  # one word names a trade as well as a trouble
        rest = _without_heads(page)
        if _explains(family, language, rest) or len(rest.split()) <= _spare(page, titled=titled, headed=heading is not None):
            return Finding(family.name, family.family, Where.TITLE if titled else Where.HEADING)
    return None if page.headings else _headless(family, languages, page)


def _explains(family: Phrases, language: str, text: str) -> bool:
    """Whether a text sets out with the explanation; a service that is unavailable may be explained by its account."""
    match = family.body(language, text)
    if match is None and family is MAINTENANCE:
        match = SUSPENDED.body(language, text)
    return match is not None and match.start() <= _SOON and len(_SENTENCE.findall(text, 0, match.start())) <= 1


def _spare(page: Page, *, titled: bool, headed: bool) -> int:
    """How many words a page may have beside its head without a word of explanation."""
    if titled and headed:
        return _REST
    others = not headed and any(_CODE.sub("", heading).strip(_EDGES) for heading in page.topic)
    return 0 if others else _HALF


def _without_heads(page: Page) -> str:
    text = page.lead
    for heading in page.topic:
        text = text.replace(heading, " ", 1)
    return text.lstrip()


def _headless(family: Phrases, languages: list[str], page: Page) -> Finding | None:
    """A page without title and heading whose text begins with the phrase and is mostly it."""
    if page.title not in ("", page.host) or page.words > 40:
        return None
    for language in languages:
        match = family.head(language, page.lead[:_START])
        if match is not None and match.end() - match.start() >= 0.4 * len(page.lead) and family.body(language, page.lead) is not None:
            return Finding(family.name, family.family, Where.TEXT)
    return None


def _framed_page(family: Phrases, languages: list[str], page: Page) -> Finding | None:
    """The same said by the main part of a page that has the site's frame around it: title, heading and text must all say it."""
    parts = _SEPARATORS.split(page.title)
    for language in languages:
        if not any(_covers(family, language, part) for part in parts):
            continue
        heading = next((heading for heading in page.headings if _covers(family, language, heading)), None)
        if heading is None:
            continue
        main = page.tree.css_first("main,[role=main],#main,#content") or page.tree.body
        if main is None or any(main.css_first(matter) is not None for matter in _OWN_MATTER):
            return None
        around = sum(len((node.text(separator=" ")).split()) for node in main.css("nav,header,footer,aside,form"))
        text = fold(main.text(separator=" ", strip=True)[:2_000])
        _, _, rest = text.partition(heading)
        if len(text.split()) - around <= _FRAMED_WORDS and _explains(family, language, rest):
            return Finding(family.name, family.family, Where.TITLE)
    return None


def _covers(family: Phrases, language: str, text: str) -> bool:
    """Whether a title's part or a heading is the phrase and little else."""
    text = text.strip(_EDGES)
    for said in (text, _CODE.sub("", text).strip(_EDGES)):
        match = family.head(language, said) if said else None
        if match is not None and match.end() - match.start() >= _COVER * len(said):
            return True
    return False


def _one_line(page: Page) -> Finding | None:
    """A page without title and heading that is the one line of a proxy or a framework."""
    if page.headings or page.links > 1 or len(page.lead) > 400 or not generic(page.title, page):
        return None
    return plain.line(page.lead)


def _blank(page: Page) -> Finding | None:
    """Nothing to read, to see or to run."""
    tree = page.tree
    if page.lead or page.scripts or page.sources or page.frames or page.title in _HEALTHY_TITLES:
        return None
    markup = page.raw.lower()
    if tree.css_first(_SEEN) is not None or b"<frameset" in markup or (page.title and b"<body" not in markup):
        return None  # a bare title is an answer, if a short one
    return Finding("nothing to read", Family.BLANK, Where.BODY)


_HEALTHY_TITLES = frozenset(("ok", "up", "alive", "healthy", "pong", "ready", "live"))
_SEEN = (
    "img,picture,svg,video,audio,canvas,object,embed,iframe,frame,map,input,button,select,math,meter,progress,"
    'meta[http-equiv="refresh" i],[style*="background"],noscript'
)
