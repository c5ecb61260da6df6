"""The page behind a good status: whether it is the right one, and whether somebody else has written into it.

Only HTML is read, once for each content: a body that is byte for byte the last one keeps its verdict. It is read in a process of its
own (`kit/worker.py`, by `look.py`); what is here decides whether it has to be, and costs the probing loop next to nothing.
docs/content.md tells what is detected and what never is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xxhash import xxh3_64_intdigest

from vigie.core.model import Cause, PageFacts, Scalar, Status
from vigie.probes.kit.http.body import media_type

if TYPE_CHECKING:  # the process that reads pages imports this package too, and needs neither
    from vigie.probes.kit.http.page.reply import Look
    from vigie.probes.kit.verdict import Verdict
    from vigie.probes.kit.workers import Ask

    Known = tuple[Verdict | None, PageFacts | None]
    Key = tuple[int, int, str | None, str]  # digest, status, type, host

_HTML = ("text/html", "application/xhtml+xml")
_LONGEST = 65_536  # bytes of a text
_XML = ("application/xml", "text/xml")
_WITHOUT_BODY = (204, 205, 206)
_WALLED = (401, 403, 405, 406, 429, 503)  # error statuses that walls are sent with
_BINARY = (b"%PDF", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b", b"{", b"[")
_PROLOG, _DECLARATION = 16_384, 200  # bytes before the first element; of an XML declaration
_BOM = b"\xef\xbb\xbf"
_SPACE = re.compile(rb"\s*")
_ELEMENT = re.compile(rb"<(?:!doctype html|html|head|body|title|h1|meta|center|script)\b", re.IGNORECASE)
_XHTML = re.compile(rb"<(?:!doctype html|html)", re.IGNORECASE)
_STORAGE_ERROR = re.compile(rb"<Error>\s*<Code>\w{3,60}</Code>")

_WORDS = {
    "database": "a database error",
    "application": "an application's error",
    "server": "a server's error",
    "proxy": "a proxy's error",
    "not_found": "a page that was not found",
    "default": "a default page",
    "hosting": "a hoster's page",
    "parked": "a parked domain",
    "maintenance": "a maintenance page",
    "challenge": "a challenge for browsers",
    "denied": "a bot wall",
    "rate_limit": "a rate limit",
    "defaced": "a defacement",
    "extortion": "an extortion",
    "script": "an injected script",
    "frame": "an injected frame",
    "miner": "a coin miner",
    "spam": "spam",
    "listing": "a directory listing",
    "blank": "blank",
}


@dataclass(frozen=True, slots=True)
class _Last:
    """The last page: what it is known by, its verdict, and what that stood on in a large one (0: nothing to go by)."""

    key: object = None
    verdict: "Verdict | None" = None
    grounds: int = 0


@dataclass(frozen=True, slots=True)
class Unseen:
    """A page that has to be read, as a `page` or a `text`: what it is known by, and what is asked about it."""

    job: str
    key: "Key"
    asked: dict[str, Any]
    body: bytes


class Reader:
    """Reads the pages of one monitor and remembers the last one by its digest: some hundred bytes, whatever the page's size.

    `trusted` says that the user's own rule already tells the right page, so that only tampering is looked for.
    """

    __slots__ = ("_last", "_trusted")

    def __init__(self, *, trusted: bool) -> None:
        self._trusted = trusted
        self._last = _Last()

    def known(self, status: int, headers: Mapping[str, str], body: bytes, host: str) -> "Known | Unseen":
        """The verdict on an answer that satisfied every rule, and its shape when it is not that of the last look; or a page to be read."""
        kind = media_type(headers)
        html = kind is None or kind in _HTML
        if not html and not _is_text(kind, body):
            return self._other(kind or "", body)
        digest = xxh3_64_intdigest(body)
        key = (digest, status, kind, host)
        last = self._last
        if key == last.key:
            return last.verdict, None
        if _has_page(status):
            if html and _is_html(body, typed=kind is not None):
                asked = {"headers": headers, "host": host, "digest": f"{digest:016x}", "trusted": self._trusted, "grounds": last.grounds}
                return Unseen("page", key, asked, body)
            if not self._trusted and kind not in _HTML and _is_text(kind, body):
                return Unseen("text", key, {"headers": headers}, body)
        return None, self._seen(key, None, len(body), "" if html else kind or "")

    async def read(self, ask: "Ask", page: "Unseen", left: float = 60.0) -> "Known":
        """The same of a page that has to be read. `ask` has it read elsewhere, `left` is how many seconds there are. Raises Unread."""
        found = await self._look(ask, page.job, page.asked, page.body, left)
        if page.job == "text":
            verdict = _verdict_of(found)
            return verdict, self._seen(page.key, verdict, len(page.body), page.key[2] or "")
        self._last = _Last(page.key, self._last.verdict if found.same else _verdict_of(found), found.grounds)
        return self._last.verdict, found.facts

    def _seen(self, key: "Key", verdict: "Verdict | None", size: int, kind: str) -> PageFacts | None:
        """Remember what is not HTML. A type of text is reported once."""
        last, self._last = self._last, _Last(key, verdict)
        known = isinstance(last.key, tuple) and last.key[2] == kind
        return None if known or not kind else PageFacts("", size, type=kind)

    async def _look(self, ask: "Ask", job: str, asked: dict[str, Any], body: bytes, left: float) -> "Look":
        from vigie.probes.kit.http.page import reply

        return reply.read(await ask(job, asked, body, left=left))

    def _other(self, kind: str, body: bytes) -> "Known":
        """Anything but HTML: reported once per type; an object store's error in XML is recognised by its shape."""
        if kind in _XML and not self._trusted and _STORAGE_ERROR.match(body, _prolog(body)[0]) is not None:
            return _verdict("object store error", "hosting", "markup", Cause.CONTENT_ERROR_PAGE), None
        if kind == self._last.key:
            return None, None
        self._last = _Last(kind)
        return None, PageFacts("", len(body), type=kind)

    async def wall(
        self, ask: "Ask", status: int, headers: Mapping[str, str], body: bytes, host: str, left: float = 60.0
    ) -> "Verdict | None":
        """Whether an answer with an unexpected status is a bot wall rather than the service's own failure. Raises Unread."""
        if status not in _WALLED or media_type(headers) not in (*_HTML, None):
            return None
        key = (xxh3_64_intdigest(body), status, host)
        last = self._last
        if key != last.key:
            found = await self._look(ask, "wall", {"headers": headers, "host": host}, body, left)
            self._last = last = _Last(key, _verdict_of(found))
        return last.verdict


