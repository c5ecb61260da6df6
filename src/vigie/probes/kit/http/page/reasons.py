"""Pages that say nothing but a status: its number, its reason phrase, and perhaps a sentence, whoever wrote the server.

The phrases are those of the IANA registry of status codes and of RFC 9110, and the spellings that servers have of them.
"""

import re

from vigie.probes.kit.http.page.parse import Page, fold
from vigie.probes.kit.http.page.signs import Family, Finding, Where
from vigie.probes.kit.http.page.translations import TRANSLATED

_WORDS, _LINKS = 160, 6
_FRAMED = 45  # words beside title and heading in a page that has neither explanation nor number
_FEW = 12  # words of a page that has a heading but no title
_ALONE = 60  # characters of a text that is nothing but this
_MATTER = "table,article p + p,nav a + a + a + a,input[type=password],blockquote + p,form textarea"

# By status: the phrases, of which one that is a word of every day counts beside its number only.
PHRASES: dict[int, tuple[str, ...]] = {
    400: ("bad request", "invalid request", "your browser sent an invalid request"),
    401: ("unauthorized", "unauthorised", "authorization required", "authentication required", "not authorized"),
    402: ("payment required",),
    403: ("forbidden", "access denied", "access forbidden", "permission denied", "access is denied"),
    404: (
        "not found",
        "page not found",
        "file not found",
        "file or directory not found",
        "object not found",
        "resource not found",
        "document not found",
        "url not found",
        "no such resource",
        "no such file or directory",
        "the page cannot be found",
        "the page could not be found",
        "this page could not be found",
        "page does not exist",
        "page doesn't exist",
        "this page doesn't exist",
        "this page does not exist",
        "path not found",
        "route not found",
        "no such page",
    ),
    405: ("method not allowed", "not allowed", "http method not allowed"),
    406: ("not acceptable",),
    407: ("proxy authentication required",),
    408: ("request timeout", "request time-out", "request timed out"),
    409: ("conflict",),
    410: ("gone",),
    411: ("length required",),
    412: ("precondition failed",),
    413: ("request entity too large", "payload too large", "content too large", "entity too large"),
    414: ("request-uri too large", "request-uri too long", "uri too long", "request uri too long", "url too long"),
    415: ("unsupported media type",),
    416: ("requested range not satisfiable", "range not satisfiable"),
    417: ("expectation failed",),
    418: ("i'm a teapot",),
    421: ("misdirected request",),
    422: ("unprocessable entity", "unprocessable content"),
    423: ("locked",),
    424: ("failed dependency",),
    425: ("too early",),
    426: ("upgrade required",),
    428: ("precondition required",),
    429: ("too many requests",),
    431: ("request header fields too large", "request header or cookie too large"),
    451: ("unavailable for legal reasons",),
    500: (
        "internal server error",
        "internal error",
        "server error",
        "server fault",
        "internal application error",
        "application error",
        "unexpected error",
        "an error occurred",
        "error",
        "error page",
        "page",
    ),
    501: ("not implemented", "method not implemented", "unsupported method"),
    502: (
        "bad gateway",
        "proxy error",
        "bad gateway error",
        "could not connect",
        "cannot connect",
        "unable to connect",
        "connect failed",
        "connection failed",
        "connection refused",
        "connection reset",
        "connection error",
        "host not found",
        "unknown host",
        "cannot find server",
        "server not found",
        "dns error",
        "dns failure",
    ),
    503: (
        "service unavailable",
        "service temporarily unavailable",
        "temporarily unavailable",
        "server unavailable",
        "service not available",
        "backend fetch failed",
        "maintenance",
        "website unavailable",
        "no server is available",
    ),
    504: ("gateway timeout", "gateway time-out", "gateway timed out"),
    505: ("http version not supported",),
    506: ("variant also varies", "variant also negotiates"),
    507: ("insufficient storage",),
    508: ("loop detected",),
    509: ("bandwidth limit exceeded",),
    510: ("not extended",),
    511: ("network authentication required",),
}
_CODES = dict(TRANSLATED) | {phrase: code for code, phrases in PHRASES.items() for phrase in phrases}
_COMMON = frozenset(
    "conflict,gone,unknown host,connection error,locked,error,error page,page,maintenance,not allowed,not acceptable,too early,server error,internal error,application error,unexpected error,"
    "an error occurred,temporarily unavailable,payment required,upgrade required,not authorized,invalid request,permission denied".split(
        ","
    )
)
_OWN_MATTER = "pre,code,table,blockquote,article p + p,video,audio,dl,p + p + p + p,input[type=password]"
_SEPARATORS = re.compile(r" [|–—·:»›-]{1,2} |\s?[|·»›]\s?")
_NAMES = re.compile(r" ?[|·»›] ?")  # what sets the name of a site apart from a title
_EDGES = " .!?¡¿…:;,-–—|()[]\"'«»“”#*>_/\\⚠️🔥💥😕☹"
_NUMBERED = re.compile(
    r"(?:(?:http(?: |/[\d.]{1,3} )?)?(?:error|status|code|response|errors|status code|error code|server|fehler|erreur|errore|erro|fout|ошибка|エラー|错误)?)[ :#-]{0,3}"
    r"([1-5]\d\d)\b[ .:,|/•·—–-]{0,4}(?:(?:http )?error\b[ :-]{0,3})?"
)
_BEFORE = re.compile(r"([45]\d\d)[ :–—-]{1,3}")
_LABELLED = re.compile(r"(?:\(|\b(?:error|fehler|erreur|errore|erro|fout|ошибка|błąd|chyba|fel|feil|hata) )([45]\d\d)\)?$")
_SENTENCE = re.compile(r"\bnot (?:be )?found\b|\bcouldn't be found\b|\bdo(?:es)?(?:n't| not) exist\b|\b404\b")
_MAY = re.compile(r"[1-5]\d\d|^(?:http|error|oo|sorry|wh|uh|ouch|ups)")
_ENDS = re.compile(r"[ :,(|-]{0,3}(?:http |error |status |code |status code )?\(?([45]\d\d)\)?$")
_LABELS = re.compile(r"(?:http )?(?:error|oops|sorry|whoops|uh-oh|ouch|ooops|ups)[!.…:, -]{1,4}")
_ABOUT = re.compile(
    r"\bstatus codes?\b(?! is\b)|\brfc ?\d|\bhttp response\b|\bin this (?:guide|tutorial|article|chapter|example)\b|\bthis (?:guide|tutorial|article|chapter|section)\b"
    r"|\bdocumentation\b|\bspecification\b|\bglossary\b|\bdefinition\b|\bwikipedia\b"
)


