"""What goes to PyPI: built offline from this tree, with metadata that says who and what, links that work there, and every file in it."""

import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import tomllib
import urllib.request
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(wheel, sdist)."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def metadata(built: tuple[Path, Path]) -> Message:
    with zipfile.ZipFile(built[0]) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode())


def test_it_says_who_what_and_where(metadata: Message) -> None:
    assert metadata["Author"] == "Vigie contributors"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert {one.partition(",")[0] for one in metadata.get_all("Project-URL") or []} == {
        "Homepage",
        "Documentation",
        "Source",
        "Issues",
        "Changelog",
    }
    assert "monitoring" in metadata["Keywords"]
    assert metadata["Requires-Python"] == ">=3.11"


def test_classifiers_are_those_of_pypi(metadata: Message) -> None:
    from trove_classifiers import classifiers

    assert set(metadata.get_all("Classifier") or []) <= classifiers
    assert not [one for one in metadata.get_all("Classifier") or [] if one.startswith("License ::")]  # the expression says it (PEP 639)


def test_links_of_the_readme_work_on_pypi(metadata: Message) -> None:
    text = str(metadata.get_payload())
    links = LINK.findall(text)

    assert len(links) > 20
    for one in links:
        assert one.startswith(("https://", "http://", "#")), one
        found = re.fullmatch(r"https://github\.com/vigie-monitor/vigie/(?:blob|raw)/main/([^#]+)(?:#.*)?", one)
        if found is not None:
            assert (ROOT / found[1]).exists(), one


def test_every_file_of_the_package_is_in_the_wheel(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[0]) as archive:
        there = set(archive.namelist())
    tracked = subprocess.run(["git", "ls-files", "src/vigie"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    wanted = {one.removeprefix("src/") for one in tracked if one and (ROOT / one).exists()}

    assert wanted <= there
    assert {one.partition("/")[0] for one in there} == {"vigie", next(one for one in there if ".dist-info/" in one).partition("/")[0]}
    assert any(one.endswith(".css") for one in there)
    assert any(one.endswith(".html.j2") for one in there)
    assert "vigie/py.typed" in there


def test_the_sdist_can_be_built_from(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[1]) as archive:
        names = {one.partition("/")[2] for one in archive.getnames()}

    assert {
        "pyproject.toml",
        "hatch_build.py",
        "README.md",
        "LICENSE",
        "src/vigie/__init__.py",
        "docs/running.md",
        "deploy/systemd/vigie.service",
    } <= names
    assert not [one for one in names if one.startswith((".venv", ".git/")) or one.endswith((".env", ".pyc"))]


def test_urls_are_of_one_repository() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        urls = tomllib.load(file)["project"]["urls"]

    assert all(one.startswith("https://github.com/vigie-monitor/vigie") for one in urls.values())


@pytest.mark.timeout(180)
def test_an_installed_wheel_serves_a_page(built: tuple[Path, Path], tmp_path: Path) -> None:
    """In a fresh environment that shares this one's dependencies, and nothing of this tree."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    (packages,) = (tmp_path / "env").glob("lib/python3*/site-packages")
    import starlette

    (packages / "others.pth").write_text(str(Path(starlette.__file__).parents[1]))
    with zipfile.ZipFile(built[0]) as archive:
        archive.extractall(packages)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    (tmp_path / "vigie.yaml").write_text(
        f"web: {{listen: '127.0.0.1:{port}'}}\nllm: {{provider: none}}\ncontrol: []\nlog: {{file: null}}\nmonitors: [http://127.0.0.1:1/]\n"
    )
    python = tmp_path / "env/bin/python"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIGIE"))}
    where = subprocess.run(
        [python, "-c", "import vigie; print(vigie.__file__)"], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert where.stdout.startswith(str(packages))
    process = subprocess.Popen(
        [python, "-c", "from vigie.cli import main; main()", "serve"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if f"http://127.0.0.1:{port}/" in line:
                break
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
            page = answer.read().decode()
        for asset in set(re.findall(r"/static/[^\"?]+\?v=[0-9a-f]+", page)):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{asset}", timeout=30) as answer:
                assert answer.status == 200
        assert "Vigie" in page
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_offered_to_shells(shell: str) -> None:
    run = [sys.executable, "-c", "from vigie.cli import main; main()"]
    script = subprocess.run(
        [*run, "--show-completion", shell],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    )
    assert "vigie" in script.stdout
    asked = {**os.environ, "_VIGIE_COMPLETE": "complete_bash", "COMP_WORDS": "vigie back", "COMP_CWORD": "1"}
    done = subprocess.run(run, capture_output=True, text=True, check=False, env=asked)
    assert done.stdout.split() == ["backup"]
