"""Status pages as files, from the database alone."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vigie.cli import statuspage
from vigie.errors import VigieError
from vigie.stores.sqlite.store import SqliteStore

Run = Callable[..., str]
FILE = """
llm: {provider: none}
store: t.db
web: {public_url: "https://vigie.example.com"}
monitors: [{name: Shop, id: db-7, url: "https://intern.example.com/"}]
status_pages:
  public: {title: Lumen, monitors: [db-7], colours: {accent: "#1b55a8"}}
  inner: {title: Inner, monitors: [db-7], public: false}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The commands in a folder with a database; what they print."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vigie.yaml").write_text(FILE)
    SqliteStore(tmp_path / "t.db", threads=False)

    def made(*arguments: str) -> str:
        found = CliRunner().invoke(statuspage.app, list(arguments), catch_exceptions=False, standalone_mode=False)
        return found.output

    return made


def test_public_pages_are_written_with_links_that_lead_to_their_own_files(run: Run, tmp_path: Path) -> None:
    assert run("export", "site") == "public: 11 files in site/public\n"
    assert not (tmp_path / "site/inner").exists()
    folder = tmp_path / "site/public"
    assert not list(folder.rglob("*.part"))
    for file in folder.rglob("*.html"):
        text = file.read_text()
        assert "<form" not in text
        for link in re.findall(r'(?:href|src)="([^"#]*)', text):
            assert link == "" or (file.parent / link).is_file(), (file, link)
    assert b"intern" not in b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    assert "Tous les services" in (folder / "fr/index.html").read_text() or "contrôlé" in (folder / "fr/index.html").read_text()


def test_a_named_page_is_written_into_the_folder_itself_though_it_is_private(run: Run, tmp_path: Path) -> None:
    run("export", "inner", "--page", "inner")
    assert "Inner" in (tmp_path / "inner/index.html").read_text()


def test_pages_are_listed(run: Run) -> None:
    assert run("list").splitlines()[0] == "public  public   https://vigie.example.com/status/public  1 monitor"


def test_what_cannot_be_exported_says_why(run: Run, tmp_path: Path) -> None:
    with pytest.raises(VigieError, match="no status page 'x'"):
        run("export", "site", "--page", "x")
    (tmp_path / "file").write_text("")
    with pytest.raises(VigieError, match="cannot be written"):
        run("export", "file/site")
    (tmp_path / "vigie.yaml").write_text(FILE.replace("public: {title: Lumen", "public: {public: false, title: Lumen"))
    with pytest.raises(VigieError, match="no public status page"):
        run("export", "site")
