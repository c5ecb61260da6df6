"""Where jobs report in: the addresses of Healthchecks (`/ping/<token>…`, HTTP API) and of Uptime Kuma's push monitors.

A body is read up to its bound and no further than is decent; whatever is wrong with it, the ping itself counts.
"""

import asyncio
import re
import zlib
from collections.abc import Callable
from typing import Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute

from vigie.observation.heartbeat import Ping, Signal
from vigie.ports import Answer
from vigie.web.access import Public, route


class PingReceiver(Protocol):
    """Takes pings."""

    def knows(self, token: str) -> bool:
        """Whether a body is worth reading."""
        ...

    async def receive(self, token: str, ping: Ping) -> Answer:
        """A ping, its time still open."""
        ...


PATHS = ("/ping/", "/api/push/")
BODY_BYTES = 10_000
_READ_BYTES = 1_048_576
_READ_SECONDS = 10.0
_RUN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EXIT = re.compile(r"[0-9]{1,3}")
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Ping-Body-Limit": str(BODY_BYTES)}
_SIGNALS = {"": Signal.SUCCESS, "start": Signal.START, "fail": Signal.FAIL, "log": Signal.LOG}
_REPLIES = {
    Answer.TAKEN: (200, "OK"),
    Answer.UNKNOWN: (404, "not found: no job has this token; `vigie ping` lists the addresses, and a ping creates no job"),
    Answer.TOO_MANY: (429, "too many pings, try again later"),
    Answer.NOT_NOW: (503, "the ping could not be stored, try again"),
}
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH"]
_PUSH_METHODS = [*_METHODS, "DELETE", "OPTIONS"]  # Express' `all`


def routes(receiver: PingReceiver) -> list[BaseRoute]:
    """The routes over whoever takes the pings."""

    async def ping(request: Request) -> Response:
        token, action = _split(request.path_params["address"], receiver.knows)
        read = _signal(action)
        run = request.query_params.get("rid", "")
        if read is None and not receiver.knows(token):
            return _reply(*_REPLIES[Answer.UNKNOWN])
        if read is None or (run and not _RUN.fullmatch(run)):
            return _reply(400, "no such ping: /start, /fail, /log or an exit status from 0 to 255, and ?rid= of letters, digits and -")
        body = await _body(request) if receiver.knows(token) else ""
        answer = await receiver.receive(token, Ping(0, read[0], run.lower(), read[1], None, body))
        return _reply(*_REPLIES[answer], later=answer in (Answer.TOO_MANY, Answer.NOT_NOW))

    async def push(request: Request) -> Response:
        asked = request.query_params
        up = all(one in ("", "up") for one in asked.getlist("status"))
        signal = Signal.SUCCESS if up else Signal.FAIL
        ping = Ping(0, signal, took_ms=_milliseconds(asked.get("ping", "")), body=asked.get("msg", "")[:BODY_BYTES])
        status, words = _REPLIES[await receiver.receive(request.path_params["token"], ping)]
        answer = {"ok": True} if status == 200 else {"ok": False, "msg": words}
        return JSONResponse(answer, status_code=status, headers=_HEADERS)

    return [
        route("/ping/{address:path}", ping, needs=Public.LINK, methods=_METHODS, audited=False),
        route("/api/push/{token}", push, needs=Public.LINK, methods=_PUSH_METHODS, audited=False),
    ]


def _split(address: str, known: Callable[[str], bool]) -> tuple[str, str]:
    """Token and action of what follows `/ping/`. A token may be a key and a name, `<key>/<slug>`, as Healthchecks has it too."""
    first, _, rest = address.partition("/")
    second, _, action = rest.partition("/")
    if action or (second and known(f"{first}/{second}")):
        return f"{first}/{second}", action
    return first, second


def _reply(status: int, words: str, *, later: bool = False) -> Response:
    return PlainTextResponse(words, status_code=status, headers={**_HEADERS, **({"Retry-After": "5"} if later else {})})


def _signal(action: str) -> tuple[Signal, int | None] | None:
    """What the end of the address says, and the exit status that it may be."""
    if action in _SIGNALS:
        return _SIGNALS[action], None
    if not _EXIT.fullmatch(action) or int(action) > 255:
        return None
    code = int(action)
    return (Signal.FAIL if code else Signal.SUCCESS), code


def _milliseconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None


async def _body(request: Request) -> str:
    """The first 10 kB. What a slow or broken sender did not bring in time is done without."""
    kept, seen = b"", 0
    try:
        async with asyncio.timeout(_READ_SECONDS):
            async for chunk in request.stream():
                kept += chunk[: BODY_BYTES - len(kept)]
                seen += len(chunk)
                if seen > _READ_BYTES:
                    break
    except (TimeoutError, ClientDisconnect):
        pass
    if request.headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip", "deflate"):
        kept = _unpacked(kept)
    return kept.decode("utf-8", "replace")


def _unpacked(packed: bytes) -> bytes:
    """The beginning of what was packed; as it came where it was not."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(packed, BODY_BYTES)
    except zlib.error:
        return packed
