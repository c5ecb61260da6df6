"""YAML as plain values that remember their lines, with `${NAME}` filled in."""

import re
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from vigie.config.tree import Path, Tree
from vigie.errors import Fault

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def read(text: str, file: str, environ: Mapping[str, str]) -> Tree:
    """Parse YAML 1.2; duplicate keys and undefined variables are faults, a syntax error the only one."""
    tree = Tree(file)
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(part for part in (error.context, error.problem) if part)
        tree.faults.append(
            Fault(f"this is no YAML: {said}", "see the indentation and quotes there", "", file, mark.line + 1 if mark else None)
        )
        return tree
    except YAMLError as error:
        tree.faults.append(Fault(f"this is no YAML: {error}", "", "", file))
        return tree
    if node is not None:
        tree.value = _Reader(tree, environ, SafeConstructor(loader=yaml)).value(node, ())
    return tree


class _Reader:
    """Walks the nodes of one file."""

    def __init__(self, tree: Tree, environ: Mapping[str, str], scalars: SafeConstructor) -> None:
        self._tree, self._environ, self._scalars = tree, environ, scalars

    def value(self, node: Node, path: Path) -> Any:
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
            if key in found:
                self._tree.lines[where] = key_node.start_mark.line + 1
                self._tree.fault(where, "this key stands twice", "keep one of them")
            self._tree.lines[where] = key_node.start_mark.line + 1
            found[key] = self.value(value_node, where)
        return found

    def _scalar(self, node: Node, path: Path) -> Any:
        if "${" in str(node.value):
            return self._filled(str(node.value), path)
        try:
            return self._scalars.construct_object(node)
        except (YAMLError, ValueError):
            self._tree.fault(path, f"{node.value!r} cannot be read", "put it in quotes")
            return None

    def _filled(self, text: str, path: Path) -> str:
        def one(match: re.Match[str]) -> str:
            name, default = match[1], match[2]
            value = self._environ.get(name, "")
            if value:
                return value
            if default is not None:
                return str(default)
            self._tree.fault(path, f"${{{name}}} is not set", f"set {name} in the environment or in .env, or write ${{{name}:-default}}")
            return ""

        return _VARIABLE.sub(one, text)
