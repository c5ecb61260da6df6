"""Badges for other pages: the state of a service, its availability, how fast it answers. `/badge/PAGE/SERVICE.svg`."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.report.public_page import PublicPage, PublicService, on_language
from vigie.text.formatting import latency
from vigie.web.access import Public, route
from vigie.web.site import Site
from vigie.web.status.drawing import share, words_in, xml
from vigie.web.status.places import BASE
from vigie.web.status.responses import PublicPages, missing

_SPANS = {"24h": 1, "1d": 1, "7d": 7, "30d": 30, "90d": 90}
_COLOURS = {"up": "#2b7a54", "down": "#b9261b", "degraded": "#8f5200", "unknown": "#5a4fb0", "maintenance": "#1f6b85"}
_LABEL, _PLAIN = "#3c434b", "#5b626c"
_WIDTH = 6.6  # of a character of 11 px, on the average; the text is fitted to it
_KINDS = ("state", "availability", "latency")


def routes(site: Site) -> list[BaseRoute]:
    """By page and service; below a page's own address, too."""
    pages = PublicPages(site)

    async def badge(request: Request) -> Response:
        kind, span = request.query_params.get("type", "state"), request.query_params.get("span", "90d")
        if kind not in _KINDS or span not in _SPANS:
            return missing()
        found, service = pages.asked(request), request.path_params["service"]
        if found is None or service not in {one.key for one in found[0].components}:
            return missing()
        key = ("badge", service, kind, span if kind == "availability" else "")
        return await pages.answer(
            request,
            key,
            "image/svg+xml",
            lambda public, page, language, base: drawn(public, service, kind, span, language),  # noqa: ARG005 - the signature of what writes
        )

    async def of_page(request: Request) -> Response:
        queries = site.status_pages
        page = None if queries is None else queries.page(request.path_params["name"])
        if page is not None:
            request.scope[BASE] = page.path + "/"
        return await badge(request)

    return [
        route("/badge/{name}/{service}.svg", of_page, needs=Public.ANYBODY),
        route("/status/{name}/badge/{service}.svg", badge, needs=Public.ANYBODY, name="status_badge"),
    ]


def drawn(public: PublicPage, service: str, kind: str, span: str, language: str) -> str:
    """The badge of a service that is on the page."""
    shown_to = on_language(public, language)
    one = next(found for found in shown_to.services if found.key == service)
    words = words_in(language)
    if kind == "state":
        own = dict(shown_to.page.words)
        return svg(one.name, own.get(one.state.value) or words(one.state.value), _COLOURS[one.state.value])
    if kind == "latency":
        return svg(
            f"{one.name}, {words('latency')}", words("no_figure") if one.latency_ms is None else latency(one.latency_ms, language), _PLAIN
        )
    return _availability(one, span, language)


def _availability(one: PublicService, span: str, language: str) -> str:
    words, ratio = words_in(language), dict(one.availabilities).get(_SPANS[span])
    label = f"{one.name}, {words('availability')} {span if language == 'en' else span.replace('d', ' j').replace('h', ' h')}"
    if ratio is None:
        return svg(label, words("no_figure"), _PLAIN)
    colour = _COLOURS["up" if ratio >= 0.999 else "degraded" if ratio >= 0.99 else "down"]
    return svg(label, share(ratio, language), colour)


def svg(label: str, value: str, colour: str) -> str:
    """Two words beside each other; its name says both."""
    first, second = (round(len(text) * _WIDTH + 12) for text in (label, value))
    label, value = xml(label), xml(value)
    wide, title = first + second, f"{label} – {value}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="20" role="img"><title>{title}</title>'
        f'<rect width="{wide}" height="20" rx="4" fill="{colour}"/>'
        f'<path d="M4 0h{first - 4}v20h-{first - 4}a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4z" fill="{_LABEL}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{first / 2:g}" y="14" textLength="{first - 12}">{label}</text>'
        f'<text x="{first + second / 2:g}" y="14" textLength="{second - 12}">{value}</text></g></svg>\n'
    )
