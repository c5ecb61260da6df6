"""Foreign documents are handed to processes of their own, which are killed when one takes too long, and started anew.

One process reads pages, one document after the other; another does what may take long by a user's own wish, such as a search in a
document of a hundred megabytes. Both are started when they are first needed.
"""

import logging
import sys
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import msgspec

from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.lane import Lane, Unread

__all__ = ["Ask", "Unread", "Workers", "shared_workers"]

log = logging.getLogger("vigie.prober")

# Seconds of one document: of CPU, and on the clock, which counts where a process cannot limit its CPU.
_PAGES = ("page", "wall", "text")
_BOUNDS = {"content": (1.0, 5.0), "select": (1.0, 5.0), "search": (0.1, 2.0)}
_USUAL_BOUNDS = 0.3, 2.0
_WAIT_SECONDS = 6.0
_MIN_SECONDS = 0.1
_PAGES_LEFT_OUT, _SEARCHES_LEFT_OUT = 32, 2  # at most, between two tries; what a user expects is to be judged soon again


class Ask(Protocol):
    """Has a job done in another process. `left` is how many seconds there are; `long`: the job may take all of them."""

    async def __call__(self, job: str, fields: dict[str, Any], body: bytes, *, left: float, long: bool = False) -> bytes:
        """The reply as JSON. Raises Unread."""
        ...


@dataclass(slots=True)
class _Late:
    """How many documents of an owner took too long, one after the other, and how many of the next are not asked about."""

    missed: int = 0
    rest: int = 0

    def note(self, longest: int) -> None:
        """One more. From the second in a row on, ever more are left out."""
        self.missed += 1
        self.rest = min(1 << min(self.missed - 1, 16), longest) if self.missed > 1 else 0


class Workers:
    """The processes that read. One instance for each process that probes; `close` ends them.

    Who brings documents that take too long is asked about ever more rarely, so that others are not kept waiting.
    """

    def __init__(self) -> None:
        self._pages, self._long = Lane("pages"), Lane("searches")
        self._late: WeakKeyDictionary[object, dict[str, _Late]] = WeakKeyDictionary()  # by owner and job

    def start(self) -> None:
        """Have the reader of pages ready by the time that the first one is here."""
        self._pages.start()

    async def ask(self, owner: object, job: str, fields: dict[str, Any], body: bytes, *, left: float, long: bool = False) -> bytes:
        """Have a job done for `owner`, within `left` seconds and, unless it is `long`, the bounds of one page. Raises Unread."""
        late = self._late.get(owner, {}).get(job)
        if late is not None and late.rest > 0:
            late.rest -= 1
            raise Unread(blame=True)
        try:
            reply = await self._done(job, fields, body, max(left, _MIN_SECONDS), long=long)
        except Unread as unread:
            if unread.blame:
                self._late.setdefault(owner, {}).setdefault(job, _Late()).note(_PAGES_LEFT_OUT if job in _PAGES else _SEARCHES_LEFT_OUT)
            raise
        if late is not None:
            self._late[owner].pop(job, None)
        return reply

    async def _done(self, job: str, fields: dict[str, Any], body: bytes, left: float, *, long: bool) -> bytes:
        cpu, seconds = (left, left) if long else _BOUNDS.get(job, _USUAL_BOUNDS)
        wait = left if long else min(left, _WAIT_SECONDS)
        message = msgspec.json.encode({"job": job, "cpu": cpu, **fields})
        # A process that limits its CPU time tells a slow document from a busy machine, and what a user expects is down only for the first.
        clocked = long or job in _PAGES or sys.platform == "win32"
        reply = await (self._long if long else self._pages).ask(message, body, seconds, wait, clocked=clocked)
        if reply.startswith(b'{"error"'):
            log.error("a document could not be read (%s): %s", job, reply.decode("utf-8", "replace"))
            raise Unread(blame=True)
        return reply

    def close(self) -> None:
        """End the processes."""
        self._pages.close()
        self._long.close()


def shared_workers(deps: ProbeDeps) -> Workers:
    """The workers that all probes of this process share."""
    return deps.shared("workers", Workers, Workers.close)
