"""Signs that somebody else has written into the page: defacement, extortion, injected scripts and frames, miners, spam links.

Each needs a structure that a page's owner has no reason for: a claim as the whole heading, a script that hides what it does,
a frame that nobody sees to a place that nobody knows, links to sell things that stand where no reader looks.
"""

import re

from vigie.probes.kit.http.page import injected, spam
from vigie.probes.kit.http.page.parse import Page
from vigie.probes.kit.http.page.signs import Family, Finding, Where

_FRAMED_WORDS, _CLAIM = 60, 48

_CLAIMS = (
    "hacked",
    "h4cked",
    "h4ck3d",
    "hack3d",
    "haxored",
    "defaced",
    "d3faced",
    "owned by",
    "0wned",
    "pwned",
    "pwn3d",
    "hijacked",
    "hijackedby",
    "rooted by",
    "stamped by",
    "touched by",
    "was here",
    "piraté",
    "hacké",
    "gehackt",
    "hackeado",
    "hackeada",
    "invadido",
    "hackerato",
    "violato",
    "взлом",
    "被黑",
    "黑客",
    "hacklendi",
    "diretas",
    "zhakowan",
)
_CLAIM_HEAD = re.compile(
    r"\W{0,12}(?:(?:this |your |the )?(?:site|website|server|system|page)(?: \S[^\s.]*+\.\S++)? (?:has been |was |is |got )?)?"
    r"(?:h[a4]c?k(?:e|3)?d ?-?by|haxored by|d[e3]faced by|(?:0|o)wned by|pwn(?:e|3)d by|hijacked ?by|rooted by|stamped by|touched by|security breached by)\b"
    r"|\W{0,12}(?:(?:ce |votre )?site (?:a été )?)?(?:piraté|hacké)e? par\b"
    r"|\W{0,12}(?:(?:diese |ihre )?(?:seite|website) (?:wurde )?)?gehackt (?:von|door)\b"
    r"|\W{0,12}(?:(?:este |tu |su |seu )?(?:sitio|site|web) (?:fue |foi |ha sido )?)?(?:hackead[oa]|invadid[oa]|pwnead[oa]) por\b"
    r"|\W{0,12}(?:(?:questo )?sito (?:è stato )?)?(?:hackerato|violato|bucato) da\b"
    r"|\W{0,12}(?:сайт (?:был )?)?взломан[ао]?(?: командой| группой|:| \S+)|\W{0,12}(?:本站|该站|网站|此站)?(?:已)?被.{0,20}(?:黑客|黑了|入侵)|\W{0,12}\S+ tarafından hacklendi|\W{0,12}diretas oleh"
    r"|.{0,40}\bwas here\W*$"
)
_WAS_HERE = re.compile(r"was here\W*$")
_DEFACERS = re.compile(
    r"gre+t[sz]|gr33t|shout ?out|your security|security is|votre sécurité|deine sicherheit|tu seguridad|sua segurança|\badmin\b|patch (?:your|it)|h4x|crew\b|cyber|\bteam\b|\barmy\b|hackers?\b|we are (?:anonymous|legion|everywhere)"
    r"|defac|0wn|pwn|telegram|no system is safe|f\*?uck|free (?:palestine|kashmir|syria|gaza)|expect us|hacktivis"
)
_LOUD = re.compile(
    rb"bgcolor\s*=\s*[\"']?(?:black|#0{3,6})\b|<body[^>]{0,200}background(?:-color)?\s*:\s*(?:black|#0{3,6})\b|<marquee|<audio|<bgsound",
    re.IGNORECASE,
)
_WALLET = re.compile(r"\b(?:bc1[a-z0-9]{25,60}|[13][1-9a-z]{25,34}|0x[0-9a-f]{40}|[48][0-9a-z]{94})\b")
_COINS = re.compile(r"\b(?:bitcoins?|btc|xmr|monero|ethereum|usdt|crypto ?currency)\b")
_TAKEN = re.compile(
    r"(?:files?|data(?:base)?|server|site|website|backups?|documents?|fichiers|données|dateien|daten|archivos|datos|dati|arquivos|dados|bestanden|файлы|данные|文件|数据)\b.{0,80}"
    r"(?:encrypted|locked|stolen|downloaded|deleted|extracted|dumped|hacked|compromised|leak(?:ed)?|chiffrés|volées|verschlüsselt|cifrados|cifrati|criptografados|versleuteld|зашифрован|украден|加密|删除)"
    r"|(?:encrypted|hacked|extracted|stolen|downloaded|chiffré|verschlüsselt).{0,60}(?:files|data|database|server|site)"
)
_PAY = re.compile(
    r"\b(?:pay|send|transfer|payment|ransom|deadline|within \d+ (?:hours|days)|in \d+ (?:hours|days)|payez|payer|rançon|zahlen|zahlung|lösegeld|pagar|pague|rescate|pagare|riscatto|resgate|betaal|losgeld|оплат|выкуп)|支付|赎金"
)


def judge(page: Page) -> Finding | None:
    """The first sign of another's hand."""
    return _claim(page) or injected.script(page) or injected.frame(page) or spam.spam(page) or (_extortion(page) if page.small else None)


def _claim(page: Page) -> Finding | None:
    heads = page.heads
    if not any(word in heads for word in _CLAIMS):
        return None
    titled = _CLAIM_HEAD.match(page.title)
    headed = next((heading for heading in page.headings if _CLAIM_HEAD.match(heading)), None)
    if titled is None and headed is None:
        return None
    where = Where.TITLE if titled is not None else Where.HEADING
    defacers = _DEFACERS.search(page.lead) is not None
    if _WAS_HERE.search(page.title if titled is not None else headed or "") is not None and _DEFACERS.search(heads) is None:
        return None  # everybody was somewhere
    if page.small and page.words <= 250 and page.links <= 6 and page.nav_links == 0 and page.tree.css_first("article") is None:
        rest = page.words - sum(len(heading.split()) for heading in page.headings)
        if rest <= 12 or defacers or _LOUD.search(page.raw) is not None:
            return Finding("defacement", Family.DEFACED, where)
    if headed is not None and len(headed) <= _CLAIM and ":" not in headed and _main_words(page) <= _FRAMED_WORDS:
        return Finding("defacement", Family.DEFACED, Where.HEADING)
    return None


def _main_words(page: Page) -> int:
    main = page.tree.css_first("main,[role=main],#main,#content,article")
    return page.words if main is None else len(main.text(separator=" ").split())


def _extortion(page: Page) -> Finding | None:
    text = page.lead
    if page.words > 400 or page.links > 6 or page.nav_links or page.tree.css_first("article") is not None:
        return None
    if _COINS.search(text) is None or _WALLET.search(text) is None:
        return None
    if _TAKEN.search(page.heads) is None and (page.title or page.headings or _TAKEN.match(text[:120]) is None):
        return None  # a page with matter of its own does not open with the threat
    return Finding("ransom note", Family.EXTORTION, Where.TEXT) if _PAY.search(text) is not None else None
