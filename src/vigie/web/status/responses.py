"""How public pages are answered: written once a change, kept in memory, and known by what is in them, so that a cache can serve them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from vigie.errors import StoreError
from vigie.report.public_page import PublicPage
from vigie.report.status_page import StatusPage
from vigie.text import LANGUAGES
from vigie.web.access import Role, may
from vigie.web.page import HEADERS
from vigie.web.rendering import gzipped
from vigie.web.site import Site
from vigie.web.status import drawing
from vigie.web.status.places import BASE, At, served

HTML = "text/html; charset=utf-8"
_FOR_ALL = "public, max-age=15"
_SECURE = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_PACKED_FROM = 512


@dataclass(frozen=True, slots=True)
class Body:
    """What was written: plain, packed, and by which tag it is known (made of these bytes alone)."""

    plain: bytes
    packed: bytes | None
    tag: str

    @classmethod
    def of(cls, text: str) -> "Body":
        """Of a text."""
        plain = text.encode("utf-8", "replace")
        packed = gzipped(plain) if len(plain) >= _PACKED_FROM else None
        return cls(plain, packed, f'"{blake2b(plain, digest_size=12).hexdigest()}"')


Key = tuple[str, ...]


class PublicPages:
    """What every public route needs: which page is asked for, by whom, and what was written already."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._written: dict[Key, tuple[PublicPage, Body]] = {}

    def asked(self, request: Request) -> tuple[StatusPage, str] | None:
        """The page and its base; None where there is none that may be seen: a stranger cannot tell a private page from none."""
        queries, base = self._site.status_pages, request.scope.get(BASE)
        page = None if queries is None else queries.page(request.path_params["name"])
        if page is None or base is None or not (page.public or may(request, Role.VIEWER)):
            return None
        return page, base

    def language(self, request: Request, page: StatusPage) -> str:
        """That of the reader where they asked for one."""
        asked = request.query_params.get("lang", page.language)
        return asked if asked in LANGUAGES else page.language

    def at(self, page: StatusPage, base: str, view: str, language: str) -> At:
        """Where the parts of the page are."""
        return served(page, base, view, language, "fr" if language == "en" else "en")

    async def public(self, page: StatusPage) -> PublicPage | None:
        """What may be shown. Raises StoreError."""
        queries = self._site.status_pages
        return None if queries is None else await queries.public(page.name)

    async def answer(self, request: Request, key: Key, kind: str, write: Callable[[PublicPage, StatusPage, str, str], str]) -> Response:
        """A view of the page: written by `write` (page, its keys, language, base) on a thread, unless it was and nothing changed."""
        found = self.asked(request)
        if found is None:
            return missing()
        page, base = found
        language = self.language(request, page)
        try:
            public = await self.public(page)
        except StoreError:
            return PlainTextResponse("Please try again in a minute.\n", 503, headers={**HEADERS, "Retry-After": "60"})
        if public is None:
            return missing()
        body = await self._body((page.name, base, language, *key), public, lambda: write(public, page, language, base))
        return respond(request, body, kind, public=page.public)

    async def _body(self, key: Key, public: PublicPage, write: Callable[[], str]) -> Body:
        known = self._written.get(key)
        if known is not None and known[0] is public:
            return known[1]
        body = await asyncio.get_running_loop().run_in_executor(self._site.renderer, lambda: Body.of(write()))
        if len(self._written) > 4_096:  # badges of pages that are gone, and bases of an old configuration
            self._written.clear()
        self._written[key] = (public, body)
        return body

    async def message(self, request: Request, page: StatusPage, base: str, status: int, heading: str, said: str, **more: Any) -> Response:
        """A page of a few words, never kept."""
        language = self.language(request, page)
        public = await self.public(page)
        if public is None:
            return missing()
        at = self.at(page, base, "", language)
        text = await asyncio.get_running_loop().run_in_executor(
            self._site.renderer,
            lambda: drawing.html(self._site.pages, public, "message", language, at, heading=heading, said=said, **more),
        )
        headers = {**HEADERS, "Content-Security-Policy": _SECURE, "Cache-Control": "no-store"}
        return Response(text.encode("utf-8", "replace"), status, headers=headers, media_type=HTML)


def respond(request: Request, body: Body, kind: str, *, public: bool = True) -> Response:
    """The body, or that it is the one that the reader has (RFC 9110 §13.1.2)."""
    headers = {
        **HEADERS,
        "Content-Security-Policy": _SECURE,
        "Cache-Control": _FOR_ALL if public else "private, no-store",
        "ETag": body.tag,
        "Vary": "Accept-Encoding",
    }
    if kind.startswith(("application/json", "image/svg", "application/atom", "application/rss")) and public:
        headers["Access-Control-Allow-Origin"] = "*"  # badges and summaries are there to be read by other pages
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if body.tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    if body.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(body.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=kind)
    return Response(body.plain, headers=headers, media_type=kind)


def missing() -> Response:
    """The same for whatever is not there, or not for this reader."""
    return PlainTextResponse("There is nothing here.\n", 404, headers={**HEADERS, "Content-Security-Policy": _SECURE})
