"""YAML as plain values that remember their lines, with `${NAME}` filled in and `$${` read as `${`."""

import re
import warnings
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode
from ruamel.yaml.reader import ReaderError

from vigie.config.tree import Path, Tree
from vigie.config.variables import VARIABLE, Variables
from vigie.config.yaml_faults import words
from vigie.errors import Fault
from vigie.net import Secret

_MAX_VALUES = 2_000_000  # ten thousand monitors are a tenth of it; aliases of aliases can make billions
_SHOWN = 80


def read(text: str, file: str, variables: Variables) -> Tree:
    """Parse YAML 1.2; duplicate keys and undefined variables are faults, a syntax error the only one."""
    tree = Tree(file, variables)
    yaml = YAML(typ="safe", pure=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # the newest one counts (YAML 1.2.2 §6.9.2)
            node = yaml.compose(text)
        if node is not None:
            tree.value = _Reader(tree, SafeConstructor(loader=yaml)).value(node, ())
    except YAMLError as error:
        tree.faults.append(_syntax(error, text, file))
    except (RecursionError, _EndlessError):
        tree.value = None
        tree.faults = [Fault("the values are nested too deeply, or an alias contains itself", "write them out", "", file)]
    return tree


def _syntax(error: YAMLError, text: str, file: str) -> Fault:
    """The parser's complaint in our words, with its place."""
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return Fault(f"this is not valid YAML: the character U+{ord(text[error.position]):04X} is not allowed", "remove it", "", file, line)
    said, fix, place = words(error)
    return Fault(f"this is not valid YAML: {said}", fix, "", file, place)


class _EndlessError(Exception):
    """More values than any real file has."""


class _Reader:
    """Walks the nodes of one file."""

    def __init__(self, tree: Tree, scalars: SafeConstructor) -> None:
        self._tree, self._scalars = tree, scalars
        self._read = 0

    def value(self, node: Node, path: Path) -> Any:
        self._read += 1
        if self._read > _MAX_VALUES:
            raise _EndlessError
        self._tree.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)  # aliases are resolved by compose

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            where = (*path, key)
            if key == "<<":
                self._tree.lines[where] = key_node.start_mark.line + 1
                self._tree.fault(where, "YAML 1.2 has no merge key", "write the keys out")
                continue
            if key in found:
                self._tree.lines[where] = key_node.start_mark.line + 1
                self._tree.fault(where, "duplicate key", "keep one of them")
            self._tree.lines[where] = key_node.start_mark.line + 1
            found[key] = self.value(value_node, where)
        return found

    def _scalar(self, node: Node, path: Path) -> Any:
        if any("\ud800" <= character <= "\udfff" for character in str(node.value)):
            self._tree.fault(path, "half of a surrogate pair is not a character", "write the character itself")
            self._tree.unread.add(path)
            return None
        if "${" in str(node.value):
            return self._filled(str(node.value), path)
        try:
            return self._scalars.construct_object(node)
        except (YAMLError, ValueError):
            self._tree.fault(path, f"{node.value[:_SHOWN]!r} cannot be read", "put it in quotes")
            self._tree.unread.add(path)
            return None

    def _filled(self, text: str, path: Path) -> str:
        def one(match: re.Match[str]) -> str:
            name, default = match[1], match[2]
            if name is None:
                return ""
            value = self._tree.variables.values.get(name, "") or default
            if value is not None:
                values.append(Secret(str(value)))
                return str(value)
            self._tree.fault(path, f"${{{name}}} is not set", f"set {name} in the environment or in .env, or write ${{{name}:-default}}")
            unset.append(name)
            return ""

        unset, values = list[str](), list[Secret]()
        filled = VARIABLE.sub(one, text)
        if values:
            self._tree.fill(path, filled, tuple(values), text)
        if unset:
            self._tree.unread.add(path)
        return filled
