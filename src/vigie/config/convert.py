"""Plain values into Structs, field by field, so that every fault of a file is found at once with its place and its fix."""

import difflib
import re
import types
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from vigie.config.streak import Streak
from vigie.config.tree import Path, Tree
from vigie.errors import FieldError
from vigie.net import MASK, Secret, held_by
from vigie.planning.duration import Duration

_EXPECTED = re.compile(r"Expected `([^`]+)`(?:, got `[^`]+`| (>=|<=|matching) .*)")
_BOUND = re.compile(r" (>=|<=) ([-\d.]+)")
_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"")
UNKNOWN_KEY, NEAREST = "unknown key", "did you mean"  # how the fault of such a key begins, and its fix where one is near
_MAX_BARE = 1_000_000  # what somebody may have meant as seconds or minutes
_SHOWN, _MAX_BITS = 80, 1_000  # a longer number cannot be written out as text at all
_KINDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "keys with values",
}


def dec_hook(kind: type, value: Any) -> Any:
    """Durations out of `30s` or of milliseconds as they travel between processes; secrets out of texts."""
    if kind is Duration:
        return Duration.of(value)
    if kind is Streak:
        return Streak.of(value)
    if kind is Secret:
        if isinstance(value, Secret):
            return value
        if not isinstance(value, str):
            scalar = isinstance(value, bool | int | float)
            raise ValueError("text is expected; put the value in quotes" if scalar else f"text is expected, not {named(value)}")
        return Secret(value)
    raise NotImplementedError(kind)


def written(kind: type, value: Any) -> Any:
    """As `dec_hook`, for values that people write: a bare number is not a duration, because nobody can know its unit."""
    if kind is Duration and isinstance(value, Duration):
        return value  # one of several, which were converted one by one
    if kind is Duration and isinstance(value, int | float) and not isinstance(value, bool) and value != 0:
        if 0 < value < _MAX_BARE:
            raise ValueError(f"{value!r} has no unit; write {value}s, or {value}m")
        raise ValueError(f"{named(value)} is not a duration; write 500ms, 30s, 5m, 2h or 1d")
    return dec_hook(kind, value)


def enc_hook(value: Any) -> Any:
    """Durations as milliseconds, secrets as `***`."""
    if isinstance(value, Duration):
        return int(value)
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Streak):
        return str(value)
    raise NotImplementedError(type(value))


def struct_of(kind: Any) -> type[msgspec.Struct] | None:
    """The Struct inside an annotation such as `Annotated[Basic | None, …]`, if there is one."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    choices = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    return next((choice for choice in choices if isinstance(choice, type) and issubclass(choice, msgspec.Struct)), None)


def _only_struct(kind: Any) -> bool:
    """Whether nothing but keys with values (or null) will do."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return all(choice is type(None) or struct_of(choice) for choice in get_args(kind) or (kind,))


def convert(tree: Tree, value: Any, kind: Any, path: Path) -> Any:
    """The value as `kind`, or None after noting why not in the tree's faults."""
    struct = struct_of(kind)
    if struct is not None and isinstance(value, dict):
        return build(tree, value, struct, path)
    if struct is not None and value is not None and _only_struct(kind):
        tree.fault(path, f"keys with values are expected, not {named(value)}", f"valid keys: {', '.join(struct.__struct_encode_fields__)}")
        return None
    before, container = len(tree.faults), _container(kind, value)
    if container is not None:
        value = _items(tree, value, container, path)
        if len(tree.faults) > before:
            return None
    for strict in (True, False):
        try:
            return msgspec.convert(value, kind, strict=strict, dec_hook=written)
        except msgspec.ValidationError as error:
            if strict and isinstance(value, str):
                continue  # a number out of ${NAME} comes as text
            hidden = tree.is_filled(path) or any(held_by(value))
            tree.fault(path, _plain(str(error), _Hidden() if hidden else value, kind))
            return None
    return None


