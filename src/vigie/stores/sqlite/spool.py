"""The spool of an agent as an SQLite file: written by one thread, on the disk (synchronous=FULL) before anybody relies on it.

What is known of each batch is apart from its body, so that a spool of a gigabyte is opened without reading it. Batches are appended at
the end of both tables, whatever their shard, so that a group of them dirties a page or two. The file is for its owner alone: the work
that is kept in it has the secrets of checks.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from vigie.errors import StoreError, StoreFault
from vigie.fleet import wire
from vigie.ports import BatchHead, Identity, SpoolContents
from vigie.stores.sqlite.db import Db, damaged

_T = TypeVar("_T")
_VERSION: Final = 1
_BATCHES, _RESULTS = 1 << 32, 1 << 24  # numbers reserved at each start
_BESIDE = ("", "-wal", "-shm")
_SCHEMA = (
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "CREATE TABLE work (shard INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    "CREATE TABLE pace (monitor TEXT PRIMARY KEY, every_ms INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE batch (sequence INTEGER PRIMARY KEY, shard INTEGER NOT NULL, at INTEGER NOT NULL, results INTEGER NOT NULL,
    failures INTEGER NOT NULL, size INTEGER NOT NULL)""",
    "CREATE TABLE body (sequence INTEGER PRIMARY KEY, body BLOB NOT NULL)",
)
_HEAD = "sequence, shard, at, results, failures, size"
_GIVEN_BACK = 256  # free pages that are given back to the system at once


