"""What the pages share by which people set things up: their forms' fields, who acts, notices of what was done, and names to choose from."""

import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from vigie.core.model import Monitor
from vigie.planning import wall
from vigie.web.access import actor_of
from vigie.web.forms import body_of, is_form, line
from vigie.web.page import HEADERS

BODY_BYTES = 131_072
_MAX_FIELDS = 400
_NAMES = 20  # that are offered at once
_NAME = 200

Endpoint = Callable[[Request], Awaitable[Response]]


class Texts:
    """The fields of a form, each as often as it was given."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._by: dict[str, list[str]] = {}
        for name, value in pairs:
            self._by.setdefault(name, []).append(value)

    def one(self, name: str) -> str:
        """The last one as it is; empty where there is none."""
        return self._by.get(name, [""])[-1]

    def line(self, name: str, most: int = _NAME) -> str:
        """The last one as one line, cut."""
        return line(self.one(name))[:most]

    def lines(self, name: str) -> list[str]:
        """All that are not empty, each but once."""
        return list(dict.fromkeys(found for text in self._by.get(name, []) if (found := line(text))))

    def below(self, prefix: str) -> dict[str, str]:
        """Those whose names begin so, without that."""
        return {name.removeprefix(prefix): values[-1] for name, values in self._by.items() if name.startswith(prefix)}


async def submitted(request: Request) -> Texts | Response:
    """The fields of what was sent, or the answer to what is not a form of ours."""
    body = await body_of(request, BODY_BYTES) if is_form(request) else None
    if body is None:
        return PlainTextResponse("This is not a form, or it is too long.\n", status_code=400, headers=HEADERS)
    try:
        pairs = parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True, errors="replace", max_num_fields=_MAX_FIELDS)
    except ValueError:
        return PlainTextResponse("The form has too many fields.\n", status_code=400, headers=HEADERS)
    return Texts(pairs)


def by(request: Request) -> str:
    """Who acts, as it is shown afterwards."""
    actor = actor_of(request)
    return "somebody" if actor is None else actor.name


def partial(request: Request) -> bool:
    """Whether a part of a page is wanted in place of the whole."""
    return "hx-request" in request.headers


def moved(path: str, **notice: str) -> Response:
    """What follows an action: the page that shows it, with its notice."""
    query = urlencode({name: value for name, value in notice.items() if value})
    return RedirectResponse(f"{path}?{query}" if query else path, status_code=303, headers=HEADERS)


def unavailable() -> Response:
    """The answer where what a page is about is not there."""
    return PlainTextResponse("This part of Vigie is not available here.\n", status_code=503, headers=HEADERS)


def absent(words: str = "There is no such page.\n") -> Response:
    """The answer to an address of nothing."""
    return PlainTextResponse(words, status_code=404, headers=HEADERS)


def is_secret(request: Request, secret: str) -> bool:
    """Whether the address holds this secret, in constant time; never where there is none."""
    return bool(secret) and hmac.compare_digest(secret.encode(), request.query_params.get("token", "").encode("utf-8", "replace"))


def noticed(request: Request, words: Mapping[str, Any]) -> str:
    """The name of the notice that an action left, where there is a text of that name."""
    name = f"done_{request.query_params.get('done', '')}"
    return name if name in words else ""


def offered(monitors: Sequence[Monitor], text: str) -> list[str]:
    """The first names that hold a text, those that begin with it before the others."""
    wanted = text.casefold().strip()
    found = [one.name for one in monitors if wanted in one.name.casefold() or wanted in one.id]
    return sorted(dict.fromkeys(found), key=lambda name: (not name.casefold().startswith(wanted), name))[:_NAMES]


def tags_of(monitors: Sequence[Monitor], most: int = 200) -> list[str]:
    """The tags that there are."""
    return sorted({tag for one in monitors for tag in one.tags})[:most]


def instant(text: str, zone: tzinfo, *, end: bool = False) -> int | None:
    """Epoch ms of a field of date and time, by the clock on the wall of a zone; None for what is not one."""
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if local.tzinfo is not None:
        return round(local.timestamp() * 1000)
    try:
        return wall.ends(local, zone) if end else wall.begins(local, zone)
    except (OverflowError, ValueError):
        return None


def local_field(at: int, zone: tzinfo) -> str:
    """An instant as a field of date and time has it."""
    return wall.shown(at, zone).isoformat(timespec="minutes")
