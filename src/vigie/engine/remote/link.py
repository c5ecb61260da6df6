"""The link of an agent to its servers, as its log tells it: each fault once, with what to do, and that it is over."""

import asyncio
import hashlib
import logging
from collections.abc import Callable

from vigie.errors import UplinkError, UplinkFault
from vigie.ports import Clock

log = logging.getLogger("vigie.uplink")

_FIRST_MS, _LONGEST_MS = 1_000, 10_000
_TAKEOVER_MS = 2_000  # at most, while no server evaluates: another one takes over within seconds
_REFUSED_MS = 60_000  # until one that is refused asks again
_ASKED_MS = 300_000  # that a server may ask to be left alone
_REMIND_SECONDS = 3_600.0


def wait_ms(error: UplinkError, attempt: int, key: str) -> int:
    """How long to wait after the `attempt`-th fault (from 1): a second, doubled each time up to ten (or two), a quarter more or less.

    The jitter is a hash of the key, so that many agents do not all come back at once. Who is refused waits a minute.
    """
    longest = _TAKEOVER_MS if error.fault is UplinkFault.STANDBY else _LONGEST_MS
    wait = _REFUSED_MS if error.permanent else min(_FIRST_MS << min(attempt - 1, 10), longest)
    digest = hashlib.blake2b(f"{key}:{attempt}".encode(), digest_size=4).digest()
    spread = round(wait * (0.75 + 0.5 * int.from_bytes(digest) / 0xFFFFFFFF))
    return max(spread, min(error.retry_after_ms or 0, _ASKED_MS))


class LinkLog:
    """Hears of every try, whoever made it. `waiting` says in words what waits in the spool."""

    def __init__(self, clock: Clock, waiting: Callable[[], str]) -> None:
        self._clock, self._waiting = clock, waiting
        self._failing: dict[str, UplinkError] = {}
        self._since = self._said_at = 0.0
        self._said: tuple[str, str] | None = None
        self._worked = asyncio.Event()  # of this moment: whoever waits for another try need not wait any longer

    async def pause(self, seconds: float) -> None:
        """Wait for another try, until somebody else's succeeds."""
        back = self._worked
        waits = asyncio.create_task(back.wait()), asyncio.create_task(self._clock.sleep(seconds))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()

    @property
    def is_down(self) -> bool:
        """Whether the last try of somebody failed."""
        return bool(self._failing)

    def failed(self, what: str, error: UplinkError) -> None:
        """A try for `what` failed."""
        now = self._clock.monotonic()
        if not self._failing:
            self._since = now
        self._failing[what] = error
        kind = (error.fault, error.message)
        if self._said is not None and (self._said == kind or self._said[0] == error.fault) and now - self._said_at < _REMIND_SECONDS:
            return
        self._said, self._said_at = kind, now
        fix = f" Fix: {error.fix}." if error.fix else ""
        log.error("%s. Checks go on, and what they find is kept here (%s).%s", error.message, self._waiting(), fix)

    def worked(self, what: str) -> None:
        """A try for `what` succeeded."""
        if self._failing.pop(what, None) is None:
            return
        self._worked.set()
        self._worked = asyncio.Event()
        if self._failing:
            return
        self._said = None
        seconds = self._clock.monotonic() - self._since
        log.warning("the servers are reached again after %.0f s; %s", seconds, self._waiting())
