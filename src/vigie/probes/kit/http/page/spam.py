"""Spam that search engines are to see and readers are not: links out of sight, titles that sell what the page does not."""

import re

from vigie.probes.kit.http.page.parse import OFFSET, Page, fold, host_in, links_of, site_of
from vigie.probes.kit.http.page.signs import Family, Finding, Where

_SAID = 20_000
_WARES = tuple(
    re.compile(rf"\b(?:{latin})s?\b|{other}")
    for latin, other in (
        (
            "viagra|cialis|levitra|kamagra|sildenafil|tadalafil|xanax|tramadol|modafinil|phentermine|ambien|valium|oxycodone|(?:online|canadian|cheap) pharmacy",
            "виагр|сиалис|バイアグラ|シアリス|伟哥|壮阳",
        ),
        (
            r"casino|kasino|slot|slot (?:gacor|online|demo|maxwin|machine)|gacor|togel|judi|toto ?\dd|poker online|sbobet|situs|bandar|maxwin|rtp|roulette|betting|bahis|canlı bahis|deneme bonusu|sportsbook",
            "казино|ставки на|娱乐城|博彩|彩票|六合彩|棋牌|赌场|カジノ|카지노|토토|바카라",
        ),
        (
            "replica|louis vuitton|gucci|rolex|fake (?:watche?|omega|rolex|bag)|cheap (?:jersey|nike|ray ?ban|ugg|louis|michael kors|handbag)|air jordan|michael kors|moncler|canada goose",
            "スーパーコピー|ブランドコピー|コピー (?:時計|品)|偽物|激安|高仿|仿表|реплик",
        ),
        (
            "payday|loan online|loan no credit|no credit check|cash advance|essay|term paper|dissertation writing|write my|mod apk|free (?:robux|v-?buck)",
            "займ|кредит онлайн|刷单|贷款",
        ),
        ("porn|xxx|escort|sex (?:cam|chat|video)|adult dating|hentai", "порно|эскорт|проститутк|エロ|无码|约炮"),
    )
)
_WARE_STEMS = (
    "viagra",
    "cialis",
    "levitra",
    "kamagra",
    "fil",
    "xanax",
    "tramadol",
    "pharmacy",
    "casino",
    "kasino",
    "slot",
    "gacor",
    "togel",
    "judi",
    "toto",
    "poker",
    "bet",
    "bahis",
    "bonus",
    "replica",
    "vuitton",
    "gucci",
    "rolex",
    "fake",
    "cheap",
    "jordan",
    "kors",
    "moncler",
    "goose",
    "payday",
    "loan",
    "credit",
    "cash",
    "essay",
    "paper",
    "writ",
    "apk",
    "free",
    "porn",
    "xxx",
    "escort",
    "sex",
    "adult",
    "hentai",
)
_BY_SCRIPT = re.compile(
    r"getElementById\(\s*[\"']([\w-]{1,40})[\"']\s*\)\.style\.(?:display\s*=\s*[\"']none|visibility\s*=\s*[\"']hidden|(?:left|top|textIndent)\s*=\s*[\"']-\d{3,})"
)
_BY_SHEET = re.compile(r"([.#])([\w-]{1,40})\s*\{([^}]{1,200})\}")


def spam(page: Page) -> Finding | None:
    """Hidden spam links, or a title of spam."""
    if any(_sells(hidden.links, page) for hidden in page.hidden):
        return Finding("hidden spam links", Family.SPAM, Where.LINKS)
    if any(_sells(links, page) for links in _concealed(page)):
        return Finding("hidden spam links", Family.SPAM, Where.LINKS)
    return _cloaked(page)


def _sells(links: tuple[tuple[str, str], ...], page: Page) -> bool:
    """Whether at least three links, or both of two foreign ones, sell the same few wares, and the page itself does not."""
    for wares in _WARES:
        hits = sum(1 for words, url in links if wares.search(words) is not None or wares.search(url.lower()[:200]) is not None)
        enough = hits >= 3 or (hits == 2 == len(links) and all(site_of(host_in(url)) not in ("", site_of(page.host)) for _, url in links))
        if enough and hits * 2 >= len(links) and wares.search(page.heads) is None and not _own_trade(wares, links, page):
            return True
    mixed = sum(1 for words, _ in links if any(wares.search(words) is not None for wares in _WARES))
    return mixed >= 4 and mixed * 2 >= len(links) and not any(wares.search(page.heads) is not None for wares in _WARES)


def _own_trade(wares: re.Pattern[str], links: tuple[tuple[str, str], ...], page: Page) -> bool:
    """Whether the page speaks of the wares itself, outside of the links."""
    said = len(wares.findall(fold(page.text[:_SAID])))
    return said - (0 if page.small else sum(len(wares.findall(words)) for words, _ in links)) >= 2


def _concealed(page: Page) -> list[tuple[tuple[str, str], ...]]:
    """The links inside elements that a script or a style sheet of the page puts out of sight."""
    names: list[str] = []
    for text in page.scripts:
        if "getElementById" in text:
            names += [f'[id="{name}"]' for name in _BY_SCRIPT.findall(text[:20_000])]
    for sheet in page.sheets if len(page.link_hosts) > 1 else ():
        if (":-" in sheet or ": -" in sheet) and OFFSET.search(sheet) is not None:
            names += [
                f'[{"id" if kind == "#" else "class"}~="{name}"]' for kind, name, rules in _BY_SHEET.findall(sheet) if OFFSET.search(rules)
            ]
    found = []
    for selector in names[:12]:
        for node in page.tree.css(selector)[:4]:
            anchors = node.css("a[href]")
            if len(anchors) > 2:
                found.append(links_of(anchors))
    return found


def _cloaked(page: Page) -> Finding | None:
    """A title that sells what the page under it does not, as search engines are served."""
    if page.words < 20 or (page.title.isascii() and not any(stem in page.title for stem in _WARE_STEMS)):
        return None
    for wares in _WARES:
        if wares.search(page.title) is None:
            continue
        said = "\n".join((*page.headings, fold(page.text[:_SAID])))
        if len(wares.findall(page.title)) >= 2 and wares.search(said) is None:
            return Finding("title that sells something else", Family.SPAM, Where.TITLE)
    return None
