"""Errors as people see them, whoever answers with one: a page in the frame, or a small box where a part of a page was asked for.

Programs get what they got: problems under `/api/` (problems.py), a line of text elsewhere. A status page on its own domain stays as it is.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigie.errors import StoreError
from vigie.text.dashboard import errors as texts
from vigie.web.access import SAFE_METHODS, actor_of
from vigie.web.page import HEADERS
from vigie.web.problems import API, MEDIA_TYPE, ProblemError
from vigie.web.rendering import Words, frame_of, page, rendered
from vigie.web.site import Site

log = logging.getLogger("vigie.web")

_APART_MS = 120_000  # failures of the database that are further apart are two
_LOG_MS = 60_000
_PLAIN = ("text/plain", MEDIA_TYPE)
_KEPT = ("allow", "retry-after", "www-authenticate")
_MACHINES = (API, "/static/", "/ping/", "/integrations/")


class Errors:
    """What is answered instead of a page. One of a site: it knows since when the database has been failing."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._since = self._last = self._logged = 0

    def people(self, app: ASGIApp) -> ASGIApp:
        """The application, whose plain errors are pages for people."""

        async def answered(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope)
            if scope["type"] != "http" or not (_is_fragment(request) or _looks(request)):
                await app(scope, receive, send)
                return
            held = _Held(send)
            try:
                await app(scope, receive, held.send)
            finally:  # after a crash too, which whoever listens logs
                if held.start is not None:
                    response = await self._instead(request, held)
                    await response(scope, receive, send)

        return answered

    async def store(self, request: Request, error: Exception) -> Response:
        """The answer to whoever asked for what the database cannot give or take now."""
        assert isinstance(error, StoreError)  # noqa: S101 - registered for it alone
        since = self._noticed(error)
        if request.url.path.startswith(API):
            return ProblemError(503, _said(error), "store", headers={"Retry-After": "5"}).response()
        later = {**HEADERS, "Retry-After": "5"}
        if not (_is_fragment(request) or _looks(request)):
            return PlainTextResponse(_said(error) + "\n", 503, headers=later)
        words = await self._words(request)
        what = words(f"what_{error.fault}")
        if _is_fragment(request):
            return await self._box(request, words("box", what=what), 503)
        known = actor_of(request) is not None  # others learn nothing about the machine
        context = {"title": what, "fault": error.fault.value, "since": since, "detail": _said(error) if known else ""}
        return await self._page(request, 503, context, later)

    async def _instead(self, request: Request, held: "_Held") -> Response:
        assert held.start is not None  # noqa: S101 - asked by the caller
        status = int(held.start["status"])
        kept = {name: value for name, value in Headers(raw=held.start.get("headers", [])).items() if name in _KEPT}
        try:
            words = await self._words(request)
            name = str(status) if f"title_{status}" in texts.TEXTS else "other"
            title, how = words(f"title_{name}"), words(f"how_{name}", status=status)
            if not _is_fragment(request):
                return await self._page(request, status, {"title": title, "how": how}, {**HEADERS, **kept})
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                return await self._box(request, f"{title}. {how}", status)
            return PlainTextResponse(f"{title}. {how}", status, headers={**HEADERS, **kept})
        except Exception:  # the answer was an error before this one
            log.exception("the page of an error could not be made")
            return PlainTextResponse(HTTPStatus(status).phrase + "\n", status, headers={**HEADERS, **kept})

    async def _page(self, request: Request, status: int, context: Mapping[str, object], headers: Mapping[str, str]) -> Response:
        usual = {"fault": "", "how": "", "detail": "", "since": 0, "sent": request.method not in SAFE_METHODS, "status": status}
        frame = "door.html.j2" if actor_of(request) is None else "layout.html.j2"
        return await page(request, self._site, "error.html.j2", {**usual, **context, "frame": frame}, texts, status=status, headers=headers)

    async def _box(self, request: Request, said: str, status: int) -> Response:
        here = urlsplit(request.headers.get("hx-current-url", ""))
        again = (here.path or "/") + (f"?{here.query}" if here.query else "") if request.method in SAFE_METHODS else ""
        frame = await frame_of(request, self._site, texts)
        text = await rendered(self._site, "error_box.html.j2", {**frame, "said": said, "again": "/" + again.lstrip("/") if again else ""})
        headers = {**HEADERS, "HX-Reswap": "innerHTML", "HX-Reselect": ".strip-note", "Retry-After": "5"}
        return Response(text, status, headers, "text/html; charset=utf-8")

    async def _words(self, request: Request) -> Words:
        found: Words = (await frame_of(request, self._site, texts))["words"]
        return found

    def _noticed(self, error: StoreError) -> int:
        """Since when it has been failing, as pages have seen it, epoch ms. It is logged once a minute, however many pages ask."""
        now = self._site.now()
        if now - self._last > _APART_MS:
            self._since, self._logged = now, 0
        self._last = now
        if now - self._logged >= _LOG_MS:
            self._logged = now
            log.error("pages cannot be shown: %s", _said(error))
        return self._since


class _Held:
    """An answer on its way; a plain error is held back. `start` is how such a one began."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.start: Message | None = None

    async def send(self, message: Message) -> None:
        """The start or a part."""
        if message["type"] == "http.response.start":
            kind = Headers(raw=message.get("headers", [])).get("content-type", "")
            if message["status"] >= HTTPStatus.BAD_REQUEST and kind.startswith(_PLAIN):
                self.start = message
        if self.start is None:
            await self._send(message)


def _is_fragment(request: Request) -> bool:
    return request.headers.get("hx-request") == "true" and not request.url.path.startswith(_MACHINES)


def _looks(request: Request) -> bool:
    """Whether a person looks at the answer."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(_MACHINES)


def _said(error: StoreError) -> str:
    return f"{error.message}. {error.fix}" if error.fix else error.message
