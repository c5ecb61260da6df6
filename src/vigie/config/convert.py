"""Plain values into Structs, field by field, so that every fault of a file is found at once with its place and its fix."""

import difflib
import re
import types
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from vigie.config.tree import Path, Tree
from vigie.core.duration import Duration

_EXPECTED = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_KINDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "keys with values",
}


def dec_hook(kind: type, value: Any) -> Any:
    """Durations out of `30s` or of milliseconds as they travel between processes."""
    if kind is Duration:
        return Duration.of(value)
    raise NotImplementedError(kind)


def enc_hook(value: Any) -> Any:
    """Durations as milliseconds."""
    if isinstance(value, Duration):
        return int(value)
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
        tree.fault(path, f"keys with values are expected, not {value!r}", f"known keys: {', '.join(struct.__struct_fields__)}")
        return None
    for strict in (True, False):
        try:
            return msgspec.convert(value, kind, strict=strict, dec_hook=dec_hook)
        except msgspec.ValidationError as error:
            said = str(error)
            if strict and isinstance(value, str):
                continue  # a number out of ${NAME} comes as text
            tree.fault(path, _plain(said, value))
            return None
    return None


def _plain(said: str, value: Any) -> str:
    """The library's words in ours."""
    match = _EXPECTED.search(said)
    if match is None:
        return said.partition(" - at `")[0]
    wanted = " or ".join(_KINDS.get(part.strip(), part.strip()) for part in match[1].split("|"))
    return f"{wanted} is expected, not {value!r}"


def build(tree: Tree, values: dict[str, Any], struct: type[msgspec.Struct], path: Path) -> Any:
    """A Struct out of a mapping; unknown keys name the nearest, missing ones are named one by one. None when anything was wrong."""
    before = len(tree.faults)
    fields = {one.encode_name: one for one in msgspec.structs.fields(struct)}
    found = {}
    for key, value in values.items():
        if key in fields:
            found[fields[key].name] = convert(tree, value, fields[key].type, (*path, key))
        else:
            unknown(tree, (*path, key), key, fields)
    for name, one in fields.items():
        if one.required and name not in values:
            tree.fault(path, f"`{name}` is missing", f"add `{name}: …`")
    if len(tree.faults) > before:
        return None
    try:
        return struct(**found)
    except ValueError as error:
        tree.fault(path, str(error))
        return None


def unknown(tree: Tree, path: Path, key: str, known: Any) -> None:
    """Note an unknown key and the nearest known one."""
    near = difflib.get_close_matches(key, list(known), 1)
    tree.fault(path, f"unknown key {key!r}", f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}")
