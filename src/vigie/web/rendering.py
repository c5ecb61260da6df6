"""How a page of the dashboard is made: what its frame needs is asked, and it is rendered and packed on a thread, never on the loop."""

import asyncio
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from vigie import __version__
from vigie.errors import StoreError
from vigie.ports import OutboxCounts
from vigie.queries import Health
from vigie.queries.history import StorageSize
from vigie.text import LANGUAGES, Pair, Plural, pick, plural
from vigie.text.dashboard import layout
from vigie.text.formatting import (
    brief,
    byte_size,
    clock_time,
    date,
    date_time,
    duration,
    grouped,
    local_time,
    offset,
    response_time,
    short_time,
)
from vigie.web.access import Actor, Role, actor_of
from vigie.web.page import HEADERS, LANGUAGE_COOKIE, asset, language_of
from vigie.web.site import Site

_PACKED_FROM = 1_024  # bytes: what is smaller is not worth packing
_LEVEL = 5
_YEAR_SECONDS = 31_536_000


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a page in one language: those of its own module, then those of the frame."""

    language: str
    texts: Mapping[str, Pair]
    counted: Mapping[str, Plural]

    def __call__(self, name: str, /, **values: object) -> str:
        """A text; of one that counts, the form that goes with `count`."""
        for texts, counted in ((self.texts, self.counted), (layout.TEXTS, layout.COUNTED)):
            count = values.get("count")
            if name in counted and isinstance(count, int):
                return plural(counted[name], count, self.language).format(**values)
            if name in texts:
                return pick(texts[name], self.language).format(**values)
        raise KeyError(name)

    def duration(self, ms: int) -> str:
        """A span."""
        return duration(ms, self.language)

    def raw(self, name: str) -> str:
        """A text as it is written, for a script to fill in."""
        return pick(self.texts.get(name) or layout.TEXTS[name], self.language)


class Links:
    """The addresses of pages: what is in an id is quoted."""

    def monitor(self, name: str) -> str:
        """The page of a monitor."""
        return "/monitors/" + quote(name, safe="")

    def alert(self, name: str) -> str:
        """The page of an alert."""
        return "/alerts/" + quote(name, safe="")

    def channel(self, name: str) -> str:
        """The page of a channel."""
        return "/channels/" + quote(name, safe="")

    def encoded(self, request: Request, **changes: object) -> str:
        """The parameters of the page alone, with others; those that are None go."""
        wanted: dict[str, object] = {**dict(request.query_params), **changes}
        return urlencode({name: value for name, value in wanted.items() if value is not None})

    def path(self, path: str, request: Request, **changes: object) -> str:
        """Another page with the parameters of this one, and others; those that are None go."""
        found = self.encoded(request, **changes)
        return path + ("?" + found if found else "")

    def query(self, request: Request, **changes: object) -> str:
        """The same page with other parameters; those that are None or empty go."""
        wanted: dict[str, object] = {**dict(request.query_params), **changes}
        kept = {name: value for name, value in wanted.items() if value not in (None, "")}
        return request.url.path + ("?" + urlencode(kept) if kept else "")


LINKS = Links()


async def page(
    request: Request,
    site: Site,
    template: str,
    context: Mapping[str, Any],
    words: Any = layout,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A page from a template that extends `layout.html.j2`; `words` is its module of `vigie.text.dashboard`. Raises StoreError.

    Templates get, besides the context: `words`, `language`, `asset`, `url_of`, `actor`, `role` (the roles by name), `request`, `health`,
    and how instants (`clock_time`, `date_time`, `short_time`), spans (`duration`) and latencies are written.
    """
    frame = await frame_of(request, site, words)
    text = await rendered(site, template, {**frame, **context})
    response = await packed(request, site, text, "text/html; charset=utf-8", status=status, headers=headers)
    if (asked := request.query_params.get("lang")) in LANGUAGES and asked != request.cookies.get(LANGUAGE_COOKIE):
        response.set_cookie(LANGUAGE_COOKIE, str(asked), max_age=_YEAR_SECONDS, httponly=True, samesite="lax")
    return response


