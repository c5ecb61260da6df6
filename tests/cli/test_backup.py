"""`vigie backup` and `vigie restore`: what is in it, who may read it, and that nothing changes unless everything is whole."""

import io
import json
import sqlite3
import stat
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from vigie.state import State

CONFIG = "llm: {{provider: none}}\nnotify: {{hook: {{type: webhook, url: '{url}'}}}}\nlog: {{file: null}}\nmonitors: [{{name: Shop, url: '{url}'}}]\n"


@pytest.fixture
def used(vigie: Any, folder: Path, site: Any) -> Path:
    """A folder in which a cycle ran, with a key and a picture."""
    (folder / "vigie.yaml").write_text(CONFIG.format(url=site.url))
    (folder / ".env").write_text("SMTP_TOKEN=a-password-of-mine\n")
    assert vigie("once").status == 0
    state = State(folder / "vigie.db.state", folder / "vigie.db")
    state.key()
    (state.evidence / "shop").mkdir(parents=True)
    (state.evidence / "shop" / "1.png").write_bytes(b"picture")
    return folder


def names(path: Path) -> list[str]:
    with tarfile.open(path) as archive:
        return archive.getnames()


def results(path: Path) -> int:
    with sqlite3.connect(path) as db:
        return int(db.execute("SELECT count(*) FROM monitor").fetchone()[0])


