"""Vigie's own heartbeat to another watcher, such as Healthchecks: sent only while Vigie works, so that silence tells."""

import logging
from collections.abc import Awaitable, Callable

from vigie.errors import VigieError
from vigie.ports import Clock

log = logging.getLogger("vigie.watchdog")

Ping = Callable[[], Awaitable[str]]


class Watchdog:
    """Pings. `ping` raises VigieError; `why_not` says what does not work, empty when all does. Either is logged once, until it changes."""

    def __init__(self, clock: Clock, why_not: Callable[[], Awaitable[str]]) -> None:
        self._clock, self._why_not = clock, why_not
        self._ping: Ping | None = None
        self._every_seconds = 60.0
        self._said = ""

    def use(self, ping: Ping | None, every_ms: int) -> None:
        """Whom to ping, and how often; None: nobody."""
        self._ping, self._every_seconds = ping, every_ms / 1000

    async def run(self) -> None:
        """Ping for ever."""
        while True:
            await self.beat()
            await self._clock.sleep(self._every_seconds)

    async def beat(self) -> bool:
        """Ping once, if Vigie works; whether it was done."""
        if self._ping is None:
            return False
        if why := await self._why_not():
            self._say(f"no heartbeat is sent to the watchdog: {why}")
            return False
        try:
            answer = await self._ping()
        except VigieError as error:
            self._say(f"the watchdog did not take the heartbeat: {error.message}" + (f" ({error.fix})" if error.fix else ""))
            return False
        if self._said:
            log.info("the watchdog takes heartbeats again: %s", answer)
        self._said = ""
        return True

    def _say(self, words: str) -> None:
        if words != self._said:
            log.warning("%s", words)
        self._said = words
