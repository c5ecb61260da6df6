"""The public pages: the page itself, its history, feeds, summary, and what they are drawn with."""

from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.report.public_page import PublicPage
from vigie.report.status_page import StatusPage
from vigie.web.access import Public, route
from vigie.web.page import HEADERS
from vigie.web.site import Site
from vigie.web.status import drawing
from vigie.web.status.responses import HTML, Body, PublicPages, missing, respond

_PICTURE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"  # an SVG may hold styles; it runs nothing and fetches nothing


def routes(site: Site) -> list[BaseRoute]:
    """`/status/NAME` and what is below it; a page's own domain and path are led here by `places.placed`."""
    pages = PublicPages(site)

    def draw(view: str, public: PublicPage, page: StatusPage, language: str, base: str) -> str:
        at = pages.at(page, base, "" if view == "page" else view, language)
        return drawing.html(site.pages, public, view, language, at)

    async def page(request: Request) -> Response:
        return await pages.answer(request, ("page",), HTML, lambda *made: draw("page", *made))

    async def history(request: Request) -> Response:
        return await pages.answer(request, ("history",), HTML, lambda *made: draw("history", *made))

    async def summary(request: Request) -> Response:
        return await pages.answer(request, ("json",), "application/json", lambda public, *_: drawing.summary(public))

    async def atom(request: Request) -> Response:
        return await pages.answer(request, ("atom",), "application/atom+xml; charset=utf-8", lambda public, *_: drawing.atom(public))

    async def rss(request: Request) -> Response:
        return await pages.answer(request, ("rss",), "application/rss+xml; charset=utf-8", lambda public, *_: drawing.rss(public))

    async def theme(request: Request) -> Response:
        found = pages.asked(request)
        if found is None or found[0].accent is None:
            return missing()
        return respond(request, Body.of(drawing.theme(found[0])), "text/css; charset=utf-8", public=found[0].public)

    async def logo(request: Request) -> Response:
        found = pages.asked(request)
        return missing() if found is None else _logo(found[0])

    parts = [
        ("", page), ("/history", history), ("/summary.json", summary), ("/feed.atom", atom), ("/feed.rss", rss), ("/theme.css", theme),
        ("/logo", logo),
    ]  # fmt: skip
    return [route(f"/status/{{name}}{path}", endpoint, needs=Public.ANYBODY) for path, endpoint in parts]


def _logo(page: StatusPage) -> Response:
    """The owner's picture, or Vigie's own mark."""
    logo = page.logo
    data = resources.files("vigie.web").joinpath("static", "icon.svg").read_bytes() if logo is None else logo.data
    headers = {
        **HEADERS,
        "Content-Security-Policy": _PICTURE,
        "Cache-Control": "public, max-age=300" if page.public else "private, no-store",
    }
    return Response(data, headers=headers, media_type="image/svg+xml" if logo is None else logo.media)
