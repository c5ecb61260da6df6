"""What Vigie writes is for its owner alone, also what an earlier version wrote."""

import logging
import os
import stat
from pathlib import Path

import pytest

from vigie import logs
from vigie.files import close_to_others, make_file, make_folder, open_to_others
from vigie.net import NO_SECRETS
from vigie.state import State
from vigie.stores.sqlite.store import SqliteStore

pytestmark = pytest.mark.skipif(os.name != "posix", reason="rights of files are POSIX's")


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def modes(folder: Path) -> dict[str, str]:
    return {one.name: mode(one) for one in folder.iterdir()}


@pytest.fixture(autouse=True)
def _generous_umask() -> object:
    before = os.umask(0o000)
    yield
    os.umask(before)


async def test_a_database_and_all_that_lies_beside_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "made" / "vigie.db"
    store = SqliteStore(path, threads=False)
    await store.ledger.next_run()
    assert modes(path.parent) == dict.fromkeys(("vigie.db", "vigie.db-wal", "vigie.db-shm"), "0o600")
    assert mode(path.parent) == "0o700"
    await store.close()


async def test_a_database_of_an_earlier_version_is_closed_to_others_with_its_backup(tmp_path: Path) -> None:
    import apsw

    path = tmp_path / "vigie.db"
    script = Path(__file__).with_name("stores") / "fixtures" / "v1-jobs.sql"  # what an earlier version made
    db = apsw.Connection(str(path))
    db.execute(script.read_text(encoding="utf-8"))
    db.close()
    path.chmod(0o644)
    await SqliteStore(path, threads=False).close()
    assert modes(tmp_path) == {"vigie.db": "0o600", "vigie.db.backup-4": "0o600"}


def test_the_log_its_old_files_and_its_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "vigie.log"
    _write(file, lines=100)
    assert {mode(one) for one in file.parent.iterdir()} == {"0o600"}
    assert len(list(file.parent.iterdir())) == 3
    assert mode(file.parent) == "0o700"


def test_a_log_that_its_owner_opened_to_a_group_stays_open_to_it(tmp_path: Path) -> None:
    file = tmp_path / "vigie.log"
    file.touch()
    file.chmod(0o640)
    _write(file, lines=100)
    assert {mode(one) for one in tmp_path.iterdir()} == {"0o640"}


def _write(file: Path, lines: int) -> None:
    logs.start(file=file, json=False, level="info", max_bytes=1_000, keep=2, secrets=NO_SECRETS, console=False)
    try:
        for number in range(lines):
            logging.getLogger("vigie.test").info("line %d of a log that turns over", number)
    finally:
        logs.stop()


def test_lock_and_key_are_for_their_owner_alone(tmp_path: Path) -> None:
    state = State(tmp_path / "state", tmp_path / "vigie.db")
    with state.locked():
        state.key()
        assert {one.name: mode(one) for one in state.folder.iterdir()} == {"lock": "0o600", "key": "0o600"}
        assert mode(tmp_path / "vigie.db.lock") == "0o600"
    assert mode(state.folder) == "0o700"


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    make_file(file)
    make_folder(tmp_path)
    assert file.read_text() == "kept"
    file.chmod(0o604)
    assert (open_to_others(file), close_to_others(file), open_to_others(file), close_to_others(file)) == (True, True, False, False)
    assert (open_to_others(tmp_path / "none"), close_to_others(tmp_path / "none")) == (False, False)
