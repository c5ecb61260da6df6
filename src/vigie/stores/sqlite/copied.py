"""The database as tables, for `vigie store copy`."""

from pathlib import Path

from vigie.stores.kit.sql.tables import Table, Tables
from vigie.stores.sqlite.db import Db
from vigie.stores.sqlite.migrate import migrate

_NAMES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"


def tables(path: Path) -> Tables:
    """Opened, and made where there are none. Raises StoreError."""
    db = Db(path)
    try:
        migrate(db, path)
        known = {str(name): _table(db, str(name)) for (name,) in db.fetch(_NAMES)}
    except BaseException:
        db.close()
        raise
    return Tables(db, known, lambda *_: None, lambda _: None)


def _table(db: Db, name: str) -> Table:
    rows = db.fetch(f'PRAGMA table_info("{name}")')
    key = sorted((place, f'"{column}"') for _, column, _, _, _, place in rows if place)
    return Table(tuple(f'"{row[1]}"' for row in rows), tuple(column for _, column in key))
