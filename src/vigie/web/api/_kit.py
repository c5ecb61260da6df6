"""What every resource of the API has in common: operations with what they take and give, entity tags, pages, problems.

An operation is declared once; its route, its checks and its part of the OpenAPI document come out of that.
"""

import binascii
import difflib
import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.errors import StoreError, VigieError
from vigie.planning.duration import Duration
from vigie.resources import Fault, Nothing
from vigie.web.access import Endpoint, Public, Role, actor_of, route
from vigie.web.api._repeats import Repeats
from vigie.web.page import HEADERS
from vigie.web.problems import ProblemError
from vigie.web.site import Site

T = TypeVar("T")
ROOT = "/api/v1"
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
_LARGEST = 256 * 1024
_KEY = re.compile(r"[!-~]{1,200}")
_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_UNKNOWN = "Object contains unknown field `"
_AT = " - at `$"  # what msgspec ends a fault with: where it is


@dataclass(frozen=True, slots=True)
class Operation:
    """What can be asked of a path by a method.

    `asked` is the query, `given` the body (None: it takes none), `gives` what is answered with `status`; `errors` are the statuses that
    are its own. A `guarded` one needs If-Match. `media` is the type of the answer.
    """

    name: str
    method: str
    path: str
    summary: str
    needs: Role | Public
    gives: Any
    asked: type[msgspec.Struct] = Nothing
    given: Any = None
    status: int = 200
    errors: tuple[int, ...] = ()
    guarded: bool = False
    media: str = JSON
    takes: tuple[str, ...] = (JSON,)
    optional: bool = False  # whether the body may be left out

    @property
    def tag(self) -> str:
        """The resource."""
        return self.path.split("/")[1]


