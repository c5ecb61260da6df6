"""The driver in reserve: the standard library's sqlite3, for a platform that apsw has no wheel for."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

Row = tuple[Any, ...]


class StdlibDriver:
    """One connection by sqlite3, without its own ideas about transactions; used by one thread at a time."""

    errors: ClassVar[tuple[type[Exception], ...]] = (sqlite3.Error,)

    def __init__(self, path: Path, busy_ms: int) -> None:
        self._connection = sqlite3.connect(path, timeout=busy_ms / 1000, isolation_level=None, check_same_thread=False)

    def fetch(self, sql: str, values: Sequence[Any]) -> list[Row]:
        """Every row of a query."""
        return self._connection.execute(sql, values).fetchall()

    def execute(self, sql: str, values: Sequence[Any]) -> int:
        """One statement; how many rows it changed."""
        cursor = self._connection.execute(sql, values)
        cursor.fetchall()
        return max(cursor.rowcount, 0)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.in_transaction

    @staticmethod
    def code(error: Exception) -> int:
        """SQLite's extended result code of an error; 0 where it has none."""
        return int(getattr(error, "sqlite_errorcode", 0) or 0)

    def close(self) -> None:
        """Close; the last connection folds the log in."""
        self._connection.close()
