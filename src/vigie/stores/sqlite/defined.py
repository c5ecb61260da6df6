"""What was made by a page or the API: read by whoever reads the configuration, which must neither make nor change a database."""

from collections.abc import Sequence
from pathlib import Path

from vigie.ports import StoredDefinition
from vigie.stores.sqlite.db import BUSY_MS, Db, fail

_SQL = "SELECT kind, id, body, version, by, at, trusted FROM definition ORDER BY number"
_SINCE = 20  # the migration that made the table


def write(db: Db, definitions: Sequence[StoredDefinition], gone: Sequence[tuple[str, str]]) -> None:
    """Insert or replace these rows, each at its old place in the order, and delete those that are gone; in the caller's transaction."""
    db.bulk(
        "INSERT INTO definition (kind, id, version, by, at, trusted, body) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, id) DO UPDATE "
        "SET version = excluded.version, by = excluded.by, at = excluded.at, trusted = excluded.trusted, body = excluded.body",
        [(one.kind, one.id, one.version, one.by, one.at, int(one.trusted), one.body) for one in definitions],
    )
    db.bulk("DELETE FROM definition WHERE kind = ? AND id = ?", gone)


def read(db: Db) -> list[StoredDefinition]:
    """In the order in which they were made."""
    return [_row(*one) for one in db.fetch(_SQL)]


def read_file(path: Path) -> list[StoredDefinition]:
    """Those of a database that is left as it is; none where there is no database yet, or it is of an earlier version.

    Raises StoreError.
    """
    try:
        if not path.exists():
            return []
    except OSError as error:
        fail(error, path, 0)
    import apsw

    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            connection.set_busy_timeout(BUSY_MS)
            ((version,),) = connection.execute("PRAGMA user_version")
            return [_row(*one) for one in connection.execute(_SQL)] if version >= _SINCE else []
        finally:
            connection.close()
    except apsw.Error as error:
        fail(error, path, int(getattr(error, "extendedresult", 0) or 0))


def _row(kind: str, name: str, body: str, version: int, by: str, at: int, trusted: int) -> StoredDefinition:
    return StoredDefinition(kind, name, body, version, by, at, bool(trusted))