@dataclass(slots=True)
class Call:
    """One request of an operation, its query and body checked."""

    request: Request
    query: Any
    body: Any

    @property
    def by(self) -> str:
        """Who asks, as it is shown afterwards."""
        actor = actor_of(self.request)
        return actor.name if actor is not None else "somebody"

    @property
    def trusted(self) -> bool:
        """Whether who asks may have any address probed."""
        actor = actor_of(self.request)
        return actor is not None and actor.role >= Role.ADMIN

    def path(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def matches(self, version: str) -> str | None:
        """The version that a change is based on, None for any. Raises ProblemError where it is not the one that is in force."""
        given = self.request.headers.get("if-match", "").strip()
        if given == "*":
            return None
        if version not in {tag.partition(":")[0] for tag in _TAG.findall(given)}:
            raise stale()
        return version


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered. `version` is what changes by If-Match are compared with."""

    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    version: str = ""


Handler = Callable[[Call], Awaitable[Answer | Response | msgspec.Struct | None]]


def operation(site: Site, one: Operation, handler: Handler) -> BaseRoute:
    """The route of an operation."""
    repeats = Repeats(site.now) if one.method == "POST" else None

    async def endpoint(request: Request) -> Response:
        try:
            return await _answered(one, handler, request, repeats)
        except ProblemError as problem:
            return problem.response()
        except StoreError as error:
            return ProblemError(503, f"{error}. {error.fix}" if error.fix else str(error), "store", headers={"Retry-After": "5"}).response()
        except ClientDisconnect:
            return Response(status_code=400)  # nobody hears it

    described: Any = endpoint
    described.operation = one
    made: Endpoint = endpoint
    return route(f"{ROOT}{one.path}", made, needs=one.needs, methods=(one.method,), name=f"api.{one.name}")


async def _answered(one: Operation, handler: Handler, request: Request, repeats: Repeats | None) -> Response:
    query = _query(request, one.asked)
    data = await _read(request, one)
    if one.guarded and "if-match" not in request.headers:
        words = "send If-Match with the ETag of what you read, or * for whatever is there"
        raise ProblemError(HTTPStatus.PRECONDITION_REQUIRED, words)

    async def answer() -> Response:
        return _response(one, request, await handler(Call(request, query, _body(data, one))))

    key = request.headers.get("idempotency-key")
    if repeats is None or key is None:
        return await answer()
    if not _KEY.fullmatch(key):
        raise ProblemError(400, "Idempotency-Key is 1 to 200 visible ASCII characters", "idempotency-key")
    actor = actor_of(request)
    whose = (actor.kind.value, actor.id or actor.name) if actor is not None else ("", "")
    return await repeats.answered((*whose, request.url.path, key), data + request.url.query.encode(), answer)


def _response(one: Operation, request: Request, made: Answer | Response | msgspec.Struct | None) -> Response:
    if isinstance(made, Response):
        return made
    answer = made if isinstance(made, Answer) else Answer(made)
    if answer.body is None:
        return Response(status_code=one.status, headers={**HEADERS, **answer.headers})
    data = msgspec.json.encode(answer.body, enc_hook=plain)
    tag = f'"{answer.version}:{hashlib.blake2b(data, digest_size=8).hexdigest()}"'
    headers = {**HEADERS, "Cache-Control": "private, no-cache", "ETag": tag, **answer.headers}
    known = request.headers.get("if-none-match", "")
    if one.method == "GET" and (known.strip() == "*" or tag.strip('"') in _TAG.findall(known)):
        return Response(status_code=304, headers=headers)
    return Response(data, one.status, headers, one.media)


def _query(request: Request, kind: type[msgspec.Struct]) -> Any:
    """The query of a request. Raises ProblemError that names every parameter that is unknown, and else the first faulty one."""
    given: dict[str, str] = {}
    for name, value in parse_qsl(request.url.query, keep_blank_values=True):
        if name in given:
            raise ProblemError(400, f"the parameter {name!r} was given twice", "query", errors=[Fault(key=name, detail="given twice")])
        given[name] = value
    fields = [one.encode_name for one in msgspec.structs.fields(kind)]
    if strangers := [name for name in given if name not in fields]:
        errors = [Fault(key=name, detail="unknown parameter", fix=_near(name, fields)) for name in strangers]
        raise ProblemError(400, "the query has unknown parameters", "query", errors=errors)
    try:
        return msgspec.convert(given, kind, strict=False, dec_hook=_given)
    except msgspec.ValidationError as error:
        raise ProblemError(400, "the query cannot be understood", "query", errors=[_fault(str(error), kind)]) from error


async def _read(request: Request, one: Operation) -> bytes:
    """The body, which is bounded and of the right type."""
    if one.given is None:
        return b""
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > _LARGEST:
        raise _too_large()
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > _LARGEST:
            raise _too_large()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in one.takes and not (not found and one.optional):
        accept = ", ".join(one.takes)
        raise ProblemError(415, f"the body must be {accept}", headers={"Accept-Patch" if one.method == "PATCH" else "Accept": accept})
    return bytes(found)


def _too_large() -> ProblemError:
    return ProblemError(413, f"at most {_LARGEST // 1024} KiB")


def _body(data: bytes, one: Operation) -> Any:
    if one.given is None:
        return None
    if not data and one.optional:
        data = b"{}"
    try:
        values = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(400, f"this is not JSON: {error}"[:300], "json") from error
    try:
        return msgspec.convert(values, one.given, dec_hook=_given)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ProblemError(422, "the body is not valid", "validation", errors=[_fault(str(error), one.given)]) from error


def _fault(said: str, kind: Any) -> Fault:
    """What msgspec found wrong, with its place."""
    if said.startswith(_UNKNOWN) and said.endswith("`"):
        name, _, at = said[len(_UNKNOWN) : -1].partition(f"`{_AT}")
        fields = (
            [one.encode_name for one in msgspec.structs.fields(kind)] if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else []
        )
        return Fault(key=".".join(filter(None, (at.removeprefix("."), name)))[:200], detail="unknown key", fix=_near(name, fields))
    detail, found, key = said.partition(_AT) if said.endswith("`") else (said, "", "")
    return Fault(key=key.removeprefix(".").removesuffix("`")[:200] if found else "", detail=detail.replace("`", "")[:300])


def _near(name: str, known: Sequence[str]) -> str:
    found = difflib.get_close_matches(name, known, 1)
    return f"did you mean {found[0]!r}?" if found else f"known: {', '.join(known)}" if known else "there are none"


def _given(kind: type, value: Any) -> Any:
    if kind is Duration and isinstance(value, str):
        return Duration.parse(value)
    raise ValueError("expected a duration such as 30m")


def plain(value: Any) -> Any:
    """What JSON has no form for."""
    if isinstance(value, Duration):
        return str(value)
    raise NotImplementedError(type(value))


def there(port: T | None) -> T:
    """A port that this Vigie has. Raises ProblemError."""
    if port is None:
        raise ProblemError(501, "this Vigie does not offer that", "not-offered")
    return port


def missing(what: str, name: object) -> ProblemError:
    """There is no such thing."""
    return ProblemError(404, f"there is no {what} {str(name)[:200]!r}")


def stale() -> ProblemError:
    """Somebody was faster."""
    return ProblemError(HTTPStatus.PRECONDITION_FAILED, "it is another one than you read: read it again, and apply your change to that")


def instant(at: int) -> datetime:
    """Epoch ms as an instant."""
    return datetime.fromtimestamp(at / 1000, UTC)


def maybe(at: int | None) -> datetime | None:
    """The same of what may be unknown."""
    return None if at is None else instant(at)


def epoch_ms(at: datetime) -> int:
    """And back. Raises ProblemError for what no instant of ours can be."""
    try:
        return round(at.timestamp() * 1000)
    except (OverflowError, ValueError, OSError) as error:
        raise ProblemError(400, "an instant is out of range", "query") from error


def cursor_of(kind: str, key: str) -> str:
    """A cursor that holds the key of the last item that was given."""
    return urlsafe_b64encode(f"{kind}|{key}".encode()).decode().rstrip("=")


def key_in(cursor: str, kind: str) -> str:
    """The key in a cursor of a list. Raises ProblemError."""
    try:
        found, _, key = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode().partition("|")
    except (ValueError, binascii.Error):
        found, key = "", ""
    if found != kind or cursor_of(kind, key) != cursor:
        raise bad_cursor()
    return key


def bad_cursor() -> ProblemError:
    """A cursor that no page gave."""
    return ProblemError(
        400, "this is not a cursor of this list", "query", errors=[Fault(key="cursor", detail="unknown", fix="leave it out")]
    )


async def paged(read: Awaitable[T]) -> T:
    """A page of a query, whose complaint can only be about the cursor."""
    try:
        return await read
    except StoreError:
        raise
    except VigieError as error:
        raise bad_cursor() from error
