"""Texts that a pattern takes long on, made from its own parse: what it repeats, many times over, and then what it does not want.

For each repeat in the pattern: a run of what it repeats, also of what stands before it and of what any two repeats have in common;
started by what must come first, and ended by what can never follow (a near-miss). Backtracking shows in how the cost grows.
"""

import re
import signal
import sys
import time
from collections.abc import Iterator
from re import _constants as codes
from re import _parser as parser
from typing import Any

_SPELT = {
    codes.CATEGORY_DIGIT: "7",
    codes.CATEGORY_NOT_DIGIT: "x",
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_NOT_SPACE: "x",
    codes.CATEGORY_WORD: "x",
    codes.CATEGORY_NOT_WORD: " ",
}
_CANDIDATES = " \tx7-.:;,/<>=\"'(){}[]aA\n#&%_é字"
_MISSES = ("\0", "!", "\n\0")
_LONGEST_UNIT = 300


def attacks(pattern: "re.Pattern[Any]") -> Iterator[tuple[str, str, str]]:
    """(start, unit, end) of texts: the unit is to be repeated until the text is long enough."""
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    if isinstance(pattern.pattern, bytes):
        tree = parser.parse(pattern.pattern.decode("latin-1"), pattern.flags & ~(re.DEBUG | re.ASCII))
    whole = _sample(tree)
    units = dict.fromkeys([whole, *(whole[:size] for size in range(1, min(len(whole), 24)))])
    found: list[tuple[str, str]] = []
    for before, body in _repeats(tree, ""):
        for unit in _samples(body):
            found += [(before, unit), ("", before + unit)]
    found += [("", unit) for unit in units]
    loops = list(dict.fromkeys(unit for _, unit in found if 0 < len(unit) < 40))
    found += [("", one + two) for one in loops[:6] for two in loops[:6] if one != two]
    found += [(start, character) for start in dict.fromkeys(start for start, _ in found[:12]) for character in _alphabet(tree)]
    for start, unit in dict.fromkeys(found):
        if 0 < len(unit) <= _LONGEST_UNIT:
            for end in (*_MISSES, ""):
                yield start, unit, end


def _repeats(tree: Any, before: str) -> Iterator[tuple[str, Any]]:
    """Every repeat without a small bound, with a text that leads up to it."""
    lead = before
    for code, value in tree:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            _, most, body = value
            if most is codes.MAXREPEAT or most > 8:
                yield lead, body
            yield from _repeats(body, lead)
        elif code is codes.SUBPATTERN:
            yield from _repeats(value[-1], lead)
        elif code is codes.ATOMIC_GROUP:
            yield from _repeats(value, lead)
        elif code is codes.BRANCH:
            for branch in value[1]:
                yield from _repeats(branch, lead)
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            yield from _repeats(value[1], lead)
        lead += _sample([(code, value)])


def _samples(tree: Any) -> list[str]:
    """Some texts that a part matches: one for each of its first branches and characters."""
    items = list(tree)
    if len(items) == 1:
        code, value = items[0]
        if code is codes.BRANCH:
            return [text for branch in value[1][:12] for text in _samples(branch)[:2]]
        if code is codes.SUBPATTERN:
            return _samples(value[-1])
        if code is codes.IN:
            return list(dict.fromkeys(_class(value)))[:4]
        if code is codes.ANY:
            return [" ", "x", "<"]
        if code is codes.NOT_LITERAL:
            return [character for character in " x<" if ord(character) != value]
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            return _samples(value[2])
    return [_sample(tree)]


def _sample(tree: Any) -> str:
    """One text that a part matches."""
    text = ""
    for code, value in tree:
        if code is codes.LITERAL:
            text += chr(value)
        elif code is codes.NOT_LITERAL:
            text += "x" if value != ord("x") else "y"
        elif code is codes.ANY:
            text += "x"
        elif code is codes.IN:
            text += next(iter(_class(value)), "")
        elif code is codes.BRANCH:
            text += _sample(value[1][0])
        elif code is codes.SUBPATTERN:
            text += _sample(value[-1])
        elif code is codes.ATOMIC_GROUP:
            text += _sample(value)
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            least, _, body = value
            text += _sample(body) * max(min(least, 40), 1)
        if len(text) > _LONGEST_UNIT:
            break
    return text


def _class(items: Any) -> Iterator[str]:
    """Characters of a class: of a negated one those that are not in it."""
    if items and items[0][0] is codes.NEGATE:
        inside = set(_class(items[1:]))
        refused = [value for code, value in items if code is codes.CATEGORY]
        for character in _CANDIDATES:
            if character not in inside and not any(_of(character, category) for category in refused):
                yield character
        return
    for code, value in items:
        if code is codes.LITERAL:
            yield chr(value)
        elif code is codes.RANGE:
            yield chr(value[0])
            yield chr(value[1])
        elif code is codes.CATEGORY:
            yield _SPELT[value]


def _of(character: str, category: Any) -> bool:
    matched = {
        codes.CATEGORY_DIGIT: character.isdigit(),
        codes.CATEGORY_SPACE: character.isspace(),
        codes.CATEGORY_WORD: character.isalnum() or character == "_",
    }
    opposite = {
        codes.CATEGORY_NOT_DIGIT: codes.CATEGORY_DIGIT,
        codes.CATEGORY_NOT_SPACE: codes.CATEGORY_SPACE,
        codes.CATEGORY_NOT_WORD: codes.CATEGORY_WORD,
    }
    return not matched[opposite[category]] if category in opposite else matched[category]


def _alphabet(tree: Any) -> list[str]:
    """Single characters that occur in its repeats."""
    found = {text for _, body in _repeats(tree, "") for text in _samples(body) if len(text) == 1}
    return sorted(found)[:8]


class TookTooLong(Exception):  # noqa: N818 - says what happened
    """The CPU time was over."""


def _stop(*_: object) -> None:
    raise TookTooLong


def cost(pattern: "re.Pattern[Any]", text: str | bytes, limit: float, how: str) -> float:
    """Seconds of CPU that a use of the pattern takes; `limit` where it is not done by then."""
    if sys.platform == "win32":
        raise NotImplementedError("the search cannot be interrupted")
    use: Any = {"search": lambda text: _all(pattern, text), "match": pattern.match, "fullmatch": pattern.fullmatch}[how]
    kept = signal.signal(signal.SIGVTALRM, _stop)
    started = time.thread_time()
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, limit)
        use(text)
    except TookTooLong:
        return limit
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, kept)
    return time.thread_time() - started


def _all(pattern: "re.Pattern[Any]", text: Any) -> None:
    for _ in pattern.finditer(text):
        pass


def made(pattern: "re.Pattern[Any]", start: str, unit: str, end: str, size: int) -> str | bytes:
    """A text of about so many characters."""
    text = start + unit * max((size - len(start) - len(end)) // len(unit), 1) + end
    return text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