def changed(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A backup with other contents."""
    with tarfile.open(path) as archive:
        members = {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]  # all are files
    change(members)
    other = path.with_name("changed.tar")
    with tarfile.open(other, "w") as archive:
        for name, content in members.items():
            item = tarfile.TarInfo(name)
            item.size = len(content)
            archive.addfile(item, io.BytesIO(content))
    return other


def relist(members: dict[str, bytes]) -> None:
    """Have the list say what is there."""
    known = json.loads(members["backup.json"])
    known["members"] = [
        {"name": name, "size": len(one), "sha256": sha256(one).hexdigest()} for name, one in members.items() if name != "backup.json"
    ]
    members["backup.json"] = json.dumps(known).encode()


@pytest.mark.parametrize("name", ["vigie.tar", "vigie.tar.gz"])
def test_a_backup_comes_back_as_it_was(vigie: Any, used: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / name
    key = (used / "vigie.db.state/key").read_bytes()

    done = vigie("backup", str(made))

    assert done.status == 0
    assert "Not in it: .env" in done.out
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert names(made)[0] == "backup.json"
    assert set(names(made)[1:]) == {"database", "configuration", "state/key", "state/channels.json", "state/evidence/shop/1.png"}
    assert b"a-password-of-mine" not in made.read_bytes()
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    monkeypatch.chdir(fresh)
    again = vigie("restore", str(made))
    assert (again.status, again.err) == (0, "")
    assert "written from the backup" in again.out
    assert (fresh / "vigie.yaml").read_bytes() == (used / "vigie.yaml").read_bytes()
    assert (fresh / "vigie.db.state/key").read_bytes() == key
    assert (fresh / "vigie.db.state/evidence/shop/1.png").read_bytes() == b"picture"
    for file in ("vigie.db", "vigie.yaml", "vigie.db.state/key"):
        assert stat.S_IMODE((fresh / file).stat().st_mode) == 0o600, file
    assert results(fresh / "vigie.db") == results(used / "vigie.db") == 1
    assert vigie("once").status == 0
    assert not [one for one in [*tmp_path.rglob(".vigie*"), *fresh.rglob(".*")] if one.name != ".env"]


def test_a_file_is_not_overwritten_by_accident(vigie: Any, used: Path, tmp_path: Path) -> None:
    (tmp_path / "vigie.tar").write_text("precious")

    refused = vigie("backup", str(tmp_path / "vigie.tar"))

    assert refused.status == 3
    assert "is there already" in refused.err
    assert (tmp_path / "vigie.tar").read_text() == "precious"
    assert vigie("backup", str(tmp_path / "vigie.tar"), "--force").status == 0


def test_a_database_is_replaced_with_force_alone_and_kept(vigie: Any, used: Path, tmp_path: Path) -> None:
    made, before = tmp_path / "vigie.tar", (used / "vigie.db").read_bytes()
    vigie("backup", str(made))
    (used / "vigie.yaml").write_text((used / "vigie.yaml").read_text() + "language: fr\n")

    refused = vigie("restore", str(made))
    forced = vigie("restore", str(made), "--force")

    assert (refused.status, forced.status) == (3, 0)
    assert "--force" in refused.err
    assert (used / "vigie.db.before-restore-1").read_bytes() == before
    assert f"{used / 'vigie.yaml'} differs from the one in the backup and was left as it is" in forced.out
    assert "language: fr" in (used / "vigie.yaml").read_text()
    assert vigie("restore", str(made), "--force").status == 0
    assert (used / "vigie.db.before-restore-2").exists()


def test_nothing_is_restored_while_vigie_runs(vigie: Any, used: Path, tmp_path: Path) -> None:
    made = tmp_path / "vigie.tar"
    vigie("backup", str(made))

    with State(used / "vigie.db.state", used / "vigie.db").locked():
        assert vigie("backup", str(tmp_path / "other.tar")).status == 0  # it may go on
        refused = vigie("restore", str(made), "--force")

    assert refused.status == 3
    assert "another Vigie is running" in refused.err


def tampered(members: dict[str, bytes]) -> None:
    members["state/key"] = b"x" * 32


def missing(members: dict[str, bytes]) -> None:
    del members["database"]


def foreign(members: dict[str, bytes]) -> None:
    members["state/evidence/../../../vigie.yaml"] = b"monitors: []"
    relist(members)


def absolute(members: dict[str, bytes]) -> None:
    members["/etc/vigie.yaml"] = b"monitors: []"
    relist(members)


def unlisted(members: dict[str, bytes]) -> None:
    members["state/evidence/more.png"] = b"x"


def newer(members: dict[str, bytes]) -> None:
    database = bytearray(members["database"])
    database[60:64] = (9_999).to_bytes(4, "big")  # `user_version` in the header of SQLite's file format
    members["database"] = bytes(database)
    relist(members)


def broken(members: dict[str, bytes]) -> None:
    members["database"] = members["database"][:4096] + b"\xff" * 4096 + members["database"][8192:]
    relist(members)


def other_format(members: dict[str, bytes]) -> None:
    members["backup.json"] = members["backup.json"].replace(b'"format": 1', b'"format": 2')


def enormous(members: dict[str, bytes]) -> None:
    listed = json.loads(members["backup.json"])
    listed["members"][0]["size"] = 10**18
    members["backup.json"] = json.dumps(listed).encode()


def longer(members: dict[str, bytes]) -> None:
    members["database"] += bytes(64 * 1024 * 1024)


def no_list(members: dict[str, bytes]) -> None:
    members["backup.json"] = b"[]"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (tampered, "state/key is not what was written"),
        (missing, "database is missing"),
        (foreign, "does not belong into it"),
        (absolute, "does not belong into it"),
        (unlisted, "does not belong into it"),
        (newer, "made by a newer Vigie"),
        (broken, "damaged"),
        (other_format, "made by a newer Vigie"),
        (enormous, "free space"),
        (longer, "database is not what was written"),
        (no_list, "cannot be read"),
    ],
)
def test_what_is_not_whole_changes_nothing(vigie: Any, used: Path, tmp_path: Path, change: Any, said: str) -> None:
    made = tmp_path / "vigie.tar"
    vigie("backup", str(made))
    before = {one: one.read_bytes() for one in used.rglob("*") if one.is_file()}

    done = vigie("restore", str(changed(made, change)), "--force")

    assert done.status == 3
    assert said in done.err
    assert {one: one.read_bytes() for one in used.rglob("*") if one.is_file()} == before


@pytest.mark.parametrize("length", [0, 100, 5_000, -2_000])
def test_a_backup_that_ends_too_early_is_none(vigie: Any, used: Path, tmp_path: Path, length: int) -> None:
    made = tmp_path / "vigie.tar.gz"
    vigie("backup", str(made))
    made.write_bytes(made.read_bytes()[:length])

    done = vigie("restore", str(made), "--force")

    assert done.status == 3
    assert "is damaged or not a backup of Vigie" in done.err


def test_what_is_missing_is_named(vigie: Any, folder: Path, site: Any, tmp_path: Path) -> None:
    (folder / "vigie.yaml").write_text(CONFIG.format(url=site.url))

    no_database, no_file = vigie("backup", str(tmp_path / "x.tar")), vigie("restore", str(tmp_path / "none.tar"))

    assert "there is no database" in no_database.err
    assert "cannot be read" in no_file.err
    assert (no_database.status, no_file.status) == (3, 3)
    assert not (tmp_path / "x.tar").exists()


def test_a_configuration_that_needs_its_env_says_so(vigie: Any, used: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (used / "vigie.yaml").read_text()
    (used / "vigie.yaml").write_text(text.replace(text.partition("url: ")[2].partition("}")[0], "'${HOOK}'", 1))
    (used / ".env").write_text("HOOK=https://hook.test/x\n")
    made = tmp_path / "vigie.tar"
    assert vigie("backup", str(made)).status == 0
    (tmp_path / "fresh").mkdir()
    monkeypatch.chdir(tmp_path / "fresh")

    without = vigie("restore", str(made))
    (tmp_path / "fresh/.env").write_text("HOOK=https://hook.test/x\n")
    with_it = vigie("restore", str(made))

    assert without.status == 3
    assert "is its .env here" in without.err
    assert with_it.status == 0
