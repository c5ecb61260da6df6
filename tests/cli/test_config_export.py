"""`vigie config export` gives what can be read back, and `vigie config diff` says what applying another configuration would change."""

import json
import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vigie.adapters import open_store, state_of
from vigie.clock import SystemClock
from vigie.config import load
from vigie.config.apart import load_apart

Vigie = Callable[..., Any]
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
def written(folder: Path) -> Path:
    """The folder, with a configuration."""
    (folder / "vigie.yaml").write_text(FILE)
    (folder / ".env").write_text(ENV)
    return folder


def ran(vigie: Vigie, *words: str) -> tuple[int, str, str]:
    done = vigie(*words)
    return done.status, done.out, done.err


def made(folder: Path, *bodies: dict[str, object], kind: str = "monitor") -> None:
    open_store(load(None, {}, folder), SystemClock())
    with sqlite3.connect(folder / "vigie.db") as db:
        for body in bodies:
            sql = "INSERT INTO definition (kind, id, version, by, at, trusted, body) VALUES (?, ?, 1, 'ann', 5, 1, ?)"
            db.execute(sql, (kind, body["id"], json.dumps(body)))
    db.close()


def test_everything_is_exported_and_reads_back_the_same(written: Path, vigie: Vigie) -> None:
    folder = written
    secret = r"it's $${x} \ é"
    made(
        folder,
        {"id": "c", "url": "https://user:pa55w0rd@c.test/?q=1", "headers": {"X-Key": secret}, "tags": ["eu"], "every": "5m"},
        {"id": "old", "url": "https://old.test/", "gone": 1},
    )
    made(folder, {"id": "public", "title": "Ours", "tags": ["eu"], "names": {"c": "Catalogue"}}, kind="status_page")

    code, yaml, said = ran(vigie, "config", "export", "--secrets", "made.env")
    assert (code, said) == (0, "")
    assert yaml.startswith(FILE.partition("monitors")[0]), "comments and variables stay"
    assert "# the first one" in yaml
    assert "${KEY}" in yaml
    assert "pa55w0rd" not in yaml
    assert "# left out: monitor old: unknown key" in yaml
    assert (folder / "made.env").stat().st_mode & 0o077 == 0
    assert ran(vigie, "config", "export", "--secrets", "made.env")[0] == 3, "nothing is overwritten"
    assert "VIGIE_C_URL, VIGIE_C_HEADERS_X_KEY" in ran(vigie, "config", "export")[2]

    there = folder / "there"
    there.mkdir()
    (there / "vigie.yaml").write_text(yaml)
    (there / ".env").write_text(ENV + (folder / "made.env").read_text())
    here, back = load(None, {}, folder), load(None, {}, there)
    assert [one.monitor.id for one in back.monitors] == ["a-test", "blog", "c"]
    assert [one.config.reveal() for one in back.monitors] == [one.config.reveal() for one in here.monitors]
    assert [one.name for one in back.status_pages] == ["public"]


def test_without_a_file_the_export_is_a_file(folder: Path, vigie: Vigie) -> None:
    code, yaml, _ = ran(vigie, "config", "export")
    assert code == 0
    (folder / "vigie.yaml").write_text(yaml)
    assert [one.monitor.target for one in load(None, {}, folder).monitors] == ["https://ollama.com/"]


def test_what_another_file_would_change_is_said(written: Path, vigie: Vigie) -> None:
    folder = written
    made(folder, {"id": "c", "url": "https://c.test/"})
    other = folder / "other.yaml"
    other.write_text(FILE)
    assert ran(vigie, "config", "diff", "other.yaml") == (0, "", "")
    other.write_text(
        FILE.replace("https://a.test/ ", "https://z.test/ ").replace("name: Blog", "name: Blog, every: 5m").replace("${KEY}", "zzz")
    )
    code, lines, _ = ran(vigie, "config", "diff", "other.yaml")
    assert (code, lines.splitlines()) == (
        1, ["- monitor a-test", "~ monitor blog", '    every: "1m" → "5m"', "+ monitor z-test", "~ monitor blog: a secret"],
    )  # fmt: skip
    other.write_text(FILE.replace("https://a.test/ ", "https://c.test/ "))
    assert "the id 'c-test'" not in ran(vigie, "config", "diff", "other.yaml")[1]
    other.write_text(FILE + "  - {url: https://x.test/, id: c}\n")
    code, lines, _ = ran(vigie, "config", "diff", "other.yaml")
    assert code == 1
    assert "! monitor 'c', made by ann: left out: two monitors have the id 'c'" in lines
    other.write_text("monitors: [{url: nonsense}]")
    assert ran(vigie, "config", "diff", "other.yaml")[0] == 3


def test_what_a_reload_would_change_is_said(written: Path, vigie: Vigie) -> None:
    folder = written
    code, _, said = ran(vigie, "config", "diff")
    assert (code, "nothing is known to be in force" in said) == (3, True)
    applied = load_apart(None, {}, folder)
    state_of(applied).remember_applied(applied.summary)
    assert ran(vigie, "config", "diff") == (0, "", "")
    (folder / "vigie.yaml").write_text(FILE.replace("language: en", "") + "language: fr\n")
    assert ran(vigie, "config", "diff") == (
        1, '~ language\n    language: "en" → "fr"\n~ llm\n    llm.language: "en" → "fr"\n', "",
    )  # fmt: skip
    (state_of(applied).folder / "applied.json.z").write_bytes(zlib.compress(b"[]"))
    assert ran(vigie, "config", "diff")[0] == 3
