"""The state directory: one Vigie at a time, and a key that is made once, for this user alone."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from vigie.errors import AlreadyRunning, VigieError
from vigie.state import State

OLD_KEY = bytes(range(32))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_key_is_made_once(tmp_path: Path) -> None:
    state = State(tmp_path / "new" / "state")
    key = state.key()

    assert len(key) == 32
    assert state.key() == key
    assert [path.name for path in state.folder.iterdir()] == ["key"]
    assert State(tmp_path / "other").key() != key


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_nobody_else_reads_it_whatever_the_umask(tmp_path: Path) -> None:
    state, before = State(tmp_path / "state"), os.umask(0)
    try:
        state.key()
    finally:
        os.umask(before)
    assert (mode(state.folder), mode(state.folder / "key")) == (0o700, 0o600)


def test_all_who_make_it_at_once_get_the_same(tmp_path: Path) -> None:
    for number in range(20):
        (database := tmp_path / f"{number}.db").with_name(f"{number}.db.key").write_bytes(OLD_KEY)
        states = [State(tmp_path / f"{number}", database if number % 2 else None) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            found = set(pool.map(State.key, states))
        assert len(found) == 1
        assert (found == {OLD_KEY}) is bool(number % 2)
        assert [path.name for path in (tmp_path / f"{number}").iterdir()] == ["key"]


def test_without_hard_links_it_is_made_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    state = State(tmp_path / "state")
    assert state.key() == state.key()
    assert [path.name for path in state.folder.iterdir()] == ["key"]


@pytest.mark.parametrize("elsewhere", [False, True], ids=["beside the database", "elsewhere"])
def test_the_key_of_an_earlier_version_is_moved_here_and_stays_the_same(tmp_path: Path, elsewhere: bool) -> None:
    database = tmp_path / "vigie.db"
    old = tmp_path / "vigie.db.key"
    old.write_bytes(OLD_KEY)
    old.chmod(0o644)
    folder = tmp_path / "away" / "state" if elsewhere else tmp_path / "vigie.db.state"

    assert State(folder, database).key() == OLD_KEY
    assert not old.exists()
    assert State(folder, database).key() == OLD_KEY
    if os.name != "nt":
        assert (mode(folder), mode(folder / "key")) == (0o700, 0o600)


@pytest.mark.parametrize("name", ["state/key", "vigie.db.key"])
def test_a_key_that_is_cut_is_not_used(tmp_path: Path, name: str) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / name).write_bytes(b"short")
    with pytest.raises(VigieError, match="key is damaged"):
        State(tmp_path / "state", tmp_path / "vigie.db").key()
    assert (tmp_path / name).read_bytes() == b"short"


def test_one_that_cannot_be_had_is_said_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    with pytest.raises(VigieError, match=r"key cannot be used"):
        State(tmp_path).key()
    (tmp_path / "file").write_text("")
    with pytest.raises(VigieError, match=r"file.state cannot be made") as raised:
        State(tmp_path / "file" / "state").key()
    assert "`state`" in raised.value.fix


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root makes files for others")
def test_what_root_makes_belongs_to_whom_the_folder_belongs(tmp_path: Path) -> None:
    os.chown(tmp_path, 65_534, 65_534)
    state = State(tmp_path / "state", tmp_path / "vigie.db")
    state.key()
    with state.locked():
        pass
    made = [tmp_path / "vigie.db.lock", state.folder, state.folder / "key", state.folder / "lock"]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made if path.exists()} == {(65_534, 65_534)}
    assert state.folder / "lock" in made


def test_two_never_work_on_one_store_whatever_their_state_directories(tmp_path: Path) -> None:
    database = tmp_path / "vigie.db"
    with State(tmp_path / "one", database).locked():
        with pytest.raises(AlreadyRunning, match=r"another Vigie is running on .*vigie\.db"), State(tmp_path / "two", database).locked():
            pass
        with State(tmp_path / "two", tmp_path / "other.db").locked():
            pass
    with State(tmp_path / "two", database).locked():
        pass


def test_two_never_share_a_state_directory(tmp_path: Path) -> None:
    with State(tmp_path / "state").locked():
        with pytest.raises(AlreadyRunning, match="has its state in"), State(tmp_path / "state", tmp_path / "vigie.db").locked():
            pass
        with State(tmp_path / "other").locked():  # what was taken before it failed was given back
            pass


def test_an_earlier_version_at_work_keeps_this_one_out_and_the_other_way_round(tmp_path: Path) -> None:
    database, earlier = tmp_path / "vigie.db", FileLock(tmp_path / "vigie.db.lock", timeout=0)
    state = State(tmp_path / "vigie.db.state", database)
    with earlier, pytest.raises(AlreadyRunning), state.locked():
        pass
    with state.locked(), pytest.raises(TimeoutError):
        earlier.acquire()


def test_pictures_go_on_where_an_earlier_version_kept_them(tmp_path: Path) -> None:
    state = State(tmp_path / "vigie.db.state", tmp_path / "vigie.db")
    assert state.evidence == tmp_path / "vigie.db.state" / "evidence"
    (tmp_path / "evidence").mkdir()
    assert state.evidence == tmp_path / "evidence"
    assert State(tmp_path / "state").evidence == tmp_path / "state" / "evidence"
