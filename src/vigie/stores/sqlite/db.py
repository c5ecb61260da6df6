"""A thin layer over apsw: one connection, plain statements, durability chosen per transaction, errors that say what to do."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from vigie.errors import StoreError, StoreFault

Row = tuple[Any, ...]
MIGRATIONS = Path(__file__).parent.parent / "migrations"
_BUSY_MS = 5_000


class Db:
    """One connection of one thread. Raises StoreError and nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = apsw.Connection(str(path))
            self._connection.set_busy_timeout(_BUSY_MS)
            self.execute("PRAGMA journal_mode = WAL")
            self.execute("PRAGMA synchronous = NORMAL")
            self.execute("PRAGMA wal_autocheckpoint = 2000")

    def fetch(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Every row of a query."""
        with self._errors():
            return list(self._connection.execute(sql, values))

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """One statement; how many rows it changed."""
        with self._errors():
            self._connection.execute(sql, values)
            return self._connection.changes()

    def bulk(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The same statement for every row."""
        if rows:
            with self._errors():
                self._connection.executemany(sql, rows)

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[None]:
        """All or nothing; `durable` means on the disk when this returns, else within the operating system's hands."""
        self.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        with self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # Some errors, such as a full disk, have rolled back by themselves.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close; the write-ahead log is folded in."""
        with self._errors():
            self._connection.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (apsw.Error, OSError) as error:
            raise _store_error(error, self._path) from error


def _store_error(error: Exception, path: Path) -> StoreError:
    folder = path.parent
    match error:
        case apsw.NotADBError() | apsw.CorruptError():
            fix = f"move {path} aside (and its -wal and -shm files): a new one is made; a backup beside it can be put back"
            return StoreError(StoreFault.CORRUPT, f"{path} is damaged or no Vigie database: {error}", fix)
        case apsw.FullError():
            return StoreError(StoreFault.FULL, f"no room left for {path}", f"free space on the disk of {folder}; nothing committed is lost")
        case apsw.ReadOnlyError() | apsw.CantOpenError() | PermissionError() | apsw.PermissionsError():
            return StoreError(StoreFault.READ_ONLY, f"{path} cannot be written", f"make {folder} writable for this user, or set `store`")
        case apsw.BusyError() | apsw.LockedError():
            return StoreError(StoreFault.BUSY, f"{path} is held by another program", "stop the other one")
        case _:
            return StoreError(StoreFault.OTHER, f"{path}: {error}")


def migrate(db: Db, path: Path, folder: Path = MIGRATIONS) -> int:
    """Bring the schema up to date, each numbered file in one transaction, a backup first; the version now in force.

    Raises StoreError(NEWER) for a database written by a newer program.
    """
    version = int(db.fetch("PRAGMA user_version")[0][0])
    files = {int(file.name[:4]): file for file in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))}
    newest = max(files)
    if version > newest:
        message = f"{path} was written by a newer Vigie (schema {version}, this program knows {newest})"
        raise StoreError(StoreFault.NEWER, message, "install that version again, or put the backup beside it back")
    pending = [number for number in sorted(files) if number > version]
    if pending and version:
        _back_up(db, path, version)
    for number in pending:
        with db.transaction(durable=True):
            db.execute(files[number].read_text(encoding="utf-8"))
            db.execute(f"PRAGMA user_version = {number}")
    return newest


def _back_up(db: Db, path: Path, version: int) -> None:
    target = path.with_name(f"{path.name}.backup-{version}")
    if target.exists():
        shutil.move(target, target.with_name(f"{target.name}.old"))
    db.execute("VACUUM INTO ?", (str(target),))
