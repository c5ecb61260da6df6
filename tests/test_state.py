"""The key beside the database: made once, for this user alone."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vigie.errors import VigieError
from vigie.stores.sqlite.key import key_beside


def test_it_is_made_once_and_read_by_nobody_else(tmp_path: Path) -> None:
    store = tmp_path / "new" / "vigie.db"
    key = key_beside(store)

    assert len(key) == 32
    assert key_beside(store) == key
    assert [path.name for path in store.parent.iterdir()] == ["vigie.db.key"]
    assert key_beside(tmp_path / "other.db") != key


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_its_mode_is_0600_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        key_beside(tmp_path / "vigie.db")
    finally:
        os.umask(before)
    assert (tmp_path / "vigie.db.key").stat().st_mode & 0o777 == 0o600


def test_all_who_make_it_at_once_get_the_same(tmp_path: Path) -> None:
    for number in range(20):
        with ThreadPoolExecutor(8) as pool:
            found = set(pool.map(key_beside, [tmp_path / f"{number}.db"] * 8))
        assert len(found) == 1
    assert len(list(tmp_path.iterdir())) == 20


def test_without_hard_links_it_is_made_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert key_beside(tmp_path / "vigie.db") == key_beside(tmp_path / "vigie.db")
    assert [path.name for path in tmp_path.iterdir()] == ["vigie.db.key"]


def test_one_that_is_cut_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "vigie.db.key").write_bytes(b"short")
    with pytest.raises(VigieError, match="damaged"):
        key_beside(tmp_path / "vigie.db")


def test_one_that_cannot_be_had_is_said_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "vigie.db.key").mkdir()
    with pytest.raises(VigieError, match=r"vigie\.db\.key cannot be used"):
        key_beside(tmp_path / "vigie.db")
