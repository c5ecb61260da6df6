"""How a page of the dashboard is made: what its frame needs is asked, and it is rendered and packed on a thread, never on the loop."""

import asyncio
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import cache
from hashlib import blake2b
from importlib import resources
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from vigie.queries import Health
from vigie.text import Pair, Plural, pick, plural
from vigie.text.dashboard import layout
from vigie.text.formatting import clock_time, date_time, duration, latency, local_time, short_time
from vigie.web.access import Actor, Role, actor_of
from vigie.web.page import HEADERS, language_of
from vigie.web.site import Site

_PACKED_FROM = 1_024  # bytes: what is smaller is not worth packing
_LEVEL = 5


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


class Links:
    """The addresses of pages: what is in an id is quoted."""

    def monitor(self, name: str) -> str:
        """The page of a monitor."""
        return "/monitors/" + quote(name, safe="")

    def alert(self, name: str) -> str:
        """The page of an alert."""
        return "/alerts/" + quote(name, safe="")

    def query(self, request: Request, **changes: object) -> str:
        """The same page with other parameters; those that are None or empty go."""
        wanted: dict[str, object] = {**dict(request.query_params), **changes}
        kept = {name: value for name, value in wanted.items() if value not in (None, "")}
        return request.url.path + ("?" + urlencode(kept) if kept else "")


LINKS = Links()


@cache
def asset(name: str) -> str:
    """The address of a static file, which changes with its content."""
    data = resources.files("vigie.web").joinpath("static", name).read_bytes()
    return f"/static/{name}?v={blake2b(data, digest_size=6).hexdigest()}"


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
    health = await site.health.health()
    frame = _frame(request, site, health, words)
    text = await rendered(site, template, {**frame, **context})
    return await packed(request, site, text, "text/html; charset=utf-8", status=status, headers=headers)


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


def _frame(request: Request, site: Site, health: Health, words: Any) -> dict[str, Any]:
    setting = site.setting()
    language, zone, now = language_of(request, setting.language), setting.zone, health.now
    actor: Actor | None = actor_of(request)
    return {
        "words": Words(language, words.TEXTS, words.COUNTED),
        "language": language,
        "other": "fr" if language == "en" else "en",
        "asset": asset,
        "url_of": LINKS,
        "request": request,
        "actor": actor,
        "role": Role.__members__,
        "may": lambda name: actor is not None and actor.role >= Role[name],
        "health": health,
        "now": now,
        "zone": zone,
        "clock_time": lambda at: clock_time(at, zone),
        "date_time": lambda at: date_time(at, zone, language),
        "short_time": lambda at: short_time(at, zone, language, now),
        "iso": lambda at: _iso(at, zone),
        "duration": lambda ms: duration(ms, language),
        "latency": lambda ms: latency(ms, language),
    }


def _iso(at: int, zone: tzinfo) -> str:
    return local_time(at, zone).isoformat(timespec="seconds")
