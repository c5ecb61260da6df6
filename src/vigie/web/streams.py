"""Server-sent events (WHATWG HTML, 9.2): how one is written, and an answer that goes on while its reader stays.

A comment every so often (an empty frame, where messages are no events) keeps proxies from closing the connection, and shows a reader that
is gone without a word.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import msgspec
from starlette.responses import StreamingResponse

from vigie.web.page import HEADERS

_BEAT_SECONDS = 15.0
_BEAT = b":\n\n"
_AGAIN = b"retry: 3000\n\n"
_SIGN = bytes(4)
FRAMES = "application/vnd.vigie.orders"
_HEADERS = {**HEADERS, "X-Accel-Buffering": "no"}


def event(name: str, data: object, number: int | None = None) -> bytes:
    """One event with JSON in it; `number` is what a reader that comes back says it has seen."""
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {name}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"


async def _always() -> bool:
    return True


def streamed(events: AsyncIterator[bytes], may_stay: Callable[[], Awaitable[bool]] = _always) -> StreamingResponse:
    """The answer. `events` is closed when the reader is gone, or may not read on: `may_stay` is asked every few seconds."""
    return StreamingResponse(_with_beats(events, may_stay, _AGAIN, _BEAT), media_type="text/event-stream", headers=_HEADERS)


def framed(messages: AsyncIterator[bytes], may_stay: Callable[[], Awaitable[bool]]) -> StreamingResponse:
    """The same of messages, each behind its length as four bytes, little-endian; a length of zero is a sign of life."""

    async def frames() -> AsyncIterator[bytes]:
        async with aclosing(messages) as open_:  # type: ignore[type-var]  # a generator, as all that is streamed
            async for one in open_:
                yield len(one).to_bytes(4, "little") + one

    return StreamingResponse(_with_beats(frames(), may_stay, _SIGN, _SIGN), media_type=FRAMES, headers=_HEADERS)


async def _with_beats(
    events: AsyncIterator[bytes], may_stay: Callable[[], Awaitable[bool]], first: bytes, beat: bytes
) -> AsyncIterator[bytes]:
    yield first
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
                yield beat
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
