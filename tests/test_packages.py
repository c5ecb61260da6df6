"""Without a package of the system its tests are skipped and say which; in CI, where all of them have to be there, they fail instead."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests import _packages
from tests._packages import PACKAGES, REQUIRE_ALL, is_there, require

ROOT = Path(__file__).parent.parent
NEEDY = """
import pytest

@pytest.fixture
def browser():
    from tests._packages import require
    require("chromium")

def test_a_page(browser): raise AssertionError("it ran")

@pytest.mark.needs("bind9", "bind9-utils")
def test_a_zone(): raise AssertionError("it ran")

@pytest.mark.parametrize("server", ["own", pytest.param("mariadb", marks=pytest.mark.needs("mariadb-server-core"))])
def test_a_server(server): assert server == "own"
"""


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine that has none of the packages."""
    return {**os.environ, "PATH": str(tmp_path), "VIGIE_TESTS_SBIN": str(tmp_path)}


def run(folder: Path, environment: dict[str, str]) -> str:
    """The report of a suite whose tests need packages, run with this suite's own set-up."""
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"))
    (folder / "test_needy.py").write_text(NEEDY)
    command = [sys.executable, "-m", "pytest", "-q", "-rsf", "--no-header", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    command += [f"--rootdir={folder}", str(folder)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False).stdout


def test_without_its_package_a_test_is_skipped_with_the_package_s_name(tmp_path: Path, bare: dict[str, str]) -> None:
    report = run(tmp_path, {name: value for name, value in bare.items() if name != REQUIRE_ALL})

    assert "1 passed, 3 skipped" in report, report
    assert "needs the package chromium (apt-get install chromium fonts-dejavu-core)" in report
    assert "needs the package bind9 (apt-get install bind9)" in report
    assert "needs the package mariadb-server-core (apt-get install mariadb-server-core)" in report


def test_where_all_packages_have_to_be_there_it_fails_instead(tmp_path: Path, bare: dict[str, str]) -> None:
    report = run(tmp_path, {**bare, REQUIRE_ALL: "1"})

    assert "1 passed, 3 errors" in report, report
    assert "skipped" not in report
    assert f"needs the package bind9 (apt-get install bind9), and {REQUIRE_ALL} is set" in report


@pytest.mark.parametrize("package", PACKAGES)
def test_with_its_package_a_test_runs(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(_packages, "SBIN", ())
    assert not is_there(package)
    for group in PACKAGES[package].programs:
        (tmp_path / group[-1]).touch(0o755)

    require(package)


def test_ci_installs_what_is_missing_and_accepts_no_skip(bare: dict[str, str]) -> None:
    listed = subprocess.run([sys.executable, str(ROOT / "tests" / "_packages.py")], env=bare, capture_output=True, text=True, check=True)
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert set(listed.stdout.split()) == {*PACKAGES, "fonts-dejavu-core"}
    assert "tests/_packages.py" in ci
    assert f"export {REQUIRE_ALL}=1" in ci


def test_every_package_that_tests_need_is_known() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py") if path.name != "test_packages.py")
    marked = {name for names in re.findall(r"mark\.needs\(([^)]*)\)", text) for name in re.findall(r'"([^"]+)"', names)}
    required = set(re.findall(r'require\("([^"]+)"\)', text))

    assert marked | required == set(PACKAGES)