class SqliteSpool:
    """Implements SpoolFile. `threads=False` works in the caller's thread, for tests whose time is virtual."""

    def __init__(self, path: Path, *, threads: bool = True) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "vigie-spool") if threads else None
        self._db: Db | None = None

    async def open(self) -> SpoolContents:
        """Make it, or read what it holds."""
        return await self._do(self._open)

    def _open(self) -> SpoolContents:
        self._db = db = Db(self._path)
        try:
            version = self._version(db)
            if version == 0:
                db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            db.prepare()
            db.quick_check()
            with db.transaction(durable=True):
                for statement in _SCHEMA if version == 0 else ():
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {_VERSION}")
            return self._contents(db)
        except BaseException:
            self._shut()
            raise

    def _version(self, db: Db) -> int:
        version, tables = db.fetch("SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version")[0]
        if version > _VERSION:
            words = f"{self._path} was written by a newer Vigie (spool {version}, this program knows {_VERSION})"
            raise StoreError(StoreFault.NEWER, words, "install that version again, or give another --state")
        if version == 0 and tables:
            raise damaged(self._path, "its tables belong to another program")
        return int(version)

    def _contents(self, db: Db) -> SpoolContents:
        kept: dict[str, Any] = dict(db.fetch("SELECT name, value FROM setting"))
        newest = int(db.fetch("SELECT coalesce(max(sequence), 0) FROM batch")[0][0])
        first_batch, first_result = max(int(kept.get("batches", 1)), newest + 1), int(kept.get("results", 1))
        with db.transaction(durable=True):
            _set(db, {"batches": first_batch + _BATCHES, "results": first_result + _RESULTS})
        try:
            identity = msgspec.convert(msgspec.json.decode(kept["identity"]), Identity) if "identity" in kept else None
            work = _work_of(kept, db.fetch("SELECT body FROM work ORDER BY shard"))
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            raise damaged(self._path, f"what it holds cannot be read ({error})") from error
        paces = {monitor: (every_ms, at) for monitor, every_ms, at in db.fetch("SELECT monitor, every_ms, at FROM pace")}
        return SpoolContents(identity, work, first_batch, first_result, first_result + _RESULTS, paces)

    async def heads(self, after: int, count: int) -> list[BatchHead]:
        """The next batches."""
        sql = f"SELECT {_HEAD} FROM batch WHERE sequence > ? ORDER BY sequence LIMIT ?"
        return await self._run(lambda db: [_head(*row) for row in db.fetch(sql, (after, count))])

    async def reserve_results(self, until: int) -> None:
        """Numbers below may be used."""
        await self._write(lambda db: _set(db, {"results": until}))

    async def adopt(self, identity: Identity) -> None:
        """Keep who one is."""
        await self._write(lambda db: _set(db, {"identity": msgspec.json.encode(identity).decode()}))

    async def keep_work(self, work: wire.Work) -> None:
        """Keep what changes: a row for each shard."""

        def keep(db: Db) -> None:
            if work.whole:
                db.execute("DELETE FROM work")
            gone = [(one.shard,) for one in work.shards if not one.specs]
            db.bulk("DELETE FROM work WHERE shard = ?", gone)
            there = [(one.shard, wire.encode(wire.Work(0, [one]))) for one in work.shards if one.specs]
            db.bulk("INSERT OR REPLACE INTO work (shard, body) VALUES (?, ?)", there)
            _set(db, {"epoch": work.epoch, "control": "\n".join(work.control), "second_resolver": work.second_resolver})

        await self._write(keep)

    async def keep_pace(self, monitor: str, every_ms: int | None, at: int) -> None:
        """Keep the pace of a monitor, or that it has none."""
        if every_ms is None:
            await self._write(lambda db: db.execute("DELETE FROM pace WHERE monitor = ?", (monitor,)))
        else:
            sql = "INSERT OR REPLACE INTO pace (monitor, every_ms, at) VALUES (?, ?, ?)"
            await self._write(lambda db: db.execute(sql, (monitor, every_ms, at)))

    async def append(self, batches: Sequence[tuple[BatchHead, bytes]]) -> None:
        """Keep these, all or none."""
        await self.replace((), batches)

    async def read(self, sequences: Sequence[int]) -> dict[int, bytes]:
        """Those that are there."""

        def found(db: Db) -> dict[int, bytes]:
            rows = [row for one in sequences for row in db.fetch("SELECT sequence, body FROM body WHERE sequence = ?", (one,))]
            return dict(rows)

        return await self._run(found)

    async def remove(self, sequences: Sequence[int]) -> None:
        """Keep these no longer; the file shrinks with what is in it."""
        await self.replace(sequences, ())

    async def replace(self, gone: Sequence[int], batches: Sequence[tuple[BatchHead, bytes]]) -> None:
        """Keep these in place of those."""

        def change(db: Db) -> None:
            for table in ("batch", "body") if gone else ():
                db.bulk(f"DELETE FROM {table} WHERE sequence = ?", [(one,) for one in gone])
            rows = [(one.sequence, one.shard, one.at, one.results, int(one.failures), one.size) for one, _ in batches]
            db.bulk(f"INSERT OR REPLACE INTO batch ({_HEAD}) VALUES (?, ?, ?, ?, ?, ?)", rows)
            db.bulk("INSERT OR REPLACE INTO body (sequence, body) VALUES (?, ?)", [(one.sequence, body) for one, body in batches])

        await self._write(change, shrink=bool(gone))

    async def oldest(self, count: int, *, failures: bool) -> list[BatchHead]:
        """The first ones."""
        sql = f"SELECT {_HEAD} FROM batch WHERE failures = ? ORDER BY sequence LIMIT ?"
        return await self._run(lambda db: [_head(*row) for row in db.fetch(sql, (int(failures), count))])

    async def move_aside(self) -> str:
        """Rename it, with the log beside it."""
        return await self._do(self._moved)

    def _moved(self) -> str:
        self._shut()
        number = 1
        while self._path.with_name(f"{self._path.name}.damaged-{number}").exists():
            number += 1
        try:
            for suffix in _BESIDE:
                one = self._path.with_name(f"{self._path.name}{suffix}")
                if one.exists():
                    one.replace(self._path.with_name(f"{self._path.name}.damaged-{number}{suffix}"))
        except OSError as error:
            words = f"{self._path} is damaged and cannot be renamed: {error.strerror}"
            raise StoreError(StoreFault.READ_ONLY, words, f"make {self._path.parent} writable for this user") from error
        return f"{self._path}.damaged-{number}"

    async def close(self) -> None:
        """Close it."""
        if self._db is not None:
            await self._do(self._shut)

    def _shut(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()

    async def _do(self, work: Callable[[], _T]) -> _T:
        """In the thread of the file; what goes wrong says what a user of an agent can do."""
        try:
            return work() if self._thread is None else await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except StoreError as error:
            if error.fault is StoreFault.READ_ONLY:
                error.fix = f"make {self._path.parent} writable for this user, or give another --state"
            raise

    async def _run(self, work: Callable[[Db], _T]) -> _T:
        def run() -> _T:
            if self._db is None:
                raise StoreError(StoreFault.OTHER, f"{self._path} is closed")
            return work(self._db)

        return await self._do(run)

    async def _write(self, work: Callable[[Db], Any], *, shrink: bool = False) -> None:
        def write(db: Db) -> None:
            with db.transaction(durable=True):
                work(db)
            if shrink and int(db.fetch("PRAGMA freelist_count")[0][0]) > 4 * _GIVEN_BACK:
                db.fetch(f"PRAGMA incremental_vacuum({_GIVEN_BACK})")

        await self._run(write)


def _set(db: Db, values: dict[str, Any]) -> None:
    db.bulk("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", list(values.items()))


def _head(sequence: int, shard: int, at: int, results: int, failures: int, size: int) -> BatchHead:
    return BatchHead(sequence, shard, at, results, bool(failures), size)


def _work_of(kept: dict[str, Any], rows: Sequence[tuple[Any, ...]]) -> wire.Work | None:
    """The work that was kept, as one message. Raises ValueError."""
    if "epoch" not in kept:
        return None
    shards: list[wire.ShardWork] = []
    for (body,) in rows:
        one = wire.decode(body)
        if not isinstance(one, wire.Work):
            raise ValueError("not the work of a shard")  # noqa: TRY004 - of what is kept
        shards += one.shards
    control = str(kept["control"]).split("\n") if kept["control"] else []
    return wire.Work(int(kept["epoch"]), shards, whole=True, control=control, second_resolver=kept["second_resolver"])
