"""A store as tables: read in the order of their keys and written as they are, so that a store can be copied to one of another kind."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vigie.stores.kit.sql.db import Db, Row

COPYING = "copying"  # the row of `meta` in a store that is being copied to
_BYTES = 4_000_000  # of one batch
_FIRST, _MAX_ROWS = 50, 2_000  # rows of one batch
_BY_ROW = {"incident": ("rowid",)}  # tables whose rows are in an order that no column of theirs has
_BEGUN = ("meta", "location")  # what is in a new store already
_COUNTED = ("outbox_count",)  # made by the database itself


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a table in their order, and those of its primary key, quoted where SQL wants it."""

    columns: tuple[str, ...]
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """How many rows a table has, and what they come to, in whatever order they are read."""

    rows: int
    digest: int


class Tables:
    """The tables of one database, which nobody else works on. Raises StoreError.

    `prepare` and `settle` do what a kind of database needs.
    """

    def __init__(
        self, db: Db, known: Mapping[str, Table], prepare: Callable[[str, int, int], None], settle: Callable[[Sequence[str]], None]
    ) -> None:
        self._db, self._prepare, self._settle = db, prepare, settle
        self._known = {name: table for name, table in sorted(known.items()) if name not in _COUNTED}

    @property
    def names(self) -> tuple[str, ...]:
        """All tables."""
        return tuple(self._known)

    def columns(self, name: str) -> tuple[str, ...]:
        """Of one table, as they are called."""
        return tuple(one.strip('"') for one in self._known[name].columns)

    def key(self, name: str) -> tuple[str, ...]:
        """By what a table is read in order; each kind of database has a key of its own."""
        return _BY_ROW.get(name, self._known[name].key)

    def count(self, name: str) -> int:
        """The rows of a table."""
        return int(self._db.fetch(f"SELECT count(*) FROM {_quoted(name)}{self._but_the_mark(name)}")[0][0])

    def _but_the_mark(self, name: str) -> str:
        return f" WHERE name <> '{COPYING}'" if name == "meta" else ""

    def batches(self, name: str, columns: Sequence[str], after: Row | None = None) -> Iterator[list[Row]]:
        """Rows in the order of their key, behind a key, a few megabytes at a time."""
        key, limit = self.key(name), _FIRST
        head = f"SELECT {', '.join((*key, *map(_quoted, columns)))} FROM {_quoted(name)}"
        order = f" ORDER BY {', '.join(key)} LIMIT ?"
        behind = f" WHERE ({', '.join(key)}) > ({', '.join('?' * len(key))})"
        while rows := self._db.fetch(f"{head}{behind if after else ''}{order}", (*(after or ()), limit)):
            yield [row[len(key) :] for row in rows if row[0] != COPYING or name != "meta"]
            after = rows[-1][: len(key)]
            size = sum(len(value) for row in rows for value in row if isinstance(value, bytes | str)) + 1
            limit = max(1, min(_MAX_ROWS, len(rows) * _BYTES // size))

    def last(self, name: str, key: Sequence[str]) -> Row | None:
        """The last row of a table in the order of the other database, by that key; None where it is empty, or has an order of its own."""
        if name in _BY_ROW:
            return None
        rows = self._db.fetch(f"SELECT {', '.join(key)} FROM {_quoted(name)} ORDER BY {', '.join(f'{one} DESC' for one in key)} LIMIT 1")
        return rows[0] if rows else None

    def bounds(self, name: str, column: str) -> tuple[int, int] | None:
        """The least and the greatest number in a column."""
        least, greatest = self._db.fetch(f"SELECT min({column}), max({column}) FROM {_quoted(name)}")[0]
        return None if least is None else (int(least), int(greatest))

    def prepare(self, name: str, bounds: tuple[int, int] | None) -> None:
        """Before rows between these instants, hours or days are written."""
        if bounds is not None:
            self._prepare(name, *bounds)

    def write(self, name: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Add rows, in a transaction of their own."""
        with self._db.transaction(durable=False):
            self._db.bulk(
                f"INSERT INTO {_quoted(name)} ({', '.join(map(_quoted, columns))}) VALUES ({', '.join('?' * len(columns))})", rows
            )

    def clear(self, name: str) -> None:
        """Delete every row of a table."""
        with self._db.transaction(durable=False):
            self._db.execute(f"DELETE FROM {_quoted(name)}{self._but_the_mark(name)}")

    def mark(self, *, under_way: bool) -> None:
        """That a copy into this store is not finished, or that it is: on the disk when this returns."""
        with self._db.transaction(durable=True):
            self._db.execute("DELETE FROM meta WHERE name = ?", (COPYING,))
            if under_way:
                self._db.execute("INSERT INTO meta (name, value) VALUES (?, 1)", (COPYING,))

    @property
    def marked(self) -> bool:
        """Whether a copy into this store is not finished."""
        return bool(self._db.fetch("SELECT 1 FROM meta WHERE name = ?", (COPYING,)))

    def servers(self, since: int) -> list[str]:
        """Those who are at work on this store: they reported themselves since an instant, epoch ms."""
        return [str(name) for (name,) in self._db.fetch("SELECT name FROM server WHERE seen_at >= ? ORDER BY name", (since,))]

    def fresh(self, name: str) -> bool:
        """Whether a table may hold what every new store begins with, rather than what was copied."""
        return name in _BEGUN

    @property
    def used(self) -> bool:
        """Whether anything was ever kept here."""
        return any(self.count(name) for name in self._known if name not in _BEGUN) or self.count("location") > 1

    def sum(self, name: str, columns: Sequence[str], seen: Callable[[int], None]) -> Sum:
        """Of all rows; `seen` is told how many were read."""
        count = digest = 0
        for rows in self.batches(name, columns):
            count += len(rows)
            digest += sum(_digest(row) for row in rows)
            seen(len(rows))
        return Sum(count, digest % 2**64)

    def settle(self) -> None:
        """After all rows are written: the next numbers follow on theirs."""
        self._settle(self.names)

    def close(self) -> None:
        """Close the database."""
        self._db.close()


def _quoted(name: str) -> str:
    return f'"{name}"'


def _digest(row: Sequence[Any]) -> int:
    return int.from_bytes(hashlib.blake2b(repr(row).encode("utf-8", "surrogatepass"), digest_size=8).digest())