async def frame_of(request: Request, site: Site, words: Any = layout) -> dict[str, Any]:
    """What `page` gives to every template; for parts of pages that are rendered by themselves.

    While the database fails it is there without what that knows; `store_fault` then says why.
    """
    size = await site.size.now() if site.size is not None else None
    try:
        health, fault = await site.health.health(), None
    except StoreError as error:
        health, fault = Health(__version__, site.now(), site.now(), None, OutboxCounts(0, 0), {}, 0, stalled=False), error
    return {**_frame(request, site, health, words, size), "store_fault": fault}


async def rendered(site: Site, template: str, context: Mapping[str, Any]) -> str:
    """A template on one of the threads for it."""
    loop = asyncio.get_running_loop()
    found: str = await loop.run_in_executor(site.renderer, lambda: site.template(template).render(context))
    return found


async def packed(
    request: Request, site: Site, text: str | bytes, kind: str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A response, by gzip where the reader takes it and it is worth it."""
    body = text.encode("utf-8", "replace") if isinstance(text, str) else text
    found = {**HEADERS, "Vary": "Accept-Encoding, Cookie", **(headers or {})}
    if len(body) >= _PACKED_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        body = await asyncio.get_running_loop().run_in_executor(site.renderer, gzipped, body)
        found["Content-Encoding"] = "gzip"
    return Response(body, status_code=status, headers=found, media_type=kind)


def gzipped(body: bytes) -> bytes:
    """The bytes in the gzip format (RFC 1952), the same for the same bytes."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return packer.compress(body) + packer.flush()


def _frame(request: Request, site: Site, health: Health, words: Any, size: StorageSize | None) -> dict[str, Any]:
    setting = site.setting()
    language, zone, now = language_of(request, setting.language), setting.zone, health.now
    actor: Actor | None = actor_of(request)
    said = Words(language, words.TEXTS, words.COUNTED)
    return {
        "words": said,
        "language": language,
        "other": "fr" if language == "en" else "en",
        "asset": asset,
        "url_of": LINKS,
        "request": request,
        "actor": actor,
        "role": Role.__members__,
        "may": lambda name: actor is not None and actor.role >= Role[name],
        "health": health,
        "open_alerts": health.with_incident if site.board is None else site.board.open_alerts,
        "storage": _storage(size, said),
        "script_words": {"now": now, "days": pick(("j", "d"), language), "words": {name: said.raw(name) for name in layout.SCRIPT}},
        "key_map": layout.KEYS,
        **_writing(language, zone, now),
    }


def _writing(language: str, zone: tzinfo, now: int) -> dict[str, Any]:
    """How instants, spans and latencies are written."""
    return {
        "now": now,
        "zone": zone,
        "zone_name": _zone_name(zone, now),
        "clock_time": lambda at: clock_time(at, zone),
        "date_time": lambda at: date_time(at, zone, language),
        "date_only": lambda at: date(at, zone, language),
        "short_time": lambda at: short_time(at, zone, language, now),
        "iso": lambda at: _iso(at, zone),
        "brief": lambda ms: brief(ms, language),
        "duration": lambda ms: duration(ms, language),
        "latency": lambda ms: response_time(ms, language),
        "grouped": lambda number: grouped(number, language),
    }


def _zone_name(zone: tzinfo, now: int) -> str:
    """`Europe/Paris (UTC+1)`."""
    shift, name = offset(local_time(now, zone)), str(zone)
    return shift if name in (shift, "UTC+00:00") else f"{name} ({shift})"


def _storage(size: StorageSize | None, words: Words) -> str:
    """How much history takes, and for how many days there is room at this rate; empty before that is known."""
    if size is None:
        return ""
    total = byte_size(size.total, words.language)
    if not size.per_day or size.free is None:
        return words("keeps", size=total)
    return words("keeps_days", size=total, count=size.free // size.per_day)


def _iso(at: int, zone: tzinfo) -> str:
    return local_time(at, zone).isoformat(timespec="seconds")
