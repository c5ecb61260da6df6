"""`store:` is a path or a URL, and its scheme names the kind of store."""

from pathlib import Path

import pytest

from vigie.adapters import open_store, state_of, store_exists
from vigie.clock import SystemClock
from vigie.config import Desired, load
from vigie.errors import ConfigError


def configured(folder: Path, lines: str) -> Desired:
    file = folder / "vigie.yaml"
    file.write_text(f"{lines}\nmonitors: [https://a.test/]\n")
    return load(file, {}, folder)


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("vigie.db", "vigie.db"),
        ("data/my vigie.db", "data/my vigie.db"),
        ("sqlite:///vigie.db", "vigie.db"),
        ("sqlite:///data/my%20vigie.db", "data/my vigie.db"),
        ("SQLite:///vigie.db", "vigie.db"),
    ],
)
def test_a_relative_one_starts_at_the_configuration(address: str, file: str, tmp_path: Path) -> None:
    found = configured(tmp_path, f"store: {address}")
    assert (found.store.kind, found.store.file) == ("sqlite", tmp_path / file)
    assert str(found.store) == str(tmp_path / file)
    assert found.state == tmp_path / f"{file}.state"


@pytest.mark.parametrize("address", ["/var/lib/vigie/v.db", "sqlite:////var/lib/vigie/v.db"])
def test_an_absolute_one_stays_where_it_is(address: str, tmp_path: Path) -> None:
    found = configured(tmp_path, f"store: {address}")
    assert found.store.file == Path("/var/lib/vigie/v.db")
    assert found.state == Path("/var/lib/vigie/v.db.state")


def test_the_state_directory_may_be_anywhere(tmp_path: Path) -> None:
    assert configured(tmp_path, "state: here").state == tmp_path / "here"
    assert configured(tmp_path, "state: /srv/vigie").state == Path("/srv/vigie")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("mysql://vigie:geheim@db.test/vigie", "no store is called 'mysql'"),
        ("postgresql://vigie:geheim@db.test/", "the name of its database"),
        ("postgresql://vigie:geheim@db.test:five/vigie", "a port of the PostgreSQL store"),
        ("postgresql://vigie:geh/eim@db.test/vigie", "the name of its database"),
        ("postgresql://vigie:geheim@db.test/vigie?sslmode=on", "sslmode of a PostgreSQL store is one of disable"),
        ("postgresql://vigie:geheim@db.test/vigie?pool=50", "pool of a PostgreSQL store is a number from 2 to 4"),
        ("postgresql://vigie:geheim@db.test/vigie?pol=5", "a PostgreSQL store has no option 'pol'"),
        ("postgresql://vigie:geheim@db.test/vigie?schema=a-b", "schema of a PostgreSQL store is a plain name"),
        ("sqlite://vigie.db", "sqlite:///vigie.db"),
        ("sqlite:///vigie.db?mode=ro", "a file on this machine"),
        ("sqlite:///", "a file on this machine"),
        ('""', "needs the name of a file"),
    ],
)
def test_one_that_cannot_be_is_said_with_its_key(address: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        configured(tmp_path, f"store: {address}")
    (fault,) = raised.value.faults
    assert words in str(fault)
    assert fault.key == "store"
    assert fault.line == 1
    assert "geheim" not in str(raised.value)
    if "no store" in words:
        assert "installed: postgresql, sqlite" in str(fault)


async def test_it_is_opened_by_its_kind(tmp_path: Path) -> None:
    found = configured(tmp_path, "store: sqlite:///data/vigie.db")
    assert not store_exists(found)
    store = open_store(found, SystemClock())
    try:
        assert await store.ledger.next_run() > 0
    finally:
        await store.close()
    assert store_exists(found)
    assert state_of(found).folder == tmp_path / "data" / "vigie.db.state"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://db.test/vigie", "postgresql://db.test:5432/vigie"),
        ("postgresql+asyncpg://v%40x:ge%2Fheim@db.test:5433/vigie", "postgresql://v@x@db.test:5433/vigie"),
        ("postgresql://vigie:geheim@[2001:db8::1]:5433/vigie", "postgresql://vigie@[2001:db8::1]:5433/vigie"),
        (
            "postgresql://vigie:geheim@a.test,b.test:5433/vigie?schema=other",
            "postgresql://vigie@a.test:5432,b.test:5433/vigie?schema=other",
        ),
        ("postgresql:///vigie?host=/run/postgresql&sslmode=verify-full&sslrootcert=ca.pem", "postgresql:///run/postgresql:5432/vigie"),
    ],
)
def test_a_server_is_shown_without_its_password(address: str, shown: str, tmp_path: Path) -> None:
    found = configured(tmp_path, f"store: {address}")
    assert (found.store.kind, found.store.file, str(found.store)) == ("postgresql", None, shown)
    assert found.state == tmp_path / "vigie.state"
    assert "geheim" not in repr(found.store)
    assert "heim" not in repr(found)
    assert str(tmp_path / "ca.pem") in repr(found.store.config) or "ca.pem" not in address
