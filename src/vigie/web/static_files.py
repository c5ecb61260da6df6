"""Files that pages fetch: ours and those of others, whole, with their licences. Their address changes with their content."""

from functools import cache

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from vigie.web.access import Public, route
from vigie.web.page import HEADERS, STATIC
from vigie.web.rendering import gzipped

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
_FOR_EVER = "public, max-age=31536000, immutable"


def routes() -> list[BaseRoute]:
    """`/static/NAME`."""
    return [route("/static/{name}", _file, needs=Public.ANYBODY)]


async def _file(request: Request) -> Response:
    found = _read(request.path_params["name"])
    if found is None:
        return PlainTextResponse("There is no such file.\n", status_code=404, headers=HEADERS)
    kind, plain, packed = found
    headers = {**HEADERS, "Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
    if packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=kind)
    return Response(plain, headers=headers, media_type=kind)


@cache
def _names() -> frozenset[str]:
    return frozenset(one.name for one in STATIC.iterdir() if one.is_file())


def _read(name: str) -> tuple[str, bytes, bytes | None] | None:
    """The kind of a file, its bytes, and those packed where that is shorter; None for what is not there."""
    return _loaded(name) if name in _names() else None


@cache
def _loaded(name: str) -> tuple[str, bytes, bytes | None]:
    data = STATIC.joinpath(name).read_bytes()
    packed = gzipped(data)
    kind = _KINDS.get("." + name.rpartition(".")[2], "application/octet-stream")
    return kind, data, packed if len(packed) < len(data) else None
