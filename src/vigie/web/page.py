"""What every page has in common: where templates lie, and headers under which nothing foreign is fetched or run."""

import unicodedata
from functools import cache
from hashlib import blake2b
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request

from vigie.text import LANGUAGES, pick, plural
from vigie.text.web import COUNTED, TEXTS

# Nothing is fetched from anywhere, nothing inline is run or styled: a page works offline, and a hostile monitor name cannot run a script.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # `no-referrer` would have forms send `Origin: null`, and nobody could tell them from forged ones
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=(), browsing-topics=()",
    "Cache-Control": "no-store",
}
# Of pages whose address holds a secret; they need no login, so that nothing of theirs can be forged.
LINK_HEADERS = {**HEADERS, "Referrer-Policy": "no-referrer"}


STATIC = resources.files("vigie.web").joinpath("static")  # found at once: nothing is imported any more while it is served
LANGUAGE_COOKIE = "vigie-lang"
_JOINERS = "\u200c\u200d"  # needed by some scripts and by composed emoji


@cache
def templates() -> Environment:
    """The templates, which escape everything; one environment, so that each is compiled once in a process."""
    pages = Environment(loader=PackageLoader("vigie.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    pages.filters["shown"] = shown
    pages.globals["asset"] = asset
    return pages


@cache
def asset(name: str) -> str:
    """The address of a static file, which changes with its content."""
    data = STATIC.joinpath(name).read_bytes()
    return f"/static/{name}?v={blake2b(data, digest_size=6).hexdigest()}"


def language_of(request: Request, default: str) -> str:
    """The language that a reader asks for by `?lang=`, or did the last time (a cookie), else the configured one."""
    asked = (request.query_params.get("lang", ""), request.cookies.get(LANGUAGE_COOKIE, ""))
    return next((one for one in asked if one in LANGUAGES), default)


def say(language: str, name: str, /, **values: object) -> str:
    """A text in the reader's language; of one that counts, the form that goes with `count`."""
    count = values.get("count")
    template = plural(COUNTED[name], count, language) if name in COUNTED and isinstance(count, int) else pick(TEXTS[name], language)
    return template.format(**values)


def shown(text: str) -> str:
    """A name or address without what could turn the line around or hide in it: control, invisible and bidirectional characters."""
    return "".join(char for char in text if char in _JOINERS or unicodedata.category(char) not in ("Cc", "Cf", "Cs"))
