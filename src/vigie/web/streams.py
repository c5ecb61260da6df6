"""Server-sent events (WHATWG HTML, 9.2): how one is written, and an answer that goes on while its reader stays.

A comment every so often keeps proxies from closing the connection, and shows a reader that is gone without a word.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from starlette.responses import StreamingResponse

from vigie.web.page import HEADERS

_BEAT_SECONDS = 15.0
_BEAT = b":\n\n"
_AGAIN = b"retry: 3000\n\n"


def event(name: str, data: object, number: int | None = None) -> bytes:
    """One event with JSON in it; `number` is what a reader that comes back says it has seen."""
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {name}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"


async def _always() -> bool:
    return True


def streamed(events: AsyncIterator[bytes], may_stay: Callable[[], Awaitable[bool]] = _always) -> StreamingResponse:
    """The answer. `events` is closed when the reader is gone, or may not read on: `may_stay` is asked every few seconds."""
    headers = {**HEADERS, "X-Accel-Buffering": "no"}
    return StreamingResponse(_with_beats(events, may_stay), media_type="text/event-stream", headers=headers)


async def _with_beats(events: AsyncIterator[bytes], may_stay: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
    yield _AGAIN
    following = asyncio.ensure_future(anext(events, None))
    asked = time.monotonic()
    try:
        while True:
            done, _ = await asyncio.wait((following,), timeout=_BEAT_SECONDS)
            if time.monotonic() - asked >= _BEAT_SECONDS:
                if not await may_stay():
                    return
                asked = time.monotonic()
            if not done:
                yield _BEAT
                continue
            if (found := following.result()) is None:
                return
            following = asyncio.ensure_future(anext(events, None))
            yield found
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        if hasattr(events, "aclose"):
            await events.aclose()
