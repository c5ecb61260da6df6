"""The watch over tasks that must never end, and over work that must not be left in its middle."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from vigie.ports import Clock

log = logging.getLogger("vigie.alive")

Loop = Callable[[], Coroutine[Any, Any, None]]  # work that never ends
_T = TypeVar("_T")
_RESTART_SECONDS = 1.0


async def keep_alive(name: str, run: Loop, clock: Clock) -> None:
    """Run a task that must never end; if it breaks, say so loudly and start it again."""
    while True:
        try:
            await run()
        except asyncio.CancelledError:
            raise
        except Exception:  # whatever it is: the watch over everything goes on
            log.exception("%s crashed and is being restarted", name)
        await clock.sleep(_RESTART_SECONDS)


async def seen_through(work: Coroutine[Any, Any, _T]) -> _T:
    """Do it to its end, also when whoever waits for it is cancelled meanwhile; only then is he."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with contextlib.suppress(Exception):  # nobody is left to be told
            await task
        raise