def _container(kind: Any, value: Any) -> Any:
    """What a list or mapping may hold under a kind; None for other values, and where the kind takes no such thing."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    choices = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    wanted = (list, tuple, frozenset, set) if isinstance(value, list) else (dict,) if isinstance(value, dict) else ()
    return next((get_args(choice)[-1 if value.__class__ is dict else 0] for choice in choices if get_origin(choice) in wanted), None)


def _items(tree: Tree, value: Any, kind: Any, path: Path) -> Any:
    """A list or mapping with every item converted, each fault noted at its own place."""
    if isinstance(value, dict):
        return {key: convert(tree, item, kind, (*path, key)) for key, item in value.items()}
    return [convert(tree, item, kind, (*path, index)) for index, item in enumerate(value)]


class _Hidden:
    """In place of a value that nobody may read."""

    def __repr__(self) -> str:
        return "what is there"


def named(value: Any) -> str:
    """A value as the file's reader would name it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return "keys with values" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return "a number of many digits"
    text = str(value) if isinstance(value, date) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _choices(kind: Any) -> list[str]:
    """The words that a `Literal` allows, without null."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return [str(choice) for choice in get_args(kind)]
    return [word for part in get_args(kind) for word in _choices(part)]


def _plain(said: str, value: Any, kind: Any) -> str:
    """The library's words in ours."""
    if "enum value" in said:
        return f"{named(value)} is not one of {', '.join(_choices(kind))}"
    match = _EXPECTED.search(said)
    if match is None:
        return said.partition(" - at `")[0]
    if match[2] == "matching":
        # An address may hold a secret, so that it is not repeated.
        id_words = f"{named(value)} is not valid: lowercase letters, digits and hyphens only, at most 63"
        return "expected a web address, such as https://hooks.example.com/…" if "https" in said else id_words
    parts = [_KINDS.get(part.strip(), part.strip()) for part in match[1].split("|") if part.strip() != "null"]
    limit = _range(kind) if _BOUND.search(said) else ""
    return f"{' or '.join(parts)}{limit} {'are' if parts[-1].startswith('keys') else 'is'} expected, not {named(value)}"


def _range(kind: Any) -> str:
    """The numbers that a field takes, in words."""
    metas = [part for one in _annotations(kind) for part in one if isinstance(part, msgspec.Meta)]
    low, high = (next((bound for one in metas if (bound := getattr(one, side)) is not None), None) for side in ("ge", "le"))
    if low is not None and high is not None:
        return f" from {low} to {high}"
    return f" of at least {low}" if low is not None else f" of at most {high}" if high is not None else ""


def _annotations(kind: Any) -> Iterator[tuple[Any, ...]]:
    """The metadata of an annotation and of its parts."""
    if get_origin(kind) is Annotated:
        yield kind.__metadata__
    for part in get_args(kind):
        yield from _annotations(part)


@cache
def fields_of(struct: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The fields of a Struct; msgspec works its annotations out anew each time, which ten thousand monitors would feel."""
    return msgspec.structs.fields(struct)


def build(
    tree: Tree, values: dict[str, Any], struct: type[msgspec.Struct], path: Path, variables: Mapping[str, str] = MappingProxyType({})
) -> Any:
    """A Struct out of a mapping; unknown keys name the nearest, missing ones are named one by one. None when anything was wrong.

    `variables` names the variable of the environment that could bring a key.
    """
    before = len(tree.faults)
    fields = {one.encode_name: one for one in fields_of(struct)}
    found = {}
    for key, value in values.items():
        if key in fields:
            found[fields[key].name] = convert(tree, value, fields[key].type, (*path, key))
        else:
            unknown(tree, (*path, key), key, fields)
    for name, one in fields.items():
        if one.required and name not in values:
            variable = variables.get(name)
            tree.fault(path, f"`{name}` is missing", f"add `{name}: …`" + (f", or set {variable} in .env" if variable else ""))
    if len(tree.faults) > before or tree.is_unread(path):
        return None
    try:
        return struct(**found)
    except ValueError as error:
        at = error.at if isinstance(error, FieldError) else _spoken_of(str(error), found, values)
        tree.fault((*path, *at), str(error))
        return None


def _spoken_of(message: str, found: dict[str, Any], values: dict[str, Any]) -> Path:
    """The way to what a Struct's own complaint is about: the key that it names first, or the only one whose value it quotes."""
    named = re.match(r"`(\w+)`", message)
    if named and named[1] in found:
        return (named[1],)
    quoted = [first or second for first, second in _QUOTED.findall(message)]
    held = [key for key, value in found.items() if any(word in str(value) for word in quoted)]
    return (held[0], *_way_to(quoted, values.get(held[0]))) if len(held) == 1 else ()


def _way_to(words: list[str], value: Any) -> Path:
    """The way into lists and mappings to the only text or key there that holds one of the words; empty when there are more, or none."""
    places = list(_texts(value, ()))
    same = [way for way, text in places if text in words]
    found = same or [way for way, text in places if any(word in text for word in words)]
    return found[0] if len(found) == 1 else ()


def _texts(value: Any, way: Path) -> Iterator[tuple[Path, str]]:
    """The texts and keys within lists and mappings, each with its way."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if isinstance(key, str):
            yield (*way, key), key
        if isinstance(item, str):
            yield (*way, key), item
        yield from _texts(item, (*way, key))


def unknown(tree: Tree, path: Path, key: str, known: Any) -> None:
    """Note an unknown key and the nearest known one."""
    near = difflib.get_close_matches(key, list(known), 1)
    tree.fault(path, f"{UNKNOWN_KEY} {key!r}", f"{NEAREST} {near[0]!r}?" if near else f"valid keys: {', '.join(known)}")
