"""The size report of `make lint`: long functions and files fail it, the rest is printed."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FUNCTION_MAX, FUNCTION_P95, FILE_MAX, CORE_MAX = 80, 40, 400, 4200


def functions(path: Path) -> list[tuple[int, str]]:
    """(lines, place) of every function in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def lines(paths: list[Path]) -> int:
    """Lines in all."""
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)


def main() -> int:
    """Print the report; 1 when a bound is broken."""
    source = sorted((ROOT / "src").rglob("*.py"))
    tests = sorted((ROOT / "tests").rglob("*.py"))
    # The words of reports in two languages, the table of causes and the incidents that models are rated on are data; they do not make the core harder to hold in the head.
    data = ("words.py", "phrases.py", "terms.py", "causes.py", "cases.py", "vocabulary.py")
    core = [path for path in source if "core" in path.relative_to(ROOT / "src" / "vigie").parts and path.name not in data]
    found = sorted(item for path in source for item in functions(path))
    p95 = found[int(len(found) * 0.95)][0]
    files = sorted((lines([path]), str(path.relative_to(ROOT))) for path in source)
    print(
        f"sizes: {lines(source)} lines in {len(source)} files, core {lines(core)}, tests {lines(tests)} ({lines(tests) / lines(source):.2f}/line)"
    )
    print(f"sizes: functions {len(found)}, median {found[len(found) // 2][0]}, p95 {p95}, longest {found[-1][0]} ({found[-1][1]})")
    print(f"sizes: files median {files[len(files) // 2][0]}, largest {files[-1][0]} ({files[-1][1]})")
    faults = [f"{place}: {size} lines, at most {FUNCTION_MAX}" for size, place in found if size > FUNCTION_MAX]
    faults += [f"{place}: {size} lines, at most {FILE_MAX}" for size, place in files if size > FILE_MAX]
    faults += [f"functions: p95 is {p95} lines, at most {FUNCTION_P95}"] * (p95 > FUNCTION_P95)
    faults += [f"core: {lines(core)} lines, at most {CORE_MAX}"] * (lines(core) > CORE_MAX)
    print("\n".join(faults) or "sizes: all bounds hold")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
