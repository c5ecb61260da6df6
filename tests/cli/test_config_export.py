"""`vigie config export` gives what can be read back, and `vigie config diff` says what applying another configuration would change."""

import json
import sqlite3
import zlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vigie import cli
from vigie.app import open_store, state_of
from vigie.clock import SystemClock
from vigie.config import load
from vigie.config.apart import load_apart

FILE = """\
# ours
log: {file: null}
llm: {provider: none}
notify: {hook: {type: webhook, url: "${HOOK}"}}
monitors:
  - https://a.test/   # the first one
  - {url: "https://b.test/?key=${KEY}", name: Blog}
"""
ENV = "HOOK=https://hooks.test/T0\nKEY=abcdef12\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vigie.yaml").write_text(FILE)
    (tmp_path / ".env").write_text(ENV)
    return tmp_path


def made(folder: Path, *bodies: dict[str, object], kind: str = "monitor") -> None:
    open_store(load(None, {}, folder), SystemClock())
    with sqlite3.connect(folder / "vigie.db") as db:
        for body in bodies:
            sql = "INSERT INTO definition (kind, id, version, by, at, trusted, body) VALUES (?, ?, 1, 'ann', 5, 1, ?)"
            db.execute(sql, (kind, body["id"], json.dumps(body)))
    db.close()


def vigie(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli.root, list(words))
    return done.exit_code, done.stdout, done.stderr


def test_everything_is_exported_and_reads_back_the_same(folder: Path) -> None:
    secret = r"it's $${x} \ é"
    made(
        folder,
        {"id": "c", "url": "https://user:pa55w0rd@c.test/?q=1", "headers": {"X-Key": secret}, "tags": ["eu"], "every": "5m"},
        {"id": "old", "url": "https://old.test/", "gone": 1},
    )
    made(folder, {"id": "public", "title": "Ours", "tags": ["eu"], "names": {"c": "Catalogue"}}, kind="status_page")

    code, yaml, said = vigie("config", "export", "--secrets", "made.env")
    assert (code, said) == (0, "")
    assert yaml.startswith(FILE.partition("monitors")[0]), "comments and variables stay"
    assert "# the first one" in yaml
    assert "${KEY}" in yaml
    assert "pa55w0rd" not in yaml
    assert "# left out: monitor old: unknown key" in yaml
    assert (folder / "made.env").stat().st_mode & 0o077 == 0
    assert vigie("config", "export", "--secrets", "made.env")[0] == 3, "nothing is overwritten"
    assert "VIGIE_C_URL, VIGIE_C_HEADERS_X_KEY" in vigie("config", "export")[2]

    there = folder / "there"
    there.mkdir()
    (there / "vigie.yaml").write_text(yaml)
    (there / ".env").write_text(ENV + (folder / "made.env").read_text())
    here, back = load(None, {}, folder), load(None, {}, there)
    assert [one.monitor.id for one in back.monitors] == ["a-test", "blog", "c"]
    assert [one.config.reveal() for one in back.monitors] == [one.config.reveal() for one in here.monitors]
    assert [one.name for one in back.status_pages] == ["public"]


def test_without_a_file_the_export_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, yaml, _ = vigie("config", "export")
    assert code == 0
    (tmp_path / "vigie.yaml").write_text(yaml)
    assert [one.monitor.target for one in load(None, {}, tmp_path).monitors] == ["https://ollama.com/"]


def test_what_another_file_would_change_is_said(folder: Path) -> None:
    made(folder, {"id": "c", "url": "https://c.test/"})
    other = folder / "other.yaml"
    other.write_text(FILE)
    assert vigie("config", "diff", "other.yaml") == (0, "", "")
    other.write_text(
        FILE.replace("https://a.test/ ", "https://z.test/ ").replace("name: Blog", "name: Blog, every: 5m").replace("${KEY}", "zzz")
    )
    code, lines, _ = vigie("config", "diff", "other.yaml")
    assert (code, lines.splitlines()) == (
        1, ["- monitor a-test", "~ monitor blog", '    every: "1m" → "5m"', "+ monitor z-test", "~ monitor blog: a secret"],
    )  # fmt: skip
    other.write_text(FILE.replace("https://a.test/ ", "https://c.test/ "))
    assert "the id 'c-test'" not in vigie("config", "diff", "other.yaml")[1]
    other.write_text(FILE + "  - {url: https://x.test/, id: c}\n")
    code, lines, _ = vigie("config", "diff", "other.yaml")
    assert code == 1
    assert "! monitor 'c', made by ann: left out: two monitors have the id 'c'" in lines
    other.write_text("monitors: [{url: nonsense}]")
    assert vigie("config", "diff", "other.yaml")[0] == 3


def test_what_a_reload_would_change_is_said(folder: Path) -> None:
    code, _, said = vigie("config", "diff")
    assert (code, "nothing is known to be in force" in said) == (3, True)
    applied = load_apart(None, {}, folder)
    state_of(applied).remember_applied(applied.summary)
    assert vigie("config", "diff") == (0, "", "")
    (folder / "vigie.yaml").write_text(FILE.replace("language: en", "") + "language: fr\n")
    assert vigie("config", "diff") == (1, '~ language\n    language: "en" → "fr"\n', "")
    (state_of(applied).folder / "applied.json.z").write_bytes(zlib.compress(b"[]"))
    assert vigie("config", "diff")[0] == 3
