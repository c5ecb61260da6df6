"""What a page or the API made, beside the file: put into its tree, so that both are read by the same code with the same checks.

What is wrong with one of them leaves that one out; what is in the file is never the worse for it.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from vigie import plugins
from vigie.commands.definitions import DefinitionKind
from vigie.config import masked
from vigie.config.assemble import BY_NAME, kind_of_url, names_of, slug
from vigie.config.convert import convert
from vigie.config.desired import Entry, StoreSettings
from vigie.config.model import Common, File
from vigie.config.tree import Path, Tree
from vigie.errors import Fault, StoreError, StoreFault, VigieError
from vigie.ports import StoredDefinition

SECTIONS = {DefinitionKind.MONITOR: "monitors", DefinitionKind.STATUS_PAGE: "status_pages"}
_REFERENCE = re.compile(r"(?<!\$)\$\{[A-Za-z_]")  # what a file would fill in; `$${` writes `${`
_KEPT = "a masked value was sent, and there is no earlier one that it hides, or the host is another one"
_PROGRAMS = "it runs programs on this machine, so that it is for the file alone"
_TAKEN = ("two monitors have the id", "another monitor is called", "another one has the id")  # as here and in assemble.py
Owner = tuple[str, str]  # (kind, id)


def stored_in(tree: Tree, settings: StoreSettings, *, whole: bool = False) -> Sequence[StoredDefinition]:
    """What the store of the file holds; none, with a warning, where it cannot be read.

    Raises StoreError where it is only busy, and, with `whole`, where its server cannot be reached: what was made is not gone.
    """
    read = getattr(plugins.load("stores", settings.kind), "definitions", None)
    if read is None:
        return ()
    try:
        found: Sequence[StoredDefinition] = read(settings.config)
    except StoreError as error:
        if error.fault is StoreFault.BUSY or (whole and error.fault is StoreFault.UNREACHABLE):
            raise
        tree.warn(("store",), f"what was made by page or API cannot be read: {error}", error.fix)
        return ()
    return found


def label_of(one: StoredDefinition) -> str:
    """How people call it."""
    what = one.kind.replace("_", " ")
    return f"{what} {one.id!r}, made by {one.by}" if one.id else f"new {what}"


class Made:
    """The definitions of a store beside a file, as they are tried together; `left_out` are those that are not in force, with why."""

    def __init__(self, tree: Tree, stored: Sequence[StoredDefinition]) -> None:
        self._tree, self._stored = tree, stored
        self.left_out: dict[Owner, tuple[Fault, ...]] = {}
        self._paths: dict[Path, StoredDefinition] = {}
        self._bodies: dict[Owner, Any] = {}

    def beside(self, file: File) -> File:
        """The file with those that are not left out."""
        tree = self._tree
        tree.made, tree.untrusted, self._paths, absent = {}, set(), {}, set[str]()
        sections: dict[str, Any] = {name: getattr(file, name, None) for name in SECTIONS.values()}
        sections = {name: one.copy() for name, one in sections.items() if one is not None}
        for one in self._stored:
            body = self._body(one)
            if (one.kind, one.id) in self.left_out:
                absent |= {one.id, *names_of(body)}
            else:
                self._add(sections, one, body)
        tree.absent = frozenset(absent)
        return msgspec.structs.replace(file, **sections)

    def _add(self, sections: dict[str, Any], one: StoredDefinition, body: Any) -> None:
        name = SECTIONS.get(DefinitionKind(one.kind)) if one.kind in SECTIONS else None
        section = sections.get(name or "")
        if name is None or section is None or not isinstance(body, dict):
            path: Path = (one.kind, one.id)
        elif isinstance(section, list):
            path = (name, len(section))
        else:
            path = (name, one.id or str(_get(body, "id") or slug(str(_get(body, "title") or ""))))
        self._tree.made.setdefault(path, label_of(one))
        self._paths.setdefault(path, one)
        if not one.trusted:
            self._tree.untrusted.add(path)
        if name is None or section is None:
            self._tree.fault(path, f"this version of Vigie has no {one.kind.replace('_', ' ')}", "delete it, or install a newer version")
        elif not isinstance(body, dict):
            self._tree.fault(path, "keys with values are expected", "send an object")
        elif isinstance(section, list):
            section.append({**({"id": one.id} if one.id else {}), **self._checked(path, body, one)})
        else:
            self._add_named(section, path, self._checked(path, body, one), one)

    def _add_named(self, section: dict[str, Any], path: Path, body: dict[str, Any], one: StoredDefinition) -> None:
        if path[1] in section or not path[1]:
            words = f"another one has the id {path[1]!r}" if path[1] else "`id` is missing"
            self._tree.made[("taken", path[1])] = label_of(one)
            self._paths[("taken", path[1])] = one
            self._tree.fault(("taken", path[1], "id"), words, "choose an `id`: lowercase letters, digits and hyphens")
            return
        built = convert(self._tree, {key: value for key, value in body.items() if key != "id"}, BY_NAME[str(path[0])], path)
        if built is not None:
            section[str(path[1])] = built

    def _checked(self, path: Path, body: dict[str, Any], one: StoredDefinition) -> dict[str, Any]:
        """Its values, `$${` read as `${`: the environment is for the file alone, whose writers may know what is in it."""
        if one.kind == DefinitionKind.MONITOR and _runs_programs(body):
            self._tree.fault((*path, "type"), _PROGRAMS, "write it in vigie.yaml")
        for place in masked.left(body, keys_of(DefinitionKind(one.kind), body)):
            self._tree.fault((*path, *place), _KEPT, "send the secret itself")
        found: dict[str, Any] = self._plain(path, body)
        return found

    def _plain(self, path: Path, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._plain((*path, key), one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._plain((*path, index), one) for index, one in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        if _REFERENCE.search(value):
            self._tree.fault(
                path, "variables are filled in the file alone", "write the value itself (secrets are masked when shown), or $${"
            )
        return value.replace("$${", "${")

    def _body(self, one: StoredDefinition) -> Any:
        key = (one.kind, one.id)
        if key not in self._bodies:
            try:
                self._bodies[key] = json.loads(one.body)
            except ValueError:
                self._bodies[key] = None
        return self._bodies[key]

    def take_faults(self, before: int) -> bool:
        """Leave out those that the faults of the tree, after the first ones, are about; whether there were any. The others stay."""
        broken: dict[str, list[Fault]] = {}
        labels = {label: (self._paths[path].kind, self._paths[path].id) for path, label in self._tree.made.items()}
        for fault in self._tree.faults[before:]:
            if fault.file in labels:
                broken.setdefault(fault.file, []).append(fault)
        self.left_out |= {labels[label]: tuple(dict.fromkeys(faults)) for label, faults in broken.items()}
        return bool(broken)

    def entries(self, called: Mapping[Path, tuple[str, str]], secrets: Callable[[str], str]) -> tuple[Entry, ...]:
        """Of the file, then what was made, as people see it; `secrets` masks a text. What is new has its id from now on."""
        found = [*_of_file(self._tree, called)]
        at = {(one.kind, one.id): path for path, one in self._paths.items()}
        for one in self._stored:
            key, body, kept = (one.kind, one.id), self._body(one), one
            path = at.get(key, ())
            name, title = called.get(path, (one.id or _key_of(path), _title(body) or one.id))
            if not isinstance(body, dict):
                body = {}
            if name and not one.id and key not in self.left_out:
                body = {"id": name, **body}
                kept = replace(one, id=name, body=json.dumps(body, ensure_ascii=False))
            faults = tuple(replace(fault, message=secrets(fault.message)) for fault in self.left_out.get(key, ()))
            shown = msgspec.json.encode(masked.masked(body, keys_of(DefinitionKind(one.kind), body))) if one.kind in SECTIONS else b"{}"
            found.append(Entry(kept.kind, kept.id, title, shown, stored=kept, faults=faults))
        return tuple(found)


def _of_file(tree: Tree, called: Mapping[Path, tuple[str, str]]) -> Iterable[Entry]:
    for kind, section in SECTIONS.items():
        values = tree.value.get(section) if isinstance(tree.value, dict) else None
        places = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
        for place, _ in places:
            path = (section, place)
            body = tree.written(path)
            body = {"url": body} if isinstance(body, str) else body
            if not isinstance(body, dict):
                continue
            name, title = called.get(path, (str(place), _title(body) or str(place)))
            line = tree.lines.get(path)
            yield Entry(kind.value, name, title, msgspec.json.encode(masked.masked(body, keys_of(kind, body))), tree.file, line)


def keys_of(kind: DefinitionKind, body: Mapping[str, Any]) -> masked.Keys:
    """The types of the keys of an entry."""
    if kind is DefinitionKind.MONITOR:
        try:
            adapter = plugins.load("probes", str(body.get("type") or kind_of_url(body.get("url"))))
        except VigieError:
            return {**masked.keys_of(Common), "url": str}
        return {**masked.keys_of(Common, adapter.Config), "url": str}
    struct = BY_NAME.get(SECTIONS[kind])
    return {"id": str} if struct is None else {"id": str, **masked.keys_of(struct)}


def _runs_programs(body: Mapping[str, Any]) -> bool:
    try:
        return plugins.traits(str(body.get("type") or kind_of_url(body.get("url")))).programs
    except VigieError:
        return False


def is_taken(faults: Iterable[Fault]) -> bool:
    """Whether what is wrong is that another one has its name or its id."""
    return any(one.message.startswith(_TAKEN) for one in faults)


def version_of(entry: Entry) -> str:
    """What changes with an entry: an entity tag."""
    if entry.stored is not None:
        return f"{entry.stored.version}-{entry.stored.at:x}"
    return hashlib.blake2b(entry.body, digest_size=8).hexdigest()


def _get(body: Any, key: str) -> Any:
    return body.get(key) if isinstance(body, dict) else None


def _title(body: Any) -> str:
    found = _get(body, "name") or _get(body, "title") or _get(body, "url")
    return masked.masked_url(found) if isinstance(found, str) and "://" in found else str(found or "")


def _key_of(path: Path) -> str:
    return str(path[1]) if len(path) > 1 and isinstance(path[1], str) else ""