def status_said(text: str) -> tuple[int, bool] | None:
    """The status that a short text is and whether it names its number; the text says nothing else."""
    text = text.strip(_EDGES)
    if not text or len(text) > _ALONE + 20:
        return None
    if text not in _CODES and _MAY.search(text) is None:
        return None
    numbers = set()
    match = _NUMBERED.match(text)
    if match is not None:
        numbers.add(int(match[1]))
        text = text[match.end() :].strip(_EDGES)
    match = _ENDS.search(text)
    if match is not None:
        numbers.add(int(match[1]))
        text = text[: match.start()].strip(_EDGES)
    label = _LABELS.match(text)
    if label is not None and text[label.end() :] in _CODES:
        text = text[label.end() :]
    code = _CODES.get(text)
    if numbers:
        number = numbers.pop()
        fits = not numbers and (code is not None or not text) and 400 <= number < 600
        return (number, bool(code) or not text) if fits else None
    return None if code is None else (code, False)


def bare_status(page: Page) -> Finding | None:
    """A small page whose title and heading say a status and whose text adds no matter of its own."""
    if page.words > _WORDS or page.links > _LINKS:
        return None
    if not page.headings:
        return _headless(page)
    if _titled(page):
        return _finding(page, int(page.title[:3]), Where.TITLE)
    if (code := _numbered_twice(page)) is not None:
        return _finding(page, code, Where.TITLE)
    heads = [*page.topic, " ".join(page.topic)]
    said = [found for head in heads if (found := status_said(head)) is not None]
    named = _title_says(page)
    if not said or (named is None and page.title not in ("", page.host) and not _wrapped(page)):
        return None
    sure = any(number for _, number in said) or (named is not None and named[1])
    worded = any(not head.strip(_EDGES).isdigit() for head in heads if status_said(head) is not None)
    if named is None and page.words > _FEW and not (sure and worded):
        return None
    code = next((code for code, number in said if number), said[0][0])
    words = sum(1 for phrase in heads if phrase.strip(_EDGES) in _COMMON)
    if not sure and (words or page.words > _FRAMED):
        return None
    return _finding(page, code, Where.HEADING)


def framed_status(page: Page) -> Finding | None:
    """The same inside a site's own frame: title and heading both are the status, and the main part goes on for a sentence or two."""
    named = next((said for part in _SEPARATORS.split(page.title) if (said := _telling(part)) is not None), None)
    if named is None:
        return None
    main = page.tree.css_first("main,[role=main],#main,#content,.content-wrapper,.main-content") or page.tree.body
    if main is None or main.css_first(_OWN_MATTER) is not None:
        return None
    text = fold(main.text(separator=" ", strip=True)[:2_000])
    heads = [said for heading in page.headings if (said := _telling(heading)) is not None]
    if not any(_same(head[0], named[0]) for head in heads):
        opened = _opens(text, named[0]) or (named == (404, True) and not page.headings and _SENTENCE.search(text) is not None)
        if not opened:
            return None
    around = sum(len(node.text(separator=" ").split()) for node in main.css("nav,header:not(main header),footer,aside,form,.sidebar"))
    if len(text.split()) - around > _FRAMED or _ABOUT.search(text) is not None:
        return None
    return Finding(f"HTTP {named[0]}", family_of(named[0]), Where.TITLE)


