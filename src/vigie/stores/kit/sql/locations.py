"""The numbers that locations have in packed results: small ones, in the order in which they are first seen."""

from collections.abc import Iterable

from vigie.stores.kit.sql.db import Db


def location_numbers(db: Db) -> dict[str, int]:
    """Location -> its number in packed results."""
    return dict(db.fetch("SELECT name, number FROM location"))


def add_locations(db: Db, names: Iterable[str]) -> None:
    """Give these a number, where they have none; inside a transaction. Of several processes that add some at once, one waits."""
    sql = "INSERT OR IGNORE INTO location (number, name) SELECT coalesce(max(number), 0) + 1, ? FROM location"
    for name in names:
        while not db.fetch("SELECT 1 FROM location WHERE name = ?", (name,)):
            db.execute(sql, (name,))
