"""Buttons under the messages of a chat: who pressed is known by the chat's own signature, what for by ours."""

import asyncio
import logging
from collections.abc import Mapping

from vigie.engine.guarding import guarded
from vigie.engine.responses import ResponseOutcome, Responses
from vigie.errors import StoreError, VigieError
from vigie.ports import ButtonSource, Clock, Press
from vigie.report.responses import ResponseAction
from vigie.text import pick
from vigie.text.web import PRESSED, PRESSED_LATER

log = logging.getLogger("vigie.responses")

PATH = "integrations"
_RETRY_SECONDS = (10.0, 60.0, 600.0, 3_600.0)
_MAX_CONFIRMING = 100


class Buttons:
    """Takes presses for the channels that have buttons, by their names."""

    def __init__(self, responses: Responses, clock: Clock, sources: Mapping[str, ButtonSource]) -> None:
        self._responses, self._clock, self._sources = responses, clock, dict(sources)
        self._confirming: set[asyncio.Task[None]] = set()

    def use(self, sources: Mapping[str, ButtonSource]) -> None:
        """The channels of a new configuration."""
        self._sources = dict(sources)

    async def press(self, channel: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Do what a button asks; False for a request that is not the chat's. Raises StoreError."""
        source = self._sources.get(channel)
        press = None if source is None else source.read(headers, body, self._clock.now())
        if source is None or press is None:
            return False
        outcome, action = ResponseOutcome.OVER, None
        try:
            if (found := await self._responses.alert_of(press.token, channel)) is not None:
                concerned, action = found
                outcome = await self._responses.respond(concerned.first.alert, action, press.by)
        except StoreError:
            self._confirm(source, press, pick(PRESSED_LATER, self._responses.setting.language))
            raise
        self._confirm(source, press, self._words(outcome, action, press))
        return True

    def _words(self, outcome: ResponseOutcome, action: ResponseAction | None, press: Press) -> str:
        """What came of it, in one line."""
        key = f"{outcome}_{action}" if outcome is ResponseOutcome.DONE else outcome.value
        return pick(PRESSED[key], self._responses.setting.language).format(by=press.by)

    def _confirm(self, source: ButtonSource, press: Press, text: str) -> None:
        """Beside the answer to the chat, which waits for three seconds only."""
        if len(self._confirming) < _MAX_CONFIRMING:
            task = asyncio.create_task(self._confirmed(source, press, text))
            self._confirming.add(task)
            task.add_done_callback(self._confirming.discard)

    async def _confirmed(self, source: ButtonSource, press: Press, text: str) -> None:
        try:
            await guarded(source.confirm(press, text))
        except VigieError as error:  # it was done all the same, and the thread will say so
            log.warning("a press could not be confirmed: %s", error.message)

    async def register(self, channel: str, url: str) -> None:
        """Have a chat send presses to us; tried again, ever more rarely, until it agrees."""
        for attempt in range(1_000_000):
            try:
                said = await guarded(self._sources[channel].register(f"{url.rstrip('/')}/{PATH}/{channel}"))
            except VigieError as error:
                wait = _RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)]
                log.warning("%s: the buttons do not work yet: %s (%s)", channel, error.message, error.fix)
                await self._clock.sleep(wait)
            else:
                if said:
                    log.info("%s: %s", channel, said)
                return

    async def close(self) -> None:
        """Confirm nothing more."""
        for task in self._confirming:
            task.cancel()
        await asyncio.gather(*self._confirming, return_exceptions=True)
