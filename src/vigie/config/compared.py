"""What differs between two configurations, in the words of their keys."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from vigie.config.desired import Desired
from vigie.config.shown import shown

_PARTS = {"monitors": "monitor", "notify": "channel", "people": "person", "oncall": "rotation", "status_pages": "status page"}
_NOT_COMPARED = frozenset(("file", "left_out"))
Whole = Mapping[str, Any]


def values_of(desired: Desired) -> Whole:
    """What is compared of a configuration: all that `vigie config show` shows."""
    found: Whole = json.loads(shown(desired))
    return found


def differences(before: Whole, after: Whole) -> Iterator[str]:
    """A line for each thing that was added (`+`), removed (`-`) or changed (`~`), changed keys below it."""
    for key in dict.fromkeys((*before, *after)):
        if key in _NOT_COMPARED:
            continue
        if key in _PARTS:
            yield from _of_part(_PARTS[key], _named(before.get(key)), _named(after.get(key)))
        elif before.get(key) != after.get(key):
            yield f"~ {key}"
            yield from _keys(before.get(key), after.get(key), key)


def secrets_changed(before: Desired, after: Desired) -> Iterator[str]:
    """What is the same to the eye, and has another secret."""
    known = {one.monitor.id: one for one in before.monitors}
    for one in after.monitors:
        old = known.get(one.monitor.id)
        if old is not None and old.secrets != one.secrets:
            yield f"~ monitor {one.monitor.id}: a secret"
    for name, channel in after.channels.items():
        if name in before.channels and before.channels[name].secrets != channel.secrets:
            yield f"~ channel {name}: a secret"


def _named(part: Any) -> dict[str, Any]:
    if isinstance(part, list):
        return {str(one.get("id") or one.get("name")): one for one in part}
    return dict(part or {})


def _of_part(what: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys((*before, *after)):
        if name not in before:
            yield f"+ {what} {name}"
        elif name not in after:
            yield f"- {what} {name}"
        elif before[name] != after[name]:
            yield f"~ {what} {name}"
            yield from _keys(before[name], after[name], "")


def _keys(before: Any, after: Any, path: str) -> Iterator[str]:
    """The keys below that differ, with both values."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            if before.get(key) != after.get(key):
                yield from _keys(before.get(key), after.get(key), f"{path}.{key}" if path else key)
        return
    yield f"    {path}: {_text(before)} → {_text(after)}"


def _text(value: Any) -> str:
    return "–" if value is None else json.dumps(value, ensure_ascii=False)
