"""`/agent/v1/…`: how an agent introduces itself, hands in what it measured and hears what to do. docs/decisions/0071.

Everything that comes in is a stranger's: read within a bound of bytes and time, unpacked within another one, and refused whole with a
problem (RFC 9457) whose `fault` is an UplinkFault.
"""

import asyncio
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Protocol

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.errors import StoreError, StoreFault, UplinkError, UplinkFault
from vigie.fleet import wire
from vigie.ports import EnrolledAgent
from vigie.web.access import Public, route
from vigie.web.gate import origin_in
from vigie.web.limits import TOKENS, Limiter, place_of
from vigie.web.page import HEADERS
from vigie.web.site import Site
from vigie.web.streams import framed

TYPE = "application/vnd.vigie"
MAX_PACKED, MAX_UNPACKED, MAX_HELLO = 8 * 1024 * 1024, 32 * 1024 * 1024, 16 * 1024
_BODY_SECONDS = 30.0
_AGENT_BYTES = 4 * MAX_PACKED  # of bodies that one agent may have here at a time, also while they arrive
_UNPACKING = 4  # requests whose batches are unpacked and checked at a time
_LONGEST_TOKEN, _MAX_EPOCH = 200, 2**63
_GZIP = 31  # zlib's number for a gzip header
_STATUS = {
    UplinkFault.AUTH: HTTPStatus.UNAUTHORIZED,
    UplinkFault.REFUSED: HTTPStatus.UNPROCESSABLE_ENTITY,
    UplinkFault.BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
    UplinkFault.STANDBY: HTTPStatus.SERVICE_UNAVAILABLE,
    UplinkFault.VERSION: HTTPStatus.UPGRADE_REQUIRED,
}
_STORE_SECONDS = 5


class AgentService(Protocol):
    """Whoever takes what agents say. Each raises UplinkError and StoreError."""

    async def by_token(self, token: str, *, guessing: bool = False) -> EnrolledAgent | None:
        """Whose token this is; `guessing`: many wrong ones came from there lately, and this one is to cost little."""
        ...

    async def hello(self, agent: EnrolledAgent, hello: wire.Hello, address: str) -> wire.Welcome:
        """It introduces itself, or says how it is."""
        ...

    async def take(self, agent: EnrolledAgent, body: bytes) -> None:
        """It hands in batches; returns when they are safe."""
        ...

    def orders(self, agent: EnrolledAgent, epoch: int) -> AsyncIterator[wire.Order]:
        """What it is to do, as it is decided."""
        ...

    async def is_still(self, agent: EnrolledAgent) -> bool:
        """Whether it is still let in."""
        ...


Handler = Callable[[Request, EnrolledAgent], Awaitable[Response]]


def routes(site: Site) -> list[BaseRoute]:
    """The routes of a site that takes reports."""
    if site.reports is None:
        return []
    one = _Reports(site.reports, site.door.limiter)
    return [
        route("/agent/v1/hello", one.by_agent(one.hello), needs=Public.AGENT, methods=["POST"], name="agent_hello", audited=False),
        route("/agent/v1/batches", one.by_agent(one.batches), needs=Public.AGENT, methods=["POST"], name="agent_batches", audited=False),
        route("/agent/v1/orders", one.by_agent(one.orders), needs=Public.AGENT, name="agent_orders", audited=False),
    ]


