"""Texts that a configuration expects in a response: plain ones with escapes, and regular expressions that cannot hang."""

import contextlib
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from vigie.core.model import Cause, Status
from vigie.probes.kit.lane import Unread
from vigie.probes.kit.search import group
from vigie.probes.kit.verdict import CheckFailed

if TYPE_CHECKING:  # what reads the configuration needs no processes
    from vigie.probes.kit.workers import Workers

_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|.|$)", re.DOTALL)
_NAMED = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}
_SMALL, _HERE_SECONDS = 1_024, 0.005  # characters that are searched at once, which holds the loop; and how long at most
_INSTEAD_SECONDS = 0.05  # a search at most, where no other process can do it
_ALL_SECONDS = 1.0  # all searches of one check


def unescaped(text: str) -> bytes:
    r"""The bytes of a text in UTF-8, with `\r`, `\n`, `\t`, `\0`, `\xHH` and `\\` replaced; ValueError for any other escape."""

    def one(match: re.Match[bytes]) -> bytes:
        if match[1].startswith(b"x") and len(match[1]) == 3:
            return bytes.fromhex(match[1][1:].decode())
        if match[1] not in _NAMED:
            raise ValueError(rf"{text[:80]!r} contains an unknown escape; write \r, \n, \t, \0, \xHH or \\")
        return _NAMED[match[1]]

    return _ESCAPE.sub(one, text.encode())


def check_pattern(text: str) -> None:
    """Raise ValueError unless it is a regular expression."""
    Pattern(text)


class Searches:
    """The searches of one check of `owner`, which has `left()` seconds. Long ones are done by another process: none holds the loop."""

    def __init__(self, workers: "Workers", owner: object, left: Callable[[], float]) -> None:
        self._workers, self._owner, self._left = workers, owner, left
        self.seconds = 0.0  # that they have taken so far
        self.busy = False  # one was still going on when the check came to its end

    async def elsewhere(self, pattern: str, data: str) -> "Found | None":
        """A search in another process. Raises Unread."""
        body = data.encode("utf-8", "surrogateescape")
        reply = await self._workers.ask(self._owner, "search", {"pattern": pattern}, body, left=self._left())
        found = msgspec.json.decode(reply, type=Found)
        return None if found.end is None else found


class Found(msgspec.Struct, frozen=True):
    """The first match: where it ends, and its first group, or all of it without groups."""

    end: int | None
    group: str | None


class Pattern:
    """A regular expression that a user wrote, and foreign texts. All searches of one check take a second at most."""

    def __init__(self, text: str) -> None:
        # Not the standard library's: a hostile response could make that one search for hours.
        import regex

        try:
            self._compiled: Any = regex.compile(text)
        except (regex.error, RecursionError, OverflowError) as error:
            raise ValueError(f"{text[:80]!r} is not a regular expression: {str(error)[:80]}") from None
        self._text = text

    async def search(self, data: str, searches: Searches) -> Found | None:
        """The first match. Raises CheckFailed when the search takes too long."""
        started, searches.busy = time.perf_counter(), True
        try:
            if searches.seconds > _ALL_SECONDS:
                raise self.too_long(len(data))
            found = await self._searched(data, searches)
        finally:
            searches.seconds += time.perf_counter() - started
        searches.busy = False
        return found

    async def _searched(self, data: str, searches: Searches) -> Found | None:
        if len(data) <= _SMALL:
            with contextlib.suppress(TimeoutError):  # another process has more time
                return self._here(data, _HERE_SECONDS)
        return await self._elsewhere(data, searches)

    async def _elsewhere(self, data: str, searches: Searches) -> Found | None:
        try:
            return await searches.elsewhere(self._text, data)
        except Unread as unread:
            if unread.blame:
                raise self.too_long(len(data)) from None
        try:  # there was no process in time
            return self._here(data, _INSTEAD_SECONDS)
        except TimeoutError:
            raise self.too_long(len(data)) from None

    def _here(self, data: str, seconds: float) -> Found | None:
        """Raises TimeoutError after so many seconds of CPU."""
        found = self._compiled.search(data, timeout=seconds)
        return None if found is None else Found(found.end(), group(found))

    def too_long(self, size: int) -> CheckFailed:
        """What is said of a search in so many characters that was not done in time."""
        words = f"the pattern {self._text[:60]!r} takes too long on {size} characters; write a simpler one"
        return CheckFailed(Cause.PROBE_ERROR, words, {"bytes": size}, Status.UNKNOWN)
