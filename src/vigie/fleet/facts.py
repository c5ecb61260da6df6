"""What one result may bring from elsewhere: no more than any check needs, in texts that are one readable line each. Pure.

An agent keeps its results within this, and a server holds whatever comes to it again: a service can send certificates with a thousand
names, and whoever has stolen a token any text at all. Such texts end in logs, terminals, pages, mails and the database, where a line
break forges a line, an escape sequence moves the cursor, and a NUL stops a commit. Nothing is refused for them: what is beyond is left out.
"""

import math
from dataclasses import is_dataclass, replace
from operator import is_
from typing import Any

from vigie.core.model import Cause, CheckResult, FaultScope, Status
from vigie.text.marks import escaped

_LONGEST, _MAX_ENTRIES = 4_000, 200  # bytes of a text, entries of a list
_ROOM, _ROOMS = 6_000, {"tls": 40_000, "page": 20_000}  # bytes of all texts of one field of a result: none takes the room of another
_EACH = 8  # bytes that a text takes besides its own
_LARGEST = 2**53  # what every reader of numbers has exactly
_LONGEST_MS = 1e9
_FIELDS = tuple(one for one in CheckResult.__slots__ if one != "timings")
_PLAIN = frozenset((Status, Cause, FaultScope))


def bounded(one: CheckResult) -> CheckResult:
    """The same result, or one that is within the bounds; applied twice it changes nothing more."""
    found: dict[str, Any] = {}
    for name in _FIELDS:
        value = getattr(one, name)
        if value and type(value) not in _PLAIN:
            fresh = _Walk(_ROOMS.get(name, _ROOM)).over(value)
            if fresh is not value:
                found[name] = fresh
    phases = {name: getattr(one.timings, name) for name in one.timings.__slots__}
    if absurd := {name: None for name, ms in phases.items() if ms is not None and not 0 <= ms < _LONGEST_MS}:
        found["timings"] = replace(one.timings, **absurd)
    return replace(one, **found) if found else one


class _Walk:
    """Over everything that one field holds. What is within the bounds comes back as the same object."""

    def __init__(self, room: int) -> None:
        self._left = room

    def over(self, value: Any) -> Any:
        """The same, or what of it is within the bounds."""
        kind = type(value)
        if kind is str:
            return self._text(value)
        if kind is int:
            return min(max(value, -_LARGEST), _LARGEST) if abs(value) > _LARGEST else value
        if kind is float:
            return value if math.isfinite(value) else 0.0
        if kind is tuple:
            return self._entries(value)
        if kind is dict:
            return self._named(value)
        return self._fields(value) if is_dataclass(value) else value

    def _text(self, text: str) -> str:
        room = max(min(self._left, _LONGEST), 0)
        if len(text) <= room and text.isascii() and text.isprintable():
            self._left -= len(text) + _EACH
            return text
        shown = escaped(text[:_LONGEST])
        if len(raw := shown.encode("utf-8", "replace")) > room:
            shown = raw[:room].decode("utf-8", "ignore")
        self._left -= min(len(raw), room) + _EACH
        return text if shown == text else shown

    def _entries(self, entries: tuple[Any, ...]) -> tuple[Any, ...]:
        found = []
        for one in entries[:_MAX_ENTRIES]:
            if self._left <= 0:
                break
            found.append(self.over(one))
        same = len(found) == len(entries) and all(map(is_, found, entries))
        return entries if same else tuple(found)

    def _named(self, entries: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, one in list(entries.items())[:_MAX_ENTRIES]:
            if self._left <= 0:
                break
            if type(one) is not float or math.isfinite(one):
                found[self._text(name)] = self.over(one)
        same = len(found) == len(entries) and all(found.get(name) is one for name, one in entries.items())
        return entries if same else found

    def _fields(self, one: Any) -> Any:
        fields = {name: getattr(one, name) for name in one.__slots__}
        found = {name: fresh for name, value in fields.items() if (fresh := self.over(value)) is not value}
        return replace(one, **found) if found else one
