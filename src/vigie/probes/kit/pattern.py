"""Texts that a configuration expects in a response: plain ones with escapes, and regular expressions that cannot hang."""

import re
import time
from typing import Any

from vigie.core.model import Cause, Status
from vigie.probes.kit.verdict import CheckFailed

_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|.|$)", re.DOTALL)
_NAMED = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}
_ONE_SECONDS, _ALL_SECONDS = 0.05, 0.25  # one search blocks the loop; all searches of one check together


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


class Pattern:
    """A regular expression. A search takes 50 ms at most, since it blocks the loop; all those of one check take 250 ms at most."""

    def __init__(self, text: str) -> None:
        # Not the standard library's: a hostile response could make that one search for hours.
        import regex

        try:
            self._compiled: Any = regex.compile(text)
        except (regex.error, RecursionError, OverflowError) as error:
            raise ValueError(f"{text[:80]!r} is not a regular expression: {str(error)[:80]}") from None
        self._text = text

    def end(self, data: str, spent: "SearchBudget") -> int | None:
        """Where the first match ends; None without one. Raises CheckFailed when the search takes too long."""
        found = self._search(data, spent)
        return None if found is None else int(found.end())

    def group(self, data: str, spent: "SearchBudget") -> str | None:
        """The first group of the first match, or all of it without groups; None without a match. Raises CheckFailed as `end` does."""
        found = self._search(data, spent)
        return None if found is None else str(found[1] if self._compiled.groups and found[1] is not None else found[0])

    def _search(self, data: str, spent: "SearchBudget") -> Any:
        started = time.perf_counter()
        try:
            return self._compiled.search(data, timeout=max(min(_ONE_SECONDS, _ALL_SECONDS - spent.seconds), 0.001))
        except TimeoutError:
            words = f"the pattern {self._text[:60]!r} takes too long on {len(data)} characters; write a simpler one"
            raise CheckFailed(Cause.PROBE_ERROR, words, {"bytes": len(data)}, Status.UNKNOWN) from None
        finally:
            spent.seconds += time.perf_counter() - started


class SearchBudget:
    """Seconds that the searches of one check have taken."""

    def __init__(self) -> None:
        self.seconds = 0.0
