"""What a sign is: a known page, told by where its marks stand, and the family that it belongs to."""

import re
from dataclasses import dataclass
from enum import StrEnum

from vigie.core.model import Cause
from vigie.probes.kit.http.page.parse import Page

_SMALL, _FEW, _OPENING = 160, 12, 30


class Family(StrEnum):
    """What kind of page is shown in place of the right one."""

    DATABASE = "database"  # the database does not answer
    APPLICATION = "application"  # a framework's or a language's own error page
    SERVER = "server"  # a web server's error page
    PROXY = "proxy"  # that of a cache, a load balancer or a CDN
    NOT_FOUND = "not_found"  # "page not found", sent with a good status
    DEFAULT = "default"  # what a program shows before anybody has set it up
    HOSTING = "hosting"  # a hoster's page: suspended, unpublished, no such site
    PARKED = "parked"  # a domain that is for sale, expired or only registered
    MAINTENANCE = "maintenance"
    CHALLENGE = "challenge"  # a bot wall that wants a browser or a person
    DENIED = "denied"  # a bot wall that wants nothing
    RATE_LIMIT = "rate_limit"
    DEFACED = "defaced"
    EXTORTION = "extortion"
    SCRIPT = "script"  # an injected script
    FRAME = "frame"  # a hidden frame
    MINER = "miner"  # mines coins in the reader's browser
    SPAM = "spam"  # hidden links, or a title that sells what the page does not
    LISTING = "listing"  # a server's listing of files where a page was
    BLANK = "blank"

    @property
    def cause(self) -> Cause:
        """The cause that a page of this family is."""
        return _CAUSES.get(self, Cause.CONTENT_ERROR_PAGE)


_CAUSES = {
    Family.CHALLENGE: Cause.HTTP_BLOCKED,
    Family.DENIED: Cause.HTTP_BLOCKED,
    Family.RATE_LIMIT: Cause.HTTP_BLOCKED,
    Family.BLANK: Cause.CONTENT_BLANK,
} | dict.fromkeys(
    (Family.DEFACED, Family.EXTORTION, Family.SCRIPT, Family.FRAME, Family.MINER, Family.SPAM),
    Cause.CONTENT_TAMPERED,
)


class Where(StrEnum):
    """Where a sign stood."""

    TITLE = "title"
    HEADING = "heading"
    TEXT = "text"
    END = "end of the text"
    MARKUP = "markup"
    SCRIPT = "script"
    FRAME = "frame"
    LINKS = "hidden links"
    HEADER = "header"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Finding:
    """A page that is not the right one: our own name of the sign, its family, and where it stood."""

    signature: str
    family: Family
    where: Where
    beside: bool = False  # the page is there as well: not what it should be, and yet of use


@dataclass(frozen=True, slots=True)
class Sign:
    """One known page. All that is given must hold; patterns are matched against folded text.

    `key` must be in the title, a heading or the beginning of the text, and is looked for first, because it costs little.
    `title` and `heading` match from the start and at least half of the place; `start` matches the beginning of the visible text.
    `text` is searched in its first 2,000 characters, each of `raw` in the markup. A text alone must open the page, and its title
    may not speak of something else. `words` and `links` bound the page: what is larger has matter of its own.
    """

    name: str
    family: Family
    key: str
    title: str = ""
    heading: str = ""
    start: str = ""
    text: str = ""
    raw: tuple[bytes, ...] = ()
    words: int = _SMALL
    links: int = _FEW

    def found(self, page: Page) -> Finding | None:
        """Whether this is the page."""
        if page.words > self.words or page.links > self.links:
            return None
        if self.title and not _fits(self.title, page.title):
            return None
        if self.heading and not any(_fits(self.heading, heading) for heading in page.topic):
            return None
        if self.start and not re.match(self.start, page.lead):  # pattern: of a Sign, which the suite reads
            return None
        if self.text and not self._says(page):
            return None
        if not all(mark in page.raw for mark in self.raw):
            return None
        return Finding(self.name, self.family, self._where())

    def _says(self, page: Page) -> bool:
        text = page.beginning
        match = re.search(self.text, text)  # pattern: of a Sign, which the suite reads
        if match is None or self.title or self.heading or self.start or self.raw:
            return match is not None
        before = match.start() - sum(len(heading) + 1 for heading in page.topic)
        spoken_for = generic(page.title, page) or _ADDRESS.match(page.title) is not None or self.key in page.title
        return before <= (_OPENING if spoken_for else 0) and (spoken_for or (match.end() - match.start()) * 2 >= len(text))

    def _where(self) -> Where:
        if self.title:
            return Where.TITLE
        if self.heading:
            return Where.HEADING
        return Where.TEXT if self.start or self.text else Where.MARKUP


# Titles that say nothing of their own: none, the host, "Error".
_GENERIC = re.compile(
    r"(?:http )?(?:error )?(?:\d{3}\b.{0,3})?"
    r"(?:(?:an? |the |internal |application |server |fatal |runtime |unhandled )*(?:error|exception)\b.{0,24}"
    r"|erreur.{0,24}|fehler.{0,24}|untitled|document|index"
    r"|bad gateway|service unavailable|not found|access denied|forbidden)?$"
)
_ADDRESS = re.compile(r"(?:https?://)?[\w-]+(?:\.[\w-]+)+(?:[/:]\S*)?$")


def generic(said: str, page: Page) -> bool:
    """Whether a title or heading says nothing of its own."""
    return said in ("", page.host) or _GENERIC.match(said) is not None


def _fits(pattern: str, place: str) -> bool:
    match = re.match(pattern, place)  # pattern: of a Sign, which the suite reads
    return match is not None and match.end() * 2 >= len(place)


def first(signs: tuple[Sign, ...], page: Page, places: str) -> Finding | None:
    """The first sign that the page is; `places` is the text that keys are looked for in."""
    for sign in signs:
        if sign.key in places and (found := sign.found(page)) is not None:
            return found
    return None
