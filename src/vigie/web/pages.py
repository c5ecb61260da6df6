"""What every page has in common: where templates lie, and headers under which nothing foreign is fetched or run."""

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request

from vigie.web.words import WORDS, shown

# Nothing is fetched from anywhere: a page works offline, and a hostile monitor name cannot run a script.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def templates() -> Environment:
    """The templates, which escape everything."""
    pages = Environment(loader=PackageLoader("vigie.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    pages.filters["shown"] = shown
    return pages


def language_of(request: Request, default: str) -> str:
    """The language that a reader asked for by `?lang=`, else the configured one."""
    asked = request.query_params.get("lang", default)
    return asked if asked in WORDS else default
