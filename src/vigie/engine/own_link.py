"""Vigie's own link, as the watch over jobs sees it: whether a ping may have come in vain, and from when to when."""

from collections.abc import Awaitable, Callable

from vigie.core.model import Cause
from vigie.ports import Clock

_POLL_MS = 60_000
_REMEMBERED_MS = 7 * 86_400_000  # a link that was broken for longer is a network of its own, which needs no way out

Span = tuple[int, int]


class OwnLink:
    """`ask` tells the fault of the link, or is None where pings need none. `worked_at` is when it last worked, epoch ms, if it ever did.

    A link that never worked, or not for a week, is taken for a network that has no way out by design: it excuses nobody.
    """

    def __init__(self, ask: Callable[[], Awaitable[Cause | None]] | None, clock: Clock) -> None:
        self._ask, self._clock = ask, clock
        self.worked_at: int | None = None
        self._fine_at: int | None = None  # when it was last found to work, or excused, while somebody asked regularly
        self._broken_since: int | None = None
        self._asked_at = 0

    async def fault(self) -> Cause | None:
        """The fault that excuses a missing ping now."""
        found = await self._ask() if self._ask is not None else None
        now = self._clock.now()
        if found is None:
            self.worked_at = now
            return None
        return found if self.worked_at is not None and now - self.worked_at < _REMEMBERED_MS else None

    async def watch(self, *, overdue: bool) -> Span | None:
        """Ask now and then while a ping is overdue; the span in which none could come in, once it has ended.

        A link that heals just before the grace ends has excused nobody otherwise.
        """
        now = self._clock.now()
        if not overdue and self._broken_since is None:
            self._fine_at = None
            return None
        if 0 <= now - self._asked_at < _POLL_MS:
            return None
        self._asked_at = now
        if await self.fault() is not None:
            if self._broken_since is None:
                self._broken_since = now if self._fine_at is None else min(self._fine_at, now)
            return None
        start, self._broken_since, self._fine_at = self._broken_since, None, self._clock.now()
        return None if start is None else (start, self._fine_at)
