"""Which values of a configuration are secret: those of type `Secret`, and what came out of `${NAME}` into a field not marked as shown."""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin
from urllib.parse import unquote

import msgspec

from vigie.config.convert import fields_of, struct_of
from vigie.config.tree import Filled, Path, Tree
from vigie.net import ADDRESS, MASK, NO_SECRETS, SHOWN, Secret, Secrets, held_by
from vigie.net.secret import url_secrets

_SHOWN, _HOST = SHOWN["shown"], ADDRESS["shown"]
Kinds = tuple[type[msgspec.Struct], ...]
# Keys that are in no Struct: the kind of a channel, and a URL that stands for other keys, each of which is looked at by itself.
_OTHERS: dict[str | int, Any] = dict.fromkeys(("type", "url"), Annotated[str, msgspec.Meta(extra=SHOWN)])
_MIN_PART = 2  # a single letter hides nothing


@dataclass(frozen=True, slots=True)
class Found:
    """What of an adapter's configuration is secret: `secrets` wherever it may turn up, `parts` within the monitor's own address alone."""

    secrets: Secrets
    parts: tuple[Secret, ...]

    def target(self, target: str) -> str:
        """An address as people may read it: what came out of a variable is masked behind its host."""
        head, found, rest = target.partition("://")
        place, slash, path = rest.partition("/")
        if not (found and slash):
            return target
        for part in sorted((one.reveal() for one in self.parts), key=len, reverse=True):
            path = path.replace(part, MASK)
        return f"{head}://{place}/{path}"


def of(tree: Tree, config: Any, kinds: Kinds, path: Path) -> Found:
    """What of an adapter's Config, read at a path of the tree, is secret. `kinds` are the Structs whose keys are there."""
    secrets, parts = set(held_by(config)), set[Secret]()
    for one in tree.filled(path):
        mark = _mark(kinds, one.path[len(path) :])
        if mark == _SHOWN:
            continue
        for value in one.values if mark is None else _behind_host(one):
            is_url = mark == _HOST and "://" in value.reveal()
            secrets |= set(map(Secret, url_secrets(value.reveal()))) if is_url else {value}
            rest = value.reveal().partition("://")[2].partition("/")[2]
            parts |= {Secret(rest), Secret(rest.partition("?")[0])} if is_url else {value}
    parts |= {Secret(unquote(one.reveal())) for one in parts}
    return Found(Secrets(secrets), tuple(one for one in parts if len(one.reveal()) >= _MIN_PART))


def of_store(tree: Tree, address: str) -> Secrets:
    """What of the store's address is secret: nothing of a path, what a URL hides."""
    return Secrets({*held_by(address), *_filled_in(tree, "store")}) if "://" in address else NO_SECRETS


def of_bus(tree: Tree, config: Any) -> Secrets:
    """What of the address of the bus is secret; nothing without one."""
    return NO_SECRETS if config is None else Secrets({*held_by(config), *_filled_in(tree, "bus")})


def _filled_in(tree: Tree, key: str) -> Iterator[Secret]:
    """What came out of a variable into an address, but for its host, and for an address as a whole."""
    for one in tree.filled((key,)):
        yield from (value for value in _behind_host(one) if value.reveal() != one.text)


def spread(tree: Tree, path: Path, keys: dict[str, Any]) -> None:
    """Have the keys that a URL stands for come out of the variables that it came out of."""
    values = [value for one in tree.filled(path) if one.path in (path, (*path, "url")) for value in one.values]
    for key, text in keys.items():
        if isinstance(text, str) and any(text in value.reveal() or value.reveal() in text for value in values):
            found = url_secrets(f"://{text}@") if key == "user" else [text]
            tree.fill((*path, key), text, tuple(map(Secret, found)))


def _behind_host(filled: Filled) -> Iterator[Secret]:
    """Whole addresses, and what of an address is not in its host."""
    head, found, rest = filled.text.partition("://")
    host = (rest if found else head).partition("/")[0].partition("?")[0].rpartition("@")[2]
    yield from (one for one in filled.values if "://" in one.reveal() or one.reveal() not in host)


def _mark(kinds: Kinds, keys: Path) -> str | None:
    """How the field at a path of keys is marked; what can hold no text of its own needs no mark."""
    keys = keys or ("url",)  # a monitor that is nothing but a URL
    kind: Any = {one.encode_name: one.type for struct in kinds for one in fields_of(struct)}.get(str(keys[0]), _OTHERS.get(keys[0]))
    mark: str | None = None
    for key in keys[1:]:
        kind, found = _bare(kind)
        mark = found or mark
        struct = struct_of(kind)
        if struct is not None and isinstance(key, str):
            kind = {one.encode_name: one.type for one in fields_of(struct)}.get(key, Any)
        else:
            kind = next((part for part in reversed(get_args(kind)) if part is not type(None)), Any)
    kind, found = _bare(kind)
    return found or mark or (None if _holds_text(kind) else _SHOWN)


def _bare(kind: Any) -> tuple[Any, str | None]:
    """An annotation without its metadata, and the mark in that."""
    mark = None
    while get_origin(kind) is Annotated:
        kind, *metas = get_args(kind)
        mark = next((one.extra["shown"] for one in metas if isinstance(one, msgspec.Meta) and one.extra and "shown" in one.extra), mark)
    return kind, mark


def _holds_text(kind: Any) -> bool:
    """Whether any text may be there: not where only numbers, choices or times are."""
    kind, _ = _bare(kind)
    if get_origin(kind) in (Union, types.UnionType, list, tuple, dict):
        return any(_holds_text(part) for part in get_args(kind))
    return kind in (str, Any, Secret) or struct_of(kind) is not None
