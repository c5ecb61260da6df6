"""Where the program keeps its regular expressions, so that the suite can attack every one of them (tests/test_patterns.py).

    python -m tools.patterns

A pattern is a constant of its module, or stands as a literal at the call. One that is put together within a function cannot be found,
and needs `# pattern: WHY` on its line: where its parts come from, and what attacks them. Patterns that a user writes are not compiled
here at all: `vigie.probes.kit.pattern` searches with a time-out.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent.parent / "src" / "vigie"
_CALLS = ("compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer")
_ANCHORED = ("match", "fullmatch")
_EXCUSE = "# pattern: "


@dataclass(frozen=True, slots=True)
class Literal:
    """A pattern that stands at its call; `how` is the function of `re`."""

    path: str
    line: int
    text: str | bytes
    how: str


def literals(root: Path = SOURCES) -> Iterator[Literal]:
    """Every pattern that stands at a call."""
    for path, tree, _ in _modules(root):
        for node in ast.walk(tree):
            if (how := _call(node)) in (None, "compile") or not isinstance(node, ast.Call) or not isinstance(node.args[0], ast.Constant):
                continue  # what is compiled is a constant
            text = node.args[0].value
            if isinstance(text, str | bytes):
                yield Literal(path.name, node.lineno, text, how or "")


def uses(root: Path = SOURCES) -> dict[str, set[str]]:
    """By module and name of a constant (`probes.imap:_STATUS`), the methods that are called of it there; none: it is used elsewhere."""
    found: dict[str, set[str]] = defaultdict(set)
    for path, tree, _ in _modules(root):
        module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in _CALLS:
                found[f"{module}:{node.value.id}"].add(node.attr)
    return found


def anchored(methods: set[str]) -> str:
    """How a pattern is used at its worst: `search` unless every use of it begins at one place."""
    return "search" if not methods or methods - set(_ANCHORED) else "match" if "match" in methods else "fullmatch"


def faults(root: Path = SOURCES) -> Iterator[str]:
    """Patterns that nobody would find."""
    for path, tree, lines in _modules(root):
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for node in ast.walk(function):
                if (how := _call(node)) is None or not isinstance(node, ast.Call):
                    continue
                if isinstance(node.args[0], ast.Constant) and how != "compile":
                    continue
                name = node.args[0].id if isinstance(node.args[0], ast.Name) else ""
                if not name.isupper() and _EXCUSE not in lines[node.lineno - 1]:
                    yield f"{path}:{node.lineno}: a pattern that is put together here is never attacked by the suite; see tools/patterns.py"


def _call(node: ast.AST) -> str | None:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.args:
        return node.func.attr if node.func.value.id == "re" and node.func.attr in _CALLS else None
    return None


def _modules(root: Path) -> Iterator[tuple[Path, ast.Module, list[str]]]:
    for path in sorted(root.rglob("*.py")):
        if "testing" not in path.parts:
            source = path.read_text(encoding="utf-8")
            yield path, ast.parse(source), source.splitlines()


def main() -> int:
    found = list(faults())
    print("\n".join(found) or "every pattern is found and attacked by the suite")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
