"""What was made by a page or the API."""

from collections.abc import Sequence

from vigie.ports import StoredDefinition
from vigie.stores.kit.sql.db import Db

SQL = "SELECT kind, id, body, version, by, at, trusted FROM definition ORDER BY number"


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
    return [row(*one) for one in db.fetch(SQL)]


def row(kind: str, name: str, body: str, version: int, by: str, at: int, trusted: int) -> StoredDefinition:
    """A row of the table, with the columns of `SQL`."""
    return StoredDefinition(kind, name, body, version, by, at, bool(trusted))
