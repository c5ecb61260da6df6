"""Where a status page and its parts are: on Vigie's own host, at `/` of its own domain, or in files beside each other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vigie.report.status_page import StatusPage
from vigie.web.hosts import name_of
from vigie.web.page import asset

BASE = "vigie.status.base"  # of a request's scope: what the page's own addresses begin with
STYLE = "status.css"

Pages = Callable[[], Iterable[StatusPage]]


@dataclass(frozen=True, slots=True)
class At:
    """The addresses that a page links to; empty where there is no such thing."""

    page: str
    other: str
    history: str
    style: str
    theme: str
    logo: str
    rss: str
    atom: str
    summary: str
    mail: str = ""
    webhook: str = ""


def served(page: StatusPage, base: str, view: str, language: str, other: str) -> At:
    """Of a running Vigie; `base` ends in a slash. `view` is empty or `history`."""
    query = "" if language == page.language else f"?lang={language}"
    here = base + view if view else (base if base == "/" else base.rstrip("/"))
    home = base if base == "/" else base.rstrip("/")
    return At(
        page=home + query,
        other=here + ("" if other == page.language else f"?lang={other}"),
        history=f"{base}history{query}",
        style=asset(STYLE),
        theme=f"{base}theme.css",
        logo=f"{base}logo",
        rss=f"{base}feed.rss",
        atom=f"{base}feed.atom",
        summary=f"{base}summary.json",
        mail=f"{base}subscribe{query}" if page.mail is not None else "",
        webhook=f"{base}webhook{query}" if page.webhooks else "",
    )


def exported(page: StatusPage, view: str, language: str, other: str) -> At:
    """Of files beside each other: the page's language at the top, the other one in a folder of its own."""
    up = "" if language == page.language else "../"
    name = "history.html" if view else "index.html"
    return At(
        page="index.html",
        other=f"{other}/{name}" if language == page.language else f"../{name}",
        history="history.html",
        style=f"{up}{STYLE}",
        theme=f"{up}theme.css",
        logo=f"{up}{logo_name(page)}",
        rss=f"{up}feed.rss",
        atom=f"{up}feed.atom",
        summary=f"{up}summary.json",
    )


def logo_name(page: StatusPage) -> str:
    """What the picture is called as a file."""
    ends = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
    return f"logo.{ends.get(page.logo.media, 'svg') if page.logo is not None else 'svg'}"


@dataclass(frozen=True, slots=True)
class Place:
    """The path by which a request is answered, and the base of the page that is asked for there, None where it is about none.

    `own_host`: it came to a page's own domain, where nobody is logged in.
    """

    path: str
    base: str | None = None
    own_host: bool = False


def placed(pages: Iterable[StatusPage], host: str | None, path: str) -> Place | None:
    """Where a request belongs; None where its host is a page's own, and there is no such thing on it."""
    name = None if host is None else name_of(host)
    for page in pages:
        if page.domain is not None and page.domain == name:
            if path == f"/static/{STYLE}":
                return Place(path, own_host=True)
            return Place("/status/" + page.name + ("" if path == "/" else path), "/", own_host=True) if _is_clean(path) else None
    for page in pages:
        usual = f"/status/{page.name}"
        if path == page.path or path.startswith(page.path + "/"):
            return Place(usual + path[len(page.path) :], page.path + "/")
        if path == usual + ".json":
            return Place(usual + "/summary.json", page.path + "/")
    return Place(path)


def _is_clean(path: str) -> bool:
    """Whether it cannot be taken for a path of another page."""
    return ".." not in path.split("/")
