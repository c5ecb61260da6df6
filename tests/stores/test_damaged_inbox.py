"""A row of the inbox that cannot be read: set aside, logged once, and no other is lost by it."""

import sqlite3
from pathlib import Path

import pytest

from vigie.core.events import Acked
from vigie.observation.heartbeat import Ping, Signal
from vigie.stores.sqlite.store import SqliteStore


@pytest.mark.parametrize(
    ("damage", "words", "left"),
    [
        ("UPDATE inbox SET body = x'01ff' WHERE id = 1", "dropped: ask for it again", 0),
        ("UPDATE inbox SET body = x'' WHERE id = 1", "left for the newer Vigie", 1),
        ("UPDATE inbox SET body = x'7f00' WHERE id = 1", "left for the newer Vigie", 1),
        ("UPDATE inbox SET kind = 'Praised' WHERE id = 1", "left for the newer Vigie", 1),
    ],
)
async def test_a_command_that_cannot_be_read_costs_no_other(
    tmp_path: Path, damage: str, words: str, left: int, caplog: pytest.LogCaptureFixture
) -> None:
    store = SqliteStore(tmp_path / "v.db", threads=False)
    for by in ("ann", "bob"):
        await store.inbox.enqueue_command("shop", Acked(1, by))
    with sqlite3.connect(tmp_path / "v.db") as db:
        db.execute(damage)
    db.close()
    for _ in range(3):
        assert [one.event for one in await store.inbox.commands()] == [Acked(1, "bob")]
    await store.close()
    assert caplog.text.count(words) == 1
    with sqlite3.connect(tmp_path / "v.db") as db:
        assert db.execute("SELECT count(*) FROM inbox").fetchone() == (1 + left,)
    db.close()


async def test_a_ping_that_cannot_be_read_costs_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = SqliteStore(tmp_path / "v.db", threads=False)
    for at in (1, 2):
        await store.inbox.enqueue_ping("job", Ping(at, Signal.SUCCESS))
    with sqlite3.connect(tmp_path / "v.db") as db:
        db.execute("UPDATE ping SET body = x'01ff' WHERE id = 1")
    db.close()
    for _ in range(3):
        assert [ping.at for _, _, ping in await store.inbox.waiting_pings()] == [2]
    await store.close()
    assert caplog.text.count("a ping of job cannot be read, and is dropped") == 1