def _telling(text: str) -> tuple[int, bool] | None:
    """The status that a part of a title or a heading is; without its number only a page that is not found is sure to be meant."""
    said = status_said(text)
    if said is None or (not said[1] and (said[0] != 404 or text.strip(_EDGES) == "not found")):
        return None
    return said


def _same(one: int, other: int) -> bool:
    return one == other or {one, other} <= {404, 410} or (one >= 500 and other >= 500)


def _opens(text: str, code: int) -> bool:
    """Whether a main part without headings begins with the number and its phrase."""
    match = _NUMBERED.match(text)
    return match is not None and int(match[1]) == code and text.startswith(PHRASES.get(code, ()), match.end())


def _titled(page: Page) -> bool:
    """Whether the title is a number and the heading's own words, on a page that no designer has seen."""
    match = _BEFORE.match(page.title)
    if (
        match is None
        or page.words > _FRAMED
        or page.tree.css_first("img,nav,header,canvas,form,ul,link[rel=stylesheet],script[src]") is not None
    ):
        return False
    rest = page.title[match.end() :].strip(_EDGES)
    return bool(rest) and page.headings[0].strip(_EDGES) == rest


def _numbered_twice(page: Page) -> int | None:
    """The number at an edge of the title that also ends a heading, as that of an error, whatever the language."""
    if page.words > _FRAMED:
        return None
    ends = {int(match[1]) for heading in page.headings[:3] if (match := _LABELLED.search(heading)) is not None}
    for part in _NAMES.split(page.title):
        match = _LABELLED.search(part) or _BEFORE.match(part)
        if match is not None and (int(match[1]) in ends or _repeated(page, match[1], part[match.end() :])):
            return int(match[1])
    return None


def _repeated(page: Page, number: str, words: str) -> bool:
    """Whether the first heading is the title's words and its number."""
    return len(words) > 3 and bool(page.headings) and page.headings[0] == f"{words} {number}"


def _title_says(page: Page) -> tuple[int, bool] | None:
    """The status that the title is; a part of it must name the number, for "Access denied – the museum of locks" is a museum."""
    found = status_said(page.title)
    if found is None:
        parts = [status_said(part) for part in re.split(r" [|–—·»-] ", page.title)]
        found = next((part for part in parts if part is not None and part[1]), None)
    return found


def _wrapped(page: Page) -> bool:
    """Whether a title of its own stands above a page that holds its heading and little else."""
    return page.title in ("error", "error page", "errors") and page.words <= _FRAMED


def _headless(page: Page) -> Finding | None:
    said = status_said(page.lead) if len(page.lead) <= _ALONE + 20 else None
    named = _title_says(page)
    if said is None and named is not None and named[1] and page.words <= _FRAMED:
        first = re.split(r"[.\n]", page.lead[:_ALONE])[0]
        said = status_said(first) or (named if not page.lead else None)
        if said is None and page.lead.startswith(page.title):
            said = named
    if said is None or (named is None and page.title not in ("", page.host, "error")):
        return None
    if not said[1] and (page.lead.strip(_EDGES) in _COMMON and not (named and named[1])):
        return None
    return _finding(page, said[0], Where.TEXT)


def unnumbered(text: str) -> str:
    """A text without the number of a status before it."""
    match = _NUMBERED.match(text)
    return text if match is None else text[match.end() :].strip(_EDGES)


def about(text: str) -> bool:
    """Whether a text speaks of statuses rather than being one."""
    return _ABOUT.search(text) is not None


def alone(text: str, *, explained: bool = False) -> Finding | None:
    """A text without markup that is a reason phrase and nothing else; one word of every day needs its number."""
    text = text.strip()
    said = status_said(text)
    if explained and said is not None and not said[1] and " " not in text:
        return None
    if said is None or (not said[1] and text.strip(_EDGES) in _COMMON) or text.strip(_EDGES).isdigit():
        return None
    return Finding(f"HTTP {said[0]}", family_of(said[0]), Where.BODY)


def _finding(page: Page, code: int, where: Where) -> Finding | None:
    if _ABOUT.search(page.lead) is not None or page.tree.css_first(_MATTER) is not None:
        return None
    return Finding(f"HTTP {code}", family_of(code), where)


def family_of(code: int) -> Family:
    """The family of a status that a page speaks of."""
    if code in (404, 410):
        return Family.NOT_FOUND
    if code == 429:
        return Family.RATE_LIMIT
    return Family.PROXY if code in (502, 504) else Family.SERVER
