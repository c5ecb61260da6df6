"""`/api/v1/events`: what changes, as server-sent events (WHATWG HTML §9.2)."""

from collections.abc import AsyncIterator

from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie import resources as shown
from vigie.queries.live import Live
from vigie.web.access import Role, is_still
from vigie.web.api._kit import Call, Operation, instant, operation, there
from vigie.web.problems import ProblemError
from vigie.web.site import Site
from vigie.web.streams import event, streamed

_READERS = 1_000
_STREAM = Operation(
    "streamEvents",
    "GET",
    "/events",
    "What changes, as server-sent events: `Last-Event-ID` asks for what came after it; `config` means: read everything anew.",
    Role.VIEWER,
    shown.Change,
    media="text/event-stream",
)


def routes(site: Site) -> list[BaseRoute]:
    """The stream."""
    open_ = 0

    async def events(call: Call) -> Response:
        live = there(site.live)
        said = call.request.headers.get("last-event-id", "")
        if said and not (said.isascii() and said.isdecimal() and len(said) <= 18):
            raise ProblemError(400, "Last-Event-ID is the number of an event", "query")
        if open_ >= _READERS:
            raise ProblemError(503, "too many readers", headers={"Retry-After": "30"})
        return streamed(counted(live, int(said) if said else None), lambda: is_still(call.request))

    async def counted(live: Live, since: int | None) -> AsyncIterator[bytes]:
        nonlocal open_
        open_ += 1
        try:
            async with live.subscribe(since) as changes:
                async for together in changes:
                    for one in together:
                        kind: shown.ChangeKind = one.kind.value
                        yield event(kind, shown.Change(kind=kind, subject=one.subject, at=instant(one.at)), one.number)
        finally:
            open_ -= 1

    return [operation(site, _STREAM, events)]
