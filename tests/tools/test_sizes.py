"""Each bound on sizes refuses what is beyond it and names it."""

from pathlib import Path

import pytest
from tools import sizes


def found(folder: Path, files: dict[str, str]) -> list[str]:
    """What is wrong with a package that holds these files."""
    for name, text in files.items():
        path = folder / "vigie" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    measured = sizes.measured(folder / "vigie", folder / "tests")
    assert sizes.report(measured)
    return [fault.replace(f"{folder}/", "") for fault in sizes.faults(measured)]


def function(lines: int, name: str = "f") -> str:
    return f"def {name}():\n" + "    x = 1\n" * (lines - 1)


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"a.py": function(81) + "\n".join(function(2, f"g{n}") for n in range(30))}, "vigie/a.py:1 f: 81 lines, at most 80"),
        ({"a.py": function(41) + function(41, "g")}, "functions: p95 is 41 lines, at most 40"),
        ({"core/a.py": "x = 1\n" + function(2), **{f"core/b{n}.py": "x = 1\n" * 400 for n in range(6)}}, "core: 2403 lines, at most 2400"),
        ({"a.py": function(2) + "x = 1\n" * 399}, "vigie/a.py: 401 lines, at most 400 without a reason in the docstring (`Long: …`), at most 800 with one"),
        ({"a.py": '"""A.\n\nLong: a table."""\n' + function(2) + "x = 1\n" * 796}, "vigie/a.py: 801 lines, at most 400 without a reason in the docstring (`Long: …`), at most 800 with one"),
    ],
)  # fmt: skip
def test_what_is_too_long_is_named(files: dict[str, str], fault: str, tmp_path: Path) -> None:
    assert found(tmp_path, files) == [fault]


def test_what_is_at_its_bounds_is_accepted(tmp_path: Path) -> None:
    files = {
        "a.py": '"""A.\n\nLong: a table."""\n' + "x = 1\n" * 797,
        "core/a.py": function(80),
        "core/b.py": "x = 1\n" * 400,
        "c.py": "\n".join(function(2, f"g{n}") for n in range(30)),
    }
    assert found(tmp_path, files) == []


def test_suites_that_are_shipped_count_as_tests(tmp_path: Path) -> None:
    for name, lines in (("vigie/a.py", 10), ("vigie/testing/suite.py", 7), ("tests/test_a.py", 5)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n" * lines)
    measured = sizes.measured(tmp_path / "vigie", tmp_path / "tests")

    assert (measured.code, measured.tests) == (10, 12)
