"""`/metrics`, for Prometheus and whoever reads its formats."""

import asyncio
from dataclasses import dataclass

from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from vigie.errors import StoreError
from vigie.queries.measures import MeasureQueries
from vigie.web.access import Role, route
from vigie.web.metrics.exposition import Lines, exposition
from vigie.web.page import HEADERS
from vigie.web.site import Site

_FRESH_SECONDS = 1.0


@dataclass(slots=True)
class _Answer:
    """What was made for one format and coding, and when."""

    made: "asyncio.Task[tuple[bytes, str]]"
    at: float


class Scrapes:
    """Makes each answer once, however many ask for it within a second; it is made on a thread, and only one at a time."""

    def __init__(self, site: Site, measures: MeasureQueries) -> None:
        self._site, self._measures, self._lines = site, measures, Lines()
        self._answers: dict[tuple[str, bool], _Answer] = {}
        self._turn = asyncio.Lock()

    async def answer(self, accept: str, *, packed: bool) -> tuple[bytes, str]:
        """The body and its content type. Raises StoreError."""
        loop, key = asyncio.get_running_loop(), (choose_encoder(accept)[1], packed)
        known = self._answers.get(key)
        if known is None or loop.time() - known.at > _FRESH_SECONDS:
            known = self._answers[key] = _Answer(loop.create_task(self._make(accept, packed=packed)), loop.time())
            loop.call_later(_FRESH_SECONDS, self._forget, key, known)
        return await asyncio.shield(known.made)

    def _forget(self, key: tuple[str, bool], answer: _Answer) -> None:
        if self._answers.get(key) is answer:
            del self._answers[key]

    async def _make(self, accept: str, *, packed: bool) -> tuple[bytes, str]:
        async with self._turn:
            measures = await self._measures.measures()
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._site.renderer, lambda: exposition(measures, self._lines, accept, packed=packed))


def routes(site: Site) -> list[BaseRoute]:
    """`/metrics`; nothing where nothing runs that could be measured."""
    if site.measures is None:
        return []
    scrapes = Scrapes(site, site.measures)

    async def metrics(request: Request) -> Response:
        packed = "gzip" in request.headers.get("accept-encoding", "")
        try:
            body, kind = await scrapes.answer(request.headers.get("accept", "")[:500], packed=packed)
        except StoreError as error:
            return PlainTextResponse(f"{error.message}\n", status_code=503, headers=HEADERS)
        coding = {"Content-Encoding": "gzip"} if packed else {}
        return Response(body, headers={**HEADERS, "Vary": "Accept, Accept-Encoding", **coding, "Content-Type": kind})

    return [route("/metrics", metrics, needs=Role.VIEWER)]
