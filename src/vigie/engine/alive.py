"""The watch over tasks that must never end."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from vigie.ports import Clock

log = logging.getLogger("vigie.alive")

_RESTART_SECONDS = 1.0


async def keep_alive(name: str, run: Callable[[], Coroutine[Any, Any, None]], clock: Clock) -> None:
    """Run a task that must never end; if it breaks, say so loudly and start it again."""
    while True:
        try:
            await run()
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("%s broke and is started again", name)
        await clock.sleep(_RESTART_SECONDS)
