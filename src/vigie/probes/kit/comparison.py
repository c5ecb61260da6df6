"""The one language of comparisons (docs/comparisons.md): `<= 100`, `!= "draft"`, `up`, for every kind and both notations.

    comparison := [ "==" | "!=" | "<=" | ">=" | "<" | ">" ] value        as the value of a key
    assertion  := JSONPath comparison                                     as one text, with the operator
    value      := JSON (RFC 8259), or else text as it stands

A document's value has a type, and compares with its like alone. A server that answers in text (Redis, SQL) says numbers as text: there
both sides are numbers where both can be read as one.
"""

import json
import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from vigie.errors import FieldError

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_LEADING = re.compile(r"\s*(<=|>=|==|!=|<|>)\s*(.*)", re.DOTALL)
_NOT_AN_OPERATOR = re.compile(r"\s*(=<|=>|=)(?!=)")
_NUMBER = re.compile(r"[+-]?(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:[eE][+-]?\d{1,3})?")
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Comparison:
    """An operator and what a value is compared with. `quoted` text is compared as text also where numbers come as text."""

    sign: str
    wanted: Any
    quoted: bool = field(default=False, compare=False)

    @classmethod
    def of(cls, value: Any) -> "Comparison":
        """What the value of a key asks for; text without an operator is expected as it stands. ValueError for what can never hold."""
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{value!r} is not a number that anything equals")
        if not isinstance(value, str):
            return cls("==", value)
        if wrong := _NOT_AN_OPERATOR.match(value):
            raise ValueError(_misspelt(wrong[1], value))
        match = _LEADING.fullmatch(value)
        return cls("==", value) if match is None else _read(match[1], match[2].strip())

    def __str__(self) -> str:
        """As a configuration writes it."""
        return f"{self.sign} {notation(self.wanted)}"

    def holds(self, got: Any) -> bool:
        """Whether a value of a JSON document satisfies it: numbers and texts have an order, each among themselves."""
        if self.sign in ("==", "!="):
            return _same(got, self.wanted) == (self.sign == "==")
        alike = (_is_number(got) and _is_number(self.wanted)) or (isinstance(got, str) and isinstance(self.wanted, str))
        return alike and _OPERATORS[self.sign](got, self.wanted)

    def holds_for_text(self, got: str | None) -> bool:
        """The same for a value that comes as text, SQL's NULL as `NULL`; a missing one satisfies nothing."""
        if got is None:
            return False
        wanted = "NULL" if self.wanted is None else self.wanted if isinstance(self.wanted, str) else notation(self.wanted)
        left, right = (None, None) if self.quoted else (_number_in(got), _number_in(wanted))
        if left is not None and right is not None:
            return _OPERATORS[self.sign](left, right)
        return (self.quoted or self.sign in ("==", "!=")) and _OPERATORS[self.sign](got, wanted)


def assertion(text: str) -> tuple[str, Comparison]:
    """`PATH operator VALUE` as path and comparison; the operators within a path's filters and quotes are its own. ValueError otherwise."""
    for place in _outside_brackets(text):
        if text[place] in "=!<>":
            if wrong := _NOT_AN_OPERATOR.match(text, place):
                raise ValueError(_misspelt(wrong[1], text))
            match = _LEADING.fullmatch(text, place)
            if match is not None and text[:place].strip():
                return text[:place].strip(), _read(match[1], match[2].strip())
            break
    raise ValueError(
        f"{text[:_SHOWN]!r} is not a comparison; write PATH, an operator ({' '.join(_OPERATORS)}) and a value, as in $.queue<=100"
    )


def notation(value: Any) -> str:
    """A value as the configuration would write it: JSON."""
    return json.dumps(value, ensure_ascii=False, default=str)


def in_words(comparison: Comparison) -> str:
    """As a message says what is expected: `up`, `<5`."""
    value = comparison.wanted if isinstance(comparison.wanted, str) else notation(comparison.wanted)
    return value if comparison.sign == "==" else f"{comparison.sign}{value}"