def _has_page(status: int) -> bool:
    """Whether an answer of this status is the page itself."""
    return 200 <= status < 300 and status not in _WITHOUT_BODY


def _is_text(kind: str | None, body: bytes) -> bool:
    """Whether a body is a text that may be nothing but an error: plain, no document by its length, no data by its beginning."""
    return kind in ("text/plain", None) and len(body) <= _LONGEST and body[:64].lstrip()[:1] not in (b"", b"{", b"[", b"<")


def _is_html(body: bytes, *, typed: bool) -> bool:
    """Whether a body that is said to be HTML, or said to be nothing, is that."""
    start = body[:1_024].lstrip()
    if start.startswith(_BINARY) or (b"\0" in body[:64] and not body.startswith((b"\xff\xfe", b"\xfe\xff"))):
        return False
    at, xml = _prolog(body)
    if xml and body[at : at + 1] == b"<" and _XHTML.match(body, at) is None:
        return False
    return typed or _ELEMENT.match(body, at) is not None


def _prolog(body: bytes) -> tuple[int, bool]:
    """Where the first element or doctype begins, behind white space, comments and XML declarations, and whether one of these was there.

    A plain scan, since a pattern of alternatives within a repeat takes for ever on many comments.
    """
    at, xml = (len(_BOM) if body.startswith(_BOM) else 0), False
    while True:
        at = _end(_SPACE, body, at)
        if body.startswith(b"<!--", at):
            end = body.find(b"-->", at + 4, _PROLOG)
        elif body[at : at + 5].lower() == b"<?xml":
            end = body.find(b">", at, at + _DECLARATION)
            xml = xml or end >= 0
        else:
            return at, xml
        if end < 0:
            return at, xml
        at = end + (3 if body.startswith(b"-->", end) else 1)


def _end(pattern: "re.Pattern[bytes]", body: bytes, at: int) -> int:
    match = pattern.match(body, at)
    return at if match is None else match.end()


def _verdict_of(look: "Look") -> "Verdict | None":
    found = look.finding
    return None if found is None else _verdict(found.signature, found.family, found.where, found.cause, beside=found.beside)


def _verdict(signature: str, family: str, where: str, cause: Cause, *, beside: bool = False) -> "Verdict":
    from vigie.probes.kit.verdict import Verdict

    figures: dict[str, Scalar] = {"signature": signature, "family": family, "where": where}
    if cause is Cause.CONTENT_BLANK:
        return Verdict(cause, "the page is blank: nothing to read, see or run", figures)
    words = _WORDS[family]
    if cause is Cause.HTTP_BLOCKED:
        return Verdict(cause, f"the probe met {words}: {signature} ({where})", figures, Status.DEGRADED)
    if cause is Cause.CONTENT_TAMPERED:
        return Verdict(cause, f"the page shows {words}: {signature} ({where})", figures)
    if beside:
        return Verdict(cause, f"the page shows {words}: {signature} ({where})", figures, Status.DEGRADED)
    return Verdict(cause, f"the page is {words}: {signature} ({where})", figures)
