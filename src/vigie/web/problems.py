"""Errors of the API as RFC 9457 has them, whoever answers with one: the API itself, a refusal, the router, what comes before them."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigie.resources import Fault, Problem
from vigie.web.page import HEADERS

API = "/api/"
_NOT_OURS = "/api/push/"  # Uptime Kuma's: programs written for it read its own errors
MEDIA_TYPE = "application/problem+json"
_LONGEST = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class ProblemError(Exception):
    """A request that cannot be answered as it was meant. `code` names the kind of problem, where the status does not say all."""

    def __init__(
        self, status: int, detail: str, code: str = "", *, errors: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.code, self.errors, self.headers = status, detail, code, list(errors), dict(headers or {})

    def response(self) -> Response:
        """The answer."""
        kind = f"urn:vigie:problem:{self.code}" if self.code else "about:blank"
        title = self.code.replace("-", " ").capitalize() if self.code else HTTPStatus(self.status).phrase
        problem = Problem(title=title, status=self.status, type=kind, detail=self.detail, errors=self.errors)
        return Response(msgspec.json.encode(problem), self.status, {**HEADERS, **self.headers}, MEDIA_TYPE)


class Problems:
    """An application whose errors under `/api/` are problems."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app, self._routes = app, [one for one in routes if isinstance(one, Route) and one.path.startswith(API)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, but for its errors."""
        if scope["type"] != "http" or not _is_ours(scope["path"]):
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, self._allowed(scope["path"]))
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            if not answer.started:
                error = ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "this is a fault in Vigie; its log says more")
                await error.response()(scope, receive, send)
            raise

    def _allowed(self, path: str) -> str:
        """The methods of a path."""
        found = {method for one in self._routes if one.path_regex.match(path) for method in one.methods or ()}
        return ", ".join(sorted(found))


def _is_ours(path: str) -> bool:
    path = "/" + "/".join(part for part in path.split("/") if part)
    return path.startswith(API) and not path.startswith(_NOT_OURS)


class _Answer:
    """An answer on its way; an error that is not a problem is held back until it is whole, and sent as one."""

    def __init__(self, send: Send, allowed: str) -> None:
        self._send, self._allowed = send, allowed
        self._start: Message | None = None
        self._body = b""
        self.started = False

    async def send(self, message: Message) -> None:
        """The start or a part."""
        if message["type"] == "http.response.start":
            self.started = True
            kind = Headers(raw=message.get("headers", [])).get("content-type", "")
            if message["status"] >= HTTPStatus.BAD_REQUEST and not kind.startswith(MEDIA_TYPE):
                self._start = message
                return
        elif self._start is not None:
            self._body = (self._body + message.get("body", b""))[: 4 * _LONGEST]
            if not message.get("more_body", False):
                await self._as_problem(self._start)
            return
        await self._send(message)

    async def _as_problem(self, start: Message) -> None:
        kept = MutableHeaders(raw=[one for one in start.get("headers", []) if one[0].lower() not in (b"content-type", b"content-length")])
        status = int(start["status"])
        if status == HTTPStatus.METHOD_NOT_ALLOWED and self._allowed:
            kept["Allow"] = self._allowed
        words = _CONTROL.sub(" ", self._body.decode("utf-8", "replace")).strip()[:_LONGEST]
        body = msgspec.json.encode(Problem(title=HTTPStatus(status).phrase, status=status, detail=_detail(status, words, self._allowed)))
        kept["content-type"], kept["content-length"] = MEDIA_TYPE, str(len(body))
        await self._send({**start, "headers": kept.raw})
        await self._send({"type": "http.response.body", "body": body})


def _detail(status: int, words: str, allowed: str) -> str:
    """What the answer said, where that is more than its status."""
    if status == HTTPStatus.NOT_FOUND and words in ("", "Not Found"):
        return "there is no such path; /api/v1/openapi.json lists them"
    if status == HTTPStatus.METHOD_NOT_ALLOWED and allowed:
        return f"allowed here: {allowed}"
    return "" if words == HTTPStatus(status).phrase else words
