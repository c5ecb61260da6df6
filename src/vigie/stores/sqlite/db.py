"""A thin layer over a driver: one connection, plain statements, durability chosen per transaction, errors that say what to do."""

import contextlib
import errno
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn, Protocol, TypeVar

from vigie.errors import StoreError, StoreFault
from vigie.files import close_to_others, make_file, make_folder
from vigie.stores.kit.sql.db import Row
from vigie.stores.sqlite.with_apsw import ApswDriver

_T = TypeVar("_T")
_BESIDE = ("-wal", "-shm", "-journal")
BUSY_MS = 5_000
_LARGEST = 2**63 - 1
# A database up to this size is looked through when it is opened (about 10 ms); in a larger one damage is found where it is read.
_LOOK_THROUGH_BYTES = 4 * 1024 * 1024


class Driver(Protocol):
    """What a library must offer. Its `errors` are turned into StoreError by their SQLite result code."""

    errors: ClassVar[tuple[type[Exception], ...]]

    def __init__(self, path: Path, busy_ms: int) -> None: ...

    def fetch(self, sql: str, values: Sequence[Any]) -> list[Row]:
        """Every row of a query."""
        ...

    def execute(self, sql: str, values: Sequence[Any]) -> int:
        """One statement; how many rows it changed."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    @staticmethod
    def code(error: Exception) -> int:
        """SQLite's extended result code of an error; 0 where it has none."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class Db:
    """One connection, used by one thread at a time. Raises StoreError and nothing else."""

    held = claimed = ""  # only one writes at a time

    def __init__(self, path: Path, driver: type[Driver] = ApswDriver) -> None:
        self.path = path
        try:
            make_folder(path.parent)
            make_file(path)
            for one in (path, *(path.with_name(f"{path.name}{suffix}") for suffix in _BESIDE)):
                close_to_others(one)
            self._driver = driver(path, BUSY_MS)
        except OSError as error:
            fail(error, path, 0)
        except driver.errors as error:
            fail(error, path, driver.code(error))
        self._durable = True  # SQLite's own default

    def prepare(self) -> None:
        """Keep a write-ahead log, of bounded size; for a database that is known to be ours."""
        self.execute("PRAGMA journal_mode = WAL")
        self.execute("PRAGMA wal_autocheckpoint = 2000")
        self.execute("PRAGMA journal_size_limit = 67108864")

    def quick_check(self) -> None:
        """Raise StoreError(CORRUPT) for a database that is damaged, as far as that is cheap to see."""
        pages, size = (int(self.fetch(f"PRAGMA {name}")[0][0]) for name in ("page_count", "page_size"))
        if pages * size <= _LOOK_THROUGH_BYTES:
            found = self.fetch("PRAGMA quick_check(1)")
            if found != [("ok",)]:
                said = [line for line in str(found[0][0]).splitlines() if not line.startswith("***")]  # SQLite's headings
                raise damaged(self.path, said[0] if said else "SQLite finds it malformed")

    def fetch(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Every row of a query."""
        return self._try(self._driver.fetch, sql, values)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """One statement; how many rows it changed."""
        return self._try(self._driver.execute, sql, values)

    def bulk(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The same statement for every row; inside a transaction that fails, none."""
        for row in rows:
            self.execute(sql, row)

    def _try(self, work: Callable[[str, Sequence[Any]], _T], sql: str, values: Sequence[Any]) -> _T:
        try:
            try:
                return work(sql, values)
            except (UnicodeEncodeError, OverflowError):
                return work(sql, _storable(values))
        except self._driver.errors as error:
            fail(error, self.path, self._driver.code(error))

    @contextlib.contextmanager
    def transaction(self, *, durable: bool, alone: str | None = None) -> Iterator[None]:  # noqa: ARG002 - only one writes at a time here
        """All or nothing; `durable` means on the disk when this returns, else in the operating system's hands.

        In those hands it survives the end of this process, but not a power cut.
        """
        if durable is not self._durable:
            self.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            # Some errors, such as a full disk, have rolled back by themselves; and a disk that is gone cannot.
            if self._driver.in_transaction:
                with contextlib.suppress(StoreError):
                    self.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Several reads of one state of the database."""
        if self._driver.in_transaction:
            yield
            return
        self.execute("BEGIN")
        try:
            yield
        finally:
            with contextlib.suppress(StoreError):
                self.execute("ROLLBACK")

    def tidy(self) -> None:
        """Bring what is in the log to the database, as far as no reader needs it, beside the writer: the disk may take long for it."""
        self.fetch("PRAGMA wal_checkpoint(PASSIVE)")

    def space(self) -> tuple[int, int | None]:
        """How many bytes the database takes, and how many its disk has left."""
        pages, page, spare = (int(self.fetch(f"PRAGMA {name}")[0][0]) for name in ("page_count", "page_size", "freelist_count"))
        try:
            free = shutil.disk_usage(self.path.parent).free
        except OSError:
            free = None
        return (pages - spare) * page, free

    def damaged(self, what: str) -> StoreError:
        """The error for a database that cannot be believed any more."""
        return damaged(self.path, what)

    def close(self) -> None:
        """Close; the last connection folds the log in. Closing twice is harmless."""
        try:
            self._driver.close()
        except self._driver.errors as error:
            fail(error, self.path, self._driver.code(error))


def _storable(values: Sequence[Any]) -> list[Any]:
    """Text that is not valid Unicode (half a surrogate pair) and numbers beyond 64 bits, as near as a database can hold them."""
    return [_nearest(value) for value in values]


def _nearest(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return min(max(value, -_LARGEST), _LARGEST) if isinstance(value, int) else value


_FAULTS = {
    11: StoreFault.CORRUPT,  # SQLITE_CORRUPT
    26: StoreFault.CORRUPT,  # SQLITE_NOTADB
    13: StoreFault.FULL,  # SQLITE_FULL
    4874: StoreFault.FULL,  # SQLITE_IOERR_SHMSIZE: no room for the shared index of the log
    3: StoreFault.READ_ONLY,  # SQLITE_PERM
    8: StoreFault.READ_ONLY,  # SQLITE_READONLY
    14: StoreFault.READ_ONLY,  # SQLITE_CANTOPEN
    5: StoreFault.BUSY,  # SQLITE_BUSY
    6: StoreFault.BUSY,  # SQLITE_LOCKED
    15: StoreFault.BUSY,  # SQLITE_PROTOCOL: others kept taking the log's lock first
}
_SYSTEM = {
    errno.ENOSPC: StoreFault.FULL,
    errno.EDQUOT: StoreFault.FULL,
    errno.EACCES: StoreFault.READ_ONLY,
    errno.EPERM: StoreFault.READ_ONLY,
    errno.EROFS: StoreFault.READ_ONLY,
    errno.ENOTDIR: StoreFault.READ_ONLY,
    errno.EEXIST: StoreFault.READ_ONLY,
}


def damaged(path: Path, what: str) -> StoreError:
    """The error for a database that cannot be believed any more."""
    fix = f"move {path} and its -wal and -shm files aside and start with a new one, or restore a backup"
    return StoreError(StoreFault.CORRUPT, f"{path} is damaged or not a Vigie database: {what}", fix)


def fail(error: Exception, path: Path, code: int) -> NoReturn:
    """The error of a driver or of the system as a StoreError that says what to do."""
    fault = _FAULTS.get(code, _FAULTS.get(code & 0xFF))
    if isinstance(error, OSError):
        fault = _SYSTEM.get(error.errno or 0)
    match fault:
        case StoreFault.CORRUPT:
            raise damaged(path, str(error)) from error
        case StoreFault.FULL:
            fix = f"free space on the disk of {path.parent}; nothing that was committed is lost"
            raise StoreError(fault, f"no space left for {path}", fix) from error
        case StoreFault.READ_ONLY:
            fix = f"make {path.parent} writable for this user, or set `store` to another place"
            raise StoreError(fault, f"{path} cannot be written: {error}", fix) from error
        case StoreFault.BUSY:
            raise StoreError(fault, f"{path} is locked by another program", "stop the other one, or wait for it to finish") from error
        case _:
            fix = "check the system log for disk errors; nothing that was committed is lost"
            raise StoreError(StoreFault.OTHER, f"{path}: {error}", fix) from error
