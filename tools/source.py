"""The package as the checkers read it: its modules and what each of them imports, at the top of a file or inside a function."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = "vigie"


@dataclass(frozen=True, slots=True)
class Module:
    """A file of the package. `name` is relative to the package (`stores.sqlite`), empty for the package itself."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def layer(self) -> str:
        """The top-level module or package that it belongs to."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, by its whole name (`vigie.stores.sqlite`, `urllib.parse`)."""

    target: str
    line: int

    @property
    def top(self) -> str:
        """The name of the distribution's package: the part before the first dot."""
        return self.target.partition(".")[0]

    @property
    def inner(self) -> str | None:
        """The module's name relative to the package; None for a module from elsewhere."""
        return self.target.partition(".")[2] if self.top == PACKAGE else None

    @property
    def third_party(self) -> bool:
        """Neither ours nor of the standard library."""
        return self.top != PACKAGE and self.top not in sys.stdlib_module_names


def modules(root: Path) -> list[Module]:
    """Every module of the package whose folder is `root`."""
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Module(name, path, ast.parse(path.read_text(encoding="utf-8"), str(path))))
    return found


def imports(module: Module, known: frozenset[str]) -> Iterator[Import]:
    """What a module imports; `known` are the names of the package's modules, to tell a submodule from a name in one."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield Import(whole if whole.removeprefix(f"{PACKAGE}.") in known else base, node.lineno)
        elif isinstance(node, ast.Call) and (name := _by_name(node)):
            yield Import(name, node.lineno)


def computed_imports(module: Module) -> Iterator[int]:
    """The lines that import a module whose name is put together when they run."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _by_name(node) == "":
            yield node.lineno


def _by_name(node: ast.Call) -> str | None:
    """The module that `import_module("…")` imports; empty when its name is not a literal, None for any other call."""
    if _called(node) not in ("import_module", "__import__"):
        return None
    name = node.args[0] if node.args else None
    return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""


def _base(module: Module, node: ast.ImportFrom) -> str:
    """The module after `from`, with the dots of a relative import resolved."""
    if not node.level:
        return node.module or ""
    whole = [PACKAGE, *filter(None, module.name.split("."))]
    up = node.level - (module.path.name == "__init__.py")
    return ".".join([*whole[: len(whole) - up], *filter(None, [node.module])])


def _called(node: ast.Call) -> str:
    """The last part of what is called: `import_module` for `importlib.import_module(…)`."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
