"""No test waits for something by sleeping: it waits for an event, a line of output, a mail, or on virtual time.

A sleep is allowed on virtual time (`pytest.mark.virtual`), where it costs nothing; in what plays a server (a function that has a `writer`),
where it is how slow that server is; and where its line says with `# slow: …` why time itself is what the test is about.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.source import ROOT

PLACES = ("tests", "src/vigie/testing")
_EXCUSED = re.compile(r"# slow: \w")
_SLEEPS = ("asyncio.sleep", "time.sleep", "anyio.sleep", "sleep")
_VIRTUAL = "pytest.mark.virtual"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def found(text: str) -> Iterator[int]:
    """The lines of a file on which something sleeps that should not."""
    tree, rows = ast.parse(text), text.splitlines()
    whole = any(
        isinstance(node, ast.Assign) and "pytestmark" in ast.unparse(node.targets[0]) and _VIRTUAL in ast.unparse(node.value)
        for node in tree.body
    )
    if not whole:
        for line in _sleeps(tree, helpers_are_virtual=_VIRTUAL in text):
            if not _EXCUSED.search(rows[line - 1]):
                yield line


def _sleeps(node: ast.AST, *, helpers_are_virtual: bool) -> Iterator[int]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function) and _is_free(child, helpers_are_virtual=helpers_are_virtual):
            continue
        if isinstance(child, ast.Call) and ast.unparse(child.func) in _SLEEPS and not _is_zero(child):
            yield child.lineno
        inside_test = isinstance(child, Function) and child.name.startswith("test_")
        yield from _sleeps(child, helpers_are_virtual=helpers_are_virtual and not inside_test)


def _is_free(function: Function, *, helpers_are_virtual: bool) -> bool:
    """Whether a function may sleep: it plays a server, or it runs on virtual time."""
    if "writer" in {argument.arg for argument in function.args.args}:
        return True
    if function.name.startswith("test_"):
        return any(_VIRTUAL in ast.unparse(decorator) for decorator in function.decorator_list)
    return helpers_are_virtual and not any(isinstance(node, Function) and node.name.startswith("test_") for node in ast.walk(function))


def _is_zero(call: ast.Call) -> bool:
    """A pass of the loop, not a wait."""
    return len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0


def faults(root: Path) -> list[str]:
    """Everything that is wrong, as `path:line: words`."""
    return [
        f"{path.relative_to(root)}:{line}: a sleep that waits: wait for an event, or say with `# slow: …` why it is about time"
        for place in PLACES
        for path in sorted((root / place).rglob("*.py"))
        for line in found(path.read_text(encoding="utf-8"))
    ]


def main() -> int:
    """Print what is wrong; 1 when anything is."""
    wrong = faults(ROOT)
    print("\n".join(wrong) or "sleeps: no test waits by sleeping")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