def check_key(key: str, value: Any, *below: str) -> None:
    """Raise FieldError, at the key of a Config, for a comparison that can never hold."""
    try:
        Comparison.of(value)
    except ValueError as error:
        raise FieldError((key, *below), str(error)) from None


def contradiction(comparisons: Iterable[Comparison]) -> tuple[Comparison, Comparison] | None:
    """Two comparisons that no single value can satisfy; None when there is a value for all of them."""
    known = list(comparisons)
    for index, first in enumerate(known):
        for second in known[:index]:
            if _exclude(first, second) or _exclude(second, first):
                return second, first
    return None


def _exclude(one: Comparison, other: Comparison) -> bool:
    """Whether what satisfies `one` never satisfies `other`, seen from `one`."""
    if one.sign == "==":
        return not other.holds(one.wanted)
    if one.sign[0] != "<" or other.sign[0] not in "<>":
        return False
    if _is_number(one.wanted) is not _is_number(other.wanted):
        return True  # a value is a number or a text
    both_inclusive = one.sign == "<=" and other.sign == ">="
    return other.sign[0] == ">" and bool(one.wanted < other.wanted or (one.wanted == other.wanted and not both_inclusive))


def _read(sign: str, text: str) -> Comparison:
    """The comparison with a value as it is written; ValueError for one that holds for nothing."""
    try:
        value = msgspec.json.decode(text.encode("utf-8", "surrogatepass"))
    except msgspec.ValidationError:
        raise ValueError(f"the number after {sign} is out of range: {text[:_SHOWN]}") from None
    except (msgspec.DecodeError, RecursionError):
        value = text
        _check_bare(sign, text)
    quoted = isinstance(value, str) and text.startswith('"')
    if sign not in ("==", "!=") and not (quoted or _is_number(value)):
        number = _number_in(text)
        if number is None:
            raise ValueError(_unordered(sign, text))
        value = float(number) if number % 1 else int(number)
    return Comparison(sign, value, quoted)


def _check_bare(sign: str, text: str) -> None:
    """Raise ValueError for text that was meant as something else: a second operator, or text in quotes of the wrong kind."""
    if _NOT_AN_OPERATOR.match(text) or _LEADING.match(text):
        raise ValueError(
            f"the value after {sign} begins with an operator: {text[:_SHOWN]!r}; if it is text, put it in quotes: {sign} {notation(text)}"
        )
    if text[:1] in ("'", '"'):
        raise ValueError(
            f"text in quotes has double quotes at both ends, not {text[:_SHOWN]}; write {sign} {notation(text.strip(text[0]))}"
        )


def _unordered(sign: str, text: str) -> str:
    if not text:
        return f"there is no value after {sign}; write {sign} 100"
    words = f"{sign} needs a number, or text in quotes, not {text[:_SHOWN]!r}"
    return f"{words}; a comparison has one operator" if set("<>=") & set(text) else words


def _misspelt(sign: str, text: str) -> str:
    right = {"=": "==", "=<": "<=", "=>": ">="}[sign]
    return f'{text[:_SHOWN]!r}: {sign} is not an operator; write {right}, or for text that begins with it == "{sign}…"'


def _outside_brackets(text: str) -> Iterator[int]:
    """The places of a text that are in no brackets and no quotes (RFC 9535 §2.3.1.1: a backslash escapes)."""
    depth, quote, escaped = 0, "", False
    for place, character in enumerate(text):
        if quote:
            quote, escaped = ("" if character == quote and not escaped else quote), character == "\\" and not escaped
        elif depth and character in "'\"":
            quote = character
        elif character in "[(":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif not depth:
            yield place


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number_in(text: str) -> Decimal | None:
    """The number that a text is, exactly; None for any other."""
    stripped = text.strip()
    return Decimal(stripped) if _NUMBER.fullmatch(stripped) else None


def _same(one: Any, other: Any) -> bool:
    """Equality as JSON has it: true is not 1, whatever it is in."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(left, right) for left, right in zip(one, other, strict=True))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    return bool(one == other)
