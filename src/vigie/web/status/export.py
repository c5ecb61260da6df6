"""A status page as files beside each other, with relative links: any web server shows them, and none is needed to look at them."""

from collections.abc import Iterator
from importlib import resources

from jinja2 import Environment

from vigie.report.public_page import PublicPage
from vigie.web.status import drawing
from vigie.web.status.badges import drawn
from vigie.web.status.places import STYLE, exported, logo_name


def files(pages: Environment, public: PublicPage) -> Iterator[tuple[str, bytes]]:
    """(relative path, content) of each file; the page's language is at the top, the other one in a folder of its name."""
    page = public.page
    static = resources.files("vigie.web").joinpath("static")
    for language, other in (drawing.languages(page), reversed(drawing.languages(page))):
        folder = "" if language == page.language else f"{language}/"
        for view, name in (("page", "index.html"), ("history", "history.html")):
            at = exported(page, "" if view == "page" else view, language, other)
            yield folder + name, drawing.html(pages, public, view, language, at).encode("utf-8", "replace")
    yield "summary.json", drawing.summary(public).encode()
    yield "feed.atom", drawing.atom(public).encode("utf-8", "replace")
    yield "feed.rss", drawing.rss(public).encode("utf-8", "replace")
    yield STYLE, static.joinpath(STYLE).read_bytes()
    if page.accent is not None:
        yield "theme.css", drawing.theme(page).encode()
    yield logo_name(page), static.joinpath("icon.svg").read_bytes() if page.logo is None else page.logo.data
    for one in public.services:
        yield f"badge/{one.key}.svg", drawn(public, one.key, "state", "90d", page.language).encode("utf-8", "replace")