class _Reports:
    def __init__(self, service: AgentService, limiter: Limiter) -> None:
        self._service, self._limiter = service, limiter
        self._unpacking = asyncio.Semaphore(_UNPACKING)
        self._held = Counter[str]()

    def by_agent(self, answer: Handler) -> Callable[[Request], Awaitable[Response]]:
        """For an agent alone, with what it is told where that is not done."""

        async def endpoint(request: Request) -> Response:
            try:
                return await answer(request, await self._agent(request))
            except UplinkError as error:
                return _problem(error)
            except StoreError as error:
                return _problem(_busy(error))
            except ClientDisconnect:
                return Response(status_code=400)  # nobody hears it

        return endpoint

    async def _agent(self, request: Request) -> EnrolledAgent:
        """Whose token it came by. Raises UplinkError where that is nobody's."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        key, found = ("agent", place_of(origin_in(request).address)), None
        wait = self._limiter.wait(key)
        if scheme.lower() == "bearer" and 0 < len(token) <= _LONGEST_TOKEN:
            found = await self._service.by_token(token.strip(), guessing=wait > 0)
        if found is None:  # others behind the same address go on
            if wait:
                raise UplinkError(UplinkFault.BUSY, "too many wrong tokens from this address", retry_after_ms=wait * 1000)
            self._limiter.failed(TOKENS, key)
            raise UplinkError(UplinkFault.AUTH, "this token is not an agent's, or was revoked", permanent=True)
        return found

    async def hello(self, request: Request, agent: EnrolledAgent) -> Response:
        """An introduction."""
        try:
            async with self._body(request, MAX_HELLO, agent) as body:
                said = wire.decode(body)
        except (ValueError, msgspec.MsgspecError, RecursionError):
            raise _refused("this is not a greeting") from None
        if not isinstance(said, wire.Hello):
            raise _refused("this is not a greeting")
        welcome = await self._service.hello(agent, said, origin_in(request).address)
        return Response(wire.encode(welcome), headers=HEADERS, media_type=TYPE)

    async def batches(self, request: Request, agent: EnrolledAgent) -> Response:
        """What was measured."""
        coding = request.headers.get("content-encoding", "").strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip"):
            raise _refused(f"the encoding {coding[:20]} is not known here; send gzip")
        async with self._body(request, MAX_PACKED, agent) as body, self._unpacking:
            found = await asyncio.to_thread(_unpacked, body) if coding in ("gzip", "x-gzip") else body
            await self._service.take(agent, found)
        return Response(status_code=204, headers=HEADERS)

    async def orders(self, request: Request, agent: EnrolledAgent) -> Response:
        """What it is to do, for as long as it listens."""
        asked = request.query_params.get("epoch", "0")
        if not (asked.isascii() and asked.isdecimal() and len(asked) < 20 and int(asked) < _MAX_EPOCH):
            raise _refused("an epoch is a number")
        orders = self._service.orders(agent, int(asked))

        async def messages() -> AsyncIterator[bytes]:
            try:
                async for one in orders:
                    yield await asyncio.to_thread(wire.encode, one) if isinstance(one, wire.Work) else wire.encode(one)
            finally:
                if hasattr(orders, "aclose"):
                    await orders.aclose()

        return framed(messages(), lambda: self._service.is_still(agent))

    @asynccontextmanager
    async def _body(self, request: Request, most: int, agent: EnrolledAgent) -> AsyncIterator[bytes]:
        """All of it, within its bounds and those of its agent, whose room it takes until the end. Raises UplinkError, ClientDisconnect."""
        said = request.headers.get("content-length", "")
        if said.isdecimal() and int(said) > most:
            raise _refused(f"more than {most} bytes in one request")
        found = bytearray()
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                async for piece in request.stream():
                    if self._held[agent.name] + len(piece) > _AGENT_BYTES:
                        raise UplinkError(UplinkFault.BUSY, "too much of this agent arrives at once", retry_after_ms=1_000)
                    found += piece
                    self._held[agent.name] += len(piece)
                    if len(found) > most:
                        raise _refused(f"more than {most} bytes in one request")
            yield bytes(found)
        except TimeoutError:
            raise UplinkError(UplinkFault.BUSY, f"the request did not arrive within {_BODY_SECONDS:g} s", retry_after_ms=1_000) from None
        finally:
            self._held[agent.name] -= len(found)
            if not self._held[agent.name]:
                del self._held[agent.name]


def _unpacked(packed: bytes) -> bytes:
    """What was compressed; never more than is allowed, however small it came. Raises UplinkError."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        found = unpacker.decompress(packed, MAX_UNPACKED + 1)
    except zlib.error:
        raise _refused("this is not gzip") from None
    if len(found) > MAX_UNPACKED:
        raise _refused(f"more than {MAX_UNPACKED} bytes once it is unpacked")
    if not unpacker.eof or unpacker.unused_data:
        raise _refused("what was compressed is cut off, or more follows it")
    return found


def _busy(error: StoreError) -> UplinkError:
    """What an agent is told while the store fails, or while another server takes over what this one was about to do."""
    if error.fault is StoreFault.FENCED:
        return UplinkError(UplinkFault.BUSY, "another server has just taken this over; ask again", retry_after_ms=1_000)
    return UplinkError(UplinkFault.BUSY, f"the database cannot be used now: {error.fault}", retry_after_ms=_STORE_SECONDS * 1000)


def _refused(why: str) -> UplinkError:
    return UplinkError(UplinkFault.REFUSED, why, permanent=True)


def _problem(error: UplinkError) -> Response:
    """What an agent is told (RFC 9457)."""
    status = _STATUS.get(error.fault, HTTPStatus.SERVICE_UNAVAILABLE)
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": error.message, "fault": error.fault.value}
    if error.fix:
        body["fix"] = error.fix
    headers = dict(HEADERS)
    if error.retry_after_ms is not None:
        headers["Retry-After"] = str(max(-(-error.retry_after_ms // 1000), 1))
    if error.fault is UplinkFault.AUTH:
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return Response(msgspec.json.encode(body), status, headers, "application/problem+json")
