"""The page behind a good status: whether it is the right one, and whether somebody else has written into it.

Only HTML is read, once for each content: a body that is byte for byte the last one keeps its verdict. docs/content.md tells
what is detected and what never is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from xxhash import xxh3_64_intdigest

from vigie.core.model import Cause, PageFacts, Scalar, Status
from vigie.probes.kit.http.body import media_type
from vigie.probes.kit.verdict import Verdict

_HTML = ("text/html", "application/xhtml+xml")
_XML = ("application/xml", "text/xml")
_WITHOUT_BODY = (204, 205, 206)
_WALLED = (401, 403, 405, 406, 429, 503)  # error statuses that walls are sent with
_BINARY = (b"%PDF", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b", b"{", b"[")
_MARKUP = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*|<!--.{0,500}?-->\s*)*<(?:!doctype html|html|head|body|title|h1|meta|center|script)\b",
    re.IGNORECASE | re.DOTALL,
)
_OTHER_XML = re.compile(rb"\s*<\?xml[^>]{0,200}>\s*(?:<!--.{0,500}?-->\s*)*<(?!!doctype html|html)", re.IGNORECASE | re.DOTALL)
_STORAGE_ERROR = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*)?<Error>\s*<Code>\w{3,60}</Code>")

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
    "blank": "blank",
}


@dataclass(frozen=True, slots=True)
class _Last:
    """The last page: what it is known by, its verdict, and what that stood on in a large one (0: nothing to go by).

    One object, since a search that outlived its check on a thread may still write it while the next check reads it.
    """

    key: object = None
    verdict: Verdict | None = None
    grounds: int = 0


class Reader:
    """Reads the pages of one monitor and remembers the last one by its digest: some hundred bytes, whatever the page's size.

    `trusted` says that the user's own rule already tells the right page, so that only tampering is looked for.
    """

    __slots__ = ("_last", "_trusted")

    def __init__(self, *, trusted: bool) -> None:
        # Imported with the probe, not within its first check, whose loop that would hold for some 30 ms; and not by the configuration.
        from vigie.probes.kit.http.page import judge, parse, shape  # noqa: F401 - see above

        self._trusted = trusted
        self._last = _Last()

    def read(self, status: int, headers: Mapping[str, str], body: bytes, host: str) -> tuple[Verdict | None, PageFacts | None]:
        """The verdict on an answer that satisfied every rule, and its shape when it is not the same as at the last look."""
        kind = media_type(headers)
        if kind is not None and kind not in _HTML:
            return self._other(kind, body)
        digest = xxh3_64_intdigest(body)
        key = (digest, status, kind, host)
        last = self._last
        if key == last.key:
            return last.verdict, None
        facts = None
        known, grounds = None, 0
        if 200 <= status < 300 and status not in _WITHOUT_BODY and _is_html(body, typed=kind is not None):
            known, facts, grounds = self._look(headers, body, host, f"{digest:016x}", last)
        self._last = _Last(key, known, grounds)
        return known, facts

    def _look(
        self, headers: Mapping[str, str], body: bytes, host: str, digest: str, last: "_Last"
    ) -> tuple[Verdict | None, PageFacts, int]:
        from vigie.probes.kit.http.page import judge, parse, shape

        page = parse.parse(body, headers, host)
        facts = shape.shape(page, len(body), digest, headers)
        grounds = judge.grounds(page, headers)
        if grounds and grounds == last.grounds:
            return last.verdict, facts, grounds
        found = judge.judge(page, headers)
        if found is not None and self._trusted and found.family.cause is not Cause.CONTENT_TAMPERED:
            found = None
        return None if found is None else _verdict(found.signature, found.family, found.where), facts, grounds

    def _other(self, kind: str, body: bytes) -> tuple[Verdict | None, PageFacts | None]:
        """Anything but HTML: reported once per type; an object store's error in XML is recognised by its shape."""
        if kind in _XML and not self._trusted and _STORAGE_ERROR.match(body[:1_000]) is not None:
            return _verdict("object store error", "hosting", "markup"), None
        if kind == self._last.key:
            return None, None
        self._last = _Last(kind)
        return None, PageFacts("", len(body), type=kind)

    def wall(self, status: int, headers: Mapping[str, str], body: bytes, host: str) -> Verdict | None:
        """Whether an answer with an unexpected status is a bot wall rather than the service's own failure."""
        if status not in _WALLED or media_type(headers) not in (*_HTML, None):
            return None
        key = (xxh3_64_intdigest(body), status, host)
        last = self._last
        if key != last.key:
            self._last = last = _Last(key, _wall(headers, body, host))
        return last.verdict


def _is_html(body: bytes, *, typed: bool) -> bool:
    """Whether a body that is said to be HTML, or said to be nothing, is that."""
    start = body[:1_024].lstrip()
    if start.startswith(_BINARY) or (b"\0" in body[:64] and not body.startswith((b"\xff\xfe", b"\xfe\xff"))):
        return False
    return (typed or _MARKUP.match(body) is not None) and _OTHER_XML.match(body[:2_000]) is None


def _wall(headers: Mapping[str, str], body: bytes, host: str) -> Verdict | None:
    from vigie.probes.kit.http.page import judge, parse

    found = judge.wall(parse.parse(body, headers, host), headers)
    return None if found is None else _verdict(found.signature, found.family, found.where)


def _verdict(signature: str, family: str, where: str) -> Verdict:
    from vigie.probes.kit.http.page.signs import Family

    cause = Family(family).cause
    figures: dict[str, Scalar] = {"signature": signature, "family": str(family), "where": str(where)}
    if cause is Cause.CONTENT_BLANK:
        return Verdict(cause, "the page is blank: nothing to read, see or run", figures)
    words = _WORDS[str(family)]
    if cause is Cause.HTTP_BLOCKED:
        return Verdict(cause, f"the probe met {words}: {signature} ({where})", figures, Status.DEGRADED)
    if cause is Cause.CONTENT_TAMPERED:
        return Verdict(cause, f"the page shows {words}: {signature} ({where})", figures)
    return Verdict(cause, f"the page is {words}: {signature} ({where})", figures)
