"""The size report of `make lint`: the core, long functions and long files have bounds, the rest is printed.

A file over the bound says why in its docstring, in a sentence that begins with "Long:"; over twice the bound nothing excuses it.
"""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.source import PACKAGE, ROOT, Module, modules

FUNCTION_MAX, FUNCTION_P95, FILE_MAX, CORE_MAX = 80, 40, 400, 2_400
TESTS_PER_LINE = (1.0, 1.6)
REASON = "Long:"


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is measured. `tests` are those of the repository and the conformance suites that come with the package."""

    files: list[tuple[int, Module]]
    functions: list[tuple[int, str]]
    core: int
    tests: int
    code: int


def lines(path: Path) -> int:
    """Lines of a file, empty ones and comments included."""
    return len(path.read_text(encoding="utf-8").splitlines())


def functions(module: Module) -> list[tuple[int, str]]:
    """(lines, place) of every function in a file."""
    return [
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{module.path}:{node.lineno} {node.name}")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def measured(root: Path, tests: Path) -> Sizes:
    """The sizes of the package in the folder `root`, and of the tests beside it."""
    found = modules(root)
    files = sorted(((lines(module.path), module) for module in found), key=lambda item: item[0])
    shipped = sum(size for size, module in files if module.layer == "testing")
    return Sizes(
        files,
        sorted(item for module in found for item in functions(module)),
        core=sum(size for size, module in files if module.layer == "core"),
        tests=sum(lines(path) for path in tests.rglob("*.py")) + shipped,
        code=sum(size for size, _ in files) - shipped,
    )


def faults(sizes: Sizes) -> list[str]:
    """Every bound that is broken."""
    found = [f"{place}: {size} lines, at most {FUNCTION_MAX}" for size, place in sizes.functions if size > FUNCTION_MAX]
    found += [f"functions: p95 is {p95(sizes)} lines, at most {FUNCTION_P95}"] * (p95(sizes) > FUNCTION_P95)
    found += [f"core: {sizes.core} lines, at most {CORE_MAX}"] * (sizes.core > CORE_MAX)
    for size, module in sizes.files:
        excused = REASON in (ast.get_docstring(module.tree) or "") and size <= 2 * FILE_MAX
        if size > FILE_MAX and not excused:
            found.append(
                f"{module.path}: {size} lines, at most {FILE_MAX} without a reason in the docstring (`{REASON} …`), at most {2 * FILE_MAX} with one"
            )
    return found


def p95(sizes: Sizes) -> int:
    """Lines that 95 % of the functions do not exceed."""
    return sizes.functions[int(len(sizes.functions) * 0.95)][0] if sizes.functions else 0


def report(sizes: Sizes) -> list[str]:
    """What is printed, whether or not the bounds hold."""
    low, high = TESTS_PER_LINE
    share = sizes.tests / max(sizes.code, 1)
    (longest, place), (largest, module) = sizes.functions[-1], sizes.files[-1]
    return [
        f"sizes: {sizes.code} lines of code in {len(sizes.files)} files, core {sizes.core} (at most {CORE_MAX})",
        f"sizes: {sizes.tests} lines of tests and conformance suites, {share:.2f} a line of code (wanted: {low}-{high})",
        f"sizes: functions {len(sizes.functions)}, median {sizes.functions[len(sizes.functions) // 2][0]}, p95 {p95(sizes)}, longest {longest} ({place})",
        f"sizes: files median {sizes.files[len(sizes.files) // 2][0]}, largest {largest} ({module.path})",
    ]


def main() -> int:
    """Print the report; 1 when a bound is broken."""
    sizes = measured(ROOT / "src" / PACKAGE, ROOT / "tests")
    found = faults(sizes)
    print("\n".join([*report(sizes), *(found or ["sizes: all bounds hold"])]).replace(f"{ROOT}/", ""))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
