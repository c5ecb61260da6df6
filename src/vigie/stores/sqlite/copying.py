"""A whole copy of a database while others work on it, and whether a copy is whole and of a version that we know."""

from collections.abc import Callable
from pathlib import Path

from vigie.errors import StoreError, StoreFault
from vigie.stores.sqlite.db import Db, damaged
from vigie.stores.sqlite.migrate import newest

_SHOWN = 3  # faults of a damaged one


def copy(source: Path, target: Path, size: Callable[[int], None]) -> int:
    """Copy into a file that is not there yet, as of one moment; the version of its schema.

    Others read and write meanwhile; `size` is told first about how many bytes it will have. Raises StoreError.
    """
    db = Db(source)
    try:
        pages, free, page = (int(db.fetch(f"PRAGMA {name}")[0][0]) for name in ("page_count", "freelist_count", "page_size"))
        version = _version(db)
        size((pages - free) * page)
        db.execute("VACUUM INTO ?", (str(target),))
    finally:
        db.close()
    return version


def examine(path: Path) -> int:
    """The version of a copy's schema, every page of which is read. Raises StoreError: CORRUPT, or NEWER than this program."""
    db = Db(path)
    try:
        version, known = _version(db), newest()
        if version > known:
            message = f"the backup was made by a newer Vigie (schema {version}, this program knows {known})"
            raise StoreError(StoreFault.NEWER, message, "install that version, or a newer one, first")
        if not version:
            raise damaged(path, "it has no tables of ours")
        found = [str(row[0]) for row in db.fetch(f"PRAGMA integrity_check({_SHOWN})")]
        if found != ["ok"]:
            raise damaged(path, "; ".join(found))
    finally:
        db.close()
    return version


def _version(db: Db) -> int:
    return int(db.fetch("PRAGMA user_version")[0][0])
